"""A session that goes with a recut: what stood on the old picture stands on the same picture in the new one.

Hits, cues, sections, pins, printed ranges and where progressions begin move with their frames.  The music of each cue
follows by one policy:

* shift: each chord stays with its picture; bars run on as the tempo says.
* ramp: the tempo bends, as far as is allowed, so that what comes after the change falls on the beats it fell on.
* bars: whole bars are dropped or repeated, at joins, pedals and rests alone (see `bars`), and the music is otherwise as
  it was.
* rewrite: what is seen for the first time, and up to the next hit, section or cue, is to be composed anew.

Music before the first change is not touched.  Times are picture seconds.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Final

from engine.arrange.expression import film_levels
from engine.arrange.rhythm import GridSlot, build_grid
from engine.conform.bars import Joins, follow
from engine.conform.changes import ChangeList
from engine.document import CueState, Document, Pin, PrintedRange, check_cues
from engine.document.document import Lock, Result
from engine.document.recipe import recipe
from engine.document.settings import Value
from engine.music import Cut, Film, Hit, MusicError, Section, Slot, TempoMap, controls, marked
from engine.music.cueplan import CuePlan, Statement
from engine.music.plan_edit import PlanEdit

POLICIES: Final = controls.CONFORM_POLICIES
MOST_BEND: Final = 0.06  # of the tempo, unless another is asked for
_SAME_S: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of one thing.  new_s None: its picture was lifted, and it with it.

    beat_before, beat_after: how far it lies from the nearest beat, in frames, for a hit.
    """

    kind: str
    name: str
    old_s: float
    new_s: float | None
    beat_before: float | None = None
    beat_after: float | None = None


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
) -> Conformed:
    """The document on the new film.  policies: by the cue's name, else `policy`.  bend: the most that a ramp may bend
    the tempo, as a share of it.  cuts: those seen in the old film and in the new one.  Raises MusicError for a policy
    that is none."""
    chosen = check_policies([state.name for state in document.cue_states], policies or {}, policy)
    first = changes.first_change
    if first is None:
        return Conformed(document, (), None, cuts=tuple(cuts[0]))
    made = _Conform(document, changes, film, chosen, bend).run(first / float(changes.rate))
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


class _Conform:
    def __init__(
        self, document: Document, changes: ChangeList, film: Film, policies: Mapping[str, str], bend: float
    ) -> None:
        self._old, self._changes, self._film = document, changes, film
        self._policies, self._bend = policies, bend
        self._moved: list[Moved] = []
        self._notes: list[str] = []

    def run(self, first_s: float) -> Conformed:
        document = self._with_cues(self._old)
        document = replace(
            document, hits=self._hits(), sections=self._sections(), pins=self._pins(), adopted=self._adopted(document),
            plan_edits=self._plan_edits(),
            progression_from_s=self._changes.place_near(document.progression_from_s),
        )  # fmt: skip
        document = self._ramped(document)
        tempo_map = self._tempo_map(document)
        rewrites = self._rewrites(document, first_s)
        slots = self._slots(document, tempo_map, first_s)
        result = self._old.result
        numbers = {state.number for state in document.cue_states}
        made = replace(document, printed=self._printed(tempo_map), locks=self._locks(tempo_map))
        made = replace(
            made,
            result=replace(
                result,
                slots=slots,
                tempo_map=tempo_map,
                plans=self._plans(document, tempo_map),
                cue_keys=tuple(each for each in result.cue_keys if each[0] in numbers),
                recipe=recipe(made),
                # Other pictures have other levels; what was loud before the change stays as loud.
                levels=result.levels or film_levels(result.slots),
            ),
        )
        check_cues(made)
        self._measure_hits(made)
        return Conformed(made, tuple(self._moved), first_s, rewrites, tuple(self._notes))

    # what stands on the picture -------------------------------------------------------------------------------------
    def _with_cues(self, document: Document) -> Document:
        states: list[CueState] = []
        for state in document.cue_states:
            new_in = self._changes.place_near(state.in_s)
            settings = dict(state.settings)
            out_s = None
            if state.out_s is not None:
                last = self._changes.place(state.out_s - _SAME_S)
                out_s = self._changes.place_near(state.out_s) if last is None else last + _SAME_S
                out_s = min(out_s, self._film.duration_s)
                settings[controls.OUT] = out_s
            gone = new_in >= self._film.duration_s - _SAME_S or (out_s is not None and out_s <= new_in + 0.1)
            self._moved.append(Moved("cue", state.name, state.in_s, None if gone else new_in))
            if gone:
                continue
            if controls.IN in settings or new_in > _SAME_S:
                settings[controls.IN] = new_in
            if isinstance(settings.get(controls.BAR_1), (int, float)):
                settings[controls.BAR_1] = self._changes.place_near(float(settings[controls.BAR_1] or 0.0))
            from_s = self._changes.place_near(state.progression_from_s)
            states.append(replace(state, settings=settings, progression_from_s=from_s))
        if not states:
            raise MusicError("nothing of the picture that has music is left in the new cut.")
        states = self._without_clashes(states)
        numbers = {state.number for state in states}
        return document.with_cues(states, document.cue if document.cue in numbers else states[0].number)

    def _without_clashes(self, states: Sequence[CueState]) -> list[CueState]:
        """Cues whose pictures changed places: one ends where the next begins, at the latest."""
        ordered = sorted(states, key=lambda state: (state.in_s, state.number))
        made: list[CueState] = []
        for index, state in enumerate(ordered):
            following = ordered[index + 1].in_s if index + 1 < len(ordered) else None
            if following is not None and following <= state.in_s + 0.1:
                self._notes.append(f"cue {state.name} has no picture of its own any more and was left out.")
                continue
            if following is not None and state.out_s is not None and state.out_s > following:
                state = replace(state, settings={**state.settings, controls.OUT: following})
            made.append(state)
        return made

    def _hits(self) -> tuple[Hit, ...]:
        made = []
        for hit in self._old.hits:
            place = self._changes.place(hit.time_s)
            self._moved.append(Moved("hit", hit.name, hit.time_s, place))
            if place is not None:
                made.append(replace(hit, time_s=place))
        return tuple(sorted(made, key=lambda each: each.time_s))

    def _sections(self) -> tuple[Section, ...]:
        made: dict[float, Section] = {}
        for section in self._old.sections:
            place = self._changes.place_near(section.start_s)
            self._moved.append(Moved("section", section.name, section.start_s, place))
            if place < self._film.duration_s:
                made[round(place, 6)] = replace(section, start_s=place)  # a lifted one gives way to the next
        return tuple(made[key] for key in sorted(made))

    def _pins(self) -> tuple[Pin, ...]:
        made = []
        for pin in self._old.pins:
            start, end = self._changes.place_near(pin.start_s), self._changes.place_near(pin.end_s)
            gone = end - start < _SAME_S
            self._moved.append(Moved("pin", pin.typed, pin.start_s, None if gone else start))
            if not gone:
                made.append(replace(pin, start_s=start, end_s=end))
        kept: list[Pin] = []
        for pin in sorted(made, key=lambda each: each.start_s):
            if not kept or pin.start_s >= kept[-1].end_s - _SAME_S:
                kept.append(pin)
        return tuple(kept)

    def _adopted(self, document: Document) -> tuple[tuple[int, Mapping[str, Value]], ...]:
        """Takes that were chosen again stay what they are."""
        numbers = {state.number for state in document.cue_states}
        return tuple(each for each in self._old.adopted if each[0] in numbers)

    def _plan_edits(self) -> tuple[PlanEdit, ...]:
        place = self._changes.place_near
        moved = [replace(each, from_s=place(each.from_s), to_s=place(each.to_s)) for each in self._old.plan_edits]
        return tuple(each for each in moved if each.to_s > each.from_s)

    def _printed(self, tempo_map: TempoMap) -> tuple[PrintedRange, ...]:
        old = self._old.result

        def moved(beats: float) -> float:
            place = self._changes.place_near(max(old.tempo_map.seconds_at(beats) - old.starts_s, 0.0))
            return tempo_map.beats_at(place + old.starts_s)

        made = [PrintedRange(p.part, moved(p.start_beats), moved(p.end_beats)) for p in self._old.printed]
        return tuple(each for each in made if each.end_beats > each.start_beats + 1e-6)

    def _locks(self, tempo_map: TempoMap) -> tuple[Lock, ...]:
        """Locks whose picture is still there in one piece, their notes with it; the others let go."""
        made = []
        for lock in self._old.locks:
            length_s = lock.end_s - lock.start_s
            start, last = self._changes.place(lock.start_s), self._changes.place(lock.end_s - _SAME_S)
            whole = start is not None and last is not None and abs(last - start - length_s) < 2 * _SAME_S
            self._moved.append(Moved("lock", lock.part, lock.start_s, start if whole else None))
            if start is None or not whole:
                continue
            from_beats = tempo_map.beats_at(start + self._old.result.starts_s)
            by = from_beats - lock.start_beats
            made.append(
                replace(
                    lock,
                    start_s=start,
                    end_s=start + length_s,
                    start_beats=from_beats,
                    end_beats=lock.end_beats + by,
                    notes=tuple(replace(note, start_beats=note.start_beats + by) for note in lock.notes),
                    controllers=tuple(replace(each, time_beats=each.time_beats + by) for each in lock.controllers),
                )
            )
        return tuple(made)

    def _plans(self, document: Document, tempo_map: TempoMap) -> tuple[CuePlan, ...]:
        """Plans of forms with their sections and statements of the theme where the picture now is; one that lost a
        section's whole picture keeps the others."""
        made = []
        indices = {state.number: index for index, state in enumerate(document.cue_states)}
        numbers = [state.number for state in self._old.cue_states]
        for plan in self._old.result.plans:
            sections = []
            for each in plan.sections:
                start, end = self._changes.place_near(each.start_s), self._changes.place_near(each.end_s - _SAME_S)
                end = min(end + _SAME_S, self._film.duration_s)
                if end - start > 0.05:
                    sections.append(replace(each, start_s=start, end_s=end))
            index = indices.get(numbers[plan.cue]) if plan.cue < len(numbers) else None
            if sections and index is not None:
                sections.sort(key=lambda each: each.start_s)
                statements = self._statements(plan, tempo_map)
                made.append(replace(plan, cue=index, sections=tuple(sections), statements=statements))
        return tuple(sorted(made, key=lambda each: each.cue))

    def _statements(self, plan: CuePlan, tempo_map: TempoMap) -> tuple[Statement, ...]:
        """From the bar nearest to where each began; one whose picture was lifted goes."""
        old = self._old.result
        made: dict[int, Statement] = {}
        for each in plan.statements:
            place = self._changes.place(
                old.tempo_map.seconds_at(float(old.tempo_map.bar_start(each.bar))) - old.starts_s
            )
            if place is not None:
                bar = round(tempo_map.bar_position(tempo_map.beats_at(place + old.starts_s))) + 1
                made.setdefault(bar, replace(each, bar=bar))
        return tuple(made[bar] for bar in sorted(made))

    # tempo ----------------------------------------------------------------------------------------------------------
    def _base(self) -> TempoMap:
        """The old map without what cues and sections put into it."""
        old = self._old.result.tempo_map
        return TempoMap(old.tempos[:1], old.meters[:1], old.origin_s)

    def _is_ours(self) -> bool:
        """Whether the old map is what the old cues and sections make of its first tempo."""
        old = self._old.result
        marks = self._old.tempo_marks(float(old.tempo_map.tempos[0].bpm))
        return old.grid == "beats" and marked(self._base(), marks, old.starts_s) == old.tempo_map

    def _tempo_map(self, document: Document) -> TempoMap:
        old = self._old.result
        if not self._is_ours():
            if old.grid == "beats" and len(old.tempo_map.tempos) + len(old.tempo_map.meters) > 2:
                self._notes.append("the tempo map is another program's and stays where it is on the timeline.")
            return old.tempo_map
        return marked(self._base(), document.tempo_marks(float(old.tempo_map.tempos[0].bpm)), old.starts_s)

    def _ramped(self, document: Document) -> Document:
        """With sections that bend the tempo where a cue is to ramp."""
        if "ramp" not in self._policies.values():
            return document
        if not self._is_ours():
            self._notes.append("the tempo map is not CueBridge's own, so it is not bent.")
            return document
        added: list[Section] = []
        old = self._old.result
        for state in self._old.cue_states:
            if self._policies[state.name] != "ramp":
                continue
            for before, after in self._stretches(state):
                new_before, new_after = self._changes.place(before), self._changes.place(after)
                if new_before is None or new_after is None or new_after - new_before < 0.2:
                    continue
                beats = old.tempo_map.beats_at(after + old.starts_s) - old.tempo_map.beats_at(before + old.starts_s)
                bpm = float(old.tempo_map.bpm_at(old.tempo_map.beats_at(before + old.starts_s)))
                wanted = 60.0 * beats / (new_after - new_before)
                if abs(wanted / bpm - 1) > self._bend + 1e-9:
                    self._notes.append(
                        f"cue {state.name}: {before:.2f} to {after:.2f} s would bend the tempo by "
                        f"{100 * (wanted / bpm - 1):+.1f} %, more than {100 * self._bend:g} %; it is shifted."
                    )
                    continue
                added.append(Section(new_before, (("tempo", f"{wanted:.4f}"),), "ramp"))
                added.append(Section(new_after, (("tempo", f"{bpm:.4f}"),), "ramp ends"))
                self._notes.append(
                    f"cue {state.name}: the tempo is {wanted:.1f} instead of {bpm:.1f} from {new_before:.2f} to "
                    f"{new_after:.2f} s ({100 * (wanted / bpm - 1):+.1f} %)."
                )
        sections = {round(each.start_s, 6): each for each in document.sections}
        for each in added:
            there = sections.get(round(each.start_s, 6))
            sections[round(each.start_s, 6)] = (
                each if there is None else replace(there, changes=(*there.changes, *each.changes))
            )
        return replace(document, sections=tuple(sections[key] for key in sorted(sections)))

    def _stretches(self, state: CueState) -> list[tuple[float, float]]:
        """From the last thing that is to stay on its beat before a change to the first after it, in the old cut."""
        low, high = self._old.span_of(state.number)
        low, high = max(low, state.in_s), min(high, self._changes.old_frames / float(self._changes.rate))
        fixed = [h.time_s for h in self._old.hits] + [s.start_s for s in self._old.sections]
        fixed = sorted({low, high - _SAME_S, *(each for each in fixed if low < each < high)})
        found = []
        for before, after in pairwise(fixed):
            a, b = self._changes.place(before), self._changes.place(after)
            if a is not None and b is not None and abs((b - a) - (after - before)) > 0.5 / float(self._changes.rate):
                found.append((before, after))
        return found

    # chords ---------------------------------------------------------------------------------------------------------
    def _slots(self, document: Document, tempo_map: TempoMap, first_s: float) -> tuple[Slot, ...]:
        old = self._old.result
        grid = build_grid(old.grid, tempo_map, self._film.duration_s, old.starts_s)
        sources = self._sources(document, tempo_map, grid)
        made: list[Slot] = []
        for index, place in enumerate(grid):
            if place.end_s <= first_s + _SAME_S and index < len(old.slots):
                same = old.slots[index]
                if abs(same.start_s - place.start_s) < 1e-6 and abs(same.end_s - place.end_s) < 1e-6:
                    made.append(same)
                    continue
            source = sources[index]
            content = self._old_slot(source) if source is not None else made[-1] if made else old.slots[0]
            made.append(_placed(content, index, place))
        return tuple(made)

    def _old_slot(self, old_s: float) -> Slot:
        slots = self._old.result.slots
        return slots[max(bisect_right(slots, old_s, key=lambda slot: slot.start_s) - 1, 0)]

    def _sources(self, document: Document, tempo_map: TempoMap, grid: Sequence[GridSlot]) -> list[float | None]:
        """Of each slot the old picture second whose music is heard in it; None: there is none, what was goes on."""
        middles = [(place.start_s + place.end_s) / 2 for place in grid]
        sources = [self._changes.source(middle) for middle in middles]
        for index, state in enumerate(document.cue_states):
            if self._policies.get(state.name) != "bars":
                continue
            if self._old.result.grid != "beats":
                self._notes.append(f"cue {state.name}: its chords lie on seconds and not on bars; it is shifted.")
                continue
            later = document.cue_states[index + 1 :]
            first = bisect_right(middles, state.in_s) if index else 0
            last = bisect_right(middles, later[0].in_s) if later else len(grid)
            if last > first:
                sources[first:last] = self._by_bars(state, tempo_map, grid[first:last], sources[first:last])
        return sources

    def _by_bars(
        self, state: CueState, tempo_map: TempoMap, grid: Sequence[GridSlot], sources: Sequence[float | None]
    ) -> list[float | None]:
        """The same for a cue of which whole bars are dropped or repeated, and a note of each."""
        old = self._old.result
        low_s, high_s = self._old.span_of(state.number)
        low = old.tempo_map.beats_at(max(low_s, 0.0) + old.starts_s)
        high = old.tempo_map.beats_at(min(high_s, old.slots[-1].end_s) + old.starts_s)
        # Where the cue has a bar 1 of its own, whole bars count from there on both maps.
        before = next(each for each in self._old.cue_states if each.number == state.number)
        first = 0.0
        if state.bar_1_s is not None and before.bar_1_s is not None:
            first = old.tempo_map.beats_at(before.bar_1_s + old.starts_s)
            first -= tempo_map.beats_at(state.bar_1_s + old.starts_s)
        bar = float(old.tempo_map.meter_at(low).bar_beats)
        wanted: list[float | None] = []
        for place, source in zip(grid, sources, strict=True):
            if source is None:
                wanted.append(None)
                continue
            off = old.tempo_map.beats_at(source + old.starts_s) - (place.start_beats + place.end_beats) / 2
            wanted.append(first + round((off - first) / bar) * bar)
        cue = [each.number for each in self._old.cue_states].index(state.number)
        begins = next((each for each in wanted if each is not None), first) if grid[0].start_s <= state.in_s else first
        # The last slot of a film may be longer than the others; its middle is not what follows the slot before.
        usual = accumulate((place.end_beats - place.start_beats for place in grid), min)
        middles = [place.start_beats + length / 2 for place, length in zip(grid, usual, strict=True)]
        made = follow(middles, wanted, Joins(self._old, cue, low, high), bar, begins)
        for jump in made.jumps:
            held = made.offsets[jump.slot - 1] if jump.slot else begins
            count = round((jump.offset - held) / bar)
            what = f"{abs(count)} {'bar' if abs(count) == 1 else 'bars'} {'dropped' if count > 0 else 'repeated'}"
            self._notes.append(f"cue {state.name}: {what} at {grid[jump.slot].start_s:.2f} s, at a {jump.where}.")
        for slot, off in made.stuck:
            late = "behind" if off < 0 else "ahead of"
            self._notes.append(
                f"cue {state.name}: from {grid[slot].start_s:.2f} s on its music is {abs(off) / bar:g} bars {late} its "
                "picture: no join, pedal or rest lets them go."
            )
        seconds: list[float | None] = []
        for middle, offset in zip(middles, made.offsets, strict=True):
            beats = min(max(middle + offset, low), high - 1e-3)
            seconds.append(old.tempo_map.seconds_at(beats) - old.starts_s)
        return seconds

    def _rewrites(self, document: Document, first_s: float) -> tuple[tuple[float, float], ...]:
        """Stretches to compose: from each place where new material or another picture begins to the next hit, section
        or cue, in cues whose policy is that."""
        rate = float(self._changes.rate)
        found: list[tuple[float, float]] = []
        before = None
        for span in self._changes.spans:
            start = span.new_start / rate
            broken = span.old_start is None or (before is not None and before.old_end != span.old_start)
            before = span
            if not broken or start < first_s - _SAME_S:
                continue
            state = next((s for s in reversed(document.cue_states) if s.in_s <= start + _SAME_S), None)
            if state is None or self._policies.get(state.name) != "rewrite":
                continue
            stop = span.new_end / rate if span.old_start is None else start + _SAME_S
            marks = [h.time_s for h in document.hits] + [s.start_s for s in document.sections]
            marks += [s.in_s for s in document.cue_states] + [self._film.duration_s]
            end = (
                min(mark for mark in marks if mark >= stop) if any(m >= stop for m in marks) else self._film.duration_s
            )
            if found and start <= found[-1][1]:
                found[-1] = (found[-1][0], max(end, found[-1][1]))
            else:
                found.append((start, end))
        return tuple(found)

    # measuring ------------------------------------------------------------------------------------------------------
    def _measure_hits(self, made: Document) -> None:
        rate = float(self._film.clock.rate.fps)
        for index, row in enumerate(self._moved):
            if row.kind != "hit" or row.new_s is None:
                continue
            self._moved[index] = replace(
                row, beat_before=_off_beat(self._old.result, row.old_s) * rate,
                beat_after=_off_beat(made.result, row.new_s) * rate,
            )  # fmt: skip


def _off_beat(result: Result, picture_s: float) -> float:
    """Seconds from a moment to the nearest beat."""
    beats = result.tempo_map.beats_at(picture_s + result.starts_s)
    return result.tempo_map.seconds_at(float(round(beats))) - result.starts_s - picture_s


def _placed(content: Slot, index: int, place: GridSlot | Slot) -> Slot:
    """A slot's chord and what goes with it, elsewhere."""
    return replace(
        content, index=index, start_s=place.start_s, end_s=place.end_s, start_beats=place.start_beats,
        end_beats=place.end_beats,
    )  # fmt: skip


def composed_into(
    slots: Sequence[Slot], fresh: Sequence[Slot], ranges: Sequence[tuple[float, float]]
) -> tuple[Slot, ...]:
    """The slots with newly composed chords in the ranges: each takes those of the new slot under its middle."""
    made = []
    for slot in slots:
        middle = (slot.start_s + slot.end_s) / 2
        if any(low <= middle < high for low, high in ranges):
            index = max(bisect_right(fresh, middle, key=lambda each: each.start_s) - 1, 0)
            slot = _placed(fresh[index], slot.index, slot)
        made.append(slot)
    return tuple(made)
