"""Where session files lie, and where their films are."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import re
from pathlib import Path
from typing import Final

from engine.document import SavedSession
from engine.document.file import SUFFIX, SessionError
from engine.document.file.film_file import find_by_content, same_content
from engine.music import shown
from engine.user_folders import own_folder

_LONGEST_NAME: Final = 255 - len("-999")  # bytes of a file name, and room for a number
_KEPT_OF_A_NAME: Final = 60  # characters of a name that cannot be used whole


def find_film(saved: SavedSession, session: Path) -> Path | None:
    """The film of a session file; None where it cannot be found.

    It is looked for where it was, where it lies as seen from the session, and by its content in the session's folder.
    """
    known = Path(saved.reading.film.path)
    places = [known, session.parent / known.name]
    if saved.film_beside:
        places.insert(1, (session.parent / saved.film_beside).resolve())
    for path in (path for path in places if os.path.isfile(path)):
        if same_content(path, saved.fingerprint):
            return path
    return find_by_content(session.parent, saved.fingerprint)


def session_path(film: Path, *, beside: bool = True) -> Path:
    """A new file beside the film, or in the user's data folder; none is overwritten.

    The data folder is used where the film's folder cannot be written, where the film's name is no UTF-8 or too long to
    have the suffix added, and with beside False.  Raises SessionError where neither can be written.
    """
    folder = film.resolve().parent
    if not (beside and _is_usable(film.stem) and os.access(folder, os.W_OK)):
        folder = user_folder()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            why = error.strerror or error
            raise SessionError(
                f"the session can be kept neither beside the film nor in {shown(folder)}: {why}."
            ) from None
    stem = kept_name(film)
    path, number = folder / f"{stem}{SUFFIX}", 1
    while os.path.lexists(path):
        number += 1
        path = folder / f"{stem}-{number}{SUFFIX}"
    return path


def session_file_of(film: Path) -> Path | None:
    """The session that was kept of a film, the one saved last where there are several; None: there is none."""
    stem = kept_name(film)
    # Of reel1, not of reel10: its name and the number that `session_path` may have given it.
    own = re.compile(rf"{re.escape(stem)}(-\d+)?{re.escape(SUFFIX)}")
    found: list[tuple[float, Path]] = []
    for folder in (film.resolve().parent, user_folder()):
        with contextlib.suppress(OSError):
            for path in folder.glob(f"{glob.escape(stem)}*{SUFFIX}"):
                if own.fullmatch(path.name) and os.path.isfile(path):
                    found.append((path.stat().st_mtime, path))
    return max(found, default=(0.0, None))[1]


def kept_name(film: Path) -> str:
    """The film's name for a session file: its own, or a readable part of it with a digest of the whole."""
    if _is_usable(film.stem):
        return film.stem
    digest = hashlib.sha256(os.fsencode(film.stem)).hexdigest()[:8]
    readable = re.sub(r"[^\w .-]", "_", shown(film.stem, 10_000))[:_KEPT_OF_A_NAME]
    while len(readable.encode()) > 200:
        readable = readable[:-1]
    return f"{readable}-{digest}"


def _is_usable(stem: str) -> bool:
    try:
        return len(stem.encode()) + len(SUFFIX) <= _LONGEST_NAME
    except UnicodeEncodeError:
        return False


def user_folder() -> Path:
    """Where sessions are kept whose film's folder cannot be written."""
    return own_folder("data", None) / "sessions"
