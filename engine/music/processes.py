"""Starting child processes so that a Ctrl-C never reaches them, not even while their interpreter is starting.

A terminal sends SIGINT to the whole process group.  A child that ignores it only once its own code runs would show a
traceback when it comes a moment too early, so it is started with the signal blocked, which a new program inherits.
"""

from __future__ import annotations

import errno
import signal
from multiprocessing.process import BaseProcess
from typing import Final

NO_MEMORY: Final = 12  # exit code of a process that ran out of memory: ENOMEM where there is one


def start_sheltered(process: BaseProcess) -> None:
    """`process.start()` with SIGINT blocked for the child; this process gets a SIGINT of that moment afterwards."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows has no process groups of this kind
        process.start()
        return
    from multiprocessing import resource_tracker

    # Its start unblocks the signal again, so it has to be up before.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def memory_ran_out(error: BaseException) -> bool:
    """Whether it says so: Python's own error, the system's, or that of torch's or OpenCV's
    allocator or of the loader of libraries."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    words = str(error).lower()
    signs = ("alloc_cpu", "allocate memory", "out of memory", "insufficient memory", "failed to map segment")
    return any(sign in words for sign in signs)
