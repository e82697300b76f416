"""The session file: JSON beside the film, with everything that decides the notes and the notes of kept takes.

It holds results, not only recipes: a restored session plays without the engine and with other weights.  Seconds are
picture seconds unless they say timeline; nothing is in samples.  Written aside, then renamed: a file is whole or old.

    {"format": "cuebridge-session", "version": 1,
     "film": {…}, "time": {…}, "results": [ … ], "steps": [ … ], "index": n, "names": [ … ], "takes": [ … ]}

Steps and takes name their result by its place in `results`, since most steps share one.
"""

from __future__ import annotations

import contextlib
import glob
import itertools
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from bridge.session.file.film_file import find_by_content, fingerprint, same_content
from bridge.session.file.values import (
    Saved,
    SavedTake,
    controller_row,
    document_values,
    film_values,
    name_values,
    note_row,
    read_saved,
    result_values,
    slot_row,
    take_values,
    tempo_values,
)
from engine.document import Result
from engine.music import UserError

SUFFIX: Final = ".cuebridge.json"
FORMAT: Final = "cuebridge-session"
VERSION: Final = 1
MAX_BYTES: Final = 256 * 2**20
PIECE_ROWS: Final = 500  # about a millisecond


class SessionError(UserError):
    """A session file that cannot be read or written."""


# writing --------------------------------------------------------------------------------------------------------------
class Writer:
    """Makes the text; keeps that of results and notes, which never change and are most of it."""

    def __init__(self) -> None:
        self._texts: dict[int, tuple[object, str]] = {}

    def text(self, saved: Saved, beside: Path | None = None) -> str:
        """The whole file; beside: its own path, to say where the film lies as seen from there."""
        known, self._texts = self._texts, {}

        def kept(what: object, make: Callable[[], str]) -> str:
            # Holds the object too, so that its id is not taken by another.
            self._texts[id(what)] = found = known.get(id(what)) or (what, make())
            return found[1]

        documents = [step.document for step in saved.steps] + [take.document for take in saved.takes]
        results = {id(document.result): document.result for document in documents}
        places = {key: place for place, key in enumerate(results)}
        texts = [kept(result, lambda result=result: _result_text(result)) for result in results.values()]  # type: ignore[misc]
        takes = []
        for take in saved.takes:
            text = _dumps(take_values(take, places[id(take.document.result)]))
            if take.notes is not None:
                notes = kept(take.notes, lambda rows=take.notes: _rows(map(note_row, rows)))  # type: ignore[misc]
                curves = take.controllers or ()
                changes = kept(curves, lambda rows=curves: _rows(map(controller_row, rows)))  # type: ignore[misc]
                text = _with(text, ("notes", notes), ("controllers", changes))
            takes.append(text)
        head = {
            "format": FORMAT,
            "version": VERSION,
            "film": film_values(saved.analysed, saved.fingerprint, _as_seen_from(beside, saved.analysed.film.path)),
            "time": {
                "tempo_map": tempo_values(saved.choice.tempo_map),
                "grid": saved.choice.grid,
                "picture_starts_at_timeline_s": saved.choice.picture_starts_at_s,
                "reason": saved.choice.reason,
            },
            "index": saved.index,
            "steps": [
                {"label": step.label, **document_values(step.document, places[id(step.document.result)])}
                for step in saved.steps
            ],
            "names": name_values(saved.names),
        }
        return f"{_with(_dumps(head), ('takes', _list(takes)), ('results', _list(texts)))}\n"


def _result_text(result: Result) -> str:
    return _with(_dumps(result_values(result)), ("slots", _rows(map(slot_row, result.slots))))


def _rows(rows: Iterable[list[Any]]) -> str:
    """A list of rows, in pieces: the encoder lets no other thread run until it is done."""
    pieces, rest = [], iter(rows)
    while piece := list(itertools.islice(rest, PIECE_ROWS)):
        pieces.append(_dumps(piece)[1:-1])
    return _list(pieces)


def _list(texts: Sequence[str]) -> str:
    return f"[{','.join(texts)}]"


def _with(values: str, *more: tuple[str, str]) -> str:
    """An object's text with more members, whose values are text already."""
    return f"{values[:-1]}{''.join(f',{_dumps(name)}:{text}' for name, text in more)}}}"


def _as_seen_from(session: Path | None, film: str) -> str:
    """The film's path relative to the session's folder; "" where there is none (another drive)."""
    if session is None:
        return ""
    try:
        return Path(os.path.relpath(Path(film).resolve(), session.resolve().parent)).as_posix()
    except (ValueError, OSError):
        return ""


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


# where ----------------------------------------------------------------------------------------------------------------
def find_film(saved: Saved, session: Path) -> Path | None:
    """The film of a session file: where it was, where it lies as seen from the session, or by its content in the
    session's folder; None when it is nowhere."""
    told = Path(saved.analysed.film.path)
    places = [told, session.parent / told.name]
    if saved.film_beside:
        places.insert(1, (session.parent / saved.film_beside).resolve())
    there = [path for path in places if os.path.isfile(path)]
    for path in there:
        if same_content(path, saved.fingerprint):
            return path
    return find_by_content(session.parent, saved.fingerprint)


def session_path(film: Path) -> Path:
    """A new file beside the film, or in the user's data folder where that cannot be written; none is overwritten.

    Raises SessionError where neither can.
    """
    folder = film.resolve().parent
    if not os.access(folder, os.W_OK):
        folder = _user_folder()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            why = error.strerror or error
            raise SessionError(f"the session can be kept neither beside the film nor in {folder}: {why}.") from None
    path, number = folder / f"{film.stem}{SUFFIX}", 1
    while path.exists():
        number += 1
        path = folder / f"{film.stem}-{number}{SUFFIX}"
    return path


def session_file_of(film: Path) -> Path | None:
    """The session that was kept of a film, the one saved last where there are several; None: there is none."""
    found = []
    for folder in (film.resolve().parent, _user_folder()):
        with contextlib.suppress(OSError):
            found += [path for path in folder.glob(f"{glob.escape(film.stem)}*{SUFFIX}") if os.path.isfile(path)]
    # Of reel1, not of reel10: its name and the number that `session_path` may have given it.
    own = re.compile(rf"{re.escape(film.stem)}(-\d+)?{re.escape(SUFFIX)}")
    found = [path for path in found if own.fullmatch(path.name)]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def _user_folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir("cuebridge")) / "sessions"


__all__ = [
    "SUFFIX",
    "Saved",
    "SavedTake",
    "SessionError",
    "Writer",
    "find_film",
    "fingerprint",
    "read",
    "session_file_of",
    "session_path",
    "write_text",
]
