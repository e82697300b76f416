"""What is fixed before the network is asked: slots, keys, given chords, pins, silence, and where chords may change.

Everything here follows from the film's length and the request alone; chords are those that sound (not transposed).
Times ending in `_s` are picture seconds, beats are quarter notes of the request's tempo map.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from engine.arrange.rhythm import build_grid
from engine.music import NO_CHORD, Chord, Cue, Hit, Key, MusicError, Progression, Slot, TempoMap
from engine.process.messages import ComposeRequest

SIXTEENTH: Final = Fraction(1, 4)
_GRAIN: Final = 3840  # beats are rounded to 1/3840 before they are compared with bar lines
_EPS_BEATS: Final = 1e-4
_UNIT_BARS: Final = {"half": Fraction(1, 2), "1": Fraction(1), "2": Fraction(2), "4": Fraction(4)}
MOMENT_S: Final = 0.05  # less of a slot than this gives no note
_FAST_BPM: Final = 90.0  # above: a chord a bar; up to here: half a bar


@dataclass(frozen=True, slots=True)
class PlannedSlot:
    """One slot and what is known of it.

    fixed: the chord that is given, pinned, kept or silent; None: the network decides where `change`, else the chord
    before is held.  free: at this change the network may also repeat the chord (a hit off the harmonic rhythm).
    cue: index of its cue, -1 outside every cue.  key: None where the mood decides.
    """

    start_s: float
    end_s: float
    start_beats: float
    end_beats: float
    cue: int = -1
    key: Key | None = None
    fixed: Chord | None = None
    change: bool = False
    free: bool = False
    pinned: bool = False
    given: bool = False
    activity: float | None = None
    dynamics: float | None = None


@dataclass(frozen=True, slots=True)
class _Passage:
    """A cue as composed: In and Out, and its progression from a picture second on."""

    index: int
    in_s: float
    out_s: float
    key: Key | None
    progressions: tuple[tuple[float, Progression], ...]
    hits: tuple[Hit, ...]
    cue: Cue | None


class Planner:
    """Makes plans; remembers the grid and the harmonic rhythm of the last tempo map, which most requests share."""

    def __init__(self) -> None:
        self._grid_name: tuple[object, ...] = ()
        self._grid: tuple[PlannedSlot, ...] = ()
        self._units_name: tuple[object, ...] = ()
        self._units: dict[float, int] = {}

    def plan(
        self,
        request: ComposeRequest,
        duration_s: float,
        begins_s: float = 0.0,
        unit_of: Mapping[int, Callable[[float], int]] | None = None,
    ) -> tuple[PlannedSlot, ...]:
        """See `plan`.  unit_of: for cues that have a plan, the number of the unit that a beat lies in."""
        name = (request.grid, request.tempo_map, duration_s, request.picture_starts_at_s)
        if name != self._grid_name:
            grid = build_grid(request.grid, request.tempo_map, duration_s, request.picture_starts_at_s)
            slots = (PlannedSlot(slot.start_s, slot.end_s, slot.start_beats, slot.end_beats) for slot in grid)
            self._grid, self._grid_name = tuple(slots), name
        rhythm = (request.tempo_map, request.options.harmonic_rhythm)
        if rhythm != self._units_name:
            self._units, self._units_name = {}, rhythm
        return _plan(request, duration_s, begins_s, self._grid, self._units, unit_of or {})


def plan(request: ComposeRequest, duration_s: float, begins_s: float = 0.0) -> tuple[PlannedSlot, ...]:
    """The slots of a film, kept ones first, with everything that the request fixes.  Raises UserError.

    begins_s: the first second of action (after bars, slate, leader or black): music without cues begins there.
    """
    return Planner().plan(request, duration_s, begins_s)


def _plan(
    request: ComposeRequest,
    duration_s: float,
    begins_s: float,
    grid: Sequence[PlannedSlot],
    units: dict[float, int],
    unit_of: Mapping[int, Callable[[float], int]],
) -> tuple[PlannedSlot, ...]:
    if request.options.harmonic_rhythm not in ("auto", *_UNIT_BARS):
        known = ", ".join(("auto", *_UNIT_BARS))
        raise MusicError(f"'{request.options.harmonic_rhythm}' is not a harmonic rhythm; known are {known}.")
    passages = _passages(request, duration_s, begins_s)
    kept = [
        _in_passage(
            PlannedSlot(
                slot.start_s,
                slot.end_s,
                slot.start_beats,
                slot.end_beats,
                fixed=slot.chord,
                pinned=slot.pinned,
                given=slot.given,
            ),
            passages,
        )
        for slot in request.keep
    ]
    fresh = [_in_passage(slot, passages) for slot in _fresh_slots(request, grid)]
    fresh = _with_progressions(fresh, request, passages)
    slots = _with_changes([*kept, *fresh], request, passages, units, unit_of)
    return tuple(_with_pins(slots, request.pins, len(kept)))


def _passages(request: ComposeRequest, duration_s: float, begins_s: float) -> tuple[_Passage, ...]:
    from_s = request.progression_from_s
    if not request.cues:
        from_s = max(from_s, begins_s)
        given = () if request.progression is None else ((from_s, request.progression),)
        return (_Passage(0, begins_s, math.inf, request.key, given, request.hits, None),)
    passages = []
    for index, cue in enumerate(request.cues):
        out_s = duration_s if cue.out_s is None else cue.out_s
        own: list[tuple[float, Progression]] = []
        begins_s = max(cue.bar_1_s, cue.in_s, cue.progression_from_s or 0.0)
        if cue.progression is not None:
            own.append((begins_s, cue.progression))
        if request.progression is not None:
            # Set while rolling inside this cue it replaces the cue's from there on; else it is what a cue without
            # a progression of its own begins with.
            if cue.in_s < from_s < out_s:
                own.append((from_s, request.progression))
            elif cue.progression is None:
                own.append((begins_s, request.progression))
        hits = (*request.hits, *cue.hits)
        passages.append(_Passage(index, cue.in_s, out_s, cue.key or request.key, tuple(own), hits, cue))
    return tuple(passages)


def _passage_at(passages: tuple[_Passage, ...], start_s: float, end_s: float) -> _Passage | None:
    """The cue that has most of a slot; None where none has more than a moment of it.

    What of the slot lies outside is not played, so that music begins on In and its last chord lands on Out.
    """

    def shared_s(passage: _Passage) -> float:
        return min(end_s, passage.out_s) - max(start_s, passage.in_s)

    most = max(passages, key=shared_s, default=None)
    return most if most is not None and shared_s(most) > MOMENT_S else None


def _in_passage(slot: PlannedSlot, passages: tuple[_Passage, ...]) -> PlannedSlot:
    passage = _passage_at(passages, slot.start_s, slot.end_s)
    if passage is None:
        return slot if slot.fixed is not None else replace(slot, fixed=NO_CHORD)
    key, activity, dynamics = passage.key, None, None
    for section in passage.cue.sections if passage.cue is not None else ():
        if section.start_s > 0.5 * (slot.start_s + slot.end_s):
            continue
        for name, value in section.changes:
            if name == "key":
                key = Key.parse(value)
            elif name == "activity":
                activity = _level(name, value)
            elif name == "dynamics":
                dynamics = _level(name, value)
    return replace(slot, cue=passage.index, key=key, activity=activity, dynamics=dynamics)


def _level(name: str, value: str) -> float | None:
    """A section's activity or dynamics, 0..100; None for "picture" (as the picture)."""
    if value.strip().lower() in ("", "picture", "auto", "none"):
        return None
    try:
        level = float(value)
    except ValueError:
        level = math.nan
    if not 0.0 <= level <= 100.0:
        raise MusicError(f"a section's {name} is 0 to 100 or 'picture', not '{value}'.")
    return level


def _fresh_slots(request: ComposeRequest, grid: Sequence[PlannedSlot]) -> list[PlannedSlot]:
    """Grid slots after the kept ones; the one that the end of the kept ones cuts is shortened."""
    if not request.keep:
        return list(grid)
    end = request.keep[-1]
    fresh = [slot for slot in grid if slot.end_s > end.end_s + 1e-4]
    if fresh and abs(fresh[0].start_s - end.end_s) > 1e-9:
        fresh[0] = replace(fresh[0], start_s=end.end_s, start_beats=end.end_beats)
    return fresh


# progressions -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Bars:
    """Counts bars from where a progression begins.

    It begins at the bar line nearest to the wanted position, so that its chords change on bar lines; what lies
    between has its first chord.
    """

    tempo_map: TempoMap
    first: Fraction  # bar position (0 = bar 1) at which the progression's bar 0 begins

    @classmethod
    def at(cls, tempo_map: TempoMap, beats: float) -> _Bars:
        return cls(tempo_map, Fraction(math.floor(tempo_map.bar_position(rounded(beats)) + Fraction(1, 2))))

    def position(self, beats: float) -> Fraction:
        return max(self.tempo_map.bar_position(rounded(beats)) - self.first, Fraction(0))

    def beats(self, position: Fraction) -> Fraction:
        whole = math.floor(position + self.first)
        start, end = self.tempo_map.bar_start(whole + 1), self.tempo_map.bar_start(whole + 2)
        return start + (position + self.first - whole) * (end - start)


def rounded(beats: float) -> Fraction:
    """A beat without floating-point dust."""
    return Fraction(round(beats * _GRAIN), _GRAIN)


def _with_progressions(
    slots: list[PlannedSlot], request: ComposeRequest, passages: tuple[_Passage, ...]
) -> list[PlannedSlot]:
    for passage in passages:
        for number, (from_s, progression) in enumerate(passage.progressions):
            later = passage.progressions[number + 1 :]
            until_s = min((start_s for start_s, _ in later), default=passage.out_s)
            slots = _lay_out(slots, request, progression, from_s, until_s, passage.index)
    return slots


def _lay_out(
    slots: list[PlannedSlot],
    request: ComposeRequest,
    progression: Progression,
    from_s: float,
    until_s: float,
    cue: int,
) -> list[PlannedSlot]:
    bars = _Bars.at(request.tempo_map, request.tempo_map.beats_at(from_s + request.picture_starts_at_s))
    result: list[PlannedSlot] = []
    for slot in slots:
        if slot.cue != cue or slot.end_s <= from_s + 1e-4 or slot.start_s >= until_s - 1e-4:
            result.append(slot)
            continue
        for piece in _split(slot, from_s, bars, progression, request):
            if piece.start_s < from_s - 1e-4:  # before the progression begins
                result.append(piece)
                continue
            # Its middle, since a change inside a beat may have been rounded to a sixteenth either way.
            chord = progression.chord_at(bars.position(0.5 * (piece.start_beats + piece.end_beats)))
            if chord is None and progression.mode == "exact":
                chord = NO_CHORD  # exactly this, nothing else sounds
            result.append(piece if chord is None else replace(piece, fixed=chord, given=True))
    return result


def _split(
    slot: PlannedSlot, from_s: float, bars: _Bars, progression: Progression, request: ComposeRequest
) -> list[PlannedSlot]:
    """Cuts a slot where the progression begins or changes inside it, on sixteenths."""
    marks = [float(beat) for beat in _changes_between(slot, bars, progression)]
    if slot.start_s + 1e-4 < from_s < slot.end_s - 1e-4:
        marks.append(request.tempo_map.beats_at(from_s + request.picture_starts_at_s))
    pieces, rest = [], slot
    for beat in sorted(set(marks)):
        if not rest.start_beats + _EPS_BEATS < beat < rest.end_beats - _EPS_BEATS:
            continue
        at_s = request.tempo_map.seconds_at(beat) - request.picture_starts_at_s
        pieces.append(replace(rest, end_beats=beat, end_s=at_s))
        rest = replace(rest, start_beats=beat, start_s=at_s)
    return [*pieces, rest]


def _changes_between(slot: PlannedSlot, bars: _Bars, progression: Progression) -> list[Fraction]:
    """Beats, on sixteenths, at which the progression changes chord inside a slot."""
    start, end = bars.position(slot.start_beats), bars.position(slot.end_beats)
    found: list[Fraction] = []
    if end <= start:
        return found
    passes = [Fraction(0)]
    if progression.mode == "loop":
        first = math.floor(start / progression.bars)
        last = math.floor(end / progression.bars)
        passes = [progression.bars * number for number in range(first, last + 1)]
    for begins in passes:
        at = begins
        for item in progression.items:
            at += item.bars
            if start < at < end:
                found.append(Fraction(round(bars.beats(at) / SIXTEENTH)) * SIXTEENTH)
            elif at >= end:
                break
    return found


# where the network's chord may change -----------------------------------------------------------------------------
def _with_changes(
    slots: list[PlannedSlot],
    request: ComposeRequest,
    passages: tuple[_Passage, ...],
    units: dict[float, int],
    unit_of: Mapping[int, Callable[[float], int]],
) -> list[PlannedSlot]:
    def unit(slot: PlannedSlot) -> int:
        if slot.cue in unit_of:
            return unit_of[slot.cue](slot.start_beats)
        number = units.get(slot.start_beats)
        if number is None:
            number = units[slot.start_beats] = _unit(slot, request)
        return number

    at_hits = _hit_slots(slots, passages)
    before: PlannedSlot | None = None
    result = []
    for index, slot in enumerate(slots):
        change = free = False
        if before is None or before.cue != slot.cue or before.given != slot.given:
            change = True
        elif slot.given:
            change = before.fixed != slot.fixed
        elif unit(slot) != unit(before):
            change = True
        elif index in at_hits:
            change = free = True
        before = replace(slot, change=change, free=free) if change else slot
        result.append(before)
    return result


def _unit(slot: PlannedSlot, request: ComposeRequest) -> int:
    """Number of the harmonic-rhythm unit that a slot begins in."""
    wanted = request.options.harmonic_rhythm
    beats = rounded(slot.start_beats)
    bars = _UNIT_BARS.get(wanted)
    if bars is None:
        bars = Fraction(1) if request.tempo_map.bpm_at(slot.start_beats + 1e-6) > _FAST_BPM else Fraction(1, 2)
    meter = request.tempo_map.meter_at(beats)
    bars = max(bars, 1 / meter.bar_beats)  # never under one beat
    position = request.tempo_map.bar_position(beats)
    if bars >= 1:
        return math.floor(position / bars) * _GRAIN
    # Inside a bar, so that a change of unit length or meter at a bar line always begins a new unit.
    whole = math.floor(position)
    return whole * _GRAIN + math.floor((position - whole) / bars)


def _hit_slots(slots: list[PlannedSlot], passages: tuple[_Passage, ...]) -> set[int]:
    """Slots that begin nearest to a hit, within half a slot."""
    found: set[int] = set()
    if not slots:
        return found
    starts = [slot.start_s for slot in slots]
    for passage in passages:
        for hit in passage.hits:
            nearest = min(range(len(starts)), key=lambda index: abs(starts[index] - hit.time_s))
            slot = slots[nearest]
            if slot.cue == passage.index and abs(slot.start_s - hit.time_s) <= 0.5 * (slot.end_s - slot.start_s):
                found.add(nearest)
    return found


def _with_pins(slots: list[PlannedSlot], pins: Sequence[tuple[float, Chord]], kept: int) -> list[PlannedSlot]:
    """Each pin takes the whole chord that its second lies in: from one change to the next.

    The first `kept` slots are never touched: a pin there only goes on where the kept chord is the pinned one.
    """
    result = list(slots)
    for time_s, chord in pins:
        at = next((i for i, slot in enumerate(result) if slot.start_s - 1e-6 <= time_s < slot.end_s - 1e-6), None)
        if at is None or (at < kept and result[at].fixed != chord):
            continue  # outside the film, or already heard otherwise
        first = at
        while first > kept and not result[first].change:
            first -= 1
        stop = at + 1
        while stop < len(result) and not result[stop].change:
            stop += 1
        for index in range(max(first, kept), stop):
            result[index] = replace(result[index], fixed=chord, pinned=True, given=False, free=False)
        if stop < len(result):
            # What comes after begins anew; where it is free it may even be the same chord.
            result[stop] = replace(result[stop], change=True)
    return result


def kept_slots(request: ComposeRequest) -> tuple[Slot, ...]:
    """The kept slots, numbered from 0."""
    return tuple(slot if slot.index == index else replace(slot, index=index) for index, slot in enumerate(request.keep))
