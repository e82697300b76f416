"""A theme from a file: the upper line of a .mid, or the first part of a MusicXML score (MusicXML 4.0, W3C)."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element

from engine.interchange.text import check_size, parse_xml, read_bytes
from engine.midifile import read_midi
from engine.music import Key, Note, UserError
from engine.music.cueplan import Theme
from engine.music.errors import shown
from engine.music.theme_text import theme_from_notes

SUFFIXES: Final = (".mid", ".midi", ".musicxml", ".xml")
_STEPS: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
# Semitones from the major tonic of a signature to each mode's own, and whose third it has.
_MODES: Final = {
    "ionian": (0, "major"),
    "dorian": (2, "minor"),
    "phrygian": (4, "minor"),
    "lydian": (5, "major"),
    "mixolydian": (7, "major"),
    "aeolian": (9, "minor"),
    "minor": (9, "minor"),
    "locrian": (11, "minor"),
}
_LONGEST: Final = 4096  # notes of a part


def theme_of_file(path: Path, key: Key | None, bar_beats: float) -> Theme:
    """The tune of a file in scale degrees.  key: of the tune, None: the file's own, else C major.

    Raises UserError.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UserError(f"{shown(path.name)} is neither a .mid nor a .musicxml file.")
    if path.suffix.lower() in (".mid", ".midi"):
        score = read_midi(path)
        melody = [note for note in score.notes if note.part.startswith("melody")]
        return theme_from_notes(melody or score.notes, key or score.key or Key(0), bar_beats)
    data = read_bytes(path)
    check_size(data, path.name, "a theme")
    root = parse_xml(data, path.name)
    if root.tag != "score-partwise":
        raise UserError(f"{shown(path.name)} holds no score by parts; export it as uncompressed MusicXML.")
    notes, own = _first_part(root, path.name)
    return theme_from_notes(notes, key or own or Key(0), bar_beats)


def _first_part(root: Element, name: str) -> tuple[list[Note], Key | None]:
    """The notes of the first part's voice 1 and its key; ties are one note, grace notes are left out."""
    part = root.find("part")
    if part is None:
        raise UserError(f"{shown(name)} has no part.")
    place, divisions = Fraction(0), Fraction(1)
    notes: list[Note] = []
    key: Key | None = None
    last_start = Fraction(0)
    try:
        for element in (each for measure in part.iter("measure") for each in measure):
            if element.tag == "attributes":
                divisions = Fraction(element.findtext("divisions") or divisions)
                key = key or _key(element.find("key"))
                continue
            length = Fraction(element.findtext("duration") or 0) / divisions
            if element.tag == "backup":
                place -= length
            elif element.tag == "forward":
                place += length
            elif element.tag == "note" and element.find("grace") is None:
                chord = element.find("chord") is not None
                start = last_start if chord else place
                if (element.findtext("voice") or "1") == "1":
                    _add(notes, element, float(start), float(length))
                last_start = start
                if not chord:
                    place += length
            if len(notes) > _LONGEST:
                raise UserError(f"{shown(name)} is too long for a theme.")
    except (ValueError, KeyError, ZeroDivisionError, OverflowError):
        raise UserError(f"{shown(name)} is damaged: it has a note that cannot be read.") from None
    return notes, key


def _add(notes: list[Note], element: Element, start: float, length: float) -> None:
    pitch = element.find("pitch")
    if pitch is None or length <= 0:
        return
    alter = int(float(pitch.findtext("alter") or 0))
    number = 12 * (int(pitch.findtext("octave") or 4) + 1) + _STEPS[pitch.findtext("step") or ""] + alter
    ties = {tie.get("type") for tie in element.findall("tie")}
    if "stop" in ties:
        for index in range(len(notes) - 1, -1, -1):
            held = notes[index]
            if held.pitch == number and abs(held.end_beats - start) < 1e-6:
                notes[index] = Note(number, held.velocity, held.start_beats, held.length_beats + length, 1, "melody")
                return
    notes.append(Note(number, 80, start, length, 1, "melody"))


def _key(element: Element | None) -> Key | None:
    if element is None or element.findtext("fifths") is None:
        return None
    above, mode = _MODES.get((element.findtext("mode") or "major").lower(), (0, "major"))
    return Key((7 * int(element.findtext("fifths") or 0) + above) % 12, mode)


__all__ = ["SUFFIXES", "theme_of_file"]
