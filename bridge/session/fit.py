"""Looking for tempi that meet the hits, in a process of its own, and what /cue/tempo/fit answers.

Fixed tempi for thirty hits take a quarter of a second, ramps half a minute: no turn of the session has that, and a
thread would share its interpreter for as long.
"""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Final

from bridge.osc.codec import MAX_ARGUMENTS, Argument, Double
from engine.arrange.tempofit import HitMiss, Search, TempoPlan, TempoReport, fit_tempos
from engine.music import MusicError
from engine.music.arguments import ControlError
from engine.music.composition import HIT_WEIGHTS
from engine.music.controls import TEMPO_FIT as FIT
from engine.music.controls import TEMPO_FIT_PLAN as PLAN
from engine.music.processes import start_on_pipe

PLANS: Final = 8
MAX_WAITING: Final = 8  # searches, of all senders together
NICENESS: Final = 5
_HEAD: Final = 2  # number and count, before the hits
_EACH: Final = 4  # second, weight, miss, reason
HITS: Final = (MAX_ARGUMENTS - _HEAD) // _EACH

Messages = tuple[tuple[str, tuple[Argument, ...]], ...]


@dataclass(frozen=True, slots=True)
class Searched:
    """who: asked for it.  messages: the answer, or a fault in a sentence."""

    who: tuple[str, int]
    messages: Messages = ()
    fault: str = ""


class TempoSearch:
    """Searches one after the other, in the order of asking; `finished` in every turn, `close` at the end."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[tuple[str, int], Search]] = deque()
        self._process: BaseProcess | None = None
        self._answer: Connection | None = None

    def ask(self, who: tuple[str, int], search: Search) -> None:
        """Raises ControlError while too many are waiting."""
        if len(self._waiting) >= MAX_WAITING:
            raise ControlError("busy", f"{MAX_WAITING} searches for a tempo are waiting already.")
        self._waiting.append((who, search))
        if len(self._waiting) == 1:
            self._start()

    def _start(self) -> None:
        self._answer, self._process = start_on_pipe(_search, self._waiting[0][1], daemon=True)

    def finished(self) -> list[Searched]:
        """What was found since the last call."""
        if self._answer is None or not self._answer.poll():
            return []
        who, _ = self._waiting.popleft()
        try:
            messages, fault = self._answer.recv()
        except (EOFError, OSError):
            messages, fault = (), "the search for a tempo was ended from outside."
        self.close()
        if self._waiting:
            self._start()
        return [Searched(who, messages, fault)]

    def close(self) -> None:
        """Nobody waits any more for what has not been found."""
        if self._answer is not None:
            self._answer.close()
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._answer = self._process = None


def _search(answer: Connection, search: Search) -> None:
    """In the process of its own: the messages, or a sentence."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    try:
        report = fit_tempos(search.hits, search.rate, search.options, (search.kind,))
        answer.send((fit_messages(report, search.kind), ""))
    except MusicError as error:
        answer.send(((), str(error)))


def fit_messages(report: TempoReport, kind: str) -> Messages:
    """The messages, first the answer: of each plan its tempo, hits met, hits near and worst miss in frames; of what is
    no fixed tempo also the bend in per cent and how many odd bars.

    Then one message a plan, its number from 1.  Where there is no plan of this kind, the best fixed tempo is sent as
    plan 0, so that it can be seen which must hits are in the way.
    """
    plans = report.of(kind)[:PLANS]
    short: list[Argument] = []
    for plan in plans:
        short += [plan.bpm, plan.met, plan.near, plan.worst_frames]
        if kind != "fixed":
            short += [plan.bend_percent, len(plan.odd_bars)]
    numbered = enumerate(plans, 1) if plans else enumerate(report.fixed[:1])
    return (FIT, tuple(short)), *((PLAN, _hits(number, plan)) for number, plan in numbered)


def _hits(number: int, plan: TempoPlan) -> tuple[Argument, ...]:
    """Number, how many hits there are, then per hit its picture second, weight, miss in signed frames (+ = after the
    picture) and why it is refused ("" where it is not), in the film's order."""
    reasons = dict(zip(plan.refused, plan.refusals, strict=True))

    def rank(miss: HitMiss) -> tuple[bool, int, float]:
        return miss not in reasons, HIT_WEIGHTS.index(miss.hit.weight), miss.hit.time_s

    kept = sorted(sorted(plan.misses, key=rank)[:HITS], key=lambda miss: miss.hit.time_s)
    found: list[Argument] = [number, len(plan.misses)]
    for miss in kept:
        found += [Double(miss.hit.time_s), miss.hit.weight, float(miss.miss_frames), reasons.get(miss, "")]
    return tuple(found)
