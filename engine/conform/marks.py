"""What stands on the picture goes with it: cues, hits, sections, pins, printed ranges, locks and plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from engine.conform.beats import Stretch
from engine.conform.recut import SAME_S, Recut
from engine.document import CueState, Document, Pin, PrintedRange
from engine.document.document import Lock
from engine.document.settings import Value
from engine.music import Hit, MusicError, Section, TempoMap, controls
from engine.music.cueplan import CuePlan, Statement
from engine.music.plan_edit import PlanEdit


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


class Marks:
    """moved: what became of each thing that was asked for.  notes: sentences."""

    def __init__(self, recut: Recut) -> None:
        self._old, self._changes, self._film = recut.old, recut.changes, recut.film
        self.moved: list[Moved] = []
        self.notes: list[str] = []

    def with_cues(self, document: Document) -> Document:
        states: list[CueState] = []
        for state in document.cue_states:
            new_in = self._changes.place_near(state.in_s)
            settings = dict(state.settings)
            out_s = None
            if state.out_s is not None:
                last = self._changes.place(state.out_s - SAME_S)
                out_s = self._changes.place_near(state.out_s) if last is None else last + SAME_S
                out_s = min(out_s, self._film.duration_s)
            turned = self._turned_round(state)
            if turned is not None:
                new_in, out_s = turned[0], None if out_s is None else turned[1]
            if out_s is not None:
                settings[controls.OUT] = out_s
            gone = new_in >= self._film.duration_s - SAME_S or (out_s is not None and out_s <= new_in + 0.1)
            self.moved.append(Moved("cue", state.name, state.in_s, None if gone else new_in))
            if gone:
                continue
            if controls.IN in settings or new_in > SAME_S:
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

    def _turned_round(self, state: CueState) -> tuple[float, float] | None:
        """For a cue whose end now comes before its beginning: start and end of its longest run of picture, with what
        was inserted there.  None for all others."""
        rate, place = float(self._changes.rate), self._changes.place
        high = self._changes.old_frames / rate if state.out_s is None else state.out_s
        high = min([high, *(each.in_s for each in self._old.cue_states if each.in_s > state.in_s)])
        first, last = place(state.in_s), place(high - SAME_S)
        if first is None or last is None or last > first:
            return None
        runs: list[tuple[float, float]] = []
        ends = True  # whether the last run is over: another cue's picture has come
        for span in self._changes.spans:
            if span.old_start is None:
                continue
            low, stop = max(span.old_start, state.in_s * rate), min(span.old_end or 0, high * rate)
            if stop - low < 0.5:
                ends = True
                continue
            begin = (span.new_start + (low - span.old_start) / float(span.speed)) / rate
            end = (span.new_start + (stop - span.old_start) / float(span.speed)) / rate
            runs = [*runs[:-1], (runs[-1][0], end)] if runs and not ends else [*runs, (begin, end)]
            ends = stop < (span.old_end or 0) - 0.5
        return max(runs, key=lambda run: run[1] - run[0], default=None)

    def _without_clashes(self, states: Sequence[CueState]) -> list[CueState]:
        """The cues in their new order, none reaching into the next, without those that lost their picture."""
        ordered = sorted(states, key=lambda state: (state.in_s, state.number))
        made: list[CueState] = []
        for index, state in enumerate(ordered):
            following = ordered[index + 1].in_s if index + 1 < len(ordered) else None
            if following is not None and following <= state.in_s + 0.1:
                self.notes.append(f"cue {state.name} has no picture of its own any more and was left out.")
                continue
            if following is not None and state.out_s is not None and state.out_s > following:
                state = replace(state, settings={**state.settings, controls.OUT: following})
            made.append(state)
        return made

    def hits(self) -> tuple[Hit, ...]:
        made = []
        for hit in self._old.hits:
            place = self._changes.place(hit.time_s)
            self.moved.append(Moved("hit", hit.name, hit.time_s, place))
            if place is not None:
                made.append(replace(hit, time_s=place))
        return tuple(sorted(made, key=lambda each: each.time_s))

    def sections(self) -> tuple[Section, ...]:
        made: dict[float, Section] = {}
        for section in self._old.sections:
            place = self._changes.place_near(section.start_s)
            self.moved.append(Moved("section", section.name, section.start_s, place))
            if place < self._film.duration_s:
                made[round(place, 6)] = replace(section, start_s=place)  # a lifted one gives way to the next
        return tuple(made[key] for key in sorted(made))

    def pins(self) -> tuple[Pin, ...]:
        made = []
        for pin in self._old.pins:
            start, end = self._changes.place_near(pin.start_s), self._changes.place_near(pin.end_s)
            gone = end - start < SAME_S
            self.moved.append(Moved("pin", pin.typed, pin.start_s, None if gone else start))
            if not gone:
                made.append(replace(pin, start_s=start, end_s=end))
        kept: list[Pin] = []
        for pin in sorted(made, key=lambda each: each.start_s):
            if not kept or pin.start_s >= kept[-1].end_s - SAME_S:
                kept.append(pin)
        return tuple(kept)

    def adopted(self, document: Document) -> tuple[tuple[int, Mapping[str, Value]], ...]:
        """Takes that were chosen again stay what they are."""
        numbers = {state.number for state in document.cue_states}
        return tuple(each for each in self._old.adopted if each[0] in numbers)

    def plan_edits(self) -> tuple[PlanEdit, ...]:
        place = self._changes.place_near
        moved = [replace(each, from_s=place(each.from_s), to_s=place(each.to_s)) for each in self._old.plan_edits]
        return tuple(each for each in moved if each.to_s > each.from_s)

    def printed(self, tempo_map: TempoMap) -> tuple[PrintedRange, ...]:
        old = self._old.result

        def moved(beats: float) -> float:
            place = self._changes.place_near(max(old.tempo_map.seconds_at(beats) - old.starts_s, 0.0))
            return tempo_map.beats_at(place + old.starts_s)

        made = [PrintedRange(p.part, moved(p.start_beats), moved(p.end_beats)) for p in self._old.printed]
        return tuple(each for each in made if each.end_beats > each.start_beats + 1e-6)

    def locks(self, tempo_map: TempoMap) -> tuple[Lock, ...]:
        """Locks whose picture is still there in one piece, their notes with it; the others let go."""
        made = []
        for lock in self._old.locks:
            length_s = lock.end_s - lock.start_s
            start, last = self._changes.place(lock.start_s), self._changes.place(lock.end_s - SAME_S)
            whole = start is not None and last is not None and abs(last - start - length_s) < 2 * SAME_S
            self.moved.append(Moved("lock", lock.part, lock.start_s, start if whole else None))
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

    def plans(
        self, document: Document, tempo_map: TempoMap, music: Mapping[int, Sequence[Stretch]]
    ) -> tuple[CuePlan, ...]:
        """Plans with their sections and theme statements where their picture is now, less sections that lost theirs."""
        made = []
        indices = {state.number: index for index, state in enumerate(document.cue_states)}
        numbers = [state.number for state in self._old.cue_states]
        for plan in self._old.result.plans:
            sections = []
            for each in plan.sections:
                start, end = self._changes.place_near(each.start_s), self._changes.place_near(each.end_s - SAME_S)
                end = min(end + SAME_S, self._film.duration_s)
                if end - start > 0.05:
                    sections.append(replace(each, start_s=start, end_s=end))
            index = indices.get(numbers[plan.cue]) if plan.cue < len(numbers) else None
            if sections and index is not None:
                sections.sort(key=lambda each: each.start_s)
                statements = self._statements(plan, tempo_map, music)
                made.append(replace(plan, cue=index, sections=tuple(sections), statements=statements))
        return tuple(sorted(made, key=lambda each: each.cue))

    def _statements(
        self, plan: CuePlan, tempo_map: TempoMap, of_cues: Mapping[int, Sequence[Stretch]]
    ) -> tuple[Statement, ...]:
        """From the bar nearest to where each began, or where its music is now; one whose picture was lifted, or whose
        music was dropped, goes."""
        old = self._old.result
        music = of_cues.get(self._old.cue_states[plan.cue].number)
        made: dict[int, Statement] = {}
        for each in plan.statements:
            line = float(old.tempo_map.bar_start(each.bar))
            if music is None:
                place = self._changes.place(old.tempo_map.seconds_at(line) - old.starts_s)
                new = None if place is None else tempo_map.beats_at(place + old.starts_s)
            else:
                near = ((s, line - s.offset) for s in music)
                new = next((at for s, at in near if s.start - SAME_S <= at < s.end - SAME_S), None)
            if new is not None:
                bar = round(tempo_map.bar_position(new)) + 1
                made.setdefault(bar, replace(each, bar=bar))
        return tuple(made[bar] for bar in sorted(made))
