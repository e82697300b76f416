"""Everything that decides the music, as one immutable value.

Every edit makes a new `Document`; nothing is changed in place.  Undo and redo choose which one is in force, and give
back the same notes because a document holds what was composed, not only how to compose it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import accumulate
from types import MappingProxyType
from typing import Final

from engine.document.cues import CueState, cue_settings, ends, overlapping
from engine.document.film_reading import FilmReading
from engine.document.settings import CUE_CONTROLS, OUTPUT_SETTINGS, SETTINGS, Settings, Value
from engine.music import (
    C_MAJOR,
    Chord,
    Controller,
    Cue,
    Draws,
    FilmLevels,
    Hit,
    Key,
    MusicError,
    Note,
    Progression,
    Section,
    Slot,
    TempoMap,
    TempoMark,
    controls,
    parse_progression,
)
from engine.music.cueplan import CuePlan
from engine.music.key import key_reading
from engine.music.marks import section_marks
from engine.music.plan_edit import PlanEdit
from engine.music.spelling import spell


@dataclass(frozen=True, slots=True)
class Pin:
    """A chord that the composer set over a stretch of the picture (seconds).

    typed: as they wrote it, or "".  exact: it begins and ends at the sixteenths nearest to its edges; else it takes the
    network's slots whose middles it covers.  voicing: MIDI pitches that the pad plays for it, none: as it is voiced.
    """

    start_s: float
    end_s: float
    chord: Chord
    typed: str = field(default="", compare=False)
    exact: bool = False
    voicing: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PrintedRange:
    """A stretch of a part that was printed into the DAW, in beats of the timeline: the live part is muted there."""

    part: str
    start_beats: float
    end_beats: float


@dataclass(frozen=True, slots=True)
class Lock:
    """A stretch of a part whose notes stay as they are, whatever is composed or set.

    start_beats, end_beats: of the tempo map; start_s, end_s: the same in picture seconds.  Where another tempo has
    moved these apart, the lock holds nothing until they meet again.  notes, controllers: what begins in it, in order of
    time.
    """

    part: str
    start_beats: float
    end_beats: float
    start_s: float
    end_s: float
    notes: tuple[Note, ...] = field(repr=False)
    controllers: tuple[Controller, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class TakeRating:
    """What the composer says of a take of a cue.  rating: 1..5, 0: none.  note: in words."""

    cue: int
    take: int
    rating: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class ChordSpan:
    """A chord and from when to when (picture seconds) it sounds."""

    chord: Chord
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class ChordBlock:
    """A chord as the composer takes hold of it: neighbours of one chord that were pinned one by one stay apart.

    start_s, end_s: picture seconds.  pin: that set it.  given: it comes from the progression.  provisional: planned
    before the whole film was seen.
    """

    chord: Chord
    start_s: float
    end_s: float
    pin: Pin | None = None
    given: bool = False
    provisional: bool = False

    @property
    def set_by(self) -> str:
        """Who set it, in a word: typed, pinned, given (by the progression), generated, provisional or silence."""
        if self.pin is not None:
            return "typed" if self.pin.typed else "pinned"
        if self.chord.is_silence:
            return "silence"
        if self.given:
            return "given"
        return "provisional" if self.provisional else "generated"


@dataclass(frozen=True, slots=True)
class Result:
    """What was composed: the slots with the grid they lie on.  complete: up to the end of the film.

    starts_s: timeline second of the film's first frame.  levels: the film's quantiles of density and loudness, fixed
    when first known, so that a later composition leaves the rest as it is.  weights: names and digests of the networks
    that composed it.  recipe: the settings it was composed under.  cue_keys: number, key and reason of each cue.
    plans: of the cues that were composed by one.
    """

    slots: tuple[Slot, ...] = ()
    tempo_map: TempoMap = field(default_factory=TempoMap)
    grid: str = "beats"
    starts_s: float = 0.0
    key: Key = C_MAJOR
    key_reason: str = ""
    complete: bool = False
    levels: FilmLevels | None = None
    weights: tuple[str, ...] = ()
    recipe: tuple[object, ...] = ()
    cue_keys: tuple[tuple[int, Key, str], ...] = ()
    plans: tuple[CuePlan, ...] = ()


@dataclass(frozen=True, slots=True)
class Document(Settings):
    """Everything that decides what sounds.

    settings: by address; absent ones have their default.  Those of CUE_CONTROLS, `take` and progression_from_s
    (picture second where the progression begins) belong to the selected cue, whose number is `cue`; other_cues holds
    the others.  adopted: for each cue whose kept take was chosen again, the settings of the whole film at that moment;
    as long as they stay the same, so do its notes.  draws: the film's seed, from its first take on or from a later one.
    plan_edits: what the composer has changed in the plans of cues, in order.  locks: what stays as it is; no two of a
    part overlap.  ratings: of takes, by cue and number.
    """

    settings: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))
    take: int = 1
    pins: tuple[Pin, ...] = ()
    hits: tuple[Hit, ...] = ()
    sections: tuple[Section, ...] = ()
    progression_from_s: float = 0.0
    printed: tuple[PrintedRange, ...] = ()
    result: Result = Result()
    cue: int = 0
    other_cues: tuple[CueState, ...] = ()
    adopted: tuple[tuple[int, Mapping[str, Value]], ...] = ()
    draws: Draws = field(default_factory=Draws)
    plan_edits: tuple[PlanEdit, ...] = ()
    locks: tuple[Lock, ...] = ()
    ratings: tuple[TakeRating, ...] = ()
    _cut: list[tuple[Slot, ...]] = field(default_factory=list, init=False, repr=False, compare=False)
    _pin_ends_s: list[float] = field(default_factory=list, init=False, repr=False, compare=False)
    _placed: list[tuple[Slot, ...]] = field(default_factory=list, init=False, repr=False, compare=False)
    _sounding: list[tuple[Slot, ...]] = field(default_factory=list, init=False, repr=False, compare=False)
    _names: list[tuple[tuple[Chord, str], ...]] = field(default_factory=list, init=False, repr=False, compare=False)
    _spelled: dict[Chord, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def with_value(self, address: str, value: Value) -> Document:
        values = dict(self.settings)
        # An output setting that is absent has the value of the command line, so its default is kept too.
        if value == SETTINGS[address] and address not in OUTPUT_SETTINGS:
            values.pop(address, None)
        else:
            values[address] = value
        return replace(self, settings=MappingProxyType(values))

    # takes ----------------------------------------------------------------------------------------------------------
    def rating_of(self, cue: int, take: int) -> TakeRating:
        return next((each for each in self.ratings if (each.cue, each.take) == (cue, take)), TakeRating(cue, take))

    def with_rating(self, rating: TakeRating) -> Document:
        """A copy in which this is said of a take."""
        said = [each for each in self.ratings if (each.cue, each.take) != (rating.cue, rating.take)]
        if rating.rating or rating.note:
            said.append(rating)
        return replace(self, ratings=tuple(sorted(said, key=lambda each: (each.cue, each.take))))

    # cues -----------------------------------------------------------------------------------------------------------
    @property
    def selected(self) -> CueState:
        """The cue that the controls set."""
        return CueState(self.cue, cue_settings(self.settings), self.take, self.progression_from_s)

    @property
    def cue_states(self) -> tuple[CueState, ...]:
        """All cues in order of their In."""
        return tuple(sorted((self.selected, *self.other_cues), key=lambda cue: (cue.in_s, cue.number)))

    def select(self, number: int) -> Document:
        """A copy in which another cue is selected.  Raises KeyError."""
        if number == self.cue:
            return self
        chosen = {cue.number: cue for cue in self.other_cues}[number]
        others = tuple(cue for cue in self.other_cues if cue.number != number)
        return self.with_cues((*others, self.selected, chosen), number)

    def with_cues(self, cues: Sequence[CueState], selected: int) -> Document:
        """A copy with these cues.  Raises KeyError where the selected one is not among them."""
        chosen = {cue.number: cue for cue in cues}[selected]
        settings = {address: value for address, value in self.settings.items() if address not in CUE_CONTROLS}
        return replace(
            self,
            settings=MappingProxyType({**settings, **chosen.settings}),
            take=chosen.take,
            progression_from_s=chosen.progression_from_s,
            cue=selected,
            other_cues=tuple(sorted((c for c in cues if c.number != selected), key=lambda c: c.number)),
        )

    @property
    def cues(self) -> tuple[Cue, ...]:
        """The cues as engine and arranger take them; none where the whole film is one cue with default settings.

        Raises MusicError for a key or progression that cannot be read.
        """
        default_ending = all(self.value(address) == SETTINGS[address] for address in (controls.ENDING, controls.TAIL))
        if not self.other_cues and self.selected.is_default and not self.sections and default_ending:
            return ()
        states = self.cue_states
        keys = {number: key for number, key, _ in self.result.cue_keys}
        several = len(states) > 1
        made = []
        for index, (state, out_s) in enumerate(zip(states, ends(states), strict=True)):
            begins_s = state.in_s if state.bar_1_s is None else max(state.bar_1_s, state.in_s)
            key = parse_key(state.text(controls.KEY))
            made.append(
                Cue(
                    name=state.name,
                    in_s=state.in_s,
                    out_s=out_s,
                    bar_1_s=begins_s,
                    key=(key or keys.get(state.number)) if several else None,
                    progression=parse_chords(state) if several else None,
                    sections=self._sections_of(index, states),
                    ending=state.text(controls.ENDING),
                    tail_s=state.number_of(controls.TAIL),
                    progression_from_s=state.progression_from_s if several else None,
                    take=state.take if several else None,
                    number=state.number,
                )
            )
        return tuple(made)

    def span_of(self, number: int) -> tuple[float, float]:
        """The stretch of picture whose music belongs to a cue: from its In to the next In.

        The first cue begins at -inf, the last ends at inf.
        """
        states = self.cue_states
        index = next(index for index, state in enumerate(states) if state.number == number)
        low = states[index].in_s if index else float("-inf")
        return low, states[index + 1].in_s if index + 1 < len(states) else float("inf")

    @property
    def film_settings(self) -> Mapping[str, Value]:
        """The settings that belong to the whole film."""
        return MappingProxyType({name: value for name, value in self.settings.items() if name not in CUE_CONTROLS})

    def _sections_of(self, index: int, states: Sequence[CueState]) -> tuple[Section, ...]:
        """Sections belong to the last cue that begins before them; those before the first cue belong to it."""
        low = states[index].in_s if index else float("-inf")
        high = states[index + 1].in_s if index + 1 < len(states) else float("inf")
        return tuple(section for section in self.sections if low <= section.start_s < high)

    def tempo_marks(self, film_bpm: float = 0.0) -> tuple[TempoMark, ...]:
        """The bar lines and tempi of cues after the first, of bars 1 that were set, and of sections.

        The first cue has the tempo of the map before any mark; a later one without a tempo has film_bpm.
        """
        marks = []
        for index, state in enumerate(self.cue_states):
            bpm = (state.number_of(controls.TEMPO) or film_bpm) if index else 0.0
            bar_1_s = state.bar_1_s
            if bar_1_s is not None or bpm:
                at_s = state.in_s if bar_1_s is None else bar_1_s
                marks.append(TempoMark(at_s, bpm or None, bar_1_s is not None))
        marks += section_marks(self.sections)
        return tuple(marks)

    @property
    def typed(self) -> tuple[tuple[Chord, str], ...]:
        """Chords with the words that the composer wrote for them: pins, then the progressions of all cues."""
        if not self._names:
            pins = tuple((pin.chord, pin.typed) for pin in self.pins if pin.typed)
            progressions = (_typed(*(state.text(name) for name in _PROGRESSION)) for state in self.cue_states)
            # Each pair once: hundreds of pins of one chord say no more than the first.
            self._names.append(tuple(dict.fromkeys((*pins, *(each for typed in progressions for each in typed)))))
        return self._names[0]

    def chord_name(self, chord: Chord) -> str:
        """As the composer typed it or would write it in the key; "" for silence."""
        if chord.is_silence:
            return ""
        if chord not in self._spelled:
            self._spelled[chord] = spell(chord, self.result.key, self.typed)
        return self._spelled[chord]

    # pins -----------------------------------------------------------------------------------------------------------
    def with_pin(self, pin: Pin) -> Document:
        """In place of the pins that it covers; one that it only grazes, since a tempo has moved the grid, is cut."""
        first = bisect_right(self._ends_s, pin.start_s)  # all before it end before this one begins
        stop = max(bisect_left(self.pins, pin.end_s, key=lambda each: each.start_s), first)
        met = self.pins[first:stop]
        left = [each for other in met if (each := _outside(other, pin)) is not None]
        around = sorted((*left, pin), key=lambda each: each.start_s)
        made = replace(self, pins=(*self.pins[:first], *around, *self.pins[stop:]))
        if self._cut:  # a long film is not cut anew for one pin
            edges_s = [edge_s for each in around if each.exact for edge_s in (each.start_s, each.end_s)]
            if all(edge_s in edges_s for each in met if each.exact for edge_s in (each.start_s, each.end_s)):
                made._cut.append(self._cut_at(self._cut[0], edges_s))
        return made

    def without_pin(self, picture_s: float) -> Document:
        return replace(self, pins=tuple(pin for pin in self.pins if not pin.start_s <= picture_s < pin.end_s))

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The composed slots with the pinned chords in their place, cut where an exact pin begins or ends."""
        if not self.pins:
            return self.result.slots
        if not self._sounding:
            self._sounding.append(self.with_pins(self._row))
        return self._sounding[0]

    @property
    def grid_slots(self) -> tuple[Slot, ...]:
        """The slots of the network's grid with the pinned chords in their place."""
        if not self.pins:
            return self.result.slots
        if not self._placed:
            self._placed.append(self.with_pins(self.result.slots))
        return self._placed[0]

    @property
    def _row(self) -> tuple[Slot, ...]:
        """The composed slots, cut where an exact pin begins or ends."""
        if not any(pin.exact for pin in self.pins):
            return self.result.slots
        if not self._cut:
            self._cut.append(self.cut(self.result.slots))
        return self._cut[0]

    def holds(self, lock: Lock) -> bool:
        """Whether a lock lies where it was made: the tempo up to it has not changed since."""
        seconds_at, starts_s = self.result.tempo_map.seconds_at, self.result.starts_s
        places = ((lock.start_beats, lock.start_s), (lock.end_beats, lock.end_s))
        return all(abs(seconds_at(beats) - starts_s - at_s) < 2e-3 for beats, at_s in places)

    def sixteenth(self, picture_s: float) -> tuple[float, float]:
        """The sixteenth nearest to a picture second: its picture second and its beat."""
        tempo_map, starts_s = self.result.tempo_map, self.result.starts_s
        beats = round(tempo_map.beats_at(picture_s + starts_s) * 4) / 4
        return tempo_map.seconds_at(beats) - starts_s, beats

    def cut(self, slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
        """Slots (of this document's tempo map), cut at the sixteenths where exact pins begin and end."""
        return self._cut_at(slots, {edge_s for pin in self.pins if pin.exact for edge_s in (pin.start_s, pin.end_s)})

    def _cut_at(self, slots: tuple[Slot, ...], edges_s: Iterable[float]) -> tuple[Slot, ...]:
        """Slots, cut at the sixteenths nearest to these picture seconds."""
        starts_s = [slot.start_s for slot in slots]
        row: list[Slot] = []
        taken = 0
        for at_s, beats in sorted({self.sixteenth(edge_s) for edge_s in edges_s}):
            stop = bisect_right(starts_s, at_s)
            row += slots[taken:stop]
            taken = max(taken, stop)
            if not row or not row[-1].start_s + 1e-3 < at_s < row[-1].end_s - 1e-3:
                continue
            slot = row[-1]
            row[-1:] = [
                _copy(slot, slot.start_s, at_s, slot.start_beats, beats),
                _copy(slot, at_s, slot.end_s, beats, slot.end_beats),
            ]
        return (*row, *slots[taken:])

    def blocks(self, from_s: float = float("-inf"), to_s: float = float("inf")) -> tuple[ChordBlock, ...]:
        """The chords that sound in a stretch of the picture, in order."""
        return tuple(self.each_block(from_s, to_s))

    def each_block(self, from_s: float = float("-inf"), to_s: float = float("inf")) -> Iterator[ChordBlock]:
        """The same, one after the other: whoever wants a few of a long film takes no more."""
        row = self._row
        index = max(bisect_right(row, from_s + 1e-6, key=lambda slot: slot.start_s) - 1, 0)
        while index < len(row) and row[index].start_s < to_s - 1e-6:
            block, index = self._block(index)
            if block.end_s > from_s + 1e-6:
                yield block

    def block_at(self, picture_s: float) -> ChordBlock | None:
        """The chord that sounds at a picture second; None outside."""
        row = self._row
        index = bisect_right(row, picture_s + 1e-6, key=lambda slot: slot.start_s) - 1
        if index < 0 or picture_s >= row[index].end_s:
            return None
        return self._block(index)[0]

    def _block(self, index: int) -> tuple[ChordBlock, int]:
        """The block around a slot of the row, and the slot after it."""
        row = self._row
        slot, pin = self.pinned(row[index]), self._pin_of(row[index])

        def belongs(other: Slot) -> bool:
            return self._pin_of(other) is pin and self.pinned(other).chord == slot.chord

        first, stop = index, index + 1
        while first and belongs(row[first - 1]):
            first -= 1
        while stop < len(row) and belongs(row[stop]):
            stop += 1
        members = row[first:stop]
        block = ChordBlock(
            slot.chord, members[0].start_s, members[-1].end_s, pin,
            given=pin is None and all(each.given for each in members),
            provisional=any(each.provisional for each in members),
        )  # fmt: skip
        return block, stop

    def _pin_of(self, slot: Slot) -> Pin | None:
        middle_s = _middle_s(slot)
        index = bisect_right(self.pins, middle_s, key=lambda pin: pin.start_s) - 1
        found = None
        while index >= 0 and self._ends_s[index] > middle_s:  # of pins that overlap the first is heard
            found = self.pins[index] if self.pins[index].end_s > middle_s else found
            index -= 1
        return found

    @property
    def _ends_s(self) -> list[float]:
        """Of each pin the latest end of it and all before it."""
        if len(self._pin_ends_s) != len(self.pins):
            self._pin_ends_s[:] = accumulate((pin.end_s for pin in self.pins), max)
        return self._pin_ends_s

    def slot_at(self, picture_s: float) -> Slot | None:
        """The slot of a picture second, pins in place; None outside."""
        slots = self._row
        index = bisect_right(slots, picture_s, key=lambda slot: slot.start_s) - 1
        if index < 0 or picture_s >= slots[index].end_s:
            return None
        return self.pinned(slots[index])

    def chords_at(self, picture_s: float) -> tuple[ChordSpan | None, ChordSpan | None]:
        """The chord that sounds at a picture second, and the next one; in time that does not grow with the film."""
        slots = self._row
        index = bisect_right(slots, picture_s + 1e-9, key=lambda slot: slot.start_s) - 1
        now = self._span(index) if index >= 0 else None
        after = self._span(now[2] if now is not None else 0)
        inside = now is not None and picture_s < now[0].end_s
        return (now[0] if now is not None and inside else None), (after[0] if after is not None else None)

    def each_run(self) -> Iterator[tuple[Chord, float]]:
        """The chords from the first on, each with the picture second where it begins; one after a gap begins anew."""
        before: Slot | None = None
        for slot in map(self.pinned, self._row):
            if before is None or slot.chord != before.chord or slot.start_beats > before.end_beats:
                yield slot.chord, slot.start_s
            before = slot

    def chords_around(self, picture_s: float, before: int, after: int) -> tuple[list[Chord], list[Chord]]:
        """Up to `before` chords before a picture second, and up to `after` from the one that sounds there."""
        index = bisect_right(self._row, picture_s + 1e-9, key=lambda slot: slot.start_s) - 1
        span = self._span(max(index, 0))
        coming: list[Chord] = []
        past: list[Chord] = []
        found = span
        while found is not None and len(coming) < after:
            coming.append(found[0].chord)
            found = self._span(found[2])
        found = None if span is None else self._span(span[1] - 1)
        while found is not None and len(past) < before:
            past.insert(0, found[0].chord)
            found = self._span(found[1] - 1)
        return past, coming

    def _span(self, index: int) -> tuple[ChordSpan, int, int] | None:
        """The run of equal chords around a slot, its first slot and one past its last."""
        slots = self._row
        if not 0 <= index < len(slots):
            return None
        chord = self.pinned(slots[index]).chord
        first, stop = index, index + 1
        while first and self.pinned(slots[first - 1]).chord == chord:
            first -= 1
        while stop < len(slots) and self.pinned(slots[stop]).chord == chord:
            stop += 1
        return ChordSpan(chord, slots[first].start_s, slots[stop - 1].end_s), first, stop

    def with_pins(self, slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
        """Slots in order of time with the pinned chords in their place; as `pinned` for each."""
        row = list(slots)
        for pin in reversed(self.pins):  # of pins that overlap the first is heard
            first, stop = (bisect_left(row, edge_s, key=_middle_s) for edge_s in (pin.start_s, pin.end_s))
            row[first:stop] = [_with_chord(slot, pin.chord) for slot in row[first:stop]]
        return tuple(row)

    def pinned(self, slot: Slot) -> Slot:
        """A slot with the chord of the pin that its middle lies in; without a pin there, itself."""
        pin = self._pin_of(slot)
        return slot if pin is None else _with_chord(slot, pin.chord)


def _outside(other: Pin, pin: Pin) -> Pin | None:
    """What is left of a pin beside another; None where its middle or both its ends are covered or parted."""
    if not _overlap(other, pin):
        return other
    middle_s = (other.start_s + other.end_s) / 2
    if middle_s < pin.start_s and other.end_s <= pin.end_s:
        return replace(other, end_s=pin.start_s)
    if middle_s >= pin.end_s and other.start_s >= pin.start_s:
        return replace(other, start_s=pin.end_s)
    return None


# A turn of the session is short and a long film has thousands of slots: made without `replace`, which takes far longer.
def _copy(slot: Slot, start_s: float, end_s: float, start_beats: float, end_beats: float) -> Slot:
    return Slot(
        slot.index, start_s, end_s, start_beats, end_beats, slot.chord, slot.density, slot.loudness, slot.affect,
        slot.motion, slot.tension, slot.pinned, slot.given, slot.provisional,
    )  # fmt: skip


def _with_chord(slot: Slot, chord: Chord) -> Slot:
    return Slot(
        slot.index, slot.start_s, slot.end_s, slot.start_beats, slot.end_beats, chord, slot.density, slot.loudness,
        slot.affect, slot.motion, slot.tension, True, slot.given, slot.provisional,
    )  # fmt: skip


def _middle_s(slot: Slot) -> float:
    return (slot.start_s + slot.end_s) / 2


def parse_key(text: str) -> Key | None:
    """None for `auto`.  Raises MusicError."""
    return None if text.strip().lower() in ("", "auto") else Key.parse(text)


def parse_chords(document: Document | CueState) -> Progression | None:
    """The progression, degrees read in the key; None where none is set.  Raises MusicError."""
    text = document.text(controls.PROGRESSION).strip()
    return _chords(text, document.text(controls.PROGRESSION_MODE), document.text(controls.KEY)) if text else None


@lru_cache(maxsize=64)
def _chords(text: str, mode: str, key: str) -> Progression:
    """An edit checks it, its answer says how it was read, and the request to the engine holds it."""
    return parse_progression(text, mode, parse_key(key))


def readings(document: Document | CueState) -> tuple[str, ...]:
    """A sentence for each place where key or progression were read otherwise than they may be meant.

    Raises MusicError.
    """
    chords, key = parse_chords(document), document.text(controls.KEY)
    of_key = "" if key == SETTINGS[controls.KEY] else key_reading(key)
    return (*((of_key,) if of_key else ()), *(() if chords is None else chords.readings))


_PROGRESSION: Final = (controls.PROGRESSION, controls.PROGRESSION_MODE, controls.KEY)


@lru_cache(maxsize=64)
def _typed(text: str, mode: str, key: str) -> tuple[tuple[Chord, str], ...]:
    """The view asks ten times a second."""
    try:
        return parse_progression(text.strip(), mode, parse_key(key)).typed if text.strip() else ()
    except MusicError:
        return ()


def check_cues(document: Document) -> None:
    """Raises MusicError where the cues cannot be: overlapping, ending before they begin, or two of one name."""
    states = document.cue_states
    clash = overlapping(states)
    if clash is not None:
        first, second = clash
        raise MusicError(f"cue {second.name} would begin at {second.in_s:g} s, inside cue {first.name}.")
    names = [state.name for state in states]
    for name in names:
        if not 1 <= len(name) <= 64 or not name.isprintable():
            raise MusicError("the name of a cue is 1 to 64 printable characters.")
        if names.count(name) > 1:
            raise MusicError(f"there is a cue {name} already.")
    _ = document.cues


def _overlap(first: Pin, second: Pin) -> bool:
    return first.start_s < second.end_s and second.start_s < first.end_s


@dataclass(frozen=True, slots=True)
class Step:
    """A document and the edit that led to it, in words.

    at_s: host time of the edit.  who: made it, as `osc 127.0.0.1:50422`.  gesture: edits of one gesture are one step.
    film: that of this step and of those after it, None: that of the step before.
    """

    document: Document
    label: str = ""
    at_s: float = 0.0
    who: str = ""
    gesture: str = ""
    film: FilmReading | None = None
