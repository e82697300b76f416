"""Standard MIDI files: what was composed, what was really played, and tempo maps.

Type 1, 960 ticks a quarter note (SMF 1.0, MIDI Manufacturers Association 1996).  Track 0 has tempo, meter, key and
markers, then there is one track per part.  Tick 0 is bar 1, or the beginning of the bar of the earliest event where
that lies before bar 1.  Positions are quarter-note beats, files are written aside and then renamed.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import mido

from engine.arrange.options import Arrangement
from engine.arrange.rhythm import merge_runs
from engine.arrange.timeline import effective_cues
from engine.midi_scrub import MAX_BYTES, NotMidiError, scrub
from engine.music import (
    DEFAULT_CHANNELS,
    PARTS,
    Composition,
    Controller,
    Key,
    MeterChange,
    MusicError,
    Note,
    TempoChange,
    TempoMap,
    TimeSignature,
    UserError,
    shown,
)
from engine.music.files import make_way, open_regular, write_whole
from engine.music.spelling import key_signature

TICKS_PER_BEAT: Final = 960
_NOTE_OFF: Final = 0x80
_NOTE_ON: Final = 0x90
_CONTROL: Final = 0xB0


@dataclass(frozen=True, slots=True)
class Marker:
    """A text at a beat."""

    beats: float
    text: str


@dataclass(frozen=True, slots=True)
class MidiScore:
    """What a file holds; notes and controllers in order of time, `part` is the track's name in lower case."""

    notes: tuple[Note, ...]
    controllers: tuple[Controller, ...]
    tempo_map: TempoMap
    markers: tuple[Marker, ...] = ()
    key: Key | None = None
    tracks: tuple[str, ...] = ()


# writing -----------------------------------------------------------------------------------------------------------
def composition_markers(composition: Composition) -> tuple[Marker, ...]:
    """One for each chord change, cut, hit, In and Out, in order of time."""
    found = [Marker(run.start_beats, composition.spell(run.chord)) for run in merge_runs(composition.slots)]
    for number, cut in enumerate(composition.cuts, start=1):
        found.append(Marker(composition.beats_at_picture(cut.time_s), f"{cut.kind} {number}"))
    hits = list(composition.hits)
    for cue in effective_cues(composition):
        hits += cue.hits
        if composition.cues:
            out_s = composition.film.duration_s if cue.out_s is None else cue.out_s
            found.append(Marker(composition.beats_at_picture(cue.in_s), f"{cue.name} In"))
            found.append(Marker(composition.beats_at_picture(out_s), f"{cue.name} Out"))
    for number, hit in enumerate(sorted(set(hits), key=lambda hit: hit.time_s), start=1):
        found.append(Marker(composition.beats_at_picture(hit.time_s), f"hit {hit.name or number}"))
    return tuple(sorted(found, key=lambda marker: marker.beats))


def write_midi(
    path: str | os.PathLike[str],
    composition: Composition,
    arrangement: Arrangement,
    *,
    parts: Sequence[str] | None = None,
    programs: Sequence[tuple[float, str, int]] = (),
) -> None:
    """Writes an arrangement, all parts or some.  Raises UserError where the file cannot be written.

    programs: program changes as (beat, part, program from 0); a file has none unless they are asked for.
    """
    chosen = PARTS if parts is None else tuple(parts)
    _write(
        Path(path),
        [note for note in arrangement.notes if note.part in chosen],
        [change for change in arrangement.controllers if change.part in chosen],
        composition.tempo_map,
        composition_markers(composition),
        composition.key,
        _title(composition),
        programs=programs,
    )


# size: what a file holds, each with a default.
def write_music(
    path: str | os.PathLike[str],
    notes: Sequence[Note],
    controllers: Sequence[Controller],
    tempo_map: TempoMap,
    *,
    markers: Sequence[Marker] = (),
    marker_tracks: Mapping[str, Sequence[Marker]] = MappingProxyType({}),
    key: Key | None = None,
    title: str = "CueBridge",
) -> None:
    """Writes notes of any parts, each on a track of its name.

    marker_tracks: markers on tracks of their own, by name, so that a DAW can take some and leave others.  Raises
    UserError where the file cannot be written.
    """
    _write(Path(path), notes, controllers, tempo_map, markers, key, title, marker_tracks)


def write_parts(
    directory: str | os.PathLike[str],
    stem: str,
    composition: Composition,
    arrangement: Arrangement,
    *,
    replace_old: bool = False,
) -> tuple[Path, ...]:
    """One file per part that has notes: `stem_pad.mid`, …; returns their paths.

    replace_old: files that are there are kept beside; else they are refused, with a UserError.
    """
    written = []
    sounding = {note.part for note in arrangement.notes}
    for part in PARTS:
        if part in sounding:
            path = Path(directory) / f"{stem}_{part}.mid"
            make_way(path, replace=replace_old)
            write_midi(path, composition, arrangement, parts=(part,))
            written.append(path)
    return tuple(written)


# size: what a file holds besides its events, each with a default.
def write_events(
    path: str | os.PathLike[str],
    events: Iterable[tuple[float, float, int, int, int, int]],
    tempo_map: TempoMap,
    *,
    key: Key | None = None,
    markers: Sequence[Marker] = (),
    channels: Mapping[str, int] = DEFAULT_CHANNELS,
    title: str = "CueBridge",
) -> int:
    """Writes what was really sent and returns the number of notes.

    events: in order of sending (position_s, host_s, status byte, data 1, data 2, port); position_s is the timeline
    second that the event belongs to.  A note without an end lasts to the last event.  Where a place was passed more
    than once (a loop), the last pass counts.
    """
    names = {channel: part for part, channel in channels.items()}
    open_notes: dict[tuple[int, int, int], tuple[float, float, int]] = {}
    spans: dict[tuple[int, int, int], tuple[float, int, int, int]] = {}
    controls: dict[tuple[int, int, int], tuple[float, int]] = {}
    last_position = last_host = 0.0

    def close(place: tuple[int, int, int], position_s: float, host_s: float) -> None:
        started = open_notes.pop(place, None)
        if started is None:
            return
        start_s, start_host, velocity = started
        # A wrap or a locate makes the position jump; then the clock says how long the note was.
        length_s = position_s - start_s if position_s > start_s else host_s - start_host
        start, end = tempo_map.beats_at(start_s), tempo_map.beats_at(start_s + max(length_s, 0.0))
        spans[(place[1], place[2], _tick(start))] = (max(end, start + 1 / TICKS_PER_BEAT), velocity, *place[1:])

    for position_s, host_s, status, data1, data2, port in events:
        kind, channel = status & 0xF0, (status & 0x0F) + 1
        place = (port, channel, data1)
        if kind == _NOTE_ON and data2 > 0:
            close(place, position_s, host_s)
            open_notes[place] = (position_s, host_s, data2)
        elif kind in (_NOTE_OFF, _NOTE_ON):
            close(place, position_s, host_s)
        elif kind == _CONTROL and data1 < 120:
            controls[(channel, data1, _tick(tempo_map.beats_at(position_s)))] = (position_s, data2)
        last_position, last_host = position_s, host_s
    for place in list(open_notes):
        close(place, last_position, last_host)

    notes = []
    following: dict[tuple[int, int], float] = {}
    for (channel, pitch, tick), (end, velocity, _, _) in sorted(spans.items(), key=lambda item: -item[0][2]):
        start = tick / TICKS_PER_BEAT
        end = min(end, following.get((channel, pitch), float("inf")))
        following[(channel, pitch)] = start
        notes.append(Note(pitch, velocity, start, end - start, channel, names.get(channel, f"channel {channel}")))
    notes.reverse()
    changes = [
        Controller(number, value, tempo_map.beats_at(position_s), channel, names.get(channel, f"channel {channel}"))
        for (channel, number, _), (position_s, value) in controls.items()
    ]
    _write(Path(path), notes, changes, tempo_map, markers, key, title)
    return len(notes)


def _title(composition: Composition) -> str:
    name = Path(composition.film.path).stem
    return f"{name} take {composition.take.name}" if name else f"take {composition.take.name}"


def _tick(beats: float) -> int:
    return round(beats * TICKS_PER_BEAT)


def one_at_a_time(notes: Sequence[Note]) -> list[Note]:
    """Notes of which, on a channel that parts share, none overlaps another of its pitch.

    The earlier one ends where the next begins, and a tick before one of another part: of one tick nobody knows which
    comes first, the end in one track or the beginning in another.  Of two that begin together the louder stays, as long
    as the longer.  The order is kept.
    """
    parts: dict[int, set[str]] = {}
    for note in notes:
        parts.setdefault(note.channel, set()).add(note.part)
    rows: dict[tuple[int, int], list[int]] = {}
    for index in sorted(range(len(notes)), key=lambda index: notes[index].start_beats):
        rows.setdefault((notes[index].channel, notes[index].pitch), []).append(index)
    found = dict(enumerate(notes))
    tick_beats = 1 / TICKS_PER_BEAT
    for (channel, _), row in rows.items():
        last = row[0]
        for index in row[1:] if len(parts[channel]) > 1 else ():
            note, before = found[index], found[last]
            gap_beats = tick_beats if note.part != before.part else 0.0
            if _tick(note.start_beats) == _tick(before.start_beats):
                length = max(note.length_beats, before.length_beats)
                found[index] = replace(note if note.velocity >= before.velocity else before, length_beats=length)
                del found[last]
            elif before.end_beats > note.start_beats - gap_beats:
                length = max(note.start_beats - gap_beats - before.start_beats, tick_beats)
                found[last] = replace(before, length_beats=length)
            last = index
    return [found[index] for index in sorted(found)]


# size: what a file holds; each public function leaves out some.
def _write(
    path: Path,
    notes: Sequence[Note],
    controllers: Sequence[Controller],
    tempo_map: TempoMap,
    markers: Sequence[Marker],
    key: Key | None,
    title: str,
    marker_tracks: Mapping[str, Sequence[Marker]] = MappingProxyType({}),
    programs: Sequence[tuple[float, str, int]] = (),
) -> None:
    notes = one_at_a_time(notes)
    places = [note.start_beats for note in notes] + [change.time_beats for change in controllers]
    places += [marker.beats for marker in markers]
    places += [marker.beats for row in marker_tracks.values() for marker in row]
    earliest = min(places, default=0.0)
    base = Fraction(0) if earliest >= 0 else tempo_map.bar_start(tempo_map.bar_at(earliest))
    base_tick = _tick(float(base))
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
    file.tracks.append(_track([*_conductor(tempo_map, base, key, title), *_marks(markers, base_tick)]))
    for name, row in marker_tracks.items():
        file.tracks.append(_track([_named(name), *_marks(row, base_tick)]))
    names = sorted(
        {note.part for note in notes} | {change.part for change in controllers},
        key=lambda name: (PARTS.index(name) if name in PARTS else len(PARTS), name),
    )
    for name in names:
        own_notes = [note for note in notes if note.part == name]
        own_controllers = [change for change in controllers if change.part == name]
        own_programs = [(beat, program) for beat, part, program in programs if part == name]
        file.tracks.append(
            _track([_named(name.capitalize()), *_part(own_notes, own_controllers, own_programs, base_tick)])
        )
    _save(path, file)


# What a track holds, as (tick, kind, message).  Sorted by tick, then by kind: what ends or prepares comes before what
# begins.
_Message = tuple[int, int, Any]


def _named(name: str) -> _Message:
    return 0, 0, mido.MetaMessage("track_name", name=_text(name))


def _conductor(tempo_map: TempoMap, base: Fraction, key: Key | None, title: str) -> Iterator[_Message]:
    base_tick = _tick(float(base))
    yield _named(title)
    if key is not None:
        yield 0, 1, mido.MetaMessage("key_signature", key=key_signature(key))
    for change in _from(tempo_map.signed_meters, base):
        meter = change.meter
        message = mido.MetaMessage("time_signature", numerator=meter.numerator, denominator=meter.denominator)
        yield max(_tick(float(change.beat)) - base_tick, 0), 1, message
    for tempo in _from(tempo_map.tempos, base):
        message = mido.MetaMessage("set_tempo", tempo=min(round(60_000_000 / tempo.bpm), 0xFFFFFF))
        yield max(_tick(float(tempo.beat)) - base_tick, 0), 1, message


def _marks(markers: Sequence[Marker], base_tick: int) -> Iterator[_Message]:
    for marker in markers:
        yield max(_tick(marker.beats) - base_tick, 0), 2, mido.MetaMessage("marker", text=_text(marker.text))


def _part(
    notes: Sequence[Note], controllers: Sequence[Controller], programs: Sequence[tuple[float, int]], base_tick: int
) -> Iterator[_Message]:
    for beat, program in programs if notes else ():
        message = mido.Message("program_change", channel=notes[0].channel - 1, program=program)
        yield max(_tick(beat) - base_tick, 0), 2, message
    for change in controllers:
        message = mido.Message("control_change", channel=change.channel - 1, control=change.number, value=change.value)
        yield _tick(change.time_beats) - base_tick, 2, message
    for note in notes:
        start = _tick(note.start_beats) - base_tick
        end = max(_tick(note.end_beats) - base_tick, start + 1)
        yield start, 3, mido.Message("note_on", channel=note.channel - 1, note=note.pitch, velocity=note.velocity)
        yield end, 1, mido.Message("note_off", channel=note.channel - 1, note=note.pitch, velocity=0)


def _from(changes: Sequence[Any], base: Fraction) -> list[Any]:
    """The changes in force from `base` on, the first of them moved to it."""
    inside = [change for change in changes if change.beat > base]
    before = [change for change in changes if change.beat <= base]
    first = before[-1] if before else changes[0]
    if not before:
        inside = inside[1:]
    moved = TempoChange(base, first.bpm) if isinstance(first, TempoChange) else MeterChange(base, first.meter)
    return [moved, *inside]


def _text(text: str) -> str:
    """Meta texts have no stated encoding: UTF-8 is what DAWs read beside ASCII; control characters would break them."""
    shown = text.replace("♭", "b").replace("♯", "#")
    return "".join(letter for letter in shown if letter.isprintable()).encode("utf-8", "replace").decode("latin-1")


def _read_text(text: str) -> str:
    """A meta text as it was meant: UTF-8 where it is that, else Latin-1."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _track(messages: list[tuple[int, int, Any]]) -> Any:
    track = mido.MidiTrack()
    position = 0
    for tick, _, message in sorted(messages, key=lambda item: item[:2]):
        track.append(message.copy(time=tick - position))
        position = tick
    track.append(mido.MetaMessage("end_of_track", time=0))
    return track


def _save(path: Path, file: Any) -> None:
    data = io.BytesIO()
    file.save(file=data)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, data.getvalue())
    except OSError as error:
        raise UserError(f"{shown(path)} cannot be written: {error.strerror or error}.") from error


# reading -----------------------------------------------------------------------------------------------------------
def read_midi(path: str | os.PathLike[str]) -> MidiScore:
    """Reads a file of notes against beats.  Raises MusicError for what is no such file."""
    return _score_of(_open(path))


def read_midi_bytes(data: bytes, name: str) -> MidiScore:
    """The same of a file's bytes; name: for sentences.  Raises MusicError."""
    return _score_of(_parsed(data, name))


def _score_of(file: Any) -> MidiScore:
    notes: list[Note] = []
    controllers: list[Controller] = []
    markers: list[Marker] = []
    tracks: list[str] = []
    key: Key | None = None
    for track in file.tracks:
        name = next((_read_text(message.name) for message in track if message.type == "track_name"), "")
        tracks.append(name)
        tick = 0
        open_notes: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for message in track:
            tick += message.time
            beats = tick / file.ticks_per_beat
            if message.type in ("marker", "cue_marker"):
                markers.append(Marker(beats, _read_text(message.text)))
            elif message.type == "key_signature" and key is None:
                key = Key.parse(message.key)
            elif message.type == "control_change" and message.control < 120:
                controllers.append(Controller(message.control, message.value, beats, message.channel + 1, name.lower()))
            elif message.type == "note_on" and message.velocity > 0:
                open_notes.setdefault((message.channel, message.note), []).append((tick, message.velocity))
            elif message.type in ("note_on", "note_off"):
                started = open_notes.get((message.channel, message.note))
                if started:
                    start, velocity = started.pop(0)
                    length = max(tick - start, 1) / file.ticks_per_beat
                    start_beats = start / file.ticks_per_beat
                    notes.append(Note(message.note, velocity, start_beats, length, message.channel + 1, name.lower()))
    notes.sort(key=lambda note: (note.start_beats, note.channel, note.pitch))
    controllers.sort(key=lambda change: change.time_beats)
    markers.sort(key=lambda marker: marker.beats)
    return MidiScore(tuple(notes), tuple(controllers), _tempo_map(file), tuple(markers), key, tuple(tracks))


def read_tempo_map(path: str | os.PathLike[str]) -> TempoMap:
    """Tempo and meter of a file, bar 1 at its beginning and at timeline second 0.  Raises MusicError."""
    return _tempo_map(_open(path))


def _open(path: str | os.PathLike[str]) -> Any:
    try:
        with open_regular(path) as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise MusicError(f"{path} cannot be read: {error.strerror or error}.") from error
    return _parsed(data, path)


def _parsed(data: bytes, path: str | os.PathLike[str]) -> Any:
    if len(data) > MAX_BYTES:
        raise MusicError(f"{path} is too large for a MIDI file.")
    try:
        file = mido.MidiFile(file=io.BytesIO(scrub(data)), clip=True)
    except (NotMidiError, OSError, ValueError, EOFError, LookupError, TypeError) as error:
        raise MusicError(f"{path} is not a MIDI file.") from error
    if file.type == 2 or file.ticks_per_beat <= 0 or file.ticks_per_beat > 0x7FFF:
        raise MusicError(f"{path} has no beats (a file of independent patterns or of SMPTE time).")
    return file


def _tempo_map(file: Any) -> TempoMap:
    tempos: dict[Fraction, Fraction] = {}
    meters: dict[Fraction, TimeSignature] = {}
    for track in file.tracks:
        tick = 0
        for message in track:
            tick += message.time
            beat = Fraction(tick, file.ticks_per_beat)
            if message.type == "set_tempo":
                if message.tempo <= 0:
                    raise MusicError("the MIDI file has a tempo of zero.")
                tempos[beat] = _round_bpm(message.tempo)
            elif message.type == "time_signature":
                meters[beat] = TimeSignature(message.numerator, message.denominator)
    tempos.setdefault(Fraction(0), Fraction(120))
    meters.setdefault(Fraction(0), TimeSignature())
    return TempoMap(
        tuple(TempoChange(beat, bpm) for beat, bpm in sorted(tempos.items())),
        tuple(MeterChange(beat, meter) for beat, meter in sorted(meters.items())),
    )


def _round_bpm(microseconds: int) -> Fraction:
    """The tempo that was meant: whole thousandths of a bpm where they give the same number of microseconds."""
    exact = Fraction(60_000_000, microseconds)
    for digits in (1, 10, 100, 1000):
        candidate = Fraction(round(exact * digits), digits)
        if candidate and round(60_000_000 / candidate) == microseconds:
            return candidate
    return exact
