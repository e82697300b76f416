"""What a session file holds, as plain JSON values and back.

Seconds are picture seconds unless they say timeline; beats are quarter notes of the tempo map beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from bridge.daw.names import NamedMark
from bridge.session.tempo import TempoChoice
from engine.document import CueState, Document, Pin, PrintedRange, Result, Step
from engine.music import (
    PARTS,
    Chord,
    Controller,
    Cut,
    Film,
    FilmLevels,
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
)
from engine.music.arguments import ControlError, Value
from engine.music.controls import settings_of
from engine.process.messages import FilmAnalysed


@dataclass(frozen=True, slots=True)
class SavedTake:
    """A take; kept ones with their notes and curves (beats of the document's tempo map)."""

    number: int
    name: str
    kept: bool
    document: Document
    notes: tuple[Note, ...] | None = None
    controllers: tuple[Controller, ...] | None = None
    cue: int = 0


@dataclass(frozen=True, slots=True)
class Saved:
    """What a session file holds.  names: what regions and markers of the DAW have said and need not say again."""

    analysed: FilmAnalysed
    fingerprint: str
    choice: TempoChoice
    steps: tuple[Step, ...]
    index: int
    takes: tuple[SavedTake, ...]
    film_beside: str = ""
    names: frozenset[NamedMark] = frozenset()


# writing ----------------------------------------------------------------------------------------------------
def name_values(names: frozenset[NamedMark]) -> list[list[object]]:
    ordered = sorted(names, key=lambda each: (each.start_s, each.kind, each.name))
    return [[each.kind, each.word, each.value, each.start_s, each.end_s, each.name] for each in ordered]


def film_values(analysed: FilmAnalysed, fingerprint: str, beside: str = "") -> dict[str, Any]:
    film = analysed.film
    return {
        "path": film.path,
        "path_from_here": beside,
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


def tempo_values(tempo_map: TempoMap) -> dict[str, Any]:
    return {
        "origin_s": str(tempo_map.origin_s),
        "tempos": [[str(change.beat), str(change.bpm)] for change in tempo_map.tempos],
        "meters": [[str(change.beat), str(change.meter)] for change in tempo_map.meters],
    }


def _level_values(levels: FilmLevels) -> list[Any]:
    motion = None if levels.motion is None else list(levels.motion)
    return [list(levels.density), list(levels.loudness), motion]


def _read_levels(data: Sequence[Any]) -> FilmLevels:
    motion = None if len(data) < 3 or data[2] is None else _numbers(data[2], 4)
    return FilmLevels(_numbers(data[0], 4), _numbers(data[1], 3), motion)  # type: ignore[arg-type]


def result_values(result: Result) -> dict[str, Any]:
    """All but its slots."""
    return {
        "tempo_map": tempo_values(result.tempo_map),
        "grid": result.grid,
        "picture_starts_at_timeline_s": result.starts_s,
        "key": result.key.name,
        "key_reason": result.key_reason,
        "complete": result.complete,
        "levels": None if result.levels is None else _level_values(result.levels),
        "weights": list(result.weights),
        "recipe": list(result.recipe),
        "cue_keys": [[number, key.name, reason] for number, key, reason in result.cue_keys],
    }


def slot_row(slot: Slot) -> list[Any]:
    flags = 1 * slot.pinned + 2 * slot.given + 4 * slot.provisional
    return [
        slot.start_s, slot.end_s, slot.start_beats, slot.end_beats, slot.chord.label, _bass(slot.chord), slot.density,
        slot.loudness, list(slot.affect), slot.motion, slot.tension, flags,
    ]  # fmt: skip


def _bass(chord: Chord) -> int | None:
    return chord.bass


def document_values(document: Document, result: int) -> dict[str, Any]:
    return {
        "settings": dict(document.settings),
        "take": document.take,
        "pins": [[pin.start_s, pin.end_s, pin.chord.lead_sheet()] for pin in document.pins],
        "hits": [[hit.time_s, hit.weight, hit.name] for hit in document.hits],
        "sections": [
            [each.start_s, [list(change) for change in each.changes], each.name, each.breath]
            for each in document.sections
        ],
        "progression_from_s": document.progression_from_s,
        "frozen": [[each.part, each.start_beats, each.end_beats] for each in document.printed],
        "cue": document.cue,
        "other_cues": [
            [cue.number, dict(cue.settings), cue.take, cue.progression_from_s] for cue in document.other_cues
        ],
        "adopted": [[number, dict(settings)] for number, settings in document.adopted],
        "result": result,
    }


def take_values(take: SavedTake, result: int) -> dict[str, Any]:
    """All but its notes and curves."""
    return {
        "number": take.number,
        "of_cue": take.cue,
        "name": take.name,
        "kept": take.kept,
        **document_values(take.document, result),
    }


def note_row(note: Note) -> list[Any]:
    return [note.pitch, note.velocity, note.start_beats, note.length_beats, note.channel, note.part]


def controller_row(each: Controller) -> list[Any]:
    return [each.number, each.value, each.time_beats, each.channel, each.part]


# reading --------------------------------------------------------------------------------------------------------------
def read_saved(data: dict[str, Any]) -> Saved:
    results = [_read_result(each) for each in data["results"]]
    steps = tuple(Step(_read_document(each, results), str(each["label"])) for each in data["steps"])
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
    return Saved(
        _read_film(data["film"]),
        str(data["film"]["fingerprint"]),
        choice,
        steps,
        index,
        takes,
        str(data["film"].get("path_from_here", "")),
        _read_names(data.get("names", [])),
    )


def _read_names(data: Sequence[Any]) -> frozenset[NamedMark]:
    return frozenset(
        NamedMark(str(kind), str(word), str(value), float(start), None if end is None else float(end), str(name))
        for kind, word, value, start, end, name in data
    )


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
        levels=None if levels is None else _read_levels(levels),
        weights=tuple(str(each) for each in data["weights"]),
        recipe=tuple(data["recipe"]),
        cue_keys=tuple((int(number), Key.parse(key), str(why)) for number, key, why in data.get("cue_keys", ())),
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


def _read_document(data: dict[str, Any], results: Sequence[Result]) -> Document:
    return Document(
        settings=_read_settings(data["settings"]),
        take=int(data["take"]),
        pins=tuple(Pin(float(start), float(end), Chord.parse(chord)) for start, end, chord in data["pins"]),
        hits=tuple(Hit(float(at), str(weight), str(name)) for at, weight, name in data["hits"]),
        sections=tuple(
            Section(float(start), tuple((str(what), str(value)) for what, value in changes), str(name), bool(breath))
            for start, changes, name, breath in data["sections"]
        ),
        progression_from_s=float(data["progression_from_s"]),
        printed=tuple(
            PrintedRange(_one_of(part, PARTS), float(start), float(end)) for part, start, end in data.get("frozen", ())
        ),
        cue=int(data.get("cue", 0)),
        other_cues=tuple(
            CueState(int(number), _read_settings(settings), int(take), float(from_s))
            for number, settings, take, from_s in data.get("other_cues", ())
        ),
        adopted=tuple((int(number), _read_settings(settings)) for number, settings in data.get("adopted", ())),
        result=results[int(data["result"])],
    )


def _read_settings(data: dict[str, Any]) -> Mapping[str, Value]:
    try:
        return MappingProxyType(settings_of(data))
    except ControlError as error:
        raise ValueError(str(error).rstrip(".")) from None


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
    document = _read_document(data, results)
    return SavedTake(
        int(data["number"]),
        str(data["name"]),
        bool(data["kept"]),
        document,
        notes,
        controllers,
        int(data.get("of_cue", 0)),
    )
