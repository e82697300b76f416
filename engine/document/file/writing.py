"""Writes session files.

Rows that come in thousands are encoded in blocks, and what never changes (results, notes of kept takes) only once: the
encoder lets no other thread run until it is done, and most of a file is the same from save to save.
"""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from engine.document.document import Document, Lock, Result
from engine.document.file import plans, schema
from engine.document.film_reading import FilmReading
from engine.document.saved import SavedSession, SavedTake, SessionError, TempoChoice
from engine.music import Controller, Note, Slot, TempoMap, UserError, shown
from engine.music.files import write_whole
from engine.music.plan_edit import PlanEdit

BLOCK_ROWS: Final = 500  # about half a millisecond
# A full disk or a share that is away comes back; what has no right or a bad name does not.
_NEVER: Final = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.EINVAL, errno.ENOTDIR)
_ENCODE: Final = msgspec.json.Encoder().encode


class SessionWriter:
    """Encodes sessions; keeps the text of results and notes from call to call."""

    def __init__(self) -> None:
        self._texts: dict[int, tuple[object, msgspec.Raw]] = {}
        self._lock_places: dict[int, int] = {}

    def encode(self, saved: SavedSession, path: Path | None = None) -> bytes:
        """The content of a session file.  path: where it is to lie, to say where the film is as seen from there.

        Raises SessionError for a value that no file can hold (a number that is none).
        """
        known, self._texts = self._texts, {}

        def once(what: object, make: Callable[[], msgspec.Raw]) -> msgspec.Raw:
            # Holds the object too, so that its id is not taken by another.
            self._texts[id(what)] = found = known.get(id(what)) or (what, make())
            return found[1]

        all_takes = (*saved.takes, *saved.takes_aside)
        documents = [step.document for step in saved.steps] + [take.take.document for take in all_takes]
        results = {id(document.result): document.result for document in documents}
        places = {key: place for place, key in enumerate(results)}
        locks = {id(lock): lock for document in documents for lock in document.locks}
        self._lock_places = {key: place for place, key in enumerate(locks)}
        try:
            texts = [once(result, lambda result=result: _result(result)) for result in results.values()]  # type: ignore[misc]
            held = [once(lock, partial(_lock, lock)) for lock in locks.values()]
            takes = [self._take(take, places, once) for take in all_takes]
            return _checked({
                "format": schema.FORMAT,
                "version": schema.VERSION,
                "film": _film(saved.reading, _as_seen_from(path, saved.reading.film.path)),
                "time": _time(saved.tempo),
                "index": saved.index,
                "steps": [
                    {
                        "label": step.label,
                        "document": self._document(step.document, places),
                        **({"who": step.who} if step.who else {}),
                        **(
                            {"film": _film(step.film, _as_seen_from(path, step.film.film.path))}
                            if step.film is not None
                            else {}
                        ),
                    }
                    for step in saved.steps
                ],
                "names": [
                    [each.kind, each.word, each.value, each.start_s, each.end_s, each.name]
                    for each in sorted(saved.names, key=lambda each: (each.start_s, each.kind, each.name))
                ],
                "takes": takes,
                "results": texts,
                **({"locks": held} if held else {}),
            }) + b"\n"  # fmt: skip
        except UnicodeEncodeError:
            raise SessionError("the session holds text that is not Unicode and cannot be written.") from None

    def _document(self, document: Document, places: dict[int, int]) -> dict[str, Any]:
        written = _document(document, places[id(document.result)])
        if document.locks:
            written["locks"] = [self._lock_places[id(lock)] for lock in document.locks]
        return written

    def _take(
        self, saved: SavedTake, places: dict[int, int], once: Callable[[object, Callable[[], msgspec.Raw]], msgspec.Raw]
    ) -> dict[str, Any]:
        take = saved.take
        notes, curves = take.notes, take.controllers or ()
        return {
            "cue": saved.cue,
            "number": saved.number,
            "name": take.name,
            "kept": take.kept,
            "document": self._document(take.document, places),
            "notes": None if notes is None else once(notes, lambda: _rows(map(_note, notes))),
            "controllers": None if notes is None else once(curves, lambda: _rows(map(_controller, curves))),
            **({} if take.to_beats is None else {"to_beats": take.to_beats}),
            **({"cut": saved.cut} if saved.cut else {}),
        }


def write_session(path: Path, data: bytes) -> None:
    """Writes an encoded session: whole or not at all.  Raises SessionError."""
    try:
        write_whole(path, data)
    except OSError as error:
        never = error.errno in _NEVER
        why = error.strerror or error
        raise SessionError(f"the session cannot be written to {shown(path)}: {why}.", never=never) from None
    except UserError as error:
        raise SessionError(str(error)) from None


def _checked(values: dict[str, Any]) -> bytes:
    """Encodes values; a number that is none would be written as null, and nobody could read it again."""
    _refuse_nan({name: value for name, value in values.items() if name not in ("results", "locks")})
    return _ENCODE(values)


def _refuse_nan(value: object) -> None:
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise SessionError("the session holds a value that is not a number and cannot be written.")
    elif isinstance(value, dict):
        for each in value.values():
            _refuse_nan(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            _refuse_nan(each)


def _rows(rows: Iterable[list[Any]]) -> msgspec.Raw:
    """An array of rows without nulls, encoded block by block."""
    pieces, rest = [], iter(rows)
    while block := list(itertools.islice(rest, BLOCK_ROWS)):
        text = _ENCODE(block)
        if b"null" in text:  # no row has an optional place, and no part or chord this name
            raise SessionError("the session holds a value that is not a number and cannot be written.")
        pieces.append(text[1:-1])
    return msgspec.Raw(b"[" + b",".join(pieces) + b"]")


def _as_seen_from(session: Path | None, film: str) -> str:
    """The film's path relative to the session's folder; "" where there is none (another drive)."""
    if session is None:
        return ""
    try:
        return _text(Path(os.path.relpath(Path(film).resolve(), session.resolve().parent)).as_posix())
    except (ValueError, OSError):
        return ""


def _text(path: str) -> str:
    """A path as text; what is no UTF-8 in it is shown as such."""
    return os.fsencode(path).decode("utf-8", "replace")


def _film(reading: FilmReading, beside: str) -> dict[str, Any]:
    film = reading.film
    text = _text(film.path)
    return {
        "path": text,
        "path_bytes": "" if text == film.path else os.fsencode(film.path).hex(),
        "path_from_here": beside,
        "fingerprint": reading.fingerprint,
        "content_key": film.content_key,
        "duration_s": film.duration_s,
        "fps": str(film.rate.fps),
        "drop": film.rate.drop,
        "width": film.width,
        "height": film.height,
        "start_frames": film.start_timecode.frames if film.start_timecode is not None else None,
        "reading": reading.reading,
        "reason": reading.reason,
        "cuts": [[cut.time_s, cut.strength, cut.kind] for cut in reading.cuts],
        "affect_mean": list(reading.affect_mean),
    }


def _tempo_map(tempo_map: TempoMap) -> dict[str, Any]:
    return {
        "origin_s": str(tempo_map.origin_s),
        "tempos": [[str(change.beat), str(change.bpm)] for change in tempo_map.tempos],
        "meters": [[str(change.beat), str(change.meter)] for change in tempo_map.meters],
    }


def _time(tempo: TempoChoice) -> dict[str, Any]:
    return {
        "tempo_map": _tempo_map(tempo.tempo_map),
        "grid": tempo.grid,
        "picture_starts_at_timeline_s": tempo.picture_starts_at_s,
        "reason": tempo.reason,
        "asked": tempo.origin.asked,
        "proposed": [list(each) for each in tempo.origin.proposed],
    }


def _result(result: Result) -> msgspec.Raw:
    levels = result.levels
    head: dict[str, Any] = {
        "tempo_map": _tempo_map(result.tempo_map),
        "grid": result.grid,
        "picture_starts_at_timeline_s": result.starts_s,
        "key": result.key.name,
        "key_reason": result.key_reason,
        "complete": result.complete,
        "levels": None
        if levels is None
        else {"density": levels.density, "loudness": levels.loudness, "motion": levels.motion},
        "weights": list(result.weights),
        "recipe": list(result.recipe),
        "cue_keys": [[number, key.name, reason] for number, key, reason in result.cue_keys],
    }
    if result.plans:
        head["plans"] = [plans.written(plan) for plan in result.plans]
    _refuse_nan(head)
    return msgspec.Raw(_ENCODE({**head, "slots": _rows(map(_slot, result.slots))}))


def _slot(slot: Slot) -> list[Any]:
    return [
        slot.start_s, slot.end_s, slot.start_beats, slot.end_beats, slot.chord.harte(), slot.density, slot.loudness,
        slot.affect, slot.motion, slot.tension, 1 * slot.pinned + 2 * slot.given + 4 * slot.provisional,
    ]  # fmt: skip


def _note(note: Note) -> list[Any]:
    return [note.pitch, note.velocity, note.start_beats, note.length_beats, note.channel, note.part]


def _controller(each: Controller) -> list[Any]:
    return [each.number, each.value, each.time_beats, each.channel, each.part]


def _document(document: Document, result: int) -> dict[str, Any]:
    return {
        "settings": dict(document.settings),
        "take": document.take,
        "pins": [
            [
                pin.start_s,
                pin.end_s,
                pin.chord.harte(),
                pin.typed,
                *([pin.exact, pin.voicing] if pin.voicing else [True] if pin.exact else []),
            ]
            for pin in document.pins
        ],
        "hits": [[hit.time_s, hit.weight, hit.name] for hit in document.hits],
        "sections": [[each.start_s, each.changes, each.name, each.breath] for each in document.sections],
        "progression_from_s": document.progression_from_s,
        "printed": [[each.part, each.start_beats, each.end_beats] for each in document.printed],
        "cue": document.cue,
        "other_cues": [
            [cue.number, dict(cue.settings), cue.take, cue.progression_from_s] for cue in document.other_cues
        ],
        "adopted": [[number, dict(settings)] for number, settings in document.adopted],
        "result": result,
        "film_seed": document.draws.film_seed,
        "film_seed_since_take": document.draws.since_take,
        "rules": document.draws.rules,
        **({"plan_edits": [_plan_edit(edit) for edit in document.plan_edits]} if document.plan_edits else {}),
        **(
            {"ratings": [[each.cue, each.take, each.rating, each.note] for each in document.ratings]}
            if document.ratings
            else {}
        ),
    }


def _lock(lock: Lock) -> msgspec.Raw:
    head = {
        "part": lock.part,
        "start_beats": lock.start_beats,
        "end_beats": lock.end_beats,
        "start_s": lock.start_s,
        "end_s": lock.end_s,
    }
    _refuse_nan(head)
    notes, controllers = _rows(map(_note, lock.notes)), _rows(map(_controller, lock.controllers))
    return msgspec.Raw(_ENCODE({**head, "notes": notes, "controllers": controllers}))


def _plan_edit(edit: PlanEdit) -> list[Any]:
    return [edit.kind, edit.cue, edit.from_s, edit.to_s, edit.value, edit.number]
