"""A cue that has a plan: who plays when, with which figure, and where the theme sounds.

Strikes stand on the sixteenth grid as in `engine.arrange.parts`; swing, note length and breath come later.  What a
segment sounds like depends on the plan, the composition and the voicing handed on, never on where arranging began.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from engine.arrange import drums as kit
from engine.arrange import parts as playing
from engine.arrange.chance import noise
from engine.arrange.closing import Sung, rest_of_tune
from engine.arrange.ensembles import Ensemble, PartRole, ensembles
from engine.arrange.expression import CC11_RANGE, controller_value
from engine.arrange.options import ArrangeOptions, PartOptions, default_parts, moved_range
from engine.arrange.parts import Scene, Strike
from engine.arrange.players_voicing import RUB, Players, is_beside
from engine.arrange.second_line import CLEAR, SIXTH, LineBar, second_line
from engine.arrange.timeline import STEP, Bars
from engine.music import PARTS, Chord, Composition, Key
from engine.music.closing import RING_S, RINGING, beats_of, closing_unit
from engine.music.cueplan import CuePlan, SectionPlan
from engine.music.tune import TuneNote, tune_of

_EPSILON: Final = 1e-6
_DEFAULTS: Final = default_parts()
_USUAL_GATE: Final = 90.0  # note length where the composer said nothing
_LEAST_MELODY: Final = 70.0  # of a note's length, per cent, that a theme sounds at least
LEAST_RUB: Final = 1.0  # beats that a tone of the tune lasts at least to be heard against its chord
_APART: Final = 3.0  # what a tone of a figure costs a step beside a held one
_RUBS: Final[Mapping[int, int]] = {1: 1, 2: 3, 3: 3}  # times that neighbours a semitone apart cost, by earlier rules
_ROOM: Final = 1.0  # what each tone, squared, costs that a figure lacks on its side of the pad
_LEAST_BUMP: Final = 0.75  # beats before a cue that is cut off in which nothing is struck any more
_FADE_BEATS: Final = 6.0  # in which the last chord dies away
HELD: Final = frozenset({"held", "slow", "line", "drone"})  # styles whose notes last as long as their chord
_SUSTAINED: Final = frozenset({"held", "line", "drone", "sparse"})
SWELL_BEATS: Final = 8.0
PHRASE_BARS: Final = 4
FOLLOWED_S: Final = 2.6  # of picture, at least, that players follow as one
_FOLLOWED_FIRST_S: Final = 1.8  # the same by the first rules
UNDER_VOICES: Final = 3  # of a pad under a tune, which is the fourth
_NEVER_BELOW: Final[Mapping[str, int]] = {"full": 1, "statement": 1, "variant": 1}  # levels of layers under the theme
_ALONE: Final = frozenset({"solo", "thin", "strip", "still"})  # roles in which the tune may stand alone
_WILD: Final = frozenset({"exciting", "tense", "fearful"})  # moods that sixteenths belong to
_CALMEST_SIXTEENTHS: Final = 4  # activity at which the patterns of pop have sixteenths
_SLOW_BPM: Final = 54.0  # at which a sixteenth is an eighth to the ear
FORMED: Final = 0.3  # levels that a section moves what the picture asks for, for each level of its intensity
_FORMED_BEFORE: Final[Mapping[int, float]] = {1: 0.35, 2: 0.6}  # the same by earlier rules
STEEPEST: Final = 2.0  # levels that what goes on changes from phrase to phrase, at most
_STEEPEST_BEFORE: Final = 1.5  # the same by earlier rules
FOLLOWED: Final = 0.85  # of loudness that is the film's there; the rest is the section's
LANDING_S: Final = 4.0  # a hit no further from the end than this is what a cue ends on
PRE_LAP_S: Final = 1.5  # that a cue which ends by a pre-lap sounds on under the next scene
PHRASE_RISE, PHRASE_FALL = 8, 10  # velocities that a phrase gains to its peak and loses to its end


@dataclass(frozen=True, slots=True)
class Moment:
    """A segment of a planned cue.

    scene: as for unplanned music.  section: of the plan, number: its place.  until: beat at which the section ends,
    starts: at which it began.  out: beat at which the cue's music ends.  bpm: where the section begins.  holds: where a
    part that holds its notes strikes, and until when.  layers: the parts that sound.  pace: 0..4, of moving
    accompaniments.
    """

    scene: Scene
    plan: CuePlan
    section: SectionPlan
    number: int
    starts: float
    until: float
    out: float
    bpm: float
    pace: int
    holds: tuple[tuple[float, float], ...] = ()
    layers: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        return self.section.key.transpose(self.scene.options.transpose)


class PlannedCue:
    """One cue's plan, ready to be played."""

    def __init__(self, composition: Composition, plan: CuePlan, bars: Bars, ending: str = "tonic") -> None:
        # An ending that the cue names itself prevails; `tonic` is what a cue has that says nothing.
        said = {"open": "unresolved", "cut": "bump", "tonic": plan.ending}.get(ending, ending)
        self.plan = plan if said == plan.ending else replace(plan, ending=said)
        self.ensemble: Ensemble = ensembles(plan.rules)[plan.ensemble]
        self.bars = bars
        self.tune = tune_of(plan, composition.tempo_map, composition.picture_starts_at_s)
        self._tune_starts = [note.start_beats for note in self.tune]
        # Where the notes of each statement of the theme begin and end.
        self.spans: dict[int, tuple[float, float]] = {}
        for note in self.tune:
            begins = self.spans.get(note.statement, (note.start_beats,))[0]
            self.spans[note.statement] = begins, note.start_beats + note.length_beats
        self._groups: dict[tuple[int, int, int], tuple[float, ...]] = {}
        self._arch: tuple[float, float] = (-math.inf, 0.0)  # where CC 11 has last been asked for, and its place
        beats = [bars.snap(composition.beats_at_picture(section.start_s)) for section in plan.sections]
        self.starts = beats
        last_s = min(plan.sections[-1].end_s, composition.film.duration_s)
        self.out = bars.before(composition.beats_at_picture(last_s))
        self.ends = [*beats[1:], self.out]
        self._bpm = [composition.tempo_map.bpm_at(start) for start in beats]
        self._followed = [self._bars_followed(composition, start) for start in beats]
        at = composition.beats_at_picture
        self._fades = [(at(begin), at(dark), at(until)) for begin, dark, until in plan.fades]
        self.overhang = self._overhang(composition, last_s)
        self.landing = self._landing(composition, last_s)
        self.button = self._button()
        starts_s, tempo_map = composition.picture_starts_at_s, composition.tempo_map
        self.last_unit = bars.snap(beats_of(tempo_map, closing_unit(self.plan, tempo_map, starts_s)))
        self.ring = self._ring(composition)
        self._closes = [
            (
                float(tempo_map.bar_start(each.bar + each.length_bars - 2)),
                float(tempo_map.bar_start(each.bar + each.length_bars)),
            )
            for each in plan.statements
            if each.kind in _NEVER_BELOW and each.length_bars > 2
        ]

    def _bars_followed(self, composition: Composition, start: float) -> int:
        """How many bars last `FOLLOWED_S` where a section begins: one, two or four."""
        seconds = composition.tempo_map.seconds_at
        bar_s = seconds(self.bars.next(start)) - seconds(self.bars.start(start))
        least_s = _FOLLOWED_FIRST_S if self.plan.rules == 1 else FOLLOWED_S
        return next((count for count in (1, 2) if count * bar_s >= least_s), 4)

    def _overhang(self, composition: Composition, last_s: float) -> float:
        """Beats that the last notes of a pre-lap reach into the next scene: as far as film and the next cue allow."""
        if self.plan.ending != "pre-lap":
            return 0.0
        later = [cue.in_s for cue in composition.cues if cue.in_s >= last_s - 1e-6]
        end_s = min(last_s + PRE_LAP_S, composition.film.duration_s, *later)
        return max(self.bars.before(composition.beats_at_picture(end_s)) - self.out, 0.0)

    def section_at(self, beats: float) -> int:
        return bisect_right(self.starts, beats + _EPSILON, 1) - 1

    def section_of(self, beats: float) -> SectionPlan:
        return self.plan.sections[self.section_at(beats)]

    def moment(self, scene: Scene, pace: int) -> Moment:
        """The segment of a scene in its section."""
        number = self.section_at(scene.segment.start)
        return Moment(
            scene, self.plan, self.plan.sections[number], number, self.starts[number], self.ends[number], self.out,
            self._bpm[number], pace,
        )  # fmt: skip

    def options_of(self, options: ArrangeOptions) -> ArrangeOptions:
        """The composer's options with the ensemble's ranges and velocities, where he has not set his own."""
        return _options_of(options, self.ensemble)

    def with_length(self, options: PartOptions, moment: Moment, part: str, asked: float) -> PartOptions:
        """A part's options with the note length of its section, unless the composer has set one (`asked`: his for all
        parts)."""
        if options.note_length is not None or asked != _USUAL_GATE or part in ("pad", "drums"):
            return options
        if self.ensemble.parts[part].style in _SUSTAINED:
            return replace(options, note_length=100.0)
        start = moment.scene.segment.start
        if (self.plan.rules > 2 and self.ring is not None and start >= self.ring - _EPSILON) or self.is_held(start):
            return replace(options, note_length=100.0)
        length = moment.section.note_length
        return replace(options, note_length=min(max(length, _LEAST_MELODY) if part == "melody" else length, 100.0))

    def span_at(self, beats: float) -> tuple[int, int]:
        """Section, and number in it, of the bars over which players follow the picture as one: one, two or four that
        last `FOLLOWED_S`, counted from where the section begins.  They follow scenes, not single cuts."""
        number = self.section_at(beats)
        group = self.bars.index(beats) - self.bars.index(self.starts[number])
        return number, max(group, 0) // self._followed[number]

    def together(self, beats: float, count: int = PHRASE_BARS) -> tuple[float, ...]:
        """Where the bars of a section begin that belong together, so many counted from where it begins, and where the
        last of them ends.  A single bar that is left over belongs to those before."""
        number, index = self.section_at(beats), self.bars.index
        known = self._groups.get((number, index(beats), count))
        if known is None:
            start, end = self.starts[number], self.ends[number]
            first, total = index(start), index(end - STEP) - index(start) + 1
            last = max(total - 2, 0) // count
            place = min(max(index(beats) - first, 0) // count, last)
            lines = range(first + place * count, first + (total if place == last else (place + 1) * count))
            known = *(max(self.bars.line(each), start) for each in lines), min(self.bars.line(lines.stop), end)
            self._groups[number, index(beats), count] = known
        return known

    def half_phrase(self, beats: float) -> tuple[float, ...]:
        """The same of the bars in which nobody joins in or leaves: two, or as many as the picture is followed by."""
        return self.together(beats, max(PHRASE_BARS // 2, self._followed[self.section_at(beats)]))

    def span(self, number: int, place: int) -> tuple[float, float]:
        """Where such bars begin and end."""
        count, bars = self._followed[number], self.bars
        start = bars.line(bars.index(self.starts[number]) + place * count)
        until = bars.next(start)
        for _ in range(count - 1):
            until = bars.next(until)
        return start, until

    def struck_again(self, start: float, end: float, drive: int) -> list[float]:
        """Where a held chord is struck again in a span although it goes on: on bar lines where much goes on, on half
        bars too where most does."""
        if drive < 3:
            return []
        line, found = self.bars.start(start), []
        while line < end - _EPSILON:
            after = self.bars.next(line)
            halves = drive == 4 and after - line == 4.0
            found += [place for place in (line, line + 2.0)[: 2 if halves else 1] if start - _EPSILON <= place < end]
            line = after
        return found

    def drive(self, beats: float, picture: float) -> float:
        """0..4 how much goes on: what the picture asks for there (0..4), moved by the section's intensity, and by what
        the composer wants more or less of it."""
        formed, section = _FORMED_BEFORE.get(self.plan.rules, FORMED), self.section_of(beats)
        return min(max(picture + formed * (section.intensity - 2) + section.asked, 0.0), 4.0)

    @property
    def steepest(self) -> float:
        """Levels that what goes on changes from phrase to phrase, at most."""
        return STEEPEST if self.plan.rules > 2 else _STEEPEST_BEFORE

    def layers(self, section: SectionPlan, drive: int, beats: float, asked: bool = False) -> tuple[str, ...]:
        """The parts that sound where so much goes on, 0..4.  Where the tune pauses, those of a section without it play.
        Where the plan's layers are the composer's own they stay.  asked: the composer has said how much goes on."""
        with_theme = "melody" in section.layers
        rows = self.ensemble.theme if with_theme else self.ensemble.layers
        if self._is_said(section):
            return section.layers
        # A rest of the tune inside a bar is its breath, and nobody's entry.
        near = (beats, self.bars.next(beats)) if self.plan.rules > 5 else (beats - 1.0, beats + 1.0)
        sings = self.tune_at(beats) is not None or bool(self.tune_between(*near))
        level = drive if asked or self.plan.rules == 1 else self._level(section, drive, beats)
        moved = (rows if sings else self.ensemble.layers)[level]
        return (*moved, "melody") if with_theme and "melody" not in moved else moved

    def _is_said(self, section: SectionPlan) -> bool:
        """Whether the layers of a section are the composer's own."""
        with_theme = "melody" in section.layers
        rows = self.ensemble.theme if with_theme else self.ensemble.layers
        return set(section.layers) != set(rows[section.intensity]) | ({"melody"} if with_theme else set())

    def closing_layers(
        self, layers: tuple[str, ...], before: tuple[str, ...], start: float, end: float
    ) -> tuple[str, ...]:
        """The parts that sound in a segment where a phrase or the cue closes: the bass stays through the close of a
        theme, is there from the cadence on, and the last chord is played by all that it takes: bass, chords, and the
        tune where it sounds.  layers: that sound there otherwise; before: in the
        segment before, where a theme or the cue closes: chords that sound there stay too, by earlier rules the bass
        alone."""
        section = self.section_of(start)
        roles = self.ensemble.parts
        if self.plan.rules < 3 or not section.layers or self._is_said(section) or "bass" not in roles:
            return layers
        found = set(layers)
        chords = "pad" if any("pad" in row for row in self.ensemble.layers) else "arp"
        found |= {"bass", chords if self.plan.rules > 5 else "bass"} & set(before)
        if self.section_at(start) == len(self.starts) - 1:
            last = self.button if self.button is not None else self.last_unit if self.ring is None else self.ring
            two_bars = 2 * (self.bars.next(start) - self.bars.start(start))
            if section.role not in _ALONE and start >= last - min(two_bars, self._unit_beats) - _EPSILON:
                found.add("bass")
            if end > last + _EPSILON:
                found.add("bass")
                if "pad" not in found and not ("arp" in found and roles["arp"].style in _CHORDAL):
                    found.add(chords)
        return tuple(part for part in PARTS if part in found)

    def is_first_said(self, note: TuneNote, beats: float) -> bool:
        """Whether a note of the tune at a position belongs to a theme that is stated for the first time, and nothing
        answers it yet: from its second half on others join in."""
        first = next((n for n, each in enumerate(self.plan.statements) if each.kind != "hint"), None)
        if note.statement != first:
            return False
        length = self.plan.statements[first].length_bars
        if self.plan.rules < 6 or length < 4:
            return True
        return self.bars.number(beats) < self.plan.statements[first].bar + length // 2

    def is_close(self, beats: float) -> bool:
        """Whether a theme closes there, in the last two bars of a statement, or the cue, in the last that are followed
        as one (by earlier rules a theme alone)."""
        half = self.half_phrase(beats)
        if self.plan.rules > 5 and half[-1] == self.out and half[0] > self.starts[-1]:
            return True
        return any(first - _EPSILON <= beats < last - _EPSILON for first, last in self._closes)

    @property
    def _unit_beats(self) -> float:
        """Beats of a unit of harmonic rhythm in the last section."""
        first = self.starts[-1]
        return self.plan.sections[-1].unit_bars * (self.bars.next(first) - self.bars.start(first))

    def _level(self, section: SectionPlan, drive: int, beats: float) -> int:
        """The row of layers that sounds where so much goes on: near the section's own intensity, and a theme that is
        stated in full has chords and a bass under it."""
        level = min(max(drive, section.intensity - 2), section.intensity + 2, 4)
        if section.role in _ALONE:
            return level
        # By earlier rules bars were counted from one before the composition's first, whatever its number.
        bar = self.bars.number(beats) if self.plan.rules > 5 else self.bars.index(beats) + 1
        kinds = [each.kind for each in self.plan.statements if each.bar <= bar < each.bar + each.length_bars]
        return max([level, *(_NEVER_BELOW.get(kind, 0) for kind in kinds)])

    def players(
        self, beats: float, options: ArrangeOptions, octaves: int, shift: int, layers: Sequence[str]
    ) -> Players:
        """Who voices the chords at a position.  layers: the parts that sound there."""
        section = self.section_of(beats)

        def span(part: str) -> tuple[int, int]:
            own = moved_range(options.parts[part], octaves)
            under = self._placed(options.parts[part], part, section, layers)
            return own if under is None else (under[0] + 12 * octaves, under[1] + 12 * octaves)

        pad = span("pad")
        role = self.ensemble.parts.get("pad")
        voices = 3 if role is None else role.voices - (role.shares if "arp" in layers else 0)
        if role is not None and role.under is not None and "melody" in section.layers:
            voices = min(voices, UNDER_VOICES)
        # Dread and wonder lie low and high; how far, the ensemble's range says.
        middle = (pad[0] + pad[1]) / 2
        centre = min(max(middle + 0.5 * (section.centre - 60), pad[0] + 7), pad[1] - 7)
        return Players(
            pad=pad, arp=span("arp"), bass=span("bass"), voices=voices,
            strict=self.ensemble.strict, centre=centre, key=section.key.transpose(shift),
            has_bass=options.part("bass") is not None and "bass" in layers,
            rub=RUB * _RUBS.get(self.plan.rules, 6),
            apart=_APART if self.plan.rules > 2 and self.holds_chords(layers) else 0.0,
            clear=self.plan.rules > 3 and self.holds_chords(layers),
            room=_ROOM if self.plan.rules > 3 and self.holds_chords(layers) and "arp" in layers else 0.0,
            open_chords=self.plan.rules > 3 and self.ensemble.parts["arp"].style == "broken",
            drone=self.plan.rules > 3 and self.ensemble.bass == "pedal",
        )  # fmt: skip

    def holds_chords(self, layers: Sequence[str]) -> bool:
        """Whether a pad holds its chords where these parts sound."""
        return "pad" in layers and self.ensemble.parts["pad"].style in HELD

    def _placed(
        self, options: PartOptions, part: str, section: SectionPlan, layers: Sequence[str]
    ) -> tuple[int, int] | None:
        """The range of a part under the tune, in a section that has it, or beside a pad or a figure that sounds with
        it; None elsewhere, and where the range is the composer's own."""
        role = self.ensemble.parts.get(part)
        if role is None or (options.low, options.high) != (role.low, max(role.high, role.low + 18)):
            return None
        with_tune, both = "melody" in section.layers, "pad" in layers and "arp" in layers
        beside = (role.between if with_tune else role.beside) if both else None
        return beside or (role.under if with_tune else None)

    def loudness(self, beats: float, place: float) -> float:
        """Where a position lies between softest and loudest: mostly as the film has it there, else as the form; softer
        with the light where the picture fades."""
        return self.light(beats) * self._loudness(beats, place)

    def light(self, beats: float) -> float:
        """1, falling to 0 where the picture fades to black, until there is one again."""
        for begin, dark, until in self._fades:
            if begin <= beats < until:
                return max(1 - (beats - begin) / max(dark - begin, _EPSILON), 0.0)
        return 1.0

    def _loudness(self, beats: float, place: float) -> float:
        return FOLLOWED * place + (1 - FOLLOWED) * self.section_of(beats).intensity / 4

    def controllers(self, part: str, beats: float, place: float, wanted: Mapping[int, int]) -> dict[int, int]:
        """The controllers of a part: those that shape its instrument.  wanted: 1 and 11 as the options have them."""
        role = self.ensemble.parts.get(part)
        found: dict[int, int] = {}
        if role is None:
            return found
        for number in role.cc:
            if number == 11 and 11 in wanted:
                found[11] = controller_value(self._phrase_place(beats), CC11_RANGE)
            elif number != 11 and 1 in wanted:
                found[number] = wanted[1]
        return found

    def _phrase_place(self, beats: float) -> float:
        """CC 11, 0..1: an arch over each four bars, dying away under the last chord of a ring-off."""
        if self._arch[0] != beats:  # each part asks at the same places
            self._arch = beats, self._arch_at(beats)
        return self._arch[1]

    def _arch_at(self, beats: float) -> float:
        number = self.section_at(beats)
        length = 4 * (self.bars.next(beats) - self.bars.start(beats))
        into = ((beats - self.starts[number]) % length) / length
        arch = 0.55 + 0.35 * (into / 0.6 if into <= 0.6 else (1 - into) / 0.4)
        if number == len(self.starts) - 1 and self.plan.ending in ("ring-off", "unresolved"):
            arch *= min(max((self.out - beats) / _FADE_BEATS, 0.1), 1.0)
        return arch * max(self.light(beats), 0.1)

    def _landing(self, composition: Composition, last_s: float) -> float | None:
        """The beat of the last hit, where less than a bar and `LANDING_S` are left after it: the cue lands there."""
        hits = [hit.time_s for hit in composition.hits if hit.time_s <= last_s]
        hits += [hit.time_s for cue in composition.cues for hit in cue.hits if hit.time_s <= last_s]
        first_s = self.plan.sections[-1].start_s
        hits = [time_s for time_s in hits if time_s > first_s and last_s - time_s < LANDING_S]
        beats = self.bars.snap(composition.beats_at_picture(max(hits))) if hits else self.out
        return beats if beats < self.out - _EPSILON and self.bars.next(beats) >= self.out - 4.0 else None

    def _ring(self, composition: Composition) -> float | None:
        """The beat of the chord that rings to the end of a cue which ends by ringing off, unresolved or under the next
        scene: that of the last hit, else where its last chord begins, or a later bar line of a long one."""
        if self.plan.ending not in RINGING or not self.plan.sections[-1].layers:
            return None
        bars, first, section = self.bars, self.starts[-1], self.plan.sections[-1]
        if self.landing is not None:
            return self.landing
        # Units as the harmony counts them: what is left over, less than half of one, belongs to the last.
        unit = section.unit_bars * (bars.next(first) - bars.start(first))
        dark_s = self.plan.dark_from_s
        dark = self.out if dark_s is None else bars.start(composition.beats_at_picture(dark_s))
        end = self.out if dark_s is None else min(self.out, max(dark, first) + unit)
        last = first + unit * max(math.floor((end - first) / unit + 0.5) - 1, 0)
        start = bars.snap(last) if self.plan.rules < 3 else max(self.last_unit, first)
        latest = bars.start(composition.tempo_map.beats_at(composition.tempo_map.seconds_at(self.out) - RING_S))
        latest = min(latest, dark)
        return max(start, latest) if start < self.out - 1.0 else None

    def _button(self) -> float | None:
        """Beat of the short last tonic of a cue that ends with a button."""
        if self.plan.ending != "button":
            return None
        if self.landing is not None:
            return self.landing
        place = self.out - 1.0
        line = self.bars.start(place)
        for candidate in (line, line + 2.0):
            if candidate <= place + _EPSILON:
                best = candidate
        return best if best > self.starts[-1] + 2.0 else None

    def is_silent(self, beats: float) -> bool:
        """Before a stop, around a button: nothing begins there."""
        number = self.section_at(beats)
        if not self.plan.sections[number].layers:
            return True
        if self.plan.sections[number].transition == "stop" and beats >= self.ends[number] - 1.0 - _EPSILON:
            return True
        return self.button is not None and self.button - 1.0 - _EPSILON <= beats != self.button

    def stops_at(self, start: float, end: float) -> float:
        """Where a note that would sound from start to end must be over."""
        number = self.section_at(start)
        limit = self.ends[number]
        if self.plan.sections[number].transition == "stop" and number + 1 < len(self.starts):
            limit -= 1.0
        if number == len(self.starts) - 1 and self.button is not None:
            limit = self.button + 1.0 if start >= self.button - _EPSILON else self.button - 1.0
        return min(end, limit)

    def is_held(self, beats: float) -> bool:
        """In the last bar before a stop: all hold what they strike on its bar line, or with its chord, and let go a
        beat before the bar is over."""
        number = self.section_at(beats)
        if self.plan.rules < 5 or self.plan.sections[number].transition != "stop" or number + 1 >= len(self.starts):
            return False
        return beats >= self.bars.start(self.ends[number] - STEP) - _EPSILON

    def tune_between(self, start: float, end: float) -> tuple[TuneNote, ...]:
        """The tune's notes that begin in a span."""
        first = bisect_left(self._tune_starts, start - _EPSILON)
        last = bisect_left(self._tune_starts, end - _EPSILON)
        return self.tune[first:last]

    def tune_before(self, beats: float) -> TuneNote | None:
        """The last note of the tune that begins before a position."""
        index = bisect_left(self._tune_starts, beats - _EPSILON) - 1
        return self.tune[index] if index >= 0 else None

    def tune_after(self, note: TuneNote) -> TuneNote | None:
        """The note of the tune that follows one, where no more than a beat lies between."""
        index = bisect_left(self._tune_starts, note.start_beats + _EPSILON)
        if index >= len(self.tune) or self.tune[index].start_beats > note.start_beats + note.length_beats + 1.0:
            return None
        return self.tune[index]

    def tune_at(self, beats: float) -> TuneNote | None:
        """The note of the tune that sounds at a position."""
        index = bisect_left(self._tune_starts, beats + _EPSILON) - 1
        if index < 0:
            return None
        note = self.tune[index]
        return note if note.start_beats + note.length_beats > beats + _EPSILON else None


def _options_of(options: ArrangeOptions, ensemble: Ensemble) -> ArrangeOptions:
    """The composer's options with the ensemble's ranges and velocities, where he has not set his own."""
    parts = {}
    for part in PARTS:
        own = options.parts.get(part) or _DEFAULTS[part]
        role = ensemble.parts.get(part)
        if role is None:
            parts[part] = replace(own, enabled=False)
            continue
        changes: dict[str, int] = {}
        if part != "drums" and (own.low, own.high) == (_DEFAULTS[part].low, _DEFAULTS[part].high):
            changes |= {"low": role.low, "high": max(role.high, role.low + 18)}
        if (own.velocity_low, own.velocity_high) == (_DEFAULTS[part].velocity_low, _DEFAULTS[part].velocity_high):
            changes |= {"velocity_low": role.velocity[0], "velocity_high": role.velocity[1]}
        parts[part] = replace(own, **changes)  # type: ignore[arg-type]
    return replace(options, parts=parts)


# playing -----------------------------------------------------------------------------------------------------------
def play_planned(cue: PlannedCue, moment: Moment, part: str, options: PartOptions) -> list[Strike]:
    """What a part strikes in a segment."""
    role = cue.ensemble.parts[part]
    style = _STYLES[part].get(role.style)
    scene = moment.scene
    segment = scene.segment
    if style is None or (part == "melody" and not cue.tune):
        return []
    if cue.button is not None and segment.start <= cue.button < segment.end and part != "drums":
        found = list(_tutti(cue, moment, part, options))
    elif part == "melody" and (cue.plan.rules < 3 or cue.ring is None or segment.end <= cue.ring + _EPSILON):
        found = [strike for strike in style(cue, moment, options, role) if not cue.is_silent(strike.start)]
    elif cue.ring is not None and segment.end > cue.ring + _EPSILON:
        found = [strike for strike in style(cue, moment, options, role) if strike.start < cue.ring - _EPSILON]
        if segment.start <= cue.ring + _EPSILON:
            found += _rung(cue, moment, part, options) if part != "melody" else _sung_out(cue, moment, options, role)
    elif part != "melody" and cue.is_held(segment.start):
        found = list(_held_before_stop(cue, moment, part, options, style(cue, moment, options, role)))
    else:
        found = [strike for strike in style(cue, moment, options, role) if not cue.is_silent(strike.start)]
    if part == "arp" and role.style == "broken" and cue.plan.rules > 4 and "bass" in moment.layers:
        found = [_over_bass(strike, scene.voicing.bass) for strike in found]
    result = []
    seen: set[tuple[float, int]] = set()
    for strike in found:
        if (strike.start, strike.pitch) in seen:
            continue
        seen.add((strike.start, strike.pitch))
        if cue.plan.rules > 2 and cue.plan.ending == "bump" and strike.start > cue.out - _LEAST_BUMP:
            continue
        end = cue.stops_at(strike.start, strike.end)
        if cue.ring is not None and strike.start < cue.ring - _EPSILON and (part != "melody" or cue.plan.rules > 2):
            end = min(end, cue.ring)  # the last chord is struck by all
        if cue.overhang and end >= cue.out - _EPSILON and part != "drums":
            end = cue.out + cue.overhang
        if end > strike.start + _EPSILON:
            result.append(Strike(strike.start, end, strike.pitch, _swelled(cue, moment, strike)))
    return result


def _over_bass(strike: Strike, bass: int) -> Strike:
    """A left hand's strike, octaves higher where it would lie under the bass and turn the chord over."""
    return (
        strike if strike.pitch > bass else replace(strike, pitch=strike.pitch + 12 * ((bass - strike.pitch) // 12 + 1))
    )


def _swelled(cue: PlannedCue, moment: Moment, strike: Strike) -> int:
    """Velocity with the section's growth into a louder one."""
    velocity = strike.velocity
    if moment.section.transition in ("crescendo", "roll", "fill"):
        near = 1 - (moment.until - strike.start) / SWELL_BEATS
        if near > 0:
            velocity += round(14 * near)
    return min(max(velocity, 1), 127)


def _rung(cue: PlannedCue, moment: Moment, part: str, options: PartOptions) -> Iterator[Strike]:
    """The last chord by all that play, held to the end."""
    scene, at = moment.scene, cue.ring
    assert at is not None
    pitches = {"pad": scene.voicing.pad, "arp": scene.voicing.arp[:1], "bass": (scene.voicing.bass,)}.get(part, ())
    if part == "arp" and cue.plan.rules > 1 and cue.ensemble.parts["arp"].style in _CHORDAL:
        pitches = scene.voicing.arp[:3]
    if cue.plan.rules > 2:
        pitches = _last_chord(cue, moment, options).get(part, ())
    if part == "arp" and cue.ensemble.parts["arp"].style == "counter" and cue.plan.rules > 5 and len(pitches) == 1:
        pitches = _counter_rest(cue, scene, options) or pitches
    for pitch in pitches:
        yield Strike(at, cue.out, pitch, scene.velocity(options, at))


def _held_before_stop(
    cue: PlannedCue, moment: Moment, part: str, options: PartOptions, own: Iterable[Strike]
) -> Iterator[Strike]:
    """What a part holds in the bar before a stop: its strikes on the bar line, or where the chord changes in the bar;
    a second voice that plays chords has the chord.  own: what it plays there otherwise."""
    scene, segment = moment.scene, moment.scene.segment
    place = segment.start
    if place > max(segment.run_start, scene.bars.start(place)) + _EPSILON or cue.is_silent(place):
        return
    if part == "arp" and cue.ensemble.parts["arp"].style in _CHORDAL:
        pitches = scene.voicing.arp[:3]
    elif part == "drums":
        yield from (strike for strike in own if strike.start <= place + _EPSILON)
        return
    else:
        pitches = tuple(dict.fromkeys(strike.pitch for strike in own if strike.start <= place + _EPSILON))
    for pitch in pitches:
        yield Strike(place, segment.run_end, pitch, scene.velocity(options, place))


def _sung_out(cue: PlannedCue, moment: Moment, options: PartOptions, role: PartRole) -> Iterator[Strike]:
    """What the tune sounds over the last chord, where it has sounded within the two bars before: its rest."""
    scene, ring = moment.scene, cue.ring
    assert ring is not None
    line = scene.bars.start(ring)
    before = cue.tune_before(ring)
    if before is not None and before.start_beats + before.length_beats < ring - 2 * (scene.bars.next(ring) - line):
        before = None
    after = cue.tune_between(ring, cue.out)
    if before is None and not after:
        return
    pads = scene.voicing.pad if "pad" in moment.layers else ()
    shift = scene.options.transpose

    def sung(note: TuneNote) -> Sung:
        tone = altered(note.pitch + shift, scene.chord, moment.key)
        return Sung(note.start_beats, note.start_beats + note.length_beats, _fit(tone, options))

    rest = rest_of_tune(
        None if before is None else sung(before), [sung(note) for note in after], ring, cue.out, scene.chord,
        max((*pads, scene.voicing.bass)),
    )  # fmt: skip
    statement = (before or after[0]).statement
    for tone in rest:
        yield from _octaves(cue, moment, options, role, tone, statement, scene.velocity(options, tone.start))


def _last_chord(cue: PlannedCue, moment: Moment, options: PartOptions) -> dict[str, tuple[int, ...]]:
    """The pitches of a cue's last chord by part: the second voice has the chord where no pad does, the bass lies clear
    of what is above it."""
    voicing, chord = moment.scene.voicing, moment.scene.chord
    arp = voicing.arp[:1]
    if "pad" not in moment.layers or cue.ensemble.parts["arp"].style in _CHORDAL:
        third = {((chord.root or 0) + step) % 12 for step in chord.intervals() if step in (3, 4)}
        arp = voicing.arp[:3] if third <= {pitch % 12 for pitch in voicing.arp[:3]} else voicing.arp
    above = [pitch for part, each in (("pad", voicing.pad), ("arp", arp)) if part in moment.layers for pitch in each]
    bass = voicing.bass
    if above and min(above) - bass < _CLEAR and bass - 12 >= cue.ensemble.parts["bass"].low:
        bass -= 12
    return {"pad": voicing.pad, "arp": arp, "bass": (bass,)}


_CLEAR: Final = 7  # semitones between the bass and what lies over it in a last chord
_CHORDAL: Final = frozenset({"broken", "pattern"})  # second voices of an instrument that plays chords


def _tutti(cue: PlannedCue, moment: Moment, part: str, options: PartOptions) -> Iterator[Strike]:
    """The short last chord of a button, by all that play."""
    scene, at = moment.scene, cue.button
    assert at is not None
    tonic, middle = moment.key.tonic, (options.low + options.high) // 2
    pitches: Mapping[str, tuple[int, ...]] = {
        "pad": scene.voicing.pad, "arp": scene.voicing.arp[:1], "bass": (scene.voicing.bass,)
    }  # fmt: skip
    if cue.plan.rules > 2:
        pitches = _last_chord(cue, moment, options)
        if scene.chord.root is not None and tonic not in scene.chord.pitch_classes():
            tonic = scene.chord.root
        before = cue.tune_before(at)
        middle = middle if before is None else before.pitch + scene.options.transpose
    for pitch in (_fit(_nearest(tonic, middle), options),) if part == "melody" else pitches[part]:
        yield Strike(at, at + 1.0, pitch, scene.velocity(options, at, 8))


def _nearest(pitch_class: int, middle: int) -> int:
    return middle + (pitch_class - middle + 6) % 12 - 6


def _fit(pitch: int, options: PartOptions) -> int:
    """A pitch moved by octaves into a part's range."""
    while pitch < options.low and pitch + 12 <= options.high:
        pitch += 12
    while pitch > options.high and pitch - 12 >= options.low:
        pitch -= 12
    return pitch


def _steps(moment: Moment, every: float) -> Iterator[float]:
    """Places every so many beats of the bar that lie in the segment."""
    segment, bars = moment.scene.segment, moment.scene.bars
    line = bars.start(segment.start)
    count = round((segment.start - line) / every + 0.4999999)
    place = line + count * every
    while place < segment.end - _EPSILON:
        if place >= segment.start - _EPSILON:
            yield place
        nxt = place + every
        line_after = bars.next(place)
        place = line_after if nxt > line_after - _EPSILON else nxt


# pad ---------------------------------------------------------------------------------------------------------------
def _pad_held(cue: PlannedCue, moment: Moment, options: PartOptions, role: PartRole) -> Iterator[Strike]:
    for start, end in moment.holds:
        for pitch in moment.scene.voicing.pad:
            yield Strike(start, end, pitch, moment.scene.velocity(options, start))


def _pad_slow(cue: PlannedCue, moment: Moment, options: PartOptions, role: PartRole) -> Iterator[Strike]:
    """Voices enter one after another, from the lowest, a beat apart; nothing is struck again."""
    for first, end in moment.holds[:1]:
        length = end - first
        least = 4 if cue.plan.rules < 4 else 2  # what is struck again enters one after another too: it is no block
        apart = 1.0 if length >= 8 else 0.5 if length >= least else 0.0
        if cue.plan.rules > 3 and first + 3 * apart > moment.scene.segment.end - STEP:
            apart = 0.0  # what lies beyond the segment is not its own
        for index, pitch in enumerate(moment.scene.voicing.pad):
            start = first + index * apart
            if start < end - STEP:
                yield Strike(start, end, pitch, moment.scene.velocity(options, first, -2 * index))


def _pad_struck(cue: PlannedCue, moment: Moment, options: PartOptions, role: PartRole) -> Iterator[Strike]:
    """Chords of the right hand: with each chord, at intensity 3 and more on the half bar; two voices under a tune."""
    segment = moment.scene.segment
    voices = moment.scene.voicing.pad
    note = cue.tune_at(segment.start)
    if cue.plan.rules > 5:
        voices = _in_hand(cue, moment)
    elif note is not None and not moment.scene.voicing.played:
        # One hand has both: what lies under the tune within a tenth of it.
        voices = tuple(pitch for pitch in voices if note.pitch - 14 <= pitch < note.pitch - 2)[-2:]
    every = 2.0 if moment.section.intensity >= 3 else 4.0
    for place in _steps(moment, every):
        until = min(place + every, segment.run_end)
        for pitch in voices:
            yield Strike(place, until, pitch, moment.scene.velocity(options, place))
    if segment.pad_until is not None and segment.start not in set(_steps(moment, every)):
        for pitch in voices:
            yield Strike(
                segment.start,
                min(segment.pad_until, segment.start + every),
                pitch,
                moment.scene.velocity(options, segment.start),
            )


def _in_hand(cue: PlannedCue, moment: Moment) -> tuple[int, ...]:
    """What a right hand has of a chord beside the tune: two voices that lie under all of its tones in the bar and
    within a tenth of them, or none; a single one would be a tone without a reason."""
    scene, voices = moment.scene, moment.scene.voicing.pad
    line = scene.bars.start(scene.segment.start)
    notes = (cue.tune_at(line), *cue.tune_between(line, scene.bars.next(line)))
    sung = [note.pitch + scene.options.transpose for note in notes if note is not None]
    if not sung or scene.voicing.played:
        return voices
    voices = tuple(pitch for pitch in voices if max(sung) - 14 <= pitch < min(sung) - 2)[-2:]
    return voices if len(voices) > 1 else ()


# second voice ------------------------------------------------------------------------------------------------------
def _arp_pattern(cue: PlannedCue, moment: Moment, options: PartOptions, role: PartRole) -> Iterator[Strike]:
    scene = replace(moment.scene, level=moment.pace + 1)
    if moment.plan.rules > 3 and moment.section.mood not in _WILD:
        scene = replace(scene, level=min(scene.level, _CALMEST_SIXTEENTHS - 1))
    for strike in playing.play_arp(scene, options):
        yield replace(strike, pitch=_clear_of_pad(cue, moment, strike.pitch))


def _clear_of_pad(cue: PlannedCue, moment: Moment, pitch: int) -> int:
    """A pitch of a figure, or the nearest of its own tones where the pad holds that pitch or a step beside it."""
    tones, pad = moment.scene.voicing.arp, moment.scene.voicing.pad
    doubled = _not_doubled(cue, moment)
    if moment.plan.rules < 4 or not cue.holds_chords(moment.layers) or not (pitch in doubled or is_beside(pitch, pad)):
        return pitch
    clear = [tone for tone in tones if tone not in doubled and not is_beside(tone, pad)]
    return min(clear, key=lambda tone: (abs(tone - pitch), tone), default=pitch)


def _not_doubled(cue: PlannedCue, moment: Moment) -> tuple[int, ...]:
    """The pitches of the pad that a figure leaves to it: all, where it has three others; two go to and fro."""
    tones, pad = moment.scene.voicing.arp, moment.scene.voicing.pad
    if moment.plan.rules < 4 or not cue.holds_chords(moment.layers):
        return ()
    return pad if len({tone for tone in tones if tone not in pad and not is_beside(tone, pad)}) > 2 else ()


Figures = Sequence[Sequence[int]]
_BROKEN: Final = {  # orders of tones 1..4 of the left hand, 5 = tone 1 an octave up; by how busy it is
    0: (1, 3),
    1: (1, 3, 4, 3),
    2: (1, 3, 4, 3, 5, 3, 4, 3),
}


def _busy(moment: Moment) -> int:
    """0..2 how busy an accompaniment is."""
    return (0, 0, 1, 2, 2)[moment.pace]


def _drive(moment: Moment) -> int:
    """0..4 how much goes on, see `PlannedCue.drive`."""
    return moment.scene.level - 1


_DOUBLED: Final = 1.3  # notes asked for in the time of one, from which it is a double one
_DOUBLED_BEFORE: Final = 1.15  # the same by earlier rules, by which the next division had fewer notes
_RATES: Final = (0.5, 1.0, 2.0, 3.2, 5.0)  # notes a second that a moving accompaniment plays where so much goes on


def _every(moment: Moment, least: float = 0.25) -> float:
    """Beats from note to note of a moving accompaniment: the division of the beat nearest to its notes a second.

    Sixteenths belong to what is wild.
    """
    calm = moment.section.mood not in _WILD
    if moment.plan.rules > 1 and calm and (moment.bpm > _SLOW_BPM or moment.plan.rules > 2):
        least = max(least, 0.5)
    wanted = math.log(_RATES[moment.pace] / (moment.bpm / 60))
    return min((2.0, 1.0, 0.5, 0.25), key=lambda every: abs(-math.log(max(every, least)) - wanted))


def _thick(moment: Moment, every: float) -> tuple[bool, bool]:
    """Whether a figure is played in double notes, (on beats, between them): where as much goes on as the division of
    the beat that its notes keep to cannot say."""
    if moment.plan.rules == 1:
        return False, False
    short = _RATES[_drive(moment)] * 60 / moment.bpm * every  # notes asked for in the time of one
    return short > (_DOUBLED_BEFORE if moment.plan.rules < 6 else _DOUBLED), short > 1.6


def _doubled(tones: tuple[int, ...], tone: int, high: int) -> int:
    """The second note of a double one: the chord tone next but one, else next below."""
    pitch = playing.tone_pitch(tones, tone, high)
    other = playing.tone_pitch(tones, tone + 2 if tone < 3 else tone - 2, high)
    return other if other != pitch else playing.tone_pitch(tones, tone + 1, high)


def _figure_tone(cue: PlannedCue, moment: Moment, tone: int, high: int) -> int:
    """A tone of a figure, or the nearest of the chord that lies no step beside what the pad holds."""
    tones, pad = moment.scene.voicing.arp, moment.scene.voicing.pad
    pitch = playing.tone_pitch(tones, tone, high)
    doubles = pitch in _not_doubled(cue, moment)
    if moment.plan.rules < 3 or not cue.holds_chords(moment.layers) or not (doubles or is_beside(pitch, pad)):
        return pitch
    clear = [found for found in (playing.tone_pitch(tones, n, high) for n in range(1, 6)) if not is_beside(found, pad)]
    return min(clear, key=lambda found: (found in pad, abs(found - pitch), found), default=pitch)


def _figure_second(cue: PlannedCue, moment: Moment, tone: int, pitch: int, high: int) -> int | None:
    """The second note of a double one: the chord tone above, a third away at least, or below; None where neither is
    clear of what the pad holds."""
    tones, pad = moment.scene.voicing.arp, moment.scene.voicing.pad
    if moment.plan.rules < 3:
        return _doubled(tones, tone, high)
    held = pad if cue.holds_chords(moment.layers) else ()
    if moment.plan.rules < 4:
        found = [playing.tone_pitch(tones, n, high) for n in (tone + 1, tone + 2, tone - 1, tone - 2) if n >= 1]
        return next((other for other in found if abs(other - pitch) >= 3 and not is_beside(other, held)), None)
    if pitch != playing.tone_pitch(tones, tone, high):
        return None  # it stands for a tone of the pad's: what goes with that one has been played with another
    seconds = _SECONDS if len(set(tones)) > 3 else _SECONDS_OF_THREE
    found = [playing.tone_pitch(tones, n, high) for n in seconds[tone]]
    doubled = _not_doubled(cue, moment)
    clear = (other for other in found if other not in doubled and not is_beside(other, held))
    return next((other for other in clear if 3 <= abs(other - pitch) % 12 <= 9 or abs(other - pitch) == 12), None)


# What sounds with each tone of a figure where it is played in double notes, best first: sixths and fifths where four
# tones of a triad lie in a row, and not the same two twice in a row.
_SECONDS: Final[Mapping[int, tuple[int, ...]]] = {1: (3, 4, 2), 2: (4, 1, 3), 3: (1, 4, 2), 4: (3, 1, 2), 5: (3, 4, 2)}
_SECONDS_OF_THREE: Final[Mapping[int, tuple[int, ...]]] = {1: (3, 2), 2: (3, 1), 3: (2, 1), 4: (3, 2), 5: (3, 2)}


def _figure_draw(cue: PlannedCue, moment: Moment, count: int) -> int:
    """Which of so many figures a letter has in this take."""
    return int(count * noise(cue.plan.seed, moment.scene.seed, "figure", moment.section.letter))


# What goes through three tones at least in half a bar: where four lie in a row, and where three do.
_LEFT_HAND: Final = ((1, 3, 4, 3, 2, 3, 4, 3), (1, 2, 3, 4, 2, 4, 3, 2), (1, 4, 3, 2, 1, 3, 4, 2))
_LEFT_HAND_OF_THREE: Final = ((1, 2, 3, 2, 1, 3, 2, 3), (1, 3, 2, 3, 1, 2, 3, 2), (1, 2, 3, 1, 3, 2, 1, 2))


_FURTHER: Final = 7  # semitones that a figure goes over its chord's tones where these are too few


def _figure_tones(cue: PlannedCue, moment: Moment, options: PartOptions) -> list[int]:
    """The pitches that a figure goes through, from the lowest up: its own where there are three, else the pad's too,
    and octaves; none lies a step beside what the pad holds, or under the chord's lowest where that is its own."""
    arp, low = moment.scene.voicing.arp, 0
    pad = moment.scene.voicing.pad if cue.holds_chords(moment.layers) else ()
    if not pad and "bass" not in moment.layers:
        low = min((pitch for pitch in arp if pitch % 12 == moment.scene.chord.bass_pitch_class), default=min(arp))
    own = {playing.tone_pitch(arp, tone, options.high) for tone in range(1, 6)}
    high = min(max(arp) + _FURTHER, options.high)
    octaves = {pitch + side for pitch in arp for side in (-12, 12) if min(arp) < pitch + side <= high}
    found: set[int] = set()
    for more in (own - set(_not_doubled(cue, moment)), own, octaves):
        if len(found) < 3:
            found |= {pitch for pitch in more if pitch >= low and not is_beside(pitch, pad)}
    return sorted(found or own)


def _figured(
    cue: PlannedCue, moment: Moment, options: PartOptions, figures: Figures, of_three: Figures, left_hand: bool
) -> Iterator[Strike]:
    """A figure in single or double notes, another way round in every other bar of a chord.  left_hand: it leaves the
    first tone of a chord to the bass where that plays."""
    scene, every = moment.scene, _every(moment)
    tones, thick = _figure_tones(cue, moment, options), _thick(moment, every)
    row = figures if len(tones) > 3 else of_three
    order = row[_figure_draw(cue, moment, len(row))] if len(tones) > 2 else (1, 2)
    over_bass, soft = left_hand and "bass" in moment.layers, -4 if left_hand else -3
    first = order.index(max(order)) if over_bass and every >= 1.0 else 0
    bar = scene.bars.index(scene.segment.start) - scene.bars.index(scene.segment.run_start)
    for place in _steps(moment, every):
        if over_bass and every < 1.0 and abs(place - scene.segment.run_start) < _EPSILON:
            continue
        beat = place - scene.bars.start(place)
        index = round(beat / every) + first + 2 * (bar % 2)
        pitch = tones[(order[index % len(order)] - 1) % len(tones)]
        yield Strike(place, place + every, pitch, scene.velocity(options, place, soft))
        above = [each for each in tones if 3 <= each - pitch <= 9 or each - pitch == 12][:2]
        second = above[-1] if above and thick[beat % 1.0 > 0] else None
        if second is not None:
            yield Strike(place, place + every, second, scene.velocity(options, place, soft - 4))


def _arp_broken(cue: PlannedCue, moment: Moment, options: PartOptions, role: PartRole) -> Iterator[Strike]:
    """The left hand: broken chords from the root up, slower in still sections; the first tone is the bass's where it
    plays."""
    if moment.plan.rules > 5:
        yield from _figured(cue, moment, options, _LEFT_HAND, _LEFT_HAND_OF_THREE, left_hand=True)
        return
    scene = moment.scene
    busy = _busy(moment)
    variants = (_BROKEN[busy], _BROKEN[busy][::-1] if busy else (1, 4), (1, 2, 3, 4) if busy else (1, 2))
    order = variants[_figure_draw(cue, moment, 3)]
    every = _every(moment)
    thick = _thick(moment, every)
    has_bass = "bass" in (moment.section.layers if moment.plan.rules == 1 else moment.layers)
    for place in _steps(moment, every):
        index = round((place - scene.bars.start(place)) / every)
        at_first = has_bass and abs(place - scene.segment.run_start) < _EPSILON
        if at_first and (every < 1.0 or moment.plan.rules == 1):
            continue
        tone = max(order) if at_first else order[index % len(order)]  # slow figures begin with the chord, over its root
        if has_bass and every >= 1.0 and moment.plan.rules > 4:  # and go on from there, not with the same tone again
            tone = order[(index + order.index(max(order))) % len(order)]
        pitch = _figure_tone(cue, moment, tone, options.high)
        yield Strike(place, place + every, pitch, scene.velocity(options, place, -4))
        second = _figure_second(cue, moment, tone, pitch, options.high) if thick[index * every % 1.0 > 0] else None
        if second is not None:
            yield Strike(place, place + every, second, scene.velocity(options, place, -8))


_FIGURES_FIRST: Final[tuple[tuple[int, ...], ...]] = ((1, 2, 3, 2), (2, 2, 3, 3), (3, 2, 1, 2), (1, 3, 2, 3))
_FIGURES: Final[tuple[tuple[int, ...], ...]] = (  # of a bar: what goes to and fro between two tones goes nowhere
    (1, 2, 3, 2, 4, 2, 3, 2),
    (1, 3, 2, 3, 4, 3, 2, 3),
    (3, 2, 1, 2, 4, 2, 1, 2),
    (1, 2, 3, 4, 3, 2, 4, 2),
)


_FIGURES_OF_THREE: Final[tuple[tuple[int, ...], ...]] = (
    (1, 2, 3, 2, 1, 2, 3, 2),
    (1, 3, 2, 3, 1, 3, 2, 3),
    (3, 2, 1, 2, 3, 2, 1, 2),
    (1, 2, 3, 1, 2, 3, 1, 3),
)


def _arp_eighths(cue: PlannedCue, moment: Moment, options: PartOptions, role: PartRole) -> Iterator[Strike]:
    """Inner strings or winds: repeated or rocking chord tones."""
    if moment.plan.rules > 5:
        yield from _figured(cue, moment, options, _FIGURES, _FIGURES_OF_THREE, left_hand=False)
        return
    scene = moment.scene
    every = _every(moment)
    figures = _FIGURES_FIRST if cue.plan.rules < 3 else _FIGURES
    if cue.plan.rules > 3 and len(set(scene.voicing.arp)) < 4:
        figures = _FIGURES_OF_THREE
    order = figures[_figure_draw(cue, moment, len(figures))]
    if every == 0.25 and cue.plan.rules == 1:
        order = tuple(tone for tone in order for _ in (0, 1))
    elif every == 0.25 and cue.plan.rules == 2:
        order = (1, 3, 2, 3) if order == (2, 2, 3, 3) else order  # no stammer
    thick = _thick(moment, every)
    for place in _steps(moment, every):
        index = round((place - scene.bars.start(place)) / every)
        tone = order[index % len(order)]
        pitch = _figure_tone(cue, moment, tone, options.high)
        yield Strike(place, place + every, pitch, scene.velocity(options, place, -3))
        second = _figure_second(cue, moment, tone, pitch, options.high) if thick[index * every % 1.0 > 0] else None
        if second is not None:
            yield Strike(place, place + every, second, scene.velocity(options, place, -7))


def _arp_sparse(cue: PlannedCue, moment: Moment, options: PartOptions, role: PartRole) -> Iterator[Strike]:
    """Single high tones here and there, the more of them the more goes on."""
    scene = moment.scene
    every, share = (2.0, 0.65) if moment.plan.rules < 3 else _SPARSE[_drive(moment)]
    for place in _steps(moment, every):
        index = round((place - scene.bars.first_line) / every)
        if moment.plan.rules < 5:
            draw = noise(cue.plan.seed, scene.seed, "sparse", moment.section.letter, index % 8)
        else:  # spread evenly, so that as many sound as are asked for
            draw = (noise(cue.plan.seed, scene.seed, "sparse", moment.section.letter) + index * _GOLDEN) % 1.0
        if draw < share:
            pitch = scene.voicing.arp[int(draw / share * 4) % 4]
            end = place + 2.0 if moment.plan.rules < 4 else min(place + 2.0, scene.segment.end)  # struck again there
            yield Strike(place, end, _fit(pitch, options), scene.velocity(options, place, -2))


_GOLDEN: Final = (math.sqrt(5) - 1) / 2
_SPARSE: Final = ((4.0, 0.45), (2.0, 0.45), (2.0, 0.7), (1.0, 0.6), (1.0, 0.9))  # beats apart, share that sounds


def _arp_sixteenths(cue: PlannedCue, moment: Moment, options: PartOptions, role: PartRole) -> Iterator[Strike]:
    """A riff on the root and what lies around it, accents 3+3+2."""
    scene = moment.scene
    root = (
        scene.voicing.arp[0] if scene.chord.root is None else _fit(_nearest(scene.chord.root, options.low + 5), options)
    )
    every = min(_every(moment), 1.0)
    figures = ((0, 0, 7, 0, 0, 12, 7, 0), (0, 7, 0, 0, 10, 0, 7, 0), (0, 0, 0, 7, 0, 0, 5, 7))
    order = figures[_figure_draw(cue, moment, len(figures))]
    tones = {step % 12 for step in scene.chord.intervals()}
    for place in _steps(moment, every):
        index = round((place - scene.bars.start(place)) / every)
        step = order[index % len(order)]
        if step % 12 not in tones and step % 12 not in (0, 7):
            step = 0
        accent = index % 8 in (0, 3, 6)
        yield Strike(
            place, place + every, _fit(root + step, options), scene.velocity(options, place, 8 if accent else -8)
        )


def _arp_ostinato(cue: PlannedCue, moment: Moment, options: PartOptions, role: PartRole) -> Iterator[Strike]:
    """The palette's figure on degrees of the key, unchanged through all chords; else one on the chord."""
    scene = moment.scene
    every = min(_every(moment), 0.5 if moment.section.ostinato else 1.0)
    if moment.section.ostinato:
        order = [degree_semitones(word) for word in moment.section.ostinato.split()]
        base = _fit(_nearest(moment.key.tonic, (options.low + options.high) // 2 - 4), options)
        pitches = [_fit(base + step, options) for step in order]
    else:
        figures = ((1, 3, 2, 3), (1, 2, 4, 2), (3, 1, 2, 1))
        figure = figures[_figure_draw(cue, moment, len(figures))]
        pitches = [playing.tone_pitch(scene.voicing.arp, tone, options.high) for tone in figure]
    for place in _steps(moment, every):
        index = round((place - scene.bars.start(place)) / every)
        yield Strike(place, place + every, pitches[index % len(pitches)], scene.velocity(options, place, -2))


def degree_semitones(word: str) -> int:
    """Semitones above the tonic of a degree of the major scale: `5` 7, `b6` 8."""
    steps = (0, 2, 4, 5, 7, 9, 11)
    return steps[int(word[-1]) - 1] + {"b": -1, "#": 1}.get(word[0], 0)


def _arp_off_beats(cue: PlannedCue, moment: Moment, options: PartOptions, role: PartRole) -> Iterator[Strike]:
    """Two chord tones, short, after each beat of the bass."""
    scene = moment.scene
    for place in _steps(moment, 1.0):
        index = round(place - scene.bars.start(place))
        if index % 2 == 1:
            for pitch in scene.voicing.arp[1:3]:
                yield Strike(place, place + 0.5, _fit(pitch, options), scene.velocity(options, place, -4))


def _arp_counter(cue: PlannedCue, moment: Moment, options: PartOptions, role: PartRole) -> Iterator[Strike]:
    """A second line: a guide tone of the chord, which moves by step while the tune holds; silent at the first statement
    of the theme until its second half, by earlier rules all through; without a tune it sings alone in longer notes."""
    scene = moment.scene
    segment = scene.segment
    if cue.plan.rules > 5:
        under = _line_bar(cue, moment, options)
        if under is not None:
            yield from _under_tune(cue, moment, options, under)
            return
    note = cue.tune_at(segment.start)
    if note is not None and cue.is_first_said(note, segment.start):
        return
    ceiling = options.high if note is None else note.pitch - 3
    scale = {altered(tone, scene.chord, moment.key) % 12 for tone in moment.key.scale()}
    guides = sorted(
        pitch for pitch in range(options.low, min(options.high, ceiling) + 1) if pitch % 12 in _guides(scene.chord)
    )
    if not guides:
        return
    middle = (options.low + min(options.high, ceiling)) / 2
    held = scene.voicing.pad if cue.plan.rules > 3 and cue.holds_chords(moment.layers) else ()
    here = min(guides, key=lambda pitch: (pitch in held, abs(pitch - middle), pitch))
    ladder = [pitch for pitch in range(options.low, min(options.high, ceiling) + 1) if pitch % 12 in scale]
    if here not in ladder:
        ladder = sorted({*ladder, here})
    phrase = _COUNTER[_figure_draw(cue, moment, len(_COUNTER))]
    slow = note is None and _busy(moment) == 0
    for place in _steps(moment, 1.0):
        tune = cue.tune_at(place)
        begins = abs(place - segment.run_start) < _EPSILON
        holds = tune is None or (tune.length_beats >= 2 and tune.start_beats < place - _EPSILON)
        if not (holds or begins):
            continue
        bar = scene.bars.index(place) - scene.bars.index(segment.run_start)
        beat = round(place - scene.bars.start(place))
        written = phrase[bar % len(phrase)]
        steps = dict(written[:1] if slow else written).get(beat)
        if begins:
            steps = 0  # a chord begins on its own tone
        if steps is None:
            continue
        later = [at for at, _ in written if at > beat] if not slow else []
        length = (min(later) if later else scene.bars.next(place) - scene.bars.start(place)) - beat
        index = min(max(ladder.index(here) + steps, 0), len(ladder) - 1)
        pitch = ladder[index]
        strong = beat % 2 == 0 or length >= 2.0
        if cue.plan.rules > 1 and strong and "pad" in moment.section.layers and _grinds(pitch, scene.voicing.pad):
            pitch = _beside_chord(pitch, scene.chord)
        elif length >= 2.0:  # long enough to grind against what is held
            pitch = _without_rub(pitch, None, scene.chord, moment.key)
        yield Strike(place, place + length, pitch, scene.velocity(options, place, -4))


def _line_bar(cue: PlannedCue, moment: Moment, options: PartOptions) -> LineBar | None:
    """What a second line goes by in the bar of a segment, as much of it as has its chord; None without a tune."""
    scene, segment = moment.scene, moment.scene.segment
    line = scene.bars.start(segment.start)
    start, end = max(line, segment.run_start), min(scene.bars.next(segment.start), segment.run_end)
    before = cue.tune_at(start)
    notes = cue.tune_between(start, end)
    if before is not None and before not in notes:
        notes = (before, *notes)
    if not notes:
        return None
    lift = scene.options.transpose
    stated = [each.pitch for each in cue.tune if each.statement == notes[0].statement]
    chord = scene.chord
    return LineBar(
        start, end, line, chord,
        frozenset(altered(tone, chord, moment.key) % 12 for tone in moment.key.scale()),
        frozenset() if chord.root is None else frozenset(_guides(chord)),
        (options.low, options.high),
        scene.voicing.pad if cue.holds_chords(moment.layers) else (),
        tuple(replace(each, pitch=each.pitch + lift) for each in notes),
        sum(stated) / len(stated) + lift,
        max(scene.bars.index(start) - scene.bars.index(moment.starts), 0),
        _COUNTER[_figure_draw(cue, moment, len(_COUNTER))],
    )  # fmt: skip


def _under_tune(cue: PlannedCue, moment: Moment, options: PartOptions, bar: LineBar) -> Iterator[Strike]:
    """What a segment has of a second line under the tune."""
    segment = moment.scene.segment
    if bar.chord.root is None or cue.is_first_said(bar.tune[0], bar.start):
        return
    for start, end, pitch in second_line(bar):
        if segment.start - _EPSILON <= start < segment.end - _EPSILON:
            yield Strike(start, end, pitch, moment.scene.velocity(options, start, -4))


def _counter_rest(cue: PlannedCue, scene: Scene, options: PartOptions) -> tuple[int, ...]:
    """What a second line comes to rest on under the tune's last tone: the chord's third; () where there is no room."""
    assert cue.ring is not None
    note, chord = cue.tune_before(cue.ring), scene.chord
    third = next((step for step in chord.intervals() if step in (3, 4)), None)
    if note is None or chord.root is None or third is None:
        return ()
    sung = note.pitch + scene.options.transpose
    found = range(options.low + (chord.root + third - options.low) % 12, min(options.high, sung - CLEAR) + 1, 12)
    return (min(found, key=lambda pitch: abs(pitch - sung + SIXTH)),) if found else ()


def _grinds(pitch: int, held: Sequence[int]) -> bool:
    """Whether a pitch stands a semitone from one that is held, in its octave."""
    return any(abs(pitch - each) == 1 for each in held)


def _beside_chord(pitch: int, chord: Chord) -> int:
    """A tone a semitone from one of the chord's, on either side, moved onto it: that one is held."""
    own = chord.pitch_classes()
    if pitch % 12 in own:
        return pitch
    return next((pitch + side for side in (-1, 1) if (pitch + side) % 12 in own), pitch)


# A second line over four bars of one chord: (beat, steps of the scale from the chord's own tone) in each bar; the last
# bar breathes.  It goes somewhere, turns, and comes back.
_COUNTER: Final = (
    (((0, 0), (2, 1), (3, 2)), ((0, 4), (2, 3)), ((0, 2), (1, 1), (2, 2)), ((0, 0),)),
    (((0, 0), (1, -1), (2, -2)), ((0, 1), (3, 2)), ((0, 3), (2, 1)), ((1, 0),)),
    (((0, 0), (2, 2)), ((0, 3), (1, 2), (3, 1)), ((0, -1), (2, 1)), ((0, 0),)),
)


def _guides(chord: Chord) -> set[int]:
    """Third and seventh, or what stands for them."""
    assert chord.root is not None
    steps = [step for step in chord.intervals() if step % 12 in (2, 3, 4, 5, 9, 10, 11)] or [0, 7]
    return {(chord.root + step) % 12 for step in steps[:2]}


# bass --------------------------------------------------------------------------------------------------------------
def _bass_levels(cue: PlannedCue, moment: Moment, options: PartOptions, role: PartRole) -> Iterator[Strike]:
    return playing.play_bass(moment.scene, options)


def _bass_held(cue: PlannedCue, moment: Moment, options: PartOptions, role: PartRole) -> Iterator[Strike]:
    """The bass note as long as the pad's chord, in octaves where the section is loud; a walk where it leads on."""
    scene = moment.scene
    root = scene.voicing.bass
    walk = list(_walk(moment, options, root))
    starts = _walk_from(moment, root, options)
    for first, end in moment.holds:
        until = end if starts is None or first >= starts else min(end, starts)
        yield Strike(first, until, root, scene.velocity(options, first))
        if moment.section.intensity >= role.octave and root - 12 >= 28:
            yield Strike(first, until, root - 12, scene.velocity(options, first, -4))
    yield from walk


def _walk_from(moment: Moment, root: int, options: PartOptions) -> float | None:
    """Where the bass begins to walk to the next section's chord: two beats before it; None where it does not."""
    segment = moment.scene.segment
    target = moment.scene.next_bass
    if moment.section.transition != "bass walk" or target is None or abs(segment.run_end - moment.until) > _EPSILON:
        return None
    if (target - root) % 12 in (0, 1, 2, 10, 11) or moment.until - segment.run_start < 4:
        return None
    return moment.until - 2.0


def _walk(moment: Moment, options: PartOptions, root: int) -> Iterator[Strike]:
    """Two steps of the scale between this bass note and the next section's."""
    starts = _walk_from(moment, root, options)
    segment = moment.scene.segment
    target = moment.scene.next_bass
    if starts is None or target is None:
        return
    goal = min(
        (p for p in range(options.low, options.high + 1) if p % 12 == target),
        key=lambda p: (abs(p - root), p),
        default=root,
    )
    side = -1 if goal > root else 1
    scale = [p for p in range(options.low, options.high + 1) if p % 12 in moment.key.scale()]
    approach = [p for p in scale if 0 < (p - goal) * side <= 4]
    approach.sort(key=lambda p: -abs(p - goal))
    for index, pitch in enumerate(approach[-2:]):
        place = starts + index
        if segment.start - _EPSILON <= place < segment.end - _EPSILON:
            yield Strike(place, place + 1.0, pitch, moment.scene.velocity(options, place, -2))


def _bass_octaves(cue: PlannedCue, moment: Moment, options: PartOptions, role: PartRole) -> Iterator[Strike]:
    scene = moment.scene
    every = 4.0 if moment.pace == 0 else _every(moment, 0.5)
    for place in _steps(moment, every):
        yield Strike(place, place + every, scene.voicing.bass, scene.velocity(options, place))
        if moment.section.intensity >= role.octave and scene.voicing.bass + 12 <= options.high + 12:
            yield Strike(place, place + every, scene.voicing.bass + 12, scene.velocity(options, place, -6))


def _bass_one_five(cue: PlannedCue, moment: Moment, options: PartOptions, role: PartRole) -> Iterator[Strike]:
    scene = moment.scene
    root = scene.voicing.bass
    fifth = next((step for step in scene.chord.intervals() if step in (6, 7, 8)), 7)
    for place in _steps(moment, 2.0):
        index = round((place - scene.bars.start(place)) / 2.0)
        pitch = root if index % 2 == 0 or scene.chord.bass is not None else _fit(root + fifth - 12, options)
        yield Strike(place, place + 0.75, pitch, scene.velocity(options, place))


def _bass_pulsed(cue: PlannedCue, moment: Moment, options: PartOptions, role: PartRole) -> Iterator[Strike]:
    scene = moment.scene
    every = _every(moment, 0.5)
    for place in _steps(moment, every):
        yield Strike(
            place, place + every, scene.voicing.bass, scene.velocity(options, place, 0 if place % 1 == 0 else -6)
        )


# melody ------------------------------------------------------------------------------------------------------------
def _melody(cue: PlannedCue, moment: Moment, options: PartOptions, role: PartRole) -> Iterator[Strike]:
    """The theme's notes that begin here, whole: they tie over bars and chords."""
    scene, segment = moment.scene, moment.scene.segment
    for note in cue.tune_between(segment.start, segment.end):
        tone = altered(note.pitch, scene.chord, moment.section.key)
        if note.length_beats >= LEAST_RUB:
            tone = _without_rub(tone, cue.tune_after(note), scene.chord, moment.section.key)
        pitch = _fit(tone + scene.options.transpose, options)
        velocity = scene.velocity(options, note.start_beats, _phrase(cue, note))
        tone_ = Sung(note.start_beats, note.start_beats + note.length_beats, pitch)
        yield from _octaves(cue, moment, options, role, tone_, note.statement, velocity)


# size: a tone of the tune with all that says how it is played.
def _octaves(
    cue: PlannedCue, moment: Moment, options: PartOptions, role: PartRole, tone: Sung, statement: int, velocity: int
) -> Iterator[Strike]:
    """A tone of the tune; in octaves where it is loud."""
    yield Strike(tone.start, tone.end, tone.pitch, velocity)
    loud = moment.section.intensity >= role.octave or cue.plan.statements[statement].kind == "full"
    if loud and role.octave < 5 and tone.pitch + 12 <= options.high + 7:
        yield Strike(tone.start, tone.end, tone.pitch + 12, max(velocity - 6, 1))


def altered(pitch: int, chord: Chord, key: Key) -> int:
    """A tone of the tune as the chord has it: where the chord alters that degree of the scale, so does the tune."""
    own = chord.pitch_classes()
    if pitch % 12 in own or pitch % 12 not in key.scale():
        return pitch
    for step in (-1, 1):
        tone = (pitch + step) % 12
        if tone in own and tone not in key.scale():
            return pitch + step
    return pitch


def _without_rub(pitch: int, after: TuneNote | None, chord: Chord, key: Key) -> int:
    """A tone of the tune that would stand a semitone over a tone of the chord (foreign to the key, on either side of
    one) and does not resolve by step, moved onto that tone."""
    own = chord.pitch_classes()
    if pitch % 12 in own or (after is not None and 1 <= abs(after.pitch - pitch) <= 2 and after.pitch % 12 in own):
        return pitch
    sides = (-1,) if pitch % 12 in key.scale() else (-1, 1)
    return next((pitch + side for side in sides if (pitch + side) % 12 in own), pitch)


def _phrase(cue: PlannedCue, note: TuneNote) -> int:
    """What a note gains or loses by its place in the phrase: an arch over four bars."""
    statement = cue.plan.statements[note.statement]
    theme = cue.plan.theme
    assert theme is not None
    start, end = cue.spans[note.statement]
    length = min(4 * theme.bar_beats * statement.stretch, end - start)
    place = ((note.start_beats - start) % length) / length
    return round(
        PHRASE_RISE * min(place / 0.6, 1.0)
        if place <= 0.6
        else PHRASE_RISE - (PHRASE_RISE + PHRASE_FALL) * (place - 0.6) / 0.4
    )


# percussion --------------------------------------------------------------------------------------------------------
TAIKO: Final = (41, 43, 45)
TIMPANI: Final = (41, 43)
WOOD: Final = (76, 77)
CYMBAL: Final = 49


def _drums_kit(cue: PlannedCue, moment: Moment, options: PartOptions, role: PartRole) -> Iterator[Strike]:
    return playing.play_drums(moment.scene, options)


def _drums_taiko(cue: PlannedCue, moment: Moment, options: PartOptions, role: PartRole) -> Iterator[Strike]:
    scene = moment.scene
    figures = ((0, 3, 6), (0, 3, 6, 10, 12), (0, 6, 8, 11, 14))
    figure = figures[_figure_draw(cue, moment, len(figures))]
    bar = round((scene.bars.next(scene.segment.start) - scene.bars.start(scene.segment.start)) / STEP)
    if bar == 12:
        figure = (0, 4, 7)
    for place in _steps(moment, STEP):
        step = round((place - scene.bars.start(place)) / STEP)
        if step in figure:
            drum = TAIKO[0] if step == 0 else TAIKO[1 + step % 2]
            yield Strike(place, place + STEP, drum, scene.velocity(options, place, 10 if step == 0 else -4))
    yield from _arrival(moment, options)
    yield from _roll(moment, options, TAIKO[2])


def _drums_timpani(cue: PlannedCue, moment: Moment, options: PartOptions, role: PartRole) -> Iterator[Strike]:
    scene = moment.scene
    for place in _steps(moment, 1.0):
        beat = round(place - scene.bars.start(place))
        if beat == 0 or (beat == 2 and moment.section.intensity >= 4):
            drum = TIMPANI[0] if scene.chord.bass_pitch_class == moment.key.tonic else TIMPANI[1]
            yield Strike(place, place + STEP, drum, scene.velocity(options, place, 6 if beat == 0 else -6))
    yield from _arrival(moment, options)
    yield from _roll(moment, options, TIMPANI[0])


def _drums_wood(cue: PlannedCue, moment: Moment, options: PartOptions, role: PartRole) -> Iterator[Strike]:
    scene = moment.scene
    for place in _steps(moment, 1.0):
        beat = round(place - scene.bars.start(place))
        if beat % 2 == 1:
            yield Strike(place, place + STEP, WOOD[0], scene.velocity(options, place, -6))
        elif beat == 2:
            yield Strike(place, place + STEP, WOOD[1], scene.velocity(options, place, -10))


def _drums_kick(cue: PlannedCue, moment: Moment, options: PartOptions, role: PartRole) -> Iterator[Strike]:
    scene = moment.scene
    for place in _steps(moment, 1.0):
        yield Strike(place, place + STEP, kit.KICK, scene.velocity(options, place))


def _arrival(moment: Moment, options: PartOptions) -> Iterator[Strike]:
    """A cymbal where a section of the highest intensity begins."""
    segment = moment.scene.segment
    if moment.section.intensity == 4 and moment.number and abs(segment.start - moment.starts) < _EPSILON:
        yield Strike(segment.start, segment.start + STEP, CYMBAL, moment.scene.velocity(options, segment.start, 6))


def _roll(moment: Moment, options: PartOptions, drum: int) -> Iterator[Strike]:
    if moment.section.transition != "roll":
        return
    for place in _steps(moment, STEP):
        left = moment.until - place
        if left <= 4.0 + _EPSILON:
            yield Strike(place, place + STEP, drum, moment.scene.velocity(options, place, round(-20 + 5 * (4 - left))))


Style = Callable[[PlannedCue, Moment, PartOptions, PartRole], Iterator[Strike]]
_STYLES: Final[Mapping[str, Mapping[str, Style]]] = {
    "pad": {"held": _pad_held, "slow": _pad_slow, "struck": _pad_struck},
    "arp": {
        "pattern": _arp_pattern,
        "broken": _arp_broken,
        "eighths": _arp_eighths,
        "sparse": _arp_sparse,
        "sixteenths": _arp_sixteenths,
        "ostinato": _arp_ostinato,
        "off beats": _arp_off_beats,
        "counter": _arp_counter,
    },
    "bass": {
        "levels": _bass_levels,
        "held": _bass_held,
        "line": _bass_held,
        "drone": _bass_held,
        "octaves": _bass_octaves,
        "one five": _bass_one_five,
        "pulsed": _bass_pulsed,
    },
    "melody": {"theme": _melody},
    "drums": {
        "kit": _drums_kit,
        "taiko": _drums_taiko,
        "timpani": _drums_timpani,
        "wood": _drums_wood,
        "kick": _drums_kick,
    },
}
