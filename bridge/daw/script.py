"""What is remembered of one connected script: its clock, its lists, its names, what it was asked.

A script's observation is dated with the script's own clock: the least delay seen between its clock and ours is the
offset, so that a late tick of a busy DAW does not bend the playhead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from bridge.daw.events import DawInfo
from bridge.daw.from_script import Chunk
from bridge.daw.names import PRINT, NamedMark
from bridge.daw.protocol import (
    LOOPING,
    PLAYING,
    RECORDING,
    DawMessage,
    DoClips,
    DoMarker,
    DoPrint,
    DoSession,
    DoTempo,
    DoUnmark,
    Transport,
)
from bridge.transport.state import TransportObservation

CLOCK_WINDOW_S: Final = 20.0

Request = DoMarker | DoUnmark | DoTempo | DoPrint | DoClips | DoSession


@dataclass(slots=True)
class Pending:
    message: Request
    next_s: float
    tries: int = 0


@dataclass(slots=True)
class Script:
    """One connected script, as its messages come."""

    info: DawInfo
    reply: tuple[str, int]
    mailbox: str  # path of the file that its answers go into; "" for a script that can receive
    seq: int | None = None
    alive_s: float = 0.0
    delays: deque[tuple[float, float]] = field(default_factory=deque)  # (arrived, arrived - sent)
    arrivals: deque[float] = field(default_factory=lambda: deque(maxlen=40))
    lists: dict[str, tuple[int, int, dict[int, tuple[object, ...]]]] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)  # list -> revision that is complete
    named: dict[str, tuple[NamedMark, ...]] = field(default_factory=dict)
    pending: dict[int, Pending] = field(default_factory=dict)
    loop: tuple[float, float] | None = None
    rolling: bool = False
    mailbox_failed: bool = False
    greetings: int = 0  # one after the other, with nothing else between: it does not hear that it is welcome
    refused: set[str] = field(default_factory=set)  # addresses whose refusal was said
    said: dict[str, DawMessage] = field(default_factory=dict)  # small facts that are said again and again

    def is_news(self, message: DawMessage) -> bool:
        """False for what was said before in the same words."""
        if self.said.get(message.ADDRESS) == message:
            return False
        self.said[message.ADDRESS] = message
        return True

    def observe(self, message: Transport, arrived_s: float) -> TransportObservation | None:
        """What its transport does, dated on our clock; None for what was overtaken on the way or comes twice.

        bpm 0 (REAPER's own OSC before it told one): tempo, beat and meter are not known.
        """
        if self.seq is not None:
            step = message.seq - self.seq
            if -1000 < step <= 0:
                return None
            if 1 < step < 1000:
                self.info = replace(self.info, lost=self.info.lost + step - 1)
        self.seq = message.seq
        self.rolling = bool(message.flags & PLAYING)
        self.arrivals.append(arrived_s)
        if len(self.arrivals) > 1:
            span = self.arrivals[-1] - self.arrivals[0]
            self.info = replace(self.info, rate_hz=(len(self.arrivals) - 1) / span if span > 0 else 0.0)
        return TransportObservation(
            source="script",
            host_s=self._dated(message.sent_s, arrived_s),
            position_s=message.position_s,
            position_beats=message.position_beats if message.bpm else None,
            rolling=self.rolling,
            bpm=message.bpm or None,
            recording=bool(message.flags & RECORDING),
            loop=self.loop if message.flags & LOOPING else None,
            meter=(message.numerator, message.denominator) if message.bpm else None,
        )

    def _dated(self, sent_s: float, arrived_s: float) -> float:
        """When the script looked, on our clock: its own date plus the least offset of the last 20 s."""
        if sent_s <= 0:
            return arrived_s
        delays = self.delays
        delay = arrived_s - sent_s
        while delays and (arrived_s - delays[0][0] > CLOCK_WINDOW_S or len(delays) > 4000):
            delays.popleft()
        if delays and abs(delay - delays[-1][1]) > 1.0:
            delays.clear()  # another clock: the host restarted, or its clock was set
        delays.append((arrived_s, delay))
        least = min(item[1] for item in delays)
        worst = max(item[1] for item in delays)
        self.info = replace(self.info, jitter_ms=(worst - least) * 1000)
        return sent_s + least

    def collect(self, what: str, message: Chunk[Any]) -> tuple[Any, ...] | None:
        """All items of a list once each of its pieces is here, in whatever order they came; None before."""
        revision, total, parts = self.lists.get(what, (-1, -1, {}))
        if (revision, total) != (message.revision, message.total):
            parts = {}
            self.lists[what] = (message.revision, message.total, parts)
        parts[message.first] = message.items
        found: list[object] = []
        while len(found) in parts and parts[len(found)]:
            found += parts[len(found)]
        return tuple(found[: message.total]) if len(found) >= message.total else None

    def rename(self, what: str, marks: Sequence[NamedMark]) -> tuple[list[NamedMark], list[NamedMark]]:
        """(prints asked for, marks that are gone) by a list of names that is new.

        A print is asked for by a name that appears; what stood there when the script connected asks for nothing, and
        neither does one that moves (a new tempo of the DAW moves every region).
        """
        before, first = self.named.get(what, ()), what not in self.named
        self.named[what] = tuple(marks)
        fresh = [] if first else [mark for mark in marks if mark not in before]
        gone = [mark for mark in before if mark not in marks]
        prints = [mark for mark in fresh if mark.kind == PRINT]
        for old in gone:
            same = [mark for mark in prints if mark.name == old.name]
            if same:
                prints.remove(min(same, key=lambda mark: abs(mark.start_s - old.start_s)))
        return prints, [mark for mark in gone if mark.kind != PRINT]

    @property
    def names(self) -> tuple[NamedMark, ...]:
        """All of its names that say something, by time."""
        both = [mark for marks in self.named.values() for mark in marks if mark.kind != PRINT]
        return tuple(sorted(both, key=lambda mark: (mark.start_s, mark.kind)))
