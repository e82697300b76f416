"""Is this really the film that was looked at?  The hash of a whole file, read in the background at half speed.

A cache key samples a file (`engine.video.cache.content_key`), because a film of 50 GB must not be read before anything
is shown.  Two cuts of a film may then share a key where they differ between the samples; the whole hash tells them
apart afterwards.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_BLOCK_BYTES: Final = 4 << 20
AT_ONCE_BYTES: Final = 64 << 20  # a smaller file is read without pauses


@dataclass(frozen=True, slots=True)
class WholeHash:
    """hex: BLAKE2b-256 of every byte; path, size, changed_ns: the file that was read, unchanged while it was."""

    hex: str
    path: str
    size: int
    changed_ns: int


def stamp(path: str | os.PathLike[str]) -> tuple[str, int, int] | None:
    """Absolute path, size and time of last change of a file; None where it cannot be asked."""
    try:
        stat = Path(path).stat()
    except OSError:
        return None
    return str(Path(path).absolute()), stat.st_size, stat.st_mtime_ns


class BackgroundHash:
    """Reads a file in a daemon thread.  Nothing comes of it where the file cannot be read or changes meanwhile."""

    def __init__(self, path: str | os.PathLike[str], gently: bool = True) -> None:
        """gently: pause as long as each piece took, because a decoder reads from the same disk."""
        self.path = Path(path)
        self.began = stamp(path)  # of the file as it was when this was asked for
        self._gently = gently
        self._lock = threading.Lock()
        self._whole: WholeHash | None = None
        self._then: list[Callable[[WholeHash], None]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cuebridge-hash", daemon=True)
        self._thread.start()

    def then(self, tell: Callable[[WholeHash], None]) -> None:
        """Calls `tell` with the hash: now where it is known, else when it is, in the reading thread."""
        with self._lock:
            whole = self._whole
            if whole is None:
                self._then.append(tell)
        if whole is not None:
            tell(whole)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Whether it has ended by then, and with it what `then` was given."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Gives up; returns at once."""
        self._stop.set()

    def _run(self) -> None:
        before = self.began
        if before is None:
            return
        digest = hashlib.blake2b(digest_size=32)
        try:
            with self.path.open("rb") as handle:
                while True:
                    began_s = time.perf_counter()
                    block = handle.read(_BLOCK_BYTES)
                    if not block:
                        break
                    digest.update(block)
                    pause_s = time.perf_counter() - began_s if self._gently and before[1] > AT_ONCE_BYTES else 0.0
                    if self._stop.wait(pause_s):
                        return
        except OSError:
            return
        if stamp(self.path) == before:
            with self._lock:
                self._whole = WholeHash(digest.hexdigest(), *before)
                waiting, self._then = self._then, []
            for tell in waiting:
                tell(self._whole)
