"""A theme's statements as pitches: in the section's key and mode, in the place of the melody."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from engine.music.cueplan import CuePlan, SectionPlan, Statement, Theme, ThemeNote
from engine.music.meter import TempoMap

KNOWN_BARS: Final = 2  # bars by which a theme that returns varied is known
SHRILL: Final = 88  # a tune that is put up an octave goes no higher
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


def lies_at(plan: CuePlan, section: SectionPlan, theme: Theme, statement: Statement) -> int:
    """The pitch of the tonic by which a statement is played in a section."""
    place_tonic = _tonic_pitch if plan.rules == 1 else _tonic_over
    return place_tonic(section, sounding_notes(theme, statement), plan.melody_range, statement.octave)


def _statement(
    plan: CuePlan, statement: Statement, number: int, start: float, tempo_map: TempoMap, starts_s: float
) -> list[TuneNote]:
    theme = plan.theme
    assert theme is not None
    notes = sounding_notes(theme, statement)
    section = plan.section_at(tempo_map.seconds_at(start + 1e-3) - starts_s)
    tonic = lies_at(plan, section, theme, statement)
    notes = turned(notes, statement.turn, theme.bar_beats)
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


def _tonic_over(section: SectionPlan, notes: list[ThemeNote], span: tuple[int, int], octave: int) -> int:
    """The octave of the tonic that puts these notes into the lower part of the range, none below it where they fit;
    `octave` higher where there is room for that."""
    low, high = span
    tones = [semitones(note.step, note.alter, section.key.mode) for note in notes]
    lowest, highest = min(tones), max(tones)
    tonic = section.key.tonic + 12 * math.ceil((low - lowest - section.key.tonic) / 12)
    if tonic + highest - high > low - (tonic - 12 + lowest):
        tonic -= 12  # wider than its place: where less lies outside of it
    return tonic + 12 * octave if tonic + 12 * octave + highest <= min(high, SHRILL) else tonic


def turned(notes: list[ThemeNote], turn: str, bar_beats: float) -> list[ThemeNote]:
    """The notes of a statement, varied as it returns; its first bars, by which it is known, and its last note stay.

    ornamented: long notes lead on by steps, or turn around themselves, in every other bar.  delayed: what falls on a
    bar line comes an eighth late.  plain: without its short notes, those before them last longer.
    """
    if turn == "ornamented":
        return _ornamented(notes, bar_beats)
    if turn == "delayed":
        return _delayed(notes, bar_beats)
    if turn == "plain":
        return _plain(notes, bar_beats)
    return notes


def _ornamented(notes: list[ThemeNote], bar_beats: float) -> list[ThemeNote]:
    found: list[ThemeNote] = []
    last_bar = 0
    for note, after in zip(notes, [*notes[1:], None], strict=True):
        found.append(note)
        bar = int(note.start_beats / bar_beats + 1e-6)
        if after is None or bar < KNOWN_BARS or bar == last_bar or note.length_beats < 1.0:
            continue
        end = note.start_beats + note.length_beats
        if after.start_beats > end + 1e-6:
            continue
        tail = _tail(note, after)
        if tail and note.length_beats - 0.5 * len(tail) >= 0.5:
            found[-1] = replace(note, length_beats=note.length_beats - 0.5 * len(tail))
            first = end - 0.5 * len(tail)
            found += [ThemeNote(first + 0.5 * index, 0.5, step) for index, step in enumerate(tail)]
            last_bar = bar
    return found


def _tail(note: ThemeNote, after: ThemeNote) -> tuple[int, ...]:
    """Steps of the eighths by which a note leads to the next: a turn, a neighbour, passing tones."""
    move = after.step - note.step
    side = 1 if move > 0 else -1
    if move == 0:
        return (note.step + 1,)
    if abs(move) == 1:
        return (note.step - side, note.step) if note.length_beats >= 2 else (note.step - side,)
    if abs(move) == 2:
        return (note.step + side,)
    return (after.step - 2 * side, after.step - side) if abs(move) <= 4 else ()


def _delayed(notes: list[ThemeNote], bar_beats: float) -> list[ThemeNote]:
    found = []
    for note in notes[:-1]:
        bar, place = divmod(note.start_beats, bar_beats)
        if bar >= KNOWN_BARS and place < 1e-6 and note.length_beats >= 1.5:
            note = replace(note, start_beats=note.start_beats + 0.5, length_beats=note.length_beats - 0.5)
        found.append(note)
    return [*found, notes[-1]]


def _plain(notes: list[ThemeNote], bar_beats: float) -> list[ThemeNote]:
    found: list[ThemeNote] = []
    for note in notes:
        before = found[-1] if found else None
        meets = before is not None and abs(before.start_beats + before.length_beats - note.start_beats) < 1e-6
        if before is not None and meets and note.length_beats < 1 and note.start_beats >= KNOWN_BARS * bar_beats:
            found[-1] = replace(before, length_beats=before.length_beats + note.length_beats)
        else:
            found.append(note)
    return found
