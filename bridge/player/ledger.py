"""The ledger of sounding notes: the one place that knows which note-offs are owed.

A key (port index, channel 0..15, pitch) is in the ledger exactly while a note-on for it has gone out and its
note-off has not.  Pedals (controllers 64..69 at 64 or more) are owed a release in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from bridge.player.score import Lane, PlannedNote

Key = tuple[int, int, int]
PEDALS: Final = range(64, 70)


@dataclass(frozen=True, slots=True)
class Sounding:
    key: Key
    note: PlannedNote
    lane: Lane


@dataclass(slots=True)
class Ledger:
    sounding: dict[Key, Sounding] = field(default_factory=dict)
    pedals: set[tuple[int, int, int]] = field(default_factory=set)  # (port, channel, controller number)

    def strike(self, key: Key, note: PlannedNote, lane: Lane) -> None:
        if key in self.sounding:
            raise AssertionError(f"{key} is struck while it sounds")
        self.sounding[key] = Sounding(key, note, lane)

    def release(self, key: Key) -> None:
        del self.sounding[key]

    def control(self, port: int, channel: int, number: int, value: int) -> None:
        if number in PEDALS:
            (self.pedals.add if value >= 64 else self.pedals.discard)((port, channel, number))

    @property
    def empty(self) -> bool:
        return not self.sounding and not self.pedals
