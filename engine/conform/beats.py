"""Leaving out and holding single beats, so that a cue's music is never more than half a beat from its picture.

Before a join (see `bars`) the last beats of a bar are left out, or the chord that is held there is held longer; over
one bass and in silence both may happen anywhere.  Nothing of a statement of the theme or a cadence is left out.  The
bar that got shorter or longer has a time signature of its own.  Beats are quarter notes; a unit is the pulse that is
left out or held: a quarter in 4/4, a dotted quarter in 6/8, an eighth in 7/8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final

from engine.conform.bars import Cutter, Joins, Jump
from engine.music import TempoMap, TimeSignature
from engine.music.marks import GRAIN
from engine.music.meter import odd_meter

_NEAR: Final = 1e-3
_SEARCHED_BARS: Final = 2  # about what is wanted, by single beats; farther away by whole bars
_SHORTEST_UNITS: Final = 2  # a bar of one beat alone is taken into the bar before it


@dataclass(frozen=True, slots=True)
class Stretch:
    """From one beat of the new map to another the old music sounds that lies so many beats further on."""

    start: float
    end: float
    offset: float


def unit_of(meter: TimeSignature) -> Fraction:
    """The pulse of a meter in quarter notes; the shortest value where the pulses differ."""
    groups = meter.groups
    return groups[0] if len(set(groups)) == 1 else Fraction(4, meter.denominator)


def units_between(low: float, high: float, anchor: float, unit: float) -> list[float]:
    """The beats low to high in units; anchor: some beat on which one begins."""
    first = int((low - anchor) // unit)
    if anchor + (first + 1) * unit < low + _NEAR:
        first += 1
    starts = [anchor + first * unit]
    while starts[-1] + unit < high - _NEAR:
        starts.append(anchor + (first + len(starts)) * unit)
    return starts


@dataclass(frozen=True, slots=True)
class BeatCuts:
    """Where single beats may be left out or held.  starts: new beats of the units; earliest: new beat before which no
    bar may change, because it has begun before the picture did."""

    joins: Joins
    bars: TempoMap
    starts: Sequence[float]
    unit: float
    earliest: float

    def cutter(self) -> Cutter:
        """As `follow` takes it."""
        return self._best

    def _best(self, here: int, until: int, held: float, target: float) -> tuple[Jump, ...]:
        """The cut that leaves the fewest units off by the fewest beats; none where running on does."""
        off = abs(target - held)
        least = (until - here) * off
        best: tuple[Jump, ...] = ()
        offsets = list(self._offsets(held, target))
        for slot in range(here, until):
            late = (slot - here) * off
            if late >= least:
                break
            for offset in offsets:
                cost = late + (until - slot) * abs(offset - target)
                if cost >= least - _NEAR:
                    break  # the others are farther off
                jumps = self._jumps(slot, until, held, offset)
                if jumps:
                    least, best = cost, jumps
        return best

    def _offsets(self, held: float, target: float) -> Iterator[float]:
        """What is wanted and what lies near it, the nearest first."""
        bar = float(self.bars.meter_at(self.starts[0] + held).bar_beats)
        reach = min(abs(target - held), _SEARCHED_BARS * bar)
        steps = {each * self.unit for each in range(1, int(reach / self.unit + _NEAR) + 1)}
        steps |= {each * bar for each in range(1, int(abs(target - held) / bar + _NEAR) + 1)}
        yield target
        for step in sorted(steps):
            if step < abs(target - held) + _NEAR:
                yield from (target + step, target - step)

    def _jumps(self, slot: int, until: int, held: float, offset: float) -> tuple[Jump, ...]:
        leaves = self.starts[slot] + held
        goes_on = self.starts[slot] + offset
        joins = self.joins
        if abs(goes_on - leaves) < _NEAR or not joins.has_music(goes_on + _NEAR):
            return ()
        where = joins.where(leaves, goes_on)
        if where and self._same_phase(leaves, goes_on):
            return (Jump(slot, leaves, goes_on, where, offset),)
        if self._may_leave_out(leaves, goes_on, held):
            return (Jump(slot, leaves, goes_on, "join", offset),)
        again = self._holding(slot, until, held, offset)
        if not again and where and self._makes_one_bar(leaves, goes_on, held):
            return (Jump(slot, leaves, goes_on, where, offset),)
        return again

    def _same_phase(self, leaves: float, goes_on: float) -> bool:
        """Whether both lie alike in bars of one length."""
        bars = self.bars
        first, second = bars.bar_at(leaves + _NEAR), bars.bar_at(goes_on + _NEAR)
        into = leaves - float(bars.bar_start(first)) - goes_on + float(bars.bar_start(second))
        return abs(into) < _NEAR and bars.meter_at(leaves + _NEAR) == bars.meter_at(goes_on + _NEAR)

    def _line(self, beats: float) -> float:
        """The bar line at or before an old beat."""
        return float(self.bars.bar_start(self.bars.bar_at(beats + _NEAR)))

    def _makes_one_bar(self, leaves: float, goes_on: float, held: float) -> bool:
        """Whether a bar of another length, and no other, is what the cut makes."""
        into, rest = leaves - self._line(leaves), goes_on - self._line(goes_on)
        if into > _NEAR and rest > _NEAR:
            return False
        if into > _NEAR:  # a bar ends early
            return self._is_new(leaves, held) and self._is_whole(into, leaves - into, held, alone=goes_on < leaves)
        bar = float(self.bars.meter_at(goes_on + _NEAR).bar_beats)
        return rest < _NEAR or self._is_whole(bar - rest, leaves, held)

    def _is_whole(self, length: float, line: float, held: float, *, alone: bool = False) -> bool:
        """Whether a bar of that length can begin at an old line: one of a single beat only where the bar before it, new
        as well, can take it in."""
        if length > _SHORTEST_UNITS * self.unit - _NEAR:
            return True
        return not alone and self._is_new(line - 2 * _NEAR, held)

    def _is_new(self, leaves: float, held: float) -> bool:
        """Whether the bar in which the music is left begins where the picture is new already."""
        return self._line(leaves) - held > self.earliest - _NEAR

    def _may_leave_out(self, leaves: float, goes_on: float, held: float) -> bool:
        """The last beats of a bar before a join, under a chord of which something is left."""
        joins = self.joins
        if not joins.is_join(goes_on) or joins.is_protected(leaves) or joins.is_protected(goes_on):
            return False
        after = joins.next_join(leaves + _NEAR)
        line = self._line(leaves)
        if after is None or self._line(after - 2 * _NEAR) > line + _NEAR or line > leaves - _NEAR:
            return False
        if not self._is_new(leaves, held) or not self._is_whole(leaves - line, line, held):
            return False
        return joins.is_free(leaves, after) and joins.chord_start(after) < leaves - _NEAR

    def _holding(self, slot: int, until: int, held: float, offset: float) -> tuple[Jump, ...]:
        """The last beats of the chord before a join once more, and on from a join."""
        joins, leaves = self.joins, self.starts[slot] + held
        if not joins.is_join(leaves) or joins.is_protected(leaves):
            return ()
        goes_on = joins.next_join(self.starts[slot] + offset + _NEAR)
        if goes_on is None or joins.is_protected(goes_on):
            return ()
        length = goes_on - self.starts[slot] - offset
        count = round(length / self.unit)
        if abs(count * self.unit - length) > _NEAR or slot + count >= until:
            return ()
        if length > leaves - joins.chord_start(leaves) + _NEAR or length > leaves - self._line(leaves - 2 * _NEAR):
            return ()
        if joins.is_theme(leaves - length) or not self._is_whole(length, leaves, held):
            return ()
        again = Jump(slot, leaves, leaves - length, "join", held - length)
        if abs(offset - again.offset) < _NEAR:
            return (again,)
        return again, Jump(slot + count, leaves, goes_on, "join", offset)


def stretches(starts: Sequence[float], offsets: Sequence[float], end: float) -> tuple[Stretch, ...]:
    """Neighbouring units of one offset as one."""
    made: list[Stretch] = []
    for start, offset in zip(starts, offsets, strict=True):
        if made and abs(made[-1].offset - offset) < _NEAR:
            continue
        if made:
            made[-1] = Stretch(made[-1].start, start, made[-1].offset)
        made.append(Stretch(start, end, offset))
    return tuple(made)


def exact(beats: float) -> Fraction:
    """On the grain that marks stand on."""
    return Fraction(round(beats * GRAIN), GRAIN)


@dataclass(frozen=True, slots=True)
class Line:
    """A bar line: its new beat, and the meter that the old music has after it."""

    beat: Fraction
    meter: TimeSignature


def lines_of(music: Sequence[Stretch], bars: TempoMap) -> list[Line]:
    """The bar lines that the old music brings with it; where it goes on inside a bar that it left at a line, that line
    stays."""
    found: list[Line] = []
    for index, each in enumerate(music):
        low, high = each.start + each.offset, each.end + each.offset
        bar = bars.bar_at(low - _NEAR) + 1
        line = float(bars.bar_start(bar))
        if index and line - low > _NEAR:
            left = music[index - 1].end + music[index - 1].offset
            meter = bars.meter_at(left + _NEAR)
            if abs(float(bars.bar_start(bars.bar_at(left + _NEAR))) - left) < _NEAR:
                found.append(Line(exact(each.start), meter))
        while line < high - _NEAR:
            found.append(Line(exact(line - each.offset), bars.meter_at(line + _NEAR)))
            bar, line = bar + 1, float(bars.bar_start(bar + 1))
    return found


def meters_of(
    music: Sequence[Stretch], bars: TempoMap, there: TempoMap, earliest: float
) -> tuple[tuple[Fraction, TimeSignature], ...]:
    """The time signatures from `earliest` on, each where it begins, that make the bars of a map `there` those of the
    music.  bars: the old map."""
    lines = [each for each in lines_of(music, bars) if each.beat > earliest - _NEAR]
    if not lines:
        return ()
    end = exact(music[-1].end)
    before = there.bar_start(there.bar_at(lines[0].beat - Fraction(1, 2 * GRAIN)))
    if before != lines[0].beat and there.next_bar(lines[0].beat) != lines[0].beat and before > earliest - _NEAR:
        lines.insert(0, Line(before, there.meter_at(before)))
    lines = _without_single_beats(lines)
    found: list[tuple[Fraction, TimeSignature]] = []
    now, expected = there.meter_at(lines[0].beat - Fraction(1, 2 * GRAIN)), there.next_bar(lines[0].beat)
    for line, after in pairwise([*lines, None]):
        assert line is not None
        length = line.meter.bar_beats if after is None else after.beat - line.beat
        whole = after is None or length == line.meter.bar_beats
        meter = line.meter if whole else odd_meter(length, line.meter) or line.meter
        if meter != now or line.beat != expected:
            found.append((line.beat, meter))
        now, expected = meter, line.beat + length
    if now != lines[-1].meter:
        found.append((min(expected, end), lines[-1].meter))
    return tuple(found)


def _without_single_beats(lines: Sequence[Line]) -> list[Line]:
    """Lines between which more than one beat lies, where a bar before it can take a single one."""
    kept = list(lines[:1])
    for line in lines[1:]:
        length = line.beat - kept[-1].beat
        whole = kept[-1].meter.bar_beats
        if len(kept) > 1 and length != whole and length < _SHORTEST_UNITS * unit_of(kept[-1].meter):
            kept.pop()
        kept.append(line)
    return kept


def source_of(music: Sequence[Stretch]) -> Callable[[float], float]:
    """Of a new beat the old one whose music is heard there."""

    def source(beats: float) -> float:
        here = next((each for each in reversed(music) if each.start <= beats + _NEAR), music[0])
        return beats + here.offset

    return source
