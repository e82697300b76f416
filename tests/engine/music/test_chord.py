"""Chords: the vocabulary of MuVi-Sync, the two notations, and errors that name the token."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.music import CHORD_LABELS, NO_CHORD, QUALITIES, Chord, MusicError

chords = st.integers(0, 156).map(Chord.from_id)
slash_chords = st.builds(
    Chord, st.integers(0, 11), st.sampled_from(QUALITIES), st.one_of(st.none(), st.integers(0, 11))
)


def test_vocabulary_is_muvi_syncs():
    assert len(CHORD_LABELS) == 157
    assert CHORD_LABELS[:14] == (
        "N", "C", "C:dim", "C:sus4", "C:min7", "C:min", "C:sus2", "C:aug", "C:dim7", "C:maj6", "C:hdim7", "C:7",
        "C:min6", "C:maj7",
    )  # fmt: skip
    assert CHORD_LABELS[14] == "C#"
    # The four ids that the reference implementation's fixture starts from: C, A minor, F, G.
    assert [CHORD_LABELS[i] for i in (1, 122, 66, 92)] == ["C", "A:min", "F", "G"]


@pytest.mark.parametrize(
    ("text", "harte"),
    [
        ("Am7", "A:min7"),
        ("F#m7b5", "F#:hdim7"),
        ("Bbmaj7", "A#:maj7"),
        ("C/E", "C:maj/E"),
        ("A:min7", "A:min7"),
        ("Db", "C#:maj"),
        ("Cb", "B:maj"),
        ("Edim7", "E:dim7"),
        ("G7", "G:7"),
        ("Dsus", "D:sus4"),
        ("E+", "E:aug"),
        ("Bm6", "B:min6"),
        ("C:maj/3", "C:maj/E"),
        ("C:min/b3", "C:min/D#"),
        ("C:min/3", "C:min/D#"),
        ("G:7/b7", "G:7/F"),
        ("C/C", "C:maj"),
        ("N", "N"),
        ("N.C.", "N"),
    ],
)
def test_reads_both_notations(text, harte):
    assert Chord.parse(text).harte() == harte


@pytest.mark.parametrize("text", ["J7", "", "Cfoo", "C/J", "C/", "Am7x", "c", "A:min9x", "C//E"])
def test_errors_name_the_offending_token(text):
    with pytest.raises(MusicError) as caught:
        Chord.parse(text)
    assert f"'{text}'" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "pitch_classes"),
    [
        ("Cdim7", (0, 3, 6, 9)),
        ("Cm7b5", (0, 3, 6, 10)),
        ("Csus4", (0, 5, 7)),
        ("Csus2", (0, 2, 7)),
        ("C6", (0, 4, 7, 9)),
        ("Am", (9, 0, 4)),
        ("N", ()),
    ],
)
def test_chord_tones_are_the_textbooks(text, pitch_classes):
    assert Chord.parse(text).pitch_classes() == pitch_classes


@given(chords)
def test_id_label_and_notations_round_trip(chord):
    assert Chord.from_id(chord.id) == chord
    assert Chord.parse(chord.label) == chord
    assert Chord.parse(chord.lead_sheet()) == chord
    assert Chord.parse(chord.lead_sheet(flats=True)) == chord
    assert Chord.parse(chord.harte()) == chord


@given(slash_chords, st.integers(-40, 40))
def test_slash_chords_round_trip_and_transpose_back(chord, semitones):
    assert Chord.parse(chord.lead_sheet()) == chord
    assert Chord.parse(chord.harte()) == chord
    assert chord.transpose(semitones).transpose(-semitones) == chord


@given(st.text(max_size=12))
def test_any_text_is_a_chord_or_one_sentence(text):
    try:
        chord = Chord.parse(text)
    except MusicError as error:
        assert str(error)
    else:
        assert 0 <= chord.id < 157


def test_silence_has_no_tones_and_stays_silent():
    assert NO_CHORD.transpose(5) == NO_CHORD
    assert NO_CHORD.id == 0
    with pytest.raises(MusicError):
        Chord(None, "maj")
    with pytest.raises(MusicError):
        Chord.from_id(157)
