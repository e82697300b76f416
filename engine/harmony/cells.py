"""Cells lead, the network ranks: the chords of a planned cue, one unit of harmonic rhythm after another.

A cell of the section's variant is stated, stated again with another last chord, then another cell follows.  At each
unit the cells offer what may come next; the choice weighs the chord network's log probability (as much as the palette
says), how the tones of the theme fit, and the take's own draw.  A theme and a cue close as the palette closes.

Everything follows from the plan, the draws and the chords before, so that a cue taken up again anywhere goes on alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from itertools import permutations
from typing import Final

import numpy as np

from engine.harmony.palettes import Cell, Entry, Palette, palettes
from engine.harmony.plan import PlannedSlot, rounded
from engine.harmony.reasons import Reason, of_cells
from engine.harmony.tension import strain
from engine.music import Chord, Key, TempoMap
from engine.music.chord import VOCABULARY_SIZE
from engine.music.closing import beats_of, closing_unit
from engine.music.cueplan import CuePlan, SectionPlan
from engine.music.spelling import spell
from engine.music.tune import TuneNote, answers, tune_of

POOL_NATS: Final = 2.5  # what a chord costs that belongs to the variant but does not go on with the cell
FIT_NATS: Final = 3.5  # what a unit of bad fit to the theme costs
CROSSED: Final = 5.0  # times `FIT_NATS` that a minor third of the tune over a major chord costs
DOMINANT_NATS: Final = 3.0  # against a dominant at the end of a section that closes nothing
REPEAT_NATS: Final = 2.0  # against the cell that has just been stated twice
STILL_NATS: Final = 2.5  # against the root that has just sounded
WAITING_NATS: Final = 14.0  # the same besides under a tune that waits for its chords two bars and more
HANGING_NATS: Final = 8.0  # against a dominant seventh of another degree than the key's that does not fall a fifth
PASSING_NATS: Final = 6.0  # against leaving a second inversion other than by step
MOTION_NATS: Final = 0.3  # for each semitone that voices move further than Adventurous allows
TENSION_NATS: Final = 14.0  # for the chords furthest from the key where a cue is at its height, nearest where it rests
UNDER_TUNE: Final = 0.5  # of these, where a tune asks for chords of its own
_TENSION_NATS_BEFORE: Final[Mapping[int, float]] = {2: 4.0, 3: 7.0}  # the same by earlier rules
STOCK: Final = 4  # cells of its palette that a section has
COURSE_NATS: Final = 4.0  # for a section's cells by how far they lie from the key, as its intensity asks
PLANED_NATS: Final = 6.0  # against dominant sevenths that slide by step
SAME_NATS: Final = 5.0  # against the chord that a tone of the theme had when it was heard before
DIM7_BEATS: Final = 2.0  # a diminished seventh is an approach, never a place to stay
PEDAL: Final = 0.75  # of stretches of four units of a drone's ensemble, and of a tense section, lie over a pedal
_PEDAL_BEFORE: Final = 0.95  # of a drone's by the fourth rules, which had none in a last section
_INVERTIBLE: Final = frozenset({"", "add9", "madd9"})

LogProbs = Callable[[], np.ndarray]  # (157,) of the next chord in C major / A minor given the past


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of harmonic rhythm.  section: its number in the plan; index: in the section; of: how many it has.

    start_beats, end_beats: on the tempo map.  closes: number of units from the end of what closes here (1: the last
    chord of a close), 0 where nothing does.
    """

    section: int
    index: int
    of: int
    start_beats: float
    end_beats: float
    closes: int = 0


class UnitGrid:
    """The units of a cue: which one a slot lies in."""

    def __init__(self, plan: CuePlan, tempo_map: TempoMap, picture_starts_at_s: float) -> None:
        self.plan = plan
        self._map = tempo_map
        starts = [
            tempo_map.bar_position(rounded(tempo_map.beats_at(section.start_s + picture_starts_at_s)))
            for section in plan.sections
        ]
        # The first section may begin inside a bar; its units are counted from the bar line before.
        self.starts = [Fraction(math.floor(starts[0] + Fraction(1, 100)))] + [
            Fraction(round(start * 960), 960) for start in starts[1:]
        ]
        end = tempo_map.bar_position(rounded(tempo_map.beats_at(plan.sections[-1].end_s + picture_starts_at_s)))
        self.ends = [*self.starts[1:], max(end, self.starts[-1] + Fraction(1, 16))]
        # What the units of the last section are counted to: its last chord begins before a fade that it rings into.
        self._counted = self.ends[-1]
        if plan.dark_from_s is not None:
            fades = tempo_map.bar_position(rounded(tempo_map.beats_at(plan.dark_from_s + picture_starts_at_s)))
            length = _bars(plan.sections[-1])
            first = max(Fraction(math.floor(fades)), self.starts[-1])
            self._counted = min(self.ends[-1], first + length)
        if plan.rules > 2:
            self._counted = closing_unit(plan, tempo_map, picture_starts_at_s) + _bars(plan.sections[-1])
        self._known: dict[tuple[int, int], Unit] = {}

    def place(self, start_beats: float) -> tuple[int, int]:
        """(section, unit) of a position."""
        position = self._map.bar_position(rounded(start_beats))
        section = 0
        while section + 1 < len(self.starts) and position >= self.starts[section + 1]:
            section += 1
        length = _bars(self.plan.sections[section])
        index = max(math.floor((position - self.starts[section]) / length), 0)
        return section, min(index, self.count(section) - 1)

    def count(self, section: int) -> int:
        """Units of a section; what is left over, less than half a unit, belongs to the last."""
        length = _bars(self.plan.sections[section])
        end = self._counted if section == len(self.ends) - 1 else self.ends[section]
        return max(math.floor((end - self.starts[section]) / length + Fraction(1, 2)), 1)

    def unit(self, start_beats: float) -> Unit:
        """The unit that a position lies in."""
        section, index = self.place(start_beats)
        known = self._known.get((section, index))
        if known is None:
            length = _bars(self.plan.sections[section])
            first, last = self.starts[section], self.ends[section]
            count = self.count(section)
            start = first + index * length
            end = min(start + length, last) if index < count - 1 else max(last, start + Fraction(1, 16))
            known = Unit(
                section, index, count, self._beats(start), self._beats(end), self.closes_from(section, index, count)
            )
            self._known[section, index] = known
        return known

    def bar(self, unit: Unit) -> int:
        """Number of the bar in which a unit begins."""
        return math.floor(self.starts[unit.section] + unit.index * _bars(self.plan.sections[unit.section])) + 1

    def unit_at_bar(self, bar: int) -> tuple[int, int]:
        """(section, unit) at the beginning of a bar."""
        return self.place(float(self._map.bar_start(bar)))

    def closes_after(self, unit: Unit) -> bool:
        """Whether the unit after one belongs to a close, or to another section."""
        return unit.index + 1 >= unit.of or self.closes_from(unit.section, unit.index + 1, unit.of) > 0

    def closes_from(self, section: int, index: int, count: int) -> int:
        """Number of units from the end of what closes at a unit of so many, 0 where nothing does."""
        if section == len(self.plan.sections) - 1:
            return count - index
        length = _bars(self.plan.sections[section])
        first = self.starts[section] + index * length + 1  # number of the unit's first bar
        for statement in self.plan.statements:
            theme = self.plan.theme
            is_whole = statement.bars >= 8 or (theme is not None and answers(theme, statement))
            if is_whole and statement.kind != "hint":
                left = statement.bar + statement.length_bars - first
                if 0 < left <= 2 * length and length <= 2:
                    return math.ceil(left / length)
        return 0

    def _beats(self, position: Fraction) -> float:
        return beats_of(self._map, position)


def _bars(section: SectionPlan) -> Fraction:
    return Fraction(section.unit_bars).limit_denominator(16)


@dataclass(slots=True)
class _Walk:
    """A section's cells: the entries since the cell began, the cell being stated again, the last one used."""

    prefix: tuple[Entry, ...] = ()
    again: Cell = ()
    last: Cell = ()
    stated: int = 0  # cells begun in the section so far


@dataclass(slots=True)
class CellChooser:
    """Chooses the chords of one cue.  draw(*words) -> 0..1 of the take; adventurous 0..10.

    bass: how the cue's ensemble treats it, see `Ensemble.bass`.  typed: the composer's own progression as a cell in C,
    which goes on as one of every palette's; () for none.
    """

    plan: CuePlan
    grid: UnitGrid
    draw: Callable[..., float]
    adventurous: float = 4.0
    bass: str = "inversions"
    typed: Cell = ()
    _tune: tuple[TuneNote, ...] = ()
    _entries: dict[tuple[int, int], Entry] = field(default_factory=dict)
    _walks: dict[int, _Walk] = field(default_factory=dict)
    _palettes: dict[int, Palette] = field(default_factory=dict)
    _seen: dict[int, int] = field(default_factory=dict)  # units of a section that its walk has taken in
    _reasons: dict[tuple[int, int], Reason] = field(default_factory=dict)

    # size: a plan and what is asked of its chords; one caller.
    @classmethod
    def of(
        cls,
        plan: CuePlan,
        tempo_map: TempoMap,
        starts_s: float,
        draw: Callable[..., float],
        adventurous: float,
        bass: str,
        typed: Cell = (),
    ) -> CellChooser:
        grid = UnitGrid(plan, tempo_map, starts_s)
        return cls(plan, grid, draw, adventurous, bass, typed, tune_of(plan, tempo_map, starts_s))

    def place(self, slot: PlannedSlot) -> tuple[int, int]:
        """(section, unit) of a slot."""
        return self.grid.place(slot.start_beats)

    def is_decided(self, slot: PlannedSlot) -> bool:
        return self.place(slot) in self._entries

    def decide(self, slot: PlannedSlot, before: Chord | None, log_probs: LogProbs) -> None:
        """Decides the unit that a slot lies in.  before: the chord before the unit; log_probs: of the unit's first."""
        unit = self.grid.unit(slot.start_beats)
        self._take(unit, self._decide(unit, before, log_probs))

    def chord(self, slot: PlannedSlot, before: Chord | None) -> Chord:
        """The chord of a slot whose unit is decided; before: the chord before the unit."""
        unit = self.grid.unit(slot.start_beats)
        return _part_of(self._entries[unit.section, unit.index], unit, slot.start_beats, before)

    def reason(self, slot: PlannedSlot) -> Reason | None:
        """Why the unit of a slot has its chord; None where it was not chosen here."""
        return self._reasons.get(self.place(slot))

    def take(self, slot: PlannedSlot, chords: Sequence[Chord]) -> None:
        """What sounds in a slot's unit without having been chosen here: kept, given, pinned.

        chords: what is known of the unit from its beginning on.
        """
        unit = self.grid.unit(slot.start_beats)
        if (unit.section, unit.index) in self._entries:
            return
        first, last = chords[0], chords[-1]
        entry: Entry = (last,)
        for offer in self._offers(unit, self._walk(unit.section)):
            # Two chords that share a unit are one entry, however much of it was kept.
            if len(offer) > 1 and (offer[0].plain, offer[1].plain) == (first.plain, last.plain):
                entry = (first, last)
        self._take(unit, entry)

    def hold(self, slot: PlannedSlot, chord: Chord) -> None:
        """The unit of a slot began with another chord than the one decided: that one lasts through it."""
        unit = self.grid.unit(slot.start_beats)
        self._entries[unit.section, unit.index] = (chord,)

    # ------------------------------------------------------------------------------------------------------------
    def _walk(self, section: int) -> _Walk:
        return self._walks.setdefault(section, _Walk())

    def _palette(self, section: int) -> Palette:
        known = self._palettes.get(section)
        if known is None:
            palette = palettes(self.plan.rules)[self.plan.sections[section].variant]
            if self.plan.rules > 3:
                palette = replace(palette, cells=self._stock(palette, section))
            known = replace(palette, cells=(self.typed, *palette.cells)) if self.typed else palette
            self._palettes[section] = known
        return known

    def _stock(self, palette: Palette, section: int) -> tuple[Cell, ...]:
        """The cells that a section has of its palette: those that the film and the take draw, further from the key
        where the cue is intense, nearer to it where it is calm."""
        key, place = Key(0, palette.mode), self._height(section)
        order = sorted(palette.cells, key=lambda cell: (_mean_strain(cell, key), str(cell)))
        worth: dict[Cell, float] = {}
        for rank, cell in enumerate(order):
            value = min(max(self.draw("cell", palette.variant, str(cell)), 1e-9), 1 - 1e-9)
            far = 0.0 if place is None else abs(rank / max(len(order) - 1, 1) - place)
            worth[cell] = -math.log(-math.log(value)) - COURSE_NATS * far
        kept = sorted(order, key=lambda cell: -worth[cell])[:STOCK]
        return tuple(cell for cell in palette.cells if cell in kept)

    def _height(self, section: int) -> float | None:
        """0..1 where a section's intensity lies between the cue's least and greatest; None where all is equal."""
        levels = [each.intensity for each in self.plan.sections if each.layers]
        low, high = min(levels, default=0), max(levels, default=0)
        if low == high:
            return None
        return min(max((self.plan.sections[section].intensity - low) / (high - low), 0.0), 1.0)

    def _key(self, section: int) -> Key:
        return self.plan.sections[section].key

    def _take(self, unit: Unit, entry: Entry) -> None:
        self._entries[unit.section, unit.index] = entry
        walk, palette = self._walk(unit.section), self._palette(unit.section)
        tonic = self._key(unit.section).tonic
        own = tuple(chord.transpose(-tonic) for chord in self._without_bass(entry))
        if walk.again:
            walk.prefix = (*walk.prefix, own)
            if len(walk.prefix) >= len(walk.again):
                walk.last, walk.again, walk.prefix = walk.again, (), ()
            return
        if not walk.prefix:
            walk.stated += 1
        walk.prefix = (*walk.prefix, own)
        alike = [cell for cell in palette.cells if _begins(cell, walk.prefix)]
        whole = [cell for cell in alike if len(cell) == len(walk.prefix)]
        longer = [cell for cell in alike if len(cell) > len(walk.prefix)]
        if whole and (not longer or self.draw("whole", unit.section, unit.index) < 0.6):
            walk.again, walk.prefix = whole[0], ()
        elif not alike:
            walk.prefix = ()

    def _ending(self, unit: Unit) -> str:
        """How the cue ends where a unit closes it; "" where it closes a theme."""
        return self.plan.ending if unit.section == len(self.plan.sections) - 1 else ""

    def _closes(self, unit: Unit) -> bool:
        """Whether a unit belongs to a close.  By earlier rules all of the last section did."""
        if self.plan.rules < 5 or not unit.closes:
            return unit.closes > 0
        return unit.closes <= max(map(len, self._palette(unit.section).closes_of(self._ending(unit))))

    def _without_bass(self, entry: Entry) -> Entry:
        return tuple(replace(chord, bass=None) if chord.bass is not None else chord for chord in entry)

    def _offers(self, unit: Unit, walk: _Walk) -> dict[Entry, float]:
        """What may come in a unit, transposed, with nats before the network, the theme and the draw."""
        palette, tonic = self._palette(unit.section), self._key(unit.section).tonic
        found: dict[Entry, float] = {}
        if unit.closes:
            for close in palette.closes_of(self._ending(unit)):
                slid = self.plan.rules > 2 and unit.closes == len(close) > 2 and self._slides_into(unit, close[0])
                if unit.closes <= len(close) and (len(close) > 1 or unit.closes == 1) and not slid:
                    found[_moved(close[len(close) - unit.closes], tonic)] = 0.0
            if found:
                return found
        place = len(walk.prefix)
        anew = walk.again and self._heard_with(unit) is not None  # a theme that returns is harmonised anew
        if walk.again and place < len(walk.again) - 1 and not anew:
            return {_moved(walk.again[place], tonic): 0.0}
        if anew:
            found = {_moved(walk.again[place], tonic): 0.0} if place < len(walk.again) else {}
            for cell in palette.cells:
                found.setdefault(_moved(cell[min(place, len(cell) - 1)], tonic), -0.5)
            return found
        if walk.again:
            lasts = {cell[min(place, len(cell) - 1)] for cell in palette.cells} - {walk.again[place]}
            before = walk.again[place - 1] if place else None
            for entry in sorted(lasts, key=str):
                if before is None or _bare(entry) != _bare(before):
                    found[_moved(entry, tonic)] = 0.0
            return found or {_moved(walk.again[place], tonic): 0.0}
        for cell in palette.cells:
            if len(cell) > place and _begins(cell, walk.prefix):
                nats = -self._ahead(unit, cell, place) - (REPEAT_NATS if not place and cell == walk.last else 0.0)
                entry = _moved(cell[place], tonic)
                found[entry] = max(found.get(entry, -math.inf), nats)
        if not place and palette.lift and unit.index and self.plan.sections[unit.section].intensity == 4:
            for cell in palette.lift:
                entry = _moved(cell[0], tonic)
                found[entry] = max(found.get(entry, -math.inf), -0.7)
        if self._tones(unit) and unit.index:  # a section begins with a cell of its own
            for chord in palette.chords:
                if self.plan.rules > 3 and chord.quality == "dim7":
                    continue  # it leads somewhere, which its cell knows
                # Inversions belong to the lines of their cells; outside them the root is in the bass.
                plain = chord if palette.pedal else replace(chord, bass=None)
                found.setdefault(_moved((plain,), tonic), -POOL_NATS)
        return found

    def _slides_into(self, unit: Unit, entry: Entry) -> bool:
        """Whether a close would begin with a dominant seventh a step from the one before."""
        before = self._entries.get((unit.section, unit.index - 1))
        return before is not None and slides(before[-1], _moved(entry, self._key(unit.section).tonic)[0])

    def _close_slides_from(self, unit: Unit, entry: Entry) -> bool:
        """Whether whatever close follows a unit would slide from an entry in it."""
        left = self.grid.closes_from(unit.section, unit.index + 1, unit.of) if unit.index + 1 < unit.of else 0
        closes = self._palette(unit.section).closes_of(self._ending(unit)) if left and not unit.closes else ()
        firsts = [close[len(close) - left] for close in closes if left <= len(close) and (len(close) > 1 or left == 1)]
        tonic = self._key(unit.section).tonic
        return bool(firsts) and all(slides(entry[-1], _moved(first, tonic)[0]) for first in firsts)

    def _ahead(self, unit: Unit, cell: Cell, place: int) -> float:
        """Nats by which the rest of a cell fits the theme badly, beyond this unit."""
        total, count = 0.0, 0
        length = unit.end_beats - unit.start_beats
        tonic = self._key(unit.section).tonic
        for later in range(1, len(cell) - place):
            tones = self._tones_between(unit.start_beats + later * length, unit.end_beats + later * length)
            if tones:
                crossed = CROSSED if self.plan.rules > 4 else None
                total += FIT_NATS * tone_fit(_moved(cell[place + later], tonic)[0], tones, crossed)
                count += 1
        return 0.6 * total / count if count else 0.0

    def _tones(self, unit: Unit) -> list[tuple[int, int | None, float]]:
        return self._tones_between(unit.start_beats, unit.end_beats)

    def _tones_between(self, start: float, end: float) -> list[tuple[int, int | None, float]]:
        """(pitch class, the next note's, weight) of the theme's notes that begin in a span."""
        found = []
        for index, note in enumerate(self._tune):
            if start - 1e-6 <= note.start_beats < end - 1e-6:
                after = self._tune[index + 1].pitch if index + 1 < len(self._tune) else None
                accent = 1.0 if abs(note.start_beats - round(note.start_beats)) < 1e-6 else 0.5
                found.append((note.pitch, after, accent * min(note.length_beats, 3.0)))
        return found

    def _decide(self, unit: Unit, before: Chord | None, log_probs: LogProbs) -> Entry:
        section, palette = self.plan.sections[unit.section], self._palette(unit.section)
        offers = self._offers(unit, self._walk(unit.section))
        scores: dict[Entry, float] = {}
        ranked = log_probs() if len(offers) > 1 and palette.network > 0 else None
        kin = {} if ranked is None else _of_kin(ranked)
        shift = section.key.semitones_from_reference
        tones = self._tones(unit)
        asked = self._tense(unit, list(offers))
        before_this = self._heard_with(unit)
        limit = 3 if self.adventurous <= 3 else 5 if self.adventurous <= 7 else 99
        # What comes back with a letter comes back with its chords; a variant of the theme is harmonised anew.
        plain: dict[Chord, float] = {}
        words = ("unit", section.letter, section.variant, unit.index, _variant_of(self.plan, unit, self.grid))
        spread = 0.4 + 0.08 * self.adventurous  # nats of the take's draw
        for entry, nats in offers.items():
            score = nats + asked.get(entry, 0.0)
            if before_this is not None and _bare(_moved(entry, -section.key.tonic))[0] == before_this:
                score -= SAME_NATS
            if ranked is not None:
                score += palette.network * max(kin[kinship(entry[0].plain.transpose(-shift))], -8.0)
            if tones:
                score -= FIT_NATS * tone_fit(entry[0], tones, CROSSED if self.plan.rules > 4 else None)
            if before is not None and not before.is_silence:
                if _is_six_four(before) and not palette.pedal and _step(before, entry[0]) > 2:
                    score -= PASSING_NATS
                if self.plan.rules > 2 and not palette.planing and slides(before, entry[0]):
                    score -= PLANED_NATS
                score -= MOTION_NATS * max(motion(before, entry[0]) - limit, 0)
                if entry[0].root == before.root and len(offers) > 1:
                    # What stands still is not felt as a progression, least of all under a tune.
                    score -= STILL_NATS * (2.0 if tones and not palette.pedal else 1.0)
                    if self.plan.rules > 4 and tones and section.unit_bars >= 2 and not palette.pedal:
                        score -= WAITING_NATS
                if self.plan.rules > 4 and not palette.planing and _hangs(before, entry[0], section.key):
                    score -= HANGING_NATS
            last = unit.index == unit.of - 1 and not unit.closes and unit.section + 1 < len(self.plan.sections)
            if last and _is_dominant(entry[-1], section.key):
                score -= DOMINANT_NATS
            if self.plan.rules > 2 and self._close_slides_from(unit, entry):
                score -= PLANED_NATS
            plain[entry[0]] = max(plain.get(entry[0], -math.inf), score)
            value = min(max(self.draw(*words, str(_moved(entry, -section.key.tonic))), 1e-9), 1 - 1e-9)
            scores[entry] = score - spread * math.log(-math.log(value))
        chosen = max(scores, key=lambda entry: scores[entry])
        by, cell = self._source(unit, chosen)
        self._reasons[unit.section, unit.index] = of_cells(
            by, cell, palette.network, plain, spread, ranked, section.key
        )
        return self._with_bass(chosen, unit, before, palette)

    def _tense(self, unit: Unit, offers: Sequence[Entry]) -> dict[Entry, float]:
        """Nats by how far what is offered lies from the key: far where the cue is intense, near where it is calm."""
        levels = [section.intensity for section in self.plan.sections if section.layers]
        if self.plan.rules == 1 or len(offers) < 2 or self._closes(unit):
            return {}
        if max(levels, default=0) == min(levels, default=0):
            return {}
        strains = {entry: self._strain_of(unit, entry) for entry in offers}
        low, high = min(strains.values()), max(strains.values())
        if high - low < 0.05:
            return {}
        place = (self.plan.sections[unit.section].intensity - min(levels)) / (max(levels) - min(levels))
        nats = _TENSION_NATS_BEFORE.get(self.plan.rules, TENSION_NATS)
        if self.plan.rules > 4 and self._tones(unit):
            nats *= UNDER_TUNE  # the tune has more to say there
        return {
            entry: nats * (2 * place - 1) * ((value - low) / (high - low) - 0.5) for entry, value in strains.items()
        }

    def _strain_of(self, unit: Unit, entry: Entry) -> float:
        """How far an entry lies from the key; where cells begin, with what follows it in its cell."""
        key = self._key(unit.section)
        own = sum(strain(chord, key) for chord in entry) / len(entry)
        if self._walk(unit.section).prefix or self._walk(unit.section).again:
            return own
        bare = _bare(_moved(entry, -key.tonic))
        cells = [cell for cell in self._palette(unit.section).cells if _bare(cell[0]) == bare]
        means = [sum(strain(each[0].transpose(key.tonic), key) for each in cell) / len(cell) for cell in cells]
        return 0.5 * (own + max(means)) if means else own

    def _heard_with(self, unit: Unit) -> object | None:
        """What a later statement of the theme had here when it was first stated, as `_bare` has it, in C; None where
        nothing comes back, at the beginning of a statement and in what closes it."""
        if self.plan.rules == 1 or self._closes(unit):
            return None
        bar = self.grid.bar(unit)
        later = next(
            (s for s in self.plan.statements if s.bar < bar < s.bar + s.length_bars and s.stretch == 1.0), None
        )
        if later is None:
            return None
        first = next(
            (s for s in self.plan.statements
             if s.bar < later.bar and s.stretch == 1.0 and s.kind != "hint" and bar - later.bar < s.bars),
            None,
        )  # fmt: skip
        if first is None:
            return None
        section, index = self.grid.unit_at_bar(first.bar + bar - later.bar)
        entry = self._entries.get((section, index))
        return None if entry is None else _bare(_moved(entry, -self._key(section).tonic))[0]

    def _source(self, unit: Unit, entry: Entry) -> tuple[str, str]:
        """Whether a cell or a cadence brought an entry, and which, in words."""
        palette, key = self._palette(unit.section), self._key(unit.section)
        walk, own = self._walk(unit.section), _moved(entry, -key.tonic)
        name = f"{palette.variant} ({palette.name})"

        def written(cell: Cell) -> str:
            return " ".join("/".join(spell(chord.transpose(key.tonic), key) for chord in each) for each in cell)

        if unit.closes:
            for close in palette.closes_of(self._ending(unit)):
                if unit.closes <= len(close) and close[len(close) - unit.closes] == own:
                    return "cadence", f"close {written(close)} of {name}"
        place = len(walk.prefix)
        if walk.again:
            again = "stated again" if place < len(walk.again) - 1 else "stated again with another last chord"
            return "cell", f"cell {written(walk.again)} of {name}, {again}"
        for cell in palette.cells:
            if len(cell) > place and _begins(cell, walk.prefix) and _bare(cell[place]) == _bare(own):
                return "cell", f"cell {written(cell)} of {name}, chord {place + 1} of {len(cell)}"
        return "cell", f"a chord of {name} that carries the theme here"

    def _with_bass(self, entry: Entry, unit: Unit, before: Chord | None, palette: Palette) -> Entry:
        """The bass as the ensemble has it: roots, a pedal, or now and then a third that lets it walk."""
        section = self.plan.sections[unit.section]
        first = entry[0]
        tonic = section.key.tonic
        if not palette.pedal and before is not None and before.bass_pitch_class is not None and _is_six_four(first):
            # Over its fifth only in passing: where the bass comes to it by step, or stays.
            leads_on = unit.index + 1 < unit.of and not unit.closes and not self.grid.closes_after(unit)
            if _step(before, first) > 2 or not leads_on:
                return self._without_bass(entry)
        # A pedal lies under four units or under none of them: one chord alone over it would be a second inversion.
        often = _PEDAL_BEFORE if self.bass == "pedal" and self.plan.rules == 4 else PEDAL
        lies = self.draw("pedal", section.letter, section.variant, unit.section, unit.index // 4) < often
        stays = not self._closes(unit) or (self.plan.rules > 4 and not _is_dominant(first, section.key))
        if self.bass == "pedal" and not palette.pedal and lies and len(entry) == 1 and stays:
            return (replace(first, bass=None if first.root == tonic else tonic),)
        if palette.pedal or (first.bass is not None and self.bass != "root"):
            return entry
        if self.bass == "root":
            return self._without_bass(entry)
        value = self.draw("bass", section.letter, section.variant, unit.section, unit.index)
        if section.mood == "tense" and lies and len(entry) == 1 and not self._closes(unit):
            return (replace(first, bass=tonic),)
        third = next((step for step in first.intervals() if step in (3, 4)), None)
        if (
            self.bass != "inversions" or palette.planing or third is None or first.extension not in _INVERTIBLE
            or before is None or before.root is None or unit.index == 0 or unit.closes == 1 or first.root is None
            or first.quality not in ("maj", "min") or value > 0.7
        ):  # fmt: skip
            return entry
        low = before.bass_pitch_class or 0
        step = min((first.root + third - low) % 12, (low - first.root - third) % 12)
        own = min((first.root - low) % 12, (low - first.root) % 12)
        if step in (1, 2) and own > 2:
            return (replace(first, bass=(first.root + third) % 12), *entry[1:])
        return entry


def _part_of(entry: Entry, unit: Unit, start_beats: float, before: Chord | None) -> Chord:
    """What of an entry sounds at a position of its unit; a diminished seventh has the last two beats at most."""
    length = unit.end_beats - unit.start_beats
    into = start_beats - unit.start_beats
    if len(entry) == 1:
        chord = entry[0]
        if chord.quality == "dim7" and length > DIM7_BEATS and before is not None and into < length - DIM7_BEATS - 1e-6:
            return before
        return chord
    split = min(length / 2, DIM7_BEATS) if entry[0].quality == "dim7" else length / 2
    return entry[0] if into < split - 1e-6 else entry[1]


def _variant_of(plan: CuePlan, unit: Unit, grid: UnitGrid) -> int:
    """Numbers statements that are to be harmonised anew; 0 elsewhere."""
    bar = int(grid.starts[unit.section] + unit.index * _bars(plan.sections[unit.section])) + 1
    for number, statement in enumerate(plan.statements):
        if statement.bar <= bar < statement.bar + statement.length_bars and statement.kind == "variant":
            return number + 1
    return 0


def kinship(chord: Chord) -> tuple[int, int]:
    """Root and third of a chord (0 for none).

    The network ranks progressions; what is added to a triad is the palette's.
    """
    third = next((step for step in chord.intervals() if step in (3, 4)), 0)
    return chord.root if chord.root is not None else -1, third


@lru_cache(maxsize=1)
def _kin_of_ids() -> tuple[tuple[int, int], ...]:
    return tuple(kinship(Chord.from_id(number)) for number in range(VOCABULARY_SIZE))


def _of_kin(log_probs: np.ndarray) -> dict[tuple[int, int], float]:
    """Log probability of all chords of a kind together."""
    found: dict[tuple[int, int], float] = {}
    for kind, value in zip(_kin_of_ids(), np.exp(log_probs[:VOCABULARY_SIZE]).tolist(), strict=True):
        found[kind] = found.get(kind, 0.0) + value
    return {kind: math.log(max(value, 1e-12)) for kind, value in found.items()}


def _begins(cell: Cell, prefix: tuple[Entry, ...]) -> bool:
    return all(_bare(a) == _bare(b) for a, b in zip(cell, prefix, strict=False)) and len(cell) >= len(prefix)


def _bare(entry: Entry) -> tuple[object, ...]:
    return tuple((chord.root, chord.quality, chord.extension) for chord in entry)


@lru_cache(maxsize=1024)
def _mean_strain(cell: Cell, key: Key) -> float:
    """How far the chords of a cell lie from a key."""
    means = [sum(strain(chord, key) for chord in entry) / len(entry) for entry in cell]
    return sum(means) / len(means)


def _moved(entry: Entry, semitones: int) -> Entry:
    return tuple(chord.transpose(semitones) for chord in entry)


def _is_six_four(chord: Chord) -> bool:
    return chord.bass is not None and chord.root is not None and (chord.bass - chord.root) % 12 == 7


def _step(a: Chord, b: Chord) -> int:
    """Semitones, 0..6, between the bass notes of two chords; 0 where either is silent."""
    if a.bass_pitch_class is None or b.bass_pitch_class is None:
        return 0
    return min((b.bass_pitch_class - a.bass_pitch_class) % 12, (a.bass_pitch_class - b.bass_pitch_class) % 12)


def slides(a: Chord, b: Chord) -> bool:
    """Whether two dominant sevenths follow one another a step apart: all their voices move in parallel."""
    if a.root is None or b.root is None or a.quality != "7" or b.quality != "7":
        return False
    return min((a.root - b.root) % 12, (b.root - a.root) % 12) in (1, 2)


def _hangs(a: Chord, b: Chord, key: Key) -> bool:
    """Whether a dominant seventh that is not the key's own goes elsewhere than a fourth up."""
    if a.root is None or b.root is None or a.quality != "7" or a.root == (key.tonic + 7) % 12:
        return False
    return (b.root - a.root) % 12 not in (0, 5)


def _is_dominant(chord: Chord, key: Key) -> bool:
    return chord.root == (key.tonic + 7) % 12 and chord.quality in ("maj", "7", "sus4")


def tone_fit(chord: Chord, tones: Sequence[tuple[int, int | None, float]], crossed: float | None = None) -> float:
    """How badly a chord carries tones of a tune, 0 (all are its own) .. about 2, weighted by their length.

    tones: (pitch, the next pitch, weight).  A foreign tone that resolves by step costs less than one that stays.
    crossed: what a long tone costs that stands a semitone under the chord's third, a minor over a major chord; None by
    earlier rules, where it was a foreign tone like any other.
    """
    if chord.root is None or not tones:
        return 0.0
    own = set(chord.pitch_classes())
    total = weights = 0.0
    for pitch, after, weight in tones:
        weights += weight
        tone = pitch % 12
        if tone in own:
            total += weight * (0.1 if (tone - chord.root) % 12 in (0, 7) else 0.0)
            continue
        resolves = after is not None and 0 < abs(after - pitch) <= 2 and after % 12 in own
        ninth = (tone - chord.root) % 12 == 2
        rubs = (tone - 1) % 12 in own
        if crossed is not None and weight > 1.0 and (tone - chord.root) % 12 == 3 and (tone + 1) % 12 in own:
            total += weight * crossed
            continue
        total += weight * (0.35 if resolves else 0.6 if ninth else 2.2 if rubs else 1.4)
    return total / weights


def motion(a: Chord, b: Chord) -> int:
    """Least sum of semitones that three or four voices move from one chord to another."""
    if a.root is None or b.root is None:
        return 0
    first, second = list(a.pitch_classes())[:4], list(b.pitch_classes())[:4]
    while len(first) < len(second):
        first.append(first[0])
    while len(second) < len(first):
        second.append(second[0])
    return min(
        sum(min((x - y) % 12, (y - x) % 12) for x, y in zip(first, order, strict=True))
        for order in permutations(second)
    )
