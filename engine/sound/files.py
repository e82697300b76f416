"""Files are written aside and renamed when they are whole; what goes wrong is one sentence."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.sound.errors import SoundError


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """A path in the same folder to write to; renamed to `path` at the end, removed where anything is raised.

    Errors of the system and of libav while writing become a SoundError.
    """
    import av

    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error
    os.close(handle)
    aside = Path(name)
    try:
        yield aside
        os.chmod(aside, 0o644)
        os.replace(aside, path)
    except (OSError, av.FFmpegError) as error:
        aside.unlink(missing_ok=True)
        raise cannot_write(path, error) from error
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def cannot_write(path: Path, error: BaseException) -> SoundError:
    reason = getattr(error, "strerror", None) or str(error)
    return SoundError(f"{path} cannot be written: {reason.rstrip('.')}.")


def check_folder(path: Path, overwrite: bool) -> None:
    """Raises SoundError where `path` cannot be written, or is there already and is not to be replaced."""
    folder = path.parent
    if not folder.is_dir():
        raise SoundError(f"There is no folder {folder} to write {path.name} into.")
    if path.is_dir():
        raise SoundError(f"{path} is a folder; name a file to write.")
    if path.exists() and not overwrite:
        raise SoundError(f"{path} is there already; --overwrite replaces it.")
    if not os.access(folder, os.W_OK):
        raise SoundError(f"Nothing can be written into the folder {folder}.")


def check_space(folder: Path, needed_bytes: int) -> None:
    """Raises SoundError where the folder's disk has less free."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise SoundError(f"Not enough space in {folder}: {_size(needed_bytes)} needed, {_size(free)} free.")


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
