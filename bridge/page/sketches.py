"""What the board draws of each take: form, chords and notes, made beside the session while a board is open.

A sketch is made once for a document of a take.  Arranging is done by one thread of low priority; of a long film the
notes are left out, its form and chords say enough at that size.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

from bridge.session.plan import SMALL_SLOTS
from bridge.session.session import Session
from engine.arrange import film_levels
from engine.arrange.score import arrange_whole, build_score
from engine.document import Document
from engine.document.compare import plan_of
from engine.document.takes import TakeTable
from engine.music import PARTS, Note, Take
from engine.process.messages import FilmAnalysed

MOST_TELLING: Final = ("melody", "bass", "pad", "arp", "drums")  # the first are drawn where there are too many notes
MOST_NOTES: Final = 3000
STEPS: Final = 16  # of a second: as fine as notes are drawn
NICENESS: Final = 10


class Sketches:
    """send(number, data) gets each new sketch as JSON; number 0: the ones before count no more."""

    def __init__(self, session: Session, send: Callable[[int, bytes], None]) -> None:
        self._session, self._send = session, send
        self._pool: ThreadPoolExecutor | None = None
        self._made_for: tuple[int, object] = (-1, None)  # cue, film
        self._known: dict[int, Document] = {}
        self._made: dict[int, bytes] = {}
        self._coming: tuple[int, Future[bytes]] | None = None
        self._wanted = False

    def want(self) -> None:
        """A board was opened: it, and perhaps a new server, know nothing yet."""
        self._wanted = True
        for number, data in self._made.items():
            self._send(number, data)

    def tick(self) -> None:
        """With every turn of the session."""
        if not self._wanted:
            return
        session = self._session
        film, cue = session.analysed, session.document.cue
        if self._made_for[0] != cue or self._made_for[1] is not film:
            self._made_for, self._known, self._made = (cue, film), {}, {}
            self._send(0, b"")
        if self._coming is not None:
            number, future = self._coming
            if not future.done():
                return
            self._coming = None
            if number in self._known:  # else they are another cue's
                self._drawn(number, future)
        if film is None:
            return
        for number, take in session.takes.of_cue(cue).items():
            if self._known.get(number) is not take.document:
                self._known[number] = take.document
                self._coming = number, self._threads().submit(sketch, take.document, cue, film, session.takes.table)
                return

    def _drawn(self, number: int, future: Future[bytes]) -> None:
        try:
            self._made[number] = future.result()
        except Exception as error:  # the music plays on, and the board has its other takes
            self._session.say(f"take {Take(number).name} could not be drawn ({type(error).__name__}: {error}).")
            return
        self._send(number, self._made[number])

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _threads(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, "sketches", initializer=_give_way)
        return self._pool


def _give_way() -> None:
    """On Linux a thread has a niceness of its own; elsewhere it would be the whole program's."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def sketch(document: Document, cue: int, film: FilmAnalysed, takes: TakeTable) -> bytes:
    """One take of a cue.  Times are picture seconds; notes are flat: part (of PARTS), pitch, start, length in
    sixteenths of a second."""
    low_s, high_s = document.span_of(cue)
    low_s, high_s = max(low_s, 0.0), min(high_s, film.film.duration_s)
    plan = plan_of(document, cue)
    tempo_map, starts_s = document.result.tempo_map, document.result.starts_s

    def second(beats: float) -> float:
        return tempo_map.seconds_at(beats) - starts_s

    found: dict[str, Any] = {
        "in": low_s, "out": high_s, "key": document.result.key.name, "sections": [], "statements": [], "notes": [],
        "chords": [
            [round(block.start_s, 3), round(block.end_s, 3), document.chord_name(block.chord)]
            for block in document.blocks(low_s, high_s)
        ],
    }  # fmt: skip
    if plan is not None:
        found |= {"form": plan.form, "players": plan.ensemble, "ending": plan.ending, "key": plan.sections[0].key.name}
        found["sections"] = [
            [
                each.start_s, each.end_s, each.letter, each.role, each.mood, each.intensity, each.variant,
                each.key.name, list(each.layers),
            ]
            for each in plan.sections
        ]  # fmt: skip
        found["statements"] = [
            [
                round(second(float(tempo_map.bar_start(each.bar))), 3),
                round(second(float(tempo_map.bar_start(each.bar + each.length_bars))), 3),
                each.kind,
            ]
            for each in plan.statements
        ]
    if len(document.result.slots) <= SMALL_SLOTS and document.result.slots:
        levels = document.result.levels or film_levels(document.result.slots)
        made = arrange_whole(build_score(document, film.film, film.cuts, levels, takes)).notes
        found["notes"] = _flat(_fewest(made), second, low_s, high_s)
    return json.dumps(found, separators=(",", ":")).encode()


def _fewest(notes: tuple[Note, ...]) -> list[Note]:
    """All of them, or those of the parts that show the most."""
    kept: list[Note] = []
    for part in MOST_TELLING:
        of_part = [note for note in notes if note.part == part]
        if kept and len(kept) + len(of_part) > MOST_NOTES:
            break
        kept += of_part
    return kept


def _flat(notes: list[Note], second: Callable[[float], float], low_s: float, high_s: float) -> list[int]:
    found: list[int] = []
    for note in notes:
        start_s = second(note.start_beats)
        if low_s - 0.1 <= start_s < high_s:
            length = max(round(STEPS * (second(note.end_beats) - start_s)), 1)
            found += [PARTS.index(note.part), note.pitch, max(round(STEPS * start_s), 0), length]
    return found
