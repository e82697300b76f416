"""Mailboxes: files that a script made to read the bridge's answers from, for hosts that can send but not receive.

A path that comes in a message may name anything: it is opened in a thread, without waiting, and only written to where
it is a regular file with the header of a mailbox.  Nobody waits for that thread, neither while the bridge runs nor when
it stops.
"""

from __future__ import annotations

import os
import queue
import stat
import threading
from dataclasses import dataclass
from typing import Final

HEADER: Final = b"cuebridge-mailbox\t1\n"
MAX_WAITING: Final = 1000  # lines for a file system that does not answer; more are dropped
MAX_PATHS: Final = 16  # at work at once
_CAREFUL: Final = sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOFOLLOW", "O_CLOEXEC", "O_BINARY"))


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a check, or of a write that failed.  problem: "" or one sentence."""

    path: str
    problem: str


class Mailboxes:
    """Each path has a thread of its own while there is something to do with it: one on a file system that does not
    answer holds up no other.  Any thread may call these; none of them waits."""

    def __init__(self) -> None:
        self._results: queue.SimpleQueue[Checked] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting: dict[str, list[bytes | None]] = {}  # of each path at work: None is a check, bytes a line

    def check(self, path: str) -> None:
        """Looks whether it is a mailbox; `results` says so later."""
        self._put(path, None)

    def append(self, path: str, line: str) -> None:
        """Adds a line; what cannot be written is told by `results`."""
        self._put(path, line.encode("utf-8"))

    def results(self) -> list[Checked]:
        """Every check that is done, and every failed write."""
        found = []
        while True:
            try:
                found.append(self._results.get_nowait())
            except queue.Empty:
                return found

    def _put(self, path: str, what: bytes | None) -> None:
        with self._lock:
            waiting = self._waiting.get(path)
            if waiting is not None and (len(waiting) < MAX_WAITING):
                waiting.append(what)
                return
            if waiting is None and len(self._waiting) < MAX_PATHS:
                self._waiting[path] = [what]
                threading.Thread(target=self._work, args=(path,), name="mailbox", daemon=True).start()
                return
        self._results.put(Checked(path, "the mailbox of the script cannot be reached."))

    def _work(self, path: str) -> None:
        while True:
            with self._lock:
                waiting = self._waiting[path]
                if not waiting:
                    del self._waiting[path]
                    return
                what = waiting.pop(0)
            try:
                problem = _check(path) if what is None else _append(path, what)
            except (OSError, ValueError):  # ValueError: a path with a zero in it
                problem = "the mailbox file of the script cannot be opened."
            if what is None or problem:
                self._results.put(Checked(path, problem))


def _open(path: str, flags: int) -> int:
    """A descriptor of a regular file; raises OSError for anything else, without waiting for a writer or a reader."""
    descriptor = os.open(path, flags | _CAREFUL)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("not a regular file")
    return descriptor


def _check(path: str) -> str:
    if not os.path.isabs(path):
        return "the mailbox is not one: its path is not absolute."
    with os.fdopen(_open(path, os.O_RDONLY), "rb") as file:
        good = file.read(len(HEADER)) == HEADER
    return "" if good else "the mailbox is not one: its first line says so."


def _append(path: str, data: bytes) -> str:
    with os.fdopen(_open(path, os.O_WRONLY | os.O_APPEND), "ab") as file:
        file.write(data)
    return ""
