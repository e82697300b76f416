"""Who comes first on a crowded machine: what plays, then the first new chords, then the rest of a composition, then
looking at films.

A process may always lower its own priority and never raise it again.  On Linux the niceness belongs to a thread, so
one process can have both: an ordinary thread that answers, and a `LowThread` for all that may wait.  On macOS the
niceness is the process's, so there everything has that of the low thread; Windows has no niceness, and there all is
done at ordinary priority.  `GiveWay` works everywhere: an analysis stands still for the moments in which the first
chords of an answer are being composed.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

THREADS_HAVE_NICENESS: Final = sys.platform == "linux"
LONGEST_HOLD_S: Final = 0.25
_LOOK_EVERY_S: Final = 0.002  # how soon a held analysis notices that it may go on


def lower(niceness: int) -> None:
    """Adds to the niceness of this thread (Linux) or process (elsewhere); without effect where that is refused."""
    if hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(niceness)


class LowThread:
    """Does work at a lower priority than its caller, who waits for it.

    niceness: what is added.  Where only a whole process can be lowered, that is done at once and the work is done in
    the caller's thread.
    """

    def __init__(self, niceness: int) -> None:
        self._pool: ThreadPoolExecutor | None = None
        if THREADS_HAVE_NICENESS:
            self._pool = ThreadPoolExecutor(1, "low-priority", initializer=lower, initargs=(niceness,))
        else:
            lower(niceness)

    def run(self, work: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        """work(*arguments): its result, or what it raises."""
        if self._pool is None:
            return work(*arguments, **named)
        return self._pool.submit(work, *arguments, **named).result()

    def close(self) -> None:
        """Lets the thread end."""
        if self._pool is not None:
            self._pool.shutdown(wait=False)


class GiveWay:
    """A moment until which another process is asked to stand still; it goes over at the start of that process.

    It runs out by itself: one who asked and died holds nobody.
    """

    def __init__(self) -> None:
        # One aligned 8-byte number: written and read whole, so it needs no lock that a dead process could keep.
        self._until_s: ctypes.c_double = multiprocessing.get_context("spawn").RawValue(ctypes.c_double, 0.0)

    def ask(self, seconds: float = LONGEST_HOLD_S) -> None:
        """From now on, for so long at most."""
        self._until_s.value = time.monotonic() + seconds

    def release(self) -> None:
        """It may go on."""
        self._until_s.value = 0.0

    @property
    def until_s(self) -> float:
        """The moment, `time.monotonic` of any process of this machine; 0: nothing is asked."""
        return self._until_s.value


class Yielding:
    """The side that gives way: call it between two pieces of work, and it returns when the work may go on.

    It stands still for `longest_s` at a time at most and then works for at least as long as it stood, so that changes
    without end make an analysis take at most about twice as long, whatever is asked.
    """

    def __init__(self, asked: GiveWay, longest_s: float = LONGEST_HOLD_S) -> None:
        self._asked, self._longest_s = asked, longest_s
        self._free_until_s = 0.0
        self.held_s = 0.0  # altogether

    def __call__(self) -> None:
        until_s = self._asked.until_s
        if not until_s:
            return
        begun_s = now_s = time.monotonic()
        if begun_s < self._free_until_s:
            return
        while now_s < min(self._asked.until_s, begun_s + self._longest_s):
            time.sleep(_LOOK_EVERY_S)
            now_s = time.monotonic()
        stood_s = now_s - begun_s
        self.held_s += stood_s
        self._free_until_s = now_s + stood_s
