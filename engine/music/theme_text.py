"""A theme that is given: typed in scale degrees, or taken from notes.

    1:1.5 5:.5 4:2 | 3:3 R:1 | 2 3 4 5 | 1:4

Degrees of the scale with their beats (one beat where nothing is said), ' an octave up and , an octave down, # and b as
written, R a rest; bar lines are checked where they stand.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from engine.music import Key, MusicError, Note
from engine.music.cueplan import Theme, ThemeNote
from engine.music.tune import semitones

_TOKEN = re.compile(r"(?P<alter>[b#]?)(?P<degree>[1-7]|R)(?P<octave>[',]*)(?::(?P<beats>\d*\.?\d+))?")
LONGEST_BEATS = 64.0
MOST_NOTES = 256


def parse_theme(text: str, bar_beats: float = 4.0) -> Theme:
    """Reads a typed theme.  Raises MusicError naming the token."""
    notes: list[ThemeNote] = []
    place = 0.0
    for token in text.replace("|", " | ").split():
        if token == "|":
            if abs(place / bar_beats - round(place / bar_beats)) > 1e-6:
                raise MusicError(f"the theme's bar line after beat {place:g} is not on a bar of {bar_beats:g} beats.")
            continue
        match = _TOKEN.fullmatch(token)
        if match is None or float(match["beats"] or 1) <= 0 or float(match["beats"] or 1) > LONGEST_BEATS:
            raise MusicError(f"'{token}' is not a note of a theme; write for example 5:1.5, b3, 1' or R:2.")
        beats = float(match["beats"] or 1)
        if match["degree"] != "R":
            step = int(match["degree"]) - 1 + 7 * (match["octave"].count("'") - match["octave"].count(","))
            notes.append(ThemeNote(place, beats, step, {"b": -1, "#": 1, "": 0}[match["alter"]]))
        place += beats
        if len(notes) > MOST_NOTES:
            raise MusicError(f"a theme has at most {MOST_NOTES} notes.")
    if not notes:
        raise MusicError("the theme holds no note; write for example '1:1.5 5:.5 4:2 | 3:4'.")
    return Theme(tuple(notes), max(math.ceil(place / bar_beats - 1e-6), 1), bar_beats)


def theme_text(theme: Theme) -> str:
    """A theme as it would be typed; `parse_theme` gives it back.  Notes that overlap give way to the next."""
    words: list[str] = []
    place = 0.0

    def say(name: str, beats: float) -> None:
        nonlocal place
        words.append(name if beats == 1 else f"{name}:{beats:.6g}")
        place += beats
        if abs(place / theme.bar_beats - round(place / theme.bar_beats)) < 1e-9:
            words.append("|")

    notes = theme.notes
    for index, note in enumerate(notes):
        if note.start_beats > place + 1e-9:
            say("R", note.start_beats - place)
        end = note.start_beats + note.length_beats
        if index + 1 < len(notes):
            end = min(end, notes[index + 1].start_beats)
        if end <= place + 1e-9:
            continue
        octave, degree = divmod(note.step, 7)
        marks = "'" * octave if octave > 0 else "," * -octave
        say(f"{'b' * (note.alter < 0)}{'#' * (note.alter > 0)}{degree + 1}{marks}", end - place)
    total = theme.bars * theme.bar_beats
    if total > place + 1e-9:
        say("R", total - place)
    return " ".join(words).removesuffix(" |")


def theme_from_notes(notes: Sequence[Note], key: Key, bar_beats: float = 4.0) -> Theme:
    """The upper line of notes in a key, moved to begin in its first bar.  Raises MusicError where there is none."""
    line: list[Note] = []
    for note in sorted(notes, key=lambda each: (each.start_beats, -each.pitch)):
        if note.channel != 10 and (not line or note.start_beats > line[-1].start_beats + 1e-3):
            line.append(note)
    if not line:
        raise MusicError("there is no tune to take a theme from.")
    origin = math.floor(line[0].start_beats / bar_beats) * bar_beats
    tonic = key.tonic + 12 * round((sum(note.pitch for note in line) / len(line) - 4 - key.tonic) / 12)
    found = []
    for index, note in enumerate(line[:MOST_NOTES]):
        end = min(note.end_beats, line[index + 1].start_beats) if index + 1 < len(line) else note.end_beats
        start = round((note.start_beats - origin) * 4) / 4
        found.append(
            ThemeNote(start, max(round((end - origin - start) * 4) / 4, 0.25), *_degree(note.pitch - tonic, key))
        )
    bars = max(math.ceil((found[-1].start_beats + found[-1].length_beats) / bar_beats - 1e-6), 1)
    return Theme(tuple(found), bars, bar_beats)


def _degree(above: int, key: Key) -> tuple[int, int]:
    """(step, alter) of semitones above the tonic: a tone of the scale, else a raised one, in flat degrees a lowered."""
    octave, rest = divmod(above, 12)
    for step in range(7):
        if semitones(step, 0, key.mode) == rest:
            return step + 7 * octave, 0
    lowered = {1, 3, 8, 10} if not key.is_minor else {1}
    for step in range(7):
        alter = -1 if rest in lowered else 1
        if semitones(step, alter, key.mode) == rest:
            return step + 7 * octave, alter
    return next(step for step in range(7) if semitones(step, 1, key.mode) == rest) + 7 * octave, 1
