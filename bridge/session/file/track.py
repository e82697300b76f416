"""The performance as a track, laid out as a DAW would have recorded it.

Recording over a stretch again replaces what stood there, as the next pass of a loop does on a track; between passes
nothing is mixed.  Only notes replace: what a locate or a panic sends (controllers chased, note-offs, All Notes Off)
takes nothing away.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Final

from bridge.player.messages import SentEvent

LEAP_S: Final = 0.25  # a position this much further on than twice the time that has gone by begins a new pass
IDLE_S: Final = 5.0  # for which the thread waits for more: beginning one may hold the session up for ten milliseconds
_NOTE_OFF, _NOTE_ON, _CONTROL = 0x80, 0x90, 0xB0


class Track:
    """Passes are laid in the order in which they were played, in a thread: each may cost as much as the track is long,
    and two hours have some hundred thousand events."""

    def __init__(self) -> None:
        self._jobs: deque[tuple[list[SentEvent], bool] | Future[tuple[SentEvent, ...]]] = deque()
        self._more = threading.Condition()  # of _jobs and _at_work
        self._at_work = False
        self._laid = _Laid()
        self._fault: Exception | None = None

    def lay(self, events: list[SentEvent], *, goes_on: bool) -> None:
        """events: of a pass that has ended, nobody else's any more.  goes_on: its beginning is in the track already."""
        self._do((events, goes_on))

    def events_later(self) -> Future[tuple[SentEvent, ...]]:
        """The track as it is once all that was given until now is laid."""
        asked: Future[tuple[SentEvent, ...]] = Future()
        self._do(asked)
        return asked

    def _do(self, job: tuple[list[SentEvent], bool] | Future[tuple[SentEvent, ...]]) -> None:
        with self._more:
            self._jobs.append(job)
            if self._at_work:
                self._more.notify()
                return
            self._at_work = True
        threading.Thread(target=self._work, name="recorded track", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._more:
                if not self._more.wait_for(lambda: self._jobs, IDLE_S):
                    self._at_work = False
                    return
                job = self._jobs.popleft()
            if not isinstance(job, Future):
                try:
                    self._laid.lay(*job)
                except Exception as error:  # whoever asks for the track is told, and nobody waits for ever
                    self._fault = error
            elif self._fault is not None:
                job.set_exception(self._fault)
            else:
                job.set_result(tuple(self._laid.events))


class _Laid:
    """The finished passes by position."""

    def __init__(self) -> None:
        self.events: list[SentEvent] = []
        self._chased: list[SentEvent] = []  # controllers of a locate: they belong to what is played from there

    def lay(self, played: list[SentEvent], goes_on: bool) -> None:
        fresh = sorted(played, key=_order)
        if not any(is_on(event) for event in fresh):
            self._close_notes(fresh, goes_on)
            self._chased = [event for event in fresh if event.status & 0xF0 == _CONTROL]
            return
        first_s, last_s = fresh[0].position_s, fresh[-1].position_s
        here = [event for event in self._chased if 0 <= first_s - event.position_s < LEAP_S]
        if here:
            first_s, fresh = here[0].position_s, [*here, *fresh]
        self._chased = []
        low, high = (bisect_left(self.events, at_s, key=lambda event: event.position_s) for at_s in (first_s, last_s))
        before, after = self.events[:low], self.events[high:]
        # A note cut by the new pass needs its off where that begins; its old off may lie inside or after it.
        ends_later = {name_of(event) for event in _orphans(fresh)} if goes_on else set()
        cut = [event for event in open_notes(before) if name_of(event) not in ends_later]
        before += [off_of(event, first_s) for event in cut]
        self.events = [*before, *(fresh if ends_later else _without_orphans(fresh)), *_without_orphans(after)]

    def _close_notes(self, events: Sequence[SentEvent], goes_on: bool) -> None:
        """Of events without a note only the note-offs count, for what still sounds from the pass before."""
        offs = {name_of(event): event.position_s for event in events if is_off(event)}
        if not self.events or not offs:
            return
        end_s = self.events[-1].position_s
        closed = [
            off_of(event, max(offs[name_of(event)], end_s) if goes_on else end_s)
            for event in open_notes(self.events)
            if name_of(event) in offs
        ]
        self.events += sorted(closed, key=_order)


def _order(event: SentEvent) -> tuple[float, bool, float]:
    return event.position_s, is_on(event), event.host_s


def is_on(event: SentEvent) -> bool:
    return event.status & 0xF0 == _NOTE_ON and event.data2 > 0


def is_off(event: SentEvent) -> bool:
    return event.status & 0xF0 == _NOTE_OFF or (event.status & 0xF0 == _NOTE_ON and event.data2 == 0)


def name_of(event: SentEvent) -> tuple[int, int, int]:
    return event.port, event.status & 0x0F, event.data1


def open_notes(events: Sequence[SentEvent]) -> list[SentEvent]:
    sounding: dict[tuple[int, int, int], SentEvent] = {}
    for event in events:
        if is_on(event):
            sounding[name_of(event)] = event
        elif is_off(event):
            sounding.pop(name_of(event), None)
    return list(sounding.values())


def off_of(event: SentEvent, position_s: float) -> SentEvent:
    return event._replace(position_s=position_s, status=_NOTE_OFF | event.status & 0x0F, data2=0)


def _orphans(events: Sequence[SentEvent]) -> list[SentEvent]:
    """Note-offs whose note-on is not among the events."""
    left = {id(event) for event in _without_orphans(events)}
    return [event for event in events if id(event) not in left]


def _without_orphans(events: Sequence[SentEvent]) -> list[SentEvent]:
    """Without note-offs whose note-on is not among the events."""
    sounding: set[tuple[int, int, int]] = set()
    kept = []
    for event in events:
        if is_on(event):
            sounding.add(name_of(event))
        elif is_off(event):
            if name_of(event) not in sounding:
                continue
            sounding.discard(name_of(event))
        kept.append(event)
    return kept
