"""Starting child processes so that a Ctrl-C never reaches them, not even while their interpreter is starting.

A terminal sends SIGINT to the whole process group.  A child that ignores it only once its own code runs would show a
traceback when it comes a moment too early, so it is started with the signal blocked, which a new program inherits.
"""

from __future__ import annotations

import contextlib
import errno
import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

from engine.music.ctrl_c import ctrl_c_later

NO_MEMORY: Final = 12  # exit code of a process that ran out of memory: ENOMEM where there is one


def start_sheltered(process: BaseProcess) -> None:
    """`process.start()` with SIGINT blocked for the child; this process gets a SIGINT of that moment afterwards."""
    if hasattr(signal, "pthread_sigmask"):
        from multiprocessing import resource_tracker

        # Its start unblocks the signal again, so it has to be up before.
        resource_tracker.ensure_running()
    with ctrl_c_later():
        process.start()


def start_on_pipe(
    target: Callable[..., None], *arguments: Any, name: str | None = None, daemon: bool = False
) -> tuple[Connection, BaseProcess]:
    """Starts `target(connection, *arguments)` in a sheltered process of its own; our end of its pipe, and the process.

    Raises OSError where the system has no process left; then nothing is open.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    try:
        process = context.Process(target=target, args=(theirs, *arguments), name=name, daemon=daemon)
        start_sheltered(process)
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return ours, process


def end_at_once(process: BaseProcess, patience_s: float = 0.0) -> None:
    """Ends a child and what it started, whatever state they are in: stopped, or deep in a library.

    patience_s: so long it may take to end in order, at a SIGTERM.
    """
    if patience_s > 0:
        process.terminate()
        process.join(patience_s)
    children = _children_of(process.pid) if process.pid is not None else []
    if process.is_alive():
        process.kill()
    for pid in children:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def _children_of(pid: int) -> list[int]:
    """As Linux tells; elsewhere a child of a child ends by its pipe."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(word) for task in tasks for word in (task / "children").read_text().split()]
        return children + [each for child in children for each in _children_of(child)]
    except (OSError, ValueError):
        return []


def memory_ran_out(error: BaseException) -> bool:
    """Whether it says so: Python's own error, the system's, or that of torch's or OpenCV's
    allocator or of the loader of libraries."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    words = str(error).lower()
    signs = ("alloc_cpu", "allocate memory", "out of memory", "insufficient memory", "failed to map segment")
    return any(sign in words for sign in signs)
