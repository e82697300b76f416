"""The performance as a .mid file: what the player reports to have sent, laid out as a DAW would have recorded it.

Recording over a stretch again replaces what stood there, as the next pass of a loop does on a track; between passes
nothing is mixed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Final

from bridge.player.messages import SentEvent

JUMP_S: Final = 0.02  # a position this far behind the last one begins a new pass
_NOTE_OFF, _NOTE_ON = 0x80, 0x90


class Recorder:
    """Feed it with what `PlayerLink.drain_events` gives; `events` is the track as it stands."""

    def __init__(self) -> None:
        self._track: list[SentEvent] = []  # finished passes, by position
        self._pass: list[SentEvent] = []
        self.heard = 0

    def add(self, events: Iterable[SentEvent]) -> None:
        for event in events:
            self.heard += 1
            if self._pass and event.position_s < self._pass[-1].position_s - JUMP_S:
                self._finish_pass()
            self._pass.append(event)

    @property
    def events(self) -> tuple[SentEvent, ...]:
        self._finish_pass()
        return tuple(self._track)

    @property
    def empty(self) -> bool:
        return not self._track and not self._pass

    def clear(self) -> None:
        self._track.clear()
        self._pass.clear()

    def _finish_pass(self) -> None:
        if not self._pass:
            return
        fresh = sorted(self._pass, key=_order)
        self._pass = []
        first_s, last_s = fresh[0].position_s, fresh[-1].position_s
        positions = [event.position_s for event in self._track]
        low, high = bisect_left(positions, first_s), bisect_left(positions, last_s)
        before, after = self._track[:low], self._track[high:]
        # A note cut by the new pass needs its off where that begins; its old off may lie inside or after it.
        before += [_off(event, first_s) for event in _open_notes(before)]
        after = _without_orphans(after)
        self._track = [*before, *fresh, *after]


def _order(event: SentEvent) -> tuple[float, bool, float]:
    return event.position_s, _is_on(event), event.host_s


def _is_on(event: SentEvent) -> bool:
    return event.status & 0xF0 == _NOTE_ON and event.data2 > 0


def _is_off(event: SentEvent) -> bool:
    return event.status & 0xF0 == _NOTE_OFF or (event.status & 0xF0 == _NOTE_ON and event.data2 == 0)


def _name(event: SentEvent) -> tuple[int, int, int]:
    return event.port, event.status & 0x0F, event.data1


def _open_notes(events: Sequence[SentEvent]) -> list[SentEvent]:
    sounding: dict[tuple[int, int, int], SentEvent] = {}
    for event in events:
        if _is_on(event):
            sounding[_name(event)] = event
        elif _is_off(event):
            sounding.pop(_name(event), None)
    return list(sounding.values())


def _off(event: SentEvent, position_s: float) -> SentEvent:
    return event._replace(position_s=position_s, status=_NOTE_OFF | event.status & 0x0F, data2=0)


def _without_orphans(events: Sequence[SentEvent]) -> list[SentEvent]:
    """Without note-offs whose note-on is gone."""
    sounding: set[tuple[int, int, int]] = set()
    kept = []
    for event in events:
        if _is_on(event):
            sounding.add(_name(event))
        elif _is_off(event):
            if _name(event) not in sounding:
                continue
            sounding.discard(_name(event))
        kept.append(event)
    return kept
