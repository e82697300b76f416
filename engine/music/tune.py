"""A theme's statements as pitches: in the section's key and mode, in the place of the melody."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from engine.music.cueplan import CuePlan, SectionPlan, Statement, Theme, ThemeNote
from engine.music.meter import TempoMap

_SCALES: Final = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}


@dataclass(frozen=True, slots=True)
class TuneNote:
    """A note of the tune: beats of the tempo map, pitch in the range of the melody, the statement it belongs to."""

    start_beats: float
    length_beats: float
    pitch: int
    statement: int


def semitones(step: int, alter: int, mode: str) -> int:
    """Semitones above the tonic of a tone `step` diatonic steps above it, altered by so many semitones."""
    octave, degree = divmod(step, 7)
    return 12 * octave + _SCALES[mode][degree] + alter


def tune_of(plan: CuePlan, tempo_map: TempoMap, picture_starts_at_s: float) -> tuple[TuneNote, ...]:
    """All statements of a plan, in order; one that is not over when the next begins gives way."""
    if plan.theme is None:
        return ()
    found: list[TuneNote] = []
    for number, statement in enumerate(plan.statements):
        start = float(tempo_map.bar_start(statement.bar))
        own = _statement(plan, statement, number, start, tempo_map, picture_starts_at_s)
        found = [note for note in found if note.start_beats < start - 1e-6]
        found += own
    return tuple(found)


def answers(theme: Theme, statement: Statement) -> bool:
    """Whether a statement of part of a theme is its answer: the beginning, and how the whole ends.

    So that a first statement asks and what comes back closes, as in a period; a theme that was given sounds as given.
    """
    if not theme.form or statement.stretch != 1.0 or not 4 <= statement.bars < theme.bars:
        return False
    if statement.bars < 6 and statement.kind not in ("variant", "full"):
        return False
    cut, last = (statement.bars - 2) * theme.bar_beats, (theme.bars - 2) * theme.bar_beats
    before = [note for note in theme.notes if note.start_beats < cut - 1e-6]
    after = [note for note in theme.notes if note.start_beats >= last - 1e-6]
    return bool(before and after) and abs(after[0].step - before[-1].step) <= 4


def sounding_notes(theme: Theme, statement: Statement) -> list[ThemeNote]:
    """The notes of a theme that a statement takes.

    One that takes not all of it comes to rest: the longest note of its last bar is its last.  One that answers ends
    with the theme's own last two bars.
    """
    end = statement.bars * theme.bar_beats
    if answers(theme, statement):
        cut = end - 2 * theme.bar_beats
        moved = theme.bars * theme.bar_beats - end
        return [note for note in theme.notes if note.start_beats < cut - 1e-6] + [
            replace(note, start_beats=note.start_beats - moved)
            for note in theme.notes
            if note.start_beats >= cut + moved - 1e-6
        ]
    notes = [note for note in theme.notes if note.start_beats < end - 1e-6]
    last = [note for note in notes if note.start_beats >= end - theme.bar_beats]
    if statement.bars >= theme.bars or not last:
        return notes
    rest = max(last, key=lambda note: (note.length_beats, -note.start_beats))
    return [note for note in notes if note.start_beats <= rest.start_beats]


def _statement(
    plan: CuePlan, statement: Statement, number: int, start: float, tempo_map: TempoMap, starts_s: float
) -> list[TuneNote]:
    theme = plan.theme
    assert theme is not None
    notes = sounding_notes(theme, statement)
    section = plan.section_at(tempo_map.seconds_at(start + 1e-3) - starts_s)
    tonic = _tonic_pitch(section, notes, plan.melody_range, statement.octave)
    end = start + float(statement.bars * theme.bar_beats) * statement.stretch
    found = []
    for note in notes:
        place = start + note.start_beats * statement.stretch
        length = min(note.length_beats * statement.stretch, end - place)
        pitch = tonic + semitones(note.step, note.alter, section.key.mode)
        found.append(TuneNote(place, length, pitch, number))
    return found


def _tonic_pitch(section: SectionPlan, notes: list[ThemeNote], span: tuple[int, int], octave: int) -> int:
    """The octave of the tonic that puts these notes into the lower middle of the range, `octave` higher where there is
    room for that."""
    low, high = span
    tones = [semitones(note.step, note.alter, section.key.mode) for note in notes]
    middle = low + 0.4 * (high - low)
    tonic = section.key.tonic + 12 * round((middle - (min(tones) + max(tones)) / 2 - section.key.tonic) / 12)
    while tonic + min(tones) < low and tonic + 12 + max(tones) <= high:
        tonic += 12
    while tonic + max(tones) > high and tonic - 12 + min(tones) >= low:
        tonic -= 12
    return tonic + 12 * octave if tonic + 12 * octave + max(tones) <= high else tonic
