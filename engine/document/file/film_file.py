"""Films as files: known again by their content, wherever they lie."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

from engine.music import UserError
from engine.music.files import open_regular

_PIECE: Final = 65_536
MAX_LOOKED_AT: Final = 2000  # files of a folder


def fingerprint(path: Path) -> str:
    """Size and digest of three pieces: the same wherever the file lies, and read in a moment whatever its length.

    Raises OSError.
    """
    try:
        opened = open_regular(path)
    except UserError as error:
        raise OSError(str(error)) from None
    with opened as file:
        size = os.fstat(file.fileno()).st_size
        digest = hashlib.sha256(str(size).encode())
        for start in (0, max(size // 2 - _PIECE // 2, 0), max(size - _PIECE, 0)):
            file.seek(start)
            digest.update(file.read(_PIECE))
    return digest.hexdigest()[:32]


def same_content(path: Path, wanted: str) -> bool:
    try:
        return fingerprint(path) == wanted
    except OSError:
        return False


def find_by_content(folder: Path, wanted: str) -> Path | None:
    """The file of a folder with this fingerprint; None where there is none."""
    try:
        paths = sorted(folder.iterdir())[:MAX_LOOKED_AT]
    except OSError:
        return None
    return next(
        (
            path
            for path in paths
            if wanted and os.path.isfile(path) and path.suffix != ".json" and same_content(path, wanted)
        ),
        None,
    )
