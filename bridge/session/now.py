"""Host time, and the moment at which an edit is made.

Host time is `time.perf_counter`, never wall time: it does not step, and it is the same clock in the bridge and in the
player (CLOCK_MONOTONIC, mach_absolute_time and QueryPerformanceCounter are all system-wide).
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from bridge.session.tempo import Refits
from engine.brief import Brief
from engine.document import Document
from engine.music import Slot, TempoMap
from engine.music.arguments import ControlError
from engine.process.messages import FilmAnalysed

When = str | float | int  # one of `bar`, `chord`, `hit`, `loop`, `start`, or a picture second
EVER: Final = 1e9


class Clock(Protocol):
    def now(self) -> float:
        """Host seconds."""


class SystemClock:
    """`time.perf_counter`."""

    __slots__ = ()

    def now(self) -> float:
        return time.perf_counter()


class OfflineClock:
    """Stands still until it is moved."""

    __slots__ = ("host_s",)

    def __init__(self, host_s: float = 0.0) -> None:
        self.host_s = host_s

    def now(self) -> float:
        return self.host_s

    def advance(self, seconds: float) -> float:
        if seconds < 0:
            raise ValueError("a clock does not run backwards")
        self.host_s += seconds
        return self.host_s


@dataclass(frozen=True, slots=True)
class Timing:
    """Who decides the tempo.  asked: the command line.  daw_map: the map of a DAW's script.  source: of the player's
    tempo while the session follows a DAW, else empty."""

    asked: Brief = field(default_factory=Brief)
    daw_map: TempoMap | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Now:
    """What an edit may know besides the document.  Positions and the loop are picture seconds.

    committed_s: the player replaces nothing before it.  soon_s: where a change can begin that needs no new chords.
    earliest_s: where newly composed chords can begin.  end_s: where the music has rung out.
    film: None until it is analysed.  refits: for an edit that is made in pieces.
    """

    host_s: float = 0.0
    position_s: float = 0.0
    rolling: bool = False
    loop: tuple[float, float] | None = None
    committed_s: float = 0.0
    soon_s: float = 0.0
    earliest_s: float = 0.0
    end_s: float = 0.0
    film: FilmAnalysed | None = None
    timing: Timing = field(default_factory=Timing)
    refits: Refits | None = None


def boundary_s(document: Document, now: Now, when: When = "bar") -> float | None:
    """Picture second where new chords begin; None: at the film's beginning, while nothing plays.

    Raises ControlError for a picture second that has passed.
    """
    if not isinstance(when, str):
        if now.rolling and when < now.earliest_s and now.loop is None:
            raise ControlError(
                "bad_value",
                f"{when:.2f} s cannot be reached any more: changes are heard from {now.earliest_s:.2f} s on.",
            )
        return next_mark(document, now, float(when), "slot")
    if when == "start" or (not now.rolling and when in ("bar", "loop")):
        return None
    if when == "loop" and now.loop is not None:
        return now.loop[0]
    found = next_mark(document, now, now.earliest_s, when)
    if now.rolling and now.loop is not None and now.position_s < now.loop[1] <= found:
        return now.loop[0]
    return found


def next_mark(document: Document, now: Now, earliest_s: float, when: str) -> float:
    """Picture second of the next `slot`, `chord`, `hit` or `bar` from a picture second on; the last slot's where none
    follows.  Music is taken over where a slot begins: on the seconds grid and in split bars not always a bar line."""
    result = document.result
    if when == "slot":
        wanted_s = earliest_s
    elif when == "chord":
        following = document.chords_at(earliest_s - 1e-6 - 2e-9)[1]
        wanted_s = following.start_s if following is not None else EVER
    elif when == "hit":
        marks = document.hits or (now.film.cuts if now.film is not None else ())
        wanted_s = next((mark.time_s for mark in marks if mark.time_s >= earliest_s - 1e-6), EVER)
    else:
        beats = result.tempo_map.next_bar(result.tempo_map.beats_at(earliest_s + result.starts_s))
        wanted_s = result.tempo_map.seconds_at(float(beats)) - result.starts_s
        wanted_s = wanted_s if wanted_s >= earliest_s - 1e-6 else EVER
    slots = result.slots
    if not slots:
        return 0.0
    last_s = slots[-1].start_s
    if wanted_s >= EVER:
        return last_s
    index = bisect_right(slots, min(wanted_s, last_s) - 1e-6, key=lambda slot: slot.start_s)
    return max(slots[min(index, len(slots) - 1)].start_s, 0.0)


def first_slot_s(slots: Sequence[Slot], at_s: float) -> float:
    """Where the slot begins that a picture second lies in; 0 before the first."""
    index = bisect_right(slots, at_s + 1e-6, key=lambda slot: slot.end_s)
    return slots[index].start_s if index < len(slots) else 0.0


def next_slot_s(slots: Sequence[Slot], at_s: float) -> float | None:
    """Where the first slot begins that lies wholly after a picture second; None after the last."""
    index = bisect_left(slots, at_s - 1e-6, key=lambda slot: slot.start_s)
    return slots[index].start_s if index < len(slots) else None
