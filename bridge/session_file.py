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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from bridge.edits import Draft, Pin, Result, Step
from bridge.osc.controls import BY_ADDRESS, SETTINGS, ControlError, Value
from bridge.session_tempo import TempoChoice
from engine.arrange import FilmLevels
from engine.messages import FilmAnalysed
from engine.music import (
    Chord,
    Controller,
    Cut,
    Film,
    FrameRate,
    Hit,
    Key,
    MeterChange,
    Note,
    Section,
    Slot,
    TempoChange,
    TempoMap,
    Timecode,
    TimeSignature,
    UserError,
)

SUFFIX: Final = ".cuebridge.json"
FORMAT: Final = "cuebridge-session"
VERSION: Final = 1
MAX_BYTES: Final = 256 * 2**20
_PIECE: Final = 65_536


class SessionError(UserError):
    """A session file that cannot be read or written."""


@dataclass(frozen=True, slots=True)
class SavedTake:
    """A take; kept ones with their notes and curves (beats of the draft's tempo map)."""

    number: int
    name: str
    kept: bool
    draft: Draft
    notes: tuple[Note, ...] | None = None
    controllers: tuple[Controller, ...] | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """What a session file holds."""

    analysed: FilmAnalysed
    fingerprint: str
    choice: TempoChoice
    steps: tuple[Step, ...]
    index: int
    takes: tuple[SavedTake, ...]


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
                used[key] = self._results.get(key) or (draft.result, _dumps(_result(draft.result)))
                texts.append(used[key][1])
        self._results = used  # holds the results, so that an id is not taken by another
        place = lambda draft: places[id(draft.result)]  # noqa: E731
        head = {
            "format": FORMAT,
            "version": VERSION,
            "film": _film(saved.analysed, saved.fingerprint),
            "time": {
                "tempo_map": _tempo_map(saved.choice.tempo_map),
                "grid": saved.choice.grid,
                "picture_starts_at_timeline_s": saved.choice.picture_starts_at_s,
                "reason": saved.choice.reason,
            },
            "index": saved.index,
            "steps": [{"label": step.label, **_draft(step.draft, place(step.draft))} for step in saved.steps],
            "takes": [_take(take, place(take.draft)) for take in saved.takes],
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


def _film(analysed: FilmAnalysed, fingerprint: str) -> dict[str, Any]:
    film = analysed.film
    return {
        "path": film.path,
        "fingerprint": fingerprint,
        "content_key": film.content_key,
        "duration_s": film.duration_s,
        "fps": str(film.rate.fps),
        "drop": film.rate.drop,
        "width": film.width,
        "height": film.height,
        "start_frames": film.start_timecode.frames if film.start_timecode is not None else None,
        "reading": analysed.reading,
        "reason": analysed.reason,
        "cuts": [[cut.time_s, cut.strength, cut.kind] for cut in analysed.cuts],
        "affect_mean": list(analysed.affect_mean),
    }


def _tempo_map(tempo_map: TempoMap) -> dict[str, Any]:
    return {
        "origin_s": str(tempo_map.origin_s),
        "tempos": [[str(change.beat), str(change.bpm)] for change in tempo_map.tempos],
        "meters": [[str(change.beat), str(change.meter)] for change in tempo_map.meters],
    }


def _result(result: Result) -> dict[str, Any]:
    return {
        "tempo_map": _tempo_map(result.tempo_map),
        "grid": result.grid,
        "picture_starts_at_timeline_s": result.starts_s,
        "key": result.key.name,
        "key_reason": result.key_reason,
        "complete": result.complete,
        "levels": None if result.levels is None else [list(result.levels.density), list(result.levels.loudness)],
        "weights": list(result.weights),
        "recipe": list(result.recipe),
        "slots": [_slot(slot) for slot in result.slots],
    }


def _slot(slot: Slot) -> list[Any]:
    flags = 1 * slot.pinned + 2 * slot.given + 4 * slot.provisional
    return [
        slot.start_s, slot.end_s, slot.start_beats, slot.end_beats, slot.chord.label, _bass(slot.chord), slot.density,
        slot.loudness, list(slot.affect), slot.motion, slot.tension, flags,
    ]  # fmt: skip


def _bass(chord: Chord) -> int | None:
    return chord.bass


def _draft(draft: Draft, result: int) -> dict[str, Any]:
    return {
        "settings": dict(draft.settings),
        "take": draft.take,
        "pins": [[pin.start_s, pin.end_s, pin.chord.lead_sheet()] for pin in draft.pins],
        "hits": [[hit.time_s, hit.weight, hit.name] for hit in draft.hits],
        "sections": [
            [each.start_s, [list(change) for change in each.changes], each.name, each.breath] for each in draft.sections
        ],
        "progression_from_s": draft.progression_from_s,
        "result": result,
    }


def _take(take: SavedTake, result: int) -> dict[str, Any]:
    made = {"number": take.number, "name": take.name, "kept": take.kept, **_draft(take.draft, result)}
    if take.notes is not None:
        made["notes"] = [
            [note.pitch, note.velocity, note.start_beats, note.length_beats, note.channel, note.part]
            for note in take.notes
        ]
        made["controllers"] = [
            [each.number, each.value, each.time_beats, each.channel, each.part] for each in take.controllers or ()
        ]
    return made


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
        return _saved(data)
    except (KeyError, IndexError, TypeError, ValueError, ZeroDivisionError, UserError) as error:
        raise SessionError(f"{path.name} is damaged: {error or type(error).__name__}.") from None


def _saved(data: dict[str, Any]) -> Saved:
    results = [_read_result(each) for each in data["results"]]
    steps = tuple(Step(_read_draft(each, results), str(each["label"])) for each in data["steps"])
    index = int(data["index"])
    if not 0 <= index < len(steps):
        raise ValueError("its history has no step in force")
    time = data["time"]
    choice = TempoChoice(
        _read_tempo_map(time["tempo_map"]),
        _one_of(time["grid"], ("beats", "seconds")),
        float(time["picture_starts_at_timeline_s"]),
        str(time["reason"]),
    )
    takes = tuple(_read_take(each, results) for each in data["takes"])
    return Saved(_read_film(data["film"]), str(data["film"]["fingerprint"]), choice, steps, index, takes)


def _one_of(value: object, words: Sequence[str]) -> str:
    if value not in words:
        raise ValueError(f"{value!r} is not one of {', '.join(words)}")
    return str(value)


def _read_film(data: dict[str, Any]) -> FilmAnalysed:
    rate = FrameRate(Fraction(data["fps"]), bool(data["drop"]))
    first = data["start_frames"]
    film = Film(
        str(data["path"]), float(data["duration_s"]), rate, int(data["width"]), int(data["height"]),
        str(data["content_key"]), None if first is None else Timecode(int(first), rate),
    )  # fmt: skip
    cuts = tuple(Cut(float(at), float(strength), str(kind)) for at, strength, kind in data["cuts"])
    affect = tuple(float(weight) for weight in data["affect_mean"])
    return FilmAnalysed(0, film, cuts, str(data["reading"]), str(data["reason"]), affect, ())


def _read_tempo_map(data: dict[str, Any]) -> TempoMap:
    return TempoMap(
        tuple(TempoChange(Fraction(beat), Fraction(bpm)) for beat, bpm in data["tempos"]),
        tuple(MeterChange(Fraction(beat), TimeSignature.parse(meter)) for beat, meter in data["meters"]),
        Fraction(data["origin_s"]),
    )


def _read_result(data: dict[str, Any]) -> Result:
    levels = data["levels"]
    return Result(
        slots=tuple(_read_slot(index, row) for index, row in enumerate(data["slots"])),
        tempo_map=_read_tempo_map(data["tempo_map"]),
        grid=_one_of(data["grid"], ("beats", "seconds")),
        starts_s=float(data["picture_starts_at_timeline_s"]),
        key=Key.parse(data["key"]),
        key_reason=str(data["key_reason"]),
        complete=bool(data["complete"]),
        levels=None if levels is None else FilmLevels(_numbers(levels[0], 4), _numbers(levels[1], 3)),  # type: ignore[arg-type]
        weights=tuple(str(each) for each in data["weights"]),
        recipe=tuple(data["recipe"]),
    )


def _numbers(values: Sequence[Any], count: int) -> tuple[float, ...]:
    if len(values) != count:
        raise ValueError(f"{count} numbers are wanted where {len(values)} are")
    return tuple(float(value) for value in values)


def _read_slot(index: int, row: Sequence[Any]) -> Slot:
    start_s, end_s, start_beats, end_beats, label, bass, density, loudness, affect, motion, tension, flags = row
    chord = Chord.parse(label)
    if bass is not None:
        chord = Chord(chord.root, chord.quality, int(bass))
    return Slot(
        index, float(start_s), float(end_s), float(start_beats), float(end_beats), chord, float(density),
        float(loudness), _numbers(affect, 6), float(motion), float(tension), bool(flags & 1), bool(flags & 2),
        bool(flags & 4),
    )  # fmt: skip


def _read_draft(data: dict[str, Any], results: Sequence[Result]) -> Draft:
    return Draft(
        settings=_read_settings(data["settings"]),
        take=int(data["take"]),
        pins=tuple(Pin(float(start), float(end), Chord.parse(chord)) for start, end, chord in data["pins"]),
        hits=tuple(Hit(float(at), str(weight), str(name)) for at, weight, name in data["hits"]),
        sections=tuple(
            Section(float(start), tuple((str(what), str(value)) for what, value in changes), str(name), bool(breath))
            for start, changes, name, breath in data["sections"]
        ),
        progression_from_s=float(data["progression_from_s"]),
        result=results[int(data["result"])],
    )


def _read_settings(data: dict[str, Any]) -> Mapping[str, Value]:
    values: dict[str, Value] = {}
    for address, value in data.items():
        if address not in SETTINGS:
            raise ValueError(f"{address} is not a setting")
        try:
            values[address] = BY_ADDRESS[address].arguments[0].check(value)
        except ControlError as error:
            raise ValueError(str(error).rstrip(".")) from None
    return MappingProxyType(values)


def _read_take(data: dict[str, Any], results: Sequence[Result]) -> SavedTake:
    notes = controllers = None
    if "notes" in data:
        notes = tuple(
            Note(int(pitch), int(velocity), float(start), float(length), int(channel), str(part))
            for pitch, velocity, start, length, channel, part in data["notes"]
        )
        controllers = tuple(
            Controller(int(number), int(value), float(at), int(channel), str(part))
            for number, value, at, channel, part in data["controllers"]
        )
    draft = _read_draft(data, results)
    return SavedTake(int(data["number"]), str(data["name"]), bool(data["kept"]), draft, notes, controllers)


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
