"""Arranging beside the session, for films so long that it would hold the session up.

A short film's plan is worked on in the session's own turns.  A long one's has two threads: one arranges of each change
a window around where it is to be heard, at once; the other arranges the whole, in slices, from the end of the window
on.  What is handed out carries the tempo map that it was arranged on; what belongs to an older change is dropped.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from bridge.edits import Draft
from bridge.session_plan import (
    SMALL_SLOTS,
    KeptRange,
    Load,
    Plan,
    Score,
    arrange_whole,
)
from bridge.session_score import build_score
from engine.arrange import FilmLevels
from engine.messages import FilmAnalysed
from engine.music import Note, Slot, TempoMap

BEFORE_SLOTS: Final = 24  # of a window: chords that a new one may hang on
AFTER_SLOTS: Final = 96  # a minute and a half; the rest is there by then
TURN_S: Final = 0.02
IDLE_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class PlanJob:
    """A draft to be arranged.  takeover_beats: from where it is heard, None: from the beginning (nothing plays)."""

    draft: Draft
    analysed: FilmAnalysed
    starts_s: float
    levels: FilmLevels
    takeover_beats: float | None
    kept: Callable[[Draft], tuple[KeptRange, ...]]

    def score(self) -> Score:
        return replace(build_score(self.draft, self.analysed, self.starts_s, self.levels), kept=self.kept(self.draft))

    @property
    def tempo_map(self) -> TempoMap:
        return self.draft.result.tempo_map

    @property
    def long(self) -> bool:
        return len(self.draft.result.slots) > SMALL_SLOTS


class PlanDesk:
    """The session's side: `update`, then `work` in every turn; `close` at the end."""

    def __init__(self) -> None:
        self.plan = Plan()
        self._threads: list[threading.Thread] = []
        self._new: queue.SimpleQueue[_Numbered | None] = queue.SimpleQueue()
        self._whole: queue.SimpleQueue[_Numbered | None] = queue.SimpleQueue()
        self._out: queue.SimpleQueue[_Numbered] = queue.SimpleQueue()
        self._newest = 0  # change that was asked for
        self._done = 0  # change that the plan holds
        self._working = False
        self._closing = threading.Event()
        self._where: tuple[float | None, float | None] = (None, None)
        self._map = TempoMap()

    # what the plan says, whoever works on it -----------------------------------------------------------------------
    @property
    def busy(self) -> bool:
        return self._newest != self._done or self.plan.busy or self._working or not self._out.empty()

    @property
    def arranging(self) -> bool:
        """Whether the plan is not yet that of the newest change."""
        return self._newest != self._done

    @property
    def complete(self) -> bool:
        return self._newest == self._done and self.plan.complete and not self._working and self._out.empty()

    @property
    def notes(self) -> tuple[Note, ...]:
        return self.plan.notes

    @property
    def end_beats(self) -> float:
        return self.plan.end_beats

    @property
    def planned_to_beats(self) -> float:
        return self.plan.planned_to_beats

    def count_notes(self, start_beats: float, end_beats: float) -> int:
        return self.plan.count_notes(start_beats, end_beats)

    def hand_over_again(self, takeover_beats: float | None) -> None:
        if not self._threads:
            self.plan.hand_over_again(takeover_beats)
        else:
            self._whole.put(_Numbered(self._newest, _Again(takeover_beats)))

    # work -----------------------------------------------------------------------------------------------------------
    def update(self, job: PlanJob, score: Score | None = None) -> None:
        """New music; score: of the job, where it is known already."""
        self._map = job.tempo_map
        if not self._threads and not job.long:
            self.plan.update(score or job.score(), job.takeover_beats)
            return
        if not self._threads:
            for run in (self._run_windows, self._run_whole):
                self._threads.append(threading.Thread(target=run, name=run.__name__.strip("_"), daemon=True))
                self._threads[-1].start()
        self._newest += 1
        self._new.put(_Numbered(self._newest, job))

    def work(
        self, budget_s: float, position_beats: float | None, wraps_to: float | None
    ) -> list[tuple[Load, TempoMap]]:
        """What the player is to get now, each with the tempo map that its beats count on."""
        if not self._threads:
            return [(load, self._map) for load in self.plan.work(budget_s, position_beats, wraps_to=wraps_to)]
        self._where = position_beats, wraps_to
        with contextlib.suppress(queue.Empty):
            while True:  # one a turn: packing a slice for the player takes a moment
                item = self._out.get_nowait()
                if item.number == self._newest:
                    return [item.what]
        return []

    def close(self) -> None:
        """Ends the threads."""
        self._closing.set()
        self._new.put(None)
        self._whole.put(None)
        for thread in self._threads:
            thread.join(2.0)

    # in the threads -------------------------------------------------------------------------------------------------
    def _run_windows(self) -> None:
        waiting: _Numbered | None = None
        while not self._closing.is_set():
            items = _all_of(self._new, None)
            if not items:
                return
            for item in items:
                job = item.what
                if waiting is not None and waiting.number > self._done:  # not yet heard: the newer has its place too
                    job = replace(job, takeover_beats=_earlier(waiting.what.takeover_beats, job.takeover_beats))
                waiting = _Numbered(item.number, job)
            assert waiting is not None
            job, until = waiting.what, waiting.what.takeover_beats
            if until is not None and job.draft.result.complete:
                window = _window(job, until, self.plan)
                if window is not None:
                    self._out.put(_Numbered(waiting.number, (window[0], job.tempo_map)))
                    until = window[1]
            self._whole.put(_Numbered(waiting.number, replace(job, takeover_beats=until)))

    def _run_whole(self) -> None:
        tempo_map, number = self._map, 0
        while not self._closing.is_set():
            for item in _all_of(self._whole, 0.0 if self.plan.busy else IDLE_S):
                if isinstance(item.what, _Again):
                    self.plan.hand_over_again(item.what.takeover_beats)
                elif item.number == self._newest:  # older ones are nobody's any more
                    job, tempo_map = item.what, item.what.tempo_map
                    self.plan.update(job.score(), job.takeover_beats)
                    # A window took the place of all that the player had after it.
                    self.plan.hand_over_again(job.takeover_beats)
                    number = self._done = item.number
            position, wraps_to = self._where
            self._working = True  # from the plan's last slice until it is handed out
            for load in self.plan.work(TURN_S, position, wraps_to=wraps_to):
                self._out.put(_Numbered(number, (load, tempo_map)))
            self._working = False
            while self._out.qsize() > 4 and self._whole.empty() and not self._closing.is_set():
                time.sleep(0.002)  # the session takes them one by one


@dataclass(frozen=True, slots=True)
class _Numbered:
    number: int
    what: Any


@dataclass(frozen=True, slots=True)
class _Again:
    takeover_beats: float | None


def _all_of(jobs: queue.SimpleQueue[_Numbered | None], patience_s: float | None) -> list[_Numbered]:
    """What waits, after some patience for the first (None: for ever)."""
    found: list[_Numbered] = []
    with contextlib.suppress(queue.Empty):
        item = jobs.get_nowait() if patience_s == 0.0 else jobs.get(timeout=patience_s)
        while item is not None:
            found.append(item)
            item = jobs.get_nowait()
    return found


def _earlier(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else min(first, second)


def _window(job: PlanJob, takeover: float, plan: Plan) -> tuple[Load, float] | None:
    """The music around a takeover, arranged on its own, and the beat up to which it goes."""
    slots = job.draft.result.slots
    at = bisect_right(slots, takeover + 1e-6, key=lambda slot: slot.start_beats) - 1
    first, last = _run_start(slots, max(at - BEFORE_SLOTS, 0)), min(at + AFTER_SLOTS, len(slots))
    if at < 0 or last - first >= len(slots) or last <= at:
        return None
    part = slots[first:last]
    low_s, high_s = part[0].start_s, part[-1].end_s
    draft = replace(
        job.draft,
        result=replace(job.draft.result, slots=part, complete=last == len(slots)),
        hits=tuple(hit for hit in job.draft.hits if low_s <= hit.time_s < high_s),
        pins=tuple(pin for pin in job.draft.pins if pin.start_s < high_s and pin.end_s > low_s),
    )
    analysed = replace(job.analysed, cuts=tuple(cut for cut in job.analysed.cuts if low_s <= cut.time_s < high_s))
    # Only what is settled counts: the last chord of a window may go on behind it.
    score = replace(build_score(draft, analysed, job.starts_s, job.levels, settled=True), kept=job.kept(job.draft))
    state = plan.state_before(part[0].start_beats, job.tempo_map)
    made = arrange_whole(score, state)
    until = _run_start_beats(score.pinned.slots)
    if until <= takeover:
        return None
    notes = tuple(note for note in made.notes if note.end_beats > takeover and note.start_beats < until)
    curves = tuple(each for each in made.controllers if takeover <= each.time_beats < until)
    return Load(takeover, notes, curves), until


def _run_start(slots: tuple[Slot, ...], index: int) -> int:
    while index and slots[index - 1].chord == slots[index].chord:
        index -= 1
    return index


def _run_start_beats(slots: tuple[Slot, ...]) -> float:
    return slots[_run_start(slots, len(slots) - 1)].start_beats


__all__ = ["PlanDesk", "PlanJob"]
