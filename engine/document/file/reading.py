"""Reads session files: any version since the first, checked as a whole before anything of it is used.

What cannot be read is refused with one short sentence; nothing here writes.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec

from engine.document.cues import CueState
from engine.document.document import (
    Document,
    Lock,
    Pin,
    PrintedRange,
    Result,
    Step,
    TakeRating,
    check_cues,
    parse_chords,
    parse_key,
)
from engine.document.file import plans, schema
from engine.document.file.migrations import MIGRATIONS
from engine.document.film_reading import FilmReading
from engine.document.saved import NamedMark, SavedSession, SavedTake, SessionError, TempoChoice, TempoOrigin
from engine.document.takes import KeptTake, in_order
from engine.music import (
    PARTS,
    Chord,
    Controller,
    Cut,
    Draws,
    Film,
    FilmLevels,
    FrameRate,
    Hit,
    Key,
    MeterChange,
    MusicError,
    Note,
    Section,
    Slot,
    TempoChange,
    TempoMap,
    Timecode,
    TimeSignature,
    UserError,
    controls,
    shown,
)
from engine.music.controls import settings_of
from engine.music.plan_edit import PlanEdit
from engine.music.take_draws import parse_draws
from engine.music.timecode import timecode_rate

MAX_BYTES: Final = 256 * 2**20
_BOM: Final = b"\xef\xbb\xbf"
_LONGEST_REASON: Final = 160
_DECODER: Final = msgspec.json.Decoder(schema.SessionObject)
_HEAD: Final = msgspec.json.Decoder(schema.Head)


def read_session(path: Path) -> SavedSession:
    """Raises SessionError, in one sentence, for anything that is not a whole session file."""
    name = shown(path.name)
    try:
        kind = os.stat(path)
        if not stat.S_ISREG(kind.st_mode):
            raise SessionError(f"{name} is not a session file: it is not a regular file.")
        if kind.st_size > MAX_BYTES:
            raise SessionError(f"{name} is too large for a session file.")
        data = path.read_bytes()
    except OSError as error:
        raise SessionError(f"{shown(path)} cannot be read: {error.strerror or error}.") from None
    try:
        return decode_session(data)
    except SessionError as error:
        raise SessionError(f"{name} {error}") from None


def decode_session(data: bytes) -> SavedSession:
    """A session file's content as values.  Raises SessionError, whose sentence goes on after the file's name."""
    data = data.removeprefix(_BOM)
    try:
        head = _HEAD.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise SessionError(f"is not a session file{_why_no_json(data)}.") from None
    if head.format != schema.FORMAT:
        raise SessionError("is not a session file of CueBridge.")
    if head.version > schema.VERSION:
        raise SessionError(
            f"was written by a newer CueBridge (format {head.version}; this one reads {schema.VERSION})."
        )
    try:
        if head.version == schema.VERSION:
            return _session(_DECODER.decode(data))
        if head.version not in MIGRATIONS:
            raise SessionError(f"has the unknown format {head.version}.")
        values: Any = msgspec.json.decode(data)
        for version in range(head.version, schema.VERSION):
            values = MIGRATIONS[version](values)
        return _session(msgspec.convert(values, schema.SessionObject))
    except SessionError:
        raise
    except _REFUSED as error:
        raise SessionError(f"is damaged: {_reason(error)}.") from None


# What checking may raise for values of the right types that do not go together.
_REFUSED: Final = (
    msgspec.MsgspecError, UserError, KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError,
    RecursionError,
)  # fmt: skip


def _why_no_json(data: bytes) -> str:
    if not data.strip():
        return ": it is empty"
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return ": it is UTF-16 text; save it as UTF-8"
    return ": it is no JSON"


def _reason(error: BaseException) -> str:
    """Why, in a few words; where msgspec says the place, `$.steps[3].document` becomes `steps 3 document`."""
    if isinstance(error, KeyError):
        text = f"{error.args[0] if error.args else ''} is missing"
    elif isinstance(error, (UserError, ValueError, msgspec.MsgspecError)) and str(error):
        text = str(error)
    else:
        text = "its values do not go together"
    text = re.sub(r" - at (key in )?`\$\.?([^`]*)`", lambda m: f" ({re.sub(r'[^a-z_0-9]+', ' ', m[2]).strip()})", text)
    return shown(text.rstrip("."), _LONGEST_REASON)


# from the format to values ------------------------------------------------------------------------------------------
def _session(data: schema.SessionObject) -> SavedSession:
    results = [_result(each) for each in data.results]
    locks = [_lock(each) for each in data.locks]
    steps = tuple(_step(each, results, locks) for each in data.steps)
    if data.index >= len(steps):
        raise ValueError("its history has no step in force")
    takes = tuple(_take(each, results, locks) for each in data.takes)
    if len({(take.cut, take.cue, take.number) for take in takes}) < len(takes):
        raise ValueError("a take stands in it twice")
    said = tuple(TakeRating(each.cue, each.number, each.rating, each.note) for each in data.takes)
    said = tuple(each for each in said if each.rating or each.note)
    if said:  # a file in which they stood with the takes
        steps = tuple(replace(step, document=replace(step.document, ratings=said)) for step in steps)
    return SavedSession(
        reading=_film(data.film),
        tempo=TempoChoice(
            _tempo_map(data.time.tempo_map),
            _grid(data.time.grid),
            data.time.picture_starts_at_timeline_s,
            data.time.reason,
            TempoOrigin(data.time.asked, tuple(data.time.proposed)),
        ),
        steps=steps,
        index=data.index,
        takes=tuple(each for each in takes if not each.cut),
        takes_aside=tuple(each for each in takes if each.cut),
        names=frozenset(NamedMark(*(getattr(each, name) for name in each.__struct_fields__)) for each in data.names),
        film_beside=data.film.path_from_here,
    )


def _film(data: schema.FilmObject) -> FilmReading:
    rate = FrameRate(Fraction(data.fps), data.drop)
    path = os.fsdecode(bytes.fromhex(data.path_bytes)) if data.path_bytes else data.path
    if "\0" in path:
        raise ValueError("the film's path holds a zero")
    film = Film(
        path, data.duration_s, rate, data.width, data.height, data.content_key,
        None if data.start_frames is None else Timecode(data.start_frames, timecode_rate(rate.fps, drop=rate.drop)),
    )  # fmt: skip
    if data.reading not in ("full", "quick"):
        raise ValueError(f"'{data.reading}' is not a reading")
    cuts = tuple(Cut(cut.time_s, cut.strength, cut.kind) for cut in data.cuts)
    return FilmReading(film, cuts, data.reading, data.reason, data.affect_mean, data.fingerprint)


def _tempo_map(data: schema.TempoMapObject) -> TempoMap:
    return TempoMap(
        tuple(TempoChange(Fraction(beat), Fraction(bpm)) for beat, bpm in data.tempos),
        tuple(MeterChange(Fraction(beat), TimeSignature.parse(meter)) for beat, meter in data.meters),
        Fraction(data.origin_s),
    )


def _grid(word: str) -> str:
    if word not in ("beats", "seconds"):
        raise ValueError(f"'{word}' is not a grid")
    return word


@lru_cache(maxsize=4096)
def _chord(text: str) -> Chord:
    return Chord.parse(text)


def _result(data: schema.ResultObject) -> Result:
    levels = data.levels
    slots = tuple(
        Slot(
            index, row.start_s, row.end_s, row.start_beats, row.end_beats, _chord(row.chord), row.density,
            row.loudness, row.affect, row.motion, row.tension, bool(row.flags & 1), bool(row.flags & 2),
            bool(row.flags & 4),
        )
        for index, row in enumerate(data.slots)
    )  # fmt: skip
    # Beats of neighbours are not compared: a step of the history may hold slots of two tempo maps, where a new tempo
    # was being composed when the next edit came.
    if any(slot.end_s <= slot.start_s or slot.end_beats <= slot.start_beats for slot in slots) or any(
        after.start_s < before.end_s - 1e-6 for before, after in pairwise(slots)
    ):
        raise ValueError("its chords are not in order of time")
    return Result(
        slots=slots,
        tempo_map=_tempo_map(data.tempo_map),
        grid=_grid(data.grid),
        starts_s=data.picture_starts_at_timeline_s,
        key=Key.parse(data.key),
        key_reason=data.key_reason,
        complete=data.complete,
        levels=None if levels is None else FilmLevels(levels.density, levels.loudness, levels.motion),
        weights=tuple(data.weights),
        recipe=tuple(data.recipe),
        cue_keys=tuple((row.cue, Key.parse(row.key), row.reason) for row in data.cue_keys),
        plans=tuple(map(plans.read, data.plans)),
    )


def _step(data: schema.StepObject, results: Sequence[Result], locks: Sequence[Lock]) -> Step:
    try:
        film = None if data.film is None else _film(data.film)
        return Step(_document(data.document, results, locks), data.label, who=data.who, film=film)
    except MusicError as error:
        where = f" (step {shown(data.label, 40)})" if data.label else ""
        raise ValueError(f"{str(error).rstrip('.')}{where}") from None


def _document(data: schema.DocumentObject, results: Sequence[Result], locks: Sequence[Lock]) -> Document:
    if data.result >= len(results):
        raise ValueError("a step names a result that is not there")
    if any(place >= len(locks) for place in data.locks):
        raise ValueError("a step names a lock that is not there")
    document = Document(
        settings=MappingProxyType(settings_of(data.settings)),
        take=data.take,
        pins=tuple(
            sorted(
                (
                    Pin(pin.start_s, pin.end_s, _chord(pin.chord), pin.typed, pin.exact, tuple(pin.voicing))
                    for pin in data.pins
                ),
                key=lambda pin: pin.start_s,
            )
        ),
        hits=tuple(Hit(hit.time_s, hit.weight, hit.name) for hit in data.hits),
        sections=tuple(Section(row.start_s, tuple(row.changes), row.name, row.breath) for row in data.sections),
        progression_from_s=data.progression_from_s,
        printed=tuple(PrintedRange(_part(row.part), row.start_beats, row.end_beats) for row in data.printed),
        cue=data.cue,
        other_cues=tuple(
            CueState(row.number, MappingProxyType(settings_of(row.settings)), row.take, row.progression_from_s)
            for row in data.other_cues
        ),
        adopted=tuple((row.cue, MappingProxyType(settings_of(row.settings))) for row in data.adopted),
        result=results[data.result],
        draws=Draws(data.film_seed, data.film_seed_since_take, data.rules),
        plan_edits=tuple(
            PlanEdit(row.kind, row.cue, row.from_s, row.to_s, row.value, row.number) for row in data.plan_edits
        ),
        locks=tuple(locks[place] for place in data.locks),
        ratings=tuple(TakeRating(row.cue, row.take, row.rating, row.note) for row in data.ratings),
    )
    numbers = [state.number for state in document.cue_states]
    if len(set(numbers)) < len(numbers):
        raise ValueError("two cues have one number")
    # A chord or key that nobody can read would leave the session waiting for ever: it is said now.
    for state in document.cue_states:
        parse_key(state.text(controls.KEY))
        parse_chords(state)
        parse_draws(state.text(controls.DRAWS))
    check_cues(document)
    return document


def _part(name: str) -> str:
    if name not in PARTS:
        raise ValueError(f"'{name}' is not a part")
    return name


def _lock(data: schema.LockObject) -> Lock:
    if data.end_beats <= data.start_beats:
        raise ValueError("a lock has no length")
    notes, controllers = _music(data.notes, data.controllers)
    notes = tuple(sorted(notes, key=lambda note: note.start_beats))
    controllers = tuple(sorted(controllers, key=lambda each: each.time_beats))
    return Lock(_part(data.part), data.start_beats, data.end_beats, data.start_s, data.end_s, notes, controllers)


def _music(
    notes: Sequence[schema.NoteRow], controllers: Sequence[schema.ControllerRow]
) -> tuple[tuple[Note, ...], tuple[Controller, ...]]:
    return (
        tuple(
            Note(row.pitch, row.velocity, row.start_beats, row.length_beats, row.channel, _part(row.part))
            for row in notes
        ),
        tuple(
            Controller(row.number, row.value, row.time_beats, row.channel, _part(row.part)) for row in controllers
        ),
    )  # fmt: skip


def _take(data: schema.TakeObject, results: Sequence[Result], locks: Sequence[Lock]) -> SavedTake:
    notes = controllers = None
    if data.notes is not None:
        notes, controllers = _music(data.notes, data.controllers or ())
    document = _document(data.document, results, locks)
    take = KeptTake(document, data.name, data.kept, notes, controllers, data.to_beats)
    return SavedTake(data.cue, data.number, in_order(take), data.cut)
