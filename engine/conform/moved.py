"""A session that goes with a recut: what stood on the old picture stands on the same picture in the new one.

Hits, cues, sections, pins, printed ranges and where progressions begin move with their frames.  The music of each cue
follows by one policy:

* shift: each chord stays with its picture; bars run on as the tempo says.
* ramp: the tempo bends so that all that comes after the changes falls on the beats it fell on; a cue that would have to
  bend more than is allowed is shifted.
* bars: whole bars are dropped or repeated, at joins, pedals and rests alone (see `bars`), and the music is otherwise as
  it was.
* beats: the same, and single beats before a join are left out or held (see `beats`); the bar that this makes shorter or
  longer is a bar of its own length.
* rewrite: what is seen for the first time, and up to the next hit, section or cue, is to be composed anew, at a tempo
  that brings that hit or section to its beat.

Music before the first change is not touched.  Times are picture seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from engine.arrange.expression import film_levels
from engine.conform.changes import ChangeList
from engine.conform.marks import Marks, Moved
from engine.conform.music import Music
from engine.conform.ramp import MOST_BEND, ramped
from engine.conform.recut import Recut
from engine.conform.rewrite import refitted, rewrites
from engine.document import Document, TempoOrigin, check_cues
from engine.document.document import Result
from engine.document.saved import BY_NOBODY
from engine.music import Cut, Film, MusicError, controls
from engine.process.requests import recipe

POLICIES: Final = controls.CONFORM_POLICIES


@dataclass(frozen=True, slots=True)
class Conformed:
    """first_change_s: where the cuts part, None: nowhere.  rewrites: stretches to be composed.  notes: sentences.
    cuts: of the new film; those before the first change are the very ones of the old."""

    document: Document
    moved: tuple[Moved, ...]
    first_change_s: float | None
    rewrites: tuple[tuple[float, float], ...] = ()
    notes: tuple[str, ...] = ()
    cuts: tuple[Cut, ...] = ()


def check_policies(names: Sequence[str], policies: Mapping[str, str], policy: str = "shift") -> dict[str, str]:
    """The policy of each cue, by its name.  Raises MusicError for a policy that is none or a cue that is not there."""
    chosen = {name: policies.get(name, policy) for name in names}
    for name, each in {**chosen, **policies}.items():
        if each not in POLICIES:
            raise MusicError(f"'{each}' is not a policy; policies are {', '.join(POLICIES)}.")
        if name not in chosen:
            raise MusicError(f"there is no cue {name}; there are {', '.join(chosen)}.")
    return chosen


# size: policies, bend and cuts are keywords that few callers give.
def conform(
    document: Document,
    changes: ChangeList,
    film: Film,
    policies: Mapping[str, str] | None = None,
    *,
    policy: str = "shift",
    bend: float = MOST_BEND,
    cuts: tuple[Sequence[Cut], Sequence[Cut]] = ((), ()),
    origin: TempoOrigin = BY_NOBODY,
) -> Conformed:
    """The document on the new film.  policies: by the cue's name, else `policy`.  bend: the most that a ramp may bend
    the tempo, as a share of it.  cuts: those seen in the old film and in the new one.  origin: who chose the
    old tempi; one that a person has set is not fitted anew.  Raises MusicError for a policy that is none."""
    chosen = check_policies([state.name for state in document.cue_states], policies or {}, policy)
    first = changes.first_change
    if first is None:
        return Conformed(document, (), None, cuts=tuple(cuts[0]))
    made = _conformed(Recut(document, changes, film, chosen), first / float(changes.rate), bend, origin)
    return replace(made, cuts=moved_cuts(changes, *cuts))


def moved_cuts(changes: ChangeList, old: Sequence[Cut], new: Sequence[Cut]) -> tuple[Cut, ...]:
    """Cuts of the old film where its picture goes on, those of the new one where pieces meet and in new material."""
    frame_s = 1 / float(changes.rate)
    made: list[Cut] = []
    for span in changes.spans:
        start_s, end_s = span.new_start * frame_s, span.new_end * frame_s
        if span.new_start:
            made += [cut for cut in new if abs(cut.time_s - start_s) < 1.5 * frame_s]
        if span.old_start is None:
            made += [cut for cut in new if start_s + 1.5 * frame_s <= cut.time_s < end_s - 1.5 * frame_s]
            continue
        low_s, high_s = span.old_start * frame_s, (span.old_end or 0) * frame_s
        for cut in old:
            if low_s + frame_s / 2 < cut.time_s < high_s - frame_s / 2:
                made.append(replace(cut, time_s=start_s + (cut.time_s - low_s) / float(span.speed)))
    return tuple(sorted(made, key=lambda cut: cut.time_s))


def _conformed(recut: Recut, first_s: float, bend: float, origin: TempoOrigin) -> Conformed:
    """first_s: where the cuts part, picture second."""
    old, place = recut.old.result, recut.changes.place_near
    marks, music, notes = Marks(recut), Music(recut), list[str]()
    document = marks.with_cues(recut.old)
    document = replace(
        document, hits=marks.hits(), sections=marks.sections(), pins=marks.pins(), adopted=marks.adopted(document),
        plan_edits=marks.plan_edits(), progression_from_s=place(document.progression_from_s),
    )  # fmt: skip
    document = ramped(recut, document, bend, notes)
    stretches = rewrites(recut, document, first_s)
    document = refitted(recut, document, stretches, origin, notes)
    document = music.with_bars(document, first_s)
    if not recut.is_ours and old.grid == "beats" and len(old.tempo_map.tempos) + len(old.tempo_map.meters) > 2:
        notes.append("the tempo map is another program's and stays where it is on the timeline.")
    tempo_map = recut.tempo_map(document)
    slots = music.slots(document, tempo_map, first_s)
    numbers = {state.number for state in document.cue_states}
    made = replace(document, printed=marks.printed(tempo_map), locks=marks.locks(tempo_map))
    result = replace(
        old,
        slots=slots,
        tempo_map=tempo_map,
        plans=marks.plans(document, tempo_map, music.stretches),
        cue_keys=tuple(each for each in old.cue_keys if each[0] in numbers),
        recipe=recipe(made),
        # Other pictures have other levels; what was loud before the change stays as loud.
        levels=old.levels or film_levels(old.slots),
    )
    made = replace(made, result=result)
    check_cues(made)
    return Conformed(
        made, _measured(marks.moved, recut, result), first_s, stretches, (*marks.notes, *notes, *music.notes)
    )


def _measured(moved: Sequence[Moved], recut: Recut, result: Result) -> tuple[Moved, ...]:
    """With how far each hit lies from a beat, before and after."""
    rate, made = float(recut.film.clock.rate.fps), []
    for row in moved:
        if row.kind == "hit" and row.new_s is not None:
            before, after = _off_beat(recut.old.result, row.old_s), _off_beat(result, row.new_s)
            row = replace(row, beat_before=before * rate, beat_after=after * rate)
        made.append(row)
    return tuple(made)


def _off_beat(result: Result, picture_s: float) -> float:
    """Seconds from a moment to the nearest beat."""
    beats = result.tempo_map.beats_at(picture_s + result.starts_s)
    return result.tempo_map.seconds_at(float(round(beats))) - result.starts_s - picture_s
