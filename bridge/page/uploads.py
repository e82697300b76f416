"""Films that come through the page: uploaded, or fetched from a link.  A name is a label and never a path."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bridge.page.protocol import TOO_BIG
from engine.music import shown
from engine.music.arguments import ControlError

_LONGEST: Final = 80  # characters of a name
_FULL: Final = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
_SPARE: Final = 200 * 2**20  # bytes that stay free


def safe_name(label: str) -> str:
    """A file name made of a label: no separators, no control characters, not hidden, no device of Windows."""
    name = label.replace("\\", "/").rsplit("/", 1)[-1]
    name = re.sub(r"[^\w .()\[\]'&+,-]", "_", name).strip(" .")
    stem, dot, ending = name.rpartition(".")
    if not dot:
        stem, ending = name, ""
    stem = stem.strip(" .")[:_LONGEST]
    if re.fullmatch(r"(?i)con|prn|aux|nul|com\d|lpt\d", stem):
        stem = f"_{stem}"
    return f"{stem}{dot}{ending[:10]}" if stem else "film.mp4"


def size_words(count: float) -> str:
    """`9.2 GB`, `340 MB`."""
    return f"{count / 2**30:.1f} GB" if count >= 2**30 / 2 else f"{count / 2**20:.0f} MB"


class Uploads:
    """folder: where films are kept; each has a folder of its own in it, so that no name meets another."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder, self._most = folder, most_bytes
        self._known: dict[str, tuple[Path, str]] = {}

    def path_of(self, number: str) -> tuple[Path, str]:
        """An uploaded film and its name.  Raises ControlError."""
        if number not in self._known:
            raise ControlError("bad_value", "there is no such upload.")
        return self._known[number]

    def check(self, label: str, size: int | None) -> None:
        """Before a byte is read.  Raises ControlError."""
        name = shown(safe_name(label))
        if size is not None and size > self._most:
            raise self._too_big(name, size)
        if size is not None and size + _SPARE > self._free():
            raise self._no_space(size)

    async def take(self, label: str, size: int | None, pieces: AsyncIterator[bytes]) -> tuple[str, str, int]:
        """Keeps what comes; its number, name and length.  Raises ControlError; then nothing of it is left."""
        self.check(label, size)
        name = safe_name(label)
        place = self.new_folder()
        path, count = place / name, 0
        try:
            with open(path, "xb") as file:
                async for piece in pieces:
                    count += len(piece)
                    if count > self._most:
                        raise self._too_big(shown(name), count)
                    file.write(piece)
            if not count or (size is not None and count < size):
                raise ControlError("bad_value", f"{shown(name)} did not come whole.")
        except OSError as error:
            shutil.rmtree(place, ignore_errors=True)
            if error.errno in _FULL:
                raise self._no_space(max(count, size or 0)) from None
            raise ControlError("not_ready", f"{shown(name)} cannot be kept: {error.strerror or error}.") from None
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        return self.add(path, name), name, count

    def add(self, path: Path, name: str) -> str:
        number = f"u{len(self._known) + 1}"
        self._known[number] = (path, name)
        return number

    def new_folder(self) -> Path:
        """For one film.  Raises ControlError."""
        place = self._folder / secrets.token_hex(4)
        try:
            place.mkdir(parents=True)
        except OSError as error:
            raise ControlError("not_ready", f"{self._folder} cannot be made: {error.strerror or error}.") from None
        return place

    def _too_big(self, name: str, size: int) -> ControlError:
        return ControlError(
            TOO_BIG, f"{name} is {size_words(size)}; {size_words(self._most)} is the most (--upload-limit)."
        )

    def _free(self) -> int:
        return shutil.disk_usage(self._nearest()).free

    def _no_space(self, needed: int) -> ControlError:
        words = f"Not enough space in {self._folder}: {size_words(needed)} needed, {size_words(self._free())} free."
        return ControlError("not_ready", words)

    def _nearest(self) -> Path:
        """The folder, or what there is of it."""
        folder = self._folder
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        return folder


def web_address(text: str) -> str:
    """Raises ControlError for what is no http or https address with a host."""
    address = text.strip()
    try:
        parts = urlsplit(address)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and address.isprintable()
    except ValueError:
        good = False
    if not good or address.startswith("-") or len(address) > 2000:
        raise ControlError("bad_value", "a link begins with http:// or https://.")
    return address


def largest_file(folder: Path) -> Path | None:
    """What a download has left; None: nothing."""
    files = [path for path in folder.iterdir() if path.is_file() and not path.name.endswith((".part", ".ytdl"))]
    return max(files, key=lambda path: os.stat(path).st_size, default=None)
