"""Chord types as people write them: tones by the textbook, one canonical spelling, and the nearest known quality."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.music import QUALITIES, QUALITY_INTERVALS, Chord, MusicError
from engine.music.chord_type import read_chord_type

# written -> canonical spelling, nearest quality, semitones above the root
WRITTEN = {
    "9": ("9", "7", (0, 4, 7, 10, 14)),
    "dom9": ("9", "7", (0, 4, 7, 10, 14)),
    "maj9": ("maj9", "maj7", (0, 4, 7, 11, 14)),
    "M9": ("maj9", "maj7", (0, 4, 7, 11, 14)),
    "Δ9": ("maj9", "maj7", (0, 4, 7, 11, 14)),
    "Δ": ("maj7", "maj7", (0, 4, 7, 11)),
    "^": ("maj7", "maj7", (0, 4, 7, 11)),
    "^7": ("maj7", "maj7", (0, 4, 7, 11)),
    "j7": ("maj7", "maj7", (0, 4, 7, 11)),
    "MA7": ("maj7", "maj7", (0, 4, 7, 11)),
    "m9": ("m9", "min7", (0, 3, 7, 10, 14)),
    "-9": ("m9", "min7", (0, 3, 7, 10, 14)),
    "mi9": ("m9", "min7", (0, 3, 7, 10, 14)),
    "add9": ("add9", "maj", (0, 4, 7, 14)),
    "(add9)": ("add9", "maj", (0, 4, 7, 14)),
    "add2": ("add9", "maj", (0, 4, 7, 14)),
    "madd9": ("madd9", "min", (0, 3, 7, 14)),
    "m(add9)": ("madd9", "min", (0, 3, 7, 14)),
    "add11": ("add11", "maj", (0, 4, 7, 17)),
    "6/9": ("6/9", "maj6", (0, 4, 7, 9, 14)),
    "69": ("6/9", "maj6", (0, 4, 7, 9, 14)),
    "m6/9": ("m6/9", "min6", (0, 3, 7, 9, 14)),
    "11": ("11", "sus4", (0, 7, 10, 14, 17)),
    "m11": ("m11", "min7", (0, 3, 7, 10, 14, 17)),
    "13": ("13", "7", (0, 4, 7, 10, 14, 21)),
    "maj13": ("maj13", "maj7", (0, 4, 7, 11, 14, 21)),
    "7sus4": ("7sus4", "sus4", (0, 5, 7, 10)),
    "7sus": ("7sus4", "sus4", (0, 5, 7, 10)),
    "9sus": ("9sus4", "sus4", (0, 5, 7, 10, 14)),
    "13sus4": ("13sus4", "sus4", (0, 5, 7, 10, 14, 21)),
    "sus2sus4": ("sus2sus4", "sus4", (0, 2, 5, 7)),
    "2": ("sus2", "sus2", (0, 2, 7)),
    "4": ("sus4", "sus4", (0, 5, 7)),
    "5": ("5", "maj", (0, 7)),
    "(no3)": ("5", "maj", (0, 7)),
    "7b9": ("7b9", "7", (0, 4, 7, 10, 13)),
    "7(b9)": ("7b9", "7", (0, 4, 7, 10, 13)),
    "7-9": ("7b9", "7", (0, 4, 7, 10, 13)),
    "7#9": ("7#9", "7", (0, 4, 7, 10, 15)),
    "7+9": ("7#9", "7", (0, 4, 7, 10, 15)),
    "7b5": ("7b5", "7", (0, 4, 6, 10)),
    "7#5": ("7#5", "7", (0, 4, 8, 10)),
    "+7": ("7#5", "7", (0, 4, 8, 10)),
    "7+": ("7#5", "7", (0, 4, 8, 10)),
    "aug7": ("7#5", "7", (0, 4, 8, 10)),
    "7#11": ("7#11", "7", (0, 4, 7, 10, 18)),
    "7(b9,#11)": ("7b9#11", "7", (0, 4, 7, 10, 13, 18)),
    "13b9": ("13b9", "7", (0, 4, 7, 10, 13, 21)),
    "13(♯11)": ("13#11", "7", (0, 4, 7, 10, 14, 18, 21)),
    "7b13": ("7b13", "7", (0, 4, 7, 10, 20)),
    "7alt": ("7alt", "7", (0, 4, 8, 10, 13, 15)),
    "alt": ("7alt", "7", (0, 4, 8, 10, 13, 15)),
    "mMaj7": ("mMaj7", "min", (0, 3, 7, 11)),
    "m(maj7)": ("mMaj7", "min", (0, 3, 7, 11)),
    "mM7": ("mMaj7", "min", (0, 3, 7, 11)),
    "-Δ7": ("mMaj7", "min", (0, 3, 7, 11)),
    "minmaj9": ("mMaj9", "min", (0, 3, 7, 11, 14)),
    "m7(b5)": ("m7b5", "hdim7", (0, 3, 6, 10)),
    "ø": ("m7b5", "hdim7", (0, 3, 6, 10)),
    "°7": ("dim7", "dim7", (0, 3, 6, 9)),
    "maj7#11": ("maj7#11", "maj7", (0, 4, 7, 11, 18)),
    "maj7#5": ("maj7#5", "maj7", (0, 4, 8, 11)),
    "(b5)": ("(b5)", "maj", (0, 4, 6)),
    "(#5)": ("aug", "aug", (0, 4, 8)),
}


@pytest.mark.parametrize("written", WRITTEN)
def test_reads_what_people_write(written):
    found = read_chord_type(written)
    assert found is not None
    assert (found.spelling, found.quality, found.intervals) == WRITTEN[written]


@pytest.mark.parametrize(
    "text", ["x", "sus9x", "maj7maj7", "5sus2dim", "b99", "add", "mm", "7 9 8", "b", "#", "9" * 50]
)
def test_what_is_no_chord_type_is_refused(text):
    assert read_chord_type(text) is None


WORDS = (
    *("m", "maj", "dim", "aug", "ø", "mMaj", "+", "-", "5", "6", "69", "7", "9", "11", "13", "sus2", "sus4", "add9"),
    *("add11", "b5", "#5", "b9", "#9", "#11", "b13", "no3", "no5", "alt", "(", ")", ","),
)
words = st.sampled_from(WORDS)
types = st.lists(words, max_size=5).map("".join).map(read_chord_type).filter(lambda found: found is not None)


@given(types)
def test_the_canonical_spelling_reads_as_the_same_tones(found):
    assert read_chord_type(found.spelling) == found
    assert found.quality in QUALITIES
    assert found.intervals == tuple(sorted(set(found.intervals))) and found.intervals[0] == 0


@given(types, st.integers(0, 11), st.one_of(st.none(), st.integers(0, 11)), st.integers(-20, 20))
def test_wide_chords_are_written_read_and_transposed_without_loss(found, root, bass, semitones):
    chord = Chord(root, found.quality, bass, found.spelling)
    for text in (chord.lead_sheet(), chord.lead_sheet(flats=True), chord.harte()):
        assert Chord.parse(text) == chord
    assert chord.transpose(semitones).transpose(-semitones) == chord
    assert chord.id == chord.plain.id == Chord.from_id(chord.id).id
    few = chord.sounding_intervals(4)
    assert len(few) == min(4, len(chord.intervals())) and set(few) <= set(chord.intervals()) and 0 in few


@pytest.mark.parametrize("quality", QUALITIES)
def test_the_thirteen_qualities_have_no_extension(quality):
    chord = Chord.parse(Chord(0, quality).lead_sheet())
    assert (chord.quality, chord.extension, chord.intervals()) == (quality, "", QUALITY_INTERVALS[quality])


def test_an_extension_belongs_to_its_quality():
    with pytest.raises(MusicError):
        Chord(0, "maj", None, "9")
    with pytest.raises(MusicError):
        Chord(0, "7", None, "nine")


def test_a_lower_case_root_is_read_where_it_is_plain_and_asked_about_where_not():
    assert Chord.parse("am") == Chord.parse("Am")
    assert Chord.parse("f#m7b5/e") == Chord.parse("F#m7b5/E")
    assert Chord.parse("a", lower_case="minor") == Chord.parse("Am")
    assert Chord.parse("a7", lower_case="major") == Chord.parse("A7")
    with pytest.raises(MusicError, match="Am7 or A7"):
        Chord.parse("a7")


@given(types, st.integers(0, 11))
def test_four_voices_keep_what_makes_the_chord(found, root):
    few = Chord(root, found.quality, None, found.spelling).sounding_intervals(4)
    for tone in found.intervals:
        if tone in (3, 4, 10, 11) and len(found.intervals) <= 6:
            assert tone in few


def test_a_key_is_no_chord():
    for text in ("C major", "A minor", "C 7"):
        with pytest.raises(MusicError, match="space"):
            Chord.parse(text)
    assert Chord.parse("C7(b9, #11)") == Chord.parse("C7b9#11")
