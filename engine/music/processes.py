"""Starting child processes so that a Ctrl-C never reaches them, not even while their interpreter is starting.

A terminal sends SIGINT to the whole process group.  A child that ignores it only once its own code runs would show a
traceback when it comes a moment too early, so it is started with the signal blocked, which a new program inherits.
"""

from __future__ import annotations

import signal
from multiprocessing.process import BaseProcess


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
