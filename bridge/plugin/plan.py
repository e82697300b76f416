"""The plan as instances of the plugin get it, from the very messages that the player gets.

What an instance plays is what the port would play.  The body of a plan ("CBBD") is read by plugin/src/plan.c:
little endian

    "CBBD", u32 1, u64 id, i32 revision, u32 parts granted, u8 unit, u8 complete, u8 parts, u8 bytes of the film's name,
    u32 tempos, u32 events, name; per part u8 bytes of its name, name, u8 1 sustained | 2 muted, f64 nudge in seconds;
    per tempo f64 beat, f64 second, f64 seconds a beat; the events as the player gets them, 24 bytes each
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bridge.player import messages as m
from bridge.player.follower import PlanFollower

MAX_PARTS: Final = 32
ALL_PARTS: Final = 0xFFFFFFFF
_HEAD: Final = struct.Struct("<4sIQiIBBBBII")
_EVENT: Final = struct.Struct("<BBBBBxxxdd")
_F64: Final = struct.Struct("<d")


@dataclass(frozen=True, slots=True)
class Body:
    """id: the same for the same music, whatever its revision.  parts: names, in the order of their bits."""

    id: int
    revision: int
    complete: bool
    film: str
    parts: tuple[str, ...]
    _music: bytes

    def granted(self, parts: int) -> bytes:
        """For an instance that plays these parts, a bit each."""
        film = cut(self.film, 127)
        return self._head(parts, len(film)) + film + self._music[_HEAD.size :]

    def _head(self, parts: int, film_bytes: int) -> bytes:
        magic, version, _, _, _, unit, _, count, _, tempos, events = _HEAD.unpack_from(self._music)
        known = (magic, version, self.id, self.revision, parts, unit, self.complete, count, film_bytes)
        return _HEAD.pack(*known, tempos, events)


class PluginPlan(PlanFollower):
    """`body` is the whole plan as it stands."""

    def __init__(self) -> None:
        super().__init__()
        self._muted: set[int] = set()
        self._nudges_s: dict[int, float] = {}

    def take(self, message: bytes) -> bool:
        """Whether an instance would play something else from now on."""
        kind = message[:1]
        if kind in (m.MUTE, m.NUDGE):
            return self._take_value(kind, *m.unpack_part_value(message[1:]))
        return super().take(message)

    def _take_value(self, kind: bytes, part: int, value: float) -> bool:
        if kind == m.NUDGE:
            before = self._nudges_s.get(part, 0.0)
            self._nudges_s[part] = value
            return value != before
        for index in range(len(self._score.lanes)) if part == 255 else (part,):
            (self._muted.add if value else self._muted.discard)(index)
        return True

    @property
    def revision(self) -> int:
        """Of the plan; -1 before the first."""
        return self._score.revision

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(lane.part for lane in self._score.lanes[:MAX_PARTS])

    def body(self, film: str, complete: bool) -> Body:
        """Walks through the whole plan: 20,000 notes take some tens of milliseconds."""
        packed = [_EVENT.pack(*event) for event in sorted(self._events(), key=_start)]
        unit = m.UNITS.index(self._score.unit)
        head = _HEAD.pack(b"CBBD", 1, 0, 0, 0, unit, 0, len(self.parts), 0, len(self._line.beats), len(packed))
        music = b"".join([head, *self._part_heads(), self._line.pack(), *packed])
        digest = int.from_bytes(hashlib.blake2s(music, digest_size=8).digest(), "little")
        return Body(digest or 1, self.revision, complete, film, self.parts, music)

    def _part_heads(self) -> Iterator[bytes]:
        for index, part in enumerate(self.parts):
            name = cut(part, 31)
            flags = (part in self._score.sustained) | (index in self._muted) << 1
            nudge_s = self._nudges_s.get(index, 0.0) + self._nudges_s.get(255, 0.0)
            yield bytes([len(name)]) + name + bytes([flags]) + _F64.pack(nudge_s)

    def _events(self) -> Iterator[tuple[int, int, int, int, int, float, float]]:
        for lane in self._score.lanes[:MAX_PARTS]:
            for note in lane.notes:
                length = max(note.end - note.start, 0.0)
                yield (m.NOTE, lane.index, note.channel, note.pitch, note.velocity, note.start, length)
            for (channel, number), stream in lane.streams.items():
                for time, value in zip(stream.times, stream.values, strict=True):
                    yield (m.CONTROL, lane.index, channel, number, value, time, 0.0)


def _start(event: tuple[int, int, int, int, int, float, float]) -> float:
    return event[5]


def known_as(film: str) -> str:
    """A film's name as an instance of the plugin gives it back."""
    return cut(film, 127).decode(errors="replace")


def cut(text: str, most: int) -> bytes:
    """UTF-8 of at most so many bytes, no character halved; what is no character, as in a file's name, is "?"."""
    return text.encode(errors="replace")[:most].decode(errors="ignore").replace("\0", "").encode()
