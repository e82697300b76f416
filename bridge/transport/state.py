"""What every transport source says, and what the player makes of it.

Host times are `time.perf_counter` seconds; positions are timeline seconds or beats (quarter notes); rates are
timeline seconds per host second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

POSITION_SOURCES: Final = ("internal", "auto", "plugin", "script", "mtc", "clock", "jack", "link")
TEMPO_SOURCES: Final = ("map", "auto", "clock", "jack", "link", "script", "plugin")
MIN_LOOP_S: Final = 0.05  # a shorter range would be all note-offs


@dataclass(frozen=True, slots=True)
class TransportObservation:
    """One thing heard about the DAW's transport, with the host time at which it was true.

    None means "not said".  `locate` marks a jump that was said outright (MTC full frame, MMC locate, SPP),
    `rolling` whether the transport moves, `loop` the range in timeline seconds, `meter` (numerator,
    denominator).
    """

    source: str
    host_s: float
    position_s: float | None = None
    position_beats: float | None = None
    rolling: bool | None = None
    rate: float | None = None
    bpm: float | None = None
    recording: bool | None = None
    locate: bool = False
    loop: tuple[float, float] | None = None
    meter: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Motion:
    """The playhead as a straight line: at `host_s` it is at `position_s` and moves with `rate`.

    audible: notes may sound.  A playhead that moves backwards or in shuttle is not audible.
    """

    host_s: float
    position_s: float
    rate: float
    audible: bool

    def position_at(self, host_s: float) -> float:
        return self.position_s + (host_s - self.host_s) * self.rate

    def host_at(self, position_s: float) -> float:
        """Host time at which a position is reached; only for a moving playhead."""
        return self.host_s + (position_s - self.position_s) / self.rate


STANDING: Final = Motion(0.0, 0.0, 0.0, False)


@dataclass(frozen=True, slots=True)
class Loop:
    """Timeline seconds; the end itself is not played."""

    start_s: float
    end_s: float

    @property
    def valid(self) -> bool:
        return self.end_s - self.start_s >= MIN_LOOP_S


@dataclass(frozen=True, slots=True)
class Change:
    """A new motion from its `host_s` on.  jump: the position is not where the old motion would have been, or
    playing begins or ends: sounding notes get their offs, and what should sound there begins."""

    motion: Motion
    jump: bool
