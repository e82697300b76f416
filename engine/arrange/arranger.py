"""Composition -> notes and controllers, whole or piece by piece with the same result.

The unit is the segment (a slot inside a cue).  What a segment sounds like depends on the composition, the options and
the small state handed on from the segment before, never on where arranging began.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Final

from engine.arrange import parts as playing
from engine.arrange.dialogue import room_of
from engine.arrange.expression import (
    CC1_RANGE,
    CC11_FIXED,
    CC11_RANGE,
    CONTROLLERS_PER_S,
    activity_level,
    controller_value,
    density_level,
    density_place,
    film_levels,
    loudness_place,
    rolling_levels,
)
from engine.arrange.finishing import Finisher, Played
from engine.arrange.options import (
    Arrangement,
    ArrangeOptions,
    ArrangeState,
    FilmLevels,
    FixedVoicing,
    MelodyState,
    PartOptions,
    PlayedVoicing,
    default_parts,
    moved_range,
)
from engine.arrange.parts import Scene, Strike
from engine.arrange.planned import HELD, PlannedCue, play_planned
from engine.arrange.players_voicing import voice_players
from engine.arrange.sections import section_options
from engine.arrange.timeline import (
    CRESCENDO_BEATS,
    STEP,
    Segment,
    Timeline,
    control_name,
    effective_cues,
    plans_by_cue,
)
from engine.arrange.voicing import Space, Voicing, voice
from engine.music import PARTS, Composition, Controller
from engine.music.mood import valence_arousal

_PLAYERS: Final[dict[str, Callable[[Scene, PartOptions], Iterator[Strike]]]] = {
    "pad": playing.play_pad,
    "arp": playing.play_arp,
    "bass": playing.play_bass,
    "drums": playing.play_drums,
}
_DEFAULT_PARTS: Final = default_parts()
_EPSILON: Final = 1e-9


class Arranger:
    """Arranges one composition in one way.  Hold it while arranging bar by bar: it keeps what depends on the whole.

    complete: no more slots will arrive; False while a composition is still being streamed, so that no ending is
    played where the known slots happen to stop.
    """

    def __init__(
        self, composition: Composition, options: ArrangeOptions | None = None, *, complete: bool = True
    ) -> None:
        self.composition = composition
        self.options = options or ArrangeOptions()
        self.complete = complete
        self._timeline = Timeline(composition, complete)
        self._finisher = Finisher(self.options, self._timeline.bars, composition.tempo_map)
        self._levels: FilmLevels = self.options.levels or film_levels(composition.slots)
        self._rolling: dict[int, tuple[int | None, int | None]] = {}
        if self.options.density_map == "rolling":
            starts_s = [slot.start_s for slot in composition.slots]
            pairs = (
                rolling_levels([slot.density for slot in composition.slots], starts_s, 1.0),
                rolling_levels([slot.motion for slot in composition.slots], starts_s, 1.0),
            )
            self._rolling = {
                slot.index: pair for slot, pair in zip(composition.slots, zip(*pairs, strict=True), strict=True)
            }
        self._by_section = section_options(composition, self.options)
        take = composition.take.number
        self._seeds = [
            composition.draws.part_seed(cue.take or take, index if cue.number is None else cue.number)
            for index, cue in enumerate(effective_cues(composition))
        ]
        self._planned = {
            number: PlannedCue(composition, plan, self._timeline.bars, effective_cues(composition)[number].ending)
            for number, plan in plans_by_cue(composition).items()
        }
        self._sounding: dict[int, tuple[str, ...]] = {}
        self._drives: dict[tuple[int, int], list[float]] = {}
        self._means: dict[tuple[int, tuple[float, ...]], int] = {}
        self._parts: dict[tuple[int, tuple[float, ...], int, bool], tuple[str, ...]] = {}
        self._summed = [
            0.0,
            *accumulate(slot.density * (slot.end_beats - slot.start_beats) for slot in composition.slots),
        ]
        self._slot_starts = [slot.start_beats for slot in composition.slots]
        self._planned_options: dict[tuple[int, int], ArrangeOptions] = {}
        self._fixed = {(kept.start_beats, kept.chord): kept for kept in self.options.fixed_voicings}
        # Whole octaves of a transposition move the ranges, the rest moves the chords inside them.
        self._octaves = round(self.options.transpose / 12)
        self._shift = self.options.transpose - 12 * self._octaves
        accents = sorted({segment.start for segment in self._timeline.segments if segment.accent})
        self._room = room_of(composition, self.options, accents)

    @property
    def start_beats(self) -> float:
        """Where the first segment begins; 0 where there is none."""
        return self._timeline.starts[0] if self._timeline.segments else 0.0

    @property
    def end_beats(self) -> float:
        """Where the last one, or the ring of its ending, is over."""
        return max(self._timeline.ends, default=0.0)

    @property
    def final_to_beats(self) -> float:
        """Up to here nothing changes when more slots arrive after the known ones."""
        if self._timeline.segments and not self.complete:
            last = self._timeline.segments[-1]
            planned = self._planned.get(last.cue)
            if planned is None:
                return last.run_start
            # What a planned cue's players follow is the mean of bars that are not all known yet.
            if planned.plan.rules > 5:
                followed = planned.together(last.start)[0]
            else:
                followed = planned.span(*planned.span_at(last.start))[0]
            final = min(last.run_start, followed)
            if planned.plan.rules > 4:  # and a bass leads to where it plays
                before = bisect_left(self._timeline.starts, final - _EPSILON) - 1
                final = min(final, self._timeline.segments[max(before, 0)].run_start)
            return final
        if not self.complete and self.composition.slots:
            return min(self.composition.slots[-1].start_beats, self.end_beats)  # the first cue is still to come
        return self.end_beats

    def arrange(
        self, start_beats: float | None = None, end_beats: float | None = None, state: ArrangeState | None = None
    ) -> Arrangement:
        """Everything that starts in [start_beats, end_beats) on the grid; None: from the beginning, to the end.

        state: of an earlier piece, at or before start_beats; without one the way there is arranged anew.
        """
        segments, ends = self._timeline.segments, self._timeline.ends
        low = float("-inf") if start_beats is None else start_beats
        high = float("inf") if end_beats is None else end_beats
        if state is None or state.position_beats > low:
            state = ArrangeState()
        played: list[Played] = []
        controllers: list[Controller] = []
        voicings: list[FixedVoicing] = []
        state_out, all_changes, sent = state, [], state.controllers
        first = bisect_right(ends, state.position_beats + _EPSILON)
        for index in range(first, len(segments)):
            segment = segments[index]
            if segment.start >= high:
                break
            notes, changes, state = self._segment(index, state, heard=segment.end > low)
            if segment.end <= high:
                state_out = state
            all_changes += changes
            if segment.end <= low:
                continue
            played += [item for item in notes if low <= item.grid_beats < high]
            controllers += [change for change in changes if low <= change.time_beats < high]
            voicing = state.voicing
            if voicing is not None and low <= voicing.start_beats < high and voicing not in voicings[-1:]:
                voicings.append(voicing)
        if self._room is not None:
            played = self._room.played(played)
            cues = [later.start for before, later in pairwise(segments[max(first - 1, 0) :]) if later.cue != before.cue]
            span = (low, min(high, self.end_beats + _EPSILON))
            controllers = self._room.wheel(all_changes, sent, cues, span)
        ordered = sorted(
            (item.note for item in played),
            key=lambda note: (note.start_beats, PARTS.index(note.part), note.pitch),
        )
        return Arrangement(
            tuple(ordered), tuple(sorted(controllers, key=lambda c: c.time_beats)), state_out, tuple(voicings)
        )

    # one segment ----------------------------------------------------------------------------------------------------
    def _segment(
        self, index: int, state: ArrangeState, heard: bool
    ) -> tuple[list[Played], list[Controller], ArrangeState]:
        segment = self._timeline.segments[index]
        if index and self._timeline.segments[index - 1].cue != segment.cue:
            # Each cue is a piece of its own: what another is changed to moves no note of it.
            state = ArrangeState(state.position_beats, controllers_beats=state.controllers_beats)
        if segment.chord.is_silence:
            # The last voicing is kept, so that the chord after the rest stays near.
            return [], [], replace(state, position_beats=segment.end)
        voicing = self._voicing(index, state)
        state = replace(state, position_beats=segment.end, voicing=voicing)
        controllers, state = self._controllers(index, state)
        notes: list[Played] = []
        scene = self._scene(index, voicing)
        options = self._options_at(segment)
        planned = self._planned.get(segment.cue)
        if planned is not None:
            return self._planned_notes(planned, scene, index) if heard else [], controllers, state
        if heard:
            for part, play in _PLAYERS.items():
                part_options = options.part(part)
                if part_options is not None:
                    notes += self._finisher.finish(part, part_options, segment, list(play(scene, part_options)))
        # The tune is followed even where it is not heard: each pitch leads to the next.
        tune = self.options.parts.get("melody")
        if tune is not None:
            strikes, pitch = playing.play_melody(scene, tune, state.melody.pitch)
            state = replace(state, melody=MelodyState(pitch))
            if heard and options.part("melody") is not None:
                notes += self._finisher.finish("melody", tune, segment, strikes)
        return notes, controllers, state

    def _planned_notes(self, cue: PlannedCue, scene: Scene, index: int) -> list[Played]:
        """What the players of a planned cue play in a segment."""
        segment = scene.segment
        # What plays a figure keeps its speed for a phrase; by earlier rules it changed with the picture.
        bars = cue.together(segment.start)
        pace = scene.level - 1 if cue.plan.rules < 6 else self._mean_drive(segment, cue, bars)
        moment = cue.moment(scene, pace)
        layers = self._layers(index)
        notes: list[Played] = []
        for part in PARTS:
            options = scene.options.part(part)
            if options is None or part not in cue.ensemble.parts or part not in layers:
                continue
            if cue.ensemble.parts[part].style in HELD:
                moment = replace(moment, holds=self._holds(index, part, cue))
            strikes = play_planned(cue, replace(moment, layers=layers), part, options)
            played = cue.with_length(options, moment, part, self.options.note_length)
            notes += self._finisher.finish(part, played, segment, strikes)
        return notes

    def _layers(self, index: int) -> tuple[str, ...]:
        """The parts that sound in a segment of a planned cue.

        A section that the composer has given parts of its own has these and no others.
        """
        known = self._sounding.get(index)
        if known is None:
            segment = self._timeline.segments[index]
            cue = self._planned[segment.cue]
            own = self._parts_said(segment)
            drive = self._level(segment) - 1
            asked = self._options_at(segment).activity is not None
            if own:
                known = PARTS
            elif cue.plan.rules > 5:
                known = self._players(segment, cue, segment.start)
            else:
                known = cue.layers(cue.section_of(segment.start), drive, segment.start, asked)
            if not own and not asked and cue.plan.rules > 3 and "bass" not in known and self._has_bass(segment, cue):
                known = tuple(part for part in PARTS if part in known or part == "bass")
            if not own:
                goes_on = index > 0 and self._timeline.segments[index - 1].cue == segment.cue
                closes = goes_on and cue.plan.rules > 2 and cue.is_close(segment.start)
                before = self._layers(index - 1) if closes else ()
                known = cue.closing_layers(known, before, segment.start, segment.end)
                if cue.plan.rules > 5 and self._played(segment) is not None:  # or what was played would not be heard
                    known = tuple(part for part in PARTS if part in known or part == "pad")
            self._sounding[index] = known
        return known

    def _holds(self, index: int, part: str, cue: PlannedCue) -> tuple[tuple[float, float], ...]:
        """Where a part that holds its notes strikes in a segment, and until when: with a chord, where it joins in, and
        again in bars in which much goes on."""
        segments = self._timeline.segments
        segment = segments[index]
        places = self._struck(index, part, cue)
        if not places:
            return ()
        end = segment.run_end
        if segment.pad_until is not None:
            end = segment.pad_until
        later = index + 1
        while later < len(segments) and segments[later].run_start == segment.run_start and segments[later].start < end:
            found = self._struck(later, part, cue)
            if cue.plan.rules > 5 and part not in self._layers(later):
                found = [segments[later].start]  # who leaves does so with the others, not with the chord
            if found:
                end = min(end, found[0])
                break
            later += 1
        return tuple(pairwise([*places, end]))

    def _struck(self, index: int, part: str, cue: PlannedCue) -> list[float]:
        segments = self._timeline.segments
        segment = segments[index]
        if part not in self._layers(index):
            return []
        joins = index == 0 or segments[index - 1].cue != segment.cue or part not in self._layers(index - 1)
        level = self._level(segment) - 1
        if cue.plan.rules > 5:
            level = self._mean_drive(segment, cue, cue.half_phrase(segment.start))
        again = cue.struck_again(segment.start, segment.end, level)
        if segment.pad_until is not None or joins:
            again = [segment.start, *(place for place in again if place > segment.start + _EPSILON)]
        return again

    def _parts_said(self, segment: Segment) -> bool:
        """Whether a section of the cue has said which parts sound here."""
        cue = effective_cues(self.composition)[segment.cue]
        sections = sorted(cue.sections, key=lambda section: section.start_s)[: segment.section + 1]
        return any(control_name(name) == "parts" for section in sections for name, _ in section.changes)

    def _scene(self, index: int, voicing: FixedVoicing) -> Scene:
        segment = self._timeline.segments[index]
        next_bass = None if segment.next_chord is None else segment.next_chord.transpose(self._shift).bass_pitch_class
        follows = self._planned.get(segment.cue)
        if follows is not None and follows.plan.rules > 3 and follows.is_silent(segment.run_end):
            next_bass = None  # nothing leads into silence
        if follows is not None and follows.plan.rules > 4 and next_bass is not None:
            after = bisect_left(self._timeline.starts, segment.run_end - _EPSILON)
            if after < len(self._timeline.segments) and "bass" not in self._layers(after):
                next_bass = None  # nor to where the bass pauses
        level = self._level(segment)
        place = self._swelled(segment, segment.start)
        hold_from, hold_to = (True, segment.end) if level > 1 or segment.ending else self._held(index)
        planned = self._planned.get(segment.cue)
        if planned is not None:
            segment = replace(segment, key=planned.section_of(segment.start).key)
        return Scene(
            segment=segment,
            chord=segment.chord.transpose(self._shift),
            voicing=voicing,
            bars=self._timeline.bars,
            options=self._options_at(segment),
            level=level,
            place=place,
            loudness=self._loudness(segment),
            next_bass=next_bass,
            hold_from=hold_from,
            hold_to=hold_to,
            octaves=self._octaves,
            energy=self._energy(segment),
            seed=self._seeds[segment.cue],
            swell=self._swelled(segment, segment.end) - place,
            tune_level=self._tune_level(index),
            later=self._later(index),
        )

    def _tune_level(self, index: int) -> int:
        """Activity of the melody: that of the bar's beginning, or of the last hit in it, so that its motif is whole."""
        segments, bars = self._timeline.segments, self._timeline.bars
        bar = bars.index(segments[index].start)
        while (
            index > 0
            and not segments[index].accent
            and segments[index - 1].cue == segments[index].cue
            and bars.index(segments[index - 1].start) == bar
        ):
            index -= 1
        return self._level(segments[index])

    def _later(self, index: int) -> tuple[Segment, ...]:
        """The segments after this one in the same run and bar, up to the next hit."""
        segments, bars = self._timeline.segments, self._timeline.bars
        first = segments[index]
        found = []
        for later in range(index + 1, len(segments)):
            segment = segments[later]
            if segment.run_start != first.run_start or segment.accent or segment.ending:
                break
            if bars.index(segment.start) != bars.index(first.start):
                break
            found.append(segment)
        return tuple(found)

    def _held(self, index: int) -> tuple[bool, float]:
        """Whether a held note begins here, and where it ends: at a bar line, a new chord or more activity."""
        segments, bars = self._timeline.segments, self._timeline.bars

        def goes_on(later: int) -> bool:
            a, b = segments[later - 1], segments[later]
            return (
                a.run_start == b.run_start
                and not b.ending
                and not b.accent
                and self._level(a) == self._level(b) == 1
                and bars.index(a.start) == bars.index(b.start)
            )

        begins = index == 0 or not goes_on(index)
        last = index
        while last + 1 < len(segments) and goes_on(last + 1):
            last += 1
        return begins, segments[last].end

    def _voicing(self, index: int, state: ArrangeState) -> FixedVoicing:
        found, segment = self._voiced(index, state), self._timeline.segments[index]
        played = self._played(segment)
        if played is None:
            return found
        return replace(found, pad=tuple(pitch + self.options.transpose for pitch in played.pad), played=True)

    def _played(self, segment: Segment) -> PlayedVoicing | None:
        """How somebody played the segment's chord; None where nobody did."""
        for played in self.options.played_voicings:
            if played.start_beats - 1e-6 <= segment.start < played.end_beats - 1e-6 and played.chord == segment.chord:
                return played
        return None

    def _voiced(self, index: int, state: ArrangeState) -> FixedVoicing:
        segment = self._timeline.segments[index]
        chord = segment.chord.transpose(self._shift)
        kept = state.voicing
        inside = segment.start > segment.run_start
        if kept is not None and kept.chord == chord and not segment.ending and inside:
            return self._revoiced(segment, kept) if segment.accent else kept
        fixed = self._fixed.get((segment.run_start, chord))
        if fixed is not None:
            return fixed
        planned = self._planned.get(segment.cue)
        if planned is not None:
            players = planned.players(
                segment.start, self._options_at(segment), self._octaves, self._shift, self._layers(index)
            )
            found = voice_players(chord, players, _as_voicing(kept), self._following(segment))
            return FixedVoicing(segment.run_start, chord, found.bass, found.pad, found.arp)
        space = self._space(segment)
        # After a rest or in a new cue the ear has let go: stay near, but nothing leads.
        found = voice(chord, space, _as_voicing(kept), self._following(segment))
        return FixedVoicing(segment.run_start, chord, found.bass, found.pad, found.arp)

    def _revoiced(self, segment: Segment, kept: FixedVoicing) -> FixedVoicing:
        """The chord goes on through a hit: the hit is heard as another place of its voices, the bass stays."""
        if segment.cue in self._planned:
            return replace(kept, start_beats=segment.start)
        space = self._space(segment)
        low, high = space.pad
        lift = 6 if sum(kept.pad) / len(kept.pad) <= (low + high) / 2 else -6
        found = voice(kept.chord, replace(space, lift=lift), None, None)
        return FixedVoicing(segment.start, kept.chord, kept.bass, found.pad, found.arp)

    def _following(self, segment: Segment) -> Voicing | None:
        """The voicing of the next run where that is kept."""
        if segment.next_chord is None or not self._fixed:
            return None
        return _as_voicing(self._fixed.get((segment.run_end, segment.next_chord.transpose(self._shift))))

    def _space(self, segment: Segment) -> Space:
        def span(part: str) -> tuple[int, int]:
            options = self.options.parts.get(part) or _DEFAULT_PARTS[part]
            return moved_range(options, self._octaves)

        return Space(
            pad=span("pad"),
            arp=span("arp"),
            bass=span("bass"),
            style=self.options.voicing,
            key=segment.key.transpose(self._shift),
            has_bass=self.options.part("bass") is not None,
            has_melody=self.options.part("melody") is not None,
            lift=_register(segment.slot.affect),
        )

    # the picture ----------------------------------------------------------------------------------------------------
    def _options_at(self, segment: Segment) -> ArrangeOptions:
        """The options with what the sections of the cue have changed so far, and what the plan's ensemble has."""
        options = self._by_section.get((segment.cue, segment.section), self.options)
        planned = self._planned.get(segment.cue)
        if planned is None:
            return options
        known = self._planned_options.get((segment.cue, segment.section))
        if known is None:
            known = self._planned_options[segment.cue, segment.section] = planned.options_of(options)
        return known

    def _level(self, segment: Segment) -> int:
        activity = self._options_at(segment).activity
        if activity is not None:
            return activity_level(activity)
        rolling = self._rolling.get(segment.slot.index, (None, None))[0]
        planned = self._planned.get(segment.cue)
        if planned is not None:
            return 1 + round(self._drive(segment, planned, rolling))
        return rolling or density_level(segment.slot.density, self.options.density_map, self._levels)

    def _has_bass(self, segment: Segment, cue: PlannedCue) -> bool:
        """Whether a bass plays in the other of two phrases of a section: it does not leave for one alone."""
        if cue.plan.rules > 5:
            return any("bass" in self._players(segment, cue, beats) for beats in cue.together(segment.start)[:-1])
        number, place = cue.span_at(segment.start)
        start = cue.span(number, place ^ 1)[0]
        section = cue.plan.sections[number]
        if start >= cue.ends[number] - _EPSILON or self._rolling.get(segment.slot.index, (None, None))[0] is not None:
            return False
        drive = round(self._drive_in(segment.cue, cue, number, place ^ 1))
        return "bass" in cue.layers(section, drive, start)

    def _players(self, segment: Segment, cue: PlannedCue, beats: float) -> tuple[str, ...]:
        """The parts that sound in half a phrase around a position, in a segment's section: whoever plays in one of its
        bars plays in all of them."""
        bars, asked = cue.half_phrase(beats), self._options_at(segment).activity is not None
        key = (segment.cue, bars, self._mean_drive(segment, cue, bars), asked)
        known = self._parts.get(key)
        if known is None:
            rows = [cue.layers(cue.section_of(segment.start), key[2], line, asked) for line in bars[:-1]]
            known = self._parts[key] = tuple(part for part in PARTS if any(part in row for row in rows))
        return known

    def _drive(self, segment: Segment, cue: PlannedCue, rolling: int | None) -> float:
        """0..4 how much goes on in a planned cue: what the picture asks for over a phrase of it, and the form.

        From phrase to phrase it changes by little, as one layer comes or goes; a section begins where it likes.
        """
        if rolling is not None:
            return cue.drive(segment.start, rolling - 1.0)
        number, place = cue.span_at(segment.start)
        return self._drive_in(segment.cue, cue, number, place)

    def _mean_drive(self, segment: Segment, cue: PlannedCue, bars: tuple[float, ...]) -> int:
        """0..4 how much goes on in bars that belong together; in a segment of them for which the composer has said it,
        what he has said."""
        if self._options_at(segment).activity is not None:
            return self._level(segment) - 1
        known = self._means.get((segment.cue, bars))
        if known is None:
            starts = self._timeline.starts
            first, stop = (bisect_left(starts, beats - _EPSILON) for beats in (bars[0], bars[-1]))
            drives = [
                self._drive(each, cue, self._rolling.get(each.slot.index, (None, None))[0])
                for each in self._timeline.segments[first:stop] or (segment,)
            ]
            known = self._means[segment.cue, bars] = round(sum(drives) / len(drives))
        return known

    def _drive_in(self, index: int, cue: PlannedCue, number: int, place: int) -> float:
        """How much goes on in a phrase of a section.  index: of the cue."""
        known = self._drives.setdefault((index, number), [])
        while len(known) <= place:
            start, end = cue.span(number, len(known))
            density = self._mean_density(start, end)
            wanted = cue.drive(start, density_place(density, self.options.density_map, self._levels))
            if known:
                wanted = min(max(wanted, known[-1] - cue.steepest), known[-1] + cue.steepest)
            known.append(wanted)
        return known[place]

    def _mean_density(self, start: float, end: float) -> float:
        """Of the slots that begin in a span, by their length; of the slot that it lies in where none does."""
        first, stop = bisect_left(self._slot_starts, start - _EPSILON), bisect_left(self._slot_starts, end - _EPSILON)
        slots = self.composition.slots
        if stop <= first:
            return slots[min(max(first - 1, 0), len(slots) - 1)].density
        length = sum(slot.end_beats - slot.start_beats for slot in slots[first:stop])
        return (self._summed[stop] - self._summed[first]) / length

    def _energy(self, segment: Segment) -> int:
        """Of the drums, 1..5: by motion; by activity where that is set by hand, where the film says nothing of motion,
        and in planned cues."""
        thresholds = self._levels.motion
        if thresholds is None or self._options_at(segment).activity is not None or segment.cue in self._planned:
            return self._level(segment)
        rolling = self._rolling.get(segment.slot.index, (None, None))[1]
        return rolling or 1 + bisect_left(thresholds, segment.slot.motion)

    def _loudness(self, segment: Segment) -> float:
        dynamics = self._options_at(segment).dynamics
        return segment.slot.loudness if dynamics is None else dynamics / 100

    def _place(self, segment: Segment) -> float:
        dynamics = self._options_at(segment).dynamics
        if dynamics is not None:
            return dynamics / 100
        place = loudness_place(segment.slot.loudness, self._levels)
        planned = self._planned.get(segment.cue)
        return place if planned is None else planned.loudness(segment.start, place)

    def _swelled(self, segment: Segment, beats: float) -> float:
        """Loudness 0..1 within the film, growing over the last beats before a hit or section."""
        place = self._place(segment)
        if segment.next_accent is None or self.options.crescendo == 0:
            return place
        near = 1 - (segment.next_accent - beats) / CRESCENDO_BEATS
        return place if near <= 0 else min(place + self.options.crescendo / 100 * near, max(place, 1.0))

    def _controllers(self, index: int, state: ArrangeState) -> tuple[list[Controller], ArrangeState]:
        options = self.options
        planned = self._planned.get(self._timeline.segments[index].cue)
        active = self._options_at(self._timeline.segments[index])
        if not options.cc1 and options.cc11 == "off":
            return [], state
        segments = self._timeline.segments
        segment = segments[index]
        here = self._swelled(segment, segment.start)
        there = here
        if segment.next_accent is not None and segment.next_accent - segment.end < CRESCENDO_BEATS:
            there = self._swelled(segment, segment.end)
        elif not segment.ending and index + 1 < len(segments) and segments[index + 1].cue == segment.cue:
            there = self._place(segments[index + 1])
        bpm = self.composition.tempo_map.bpm_at(segment.start)
        apart = bpm / 60 / CONTROLLERS_PER_S  # beats between two values
        last = {(part, number): value for part, number, value in state.controllers}
        sent_beats = state.controllers_beats
        names = [(part, found) for part in PARTS if part != "drums" and (found := active.part(part)) is not None]
        changes: list[Controller] = []
        length = segment.end - segment.start
        count = max(1, round(length / STEP)) if not segment.ending else 1
        for step in range(count):
            beats = segment.start + step * STEP
            if beats - sent_beats < apart - _EPSILON:
                continue
            place = here + (there - here) * step / count
            wanted: dict[int, int] = {}
            if options.cc1:
                wanted[1] = controller_value(place, CC1_RANGE)
            if options.cc11 != "off":
                wanted[11] = CC11_FIXED if options.cc11 == "fixed" else controller_value(place, CC11_RANGE)
            for part, part_options in names:
                own = wanted if planned is None else planned.controllers(part, beats, place, wanted)
                for number, value in own.items():
                    if last.get((part, number)) != value:
                        changes.append(Controller(number, value, beats, part_options.channel, part))
                        last[part, number] = value
                        sent_beats = beats
        carried = tuple((part, number, value) for (part, number), value in last.items())
        return changes, replace(state, controllers=carried, controllers_beats=sent_beats)


def _register(affect: Sequence[float]) -> int:
    """Semitones by which mood moves the middle of the pad, -4..+4 in steps of two: bright and excited lie higher."""
    valence, arousal = valence_arousal(affect)
    return 2 * round(min(max(2.0 * valence + 1.5 * arousal, -2.0), 2.0))


def _as_voicing(fixed: FixedVoicing | None) -> Voicing | None:
    return None if fixed is None else Voicing(fixed.bass, fixed.pad, fixed.arp)


def arrange(
    composition: Composition,
    options: ArrangeOptions | None = None,
    *,
    start_beats: float | None = None,
    end_beats: float | None = None,
    state: ArrangeState | None = None,
) -> Arrangement:
    """`Arranger(composition, options).arrange(...)`: for a single call."""
    return Arranger(composition, options).arrange(start_beats, end_beats, state)
