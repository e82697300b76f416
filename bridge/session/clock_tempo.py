"""The tempo of a MIDI clock or of JACK, as far as the bars can follow it.

Positions are picture seconds unless they say timeline; host times are seconds of the session's clock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from bridge.player.messages import PlayerStatus
from engine.music import TempoMap

OFF_BEATS: Final = 0.1  # beats that lie so far from the clock's are others
STEADY_S: Final = 1.0  # a clock's tempo has to hold this long before bars follow it
NO_CLOCK: Final = ("map", "script", "internal", "")


class Heard(NamedTuple):
    """A tempo map that agrees with the clock, and a sentence where it cannot hold for the whole film."""

    tempo_map: TempoMap
    warning: str


class ClockTempo:
    """Call `watch` with every tick while the session follows a DAW."""

    def __init__(self) -> None:
        self._other: tuple[float, float] | None = None  # a tempo that is not ours, and since when
        self._agreed = False  # since play began the clock has had our tempo

    def watch(
        self, status: PlayerStatus, tempo_map: TempoMap, first_bar_1_s: Callable[[], float], host_s: float
    ) -> Heard | None:
        """A map to be used from now on, once the clock has had another tempo for a while.

        first_bar_1_s: timeline second of bar 1 before any clock has moved it.
        """
        if status.tempo_source in NO_CLOCK:
            return None
        if not status.rolling:  # a tempo set while the DAW stands is that of the whole film, as far as anybody says
            self._other, self._agreed = None, False
            return None
        if status.tempo_bpm <= 0:
            return None
        ours = tempo_map.bpm_at(status.position_beats)
        off = _beats_off(status, tempo_map.beats_at(status.position_s))
        same = abs(ours - status.tempo_bpm) < 0.02 * max(ours / 100, 1)
        if same and abs(off) < OFF_BEATS:
            self._other, self._agreed = None, True
            return None
        bpm = ours if same else round(status.tempo_bpm, 2)
        if self._other is None or abs(self._other[0] - bpm) > 0.05:
            self._other = (bpm, host_s)
            return None
        if host_s - self._other[1] <= STEADY_S:
            return None
        self._other = None
        meter = tempo_map.meter_at(status.position_beats)
        # It has changed here: this place keeps its beat.  Else the DAW's bar 1 is taken to be where ours is.
        origin_s = status.position_s - status.position_beats * 60 / bpm if self._agreed else first_bar_1_s()
        off = _beats_off(status, (status.position_s - origin_s) * bpm / 60)
        counts_beats = status.position_source == status.tempo_source
        elsewhere = abs(off) >= OFF_BEATS and not counts_beats
        if elsewhere:
            origin_s -= off * 60 / bpm
        warning = ""
        if self._agreed or elsewhere:
            warning = (
                f"{status.tempo_source} says {bpm:g}, but not what the tempo was before this place: bars are "
                "counted from here. A tempo map (--tempo-map) says it for the whole film."
            )
        self._agreed = True
        return Heard(TempoMap.constant(bpm, meter, round(origin_s, 4)), warning)


def _beats_off(status: PlayerStatus, beats: float) -> float:
    """How far, within a beat either way, the clock's beat lies ahead of ours; 0 where it does not say.

    Only the place within the beat is taken from a clock: some DAWs send song positions that are wrong by whole beats.
    """
    if status.beat_phase is None:
        return 0.0
    return (status.beat_phase - beats + 0.5) % 1.0 - 0.5
