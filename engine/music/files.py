"""Reading without waiting, and writing so that nothing of a person's is lost: whole, and never over else unasked.

A symbolic link is followed and a file that was there keeps its mode and owner; a device, a pipe or a folder is refused.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from engine.music.errors import UserError, shown

_LONGEST_NAME: Final = 255  # bytes, of most file systems
_LONGEST_ENDING: Final = 12
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_WITHOUT_WAITING: Final = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """Opens a regular file to read; never waits, as opening a named pipe would.

    Raises UserError for what is no regular file, OSError as `open` does.
    """
    descriptor = os.open(path, os.O_RDONLY | _WITHOUT_WAITING)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UserError(f"{shown(path)} is not a regular file.")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def check_writes_a_file(path: str | os.PathLike[str]) -> None:
    """Raises UserError where something other than a regular file is at the path: a device, a pipe, a folder."""
    try:
        kind = os.stat(path).st_mode
    except (OSError, ValueError):  # nothing there; writing says what else is wrong
        return
    if not stat.S_ISREG(kind):
        what = "a folder" if stat.S_ISDIR(kind) else "a device or a pipe"
        raise UserError(f"{shown(path)} is {what}; name a file to write.")


def check_output(path: str | os.PathLike[str], *, replace: bool) -> None:
    """Everything that speaks against writing a file, before any work is done for it.

    replace: whether a file that is there may be replaced.  Raises UserError.
    """
    check_writes_a_file(path)
    target = Path(path)
    folder = target.parent
    if not folder.is_dir():
        raise UserError(f"There is no folder {shown(folder)} to write {shown(target.name)} into.")
    check_unused(path, replace=replace)
    if not os.access(Path(os.path.realpath(path)).parent, os.W_OK):
        raise UserError(f"Nothing can be written into the folder {shown(folder)}.")


def check_unused(path: str | os.PathLike[str], *, replace: bool, how: str = "--replace") -> None:
    """Raises UserError where a file is there that is not to be replaced.  how: what a person has to say for that."""
    if not replace and os.path.exists(path):
        name = shown(os.path.basename(path))
        raise UserError(f"{name} is there already: give another name, or say {how} to keep the old one as {name}.bak.")


def make_way(path: str | os.PathLike[str], *, replace: bool, how: str = "--replace") -> Path | None:
    """To be called right before a file is written: what is there is kept beside, or not to be replaced.

    Returns the copy; None where nothing was there.  Raises UserError.
    """
    check_unused(path, replace=replace, how=how)
    try:
        return keep_beside(path)
    except OSError as error:
        why = error.strerror or error
        raise UserError(f"{shown(os.path.basename(path))} cannot be copied aside: {why}.") from None


def file_mark(path: Path) -> tuple[int, ...] | None:
    """By which a file is known again as it was, as long as nobody writes it; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


@contextlib.contextmanager
def written_aside(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A path in the same folder, with the same ending, to write to; it takes the place of `path` at the end.

    Where anything is raised it is removed, and nothing has changed.  Raises UserError for what is no file, OSError
    where it cannot be written.
    """
    check_writes_a_file(path)
    real = Path(os.path.realpath(path))
    ending = real.suffix if len(real.suffix) <= _LONGEST_ENDING else ""
    aside = real.parent / f".cuebridge-{secrets.token_hex(6)}.part{ending}"
    try:
        before = os.stat(real)
    except OSError:
        before = None
    try:
        os.close(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, 0o666))
        yield aside
        if before is not None:
            os.chmod(aside, stat.S_IMODE(before.st_mode))
            if hasattr(os, "chown"):
                with contextlib.suppress(OSError):
                    os.chown(aside, before.st_uid, before.st_gid)
        os.replace(aside, real)
    except BaseException:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[None]:
    """Makes a folder in one that is there; one that is still empty where what follows raises goes again, one that was
    there already stays.  Raises UserError."""
    is_new = not os.path.lexists(path)
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise UserError(f"The folder {shown(path)} cannot be made: {error.strerror or error}.") from None
    try:
        yield
    except BaseException:
        if is_new:
            with contextlib.suppress(OSError):  # it holds something
                path.rmdir()
        raise


@contextlib.contextmanager
def made_folder(path: Path) -> Iterator[None]:
    """A folder, made with those above it where they are missing; those that are still empty where what follows raises
    go again, so that a command that refuses leaves nothing behind.  Raises OSError where it cannot be made."""
    made = [each for each in (path, *path.parents) if not os.path.lexists(each)]
    try:
        path.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for each in made:
            with contextlib.suppress(OSError):  # it holds something, or was not reached
                each.rmdir()
        raise


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Writes a file aside, then renames it: readers find the old content or the new one, whatever happens.

    Raises UserError for what is no file, OSError where it cannot be written; then nothing has changed.
    """
    with written_aside(path) as aside, open(os.open(aside, os.O_WRONLY | _NO_FOLLOW), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def keep_beside(path: str | os.PathLike[str]) -> Path | None:
    """Keeps a copy of a file that is about to be replaced: `NAME.bak`, `NAME.bak2` …, none of which is overwritten.

    Returns the copy; None where there is no file.  Raises OSError where none can be made.
    """
    real = Path(os.path.realpath(path))
    if not real.is_file():
        return None
    number = 1
    while True:
        end = ".bak" if number == 1 else f".bak{number}"
        copy = real.with_name(_cut(real.name, _LONGEST_NAME - len(end)) + end)
        number += 1
        try:
            os.link(real, copy)
            return copy
        except FileExistsError:
            continue
        except OSError:  # a file system without links
            if copy.exists():
                continue
            with open(copy, "xb") as target, open(real, "rb") as source:
                shutil.copyfileobj(source, target)
            return copy


def _cut(name: str, length: int) -> str:
    """A name of at most so many bytes."""
    while len(os.fsencode(name)) > length:
        name = name[:-1]
    return name
