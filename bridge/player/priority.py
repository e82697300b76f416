"""Asking the system to run the player before others, and saying what it answered.

Linux: SCHED_FIFO, low among the real-time priorities so that a JACK server (70) stays above.  macOS: the
user-interactive class of quality of service.  Windows: the multimedia class scheduler's "Pro Audio" task and
a 1 ms timer.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from typing import Any, Final

FIFO_PRIORITY: Final = 20
MCL_CURRENT: Final = 1
MCL_FUTURE: Final = 2
MCL_ONFAULT: Final = 4


def freeze_garbage() -> None:
    """What has been imported stays; no collection runs in the middle of a phrase (the player makes no
    cycles)."""
    gc.collect()
    gc.freeze()
    gc.disable()


def ask_for_realtime(wanted: bool = True) -> str:
    """Raises the calling thread's priority where allowed.  Returns a phrase such as `SCHED_FIFO 20` or
    `normal (why)`."""
    if not wanted:
        return "normal (not asked for)"
    if sys.platform == "darwin":
        return _macos()
    if sys.platform == "win32":
        return _windows()
    if not hasattr(os, "sched_setscheduler"):
        return "normal (this system has no real-time scheduling)"
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(FIFO_PRIORITY))
    except OSError as error:
        return f"normal (SCHED_FIFO refused: {error.strerror})"
    return f"SCHED_FIFO {FIFO_PRIORITY}"


def may_lock_memory() -> bool:
    """Whether the system sets no limit to locked memory (Linux): under one, a later allocation would fail."""
    if not sys.platform.startswith("linux"):
        return False
    import resource

    return resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY or os.geteuid() == 0


def lock_memory() -> bool:
    """Where it may: keeps what this process has touched, and will touch, in memory, so that no page is fetched from a
    disk in the middle of a phrase.  Returns whether it is so."""
    if not may_lock_memory():
        return False
    try:
        # A page counts once it is touched: the stacks of threads and JACK's shared memory are not brought in whole.
        return bool(ctypes.CDLL(None).mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0)
    except (OSError, AttributeError):
        return False


def _macos() -> str:
    try:
        library = ctypes.CDLL("/usr/lib/libSystem.dylib")
        answer = library.pthread_set_qos_class_self_np(0x21, 0)  # QOS_CLASS_USER_INTERACTIVE
    except (OSError, AttributeError) as error:
        return f"normal (no quality of service: {error})"
    return "QoS user-interactive" if answer == 0 else f"normal (quality of service refused: {answer})"


def _windows() -> str:
    windll: Any = getattr(ctypes, "windll", None)
    try:
        windll.winmm.timeBeginPeriod(1)
        task = ctypes.c_ulong(0)
        handle = windll.avrt.AvSetMmThreadCharacteristicsW("Pro Audio", ctypes.byref(task))
    except (OSError, AttributeError) as error:
        return f"normal (no multimedia class: {error})"
    return "MMCSS Pro Audio, 1 ms timer" if handle else "normal (MMCSS refused), 1 ms timer"
