"""What a person typed comes back as typed, everywhere."""

from __future__ import annotations

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.arrange import arrange
from engine.commands.compose_report import bar_lines, chord_runs
from engine.document import Document, Pin
from engine.midifile import composition_markers, read_midi, write_midi
from engine.music import Chord, Composition, Film, FrameRate, Key, Slot, TempoMap, parse_progression
from engine.music.spelling import key_signature, spell, spell_pitch

FLATS = "Ab Db Gb Cb Fm/Ab"


def composed(text: str, key: Key) -> Composition:
    progression = parse_progression(text)
    slots = tuple(Slot(i, 2.0 * i, 2.0 * i + 2, 4.0 * i, 4.0 * i + 4, c) for i, c in enumerate(progression.chords))
    film = Film("a.mp4", 2.0 * len(slots), FrameRate.parse("25"))
    return Composition(1, film, TempoMap.constant(120), slots, key, typed=progression.typed)


@pytest.mark.parametrize("key", ["C", "G", "E", "F# major", "Eb", "Am", "C#m"])
def test_what_was_typed_comes_back_in_reports_and_markers(key) -> None:
    composition = composed(FLATS, Key.parse(key))
    words = FLATS.split()
    assert [row["chord"] for row in chord_runs(composition)] == words
    assert [marker.text for marker in composition_markers(composition)] == words
    assert all(word in " ".join(bar_lines(composition)) for word in words)


def test_a_midi_file_holds_them(tmp_path) -> None:
    composition = composed(FLATS, Key.parse("Gb"))
    write_midi(tmp_path / "a.mid", composition, arrange(composition))
    assert [marker.text for marker in read_midi(tmp_path / "a.mid").markers][:5] == FLATS.split()
    keys = [m.key for track in mido.MidiFile(tmp_path / "a.mid").tracks for m in track if m.type == "key_signature"]
    assert keys == ["Gb"]


@pytest.mark.parametrize(
    ("text", "name", "signature"),
    [("Gb", "Gb major", "Gb"), ("F#", "F# major", "F#"), ("Ab minor", "Ab minor", "Abm"), ("G#m", "G# minor", "G#m"),
     ("Cb", "Cb major", "Cb"), ("D#m", "D# minor", "D#m"), ("Dbm", "Db minor", "C#m"), ("G#", "G# major", "Ab"),
     ("B-Dur", "Bb major", "Bb"), ("des-moll", "Db minor", "C#m"), ("fis-Moll", "F# minor", "F#m"),
     ("si bémol majeur", "Bb major", "Bb"), ("G♭", "Gb major", "Gb"), ("es-Moll", "Eb minor", "Ebm")],
)  # fmt: skip
def test_a_key_is_named_as_it_was_typed(text, name, signature) -> None:
    key = Key.parse(text)
    assert key.name == name and key_signature(key) == signature
    assert Key.parse(key.name).name == name and key == Key(key.tonic, key.mode)


def test_other_chords_go_by_what_was_typed_and_else_by_the_key() -> None:
    typed = parse_progression("Db Ab7").typed
    assert spell(Chord.parse("C#m7"), Key(0), typed) == "Dbm7" and spell(Chord.parse("F#"), Key(4), typed) == "Gb"
    assert spell(Chord.parse("C/G#"), Key(0), typed) == "C/Ab"
    assert [spell(Chord.parse(c), Key(0)) for c in ("D#", "G#", "A#", "C#", "F#")] == ["Eb", "Ab", "Bb", "C#", "F#"]
    assert spell(Chord.parse("F#"), Key.parse("Gb")) == "Gb" and spell(Chord.parse("Gb"), Key.parse("E")) == "F#"
    sharp = parse_progression("F# C#").typed
    assert spell(Chord.parse("Ab"), Key(5), sharp) == "G#"


@pytest.mark.parametrize("word", ["Cmin7", "C-7", "CΔ", "C^7", "Csus", "Bb13", "E7#9", "G♭", "C:maj7"])
def test_the_very_words_come_back(word) -> None:
    assert spell(Chord.parse(word), Key(0), [(Chord.parse(word), word)]) == word


@pytest.mark.parametrize(("chord", "word"), [("Dm7", "ii7"), ("Am", "a"), ("G", "5"), ("Fm", "iv")])
def test_numerals_and_lower_case_are_no_names(chord, word) -> None:
    assert spell(Chord.parse(chord), Key(0), [(Chord.parse(chord), word)]) == chord


ROOTS = st.sampled_from([f"{letter}{sign}" for letter in "ABCDEFG" for sign in ("", "b", "#")])


KINDS = st.sampled_from(["", "m", "7", "maj7", "m7b5", "9"])


@given(st.lists(st.tuples(ROOTS, KINDS), max_size=5), st.integers(0, 156), st.integers(0, 11), st.booleans())
def test_a_name_always_means_its_chord(typed, number, tonic, minor) -> None:
    words = [(Chord.parse(root + kind), root + kind) for root, kind in typed]
    chord, key = Chord.from_id(number), Key(tonic, "minor" if minor else "major")
    name = spell(chord, key, words)
    assert Chord.parse(name) == chord
    if chord in [each for each, _ in words]:
        assert name == next(word for each, word in words if each == chord)


def test_a_document_knows_what_was_typed_of_pins_and_all_cues() -> None:
    document = Document().with_value("/cue/progression", "Db Gb")
    document = document.with_pin(Pin(0.0, 1.0, Chord.parse("Abmaj7"), "AbΔ"))
    assert [word for _, word in document.typed] == ["AbΔ", "Db", "Gb"]


def test_lowered_degrees_of_a_major_key_are_flat_and_its_own_black_keys_sharp() -> None:
    names = {"D": ("A#", "D#"), "A": ("A#", "G#"), "E": ("F#", "D#"), "G": ("D#", "G#")}
    written = {key: tuple(spell(Chord.parse(chord), Key.parse(key)) for chord in row) for key, row in names.items()}
    assert written == {"D": ("Bb", "Eb"), "A": ("Bb", "G#"), "E": ("F#", "D#"), "G": ("Eb", "Ab")}
    assert spell(Chord.parse("A/C#"), Key.parse("A")) == "A/C#"
    assert [spell_pitch(61, Key.parse(key)) for key in ("A", "Ab", "C")] == ["C#4", "Db4", "C#4"]
