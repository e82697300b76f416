"""Where music may sound: cues cut into segments on the sixteenth grid.

A segment is the part of a slot that lies in a cue, its ends moved to the nearest sixteenth of their bar (on the beats
grid they already stand there).  After the last one of a cue comes its ending: the chord that lands on Out and rings.
All positions are beats of the composition's tempo map.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Final

from engine.music import Chord, Composition, Cue, Key, Slot, TempoMap, TimeSignature
from engine.music.cueplan import CuePlan

STEP: Final = 0.25
_EPSILON: Final = 1e-9
CRESCENDO_BEATS: Final = 8.0  # how long music grows towards a hit
PAD_BARS: Final = 4  # a held chord is struck again after so many bars: samples die away


@dataclass(frozen=True, slots=True)
class Segment:
    """start, end: beats.  run_start, run_end: of the equal chords around it, inside the cue.

    pad_until: end of the pad chord that is struck here, None where the last one goes on.  next_chord: what follows the
    run in this cue, None where silence follows.  cue: its number.  ending: this is the chord on Out.  accent: a hit or
    a section begins here.  next_accent: beat of the next hit or section, also of a hit that the ending lands on.
    breath: what sounds stops a sixteenth before it.  section: its number within the cue, -1 before the first.
    """

    slot: Slot
    chord: Chord
    key: Key
    start: float
    end: float
    run_start: float
    run_end: float
    pad_until: float | None
    next_chord: Chord | None
    cue: int
    ending: bool = False
    accent: bool = False
    breath: bool = False
    next_accent: float | None = None
    section: int = -1


@dataclass(frozen=True, slots=True)
class Mark:
    """A place where something is to happen: breath: a silence before it; section: its number, -1 for a hit."""

    breath: bool = False
    section: int = -1


_NO_MARK: Final = Mark()


class Bars:
    """Bar lines and metrical weights around a composition; positions outside are continued."""

    __slots__ = ("_groups", "_known", "_map", "_starts", "_weights", "first_bar")

    def __init__(self, tempo_map: TempoMap, start_beats: float, end_beats: float) -> None:
        self._map = tempo_map
        self.first_bar = tempo_map.bar_at(start_beats) - 1
        self._known: dict[float, int] = {}  # every part asks for the same sixteenths
        self._starts: list[float] = []
        self._weights: list[tuple[int, ...]] = []
        self._groups: list[tuple[int, ...]] = []
        bar = self.first_bar
        known: dict[TimeSignature, tuple[int, ...]] = {}
        while True:
            line = tempo_map.bar_start(bar)
            self._starts.append(float(line))
            meter = tempo_map.meter_at(line)
            if meter not in known:
                known[meter] = step_weights(meter)
            self._weights.append(known[meter])
            self._groups.append(tuple(max(1, round(group / Fraction(1, 4))) for group in meter.groups))
            if line > end_beats:
                break
            bar += 1

    def index(self, beats: float) -> int:
        """Which of the known bars a position lies in."""
        bar = self._known.get(beats)
        if bar is None:
            found = bisect_right(self._starts, beats + _EPSILON) - 1
            bar = self._known[beats] = max(0, min(found, len(self._starts) - 2))
        return bar

    def number(self, beats: float) -> int:
        return self.first_bar + self.index(beats)

    @property
    def first_line(self) -> float:
        """The first known bar line."""
        return self._starts[0]

    def line(self, index: int) -> float:
        """Where a bar begins, by its `index`."""
        return self._starts[index]

    def start(self, beats: float) -> float:
        """The bar line at or before a position."""
        return self._starts[self.index(beats)]

    def next(self, beats: float) -> float:
        """The first bar line after a position."""
        return self._starts[self.index(beats) + 1]

    def step(self, beats: float) -> int:
        """Sixteenths since the bar line, rounded."""
        return round((beats - self.start(beats)) / STEP)

    def weight(self, beats: float) -> int:
        """3 on the bar line, 2 on a group (a beat in 4/4), 1 on another eighth, 0 between."""
        bar = self.index(beats)
        weights = self._weights[bar]
        step = round((beats - self._starts[bar]) / STEP)
        return weights[step] if step < len(weights) else 0

    def groups(self, beats: float) -> tuple[int, ...]:
        """Lengths of the groups of a bar in sixteenths: 4 4 4 4 for 4/4, 4 4 6 for 7/8."""
        return self._groups[self.index(beats)]

    def snap(self, beats: float) -> float:
        """The nearest sixteenth of its bar (the next bar line counts as one)."""
        line, next_line = self.start(beats), self.next(beats)
        return min(line + round((beats - line) / STEP) * STEP, next_line)

    def before(self, beats: float) -> float:
        """The last sixteenth of its bar at or before a position: what must not outlast it ends there."""
        place = self.snap(beats)
        return place if place <= beats + 1e-6 else place - STEP

    def swung(self, beats: float, swing: float) -> float:
        """A position on the grid moved for swing 50..75 %: every second sixteenth comes later."""
        if swing == 50.0 or self.step(beats) % 2 == 0:
            return beats
        return beats + (swing / 50.0 - 1.0) * STEP


def step_weights(meter: TimeSignature) -> tuple[int, ...]:
    """Weight of each sixteenth of a bar."""
    lines = {float(line) for line in accumulate(meter.groups, initial=0)}
    count = max(1, -(-meter.bar_beats // 1) and int(-(-meter.bar_beats * 4 // 1)))
    weights = []
    for step in range(count):
        beats = step * STEP
        weights.append(3 if step == 0 else 2 if beats in lines else 1 if step % 2 == 0 else 0)
    return tuple(weights)


def effective_cues(composition: Composition) -> tuple[Cue, ...]:
    """The cues in order of their In; the whole film where there are none."""
    return tuple(sorted(composition.cues, key=lambda cue: cue.in_s)) or (Cue(),)


def plans_by_cue(composition: Composition) -> dict[int, CuePlan]:
    """The plans by the number of their cue in `effective_cues`."""
    order = sorted(range(len(composition.cues)), key=lambda index: composition.cues[index].in_s) or [0]
    places = {index: number for number, index in enumerate(order)}
    return {places[plan.cue]: plan for plan in composition.plans if plan.cue in places}


def _breaks(composition: Composition, plan: CuePlan | None, bars: Bars) -> frozenset[float]:
    """Beats at which the sections of a plan begin: what sounds is struck anew there, without an accent."""
    if plan is None:
        return frozenset()
    return frozenset(bars.snap(composition.beats_at_picture(section.start_s)) for section in plan.sections[1:])


class Timeline:
    """All segments of a composition, in order, and its bars."""

    __slots__ = ("bars", "ends", "segments", "starts")

    def __init__(self, composition: Composition, complete: bool) -> None:
        slots = composition.slots
        low = slots[0].start_beats if slots else composition.beats_at_picture(0.0)
        high = slots[-1].end_beats if slots else low
        longest_tail = max((cue.tail_s for cue in effective_cues(composition)), default=0.0)
        high = composition.tempo_map.beats_at(composition.tempo_map.seconds_at(high) + longest_tail)
        if not complete:
            high += CRESCENDO_BEATS + 1  # hits in slots that are still to come are grown towards from the known ones
        self.bars = Bars(composition.tempo_map, low, high)
        self.segments = tuple(_segments(composition, self.bars, complete))
        self.starts = [segment.start for segment in self.segments]
        self.ends = [segment.end for segment in self.segments]


def _segments(composition: Composition, bars: Bars, complete: bool) -> list[Segment]:
    cues = effective_cues(composition)
    planned = plans_by_cue(composition)
    starts = [slot.start_s for slot in composition.slots]
    segments: list[Segment] = []
    for number, cue in enumerate(cues):
        breaks = _breaks(composition, planned.get(number), bars)
        duration_s = composition.film.duration_s
        out_s = min(duration_s if cue.out_s is None else cue.out_s, duration_s)
        next_in_s = cues[number + 1].in_s if number + 1 < len(cues) else None
        if next_in_s is not None:
            out_s = min(out_s, next_in_s)
        if out_s <= cue.in_s:
            continue
        in_beats = bars.snap(composition.beats_at_picture(cue.in_s))
        land = bars.snap(composition.beats_at_picture(_landing_s(composition, cue, out_s, bars)))
        pieces: list[tuple[Slot, float, float]] = []
        if number in planned:
            land = bars.before(composition.beats_at_picture(out_s))
        first = max(bisect_right(starts, cue.in_s) - 1, 0)
        for slot in composition.slots[first:]:
            if slot.start_s >= out_s:
                break
            start = max(bars.snap(slot.start_beats), in_beats)
            end = min(bars.snap(slot.end_beats), land)
            if end - start > _EPSILON:
                pieces.append((slot, start, end))
        limit = None if next_in_s is None else bars.snap(composition.beats_at_picture(next_in_s))
        # A planned cue ends inside its last unit: its last chord strikes before Out and is over there.
        ring_end = None if number in planned else _ring_end(composition, cue, land, limit)
        marks = _marks(composition, cue, in_beats, land, bars)
        if ring_end is not None:
            marks |= _landing_mark(composition, cue, out_s, land, bars)
        pieces = _split(pieces, {*marks, *breaks})
        cue_segments = _in_runs(pieces, cue, composition.key, number, bars, marks, breaks)
        if cue_segments:
            cue_segments = _with_next_accents(cue_segments, _ahead(marks, cue_segments[-1], land, complete))
        # While slots still arrive, the ending is not known to follow.
        reached = complete or (bool(pieces) and pieces[-1][2] >= land - _EPSILON)
        if cue_segments and reached and ring_end is not None:
            ending = _ending(cue, cue_segments[-1], land, ring_end)
            if ending is not None:
                cue_segments.append(ending)
        segments += cue_segments
    return segments


def _landing_s(composition: Composition, cue: Cue, out_s: float, bars: Bars) -> float:
    """Out, or the last hit where it lies less than a bar before Out."""
    hits = [hit.time_s for hit in (*cue.hits, *composition.hits) if cue.in_s < hit.time_s <= out_s]
    if hits:
        last = max(hits)
        beats = composition.beats_at_picture(last)
        bar = bars.next(beats) - bars.start(beats)
        if composition.beats_at_picture(out_s) - beats < bar:
            return last
    return out_s


def _marks(composition: Composition, cue: Cue, in_beats: float, land: float, bars: Bars) -> dict[float, Mark]:
    """Hits and sections of a cue by the sixteenth that they fall on; a section prevails over a hit there."""
    found: dict[float, Mark] = {}
    for hit in (*cue.hits, *composition.hits):
        beats = bars.snap(composition.beats_at_picture(hit.time_s))
        if in_beats <= beats < land:
            breath = hit.weight != "nice" or (beats in found and found[beats].breath)
            found[beats] = Mark(breath)
    for index, section in enumerate(sorted(cue.sections, key=lambda section: section.start_s)):
        beats = max(bars.snap(composition.beats_at_picture(section.start_s)), in_beats)
        if beats < land and not section.is_time:
            found[beats] = Mark(section.breath, index)
    return found


def _landing_mark(composition: Composition, cue: Cue, out_s: float, land: float, bars: Bars) -> dict[float, Mark]:
    """The hits that the ending lands on, as one mark; empty where it lands on Out alone."""
    weights = {
        hit.weight
        for hit in (*cue.hits, *composition.hits)
        if cue.in_s < hit.time_s <= out_s and bars.snap(composition.beats_at_picture(hit.time_s)) == land
    }
    return {land: Mark(bool(weights - {"nice"}))} if weights else {}


def _ahead(marks: dict[float, Mark], last: Segment, land: float, complete: bool) -> float | None:
    """The first mark after the last segment: any while slots still arrive, later only what the ending lands on."""
    if complete:
        return land if land in marks and _reaches(last, land) else None
    return min((beats for beats in marks if beats > last.end - _EPSILON), default=None)


def _split(pieces: list[tuple[Slot, float, float]], marks: Collection[float]) -> list[tuple[Slot, float, float]]:
    if not marks:
        return pieces
    result = []
    for slot, start, end in pieces:
        edges = [start, *sorted(beats for beats in marks if start + _EPSILON < beats < end - _EPSILON), end]
        result += [(slot, a, b) for a, b in pairwise(edges)]
    return result


# size: cue, key, number, bars, marks and breaks are one loop's values in `_segments`, its only caller.
def _in_runs(
    pieces: list[tuple[Slot, float, float]],
    cue: Cue,
    key: Key,
    number: int,
    bars: Bars,
    marks: dict[float, Mark],
    breaks: frozenset[float] = frozenset(),
) -> list[Segment]:
    key = cue.key or key
    section = -1
    segments: list[Segment] = []
    first = 0
    for index in range(1, len(pieces) + 1):
        whole = index == len(pieces)
        if (
            not whole
            and pieces[index][0].chord == pieces[first][0].chord
            and _joined(pieces[index - 1], pieces[index])
            and marks.get(pieces[index][1], _NO_MARK).section < 0
            and pieces[index][1] not in breaks
        ):
            continue
        run = pieces[first:index]
        run_start, run_end = run[0][1], run[-1][2]
        follows = not whole and _joined(pieces[index - 1], pieces[index])
        next_chord = pieces[index][0].chord if follows else None
        if next_chord is not None and next_chord.is_silence:
            next_chord = None
        strikes = _pad_strikes([start for _, start, _ in run], run_end, bars, marks)
        for slot, start, end in run:
            mark = marks.get(start)
            if mark is not None and mark.section >= 0:
                section = mark.section
                key = _section_key(cue, section) or key
            until = strikes.get(start)
            segments.append(
                Segment(
                    slot,
                    slot.chord,
                    key,
                    start,
                    end,
                    run_start,
                    run_end,
                    None if until is None else until - STEP * _has_breath(marks, until, start),
                    next_chord,
                    number,
                    accent=mark is not None,
                    breath=_has_breath(marks, end, start),
                    section=section,
                )
            )
        first = index
    return segments


def _with_next_accents(segments: list[Segment], upcoming: float | None) -> list[Segment]:
    """upcoming: beat of the first hit or section after the last of the segments."""
    breath = False
    result = []
    for segment in reversed(segments):
        breath = breath or segment.breath
        result.append(replace(segment, next_accent=upcoming, breath=breath) if upcoming is not None else segment)
        if segment.accent:
            upcoming, breath = segment.start, False
    return result[::-1]


def _has_breath(marks: dict[float, Mark], beats: float, since: float) -> bool:
    return marks.get(beats, _NO_MARK).breath and beats - since > 2 * STEP - _EPSILON


def _section_key(cue: Cue, index: int) -> Key | None:
    section = sorted(cue.sections, key=lambda section: section.start_s)[index]
    return next((Key.parse(value) for name, value in section.changes if control_name(name) == "key"), None)


def control_name(name: str) -> str:
    """`pattern` of `/arp/pattern`: sections may name a control by its address."""
    return name.rstrip("/").rpartition("/")[2]


def _joined(a: tuple[Slot, float, float], b: tuple[Slot, float, float]) -> bool:
    return b[1] - a[2] < _EPSILON


def _pad_strikes(starts: list[float], run_end: float, bars: Bars, marks: dict[float, Mark]) -> dict[float, float]:
    """Where the pad strikes in a run, and until when."""
    strikes = [starts[0]]
    for start in starts[1:]:
        if start in marks or bars.number(start) - bars.number(strikes[-1]) >= PAD_BARS:
            strikes.append(start)
    return dict(zip(strikes, [*strikes[1:], run_end], strict=True))


def _ring_end(composition: Composition, cue: Cue, land: float, limit: float | None) -> float | None:
    """Until when the chord on Out rings, None where the cue wants none or there is no room for it."""
    if cue.ending in ("cut", "bump") or cue.tail_s <= 0:
        return None
    tempo_map = composition.tempo_map
    end = tempo_map.beats_at(tempo_map.seconds_at(land) + cue.tail_s)
    if limit is not None:
        end = min(end, limit)
    return None if end - land < STEP - _EPSILON else end


def _reaches(last: Segment, land: float) -> bool:
    """Whether the chords of a cue go on until near enough to its landing."""
    return last.end > land - 4.0 - _EPSILON


def _ending(cue: Cue, last: Segment, land: float, end: float) -> Segment | None:
    """The chord on Out.  What the composer set himself (a pin, a progression) stays; else tonic, or anything but it."""
    if last.chord.is_silence or not _reaches(last, land):
        return None
    key = last.key
    tonic = Chord(key.tonic, "min" if key.is_minor else "maj")
    chord = last.chord
    if not (last.slot.given or last.slot.pinned):
        if cue.ending not in ("open", "unresolved"):
            chord = tonic
        elif chord.root == tonic.root:
            chord = Chord((key.tonic + 7) % 12, "maj")
    return Segment(
        last.slot, chord, key, land, end, land, end, end, None, last.cue, ending=True, accent=True, section=last.section
    )
