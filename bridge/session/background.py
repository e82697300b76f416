"""Arranging in threads, for films so long that it would hold the session up.

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
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

from bridge.session.now import Clock, SystemClock
from bridge.session.plan import LONG_SLICE_EVENTS, SMALL_SLOTS, Block, Load, Plan
from engine.arrange import Arrangement
from engine.arrange.score import Score, arrange_whole, build_score
from engine.document import Document
from engine.document.takes import EVER, TakeTable, kept_ranges
from engine.music import Composition, FilmLevels, Note, Slot, TempoMap
from engine.process.messages import FilmAnalysed

BEFORE_SLOTS: Final = 24  # of a window: chords that a new one may hang on
AFTER_SLOTS: Final = 96  # a minute and a half; the rest is there by then
TURN_S: Final = 0.02
IDLE_S: Final = 0.02
WHOLE_S: Final = 0.015  # of a turn, for the last blocks of a short film
ROOM_S: Final = 0.005  # processor time of a turn after which what can wait for the next one does
GIVE_WAY_S: Final = 0.1  # a turn of the session that lasts longer holds the threads up no more


@dataclass(frozen=True, slots=True)
class PlanJob:
    """A document to be arranged.  takeover_beats: from where it is heard, None: from the beginning (nothing plays)."""

    document: Document
    analysed: FilmAnalysed
    levels: FilmLevels
    takeover_beats: float | None
    takes: TakeTable

    def score(self) -> Score:
        return build_score(self.document, self.analysed.film, self.analysed.cuts, self.levels, self.takes)

    @property
    def tempo_map(self) -> TempoMap:
        return self.document.result.tempo_map

    @property
    def long(self) -> bool:
        return len(self.document.result.slots) > SMALL_SLOTS


class BackgroundPlan:
    """The session's side: `update`, then `work` in every turn; `close` at the end."""

    def __init__(self, clock: Clock = SystemClock()) -> None:  # noqa: B008 (it has no state)
        self._clock = clock
        self.plan = Plan(clock)
        self._threads: list[threading.Thread] = []
        self._new: queue.SimpleQueue[_Numbered | None] = queue.SimpleQueue()
        self._whole: queue.SimpleQueue[_Numbered | None] = queue.SimpleQueue()
        self._out: deque[_Numbered] = deque()
        self._lock = threading.Lock()  # of _out and _lost_s, which all three threads touch
        self._lost_s = EVER  # timeline second from which older music was arranged but never handed out
        self._faults: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._newest = 0  # change that was asked for
        self._done = 0  # change that the plan holds
        self._working = False
        self._closing = threading.Event()
        self._where: tuple[float | None, float | None] = (None, None)
        self._map = TempoMap()
        self._turn = False  # the session is at work, and one interpreter runs one thread at a time
        self._begun_s = 0.0  # processor time of the session's thread when its turn began
        self._put_off: dict[str, int] = {}  # for what turns before had no room, and how many
        self._window = False  # a window is being arranged

    # what the plan says, whoever works on it -----------------------------------------------------------------------
    @property
    def busy(self) -> bool:
        return self._newest != self._done or self.plan.busy or self._working or bool(self._out)

    @property
    def arranging(self) -> bool:
        """Whether the plan is not yet that of the newest change."""
        return self._newest != self._done

    @property
    def complete(self) -> bool:
        return self._newest == self._done and self.plan.complete and not self._working and not self._out

    @property
    def notes(self) -> tuple[Note, ...]:
        return self.plan.notes

    @property
    def end_beats(self) -> float:
        return self.plan.end_beats

    @property
    def planned_to_beats(self) -> float:
        return self.plan.planned_to_beats

    def whole(self) -> tuple[Composition, Arrangement] | None:
        """The composition and all its notes; None while more is left to arrange than fits into a turn."""
        if not self._threads:
            self.plan.finish(WHOLE_S)
        composition, made = self.plan.composition, self.plan.arrangement
        return None if self.arranging or composition is None or made is None else (composition, made)

    def blocks(self) -> tuple[Block, ...] | None:
        """The same music piece by piece."""
        if not self._threads:
            self.plan.finish(WHOLE_S)
        return None if self.arranging else self.plan.blocks

    def count_notes(self, start_beats: float, end_beats: float, part: str = "all") -> int:
        return self.plan.count_notes(start_beats, end_beats, part)

    def first_notes(self, start_beats: float, end_beats: float, most: int, part: str = "all") -> list[Note]:
        return self.plan.first_notes(start_beats, end_beats, most, part)

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
        """What has to be sent to the player now, each with the tempo map of its beats."""
        if not self._threads:
            return [(load, self._map) for load in self.plan.work(budget_s, position_beats, wraps_to=wraps_to)]
        self._where = position_beats, wraps_to
        with self._lock:
            self._drop_older()
            return [self._out.popleft().what] if self._out else []  # one: packing it for the player takes a moment

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """A turn of the session: the thread that arranges the whole film waits meanwhile, up to GIVE_WAY_S, since a
        person waits for the session."""
        self._turn, self._begun_s = True, time.thread_time()
        try:
            yield
        finally:
            self._turn = False

    def puts_off(self, what: str, most: int = 1) -> bool:
        """Whether a turn of a long film has done so much already that this is for a later one, after `most` turns at
        the latest."""
        waited = self._put_off.pop(what, 0)
        there_is_room = not self._turn or time.thread_time() - self._begun_s < ROOM_S
        if not self._threads or there_is_room or waited >= most:
            return False
        self._put_off[what] = waited + 1
        return True

    def faults(self) -> list[str]:
        """Errors of the threads since the last call, a sentence each; the music before plays on."""
        found = []
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(self._faults.get_nowait())
        return found

    def close(self) -> None:
        """Ends the threads."""
        self._closing.set()
        self._new.put(None)
        self._whole.put(None)
        for thread in self._threads:
            thread.join(2.0)

    def _drop_older(self) -> None:
        """Call it under the lock.  What is dropped has to be sent again with what takes its place."""
        while self._out and self._out[0].number != self._newest:
            load, tempo_map = self._out.popleft().what
            self._lost_s = min(self._lost_s, _seconds(load.from_beats, tempo_map))

    # in the threads -------------------------------------------------------------------------------------------------
    def _give_way(self) -> None:
        end_s = self._clock.now() + GIVE_WAY_S
        while (self._turn or self._window) and self._clock.now() < end_s and not self._closing.is_set():
            time.sleep(0.0005)

    def _put(self, number: int, load: Load, tempo_map: TempoMap) -> None:
        with self._lock:
            self._out.append(_Numbered(number, (load, tempo_map)))

    def _lost_beats(self, tempo_map: TempoMap) -> float:
        """From where the player lacks dropped music; EVER: nowhere."""
        with self._lock:
            self._drop_older()
            lost_s, self._lost_s = self._lost_s, EVER
        return lost_s if abs(lost_s) >= EVER else tempo_map.beats_at(lost_s)

    def _fault(self, error: Exception) -> None:
        self._faults.put(f"the change could not be arranged ({type(error).__name__}: {error}); what plays plays on")

    def _run_windows(self) -> None:
        waiting: _Numbered | None = None
        while not self._closing.is_set():
            items = _all_of(self._new, None)
            if not items:
                return
            for item in items:
                job = item.what
                if waiting is not None and waiting.number > self._done:  # not yet heard: the newer has its place too
                    job = replace(job, takeover_beats=_earlier(waiting.what, job))
                waiting = _Numbered(item.number, job)
            assert waiting is not None
            job, until = waiting.what, waiting.what.takeover_beats
            if until is not None and job.document.result.complete:
                self._window = True
                try:
                    window = _window(job, until, self.plan)
                except Exception as error:  # the whole comes without it, later
                    self._fault(error)
                    window = None
                finally:
                    self._window = False
                if window is not None:
                    for load in sliced(window[0], LONG_SLICE_EVENTS):
                        self._put(waiting.number, load, job.tempo_map)
                    until = window[1]
            self._whole.put(_Numbered(waiting.number, replace(job, takeover_beats=until)))

    def _run_whole(self) -> None:
        tempo_map, number = self._map, 0
        while not self._closing.is_set():
            for item in _all_of(self._whole, 0.0 if self.plan.busy else IDLE_S):
                if isinstance(item.what, _Again):
                    self.plan.hand_over_again(item.what.takeover_beats)
                elif item.number == self._newest:  # older ones are nobody's any more
                    number, tempo_map = item.number, item.what.tempo_map
                    try:
                        self._begin(item.what)
                    except Exception as error:  # a thread that ended would leave the session waiting for ever
                        self._fault(error)
                        self.plan.give_up()
                    self._done = number
            position, wraps_to = self._where
            self._working = True  # from the plan's last slice until it is handed out
            try:
                for load in self.plan.work(TURN_S, position, wraps_to=wraps_to, between=self._give_way):
                    self._put(number, load, tempo_map)
            except Exception as error:
                self._fault(error)
                self.plan.give_up()
            self._working = False
            while len(self._out) > 4 and self._whole.empty() and not self._closing.is_set():
                time.sleep(0.002)  # the session takes them one by one

    def _begin(self, job: PlanJob) -> None:
        """The plan turns to a job; the player gets it from its takeover on."""
        from_beats = job.takeover_beats
        self.plan.update(job.score(), from_beats)
        lost = self._lost_beats(job.tempo_map)
        if from_beats is not None and lost < from_beats:
            position = self._where[0]
            from_beats = lost if position is None else min(max(lost, position), from_beats)
        # A window took the place of all that the player had after it.
        self.plan.hand_over_again(from_beats)


@dataclass(frozen=True, slots=True)
class _Numbered:
    number: int
    what: Any


@dataclass(frozen=True, slots=True)
class _Again:
    takeover_beats: float | None


def _all_of(jobs: queue.SimpleQueue[_Numbered | None], patience_s: float | None) -> list[_Numbered]:
    """The jobs that wait, after waiting up to patience_s for the first (None: for ever)."""
    found: list[_Numbered] = []
    with contextlib.suppress(queue.Empty):
        item = jobs.get_nowait() if patience_s == 0.0 else jobs.get(timeout=patience_s)
        while item is not None:
            found.append(item)
            item = jobs.get_nowait()
    return found


def _earlier(first: PlanJob, second: PlanJob) -> float | None:
    """The earlier of two takeovers, in beats of the second job: its tempo map may be another one."""
    if first.takeover_beats is None or second.takeover_beats is None:
        return None
    if first.tempo_map is second.tempo_map:
        return min(first.takeover_beats, second.takeover_beats)
    first_s = _seconds(first.takeover_beats, first.tempo_map)
    return min(second.tempo_map.beats_at(first_s) if abs(first_s) < EVER else first_s, second.takeover_beats)


def _seconds(beats: float, tempo_map: TempoMap) -> float:
    """Timeline second of a beat; EVER stays EVER."""
    return beats if abs(beats) >= EVER else tempo_map.seconds_at(beats)


def _window(job: PlanJob, takeover: float, plan: Plan) -> tuple[Load, float] | None:
    """The music around a takeover, arranged on its own, and the beat up to which it goes."""
    slots = job.document.result.slots
    at = bisect_right(slots, takeover + 1e-6, key=lambda slot: slot.start_beats) - 1
    first, last = _run_start(slots, max(at - BEFORE_SLOTS, 0)), min(at + AFTER_SLOTS, len(slots))
    if at < 0 or last - first >= len(slots) or last <= at:
        return None
    part = slots[first:last]
    low_s, high_s = part[0].start_s, part[-1].end_s
    document = replace(
        job.document,
        result=replace(job.document.result, slots=part, complete=last == len(slots)),
        hits=tuple(hit for hit in job.document.hits if low_s <= hit.time_s < high_s),
        pins=tuple(pin for pin in job.document.pins if pin.start_s < high_s and pin.end_s > low_s),
    )
    cuts = tuple(cut for cut in job.analysed.cuts if low_s <= cut.time_s < high_s)
    # Only chords that end in it count: the last one of a window may go on behind it.
    score = build_score(document, job.analysed.film, cuts, job.levels, is_stretch=True)
    score = replace(score, kept=kept_ranges(job.takes, job.document))
    state = plan.state_before(part[0].start_beats, job.tempo_map)
    made = arrange_whole(score, state)
    until = _run_start_beats(score.pinned.slots)
    if until <= takeover:
        return None
    notes = tuple(note for note in made.notes if note.end_beats > takeover and note.start_beats < until)
    curves = tuple(each for each in made.controllers if takeover <= each.time_beats < until)
    return Load(takeover, notes, curves), until


def sliced(load: Load, most: int) -> Iterator[Load]:
    """A load in pieces of about so many notes and controllers, each from a later beat on: a turn of the session hands
    over one.  A note that rings from one piece into the next is in both, since it would be cut there."""
    begins = sorted([note.start_beats for note in load.notes] + [each.time_beats for each in load.controllers])
    edges = sorted({beats for beats in begins[most::most] if beats > load.from_beats})
    for low, high in pairwise([load.from_beats, *edges, EVER]):
        first = low == load.from_beats
        notes = tuple(n for n in load.notes if n.start_beats < high and (first or n.end_beats > low))
        curves = tuple(c for c in load.controllers if c.time_beats < high and (first or c.time_beats >= low))
        yield Load(low, notes, curves)


def _run_start(slots: tuple[Slot, ...], index: int) -> int:
    while index and slots[index - 1].chord == slots[index].chord:
        index -= 1
    return index


def _run_start_beats(slots: tuple[Slot, ...]) -> float:
    return slots[_run_start(slots, len(slots) - 1)].start_beats


__all__ = ["BackgroundPlan", "PlanJob"]
