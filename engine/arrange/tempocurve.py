"""Tempo curves through hits: real ramps, tempi that change at hits only, and ramps whose hits open bars.

A curve is knots (bar 1 and the hits it meets), with a whole number of beats (or eighths …) between them.  Between two
knots the mean tempo is then given; which hits are met and with how many beats is decided by a dynamic programme that
leaves out hits, not must hits, which would bend the tempo too far.

*Ramps* are as smooth as can be: the length of a beat, as a function of the beat, has the smallest integral of its
squared slope under the condition that every knot falls on its second.  That is a quadratic spline (the histospline of
Schoenberg 1973), whose values at the knots solve a tridiagonal system.  It is played in steps of a beat, each as
long as the integral over it, rounded to thousandths of a bpm as DAWs keep them; what rounding leaves goes to the next
step, so that nothing adds up.  TempoMap and MIDI file hold the same steps.

Times are seconds, positions quarter-note beats from bar 1; all exact fractions where they become a map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from typing import Final

from engine.music import MeterChange, TempoChange, TimeSignature
from engine.music.meter import MAX_BPM, MIN_BPM, odd_meter

_SKIPPED: Final = 3  # hits that may be left out in a row
_BEND_COST: Final = 0.02  # of a hit's weight, for each per cent that a stretch leaves the plan's tempo


@dataclass(frozen=True, slots=True)
class Target:
    """A hit to be met: second after bar 1, weight > 0, must it be met."""

    time_s: Fraction
    weight: float
    must: bool


@dataclass(frozen=True, slots=True)
class Knot:
    """Which hit (-1: bar 1), its second after bar 1, its beat."""

    hit: int
    time_s: Fraction
    beat: Fraction


def knots(
    targets: Sequence[Target], bpm: Fraction, unit: Fraction, limit_percent: float, least_beats: Fraction
) -> tuple[Knot, ...] | None:
    """Bar 1 and the targets that a tempo near `bpm` meets, each on a multiple of `unit` beats after the last.

    targets: ascending.  limit_percent: how far the mean tempo of a stretch may be from bpm.  least_beats: no two knots
    are nearer.  None where a must target is not met or nothing is.
    """
    count = len(targets)
    best: list[float | None] = [0.0] + [None] * count  # place 0 is bar 1
    back: list[tuple[int, Fraction] | None] = [None] * (count + 1)
    times = [Fraction(0), *(target.time_s for target in targets)]
    per_beat = float(bpm) / 60
    for here in range(1, count + 1):
        for earlier in range(here - 1, max(here - 2 - _SKIPPED, -1), -1):
            before = best[earlier]
            if before is not None:
                length = float(times[here] - times[earlier])
                units = round(length * per_beat / float(unit))
                beats = units * unit
                if beats >= least_beats:
                    bend = abs(float(beats) / (length * per_beat) - 1) * 100
                    value = before + targets[here - 1].weight - _BEND_COST * bend
                    if bend <= limit_percent and (best[here] is None or value > best[here]):  # type: ignore[operator]
                        best[here], back[here] = value, (earlier, beats)
            if earlier and targets[earlier - 1].must:
                break  # it may not be left out
    last_must = max((index for index, target in enumerate(targets, start=1) if target.must), default=1)
    reached = [(value, index) for index, value in enumerate(best) if value is not None and index >= last_must]
    if not reached:
        return None
    place = max(reached)[1]
    stretches = []
    while place:
        step = back[place]
        assert step is not None
        stretches.append((place, step[1]))
        place = step[0]
    found = [Knot(-1, Fraction(0), Fraction(0))]
    for place, beats in reversed(stretches):
        found.append(Knot(place - 1, times[place], found[-1].beat + beats))
    return tuple(found)


# tempi -------------------------------------------------------------------------------------------------------------
def stepped(path: Sequence[Knot]) -> list[TempoChange] | None:
    """One tempo from knot to knot; None where one is no tempo."""
    return _exact([(a.beat, b.beat - a.beat, b.time_s) for a, b in pairwise(path)])


def ramped(path: Sequence[Knot]) -> list[TempoChange] | None:
    """The smoothest tempo through the knots, beat by beat; None where it leaves what is a tempo."""
    values = _knot_values(path)
    steps: list[tuple[Fraction, Fraction, Fraction]] = []
    for (a, b), (u, v) in zip(pairwise(path), pairwise(values), strict=True):
        beats = b.beat - a.beat
        mean = float((b.time_s - a.time_s) / beats)
        edges = [a.beat, *map(Fraction, range(floor(a.beat) + 1, ceil(b.beat))), b.beat]
        for start, end in pairwise(edges):
            t = float((end - a.beat) / beats)
            # Integral of u(1-4t+3t^2) + v(-2t+3t^2) + 6 mean t(1-t), which is mean over the whole stretch.
            passed = u * (t - 2 * t**2 + t**3) + v * (t**3 - t**2) + mean * (3 * t**2 - 2 * t**3)
            end_s = b.time_s if end == b.beat else a.time_s + Fraction(float(beats) * passed).limit_denominator(10**9)
            steps.append((start, end - start, end_s))
    return _exact(steps)


def bend_percent(path: Sequence[Knot], bpm: float, ramp: bool) -> float:
    """How far the tempo leaves bpm at most; of a ramp also between the knots."""
    found = []
    values = _knot_values(path) if ramp else [60 / bpm] * len(path)
    for (a, b), (u, v) in zip(pairwise(path), pairwise(values), strict=True):
        mean = float((b.time_s - a.time_s) / (b.beat - a.beat))
        found += [u, v] if ramp else [mean]
        curvature = 3 * (u + v - 2 * mean)  # u(1-4t+3t^2) + v(-2t+3t^2) + 6 mean t(1-t) = u - 2 slope t + curvature t^2
        slope = 2 * u + v - 3 * mean
        if ramp and abs(curvature) > 1e-12 and 0 < slope / curvature < 1:
            found.append(u - slope**2 / curvature)
    if min(found) <= 0:
        return float("inf")
    return max(abs(60 / (value * bpm) - 1) * 100 for value in found)


def _knot_values(path: Sequence[Knot]) -> list[float]:
    """Seconds a beat at the knots: slopes agree at each and are zero at both ends (Thomas algorithm)."""
    lengths = [float(b.beat - a.beat) for a, b in pairwise(path)]
    means = [float((b.time_s - a.time_s) / (b.beat - a.beat)) for a, b in pairwise(path)]
    count = len(path)
    lower, diagonal, upper, right = ([0.0] * count for _ in range(4))
    for index in range(count):
        if index > 0:
            lower[index] = 2 / lengths[index - 1]
            diagonal[index] += 4 / lengths[index - 1]
            right[index] += 6 * means[index - 1] / lengths[index - 1]
        if index + 1 < count:
            upper[index] = 2 / lengths[index]
            diagonal[index] += 4 / lengths[index]
            right[index] += 6 * means[index] / lengths[index]
    for index in range(1, count):
        share = lower[index] / diagonal[index - 1]
        diagonal[index] -= share * upper[index - 1]
        right[index] -= share * right[index - 1]
    values = [0.0] * count
    for index in range(count - 1, -1, -1):
        above = upper[index] * values[index + 1] if index + 1 < count else 0.0
        values[index] = (right[index] - above) / diagonal[index]
    return values


def _exact(steps: Sequence[tuple[Fraction, Fraction, Fraction]]) -> list[TempoChange] | None:
    """steps: (beat, beats, second at which it should end).  Rounded to thousandths, each making good for the last."""
    found: list[TempoChange] = []
    second = Fraction(0)
    for beat, beats, end_s in steps:
        if end_s <= second:
            return None
        own = Fraction(round(beats * 60 / (end_s - second) * 1000), 1000)
        if not MIN_BPM <= own <= MAX_BPM:
            return None
        if not found or found[-1].bpm != own:
            found.append(TempoChange(beat, own))
        second += beats * 60 / own
    return found


# meters ------------------------------------------------------------------------------------------------------------
def meters_of(path: Sequence[Knot], meter: TimeSignature) -> list[MeterChange]:
    """Bars that begin at every knot: whole bars, and where beats are left over one odd bar before the knot."""
    found = [MeterChange(Fraction(0), meter)]

    def put(beat: Fraction, own: TimeSignature) -> None:
        if found[-1].beat == beat:
            found.pop()
        if not found or found[-1].meter != own:
            found.append(MeterChange(beat, own))

    bar = meter.bar_beats
    for a, b in pairwise(path):
        whole, rest = divmod(b.beat - a.beat, bar)
        put(a.beat, meter)
        if rest and whole and rest < 2:  # no bar of a single beat: the last whole one takes it
            rest += bar
        if rest:
            put(b.beat - rest, odd_meter(rest) or meter)
    put(path[-1].beat, meter)
    return found
