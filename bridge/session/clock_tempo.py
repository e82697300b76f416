"""The tempo of a MIDI clock or of JACK, as far as the bars can follow it.

Positions are picture seconds unless they say timeline; host times are seconds of the session's clock.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from bridge.player.messages import PlayerStatus
from engine.music import TempoMap

OFF_BEATS: Final = 0.1  # beats that lie so far from the clock's are others
STEADY_S: Final = 1.0  # a clock's tempo has to hold this long before bars follow it
MEASURED_WITHIN: Final = 0.0015  # of a tempo: what clocks bunched in the longest usual audio period leave open
STATED_WITHIN: Final = 0.005  # bpm: JACK states its tempo, which is meant to two decimals
STATED_STEADY_S: Final = 0.25  # a stated tempo has to hold this long: glides pass by
REFINED_FROM_S: Final = 4.0  # of play with one tempo: then it shows whether the clock's beats move against ours
REFINED_OVER_S: Final = 90.0
REFINED_WITHIN: Final = 0.02  # bpm: a coarser answer is none
EVERY_S: Final = 0.1
APART_S: Final = 1.5  # words so far apart err apart: timecode is read from a line of that length
CHANGED: Final = 0.01  # of a tempo: more than a first measurement, of a second of clocks, is ever wrong
ARRIVES_WITHIN_S: Final = 0.02  # the same for a place: half such a period, and what timecode and clock lie apart
COUNTED_FROM_S: Final = 30.0  # from bar 1: then a clock's count of beats says its tempo more finely than its speed
COUNTED_WITHIN: Final = 0.005  # of a tempo: what the speed, which is measured over seconds, may be off that
LAST_BEAT: Final = 4095.75  # that a clock's song position can state
NO_CLOCK: Final = ("map", "script", "internal", "")


class ClockMap(NamedTuple):
    """A tempo map that agrees with the clock, and a sentence where it cannot hold for the whole film."""

    tempo_map: TempoMap
    warning: str


class Drift:
    """How fast the clock's beats move against ours, by a line through where they lay."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque()  # second, how far the clock's beat lies ahead in s

    def clear(self) -> None:
        self._seen.clear()

    def add(self, at_s: float, ahead_s: float) -> bool:
        """False where the last word is too near to be worth another."""
        seen = self._seen
        if seen and abs(at_s - seen[-1][0]) < EVERY_S:  # a playhead may step back a little by itself
            return False
        if seen and not (0 < at_s - seen[-1][0] < APART_S and abs(ahead_s - seen[-1][1]) < ARRIVES_WITHIN_S):  # a jump
            seen.clear()
        seen.append((at_s, ahead_s))
        while at_s - seen[0][0] > REFINED_OVER_S:
            seen.popleft()
        return True

    @property
    def is_full(self) -> bool:
        """Whether a longer line would tell nothing more."""
        return bool(self._seen) and self._seen[-1][0] - self._seen[0][0] > REFINED_OVER_S - 2 * APART_S

    def rate(self) -> tuple[float, float] | None:
        """(seconds a second, how far that may be wrong); None while too little was seen."""
        seen = self._seen
        span_s = seen[-1][0] - seen[0][0] if seen else 0.0
        if span_s < REFINED_FROM_S:
            return None
        count = len(seen)
        middle_s = sum(at for at, _ in seen) / count
        mean = sum(ahead for _, ahead in seen) / count
        square = sum((at - middle_s) ** 2 for at, _ in seen)
        slope = sum((at - middle_s) * (ahead - mean) for at, ahead in seen) / square
        left = sum((ahead - mean - slope * (at - middle_s)) ** 2 for at, ahead in seen) / count
        independent = max(2.0, span_s / APART_S)
        return slope, 4 * math.sqrt(12 * left / independent) / span_s


class ClockTempo:
    """Call `watch` with every tick while the session follows a DAW."""

    def __init__(self) -> None:
        self._other: tuple[float, float] | None = None  # a tempo that is not ours, and since when
        self._agreed = False  # since play began the clock has had our tempo
        self._from_bar_1 = False  # the tempo in force fits from bar 1 to here
        self._moved = False  # since play began bars are counted from another place than bar 1
        self._drift = Drift()
        self._had: set[float] = set()  # tempi that were given up for finer ones since play began
        self._lag_s = 0.0  # what JACK's beats lay off ours while both had one tempo: a period, for some programs

    # size: one decision, whose cases exclude each other in this order; each needs what those before have found.
    def watch(
        self, status: PlayerStatus, tempo_map: TempoMap, first_bar_1_s: Callable[[], float], host_s: float
    ) -> ClockMap | None:
        """A map to be used from now on, once the clock has had another tempo for a while.

        first_bar_1_s: timeline second of bar 1 before any clock has moved it.
        """
        if status.tempo_source in NO_CLOCK:
            return None
        if not status.rolling:  # a tempo set while the DAW stands is that of the whole film, as far as anybody says
            self._other, self._agreed, self._moved, self._had = None, False, False, set()
            self._drift.clear()
            return None
        # Before enough clocks have come, the status holds the map's own tempo: that is nothing the clock has said.
        if status.tempo_bpm <= 0 or (status.tempo_source == "clock" and status.beat_phase is None):
            return None
        ours = tempo_map.bpm_at(status.position_beats)
        apart = _beats_off(status, tempo_map.beats_at(status.position_s))
        placed = _is_placed(status)
        off = apart if placed else 0.0
        stated = status.stated_beats is not None
        same = abs(ours - status.tempo_bpm) < 2 * _within(status)
        counts_beats = status.position_source == status.tempo_source and not stated
        if same and (counts_beats or abs(off) * 60 / ours <= ARRIVES_WITHIN_S):
            self._other, self._agreed = None, True
            if stated and not self._moved:
                self._lag_s = off * 60 / ours
            if stated or self._moved:
                return None
            if counts_beats:  # its position is beats: what they take of our time tells
                return self._refined(status, tempo_map, host_s, status.position_beats * 60 / ours - host_s)
            return self._refined(status, tempo_map, status.position_s, apart * 60 / ours)
        if same and self._agreed and abs(off) < OFF_BEATS and not self._from_bar_1:
            return None  # bars are counted from a place of their own: a little off is as near as that is known
        origin_s = first_bar_1_s()
        bpm = ours if same else status.tempo_bpm
        # Where bar 1 is known, the place within the beat says the tempo far more finely than its measured speed.
        meant = None if counts_beats or self._moved or not placed else _meant(status, origin_s)
        if same and abs(off) < OFF_BEATS and (meant is None or meant == ours):
            return None
        if self._other is None or abs(self._other[0] - bpm) > 2 * _within(status):
            self._other = (bpm, host_s)
            return None
        if host_s - self._other[1] <= (STATED_STEADY_S if stated else STEADY_S):
            return None
        self._other = None
        meter = tempo_map.meter_at(status.position_beats)
        changed = self._agreed and not same and (stated or abs(ours - status.tempo_bpm) > CHANGED * ours)
        warning = ""
        if meant is not None and not changed:
            bpm, self._from_bar_1 = meant, True
        else:
            bpm = ours if same else simplest(status.tempo_bpm, _within(status))
            # It has changed here: this place keeps its beat.  Else the DAW's bar 1 is taken to be where ours is.
            if changed:
                origin_s = status.position_s - status.position_beats * 60 / bpm
            off = 0.0 if counts_beats or not placed else _beats_off(status, (status.position_s - origin_s) * bpm / 60)
            if stated:
                off -= self._lag_s * bpm / 60
            self._from_bar_1 = not changed and abs(off) < OFF_BEATS
            if not self._from_bar_1:
                self._moved = True
                origin_s -= off * 60 / bpm
                bars = "bars are those of JACK from here" if stated else "bars are counted from here"
                warning = (
                    f"{status.tempo_source} says {bpm:g}, but not what the tempo was before this place: {bars}. "
                    "A tempo map (--tempo-map) says it for the whole film."
                )
        self._agreed = True
        self._drift.clear()
        return ClockMap(TempoMap.constant(bpm, meter, round(origin_s, 4)), warning)

    def _refined(self, status: PlayerStatus, tempo_map: TempoMap, at_s: float, ahead_s: float) -> ClockMap | None:
        """A map whose tempo is right to the hundredth, once the beats have moved against ours for long enough to tell.

        The first measure, of a second, takes the roundest tempo that fits; 88.27 is then 88.3 for a while.
        """
        ours = tempo_map.bpm_at(status.position_beats)
        found = self._drift.rate() if self._drift.add(at_s, ahead_s) else None
        if found is None or len(tempo_map.tempos) > 1:
            return None
        bpm, within = ours * (1 + found[0]), max(ours * found[1], 0.002)
        if within > REFINED_WITHIN or abs(bpm - ours) <= within:
            return None
        origin_s = float(tempo_map.origin_s)
        finer = simplest(bpm, within)
        if abs(finer - bpm) > within or finer == ours:
            return None
        # Clocks nearly in step with the host's periods seem one hundredth now and the next then.
        if finer in self._had and not self._drift.is_full:
            return None
        passed = (status.position_s - origin_s) * finer / 60
        aside = status.position_source != status.tempo_source and _is_placed(status)
        if aside and abs(_beats_off(status, passed)) * 60 / finer > ARRIVES_WITHIN_S:
            return None
        self._drift.clear()
        self._had.add(ours)
        return ClockMap(TempoMap.constant(finer, tempo_map.meter_at(status.position_beats), round(origin_s, 4)), "")


def _within(status: PlayerStatus) -> float:
    """bpm that the tempo may be off what is meant."""
    return STATED_WITHIN if status.stated_beats is not None else MEASURED_WITHIN * status.tempo_bpm


def simplest(bpm: float, within: float) -> float:
    """The roundest tempo within a distance, as people set them in a DAW: whole, half, tenths, hundredths."""
    for step in (1.0, 0.5, 0.1):
        rounded = round(round(bpm / step) * step, 2)
        if abs(rounded - bpm) <= within:
            return rounded
    return round(bpm, 2)


def _meant(status: PlayerStatus, origin_s: float) -> float | None:
    """The roundest tempo that has brought the clock from bar 1 to the place within the beat where it is; None where no
    tempo near the measured one does, or bar 1 lies ahead."""
    passed_s = status.position_s - origin_s
    measured = status.tempo_bpm
    counted = _counted(status, passed_s)
    if counted is not None:
        return counted
    if passed_s <= 0 or (status.beat_phase is None and status.stated_beats is None):
        return None
    within = _within(status)
    lowest, highest = math.ceil((measured - within) * 100), math.floor((measured + within) * 100)
    fitting = []  # (how far the clock lies off in steps of 5 ms, from the measured tempo, hundredths of a bpm)
    for bpm in range(lowest, highest + 1):
        off_s = abs(_beats_off(status, passed_s * bpm / 6000)) * 6000 / bpm
        if off_s <= ARRIVES_WITHIN_S:
            fitting.append((round(off_s / 0.005), abs(bpm / 100 - measured), bpm))
    for step in (100, 50, 10, 1):
        round_ones = [each for each in fitting if each[2] % step == 0]
        if round_ones:
            return min(round_ones)[2] / 100
    return None


def _is_placed(status: PlayerStatus) -> bool:
    """Whether the clock can say where in its beat it is: its song position ends at beat 4,095.75, and behind that it
    only says how fast it goes."""
    return status.clock_beats is None or status.clock_beats[0] < LAST_BEAT


def _counted(status: PlayerStatus, passed_s: float) -> float | None:
    """The roundest tempo that makes as many beats from bar 1 to here as the clock says; None where it does not say, or
    says what cannot be: its beats have to come as fast as is measured.

    Far from bar 1 many tempi bring the clock to the same place within a beat.  Ardour's song positions are six times
    too far: it counts clocks where the word means sixteenths.
    """
    if status.clock_beats is None or passed_s < COUNTED_FROM_S:
        return None
    said, since = status.clock_beats
    for beats in (said + since, said / 6 + since):
        bpm = beats * 60 / passed_s
        if abs(bpm - status.tempo_bpm) <= COUNTED_WITHIN * status.tempo_bpm:
            return simplest(bpm, max(2 * ARRIVES_WITHIN_S * bpm / passed_s, 0.005))
    return None


def _beats_off(status: PlayerStatus, beats: float) -> float:
    """How far the DAW's beat lies ahead of ours; 0 where it does not say.

    Only the place within the beat is taken from a clock, within half a beat either way: some DAWs send song positions
    that are wrong by whole beats.  JACK's bars and beats are taken as they are.
    """
    if status.stated_beats is not None:
        return status.stated_beats - beats
    if status.beat_phase is None:
        return 0.0
    return (status.beat_phase - beats + 0.5) % 1.0 - 0.5
