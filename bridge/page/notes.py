"""The notes that the player has, as the page gets them: tiles of ten seconds with a revision each, and counts.

A plan is loaded in slices, of which the first removes all that comes after it; a tile
therefore changes when its place is loaded again, or once nothing more follows.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from dataclasses import dataclass
from typing import Final

from bridge.page import protocol
from bridge.page.protocol import CONTROLLER, NOTE, NOTES_HEADER, TILE_S
from bridge.player.follower import PlanFollower
from engine.music.note import PARTS, Controller, Note

_EVER: Final = 1e9


@dataclass(frozen=True, slots=True)
class Changed:
    """Tiles that differ from now on, and the stretch in which they do (picture seconds)."""

    revision: int
    from_s: float
    to_s: float
    tiles: tuple[int, ...]


class PlanTiles(PlanFollower):
    """`publish` when a moment has passed without a message that `take` found to change the plan, or now and then."""

    def __init__(self) -> None:
        super().__init__()
        self._from_s: float | None = None  # timeline second from which something was loaded since `publish`
        self._reached_s = -_EVER  # timeline second of the last note of the last slice
        self._sound_from_s: float | None = None
        self._tiles: dict[int, bytes] = {}  # without the header's revision
        self._revisions: dict[int, int] = {}
        self.starts_s = 0.0
        self.revision = 0

    # in ---------------------------------------------------------------------------------------------------------------
    def _tempo_changed(self) -> bool:
        return self._score.unit == "beats" and self._touched(-_EVER)

    def _load(self, revision: int, begins: float) -> bool:
        # A note that sounds across the beginning is cut or goes on: it differs from where it was struck.
        struck = [note.start for lane in self._score.lanes for note in lane.spanning(begins)]
        super()._load(revision, begins)
        ends = max((lane.starts[-1] for lane in self._lanes if lane.starts), default=begins)
        self._reached_s = self._seconds(ends)
        return self._touched(self._seconds(begins), self._seconds(min(struck, default=begins)))

    def _touched(self, sounds_from_s: float, seen_from_s: float | None = None) -> bool:
        """Sound and tiles differ from these timeline seconds on."""
        seen_s = sounds_from_s if seen_from_s is None else min(seen_from_s, sounds_from_s)
        self._from_s = seen_s if self._from_s is None else min(self._from_s, seen_s)
        self._sound_from_s = sounds_from_s if self._sound_from_s is None else min(self._sound_from_s, sounds_from_s)
        return True

    def _seconds(self, at: float) -> float:
        """Timeline second of a place in the score's unit."""
        return at if abs(at) >= _EVER or self._score.unit == "seconds" else self._line.seconds_at(at)

    def _native(self, timeline_s: float) -> float:
        return timeline_s if self._score.unit == "seconds" else self._line.beats_at(timeline_s)

    def place(self, starts_s: float) -> bool:
        """The picture's first frame is at this timeline second; whether it was elsewhere before."""
        moved = starts_s != self.starts_s
        self.starts_s = starts_s
        return moved and self._score.revision >= 0 and self._touched(-_EVER)

    # out --------------------------------------------------------------------------------------------------------------
    @property
    def due(self) -> bool:
        """Whether something was loaded that is not published."""
        return self._from_s is not None

    def publish(self, *, quiet: bool) -> Changed | None:
        """Tiles as they are now.  quiet: no further slice is on its way, so what comes after the last one is gone."""
        if self._from_s is None:
            return None
        first = max(int((self._from_s - self.starts_s) // TILE_S), 0) if self._from_s > -_EVER else 0
        stop = max([*self._tiles, self._last_tile()], default=-1) + 1
        if not quiet:
            stop = min(stop, int((self._reached_s - self.starts_s) // TILE_S))
            self._from_s = max(self._from_s, self.starts_s + stop * TILE_S)
        else:
            self._from_s = None
        before: dict[int, bytes] = {}
        for number in range(first, stop):
            old, new = self._tiles.get(number, _EMPTY), self._pack(number)
            if new != old:
                before[number], self._tiles[number] = old, new
        if not before:
            return None
        self.revision += 1
        for number in before:
            self._revisions[number] = self.revision
        edges = [_difference(number, old, self._tiles[number]) for number, old in before.items()]
        return Changed(self.revision, min(low for low, _ in edges), max(high for _, high in edges), tuple(before))

    def tile(self, revision: int, number: int) -> bytes | None:
        """A tile as it has been since some revision up to this one; None where newer music has taken its place."""
        if not self._revisions.get(number, 0) <= revision <= self.revision:
            return None
        return (
            NOTES_HEADER.pack(revision, number, *_COUNTS.unpack_from(self._tiles.get(number, _EMPTY)))
            + (self._tiles.get(number, _EMPTY)[_COUNTS.size :])
        )

    def counts(self) -> bytes:
        """How many notes of each part begin in each second, as far as tiles are published."""
        seconds = (max(self._tiles, default=-1) + 1) * int(TILE_S)
        table = bytearray(seconds * len(PARTS))
        low, high, total = [255] * len(PARTS), [0] * len(PARTS), 0
        for number, body in self._tiles.items():
            notes, _ = _COUNTS.unpack_from(body)
            for start_s, _, part, pitch, _, _ in NOTE.iter_unpack(
                body[_COUNTS.size : _COUNTS.size + notes * NOTE.size]
            ):
                if start_s < 0:
                    continue
                total += 1
                low[part], high[part] = min(low[part], pitch), max(high[part], pitch)
                place = min(int(number * TILE_S + start_s), seconds - 1) * len(PARTS) + part
                table[place] = min(table[place] + 1, 255)
        header = protocol.COUNTS_HEADER.pack(self.revision, seconds, len(PARTS), total)
        ranges = bytes(value for pair in zip(low, high, strict=True) for value in pair)
        return header + ranges + b"\0\0" + bytes(table)

    def take_sound_change(self) -> float | None:
        """Picture second from which the sound differs since the last call; None: nowhere."""
        from_s, self._sound_from_s = self._sound_from_s, None
        return None if from_s is None else max(from_s - self.starts_s, 0.0)

    def between(self, from_s: float, to_s: float) -> tuple[list[Note], list[Controller]]:
        """What sounds in a stretch of picture seconds, in timeline seconds: for a tempo map of 60 beats a minute."""
        low, high = self._native(from_s + self.starts_s), self._native(to_s + self.starts_s)
        notes: list[Note] = []
        controllers: list[Controller] = []
        for part, lane in zip(PARTS, self._score.lanes, strict=False):
            first, last = bisect_left(lane.starts, low), bisect_left(lane.starts, high)
            for each in (*lane.spanning(low), *lane.notes[first:last]):
                start_s = self._seconds(each.start)
                length_s = self._seconds(each.end) - start_s
                if length_s > 0:
                    notes.append(Note(each.pitch, each.velocity, start_s, length_s, each.channel + 1, part))
            for (channel, number), stream in lane.streams.items():
                begin, end = max(bisect_left(stream.times, low) - 1, 0), bisect_left(stream.times, high)
                for at, value in zip(stream.times[begin:end], stream.values[begin:end], strict=True):
                    controllers.append(Controller(number, value, self._seconds(at), channel + 1, part))
        return notes, controllers

    @property
    def end_s(self) -> float:
        """Picture second where the last note ends; 0 where there is none."""
        ends = [max(note.end for note in lane.notes[-24:]) for lane in self._score.lanes if lane.notes]
        return max(self._seconds(max(ends)) - self.starts_s, 0.0) if ends else 0.0

    def _last_tile(self) -> int:
        return int(self.end_s // TILE_S) if any(lane.notes for lane in self._score.lanes) else -1

    def _pack(self, number: int) -> bytes:
        """A tile's body: counts, notes in order, controllers in order, those in force at its beginning first."""
        first_s = number * TILE_S
        shift_s = self.starts_s + first_s
        low, high = self._native(shift_s), self._native(shift_s + TILE_S)
        notes: list[tuple[float, float, int, int, int, int]] = []
        changes: list[tuple[float, int, int, int, int]] = []
        for part, lane in enumerate(self._score.lanes[: len(PARTS)]):
            first, last = bisect_left(lane.starts, low), bisect_left(lane.starts, high)
            for each in (*lane.spanning(low), *lane.notes[first:last]):
                start_s = self._seconds(each.start)
                length_s = self._seconds(each.end) - start_s
                if length_s > 0:
                    notes.append((start_s - shift_s, length_s, part, each.pitch, each.velocity, each.channel + 1))
            for (channel, control), stream in lane.streams.items():
                begin, end = bisect_left(stream.times, low), bisect_left(stream.times, high)
                for at, value in zip(stream.times[max(begin - 1, 0) : end], stream.values[max(begin - 1, 0) : end],
                                     strict=True):  # fmt: skip
                    changes.append((max(self._seconds(at) - shift_s, 0.0), part, control, value, channel + 1))
        notes.sort()
        changes.sort()
        return b"".join(
            (
                _COUNTS.pack(len(notes), len(changes)),
                *(NOTE.pack(*row) for row in notes),
                *(CONTROLLER.pack(*row) for row in changes),
            )
        )


def _difference(number: int, before: bytes, after: bytes) -> tuple[float, float]:
    """From when to when (picture seconds) two bodies of a tile differ; all of it where only controllers do."""
    old, new = _notes_of(before), _notes_of(after)
    differs = old ^ new
    first_s = number * TILE_S
    if not differs:
        return first_s, first_s + TILE_S
    rows = [NOTE.unpack(record) for record in differs]
    return max(min(row[0] for row in rows), 0.0) + first_s, max(row[0] + row[1] for row in rows) + first_s


def _notes_of(body: bytes) -> set[bytes]:
    count, _ = _COUNTS.unpack_from(body)
    return {body[at : at + NOTE.size] for at in range(_COUNTS.size, _COUNTS.size + count * NOTE.size, NOTE.size)}


_COUNTS: Final = struct.Struct("<II")  # notes, controllers
_EMPTY: Final = _COUNTS.pack(0, 0)
