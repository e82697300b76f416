"""The chords of a recut: each cue's music runs on, stays with its picture, or goes on elsewhere by bars or beats.

Where single beats are left out or held, bars get another length; bars that had one before go with their music.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

from engine.arrange.rhythm import GridSlot, build_grid
from engine.conform import beats
from engine.conform.bars import Followed, Joins, bar_cutter, follow
from engine.conform.recut import SAME_S, Recut
from engine.document import CueState, Document
from engine.music import Section, Slot, TempoMap


class Music:
    """stretches: of the cues whose music runs on by bars or beats, by number.  notes: sentences."""

    def __init__(self, recut: Recut) -> None:
        self._recut = recut
        self._old, self._changes, self._film = recut.old, recut.changes, recut.film
        self.notes: list[str] = []
        self.stretches: dict[int, tuple[beats.Stretch, ...]] = {}

    def with_bars(self, document: Document, first_s: float) -> Document:
        """The document with a time signature for each bar that got shorter or longer, and with the old odd bars where
        their music is now.  Decides which music the cues of policy `beats` have."""
        for state in document.cue_states:
            asked = self._recut.policies.get(state.name)
            if asked in ("bars", "beats") and self._recut.policy_of(state) == "shift":
                self.notes.append(f"cue {state.name}: its chords lie on seconds and not on bars; it is shifted.")
            elif asked == "beats" and self._recut.policy_of(state) == "bars":
                self.notes.append(f"cue {state.name}: its bars are another program's, so only whole ones are moved.")
        if not self._recut.is_ours:
            return document
        late = [each for each in document.sections if each.start_s > first_s + SAME_S]
        ours = [each for each in late if "meter" in dict(each.changes)]
        document = self._without_meters(document, ours)
        states = document.cue_states
        for index, state in enumerate(states):
            low_s = state.in_s if index else 0.0
            high_s = states[index + 1].in_s if index + 1 < len(states) else self._film.duration_s
            if self._recut.policy_of(state) == "beats":
                document = self._by_beats(document, state, (low_s, high_s), first_s)
                continue
            inside = [each for each in ours if low_s <= each.start_s < high_s]
            for each in inside:
                document = self._bar_on_beat(document, state, each)
        return document

    def _by_beats(self, document: Document, state: CueState, span_s: tuple[float, float], first_s: float) -> Document:
        """The document with the bars of a cue of policy `beats`; notes what was left out or held."""
        old, tempo_map = self._old.result, self._recut.tempo_map(document)
        low, high = self._recut.beats_of(state.number)
        first = self._slid(state, tempo_map)
        meter = old.tempo_map.meter_at(low)
        unit = float(beats.unit_of(meter))
        begin, end = (tempo_map.beats_at(each + old.starts_s) for each in span_s)
        anchor = float(old.tempo_map.bar_start(old.tempo_map.bar_at(low))) - first
        starts = beats.units_between(begin, end, anchor, unit)
        wanted: list[float | None] = []
        for start in starts:
            source = self._changes.source(max(tempo_map.seconds_at(start + unit / 2) - old.starts_s, 0.0))
            wanted.append(None if source is None else self._off(source, start + unit / 2, first, unit))
        begins = next((each for each in wanted if each is not None), first) if span_s[0] <= state.in_s else first
        earliest = max(tempo_map.beats_at(first_s + old.starts_s), begin)
        joins = Joins(self._old, self._index_of(state), low, high)
        cutter = beats.BeatCuts(joins, old.tempo_map, starts, unit, earliest).cutter()
        made = follow(wanted, begins, cutter, round(float(meter.bar_beats) / unit))
        starts_s = [max(tempo_map.seconds_at(start) - old.starts_s, 0.0) for start in starts]
        self._say(state, made, begins, starts_s, (float(meter.bar_beats), unit))
        music = self.stretches[state.number] = beats.stretches(starts, made.offsets, end)
        for at, own in beats.meters_of(music, old.tempo_map, tempo_map, earliest):
            document = self._with_meter(document, tempo_map, float(at), str(own))
        return document

    def _without_meters(self, document: Document, sections: Sequence[Section]) -> Document:
        made = []
        for each in document.sections:
            if each in sections:
                changes = tuple(change for change in each.changes if change[0] != "meter")
                if changes:
                    made.append(replace(each, changes=changes, name="" if each.is_time else each.name))
                continue
            made.append(each)
        return replace(document, sections=tuple(made))

    def _bar_on_beat(self, document: Document, state: CueState, section: Section) -> Document:
        """A bar of another length goes with its picture to the nearest beat, in a cue of whole bars with its music."""
        tempo_map, starts_s = self._recut.tempo_map(document), self._old.result.starts_s
        at = tempo_map.beats_at(section.start_s + starts_s)
        source = self._changes.source(section.start_s)
        meter = dict(section.changes)["meter"]
        unit = float(beats.unit_of(tempo_map.meter_at(at)))
        if self._recut.policy_of(state) == "bars" and source is not None:
            bar = float(self._old.result.tempo_map.meter_at(self._recut.beats_of(state.number)[0]).bar_beats)
            was = self._old.result.tempo_map.beats_at(source + starts_s)
            at = was - self._off(source, at, self._slid(state, tempo_map), bar)
        else:
            line = float(tempo_map.bar_start(tempo_map.bar_at(at)))
            at = line + round((at - line) / unit) * unit
        return self._with_meter(document, tempo_map, at, meter)

    def _with_meter(self, document: Document, tempo_map: TempoMap, at_beats: float, meter: str) -> Document:
        """The document with a bar of that time signature from a beat of the new map on."""
        at_s = max(tempo_map.seconds_at(at_beats) - self._old.result.starts_s, 0.0)
        there = [each for each in document.sections if abs(each.start_s - at_s) < SAME_S]
        others = tuple(each for each in document.sections if each not in there)
        made = Section(at_s, (("meter", meter),), f"bar of {meter}")
        if there:
            kept = tuple(change for each in there for change in each.changes if change[0] != "meter")
            made = replace(there[0], changes=(*kept, ("meter", meter)))
        return replace(document, sections=tuple(sorted((*others, made), key=lambda each: each.start_s)))

    def slots(self, document: Document, tempo_map: TempoMap, first_s: float) -> tuple[Slot, ...]:
        old = self._old.result
        whole = build_grid(old.grid, tempo_map, self._film.duration_s, old.starts_s)
        grid = self._cut(whole, tempo_map, self._kept_borders(tempo_map, first_s))
        sources = self._sources(document, tempo_map, grid)
        made: list[Slot] = []
        for index, place in enumerate(grid):
            if place.end_s <= first_s + SAME_S and index < len(old.slots):
                same = old.slots[index]
                if abs(same.start_s - place.start_s) < 1e-6 and abs(same.end_s - place.end_s) < 1e-6:
                    made.append(same)
                    continue
            source = sources[index]
            content = self._old_slot(source) if source is not None else made[-1] if made else old.slots[0]
            made.append(placed(content, index, place))
        return tuple(made)

    def _old_slot(self, old_s: float) -> Slot:
        slots = self._old.result.slots
        return slots[max(bisect_right(slots, old_s, key=lambda slot: slot.start_s) - 1, 0)]

    def _kept_borders(self, tempo_map: TempoMap, first_s: float) -> set[float]:
        """Beats of the borders between old slots up to the first change.  A cue that begins right there would swallow
        the last of them where what is left of a slot is short."""
        old = self._old.result
        return {
            slot.end_beats
            for slot in old.slots
            if slot.end_s <= first_s and abs(tempo_map.beats_at(slot.end_s + old.starts_s) - slot.end_beats) < SAME_S
        }

    def _cut(self, grid: Sequence[GridSlot], tempo_map: TempoMap, places: set[float]) -> Sequence[GridSlot]:
        """The slots, cut at some beats, where music goes on elsewhere and at each beat of a bar that this made shorter
        or longer."""
        for music in self.stretches.values():
            places |= {each.start for each in music[1:]}
            for before, after in pairwise(music):
                bar = tempo_map.bar_at(after.start)
                for low in {bar, tempo_map.bar_at(before.end - SAME_S)}:
                    start, end = float(tempo_map.bar_start(low)), float(tempo_map.bar_start(low + 1))
                    step = float(beats.unit_of(tempo_map.meter_at(start)))
                    places |= {start + step * count for count in range(1, int((end - start) / step + SAME_S))}
        if not places:
            return grid
        edges = sorted(places)
        made: list[GridSlot] = []
        for slot in grid:
            first = bisect_right(edges, slot.start_beats + SAME_S)
            inside = edges[first : bisect_right(edges, slot.end_beats - SAME_S)]
            points = [
                (slot.start_s, slot.start_beats),
                *((tempo_map.seconds_at(beat) - self._old.result.starts_s, beat) for beat in inside),
                (slot.end_s, slot.end_beats),
            ]
            for (a_s, a_beats), (b_s, b_beats) in pairwise(points):
                made.append(GridSlot(len(made), a_s, b_s, a_beats, b_beats))
        return made

    def _sources(self, document: Document, tempo_map: TempoMap, grid: Sequence[GridSlot]) -> list[float | None]:
        """For each slot the old picture second whose music it gets; None: the slot before goes on."""
        middles = [(place.start_s + place.end_s) / 2 for place in grid]
        sources = [self._changes.source(middle) for middle in middles]
        for index, state in enumerate(document.cue_states):
            if self._recut.policy_of(state) not in ("bars", "beats"):
                continue
            later = document.cue_states[index + 1 :]
            first = bisect_right(middles, state.in_s) if index else 0
            last = bisect_right(middles, later[0].in_s) if later else len(grid)
            if last <= first:
                continue
            if state.number in self.stretches:
                sources[first:last] = self._heard(state.number, grid[first:last])
            else:
                sources[first:last] = self._by_bars(state, tempo_map, grid[first:last], sources[first:last])
        return sources

    def _heard(self, number: int, grid: Sequence[GridSlot]) -> list[float | None]:
        """The same for a cue whose music is known by beats."""
        old, (low, high) = self._old.result, self._recut.beats_of(number)
        source = beats.source_of(self.stretches[number])
        # The last slot of a film may be longer than the others; its middle is not what follows the slot before.
        usual = accumulate((place.end_beats - place.start_beats for place in grid), min)
        found: list[float | None] = []
        for place, length in zip(grid, usual, strict=True):
            at = min(max(source(place.start_beats + length / 2), low), high - 1e-3)
            found.append(old.tempo_map.seconds_at(at) - old.starts_s)
        return found

    def _slid(self, state: CueState, tempo_map: TempoMap) -> float:
        """How many beats bar 1 of a cue moved by between the maps; 0 for a cue without a bar 1 of its own."""
        old = self._old.result
        before = next(each for each in self._old.cue_states if each.number == state.number)
        if state.bar_1_s is None or before.bar_1_s is None:
            return 0.0
        was = old.tempo_map.beats_at(before.bar_1_s + old.starts_s)
        return was - tempo_map.beats_at(state.bar_1_s + old.starts_s)

    def _by_bars(
        self, state: CueState, tempo_map: TempoMap, grid: Sequence[GridSlot], sources: Sequence[float | None]
    ) -> list[float | None]:
        """The same for a cue of which whole bars are dropped or repeated, and a note of each."""
        old = self._old.result
        low, high = self._recut.beats_of(state.number)
        first = self._slid(state, tempo_map)
        bar = float(old.tempo_map.meter_at(low).bar_beats)
        wanted = [
            None if source is None else self._off(source, (place.start_beats + place.end_beats) / 2, first, bar)
            for place, source in zip(grid, sources, strict=True)
        ]
        begins = next((each for each in wanted if each is not None), first) if grid[0].start_s <= state.in_s else first
        # The last slot of a film may be longer than the others; its middle is not what follows the slot before.
        usual = accumulate((place.end_beats - place.start_beats for place in grid), min)
        middles = [place.start_beats + length / 2 for place, length in zip(grid, usual, strict=True)]
        made = follow(wanted, begins, bar_cutter(middles, Joins(self._old, self._index_of(state), low, high), bar))
        self._say(state, made, begins, [place.start_s for place in grid], (bar, 1.0))
        starts = [place.start_beats for place in grid]
        self.stretches[state.number] = beats.stretches(starts, made.offsets, grid[-1].end_beats)
        seconds: list[float | None] = []
        for middle, offset in zip(middles, made.offsets, strict=True):
            at = min(max(middle + offset, low), high - 1e-3)
            seconds.append(old.tempo_map.seconds_at(at) - old.starts_s)
        return seconds

    def _index_of(self, state: CueState) -> int:
        """The place of a cue among the old ones."""
        return [each.number for each in self._old.cue_states].index(state.number)

    def _off(self, source_s: float, new_beats: float, first: float, step: float) -> float:
        """Old beats less new ones, in whole steps from `first`, that keep the music with its picture."""
        old = self._old.result
        off = old.tempo_map.beats_at(source_s + old.starts_s) - new_beats
        return first + round((off - first) / step) * step

    def _say(
        self, state: CueState, made: Followed, begins: float, starts_s: Sequence[float], lengths: tuple[float, float]
    ) -> None:
        """A note of each cut.  starts_s: of the slots; lengths: of a bar and of a unit, in beats."""
        held = begins
        for jump in made.jumps:
            what, by = self._amount(jump.offset - held, lengths), jump.offset - held
            held = jump.offset
            verb = "dropped" if by > 0 else "repeated" if abs(by) >= lengths[0] - SAME_S else "held"
            where = (
                "before a join"
                if verb != "repeated" and abs(by) < lengths[0] - SAME_S and jump.where == "join"
                else (f"at a {jump.where}")
            )
            self.notes.append(f"cue {state.name}: {what} {verb} at {starts_s[jump.slot]:.2f} s, {where}.")
        for slot, off in made.stuck:
            late = "behind" if off < 0 else "ahead of"
            self.notes.append(
                f"cue {state.name}: from {starts_s[slot]:.2f} s on its music is {self._amount(off, lengths)} {late} "
                "its picture: no join, pedal or rest lets them go."
            )

    @staticmethod
    def _amount(by: float, lengths: tuple[float, float]) -> str:
        """`2 bars`, `1 beat`, `2 bars and 3 beats`."""
        bar, unit = lengths
        bars = int(abs(by) / bar + SAME_S)
        rest = round((abs(by) - bars * bar) / unit)
        words = [
            f"{count} {word}{'' if count == 1 else 's'}" for count, word in ((bars, "bar"), (rest, "beat")) if count
        ]
        return " and ".join(words)


def placed(content: Slot, index: int, place: GridSlot | Slot) -> Slot:
    """A slot's chord and what goes with it, elsewhere."""
    return replace(
        content, index=index, start_s=place.start_s, end_s=place.end_s, start_beats=place.start_beats,
        end_beats=place.end_beats,
    )  # fmt: skip
