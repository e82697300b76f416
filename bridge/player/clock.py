"""The one clock interface: host seconds.  Real time is `time.perf_counter`; tests move an `OfflineClock` by
hand.

Host time is never wall time: it does not step, and it is the same clock in the bridge and in the player
(CLOCK_MONOTONIC, mach_absolute_time, QueryPerformanceCounter are all system-wide).
"""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Host seconds."""


class SystemClock:
    """`time.perf_counter`."""

    __slots__ = ()

    def now(self) -> float:
        return time.perf_counter()


class OfflineClock:
    """Stands still until it is moved."""

    __slots__ = ("host_s",)

    def __init__(self, host_s: float = 0.0) -> None:
        self.host_s = host_s

    def now(self) -> float:
        return self.host_s

    def advance(self, seconds: float) -> float:
        if seconds < 0:
            raise ValueError("a clock does not run backwards")
        self.host_s += seconds
        return self.host_s
