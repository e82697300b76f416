"""What the bridge has told its player, so that a player that takes the place of a dead one can be told it again."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from operator import add, attrgetter, itemgetter, sub
from typing import Final

from bridge.player import messages as m
from bridge.player.score import PlannedNote, Score
from bridge.player.tempo import TempoLine
from engine.music.meter import TempoMap
from engine.music.note import Controller, Note

ALL_PARTS: Final = 255
_PART: Final = attrgetter("part")
_START: Final = itemgetter(5)


class PlayerMemory:
    """Every method that changes something answers with the messages that tell it to the player."""

    def __init__(self, options: m.PlayerOptions) -> None:
        self._options = options
        self.parts = list(options.parts)
        self.sync = options.sync
        self._tempo: tuple[int, TempoLine] | None = None
        self._score = Score(tuple(self.parts))
        self._loop = (False, 0.0, 0.0)
        self._muted: set[str] = set()
        self._held: list[str] = []
        self._nudges: dict[str, float] = {}
        self._place: bytes | None = None  # the last locate: in a Link session play begins there each time
        self._moves: deque[tuple[float, bytes]] = deque(maxlen=8)  # (host_s, play, stop or locate)

    # telling ----------------------------------------------------------------------------------------------------
    def tempo(self, revision: int, line: TempoLine) -> Iterator[bytes]:
        self._tempo = (revision, line)
        yield m.pack_tempo(revision, line.pack())

    def plan(
        self,
        revision: int,
        unit: str,
        notes: Sequence[Note],
        controllers: Sequence[Controller],
        from_position: float,
        tempo_map: TempoMap | None = None,
    ) -> Iterator[bytes]:
        """tempo_map: by which notes and controllers in beats become those of a plan in seconds."""
        yield from self._new_parts(chain(map(_PART, notes), map(_PART, controllers)))
        events = self._events(notes, controllers, tempo_map)
        self._remember(revision, unit, events, from_position)
        yield m.pack_begin(revision, unit, from_position)
        yield from m.pack_events(events)
        yield m.pack_commit(revision)

    def move(self, message: bytes, is_locate: bool = False) -> Iterator[bytes]:
        """Play, stop or locate; kept for a while: a player that dies just now may not have heard it."""
        if is_locate:
            self._place = message
        self._moves.append((time.perf_counter(), message))
        yield message

    def loop(self, on: bool, start_s: float, end_s: float) -> Iterator[bytes]:
        self._loop = (on, start_s, end_s)
        yield m.pack_loop(on, start_s, end_s)

    def mute(self, part: str, muted: bool) -> Iterator[bytes]:
        (self._muted.add if muted else self._muted.discard)(part)
        yield from self._new_parts([part])
        yield m.pack_part_value(m.MUTE, self.parts.index(part), float(muted))

    def hold(self, parts: Sequence[str]) -> Iterator[bytes]:
        self._held = list(parts)
        yield m.pack_json(m.HOLD, self._held)

    def nudge(self, part: str, seconds: float) -> Iterator[bytes]:
        self._nudges[part] = seconds
        if part:
            yield from self._new_parts([part])
        yield m.pack_part_value(m.NUDGE, self.parts.index(part) if part else ALL_PARTS, seconds)

    def synced(self, sync: m.SyncOptions) -> Iterator[bytes]:
        self.sync = sync
        yield m.pack_sync(sync)

    # telling it again -------------------------------------------------------------------------------------------
    def everything(self, status: m.PlayerStatus) -> Iterator[bytes]:
        """For a new player.  status: the last one of the player before."""
        if len(self.parts) > len(self._options.parts):
            yield m.pack_json(m.PARTS, self.parts)
        if self._tempo is not None:
            yield m.pack_tempo(self._tempo[0], self._tempo[1].pack())
        if self._score.revision >= 0:
            yield m.pack_begin(self._score.revision, self._score.unit, -1e12)
            yield from m.pack_events(self._remembered())
            yield m.pack_commit(self._score.revision)
        for part, seconds in self._nudges.items():
            yield m.pack_part_value(m.NUDGE, self.parts.index(part) if part else ALL_PARTS, seconds)
        for part in self._muted:
            yield m.pack_part_value(m.MUTE, self.parts.index(part), 1.0)
        if self._held:
            yield m.pack_json(m.HOLD, self._held)
        yield m.pack_loop(*self._loop)
        if self.sync != self._options.sync:
            yield m.pack_sync(self.sync)
        if status.position_source == "link" and self._place is not None:
            yield self._place
        if status.position_source == "internal":
            yield m.pack_resume(status.position_s, status.host_s, status.rolling)
            for asked_s, message in self._moves:
                if asked_s > status.host_s:
                    yield message

    # inside -----------------------------------------------------------------------------------------------------
    def _new_parts(self, wanted: Iterable[str]) -> Iterator[bytes]:
        new = [part for part in dict.fromkeys(wanted) if part not in self.parts]
        for part in new:
            self.parts.append(part)
            self._score.add_part(part)
        if new:
            yield m.pack_json(m.PARTS, self.parts)

    # Hundreds in one turn of the session: plain tuples and lists, each value looked up once.
    def _events(
        self, notes: Sequence[Note], controllers: Sequence[Controller], tempo_map: TempoMap | None
    ) -> list[m.EventRow]:
        place = {part: index for index, part in enumerate(self.parts)}
        starts = [note.start_beats for note in notes]
        lengths: Sequence[float] = [note.length_beats for note in notes]
        times = [control.time_beats for control in controllers]
        if tempo_map is not None:
            ends = tempo_map.all_seconds_at(map(add, starts, lengths))
            starts, times = tempo_map.all_seconds_at(starts), tempo_map.all_seconds_at(times)
            lengths = list(map(sub, ends, starts))
        events: list[m.EventRow] = [
            (m.NOTE, place[note.part], note.channel - 1, note.pitch, note.velocity, float(start), float(length))
            for note, start, length in zip(notes, starts, lengths, strict=True)
        ]
        events += [
            (m.CONTROL, place[each.part], each.channel - 1, each.number, each.value, float(time_), 0.0)
            for each, time_ in zip(controllers, times, strict=True)
        ]
        events.sort(key=_START)
        return events

    def _remember(self, revision: int, unit: str, events: list[m.EventRow], from_position: float) -> None:
        line = self._tempo[1] if self._tempo is not None else TempoLine.constant(120)
        if self._score.revision < 0:
            self._score.unit = unit
        self._score.convert(unit, line.seconds_at, line.beats_at)
        lanes = self._score.blank()
        for kind, part, channel, data1, data2, start, length in events:
            if kind == m.NOTE:
                lanes[part].add(PlannedNote(start, start + length, data1, data2, channel))
            else:
                lanes[part].add_control(start, channel, data1, data2)
        self._score.load(revision, lanes, from_position, from_position)

    def _remembered(self) -> list[m.EventRow]:
        events: list[m.EventRow] = []
        for lane in self._score.lanes:
            for note in lane.notes:
                length = note.end - note.start
                events.append((m.NOTE, lane.index, note.channel, note.pitch, note.velocity, note.start, length))
            for (channel, number), stream in lane.streams.items():
                for time_native, value in zip(stream.times, stream.values, strict=True):
                    events.append((m.CONTROL, lane.index, channel, number, value, time_native, 0.0))
        events.sort(key=_START)
        return events
