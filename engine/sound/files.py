"""Files are written aside and renamed when they are whole; what goes wrong is one sentence."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.music import UserError, files
from engine.sound.errors import SoundError


@contextmanager
def written_aside(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """A path in the same folder to write to; it takes the place of `path` at the end, removed where anything is raised.

    replace: whether a file that is there may be replaced; it is kept beside.  Errors of the system and of libav while
    writing become a SoundError.
    """
    import av

    try:
        with files.written_aside(path) as aside:
            yield aside
            files.make_way(path, replace=replace)
    except (OSError, av.FFmpegError) as error:
        raise cannot_write(path, error) from error
    except SoundError:
        raise
    except UserError as error:
        raise SoundError(str(error)) from None


def cannot_write(path: Path, error: BaseException) -> SoundError:
    reason = getattr(error, "strerror", None) or str(error)
    return SoundError(f"{path} cannot be written: {reason.rstrip('.')}.")


def check_writable(path: Path, *, replace: bool) -> None:
    """Raises SoundError where `path` cannot be written, or is there already and is not to be replaced."""
    try:
        files.check_output(path, replace=replace)
    except UserError as error:
        raise SoundError(str(error)) from None


def check_space(folder: Path, needed_bytes: int) -> None:
    """Raises SoundError where the folder's disk has less free."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise SoundError(f"Not enough space in {folder}: {_size(needed_bytes)} needed, {_size(free)} free.")


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
