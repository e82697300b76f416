"""Folders for what is made on the way, which are gone when the program is, however it ended.

Each holds a file that its process keeps locked; the system lets go of the lock when the process ends, even by SIGKILL.
A folder whose lock nobody holds belongs to a process that is no more, and is removed by the next one that makes one.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Final

PREFIX: Final = "cuebridge-"
OWNER: Final = ".owner"
_UNOWNED_S: Final = 86_400.0
_MADE_HERE: Final = re.compile(r"(film|seen-\d+)\.npz|\.owner\.new")


class TemporaryFolder:
    """A new folder of this user's temporary files; a context manager that gives its path and removes it.

    kind: a word for its name.  Raises OSError where none can be made.
    """

    def __init__(self, kind: str = "") -> None:
        clear_left_behind()
        self.path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{kind}-" if kind else PREFIX))
        aside = self.path / f"{OWNER}.new"
        self._owner: IO[bytes] | None = aside.open("wb")
        with contextlib.suppress(OSError):  # no locks here: then it is not for others to say whose it is
            _lock(self._owner)
            aside.rename(self.path / OWNER)

    def remove(self) -> None:
        """With all that is in it.  May be called twice."""
        if self._owner is not None:
            self._owner.close()
            self._owner = None
            shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


def clear_left_behind() -> list[Path]:
    """Removes this user's folders whose processes have ended; returns them.  Never raises."""
    cleared: list[Path] = []
    with contextlib.suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            if not entry.name.startswith(PREFIX):
                continue
            with contextlib.suppress(OSError):
                about = entry.stat(follow_symlinks=False)
                ours = not hasattr(os, "getuid") or about.st_uid == os.getuid()
                if ours and entry.is_dir(follow_symlinks=False) and _is_left_behind(Path(entry.path), about.st_mtime):
                    shutil.rmtree(entry.path, ignore_errors=True)
                    cleared.append(Path(entry.path))
    return cleared


def _is_left_behind(folder: Path, changed_s: float) -> bool:
    """Raises OSError where that cannot be seen."""
    owner = folder / OWNER
    if not owner.is_file():
        # Without an owner it may be a person's: only what an analysis writes, and for long, is known to be ours.
        return time.time() - changed_s > _UNOWNED_S and all(_MADE_HERE.fullmatch(each) for each in os.listdir(folder))
    if sys.platform == "win32":
        owner.unlink()  # refused while its process has it open
        return True
    with owner.open("rb") as file:
        _lock(file)
    return True


def _lock(file: IO[bytes]) -> None:
    """Raises OSError where another process has it.  Windows needs none: an open file cannot be removed there."""
    if sys.platform != "win32":
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


__all__ = ["TemporaryFolder", "clear_left_behind"]
