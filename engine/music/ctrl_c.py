"""Ctrl-C while a program starts.

Until its code catches a KeyboardInterrupt an interpreter shows a traceback for it.  A program that starts another
therefore holds SIGINT back meanwhile, which the other inherits until it is ready.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator


@contextlib.contextmanager
def ctrl_c_later() -> Iterator[None]:
    """Within it SIGINT waits: for this process until its end, for programs begun in it until their `ctrl_c_now`."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows has no process groups of this kind
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def ctrl_c_now() -> None:
    """Lets a SIGINT through that was held back.  Raises KeyboardInterrupt where one waits."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
