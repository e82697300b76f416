"""Tempi that meet hits: fixed ones, ramps, tempi that change at hits, single odd bars, and ramps with odd bars.

Times are picture seconds, misses signed frames at film rate (+ = the music comes after the picture).  A hit is *met*
within half a frame; so must every "must" hit be, or the plan says which are not and by how much.  Film composers do the
same by hand: list the click tempi with the number of hits each catches, then stretch between them, then drop a beat.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final, NamedTuple

from engine.arrange.tempocurve import Knot, Target, bend_percent, knots, meters_of, ramped, stepped
from engine.arrange.timeline import Bars
from engine.music import Composition, FrameRate, Hit, MeterChange, MusicError, TempoChange, TempoMap, TimeSignature
from engine.music.controls import TEMPO_KINDS

MET_FRAMES: Final = 0.5
NEAR_FRAMES: Final = 2.0
_WEIGHTS: Final = {"must": 4.0, "should": 2.0, "nice": 1.0}
_COMMON_TIME: Final = TimeSignature(4, 4)
# Bars that may stand once before a hit, by length in beats.
ODD_BARS: Final[dict[float, TimeSignature]] = {
    2.0: TimeSignature(2, 4),
    2.5: TimeSignature(5, 8),
    3.0: TimeSignature(3, 4),
    3.5: TimeSignature(7, 8),
    5.0: TimeSignature(5, 4),
}


@dataclass(frozen=True, slots=True)
class TempoFitOptions:
    """low_bpm..high_bpm: searched in steps of step_bpm.  bar_1_s: picture second of bar 1.  unit_beats: what a hit must
    fall on, 1 a beat, 0.5 an eighth.  curve_percent: by how much a curve may leave its tempo.  count: plans of each
    kind that are kept.  Raises MusicError."""

    low_bpm: float = 70.0
    high_bpm: float = 140.0
    step_bpm: float = 0.1
    meter: TimeSignature = _COMMON_TIME
    bar_1_s: float = 0.0
    unit_beats: float = 1.0
    curve_percent: float = 4.0
    count: int = 5

    def __post_init__(self) -> None:
        if not 5 <= self.low_bpm <= self.high_bpm <= 999:
            raise MusicError(f"tempi from {self.low_bpm:g} to {self.high_bpm:g} bpm cannot be searched.")
        if self.step_bpm < 0.01:
            raise MusicError("tempi are searched in steps of at least 0.01 bpm.")
        if self.unit_beats not in (0.25, 0.5, 1.0, 2.0):
            raise MusicError("hits fall on 0.25, 0.5, 1 or 2 beats.")
        if not 0 <= self.curve_percent <= 50:
            raise MusicError(f"a tempo curve of {self.curve_percent:g} % is outside 0 to 50 %.")


@dataclass(frozen=True, slots=True)
class HitMiss:
    """beats: the place in the music nearest to the hit; miss_frames: signed, + = after the picture."""

    hit: Hit
    beats: float
    miss_frames: float

    @property
    def met(self) -> bool:
        return abs(self.miss_frames) <= MET_FRAMES + 1e-9


@dataclass(frozen=True, slots=True)
class TempoPlan:
    """One way to meet the hits.

    kind: "fixed", "ramp", "steps", "odd bars" or "bars".  tempo_map: its bar 1 at bar_1_s, timeline seconds being
    picture seconds.
    bend_percent: the most that a stretch leaves the plan's bpm.  odd_bars: (beat at which it begins, time signature).
    refusals: a sentence for each hit of `refused`, in its order.
    """

    kind: str
    bpm: float
    tempo_map: TempoMap
    misses: tuple[HitMiss, ...]
    bend_percent: float = 0.0
    odd_bars: tuple[tuple[float, TimeSignature], ...] = ()
    refusals: tuple[str, ...] = ()

    @property
    def met(self) -> int:
        return sum(miss.met for miss in self.misses)

    @property
    def near(self) -> int:
        """Not met, but within two frames."""
        return sum(not miss.met and abs(miss.miss_frames) <= NEAR_FRAMES for miss in self.misses)

    @property
    def worst_frames(self) -> float:
        return max((abs(miss.miss_frames) for miss in self.misses), default=0.0)

    @property
    def refused(self) -> tuple[HitMiss, ...]:
        """The must hits that it does not meet."""
        return tuple(miss for miss in self.misses if miss.hit.weight == "must" and not miss.met)


@dataclass(frozen=True, slots=True)
class TempoReport:
    """Best plans of each kind, best first.  refusals: those of the best fixed tempo.

    fixed: one tempo.  ramps: a tempo that changes a little each beat.  steps: one tempo from hit to hit.
    odd_bars: one tempo, hits on bar lines by single odd bars.  bars: ramps, and every hit that is met opens a bar.
    """

    fixed: tuple[TempoPlan, ...]
    ramps: tuple[TempoPlan, ...]
    steps: tuple[TempoPlan, ...]
    odd_bars: tuple[TempoPlan, ...]
    bars: tuple[TempoPlan, ...]
    refusals: tuple[str, ...]

    def of(self, kind: str) -> tuple[TempoPlan, ...]:
        """The plans of one of TEMPO_KINDS."""
        return {
            "fixed": self.fixed, "ramp": self.ramps, "steps": self.steps, "odd": self.odd_bars, "bars": self.bars
        }[kind]  # fmt: skip


class Search(NamedTuple):
    """What `fit_tempos` is asked, for fixed tempi and one other kind of plans."""

    hits: tuple[Hit, ...]
    rate: FrameRate
    options: TempoFitOptions
    kind: str


def fit_tempos(
    hits: Sequence[Hit],
    rate: FrameRate,
    options: TempoFitOptions | None = None,
    kinds: Collection[str] = TEMPO_KINDS,
) -> TempoReport:
    """Looks for tempi that meet the hits.  kinds: what else than fixed tempi is looked for.

    Raises MusicError where there is no hit after bar 1.
    """
    options = options or TempoFitOptions()
    after = tuple(sorted((hit for hit in hits if hit.time_s > options.bar_1_s), key=lambda hit: hit.time_s))
    if not after:
        raise MusicError("there is no hit after bar 1 to fit a tempo to.")
    tempi = [
        Fraction(number) * Fraction(repr(options.step_bpm))
        for number in range(
            math.ceil(options.low_bpm / options.step_bpm - 1e-9),
            math.floor(options.high_bpm / options.step_bpm + 1e-9) + 1,
        )
    ]
    if not tempi:
        raise MusicError(f"there is no tempo from {options.low_bpm:g} to {options.high_bpm:g} bpm.")
    fixed = [_fixed(after, rate, options, bpm) for bpm in tempi]
    ramps, steps, bars = (
        _curves(kind, after, rate, options, tempi if kind in kinds else ()) for kind in ("ramp", "steps", "bars")
    )
    odd = [plan for bpm in tempi if "odd" in kinds and (plan := _odd(after, rate, options, bpm)) is not None]
    nearest, way = _nearest(fixed), _way_out(ramps + steps or bars, odd, kinds)
    first, *others = _best(fixed, options.count)
    best = _reasoned(first, ", the best fixed tempo", nearest, way)
    return TempoReport(
        (best, *(_reasoned(plan, "", nearest, way) for plan in others)),
        tuple(_reasoned(plan, "", nearest, way) for plan in ramps),
        tuple(_reasoned(plan, "", nearest, way) for plan in steps),
        tuple(_reasoned(plan, " with odd bars", nearest, way) for plan in _best(odd, options.count)),
        tuple(_reasoned(plan, "", nearest, way) for plan in bars),
        best.refusals,
    )


def composition_misses(composition: Composition) -> tuple[HitMiss, ...]:
    """How far the sixteenths on which the hits of a composition are played lie from the picture."""
    hits = sorted(
        {*composition.hits, *(hit for cue in composition.cues for hit in cue.hits)}, key=lambda hit: hit.time_s
    )
    if not hits:
        return ()
    places = [composition.beats_at_picture(hit.time_s) for hit in hits]
    bars = Bars(composition.tempo_map, min(places), max(places))
    found = []
    for hit, place in zip(hits, places, strict=True):
        beats = bars.snap(place)
        miss_s = composition.picture_at_beats(beats) - hit.time_s
        found.append(HitMiss(hit, beats, miss_s * float(composition.film.rate.fps)))
    return tuple(found)


def _score(plan: TempoPlan) -> tuple[int, float, float]:
    """Must hits refused (fewest first), then weight of what is met, then the sum of misses."""
    met = sum(_WEIGHTS[miss.hit.weight] for miss in plan.misses if miss.met)
    near = sum(0.5 * _WEIGHTS[miss.hit.weight] for miss in plan.misses if not miss.met and _is_near(miss))
    return len(plan.refused), -(met + near), sum(min(abs(miss.miss_frames), 12) for miss in plan.misses)


def _is_near(miss: HitMiss) -> bool:
    return abs(miss.miss_frames) <= NEAR_FRAMES


def _best(plans: Sequence[TempoPlan], count: int) -> tuple[TempoPlan, ...]:
    return _spread(sorted(plans, key=lambda plan: (*_score(plan), len(plan.odd_bars), plan.bpm)), count)


def _spread(plans: Sequence[TempoPlan], count: int) -> tuple[TempoPlan, ...]:
    """The first plans that differ by at least half a bpm: neighbours say the same."""
    chosen: list[TempoPlan] = []
    for plan in plans:
        if all(abs(plan.bpm - other.bpm) >= 0.5 for other in chosen):
            chosen.append(plan)
            if len(chosen) == count:
                break
    return tuple(chosen)


# kinds of plans ----------------------------------------------------------------------------------------------------
def _map(options: TempoFitOptions, bpm: Fraction) -> TempoMap:
    return TempoMap.constant(bpm, options.meter, Fraction(repr(options.bar_1_s)))


def _fixed(hits: Sequence[Hit], rate: FrameRate, options: TempoFitOptions, bpm: Fraction) -> TempoPlan:
    misses = []
    for hit in hits:
        position = (hit.time_s - options.bar_1_s) * float(bpm) / 60
        beats = round(position / options.unit_beats) * options.unit_beats
        misses.append(HitMiss(hit, beats, (beats - position) * 60 / float(bpm) * float(rate.fps)))
    return TempoPlan("fixed", float(bpm), _map(options, bpm), tuple(misses))


def _curves(
    kind: str, hits: Sequence[Hit], rate: FrameRate, options: TempoFitOptions, tempi: Sequence[Fraction]
) -> tuple[TempoPlan, ...]:
    """Tempi bent from hit to hit: most weight met first, then the least bend; none that misses a must hit."""
    origin = Fraction(repr(options.bar_1_s))
    targets = [Target(Fraction(repr(hit.time_s)) - origin, _WEIGHTS[hit.weight], hit.weight == "must") for hit in hits]
    unit = Fraction(repr(options.unit_beats))
    least = max(unit, Fraction(2)) if kind == "bars" else unit
    ways = []
    for bpm in tempi:
        # A ramp swings further than its means: where it passes the limit, less is asked of the means.
        for share in (1.0,) if kind == "steps" else (1.0, 0.7, 0.45):
            path = knots(targets, bpm, unit, options.curve_percent * share, least)
            if path is None:
                break
            bend = bend_percent(path, float(bpm), ramp=kind != "steps")
            if bend <= options.curve_percent:
                weight = sum(targets[knot.hit].weight for knot in path[1:])
                ways.append((-weight, bend, bpm, path))
                break
    found: list[TempoPlan] = []
    for _, _, bpm, path in sorted(ways, key=lambda way: way[:3]):
        if any(abs(float(bpm) - other.bpm) < 0.5 for other in found):
            continue
        tempos = stepped(path) if kind == "steps" else ramped(path)
        if tempos is not None:
            found.append(_curve_plan(kind, hits, rate, options, bpm, path, tempos))
            if len(found) == options.count:
                break
    return tuple(found)


# size: a step of the search, which has them all.
def _curve_plan(
    kind: str,
    hits: Sequence[Hit],
    rate: FrameRate,
    options: TempoFitOptions,
    bpm: Fraction,
    path: Sequence[Knot],
    tempos: Sequence[TempoChange],
) -> TempoPlan:
    meters = meters_of(path, options.meter) if kind == "bars" else [MeterChange(Fraction(0), options.meter)]
    tempo_map = TempoMap(tuple(tempos), tuple(meters), Fraction(repr(options.bar_1_s)))
    bend = max(abs(float(change.bpm / bpm) - 1) * 100 for change in tempos)
    beats_of = {knot.hit: knot.beat for knot in path}
    unit = Fraction(repr(options.unit_beats))
    misses = []
    for index, hit in enumerate(hits):
        second = Fraction(repr(hit.time_s))
        beat = beats_of.get(index)
        if beat is None:  # left out: the nearest place that hits may fall on
            beat = round(tempo_map.beats_at_exact(second) / unit) * unit
        misses.append(HitMiss(hit, float(beat), float((tempo_map.seconds_at_exact(beat) - second) * rate.fps)))
    odd = tuple((float(change.beat), change.meter) for change in meters if change.meter != options.meter)
    return TempoPlan(kind, float(bpm), tempo_map, tuple(misses), bend, odd)


def _odd(hits: Sequence[Hit], rate: FrameRate, options: TempoFitOptions, bpm: Fraction) -> TempoPlan | None:
    """A fixed tempo with at most one odd bar before each hit, so that hits fall on bar lines.

    None where a must hit cannot be brought to a bar line; other hits that cannot stay off it.
    """
    bar = float(options.meter.bar_beats)
    origin = 0.0  # the last bar line that is fixed
    odd: list[tuple[float, TimeSignature]] = []
    misses = []
    for hit in hits:
        position = (hit.time_s - options.bar_1_s) * float(bpm) / 60
        beats = round(position * 2) / 2  # an eighth is the finest that odd bars reach
        miss = (beats - position) * 60 / float(bpm) * float(rate.fps)
        whole, rest = divmod(beats - origin, bar)
        missed = rest > 1e-9
        if abs(miss) <= NEAR_FRAMES and missed:
            for length, meter in ODD_BARS.items():
                left = beats - origin - length
                if length != bar and left >= -1e-9 and abs(left / bar - round(left / bar)) < 1e-9:
                    odd.append((origin + round(left / bar) * bar, meter))
                    origin, missed = beats, False
                    break
        elif not missed:
            origin = beats if abs(miss) <= NEAR_FRAMES else origin
        if missed:
            if hit.weight == "must":
                return None
            line = origin + (whole + (rest > bar / 2)) * bar
            beats, miss = line, (line - position) * 60 / float(bpm) * float(rate.fps)
        misses.append(HitMiss(hit, beats, miss))
    if not odd:
        return None
    meters = [MeterChange(Fraction(0), options.meter)]
    for start, meter in odd:
        begin = Fraction(repr(start))
        if meters[-1].beat == begin:
            meters.pop()
        meters.append(MeterChange(begin, meter))
        meters.append(MeterChange(begin + meter.bar_beats, options.meter))
    tempo_map = TempoMap((TempoChange(Fraction(0), bpm),), tuple(meters), Fraction(repr(options.bar_1_s)))
    return TempoPlan("odd bars", float(bpm), tempo_map, tuple(misses), odd_bars=tuple(odd))


def _nearest(fixed: Sequence[TempoPlan]) -> dict[Hit, float]:
    """The least that any one of the fixed tempi misses each hit by, in frames."""
    nearest: dict[Hit, float] = {}
    for plan in fixed:
        for miss in plan.misses:
            nearest[miss.hit] = min(nearest.get(miss.hit, math.inf), abs(miss.miss_frames))
    return nearest


def _way_out(curves: Sequence[TempoPlan], odd: Sequence[TempoPlan], kinds: Collection[str]) -> str:
    """What would meet the must hits that one tempo does not."""
    if curves:
        gentlest = min(curves, key=lambda plan: plan.bend_percent)
        word = "change from hit to hit" if gentlest.kind == "steps" else "ramp"
        return f"a tempo {word} of {gentlest.bend_percent:.2f} % meets it"
    if any(not plan.refused for plan in odd):
        return "odd bars meet it"
    if "ramp" in kinds:
        return "no tempo curve within the limit meets it either"
    return "tempo ramps may meet it" if "odd" in kinds else "tempo ramps or odd bars may meet it"


def _reasoned(plan: TempoPlan, name: str, nearest: Mapping[Hit, float], way: str) -> TempoPlan:
    """The plan with its refusals.  name: what it is, after its tempo."""
    sentences = []
    for miss in plan.refused:
        hit = f"hit {miss.hit.name}" if miss.hit.name else "the hit"
        alone = nearest[miss.hit] <= MET_FRAMES + 1e-9
        reason = "together with the other must hits" if alone else "by itself too"
        sentences.append(
            f"{hit} at {miss.hit.time_s:.3f} s is refused: {miss.miss_frames:+.2f} frames at {plan.bpm:g} bpm{name}, "
            f"where half a frame is allowed ({reason}); {way}."
        )
    return replace(plan, refusals=tuple(sentences))
