"""What /cue/tempo/fit answers: the plans in short, then each plan with its hits and what it refuses."""

from __future__ import annotations

from typing import Final

from bridge.osc.codec import MAX_ARGUMENTS, Argument, Double
from engine.arrange.tempofit import HitMiss, TempoPlan, TempoReport
from engine.music.composition import HIT_WEIGHTS
from engine.music.controls import TEMPO_FIT as FIT
from engine.music.controls import TEMPO_FIT_PLAN as PLAN

PLANS: Final = 8
_HEAD: Final = 2  # number and count, before the hits
_EACH: Final = 4  # second, weight, miss, reason
HITS: Final = (MAX_ARGUMENTS - _HEAD) // _EACH


def fit_messages(report: TempoReport, kind: str) -> list[tuple[str, tuple[Argument, ...]]]:
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
    return [(FIT, tuple(short)), *((PLAN, _hits(number, plan)) for number, plan in numbered)]


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
