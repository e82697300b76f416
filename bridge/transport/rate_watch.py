"""Whether timecode really runs at the rate it is counted in.

MIDI timecode calls 23.976 "24" and 29.97 "30"; the two differ by a thousandth, which single arrivals hide and a
straight line through ten seconds of them shows.  Sans-I/O; running sums only, a few hundred nanoseconds a word.
"""

from __future__ import annotations

from typing import Final

from engine.music.timecode import FRAME_RATES, FrameRate

SPAN_S: Final = 10.0  # a shorter stretch does not tell a thousandth from the bunching of arrivals
TOLERANCE: Final = 3e-4
GAP_S: Final = 0.1  # further from where the last word leads is another run
_TWINS: Final = (("24", "23.976"), ("30", "29.97"))


class RateWatch:
    """`feed` each forward position of timecode; answers with the rate it really runs at, once a run, where that is not
    the one it is counted in."""

    def __init__(self) -> None:
        self._rate: FrameRate | None = None
        self._zero = self._last = (0.0, 0.0)
        self.forget()

    def forget(self) -> None:
        """The run has ended: a stop, a locate, another direction."""
        self._count = 0
        self._warned = False

    def feed(self, host_s: float, position_s: float, rate: FrameRate) -> FrameRate | None:
        if self._count:
            off = position_s - self._last[1] - (host_s - self._last[0])
            if abs(off) > GAP_S or rate != self._rate:
                self.forget()
        if not self._count:
            self._zero, self._rate = (host_s, position_s), rate
            self._x = self._y = self._xx = self._xy = 0.0
        self._last = (host_s, position_s)
        x = host_s - self._zero[0]
        y = position_s - self._zero[1] - x  # how far it has run ahead: small numbers, so nothing is lost in the sums
        self._count += 1
        self._x += x
        self._y += y
        self._xx += x * x
        self._xy += x * y
        if self._warned or x < SPAN_S or self._count < 200:
            return None
        self._warned = True
        return self._other(1.0 + self._slope())

    def _slope(self) -> float:
        below = self._xx - self._x * self._x / self._count
        return (self._xy - self._x * self._y / self._count) / below if below > 0 else 0.0

    def _other(self, speed: float) -> FrameRate | None:
        for whole, ntsc in _TWINS:
            if self._rate == FRAME_RATES[whole] and abs(speed - 1 / 1.001) < TOLERANCE:
                return FRAME_RATES[ntsc]
            if self._rate == FRAME_RATES[ntsc] and abs(speed - 1.001) < TOLERANCE:
                return FRAME_RATES[whole]
        return None
