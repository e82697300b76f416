"""From composition to notes, piece by piece, ahead of the playhead.

The plan always is what arranging the whole composition would give (kept states make pieces equal the whole), so what
sounds at a position does not depend on where play began.  A change is arranged from the first slot it touches; it is
handed to the player from the position where it is to take over, and what lies before that once the playhead has passed,
so that a locate or a loop finds the new music there too.

Positions are beats (quarter notes) of the composition's tempo map.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from engine.arrange import Arrangement, ArrangeOptions, Arranger, ArrangeState, FixedVoicing
from engine.arrange.rhythm import merge_runs
from engine.music import Composition, Controller, Note, Slot

BLOCK_SLOTS: Final = 8
EVER: Final = 1e9  # beats: later than anything


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch that is arranged.  before: the arranger's state at its beginning, after: at its end."""

    start_beats: float
    end_beats: float
    notes: tuple[Note, ...]
    controllers: tuple[Controller, ...]
    before: ArrangeState | None
    after: ArrangeState | None
    voicings: tuple[FixedVoicing, ...]


@dataclass(frozen=True, slots=True)
class Load:
    """For the player: everything from `from_beats` on is this."""

    from_beats: float
    notes: tuple[Note, ...]
    controllers: tuple[Controller, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """What is to be arranged.  composed: without pins; pinned: with them (the same object where there are none).

    shifts: semitones by part.  complete: no more slots will come.  kept_notes, kept_controllers: of a kept take, played
    as they are.
    """

    composed: Composition
    pinned: Composition
    options: ArrangeOptions
    shifts: Mapping[str, int]
    complete: bool
    kept_notes: tuple[Note, ...] | None = None
    kept_controllers: tuple[Controller, ...] = ()


class Plan:
    """Call `update` at each change and `work` often; hand every `Load` to the player in order."""

    def __init__(self) -> None:
        self._score: Score | None = None
        self._blocks: list[Block] = []
        self._source: Iterator[Block] | None = None
        self._takeover = -EVER
        self._loaded_to = -EVER  # what the player holds reaches to here
        self._past_due = False  # what lies before the takeover is still the old music
        self._position = -EVER
        self.planned_to_beats = -EVER  # arranged and handed over up to here
        self.complete = False

    @property
    def notes(self) -> tuple[Note, ...]:
        """All notes arranged so far."""
        return tuple(note for block in self._blocks for note in block.notes)

    @property
    def controllers(self) -> tuple[Controller, ...]:
        return tuple(each for block in self._blocks for each in block.controllers)

    @property
    def end_beats(self) -> float:
        """Where the last note ends; 0 while there is none."""
        return max((note.end_beats for block in self._blocks[-24:] for note in block.notes), default=0.0)

    def count_notes(self, start_beats: float, end_beats: float) -> int:
        """How many notes begin in a stretch."""
        blocks = (each for each in self._blocks if each.start_beats < end_beats and each.end_beats > start_beats)
        return sum(start_beats <= note.start_beats < end_beats for block in blocks for note in block.notes)

    @property
    def busy(self) -> bool:
        return self._source is not None

    def clear(self) -> None:
        self.__init__()  # type: ignore[misc]

    def update(self, score: Score, takeover_beats: float | None) -> None:
        """New music, to be heard from `takeover_beats` on; None: from the beginning (nothing is playing)."""
        kept = self._still_valid(score)
        changed = kept < len(self._blocks) or self._score is None
        first_change = self._blocks[kept].start_beats if kept < len(self._blocks) else self._reached(kept)
        if changed:
            wanted = first_change if takeover_beats is None else max(first_change, takeover_beats)
            self._past_due = self._past_due or first_change < wanted
            self._takeover = wanted
            self._loaded_to = min(self._loaded_to, wanted)
        del self._blocks[kept:]
        self._score = score
        self._source = self._arrange(score)
        self.complete = False

    def work(self, budget_s: float, position_beats: float | None, *, wraps: bool = False) -> list[Load]:
        """Arranges for about `budget_s`; position_beats: the playhead while it rolls, else None.

        wraps: the playhead is about to jump to a loop's beginning; what is handed over now is heard after the jump.
        """
        deadline_s = time.perf_counter() + budget_s
        gathered: list[Block] = []
        while self._source is not None and time.perf_counter() < deadline_s:
            block = next(self._source, None)
            if block is None:
                self._source = None
                self.complete = self._score is not None and self._score.complete
                break
            gathered.append(block)
        loads = self._load_new(gathered)
        passed = position_beats is None or wraps or not self._position <= position_beats <= self._takeover
        self._position = -EVER if position_beats is None else position_beats
        if self._past_due and passed and self._source is None and self._blocks:
            self._past_due = False
            loads.append(Load(-EVER, self.notes, self.controllers))
        if self.complete and not self._blocks and self._loaded_to > -EVER:
            self._loaded_to = -EVER
            loads.append(Load(-EVER, (), ()))  # nothing plays any more
        return loads

    def _load_new(self, gathered: list[Block]) -> list[Load]:
        blocks = [block for block in gathered if block.end_beats > self._loaded_to]
        if not blocks:
            return []
        start = max(blocks[0].start_beats, self._loaded_to) if self._loaded_to > -EVER else blocks[0].start_beats
        if blocks[0] is self._blocks[0] and start <= blocks[0].start_beats:
            start = -EVER  # what the player has from another timeline goes too
        # What rings over from before goes on, so it has to be in the load: what is not would be cut there.
        blocks = [*self._blocks_before(blocks[0]), *blocks]
        self._loaded_to = blocks[-1].end_beats
        self.planned_to_beats = self._loaded_to
        notes = tuple(note for block in blocks for note in block.notes if note.end_beats > start)
        controllers = tuple(each for block in blocks for each in block.controllers)
        return [Load(start, notes, controllers)]

    def _blocks_before(self, block: Block, count: int = 4) -> list[Block]:
        index = self._blocks.index(block)
        return self._blocks[max(index - count, 0) : index]

    def _reached(self, kept: int) -> float:
        return self._blocks[kept - 1].end_beats if kept else -EVER

    # what stays ------------------------------------------------------------------------------------------------------
    def _still_valid(self, score: Score) -> int:
        """How many blocks from the beginning the new score leaves as they are."""
        old = self._score
        if old is None or not _same_frame(old, score):
            return 0
        same = _common(old.pinned.slots, score.pinned.slots)
        if not old.complete or not score.complete or same < max(len(old.pinned.slots), len(score.pinned.slots)):
            limit = _settled_beats(score.pinned.slots[:same])
        else:
            limit = EVER
        if old.composed is not old.pinned or score.composed is not score.pinned:
            # Voicings are fixed from the unpinned music: all that comes before the first difference of either stays.
            limit = min(limit, _settled_beats(score.composed.slots[: _common(old.composed.slots, score.composed.slots)])
                        if old.composed.slots != score.composed.slots else limit)  # fmt: skip
        return sum(block.end_beats <= limit for block in self._blocks)

    # arranging -------------------------------------------------------------------------------------------------------
    def _arrange(self, score: Score) -> Iterator[Block]:
        options = score.options
        if score.pinned is not score.composed:
            options = replace(options, fixed_voicings=fixed_around_pins(score))
        arranger = Arranger(score.pinned, options, complete=score.complete)
        for start, end in _pieces(score, arranger, self._reached(len(self._blocks))):
            state = self._blocks[-1].after if self._blocks else None
            if score.kept_notes is not None:
                made: Arrangement | _Piece = _kept_between(score, start if self._blocks else -EVER, end)
            else:
                made = _shifted(arranger.arrange(start, end, state), score.shifts)
            block = Block(start, end, made.notes, made.controllers, state, made.state, made.voicings)
            self._blocks.append(block)
            yield block


@dataclass(frozen=True, slots=True)
class _Piece:
    """Of a kept take: like an Arrangement, but nothing was arranged."""

    notes: tuple[Note, ...]
    controllers: tuple[Controller, ...]
    state: None = None
    voicings: tuple[FixedVoicing, ...] = ()


def _kept_between(score: Score, start: float, end: float) -> _Piece:
    notes = tuple(note for note in score.kept_notes or () if start <= note.start_beats < end)
    return _Piece(notes, tuple(each for each in score.kept_controllers if start <= each.time_beats < end))


def arrange_whole(score: Score) -> Arrangement:
    """The same music in one go; for files."""
    options = score.options
    if score.pinned is not score.composed:
        options = replace(options, fixed_voicings=fixed_around_pins(score))
    made = _shifted(Arranger(score.pinned, options, complete=score.complete).arrange(), score.shifts)
    if score.kept_notes is not None:
        made = replace(made, notes=score.kept_notes, controllers=score.kept_controllers)
    return made


def fixed_around_pins(score: Score) -> tuple[FixedVoicing, ...]:
    """The unpinned music's voicings: they hold wherever the chord is still the same, so only a pinned one is voiced
    anew, between neighbours that stay."""
    return Arranger(score.composed, score.options, complete=score.complete).arrange().voicings


def _pieces(score: Score, arranger: Arranger, reached: float) -> Iterator[tuple[float, float]]:
    """Stretches of some slots each, from what is arranged to where the music is settled."""
    slots = score.pinned.slots
    if not slots:
        return
    begin = max(arranger.start_beats, reached)
    limit = arranger.end_beats if score.complete else arranger.settled_beats
    marks = [slot.start_beats for slot in slots[BLOCK_SLOTS::BLOCK_SLOTS] if begin < slot.start_beats < limit]
    for end in (*marks, limit):
        if end > begin:
            yield begin, end
            begin = end


def _shifted(made: Arrangement, shifts: Mapping[str, int]) -> Arrangement:
    if not any(shifts.values()):
        return made
    return replace(made, notes=tuple(_shift(note, shifts.get(note.part, 0)) for note in made.notes))


def _shift(note: Note, semitones: int) -> Note:
    pitch = note.pitch + semitones
    while pitch > 127:
        pitch -= 12
    while pitch < 0:
        pitch += 12
    return replace(note, pitch=pitch) if semitones else note


def _same_frame(old: Score, new: Score) -> bool:
    return (
        old.kept_notes is new.kept_notes
        and old.options == new.options
        and old.shifts == new.shifts
        and old.pinned.tempo_map == new.pinned.tempo_map
        and old.pinned.grid == new.pinned.grid
        and old.pinned.key == new.pinned.key
        and old.pinned.cues == new.pinned.cues
        and old.pinned.hits == new.pinned.hits
        and old.pinned.cuts == new.pinned.cuts
    )


def _common(old: tuple[Slot, ...], new: tuple[Slot, ...]) -> int:
    for index, (first, second) in enumerate(zip(old, new, strict=False)):
        if first is not second and first != second:
            return index
    return min(len(old), len(new))


def _settled_beats(slots: tuple[Slot, ...]) -> float:
    """Where the last chord of these slots begins: what comes before it does not depend on what follows them."""
    runs = merge_runs(slots)
    return runs[-1].start_beats if runs else -EVER
