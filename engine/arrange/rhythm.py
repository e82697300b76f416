"""The grid that harmony is composed on, and the tempo to compose it in.

Seconds are picture seconds, beats quarter notes of the tempo map.  A grid slot is one step of the network: the paper's
is one second long (section 4.1); on the beats grid slots divide the bar, per bar by the division nearest to one second.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Final

from engine.music import Chord, Cut, FrameRate, MusicError, Slot, TempoMap, TimeSignature
from engine.music.composition import GRIDS

SLOT_S: Final = Fraction(1)  # what the networks were trained on
SECONDS_GRID_BPM: Final = 120
# Two marks of a sound and a picture seem one within about this (a video frame at 25 fps).
MET_S: Final = 0.040
_FIT_CUTS: Final = 64


@dataclass(frozen=True, slots=True)
class GridSlot:
    """start_s, end_s: picture seconds; start_beats, end_beats: the same instants on the tempo map."""

    index: int
    start_s: float
    end_s: float
    start_beats: float
    end_beats: float


@dataclass(frozen=True, slots=True)
class ChordRun:
    """Neighbouring slots `first`..`last` (inclusive) of one chord."""

    chord: Chord
    first: int
    last: int
    start_s: float
    end_s: float
    start_beats: float
    end_beats: float


@dataclass(frozen=True, slots=True)
class TempoMiss:
    """How far the nearest beat lies from a cut: + = the beat comes after the picture."""

    time_s: float
    miss_s: float
    miss_frames: float | None = None


@dataclass(frozen=True, slots=True)
class TempoFit:
    """A tempo for a film.  met: cuts that a beat meets within 40 ms, of: cuts looked at; reason: a sentence."""

    bpm: float
    reason: str
    met: int = 0
    of: int = 0
    misses: tuple[TempoMiss, ...] = ()


def slot_lengths(meter: TimeSignature) -> tuple[tuple[Fraction, ...], ...]:
    """The ways to divide a bar into slots, finest first; each sums to the bar.

    4/4: 1, 2 or 4 beats; 3/4: 1 or 3; compound and odd meters: their groups (7/8 = 2+2+3 eighths) or the bar.
    """
    groups = meter.groups
    if len(set(groups)) > 1:
        return (groups, (meter.bar_beats,))
    unit = groups[0]
    divisions = []
    if meter.denominator < 4:  # halves and wholes are longer than a beat of ours
        divisions.append((Fraction(1),) * int(meter.bar_beats))
    for count in range(len(groups), 0, -1):
        if len(groups) % count == 0:
            divisions.append((unit * (len(groups) // count),) * count)
    return tuple(divisions)


def build_grid(
    grid: str, tempo_map: TempoMap, duration_s: float, picture_starts_at_s: float = 0.0
) -> tuple[GridSlot, ...]:
    """Slots that cover the picture 0..duration_s without gaps, between the points of `grid_points`.

    Raises MusicError.
    """
    points = grid_points(grid, tempo_map, duration_s, picture_starts_at_s)
    return tuple(
        GridSlot(index, a_s, b_s, a_beats, b_beats)
        for index, ((a_s, a_beats), (b_s, b_beats)) in enumerate(pairwise(points))
    )


def grid_points(
    grid: str, tempo_map: TempoMap, duration_s: float, picture_starts_at_s: float = 0.0
) -> list[tuple[float, float]]:
    """The edges of the slots that cover the picture 0..duration_s: picture second and beat.

    grid: "seconds" (one-second slots from the picture's first frame; the map must be a constant 120 bpm) or "beats".
    The first and last slot take what is left of a slot: less than half of one is added to the neighbour.
    Raises MusicError.
    """
    if grid not in GRIDS:
        raise MusicError(f"'{grid}' is not a grid; grids are {', '.join(GRIDS)}.")
    if not (math.isfinite(duration_s) and duration_s > 0):
        raise MusicError(f"a film of {duration_s:g} s has no grid.")
    start_s = _exact(picture_starts_at_s)
    duration = _exact(duration_s)
    if grid == "seconds":
        if len(tempo_map.tempos) > 1 or tempo_map.tempos[0].bpm != SECONDS_GRID_BPM:
            raise MusicError(f"the seconds grid goes with a constant {SECONDS_GRID_BPM} bpm.")
        lines_s = [Fraction(second) for second in range(1, math.ceil(duration))]
        lines = [_line_at(line, tempo_map.beats_at_exact(line + start_s)) for line in lines_s]
    else:
        lines = _beat_lines(tempo_map, start_s, start_s + duration)
    first = _line_at(Fraction(0), tempo_map.beats_at_exact(start_s))
    last = _line_at(duration, tempo_map.beats_at_exact(start_s + duration))
    # Quotients of whole numbers are rounded once, as float(Fraction) is.
    return [(line[0] / line[1], line[2] / line[3]) for line in _without_slivers([first, *lines, last])]


# A slot boundary: picture second and beat, each as numerator and denominator, not reduced.  Whole numbers in a plain
# tuple, because a two-hour film has ten thousand lines and Fractions cost ten times as much.
_Line = tuple[int, int, int, int]


def _line_at(second: Fraction, beat: Fraction) -> _Line:
    return *second.as_integer_ratio(), *beat.as_integer_ratio()


def _exact(seconds: float) -> Fraction:
    # A float that was written as 29.97 means 2997/100: slots must meet the seconds a person reads.
    return Fraction(repr(float(seconds)))


def _beat_lines(tempo_map: TempoMap, start_s: Fraction, end_s: Fraction) -> list[_Line]:
    """Slot boundaries strictly inside the picture."""
    lines: list[_Line] = []
    start, end = tempo_map.beats_at_exact(start_s), tempo_map.beats_at_exact(end_s)
    tempo_beats = [change.beat for change in tempo_map.tempos]
    changes = sorted({*tempo_beats, *(change.beat for change in tempo_map.meters), Fraction(0), end})
    bar = tempo_map.bar_at(start)
    line = tempo_map.bar_start(bar)
    while line < end:
        next_line = tempo_map.bar_start(bar + 1)
        line_s, next_s = tempo_map.seconds_at_exact(line), tempo_map.seconds_at_exact(next_line)
        bar_s, length = next_s - line_s, next_line - line
        offsets = accumulate(_nearest_division(tempo_map.meter_at(line), bar_s), initial=Fraction(0))
        beats = [offset for offset in offsets if offset < length]  # a meter change may cut a bar short
        if start < line and next_line <= end:
            # From here to the next change all bars are equal.
            until = next((change for change in changes[bisect_right(changes, line) :]), end)
            count = max(int((until - line) / length), 1)
        else:
            count = 1
        if count > 1 or bisect_right(tempo_beats, line) == bisect_left(tempo_beats, next_line):
            seconds = [offset * bar_s / length for offset in beats]
        else:
            seconds = [tempo_map.seconds_at_exact(line + offset) - line_s for offset in beats]
        made = _repeated(line_s - start_s, line, seconds, beats, bar_s, length, count)
        if not (start < line and next_line <= end):
            made = [each for each in made if start < Fraction(each[2], each[3]) < end]
        lines += made
        bar += count
        line = tempo_map.bar_start(bar)
    return lines


# size: exact arithmetic on four fractions and two rows of them.
def _repeated(
    base_s: Fraction,
    base: Fraction,
    seconds: Sequence[Fraction],
    beats: Sequence[Fraction],
    bar_s: Fraction,
    length: Fraction,
    count: int,
) -> list[_Line]:
    """The lines of so many equal bars: seconds and beats are offsets of those of one, base_s and base its bar line."""
    s_under = math.lcm(base_s.denominator, bar_s.denominator, *(each.denominator for each in seconds))
    b_under = math.lcm(base.denominator, length.denominator, *(each.denominator for each in beats))
    offsets = [
        (int((base_s + second) * s_under), int((base + beat) * b_under))
        for second, beat in zip(seconds, beats, strict=True)
    ]
    s_step, b_step = int(bar_s * s_under), int(length * b_under)
    return [
        (s_over + index * s_step, s_under, b_over + index * b_step, b_under)
        for index in range(count)
        for s_over, b_over in offsets
    ]


def _nearest_division(meter: TimeSignature, bar_s: Fraction) -> tuple[Fraction, ...]:
    def distance(division: tuple[Fraction, ...]) -> Fraction:
        return abs(bar_s / len(division) - SLOT_S)

    return min(slot_lengths(meter), key=distance)


def _without_slivers(points: list[_Line]) -> list[_Line]:
    seconds = [Fraction(point[0], point[1]) for point in points[:3]]
    if len(points) > 2 and 2 * (seconds[1] - seconds[0]) < seconds[2] - seconds[1]:
        del points[1]
    seconds = [Fraction(point[0], point[1]) for point in points[-3:]]
    if len(points) > 2 and 2 * (seconds[2] - seconds[1]) < seconds[1] - seconds[0]:
        del points[-2]
    return points


def merge_runs(slots: Sequence[Slot]) -> tuple[ChordRun, ...]:
    """Equal neighbouring chords as one run; a gap in time begins a new run."""
    runs: list[ChordRun] = []
    first = 0
    for index in range(1, len(slots) + 1):
        if (
            index == len(slots)
            or slots[index].chord != slots[first].chord
            or slots[index].start_beats > slots[index - 1].end_beats
        ):
            a, b = slots[first], slots[index - 1]
            runs.append(ChordRun(a.chord, first, index - 1, a.start_s, b.end_s, a.start_beats, b.end_beats))
            first = index
    return tuple(runs)


def best_tempo(
    cuts: Sequence[Cut],
    low_bpm: float = 70.0,
    high_bpm: float = 110.0,
    meter: TimeSignature | None = None,
    *,
    bar_1_s: float = 0.0,
    rate: FrameRate | None = None,
) -> TempoFit:
    """The fixed tempo whose beats meet the strongest cuts best, bar 1 at picture second `bar_1_s`.

    Looks at the 64 strongest cuts after bar 1, in steps of a tenth of a bpm.  Each cut counts by its strength and
    by a bell of 40 ms around the nearest beat, half as much again on a bar line; of equal tempi the one nearest to
    the middle of the range wins.  Raises MusicError for an empty range.
    """
    if not 0 < low_bpm <= high_bpm:
        raise MusicError(f"there is no tempo from {low_bpm:g} to {high_bpm:g} bpm.")
    middle = (low_bpm + high_bpm) / 2
    usable = sorted((cut for cut in cuts if cut.time_s > bar_1_s), key=lambda cut: (-cut.strength, cut.time_s))
    chosen = sorted(usable[:_FIT_CUTS], key=lambda cut: cut.time_s)
    if not chosen:
        return TempoFit(round(middle, 1), f"{middle:g} bpm, because no cuts were found to fit a tempo to")
    bar_beats = float((meter or TimeSignature()).bar_beats)
    low, high = math.ceil(low_bpm * 10 - 1e-9), math.floor(high_bpm * 10 + 1e-9)
    tenths = range(low, high + 1) if low <= high else [round(middle * 10)]

    def worth(tenth: int) -> tuple[float, float]:
        bpm = tenth / 10
        total = 0.0
        for cut in chosen:
            position = (cut.time_s - bar_1_s) * bpm / 60
            beat = round(position)
            miss_s = (beat - position) * 60 / bpm
            bell = math.exp(-((miss_s / MET_S) ** 2) / 2)
            total += max(cut.strength, 0.05) * bell * (1.5 if beat % bar_beats == 0 else 1.0)
        return round(total, 9), -abs(bpm - middle)

    bpm = max(tenths, key=worth) / 10
    misses = tuple(_miss(cut.time_s, bar_1_s, bpm, rate) for cut in chosen)
    met = sum(abs(miss.miss_s) <= MET_S for miss in misses)
    what = f"the {len(chosen)} strongest cuts" if len(usable) > len(chosen) else f"the {len(chosen)} cuts"
    if len(chosen) == 1:
        what = "the one cut"
    reason = f"{bpm:g} bpm, because {met} of {what} then fall within {MET_S * 1000:.0f} ms of a beat"
    return TempoFit(bpm, reason, met, len(chosen), misses)


def _miss(time_s: float, bar_1_s: float, bpm: float, rate: FrameRate | None) -> TempoMiss:
    position = (time_s - bar_1_s) * bpm / 60
    miss_s = (round(position) - position) * 60 / bpm
    return TempoMiss(time_s, miss_s, None if rate is None else miss_s * float(rate.fps))
