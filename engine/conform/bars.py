"""Dropping and repeating whole bars where music can bear it: at joins, in pedals, in rests.

A join is where a section or a phrase of four bars begins on a new chord; a pedal is a stretch over one bass; a rest is
silence.  Inside a statement of the theme, and from the chord before a cadence's last one on until that begins, music
goes on as it is.  Beats are quarter notes of the old tempo map unless they say new.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from engine.arrange.rhythm import ChordRun, merge_runs
from engine.document import Document

PHRASE_BARS: Final = 4
_CADENCE_BARS: Final = 2  # of each of its two chords: what is held for longer is a pedal
_NEAR: Final = 1e-3
_FIFTH: Final = 5  # semitones up from a dominant to its tonic


@dataclass(frozen=True, slots=True)
class Jump:
    """Music that goes on elsewhere: the number of the slot at which it does, the old beats that it leaves and where it
    goes on, what allows it (join, pedal or rest), and old beats less new ones from there on."""

    slot: int
    from_beats: float
    to_beats: float
    where: str
    offset: float


@dataclass(frozen=True, slots=True)
class Followed:
    """offsets: of each slot, old beats less new ones.  jumps: in order.  stuck: (slot, how far off in beats) from where
    on the music could not follow the picture as far as it should."""

    offsets: tuple[float, ...]
    jumps: tuple[Jump, ...] = ()
    stuck: tuple[tuple[int, float], ...] = ()


class Joins:
    """Where the music of one cue may be cut.  low, high: the old beats of the cue."""

    def __init__(self, document: Document, cue: int, low: float, high: float) -> None:
        result = document.result
        bars = result.tempo_map

        def beats(picture_s: float) -> float:
            return bars.beats_at(picture_s + result.starts_s)

        def line(picture_s: float) -> float:
            """The bar line nearest to a picture second."""
            at = beats(picture_s)
            bar = bars.bar_at(at)
            return min((float(bars.bar_start(each)) for each in (bar, bar + 1)), key=lambda each: abs(each - at))

        self._runs = [run for run in merge_runs(result.slots) if run.end_beats > low and run.start_beats < high]
        self._starts = [run.start_beats for run in self._runs]
        inside = [slot for slot in result.slots if slot.end_beats > low and slot.start_beats < high]
        self._borders = [*(slot.start_beats for slot in inside), *(slot.end_beats for slot in inside[-1:])]
        plans = [plan for plan in result.plans if plan.cue == cue]
        edges = {line(each.start_s) for plan in plans for each in plan.sections}
        edges |= {line(each.start_s) for each in document.sections if not each.is_time}
        edges = {edge for edge in edges if low < edge < high} | {max(low, self._starts[0] if self._starts else low)}
        ends = sorted({*edges, min(high, self._runs[-1].end_beats if self._runs else high)})
        self._joins = sorted(edges | {beat for a, b in pairwise(ends) for beat in self._phrases(document, a, b)})
        self._themes = [
            (float(bars.bar_start(each.bar)), float(bars.bar_start(each.bar + each.length_bars)))
            for plan in plans
            for each in plan.statements
        ]
        self._held = _CADENCE_BARS * float(bars.meter_at(low).bar_beats)
        self.protected = tuple(sorted([*self._themes, *self._cadences(ends[1:])]))

    def _phrases(self, document: Document, start: float, end: float) -> Iterable[float]:
        """Every fourth bar line of a section that has a chord of its own."""
        bars = document.result.tempo_map
        bar = bars.bar_at(start + _NEAR) + PHRASE_BARS
        while (at := float(bars.bar_start(bar))) < end - _NEAR:
            if self._begins(at):
                yield at
            bar += PHRASE_BARS

    def _cadences(self, ends: Iterable[float]) -> Iterable[tuple[float, float]]:
        """From the beginning of the chord that leads to the last one until the end of a phrase, of chords that are held
        for long the two bars on either side; and from each dominant into its tonic."""
        for end in ends:
            index = bisect_right(self._starts, end - _NEAR) - 1
            if index >= 1:
                last = self._starts[index]
                yield max(self._starts[index - 1], last - self._held), min(end, last + self._held)
        for first, second in pairwise(self._runs):
            one, two = first.chord, second.chord
            if one.root is None or two.root is None or one.quality not in ("7", "maj"):
                continue
            if (two.root - one.root) % 12 == _FIFTH and (one.quality == "7" or two.quality in ("min", "min7")):
                yield first.start_beats, second.start_beats + 2 * _NEAR

    def _run(self, beats: float) -> int:
        return max(bisect_right(self._starts, beats + _NEAR) - 1, 0)

    def _begins(self, beats: float) -> bool:
        """Whether a chord begins there."""
        index = self._run(beats)
        return bool(self._runs) and abs(self._starts[index] - beats) < _NEAR

    def is_protected(self, beats: float) -> bool:
        """Whether a place lies inside a statement of the theme or a cadence."""
        return any(start + _NEAR < beats < end - _NEAR for start, end in self.protected)

    def is_theme(self, beats: float) -> bool:
        """Whether a place lies inside a statement of the theme."""
        return any(start + _NEAR < beats < end - _NEAR for start, end in self._themes)

    def is_free(self, low: float, high: float) -> bool:
        """Whether nothing of a statement of the theme or a cadence lies between two places."""
        return not any(start < high - _NEAR and end > low + _NEAR for start, end in self.protected)

    def chord_start(self, end: float) -> float:
        """Where the chord begins that sounds until a place."""
        return self._runs[self._run(end - 2 * _NEAR)].start_beats if self._runs else end

    def next_join(self, beats: float) -> float | None:
        """The first join at a place or after it."""
        index = bisect_left(self._joins, beats - _NEAR)
        return self._joins[index] if index < len(self._joins) else None

    def border(self, middle: float) -> float:
        """Where the slot begins that is taken for one with its middle there; the cue's end where there is none."""
        return self._borders[max(bisect_right(self._borders, middle) - 1, 0)] if self._borders else middle

    def has_music(self, middle: float) -> bool:
        """Whether a place lies inside the cue's own music."""
        return bool(self._borders) and self._borders[0] <= middle < self._borders[-1]

    def where(self, leaves: float, goes_on: float) -> str:
        """What allows a cut from one place to another: join, pedal or rest; "" where nothing does."""
        if not self._runs or self.is_protected(leaves) or self.is_protected(goes_on):
            return ""
        if self.is_join(leaves) and self.is_join(goes_on):
            return "join"
        if self._is_rest(leaves) and self._is_rest(goes_on):
            return "rest"
        low, high = min(leaves, goes_on), max(leaves, goes_on)
        held: Sequence[ChordRun] = self._runs[self._run(low - 2 * _NEAR) : self._run(high - 2 * _NEAR) + 1]
        basses = {run.chord.bass_pitch_class for run in held}
        inside = held[0].start_beats - _NEAR <= low and high <= held[-1].end_beats + _NEAR
        return "pedal" if inside and len(basses) == 1 and None not in basses else ""

    def is_join(self, beats: float) -> bool:
        index = bisect_right(self._joins, beats + _NEAR) - 1
        return index >= 0 and abs(self._joins[index] - beats) < _NEAR

    def _is_rest(self, beats: float) -> bool:
        run = self._runs[self._run(beats)]
        return run.chord.is_silence and beats < run.end_beats + _NEAR


Cutter = Callable[[int, int, float, float], tuple[Jump, ...]]
"""Of a stretch of slots (from, until), the offset held there and the one wanted: where and how to get from one to the
other, () where running on is better."""


def follow(wanted: Sequence[float | None], first: float, cutter: Cutter, apart: int = 0) -> Followed:
    """Which music a cue's slots have.

    wanted: of each slot the offset (old beats less new ones) that keeps the music with its picture, None where the
    picture is new.  first: the offset at the beginning.  Each change of what is wanted is followed where `cutter` says;
    what cannot be followed runs on.  apart: so many slots lie between two cuts, and a
    change may take two of them; 0: one.
    """
    offsets: list[float] = []
    jumps: list[Jump] = []
    stuck: list[tuple[int, float]] = []
    held = first
    while len(offsets) < len(wanted):
        here = len(offsets)
        target = wanted[here]
        if target is None or abs(target - held) < _NEAR:
            offsets.append(held)
            continue
        until = next(
            (k for k in range(here, len(wanted)) if (other := wanted[k]) is not None and abs(other - target) > _NEAR),
            len(wanted),
        )
        for _ in range(2 if apart else 1):
            begin = max(here, jumps[-1].slot + apart if jumps else 0)
            if abs(held - target) < _NEAR or begin >= until:
                break
            made = cutter(begin, until, held, target)
            for jump in made:
                offsets += [held] * (jump.slot - len(offsets))
                held = jump.offset
            jumps += made
        if abs(held - target) > _NEAR:
            stuck.append((len(offsets), held - target))
        offsets += [held] * (until - len(offsets))
    return Followed(tuple(offsets), tuple(jumps), tuple(stuck))


def bar_cutter(middles: Sequence[float], joins: Joins, bar_beats: float) -> Cutter:
    """Whole bars.  middles: of the slots, new beats; each slot has the old music in which its middle lies."""

    def best(here: int, until: int, held: float, target: float) -> tuple[Jump, ...]:
        off = abs(target - held)
        least = (until - here) * off
        found: tuple[Jump, ...] = ()
        bars = int(off / bar_beats + _NEAR)
        others = [target + side * bar_beats * each for each in range(1, bars) for side in (1, -1)]
        for slot in range(here, until):
            late = (slot - here) * off
            if late >= least:
                break
            leaves = joins.border(middles[slot] + held)
            for offset in (target, *others):
                cost = late + (until - slot) * abs(offset - target)
                if cost >= least - _NEAR:
                    break  # the others are farther off
                if not joins.has_music(middles[slot] + offset):
                    continue
                goes_on = joins.border(middles[slot] + offset)
                where = joins.where(leaves, goes_on)
                if where:
                    least, found = cost, (Jump(slot, leaves, goes_on, where, offset),)
        return found

    return best
