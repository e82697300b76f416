"""What a batch works on: the films of a folder, or the files that a list names."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from engine.music.errors import UserError, shown

_ENDINGS: Final = "mp4 m4v mov mkv webm avi mpg mpeg ts mts m2ts wmv flv mxf ogv 3gp dv"
FILMS: Final = frozenset(f".{ending}" for ending in _ENDINGS.split(" "))
_LONGEST_LIST: Final = 1 << 30  # bytes


def sources(place: str | os.PathLike[str], suffixes: Iterable[str] = FILMS) -> list[str]:
    """Absolute paths, sorted, each once.

    place: a folder, searched with its subfolders for files of these suffixes (hidden ones are left out); or a text file
    with a path a line, seen from the list's own folder; empty lines and lines with # are left out.  Raises UserError.
    """
    path, kinds = Path(place), frozenset(suffixes)
    if path.is_dir():
        found = set()
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            found |= {
                os.path.abspath(os.path.join(folder, name))
                for name in names
                if os.path.splitext(name)[1].lower() in kinds and not name.startswith(".")
            }
        if not found:
            raise UserError(
                f"The folder {shown(path)} holds no {'film' if kinds == FILMS else ' or '.join(sorted(kinds))}."
            )
        return sorted(found)
    if not path.is_file():
        raise UserError(f"There is no folder or list {shown(path)}.")
    if path.suffix.lower() in kinds:
        return [str(path.absolute())]
    try:
        if path.stat().st_size > _LONGEST_LIST:
            raise UserError(f"{shown(path.name)} is too large for a list of files.")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (UnicodeDecodeError, OSError) as error:
        raise UserError(f"{shown(path.name)} is not a list of files: a text with a path a line.") from error
    named = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not named:
        raise UserError(f"{shown(path.name)} names no file.")
    return sorted({os.path.abspath(path.absolute().parent / name) for name in named})
