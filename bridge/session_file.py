"""The session file: JSON beside the film, with everything that decides the notes and the notes of kept takes.

It holds results, not only recipes: a restored session plays without the engine and with other weights.  Seconds are
picture seconds unless they say timeline; nothing is in samples.  Written aside, then renamed: a file is whole or old.

    {"format": "cuebridge-session", "version": 1,
     "film": {…}, "time": {…}, "results": [ … ], "steps": [ … ], "index": n, "takes": [ … ]}

Steps and takes name their result by its place in `results`, since most steps share one.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Final

from bridge.edits import Result
from bridge.session_values import (
    Saved,
    SavedTake,
    draft_values,
    film_values,
    read_saved,
    result_values,
    take_values,
    tempo_values,
)
from engine.music import UserError

SUFFIX: Final = ".cuebridge.json"
FORMAT: Final = "cuebridge-session"
VERSION: Final = 1
MAX_BYTES: Final = 256 * 2**20
_PIECE: Final = 65_536
__all__ = [
    "Saved",
    "SavedTake",
    "SessionError",
    "Writer",
    "find_film",
    "fingerprint",
    "read",
    "session_path",
    "write_text",
]


class SessionError(UserError):
    """A session file that cannot be read or written."""


# writing --------------------------------------------------------------------------------------------------------------
class Writer:
    """Makes the text; keeps that of results, which never change and are most of it."""

    def __init__(self) -> None:
        self._results: dict[int, tuple[Result, str]] = {}

    def text(self, saved: Saved) -> str:
        drafts = [step.draft for step in saved.steps] + [take.draft for take in saved.takes]
        places: dict[int, int] = {}
        used: dict[int, tuple[Result, str]] = {}
        texts: list[str] = []
        for draft in drafts:
            key = id(draft.result)
            if key not in places:
                places[key] = len(texts)
                used[key] = self._results.get(key) or (draft.result, _dumps(result_values(draft.result)))
                texts.append(used[key][1])
        self._results = used  # holds the results, so that an id is not taken by another
        place = lambda draft: places[id(draft.result)]  # noqa: E731
        head = {
            "format": FORMAT,
            "version": VERSION,
            "film": film_values(saved.analysed, saved.fingerprint),
            "time": {
                "tempo_map": tempo_values(saved.choice.tempo_map),
                "grid": saved.choice.grid,
                "picture_starts_at_timeline_s": saved.choice.picture_starts_at_s,
                "reason": saved.choice.reason,
            },
            "index": saved.index,
            "steps": [{"label": step.label, **draft_values(step.draft, place(step.draft))} for step in saved.steps],
            "takes": [take_values(take, place(take.draft)) for take in saved.takes],
        }
        return f'{_dumps(head)[:-1]},"results":[{",".join(texts)}]}}\n'


def write_text(path: Path, text: str) -> None:
    """Whole or not at all.  Raises SessionError."""
    try:
        handle, aside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(aside, path)
        except BaseException:
            Path(aside).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise SessionError(f"the session cannot be written to {path}: {error.strerror or error}.") from None


def _dumps(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


# reading --------------------------------------------------------------------------------------------------------------
def read(path: Path) -> Saved:
    """Raises SessionError, in one sentence, for anything that is not a whole session file."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SessionError(f"{path.name} is too large for a session file.")
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SessionError(f"{path} cannot be read: {error.strerror or error}.") from None
    except (ValueError, RecursionError):
        raise SessionError(f"{path.name} is not a session file: it is no JSON.") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise SessionError(f"{path.name} is not a session file of CueBridge.")
    if data.get("version") != VERSION:
        raise SessionError(f"{path.name} is of version {data.get('version')!r}; this program reads version {VERSION}.")
    try:
        return read_saved(data)
    except (KeyError, IndexError, TypeError, ValueError, ZeroDivisionError, UserError) as error:
        raise SessionError(f"{path.name} is damaged: {error or type(error).__name__}.") from None


# the film -------------------------------------------------------------------------------------------------------------
def fingerprint(path: Path) -> str:
    """Size and digest of three pieces: the same wherever the file lies, and read in a moment whatever its length."""
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for start in (0, max(size // 2 - _PIECE // 2, 0), max(size - _PIECE, 0)):
            file.seek(start)
            digest.update(file.read(_PIECE))
    return digest.hexdigest()[:32]


def find_film(saved: Saved, session: Path) -> Path | None:
    """The film where it was, or by its content in the session's folder; None when it is nowhere."""
    told = Path(saved.analysed.film.path)
    for path in (told, session.parent / told.name):
        if path.is_file():
            return path
    for path in sorted(session.parent.iterdir()):
        try:
            if path.is_file() and path.suffix != ".json" and fingerprint(path) == saved.fingerprint:
                return path
        except OSError:
            continue
    return None


def session_path(film: Path) -> Path:
    """A new file beside the film, or in the user's data folder where that cannot be written; none is overwritten."""
    folder = film.resolve().parent
    if not os.access(folder, os.W_OK):
        import platformdirs

        folder = Path(platformdirs.user_data_dir("cuebridge")) / "sessions"
        folder.mkdir(parents=True, exist_ok=True)
    path, number = folder / f"{film.stem}{SUFFIX}", 1
    while path.exists():
        number += 1
        path = folder / f"{film.stem}-{number}{SUFFIX}"
    return path


__all__ = [
    "SUFFIX",
    "Saved",
    "SavedTake",
    "SessionError",
    "Writer",
    "find_film",
    "fingerprint",
    "read",
    "session_path",
    "write_text",
]
