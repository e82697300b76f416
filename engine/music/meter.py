"""Time signatures and the tempo map.

A *beat* is a quarter note everywhere, whatever the time signature (`bpm` counts quarter notes).  Beat 0 is bar 1,
beat 1.  A `TempoMap` ties beats to seconds of the DAW's timeline; inside, everything is a Fraction, so that maps are
exact over any number of changes; the float methods are for use at run time and stay monotone.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Final

from engine.music.errors import MusicError

MIN_BPM: Final = 5
MAX_BPM: Final = 999


@dataclass(frozen=True, slots=True)
class TimeSignature:
    """numerator / denominator: 1..64 over a power of two up to 64."""

    numerator: int = 4
    denominator: int = 4

    def __post_init__(self) -> None:
        if not 1 <= self.numerator <= 64:
            raise MusicError(f"time signature {self}: the upper number is 1 to 64.")
        if self.denominator not in (1, 2, 4, 8, 16, 32, 64):
            raise MusicError(f"time signature {self}: the lower number is 1, 2, 4, 8, 16, 32 or 64.")

    @classmethod
    def parse(cls, text: str) -> TimeSignature:
        """Reads `7/8`.  Raises MusicError."""
        match = re.fullmatch(r"\s*(\d{1,3})\s*/\s*(\d{1,3})\s*", text)
        if match is None:
            raise MusicError(f"'{text}' is not a time signature; write for example 4/4 or 7/8.")
        return cls(int(match[1]), int(match[2]))

    @property
    def bar_beats(self) -> Fraction:
        """Length of a bar in quarter notes: 4 for 4/4, 7/2 for 7/8."""
        return Fraction(4 * self.numerator, self.denominator)

    @property
    def groups(self) -> tuple[Fraction, ...]:
        """Pulse groups of a bar in quarter notes; their sum is `bar_beats`.

        4/4: 1 1 1 1; 6/8: 3/2 3/2; 7/8: 1 1 3/2 (2+2+3 eighths); 5/8: 1 3/2; 3/8: 3/2.
        """
        unit = Fraction(4, self.denominator)
        if self.denominator < 8:
            return (unit,) * self.numerator
        if self.numerator % 3 == 0:
            return (3 * unit,) * (self.numerator // 3)
        if self.numerator == 1:
            return (unit,)
        twos, odd = divmod(self.numerator, 2)
        if odd:
            return (2 * unit,) * (twos - 1) + (3 * unit,)
        return (2 * unit,) * twos

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"


def odd_meter(beats: Fraction, usual: TimeSignature | None = None, finest: int = 64) -> TimeSignature | None:
    """The time signature of a bar of that length: 3 -> 3/4, 7/2 -> 7/8; in the note values of the usual one where that
    can be.  None where it would be longer than 64 of its values, or finer than sixteenths (finest=16)."""
    for denominator in (*(() if usual is None else (usual.denominator,)), 4, 8, 16, 32, 64):
        numerator = beats * denominator / 4
        if denominator <= finest and numerator.denominator == 1 and 1 <= numerator <= 64:
            return TimeSignature(int(numerator), denominator)
    return None


@dataclass(frozen=True, slots=True)
class TempoChange:
    """From `beat` on, `bpm` quarter notes a minute."""

    beat: Fraction
    bpm: Fraction


@dataclass(frozen=True, slots=True)
class MeterChange:
    """From `beat` on, this time signature; a change inside a bar begins a new bar."""

    beat: Fraction
    meter: TimeSignature


@dataclass(frozen=True, slots=True, order=True)
class BarBeat:
    """Musical position: bar from 1, beat from 1 (in units of the denominator), fraction of that beat 0..1."""

    bar: int
    beat: int
    fraction: float = 0.0

    def __str__(self) -> str:
        # The hundredths are floored, so that a position is never shown as a beat that has not begun.
        return f"{self.bar}|{self.beat}.{int(self.fraction * 100):02d}"


def _fraction(value: Fraction | float | int | str) -> Fraction:
    """Exact value of what a person or a host says: a float such as 97.3 means 973/10, not its binary neighbour."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise MusicError(f"{value} is not a number of beats or a tempo.")
        return Fraction(repr(value))
    return Fraction(value)


@dataclass(frozen=True, slots=True)
class TempoMap:
    """Beats <-> seconds of the timeline.

    tempos, meters: changes in ascending order, the first at or before beat 0 (positions before the first change use
    its values).  origin_s: timeline second of beat 0.  Raises MusicError on bad values.
    """

    tempos: tuple[TempoChange, ...] = (TempoChange(Fraction(0), Fraction(120)),)
    meters: tuple[MeterChange, ...] = (MeterChange(Fraction(0), TimeSignature()),)
    origin_s: Fraction = Fraction(0)
    # Derived, for speed: second of each tempo change exactly and as float; bar number at each meter change.
    _starts_s: tuple[Fraction, ...] = field(init=False, repr=False, compare=False)
    _float_starts_s: tuple[float, ...] = field(init=False, repr=False, compare=False)
    _float_beats: tuple[float, ...] = field(init=False, repr=False, compare=False)
    _beat_lengths_s: tuple[float, ...] = field(init=False, repr=False, compare=False)
    _first_bars: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for what, changes in (("tempo", self.tempos), ("meter", self.meters)):
            if not changes:
                raise MusicError(f"a tempo map needs at least one {what}.")
            beats = [change.beat for change in changes]
            if any(later <= earlier for earlier, later in pairwise(beats)):
                raise MusicError(f"the {what} changes of a tempo map are not in ascending order.")
            if beats[0] > 0:
                raise MusicError(f"the first {what} of a tempo map begins after bar 1.")
        for tempo in self.tempos:
            if not MIN_BPM <= tempo.bpm <= MAX_BPM:
                raise MusicError(f"tempo {float(tempo.bpm):g} is outside {MIN_BPM} to {MAX_BPM} bpm.")
        starts = self._exact_starts()
        bars = [1]
        for before, after in pairwise(self.meters):
            start = max(before.beat, Fraction(0)) if before is self.meters[0] else before.beat
            bars.append(bars[-1] + math.ceil((after.beat - start) / before.meter.bar_beats))
        put = object.__setattr__
        put(self, "_starts_s", starts)
        put(self, "_float_starts_s", tuple(float(start) for start in starts))
        put(self, "_float_beats", tuple(float(tempo.beat) for tempo in self.tempos))
        put(self, "_beat_lengths_s", tuple(float(60 / tempo.bpm) for tempo in self.tempos))
        put(self, "_first_bars", tuple(bars))

    def _exact_starts(self) -> tuple[Fraction, ...]:
        relative = [Fraction(0)]
        for before, after in pairwise(self.tempos):
            relative.append(relative[-1] + (after.beat - before.beat) * 60 / before.bpm)
        # Beat 0 may lie inside any segment, since the first change may stand before it.
        index = max(bisect_right([tempo.beat for tempo in self.tempos], Fraction(0)) - 1, 0)
        zero = relative[index] + (0 - self.tempos[index].beat) * 60 / self.tempos[index].bpm
        return tuple(start - zero + self.origin_s for start in relative)

    @classmethod
    def constant(
        cls,
        bpm: Fraction | float | int | str = 120,
        meter: TimeSignature | None = None,
        origin_s: Fraction | float | int | str = 0,
    ) -> TempoMap:
        """One tempo and one time signature; beat 0 at `origin_s`."""
        return cls(
            (TempoChange(Fraction(0), _fraction(bpm)),),
            (MeterChange(Fraction(0), meter or TimeSignature()),),
            _fraction(origin_s),
        )

    @classmethod
    def of(
        cls,
        tempos: list[tuple[float | Fraction | int, float | Fraction | int]],
        meters: list[tuple[float | Fraction | int, TimeSignature]] | None = None,
        origin_s: Fraction | float | int = 0,
    ) -> TempoMap:
        """From plain lists of (beat, bpm) and (beat, TimeSignature)."""
        return cls(
            tuple(TempoChange(_fraction(beat), _fraction(bpm)) for beat, bpm in tempos),
            tuple(MeterChange(_fraction(beat), meter) for beat, meter in meters or [(0, TimeSignature())]),
            _fraction(origin_s),
        )

    # exact ------------------------------------------------------------------------------------------------------
    def seconds_at_exact(self, beats: Fraction) -> Fraction:
        index = max(bisect_right(self.tempos, beats, key=lambda tempo: tempo.beat) - 1, 0)
        return self._starts_s[index] + (beats - self.tempos[index].beat) * 60 / self.tempos[index].bpm

    def beats_at_exact(self, seconds: Fraction) -> Fraction:
        index = max(bisect_right(self._starts_s, seconds) - 1, 0)
        return self.tempos[index].beat + (seconds - self._starts_s[index]) * self.tempos[index].bpm / 60

    # at run time ------------------------------------------------------------------------------------------------
    def seconds_at(self, beats: float) -> float:
        """Timeline second of a beat; monotone; before the first change its tempo is continued backwards."""
        starts_beats = self._float_beats
        index = max(bisect_right(starts_beats, beats) - 1, 0)
        seconds = self._float_starts_s[index] + (beats - starts_beats[index]) * self._beat_lengths_s[index]
        # Rounding must not carry a position across the next change: the map has to stay monotone.
        return seconds if index + 1 == len(starts_beats) else min(seconds, self._float_starts_s[index + 1])

    def all_seconds_at(self, beats: Iterable[float]) -> list[float]:
        """`seconds_at` of each; thousands are asked for at once."""
        if len(self._float_beats) > 1:
            return [self.seconds_at(each) for each in beats]
        first_s, first, length_s = self._float_starts_s[0], self._float_beats[0], self._beat_lengths_s[0]
        return [first_s + (each - first) * length_s for each in beats]

    def beats_at(self, seconds: float) -> float:
        """Beat of a timeline second; monotone."""
        starts_s = self._float_starts_s
        index = max(bisect_right(starts_s, seconds) - 1, 0)
        beats = self._float_beats[index] + (seconds - starts_s[index]) / self._beat_lengths_s[index]
        return beats if index + 1 == len(starts_s) else min(beats, self._float_beats[index + 1])

    def bpm_at(self, beats: float) -> float:
        return float(self.tempos[max(bisect_right(self._float_beats, beats) - 1, 0)].bpm)

    # bars -------------------------------------------------------------------------------------------------------
    def _meter_index(self, beats: Fraction) -> int:
        return max(bisect_right(self.meters, beats, key=lambda change: change.beat) - 1, 0)

    def _meter_start(self, index: int) -> Fraction:
        """Where bar `_first_bars[index]` begins; bar 1 is at beat 0 even when the first meter is stated earlier."""
        return Fraction(0) if index == 0 and self.meters[0].beat < 0 else self.meters[index].beat

    def meter_at(self, beats: float | Fraction) -> TimeSignature:
        return self.meters[self._meter_index(_fraction(beats))].meter

    def bar_at(self, beats: float | Fraction) -> int:
        """Number of the bar that a beat lies in; bars before bar 1 are 0, -1, …"""
        position = _fraction(beats)
        index = self._meter_index(position)
        length = self.meters[index].meter.bar_beats
        return self._first_bars[index] + math.floor((position - self._meter_start(index)) / length)

    def bar_start(self, bar: int) -> Fraction:
        """Beat at which a bar begins."""
        index = max(bisect_right(self._first_bars, bar) - 1, 0)
        return self._meter_start(index) + (bar - self._first_bars[index]) * self.meters[index].meter.bar_beats

    @property
    def signed_meters(self) -> tuple[MeterChange, ...]:
        """The time signatures as files and DAWs count them: a bar that the next change cuts short has one of its own.

        Where sixteenths cannot say its length (2.37 beats) it has none, and the change stands inside a bar.
        """
        found: list[MeterChange] = []
        for index, change in enumerate(self.meters):
            found.append(change)
            if index + 1 == len(self.meters):
                break
            start, end = self._meter_start(index), self.meters[index + 1].beat
            rest = (end - start) % change.meter.bar_beats
            odd = odd_meter(rest, change.meter, 16) if rest else None
            if odd is not None and end > start:
                if end - rest == change.beat:
                    found.pop()
                    if not found:  # bars before bar 1 stay as long as they are
                        found.append(MeterChange(change.beat - change.meter.bar_beats, change.meter))
                found.append(MeterChange(end - rest, odd))
        return tuple(found)

    def bar_beat_at(self, beats: float | Fraction) -> BarBeat:
        """Bar|beat of a position; beats count in units of the meter's denominator."""
        position = _fraction(beats)
        bar = self.bar_at(position)
        unit = Fraction(4, self.meter_at(position).denominator)
        whole, rest = divmod((position - self.bar_start(bar)) / unit, 1)
        return BarBeat(bar, int(whole) + 1, float(rest))

    def beats_of(self, position: BarBeat) -> Fraction:
        """The inverse of `bar_beat_at`."""
        start = self.bar_start(position.bar)
        unit = Fraction(4, self.meter_at(start).denominator)
        return start + (position.beat - 1 + _fraction(position.fraction)) * unit

    def next_bar(self, beats: float | Fraction) -> Fraction:
        """The first bar line at or after a position."""
        position = _fraction(beats)
        bar = self.bar_at(position)
        start = self.bar_start(bar)
        return start if start == position else self.bar_start(bar + 1)

    def bar_position(self, beats: float | Fraction) -> Fraction:
        """How many bars (with fraction) after bar 1 a position lies; used to lay progressions out in bars."""
        position = _fraction(beats)
        index = self._meter_index(position)
        bars = (position - self._meter_start(index)) / self.meters[index].meter.bar_beats
        bar = self._first_bars[index] + math.floor(bars)
        if index + 1 == len(self.meters) or bar + 1 < self._first_bars[index + 1]:
            return self._first_bars[index] - 1 + bars
        start, end = self.bar_start(bar), self.bar_start(bar + 1)  # another meter may cut this one short
        return bar - 1 + (position - start) / (end - start)
