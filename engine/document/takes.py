"""Takes: what each cue was composed to, and the notes of those that were kept.

A kept take holds its notes and curves as well, so that it plays the same without the engine, with other networks, and
where a later version of the program would arrange its chords differently.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from engine.document.compare import plan_of
from engine.document.cues import CueState
from engine.document.document import Document
from engine.document.settings import TAKE_CONTROLS
from engine.music import Controller, Note, Slot, Take, TempoMap
from engine.music.cueplan import CuePlan

EVER: Final = 1e9  # beats: later than anything
EDGE_BEATS: Final = 0.125  # music begins on the sixteenth nearest to In


@dataclass(frozen=True, slots=True)
class KeptTake:
    """A take with everything that decides its notes.  kept: the composer kept it; others are only remembered.

    notes, controllers: of a kept take, as it was heard, in beats of the document's tempo map, in order of time.
    to_beats: where they end, since a new cut of the film goes on otherwise than the one it was kept with; None: with
    the cue.
    """

    document: Document
    name: str
    kept: bool = False
    notes: tuple[Note, ...] | None = None
    controllers: tuple[Controller, ...] | None = None
    to_beats: float | None = None


@dataclass(frozen=True, slots=True)
class KeptRange:
    """All that begins in [low_beats, high_beats): the notes and curves of a kept take, in order of time.

    part: of a lock, which holds one part alone; "" for all parts.
    """

    low_beats: float
    high_beats: float
    notes: tuple[Note, ...]
    controllers: tuple[Controller, ...]
    part: str = ""


TakeTable = Mapping[tuple[int, int], KeptTake]  # by number of the cue and number of the take
NO_TAKES: Final[TakeTable] = MappingProxyType({})


def remembered(takes: TakeTable, document: Document) -> dict[tuple[int, int], KeptTake]:
    """The takes with those of a document among them; kept takes stay what they are."""
    made = dict(takes)
    for state in document.cue_states:
        known = made.get((state.number, state.take))
        if known is None or not known.kept:
            made[state.number, state.take] = (
                KeptTake(document, Take(state.take).name) if known is None else replace(known, document=document)
            )
    return made


def kept_take(
    takes: TakeTable,
    document: Document,
    notes: tuple[Note, ...] | None,
    controllers: tuple[Controller, ...] | None,
    name: str | None = None,
) -> KeptTake:
    """The selected cue's take, kept: of the whole film's notes and curves those that begin in the cue."""
    old = takes.get((document.cue, document.take))
    low, high = span_beats(document, document.cue)
    kept = KeptTake(
        document,
        name or (old.name if old is not None else Take(document.take).name),
        True,
        None if notes is None else tuple(note for note in notes if low <= note.start_beats < high),
        None if controllers is None else tuple(each for each in controllers if low <= each.time_beats < high),
    )
    return in_order(kept)


def kept_ranges(takes: TakeTable, document: Document) -> tuple[KeptRange, ...]:
    """The notes of the kept takes that the document has not changed since, then those of its locks."""
    found = []
    for state in document.cue_states:
        known = takes.get((state.number, state.take))
        if known is None or known.notes is None or known.controllers is None:
            continue
        moved = _unchanged(known.document, document, state)
        if moved is None:
            continue
        notes, controllers = known.notes, known.controllers
        if moved:
            notes = tuple(replace(note, start_beats=note.start_beats + moved) for note in notes)
            controllers = tuple(replace(each, time_beats=each.time_beats + moved) for each in controllers)
        low, high = span_beats(document, state.number)
        if known.to_beats is not None:
            high = min(high, known.to_beats + moved)
        found.append(KeptRange(low, high, notes, controllers))
    return (*found, *locked_ranges(document))


def locked_ranges(document: Document) -> tuple[KeptRange, ...]:
    """The locks that hold."""
    return tuple(
        KeptRange(lock.start_beats, lock.end_beats, lock.notes, lock.controllers, lock.part)
        for lock in document.locks
        if document.holds(lock)
    )


def in_order(take: KeptTake) -> KeptTake:
    """A take with its notes and curves in order of time; itself where they are."""
    notes, curves = take.notes, take.controllers
    if notes is None or curves is None:
        return take
    in_time = tuple(sorted(notes, key=lambda note: note.start_beats))
    curves_in_time = tuple(sorted(curves, key=lambda each: each.time_beats))
    return (
        take
        if (in_time, curves_in_time) == (notes, curves)
        else replace(take, notes=in_time, controllers=curves_in_time)
    )


def chosen(document: Document, take: KeptTake) -> Document:
    """The document with another take in its selected cue; all of the document where the film has no other cue."""
    if not document.other_cues and not take.document.other_cues:
        return replace(take.document, draws=document.draws) if document.draws.film_seed else take.document
    number, (low, high) = document.cue, document.span_of(document.cue)
    theirs = next(state for state in take.document.cue_states if state.number == number)
    settings = {name: value for name, value in document.selected.settings.items() if name not in TAKE_CONTROLS}
    settings |= {name: value for name, value in theirs.settings.items() if name in TAKE_CONTROLS}
    state = CueState(number, settings, theirs.take, theirs.progression_from_s)
    made = document.with_cues((*document.other_cues, state), number)
    adopted = {**dict(document.adopted), number: document.film_settings}

    def inside(at_s: float) -> bool:
        return low <= at_s < high

    def spliced(mine: tuple, other: tuple, place: str) -> tuple:
        both = [each for each in mine if not inside(getattr(each, place))]
        return tuple(sorted((*both, *(each for each in other if inside(getattr(each, place)))),
                            key=lambda each: getattr(each, place)))  # fmt: skip

    slots = _spliced_slots(document.result.slots, take.document.result.slots, low, high)
    keys = [each for each in document.result.cue_keys if each[0] != number]
    keys += [each for each in take.document.result.cue_keys if each[0] == number]
    made = replace(
        made,
        pins=spliced(document.pins, take.document.pins, "start_s"),
        hits=spliced(document.hits, take.document.hits, "time_s"),
        sections=spliced(document.sections, take.document.sections, "start_s"),
        adopted=tuple(sorted(adopted.items())),
        plan_edits=(
            *(edit for edit in document.plan_edits if edit.cue != number),
            *(edit for edit in take.document.plan_edits if edit.cue == number),
        ),
        result=replace(
            document.result,
            slots=slots,
            cue_keys=tuple(sorted(keys, key=lambda each: each[0])),
            plans=_spliced_plans(document, take.document, number),
        ),
    )
    return made


def _spliced_plans(mine: Document, theirs: Document, number: int) -> tuple[CuePlan, ...]:
    """The plans of all cues, with theirs for one of them."""
    row = [state.number for state in mine.cue_states]
    plan = plan_of(theirs, number)
    others = [each for each in mine.result.plans if each.cue != row.index(number)]
    if plan is not None:
        others.append(replace(plan, cue=row.index(number)))
    return tuple(sorted(others, key=lambda each: each.cue))


def _spliced_slots(mine: tuple[Slot, ...], theirs: tuple[Slot, ...], low: float, high: float) -> tuple[Slot, ...]:
    """Their slots inside a range, mine outside, where both cut the film alike at its edges; else mine with the chords
    and levels that theirs have at the same place."""

    def is_inside(slot: Slot) -> bool:
        return low <= (slot.start_s + slot.end_s) / 2 < high

    before = [slot for slot in mine if not is_inside(slot) and slot.end_s <= high]
    after = [slot for slot in mine if not is_inside(slot) and slot.end_s > high]
    taken = [slot for slot in theirs if is_inside(slot)]
    here = [slot for slot in mine if is_inside(slot)]
    if here and taken and _same_place(here[0], taken[0]) and abs(here[-1].end_s - taken[-1].end_s) < 1e-6:
        moved = here[0].start_beats - taken[0].start_beats
        if moved:
            taken = [
                replace(slot, start_beats=slot.start_beats + moved, end_beats=slot.end_beats + moved) for slot in taken
            ]
        here = taken
    else:
        here = [_filled(slot, theirs) for slot in here]
    row = (*before, *here, *after)
    return tuple(slot if slot.index == i else replace(slot, index=i) for i, slot in enumerate(row))


def _same_place(first: Slot, second: Slot) -> bool:
    return abs(first.start_s - second.start_s) < 1e-6


def _filled(slot: Slot, others: tuple[Slot, ...]) -> Slot:
    middle = (slot.start_s + slot.end_s) / 2
    other = next((each for each in others if each.start_s <= middle < each.end_s), None)
    if other is None:
        return slot
    return replace(
        slot, chord=other.chord, density=other.density, loudness=other.loudness, affect=other.affect,
        tension=other.tension, pinned=other.pinned, given=other.given,
    )  # fmt: skip


def span_beats(document: Document, number: int) -> tuple[float, float]:
    """The beats in which the notes of a cue begin; from -EVER in the first, to EVER in the last."""
    low, high = document.span_of(number)
    seconds = document.result.starts_s
    beats_at = document.result.tempo_map.beats_at
    return (
        -EVER if low == float("-inf") else beats_at(low + seconds) - EDGE_BEATS,
        EVER if high == float("inf") else beats_at(high + seconds) - EDGE_BEATS,
    )


def _unchanged(known: Document, document: Document, state: CueState) -> float | None:
    """By how many beats a cue has moved since a take of it was kept; None where it is not the same any more."""
    if known is document or (known.result is document.result and known == document):
        return 0.0
    theirs = next((each for each in known.cue_states if each.number == state.number), None)
    if theirs != state or known.span_of(state.number) != document.span_of(state.number):
        return None
    film = dict(document.adopted).get(state.number)
    if document.film_settings not in (known.film_settings, film):
        return None
    if known.result.starts_s != document.result.starts_s and known.result.grid == "beats":
        return None
    low, high = document.span_of(state.number)
    if _inside(known, low, high) != _inside(document, low, high):
        return None
    return _moved(known.result.tempo_map, document.result.tempo_map, span_beats(known, state.number),
                  span_beats(document, state.number))  # fmt: skip


def _inside(document: Document, low: float, high: float) -> tuple:
    """Everything in a stretch of the film that decides notes, without beats."""
    return (
        tuple(pin for pin in document.pins if low <= pin.start_s < high),
        tuple(hit for hit in document.hits if low <= hit.time_s < high),
        tuple(section for section in document.sections if low <= section.start_s < high),
        tuple(
            (round(slot.start_s, 4), round(slot.end_s, 4), slot.chord, slot.density, slot.loudness)
            for slot in document.slots
            if low <= (slot.start_s + slot.end_s) / 2 < high
        ),
    )


def _moved(old: TempoMap, new: TempoMap, was: tuple[float, float], now: tuple[float, float]) -> float | None:
    """Beats between two places of one stretch of music; None where tempo or bars are not the same in both."""
    if old == new:
        return 0.0
    if was[0] == -EVER:
        return None if now[0] != was[0] else _same_course(old, new, 0.0, 0.0, was[1], now[1])
    return _same_course(old, new, was[0] + EDGE_BEATS, now[0] + EDGE_BEATS, was[1], now[1])


def _same_course(
    old: TempoMap, new: TempoMap, old_start: float, new_start: float, old_end: float, new_end: float
) -> float | None:
    """From one beat to another when tempo and bars go on alike from both; else None."""

    def course(tempo_map: TempoMap, start: float, end: float) -> list[tuple]:
        first = (tempo_map.bpm_at(start + 1e-6), tempo_map.meter_at(start + 1e-6))
        found: list[tuple] = [first, (round(float(tempo_map.next_bar(round(start, 6))) - start, 3),)]
        found += [(round(float(c.beat) - start, 3), c.bpm) for c in tempo_map.tempos if start + 1e-3 < c.beat < end]
        found += [(round(float(c.beat) - start, 3), c.meter) for c in tempo_map.meters if start + 1e-3 < c.beat < end]
        return found

    alike = course(old, old_start, old_end - EDGE_BEATS) == course(new, new_start, new_end - EDGE_BEATS)
    return new_start - old_start if alike else None
