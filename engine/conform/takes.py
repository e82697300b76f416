"""Takes that go with a recut.

Every take is moved as the document in force is, so that it can be chosen on the new cut.  The notes of a kept take stay
as they were up to where its music goes on otherwise: from there its chords, which stand on the new picture, are
arranged anew.  Cues that only slid, and those whose tempo bends so that every beat stays, keep all of their notes.  The
takes of the old cut stay with it, for undo.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from engine.conform.changes import ChangeList
from engine.conform.moved import Conformed, conform
from engine.conform.ramp import MOST_BEND
from engine.document import Document, SavedTake, TempoOrigin
from engine.document.cues import ends
from engine.document.saved import BY_NOBODY
from engine.document.takes import EDGE_BEATS, EVER, KeptTake, span_beats
from engine.music import Film, MusicError, Slot

_SAME: Final = 1e-6


@dataclass(frozen=True, slots=True)
class MovedTakes:
    """takes: on the new cut.  notes: a sentence for each kept take that is not what it was."""

    takes: tuple[SavedTake, ...] = ()
    notes: tuple[str, ...] = ()


# size: the arguments of `conform`, once more, and the takes.
def conform_takes(
    takes: Sequence[SavedTake],
    before: Document,
    made: Conformed,
    changes: ChangeList,
    film: Film,
    policies: Mapping[str, str] | None = None,
    *,
    policy: str = "shift",
    bend: float = MOST_BEND,
    origin: TempoOrigin = BY_NOBODY,
) -> MovedTakes:
    """The takes of a session whose document in force was `before` and is `made` on the new cut; the other arguments as
    `conform` had them.  What was to be rewritten is rewritten in the take in force alone."""
    if made.first_change_s is None:
        return MovedTakes(tuple(takes))
    chosen = {state.number: (policies or {}).get(state.name, policy) for state in before.cue_states}
    shifted = {number: "shift" if each == "rewrite" else each for number, each in chosen.items()}
    known: dict[int, Document | None] = {}

    def moved(document: Document) -> Document | None:
        own = {state.name: shifted.get(state.number, "shift") for state in document.cue_states}
        try:
            there = conform(document, changes, film, own, bend=bend, origin=origin).document
        except MusicError:
            return None
        if document.result is before.result or document.result == before.result:
            plain = {state.name: shifted[state.number] for state in before.cue_states}
            same = there.result == (
                conform(before, changes, film, plain, bend=bend, origin=origin).document.result
                if "rewrite" in chosen.values()
                else made.document.result
            )
            if same:
                sections = made.document.sections if document.sections == before.sections else there.sections
                there = replace(there, result=made.document.result, sections=sections)
        return there

    found: list[SavedTake] = []
    notes: list[str] = []
    for each in takes:
        document = each.take.document
        if id(document) not in known:
            known[id(document)] = moved(document)
        there = known[id(document)]
        name = next((state.name for state in document.cue_states if state.number == each.cue), "")
        if there is None or all(state.number != each.cue for state in there.cue_states):
            if each.take.kept:
                notes.append(f"kept take {each.take.name} of cue {name} has no picture in the new cut; undo has it.")
            continue
        kept = _moved_take(each, there)
        found.append(replace(each, take=kept))
        if each.take.notes is not None and kept.notes is None:
            notes.append(
                f"kept take {each.take.name} of cue {name}: its chords go with the picture and are arranged anew; undo "
                "brings it back as it was."
            )
        elif kept.to_beats is not None and kept.to_beats != each.take.to_beats:
            at_s = there.result.tempo_map.seconds_at(kept.to_beats) - there.result.starts_s
            notes.append(
                f"kept take {each.take.name} of cue {name} is as it was kept up to {at_s:.2f} s; from there its chords "
                "are arranged anew, and undo brings it back as it was."
            )
    return MovedTakes(tuple(found), tuple(notes))


def _moved_take(saved: SavedTake, there: Document) -> KeptTake:
    """The take on the new cut, with those of its notes that are the same there."""
    take = saved.take
    bare = replace(take, document=there, notes=None, controllers=None, to_beats=None)
    if take.notes is None or take.controllers is None:
        return bare
    old, new = _slots_of(take.document, saved.cue), _slots_of(there, saved.cue)
    if not old or not new:
        return bare
    by = new[0].start_beats - old[0].start_beats
    was, now = span_beats(take.document, saved.cue), span_beats(there, saved.cue)
    if was[0] > -EVER and now[0] > -EVER and abs(now[0] - was[0] - by) > EDGE_BEATS:
        return bare  # it no longer begins where its chords do
    if (was[0] == -EVER) != (now[0] == -EVER) and by:
        return bare
    count = _same_slots(old, new, by, take.document, there)
    if not count:
        return bare
    to_beats = None if take.to_beats is None else take.to_beats + by
    if count < max(len(old), len(new)):
        last = old[count - 1].end_beats + by
        to_beats = last if to_beats is None else min(last, to_beats)
    limit = EVER if to_beats is None else to_beats
    notes = tuple(replace(note, start_beats=note.start_beats + by) if by else note for note in take.notes)
    curves = tuple(replace(each, time_beats=each.time_beats + by) if by else each for each in take.controllers)
    return replace(
        bare,
        notes=tuple(note for note in notes if note.start_beats < limit),
        controllers=tuple(each for each in curves if each.time_beats < limit),
        to_beats=to_beats,
    )


def _slots_of(document: Document, cue: int) -> list[Slot]:
    """Those in which a cue has music: up to its Out or the next cue."""
    states = document.cue_states
    low, high = document.span_of(cue)
    out_s = next(out for state, out in zip(states, ends(states), strict=True) if state.number == cue)
    high = high if out_s is None else min(high, out_s)
    return [slot for slot in document.slots if low <= (slot.start_s + slot.end_s) / 2 < high]


def _same_slots(old: Sequence[Slot], new: Sequence[Slot], by: float, before: Document, after: Document) -> int:
    """How many slots from the first on are the same music, so many beats later, in bars that begin alike."""
    maps = before.result.tempo_map, after.result.tempo_map
    for index, (mine, theirs) in enumerate(zip(old, new, strict=False)):
        middle = (mine.start_beats + mine.end_beats) / 2
        same = (
            abs(theirs.start_beats - mine.start_beats - by) < _SAME
            and abs(theirs.end_beats - mine.end_beats - by) < _SAME
            and (mine.chord, mine.density, mine.loudness) == (theirs.chord, theirs.density, theirs.loudness)
            and maps[0].meter_at(middle) == maps[1].meter_at(middle + by)
            and abs(maps[0].bar_position(middle) % 1 - maps[1].bar_position(middle + by) % 1) < _SAME
        )
        if not same:
            return index
    return min(len(old), len(new))
