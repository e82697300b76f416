"""What the composer decided, as values: settings, pins, takes and results, and the history that undo walks along.

Every edit makes a new `Draft`; nothing is changed in place, so undo and redo are a matter of which one is in force, and
give back the same notes because a draft holds what was composed, not only how to compose it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from bridge.session.cues import CUE_CONTROLS, CueState, ends, only_cue
from engine.arrange import FilmLevels
from engine.music import (
    C_MAJOR,
    Chord,
    Cue,
    Hit,
    Key,
    Progression,
    Section,
    Slot,
    TempoMap,
    TempoMark,
    controls,
    parse_progression,
)
from engine.music.arguments import Value
from engine.music.controls import BY_ADDRESS, SETTINGS

UNDO_STEPS: Final = 400
MERGE_S: Final = 1.0  # moves of one fader within this time are one step


@dataclass(frozen=True, slots=True)
class Pin:
    """A chord set by hand over a stretch of the picture (seconds)."""

    start_s: float
    end_s: float
    chord: Chord


@dataclass(frozen=True, slots=True)
class Frozen:
    """A stretch of a part that was printed into the DAW (beats of the timeline): the stream is mute there."""

    part: str
    start_beats: float
    end_beats: float


@dataclass(frozen=True, slots=True)
class ChordSpan:
    """A chord and from when to when (picture seconds) it sounds."""

    chord: Chord
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Result:
    """What was composed: the slots with the grid they lie on.  complete: up to the end of the film.

    levels: the film's quantiles of density and loudness, fixed when first known, so that a later composition moves
    nothing in what stays.  weights: names and digests of the networks that composed it.  recipe: the values it was
    composed under (`session_compose.recipe`).
    """

    slots: tuple[Slot, ...] = ()
    tempo_map: TempoMap = field(default_factory=TempoMap)
    grid: str = "beats"
    starts_s: float = 0.0  # timeline second of the film's first frame
    key: Key = C_MAJOR
    key_reason: str = ""
    complete: bool = False
    levels: FilmLevels | None = None
    weights: tuple[str, ...] = ()
    recipe: tuple[object, ...] = ()
    cue_keys: tuple[tuple[int, Key, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything that decides what sounds.

    settings: by address of the controls table; what is not in it has its default.  Those of CUE_CONTROLS, `take` and
    progression_from_s (picture second where the progression begins) belong to the selected cue, whose number `cue` is;
    other_cues holds the others.  adopted: for cues whose kept take was chosen again, the settings of the whole film at
    that moment: while they stay, its notes do.
    """

    settings: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))
    take: int = 1
    pins: tuple[Pin, ...] = ()
    hits: tuple[Hit, ...] = ()
    sections: tuple[Section, ...] = ()
    progression_from_s: float = 0.0
    frozen: tuple[Frozen, ...] = ()
    result: Result = Result()
    cue: int = 0
    other_cues: tuple[CueState, ...] = ()
    adopted: tuple[tuple[int, Mapping[str, Value]], ...] = ()

    def value(self, address: str) -> Value:
        return self.settings.get(address, SETTINGS[address])

    def number(self, address: str) -> float:
        """A numeric setting.  Raises TypeError for others."""
        value = self.value(address)
        if isinstance(value, str) or value is None:
            raise TypeError(f"{address} holds {value!r}")
        return float(value)

    def text(self, address: str) -> str:
        return str(self.value(address))

    def optional_number(self, address: str) -> float | None:
        """None where the setting says `picture` or `all` instead of a number."""
        value = self.value(address)
        return None if isinstance(value, str) or value is None else float(value)

    def with_value(self, address: str, value: Value) -> Draft:
        values = dict(self.settings)
        # What concerns the output has the value of the command line where it is not set, so its default is kept too.
        if value == SETTINGS[address] and BY_ADDRESS[address].effect != "output":
            values.pop(address, None)
        else:
            values[address] = value
        return replace(self, settings=MappingProxyType(values))

    # cues -----------------------------------------------------------------------------------------------------------
    @property
    def selected(self) -> CueState:
        """The cue that the controls set."""
        return CueState(self.cue, only_cue(self.settings), self.take, self.progression_from_s)

    @property
    def cue_states(self) -> tuple[CueState, ...]:
        """All cues in order of their In."""
        return tuple(sorted((self.selected, *self.other_cues), key=lambda cue: (cue.in_s, cue.number)))

    def select(self, number: int) -> Draft:
        """The same with another cue under the controls.  Raises KeyError."""
        if number == self.cue:
            return self
        chosen = {cue.number: cue for cue in self.other_cues}[number]
        others = tuple(cue for cue in self.other_cues if cue.number != number)
        return self.with_cues((*others, self.selected, chosen), number)

    def with_cues(self, cues: Sequence[CueState], selected: int) -> Draft:
        """The same with these cues.  Raises KeyError where the selected one is not among them."""
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
        """The cues as engine and arranger take them; none where the whole film is one as it comes.

        Raises MusicError for a key or progression that cannot be read.
        """
        ends_as_ever = all(self.value(address) == SETTINGS[address] for address in (controls.ENDING, controls.TAIL))
        if not self.other_cues and self.selected.plain and not self.sections and ends_as_ever:
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
        """In of a cue and In of the next (the film's end: infinity), the stretch whose music is this cue's."""
        states = self.cue_states
        index = next(index for index, state in enumerate(states) if state.number == number)
        low = states[index].in_s if index else float("-inf")
        return low, states[index + 1].in_s if index + 1 < len(states) else float("inf")

    @property
    def film_settings(self) -> Mapping[str, Value]:
        """The settings that no cue has of its own."""
        return MappingProxyType({name: value for name, value in self.settings.items() if name not in CUE_CONTROLS})

    def _sections_of(self, index: int, states: Sequence[CueState]) -> tuple[Section, ...]:
        """A section belongs to the last cue that begins before it; the first has also those that lie before it."""
        low = states[index].in_s if index else float("-inf")
        high = states[index + 1].in_s if index + 1 < len(states) else float("inf")
        return tuple(section for section in self.sections if low <= section.start_s < high)

    def tempo_marks(self, film_bpm: float = 0.0) -> tuple[TempoMark, ...]:
        """Bar lines and tempi that cues after the first, bars 1 set by hand, and sections ask for.

        The first cue's tempo is that of the map before any mark; one without its own has the film's.
        """
        marks = []
        for index, state in enumerate(self.cue_states):
            bpm = (state.number_of(controls.TEMPO) or film_bpm) if index else 0.0
            bar_1_s = state.bar_1_s
            if bar_1_s is not None or bpm:
                at_s = state.in_s if bar_1_s is None else bar_1_s
                marks.append(TempoMark(at_s, bpm or None, bar_1_s is not None))
        for section in self.sections:
            tempo = dict(section.changes).get("tempo")
            if tempo is not None:
                marks.append(TempoMark(section.start_s, float(tempo)))
        return tuple(marks)

    # pins -----------------------------------------------------------------------------------------------------------
    def with_pin(self, pin: Pin) -> Draft:
        kept = tuple(other for other in self.pins if not _overlap(other, pin))
        return replace(self, pins=tuple(sorted((*kept, pin), key=lambda each: each.start_s)))

    def without_pin(self, picture_s: float) -> Draft:
        return replace(self, pins=tuple(pin for pin in self.pins if not pin.start_s <= picture_s < pin.end_s))

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The composed slots with the pinned chords in their place."""
        if not self.pins:
            return self.result.slots
        return tuple(self.pinned(slot) for slot in self.result.slots)

    def slot_at(self, picture_s: float) -> Slot | None:
        """The slot of a picture second, pins in place; None outside."""
        slots = self.result.slots
        index = bisect_right(slots, picture_s, key=lambda slot: slot.start_s) - 1
        if index < 0 or picture_s >= slots[index].end_s:
            return None
        return self.pinned(slots[index])

    def chords_at(self, picture_s: float) -> tuple[ChordSpan | None, ChordSpan | None]:
        """The chord that sounds at a picture second and the one after it; in any film at once, however long."""
        slots = self.result.slots
        index = bisect_right(slots, picture_s + 1e-9, key=lambda slot: slot.start_s) - 1
        now = self._span(index) if index >= 0 else None
        after = self._span(now[2] if now is not None else 0)
        inside = now is not None and picture_s < now[0].end_s
        return (now[0] if now is not None and inside else None), (after[0] if after is not None else None)

    def chords_around(self, picture_s: float, before: int, after: int) -> tuple[list[Chord], list[Chord]]:
        """So many chords before the one at a picture second, and it with those after it."""
        index = bisect_right(self.result.slots, picture_s + 1e-9, key=lambda slot: slot.start_s) - 1
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
        """The equal chords around a slot; its first slot and one past its last."""
        slots = self.result.slots
        if not 0 <= index < len(slots):
            return None
        chord = self.pinned(slots[index]).chord
        first, stop = index, index + 1
        while first and self.pinned(slots[first - 1]).chord == chord:
            first -= 1
        while stop < len(slots) and self.pinned(slots[stop]).chord == chord:
            stop += 1
        return ChordSpan(chord, slots[first].start_s, slots[stop - 1].end_s), first, stop

    def pinned(self, slot: Slot) -> Slot:
        """A slot with the pinned chord that most of it lies in."""
        middle_s = (slot.start_s + slot.end_s) / 2
        for pin in self.pins:
            if pin.start_s <= middle_s < pin.end_s:
                return replace(slot, chord=pin.chord, pinned=True)
        return slot


def parse_key(text: str) -> Key | None:
    """None for `auto`.  Raises MusicError."""
    return None if text.strip().lower() in ("", "auto") else Key.parse(text)


def parse_chords(draft: Draft | CueState) -> Progression | None:
    """None where none is set.  Raises MusicError."""
    text = draft.text(controls.PROGRESSION).strip()
    return parse_progression(text, draft.text(controls.PROGRESSION_MODE)) if text else None


def _overlap(first: Pin, second: Pin) -> bool:
    return first.start_s < second.end_s and second.start_s < first.end_s


@dataclass(frozen=True, slots=True)
class Step:
    """A draft and the edit that led to it, in words."""

    draft: Draft
    label: str = ""
    at_s: float = 0.0  # host time, to merge the moves of one fader


class History:
    """Undo and redo: a row of steps and which of them is in force."""

    def __init__(self, draft: Draft = Draft(), limit: int = UNDO_STEPS) -> None:
        self._steps = [Step(draft)]
        self._index = 0
        self._limit = limit

    @property
    def draft(self) -> Draft:
        return self._steps[self._index].draft

    @property
    def undo_label(self) -> str:
        return self._steps[self._index].label if self._index else ""

    @property
    def redo_label(self) -> str:
        return self._steps[self._index + 1].label if self._index + 1 < len(self._steps) else ""

    @property
    def undo_count(self) -> int:
        return self._index

    @property
    def redo_count(self) -> int:
        return len(self._steps) - 1 - self._index

    @property
    def steps(self) -> tuple[Step, ...]:
        return tuple(self._steps)

    def edit(self, draft: Draft, label: str, at_s: float, *, merge: bool = False) -> None:
        """A new step; with `merge` it takes the place of the last one if that has the same label and is fresh."""
        del self._steps[self._index + 1 :]
        last = self._steps[-1]
        if merge and self._index and last.label == label and at_s - last.at_s < MERGE_S:
            self._steps[-1] = Step(draft, label, at_s)
            return
        self._steps.append(Step(draft, label, at_s))
        del self._steps[: max(len(self._steps) - self._limit - 1, 0)]
        self._index = len(self._steps) - 1

    def amend(self, draft: Draft, back: int = 0) -> None:
        """The step in force (or one `back` from it) gets its result: no edit of the composer's."""
        index = self._index - back
        self._steps[index] = replace(self._steps[index], draft=draft)

    def undo(self) -> Draft | None:
        """The draft before; None at the beginning."""
        if not self._index:
            return None
        self._index -= 1
        return self.draft

    def redo(self) -> Draft | None:
        if not self.redo_count:
            return None
        self._index += 1
        return self.draft

    def restore(self, steps: tuple[Step, ...], index: int) -> None:
        """A row kept in a session file.  Raises ValueError on an index outside it."""
        if not steps or not 0 <= index < len(steps):
            raise ValueError("the history of the session is damaged")
        self._steps, self._index = list(steps), index
