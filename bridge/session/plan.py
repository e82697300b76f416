"""From composition to notes, piece by piece, ahead of the playhead.

The plan always is what arranging the whole composition would give (kept states make pieces equal the whole), so what
sounds at a position does not depend on where play began.  A change is arranged from the first slot it touches; it is
handed to the player from the position where it is to take over, and what lies before that once the playhead has passed,
so that a locate or a loop finds the new music there too.

Positions are beats (quarter notes) of the composition's tempo map.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Final

from bridge.session.now import Clock, SystemClock
from engine.arrange import Arrangement, ArrangeOptions, Arranger, ArrangeState, FixedVoicing
from engine.arrange.score import KeptPiece, Score, fixed_around_pins, kept_between, shifted, with_kept
from engine.document.takes import EVER
from engine.music import Composition, Controller, Cue, Note, Slot, TempoMap

BLOCK_SLOTS: Final = 8
AHEAD_BLOCKS: Final = 8  # of what is arranged before its turn, before the rest gets its share
RING_BLOCKS: Final = 4  # so far back a note may begin that still sounds
SLICE_EVENTS: Final = 1200  # notes and controllers sent to the player in one piece: more would hold the session up
LONG_SLICE_EVENTS: Final = 400  # the same of a long film, in which a turn has more else to do
EDGE_BEATS: Final = 4.0  # so far from its block a note may begin, and more
SMALL_SLOTS: Final = 600  # of a film that is handed over again whole while it plays
PATIENCE_S: Final = 0.08  # a change is arranged in its turn where that takes no longer
JUMP_BEATS: Final = 0.05  # a playhead is reckoned from the player's last word: it may step back a little by itself


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch that is arranged.  before: the arranger's state at its beginning, after: at its end.

    rings_to_beats: where its last note ends.
    """

    start_beats: float
    end_beats: float
    notes: tuple[Note, ...]
    controllers: tuple[Controller, ...]
    before: ArrangeState | None
    after: ArrangeState | None
    voicings: tuple[FixedVoicing, ...]
    rings_to_beats: float


@dataclass(frozen=True, slots=True)
class Load:
    """What replaces everything that the player has from `from_beats` on."""

    from_beats: float
    notes: tuple[Note, ...]
    controllers: tuple[Controller, ...]


def _beginning(notes: tuple[Note, ...], start_beats: float, end_beats: float, part: str) -> Iterator[Note]:
    for note in notes:
        if start_beats <= note.start_beats < end_beats and (part == "all" or note.part == part):
            yield note


def _controllers_from(start_beats: float, blocks: list[Block]) -> tuple[Controller, ...]:
    """Of what comes before a beat only the values that are still in force there."""
    in_force: dict[tuple[str, int, int], Controller] = {}
    later: list[Controller] = []
    for each in chain.from_iterable(block.controllers for block in blocks):
        if each.time_beats >= start_beats:
            later.append(each)
            continue
        name = (each.part, each.channel, each.number)
        if name not in in_force or in_force[name].time_beats <= each.time_beats:
            in_force[name] = each
    return (*in_force.values(), *later)


class Plan:
    """Call `update` at each change and `work` often; hand every `Load` to the player in order.

    Three things go on at once: blocks are arranged in order from the first that a change touches; where that would take
    too long for the takeover (an edit late in a long film), blocks from the takeover on are arranged first, from the
    state that the old music had there; and what is arranged is handed over in slices from `_send_at` on.
    """

    def __init__(self, clock: Clock = SystemClock()) -> None:  # noqa: B008 (it has no state)
        self._clock = clock
        self._score: Score | None = None
        self._arranger: Arranger | None = None
        self._blocks: list[Block] = []
        self._todo: deque[tuple[float, float]] = deque()  # stretches still to be arranged
        self._old: dict[tuple[float, float], Block] = {}  # of the music before, to be taken over where nothing differs
        self._same_from = EVER  # from here on the music before had the same chords
        self._ahead: list[Block] = []  # arranged before their turn
        self._ahead_todo: deque[tuple[float, float]] = deque()
        self._send_at: float | None = None  # the player gets blocks from here on; None: it has them all
        self._fresh_from = EVER  # from here on the player has what is arranged
        self._ends_at = EVER  # from here on the player has nothing: more of what it got last is still to be composed
        self._takeover = -EVER
        self._position = -EVER
        self._whole_due = False
        self._ahead_state: ArrangeState | None = None
        self._block_s = 0.003  # what a block costs, a running mean
        self._base: tuple[Composition, ArrangeOptions, tuple[FixedVoicing, ...]] | None = None
        self.planned_to_beats = -EVER  # arranged and handed over up to here

    @property
    def notes(self) -> tuple[Note, ...]:
        """All notes arranged so far."""
        return tuple(chain.from_iterable(block.notes for block in self._blocks))

    @property
    def arrangement(self) -> Arrangement | None:
        """All of it, as it is played; None while something is left to arrange."""
        if self._score is None or not self._score.complete or self._todo:
            return None
        controllers = tuple(chain.from_iterable(block.controllers for block in self._blocks))
        return Arrangement(self.notes, controllers)

    @property
    def blocks(self) -> tuple[Block, ...] | None:
        """All of it in pieces, in order; None while something is left to arrange."""
        if self._score is None or not self._score.complete or self._todo:
            return None
        return tuple(self._blocks)

    @property
    def composition(self) -> Composition | None:
        """The composition that it is arranged from, pins in place; None before there is one."""
        return None if self._score is None else self._score.pinned

    @property
    def end_beats(self) -> float:
        """Where the last note ends; 0 while there is none."""
        return max([block.rings_to_beats for block in self._blocks[-24:]], default=0.0)

    def state_before(self, beats: float, tempo_map: TempoMap) -> ArrangeState | None:
        """What is carried into the block that a beat lies in; None where that is not known on this tempo map."""
        if self._score is None or self._score.pinned.tempo_map != tempo_map:
            return None
        blocks = tuple(self._blocks)  # another thread may be at work on them
        index = bisect_right(blocks, beats + 1e-6, key=lambda block: block.start_beats) - 1
        return blocks[index].before if index >= 0 else None

    def count_notes(self, start_beats: float, end_beats: float, part: str = "all") -> int:
        """How many notes begin in a stretch."""
        total = 0
        for block in self._touched(start_beats, end_beats):
            # Of a block well inside nothing has to be looked at: two hours have a hundred thousand notes.
            inside = block.start_beats >= start_beats + EDGE_BEATS and block.end_beats <= end_beats - EDGE_BEATS
            if part == "all" and inside:
                total += len(block.notes)
            else:
                total += sum(1 for _ in _beginning(block.notes, start_beats, end_beats, part))
        return total

    def first_notes(self, start_beats: float, end_beats: float, most: int, part: str = "all") -> list[Note]:
        """The first notes that begin in a stretch, block by block."""
        found = (
            note
            for block in self._touched(start_beats, end_beats)
            for note in _beginning(block.notes, start_beats, end_beats, part)
        )
        return list(islice(found, most))

    def _touched(self, start_beats: float, end_beats: float) -> Iterator[Block]:
        blocks = tuple(self._blocks)  # another thread may be at work on them
        first = max(bisect_right(blocks, start_beats, key=lambda block: block.start_beats) - 1, 0)
        for index in range(first, len(blocks)):
            if blocks[index].start_beats >= end_beats:
                return
            yield blocks[index]

    @property
    def busy(self) -> bool:
        """Whether something is left to arrange or to send."""
        return bool(self._todo) or self._send_at is not None

    @property
    def complete(self) -> bool:
        """Arranged and sent to the end of the film."""
        return self._score is not None and self._score.complete and not self.busy

    def update(self, score: Score, takeover_beats: float | None) -> None:
        """New music, to be heard from `takeover_beats` on; None: from the beginning (nothing is playing)."""
        kept = self._still_valid(score)
        first_change = self._blocks[kept].start_beats if kept < len(self._blocks) else self._reached(kept)
        changed = kept < len(self._blocks) or self._score is None or (self._ahead and takeover_beats is not None)
        old_blocks, old_score = self._blocks[kept:], self._score
        base = self._base_voicings(score)
        self._remember_old(score, kept)
        del self._blocks[kept:]
        self._score, self._ahead = score, []
        self._ahead_todo.clear()
        options = score.options if base is None else replace(score.options, fixed_voicings=base)
        self._arranger = Arranger(score.pinned, options, complete=score.complete)
        self._todo = deque(_pieces(score, self._arranger, self._reached(kept)))
        if changed or old_score is None:
            wanted = first_change if takeover_beats is None else max(first_change, takeover_beats)
            if first_change < wanted or self._fresh_from > wanted:
                self._fresh_from = wanted
            self._takeover = wanted
            self._send_from(wanted)
            self._arrange_ahead(old_blocks)
        elif self._todo and self._send_at is None:
            # More of the same; where it did not reach its takeover yet, the player still waits for that.
            reached = self._reached(kept)
            self._send_from(max(reached, self._fresh_from) if self._fresh_from < EVER else reached)

    def hand_over_again(self, takeover_beats: float | None) -> None:
        """The player gets what is arranged once more, from a position on; None: from the beginning (nothing plays)."""
        if not self._blocks and not self._todo:
            return
        first = self._start_beats  # before all where the whole is being arranged anew
        wanted = first if takeover_beats is None else max(first, takeover_beats)
        if first < wanted or self._fresh_from > wanted:
            self._fresh_from = wanted
        self._takeover = wanted
        self._send_from(wanted)

    def _send_from(self, beats: float) -> None:
        """The player gets blocks from there on, and from where it has nothing, whatever takes over later."""
        self._send_at = min(beats, self._ends_at, EVER if self._send_at is None else self._send_at)

    def give_up(self) -> None:
        """Leaves out what could not be arranged: nothing more is sent until the next `update`."""
        self._todo.clear()
        self._ahead_todo.clear()
        self._ahead, self._send_at, self._score = [], None, None

    def _remember_old(self, score: Score, kept: int) -> None:
        """Remembers the blocks of the music before that may be the same further on."""
        self._old, self._same_from = {}, EVER
        old = self._score
        if old is None or not _same_frame(old, score) or not (old.complete and score.complete):
            return
        count = _common_end(old.pinned.slots, score.pinned.slots)
        if not count or _common_end(old.composed.slots, score.composed.slots) < count:
            return
        self._same_from = score.pinned.slots[len(score.pinned.slots) - count].start_beats
        self._old = {(block.start_beats, block.end_beats): block for block in self._blocks[kept:]}

    def _base_voicings(self, score: Score) -> tuple[FixedVoicing, ...] | None:
        """How the music without pins is voiced; pins change nothing but themselves.  None where there are none."""
        if score.pinned is score.composed:
            return None
        old = self._score
        if (
            old is not None
            and old.pinned is old.composed
            and old.complete
            and not self._todo
            and _same_frame(old, score)
        ):
            voicings = tuple(each for block in self._blocks for each in block.voicings)
            self._base = (old.composed, old.options, voicings)
        if self._base is not None and self._base[0].slots == score.composed.slots and self._base[1] == score.options:
            return self._base[2]
        voicings = fixed_around_pins(score)
        self._base = (score.composed, score.options, voicings)
        return voicings

    def _arrange_ahead(self, old_blocks: list[Block]) -> None:
        """Where the blocks before the takeover would take too long, those after it come first."""
        before = [piece for piece in self._todo if piece[1] <= self._takeover]
        if len(before) * self._block_s < PATIENCE_S or self._score is None or self._score.all_kept:
            return
        start = before[-1][1]
        states = [block for block in old_blocks if block.start_beats <= start and block.before is not None]
        if not states:
            return
        self._ahead_state = states[-1].before
        self._ahead_todo = deque(piece for piece in self._todo if piece[0] >= start)

    # arranging and handing over -------------------------------------------------------------------------------------
    def work(
        self,
        budget_s: float,
        position_beats: float | None,
        *,
        wraps_to: float | None = None,
        between: Callable[[], None] = lambda: None,
    ) -> list[Load]:
        """Arranges for about `budget_s`; position_beats: the playhead while it rolls, else None.

        wraps_to: the playhead is about to jump there; what is handed over now is heard after the jump.
        between: called after each block.
        """
        deadline_s = self._clock.now() + budget_s
        while (self._ahead_todo or self._todo) and self._clock.now() < deadline_s:
            self._arrange_next()
            between()
        self._look_back(position_beats, wraps_to)
        load = self._next_load()
        return [load] if load is not None else []

    def finish(self, budget_s: float) -> None:
        """Arranges what is left, for about `budget_s`; the player gets it from `work`."""
        deadline_s = self._clock.now() + budget_s
        while self._todo and self._clock.now() < deadline_s:
            self._arrange_next()

    def _arrange_next(self) -> None:
        if self._ahead_todo and (len(self._ahead) < AHEAD_BLOCKS or not self._todo):
            state = self._ahead[-1].after if self._ahead else self._ahead_state
            start, end = self._ahead_todo.popleft()
            self._ahead.append(self._arranged(start, end, state, from_beats=start))
            return
        start, end = self._todo.popleft()
        state = self._blocks[-1].after if self._blocks else None
        if self._ahead and self._ahead[0].start_beats == start:
            if self._ahead[0].before == state:
                # What was arranged before its turn is what its turn would have given.
                self._blocks += self._ahead
                reached = self._ahead[-1].end_beats
                self._todo = deque(piece for piece in self._todo if piece[0] >= reached)
                self._ahead, self._ahead_todo = [], deque()
                return
            # It is not: it goes on sounding until play stops or jumps, then the player gets the other.
            self._fresh_from = EVER
        old = self._old.get((start, end))
        if old is not None and start >= self._same_from and old.before == state:
            self._blocks.append(old)
        else:
            self._blocks.append(self._arranged(start, end, state, from_beats=start if self._blocks else -EVER))

    def _arranged(self, start: float, end: float, state: ArrangeState | None, *, from_beats: float) -> Block:
        """from_beats: where what is kept or locked is taken from: the first block has what begins before it, too."""
        score, arranger = self._score, self._arranger
        assert score is not None and arranger is not None
        began_s = self._clock.now()
        if score.all_kept:
            made: Arrangement | KeptPiece = kept_between(score.kept[0], from_beats, end)
        else:
            made = shifted(arranger.arrange(start, end, state), score.shifts)
            made = with_kept(made, score.kept, from_beats, end)
        self._block_s += (self._clock.now() - began_s - self._block_s) * 0.1
        rings_to = max([note.end_beats for note in made.notes], default=0.0)
        return Block(start, end, made.notes, made.controllers, state, made.state, made.voicings, rings_to)

    def _look_back(self, position_beats: float | None, wraps_to: float | None) -> None:
        """The player gets what lies before a takeover as soon as the playhead may come there again."""
        jumped = position_beats is not None and position_beats < self._position - JUMP_BEATS
        self._position = -EVER if position_beats is None else position_beats
        if self._fresh_from <= self._start_beats or not self._blocks:
            return
        if position_beats is None:
            again = -EVER
        elif wraps_to is not None and wraps_to < self._fresh_from:
            again = wraps_to
        elif jumped and position_beats < self._fresh_from:
            again = position_beats
        elif position_beats > self._takeover and not self.busy and self._small:
            self._whole_due = True  # in one piece: in slices the playhead would outrun them
            again = -EVER
        else:
            return
        self._fresh_from = self._send_at = again
        self._ahead, self._ahead_todo = [], deque()

    @property
    def _small(self) -> bool:
        return len(self._blocks) * BLOCK_SLOTS < SMALL_SLOTS

    @property
    def _start_beats(self) -> float:
        return self._blocks[0].start_beats if self._blocks else -EVER

    def _next_load(self) -> Load | None:
        """The next slice for the player, with notes from before that still sound: they would be cut there."""
        start = self._send_at
        if start is None:
            return None
        blocks = self._blocks
        if self._ahead and self._ahead[0].start_beats <= max(start, self._takeover):
            blocks = self._ahead
        first = max(bisect_right(blocks, start, key=lambda block: block.start_beats) - 1, 0)
        chosen: list[Block] = []
        count, most = 0, SLICE_EVENTS if self._small else LONG_SLICE_EVENTS
        for block in blocks[first:]:
            if block.end_beats > start and (count < most or self._whole_due):
                chosen.append(block)
                count += len(block.notes) + len(block.controllers)
        if not chosen:
            return self._nothing_left()
        end = chosen[-1].end_beats
        if chosen[0] is self._blocks[0] if self._blocks else False:
            start = -EVER if start <= chosen[0].start_beats else start
        chosen = [*blocks[max(first - RING_BLOCKS, 0) : first], *chosen]
        self._whole_due = False
        self._send_at = self.planned_to_beats = end
        if not self._todo and not self._ahead_todo and end >= blocks[-1].end_beats:
            self._send_at = None
        self._ends_at = EVER if self._score is not None and self._score.complete else end
        notes = tuple(note for block in chosen for note in block.notes if note.end_beats > start)
        return Load(start, notes, _controllers_from(start, chosen))

    def _nothing_left(self) -> Load | None:
        if self._todo or self._ahead_todo:
            return None
        self._send_at = None
        if not self._blocks and self._score is not None and self._score.complete:
            return Load(-EVER, (), ())  # nothing plays any more
        return None

    def _reached(self, kept: int) -> float:
        return self._blocks[kept - 1].end_beats if kept else -EVER

    # what stays -----------------------------------------------------------------------------------------------------
    def _still_valid(self, score: Score) -> int:
        """How many blocks from the beginning the new score leaves as they are."""
        old = self._score
        if old is None or not _same_frame(old, score):
            return 0
        limit = _limit(old.pinned.slots, score.pinned.slots, old.complete and score.complete)
        if old.composed is not old.pinned or score.composed is not score.pinned:
            # Voicings are fixed from the unpinned music: all before the first difference of either stays.
            limit = min(limit, _limit(old.composed.slots, score.composed.slots, True))
        return bisect_right(self._blocks, limit, key=lambda block: block.end_beats)


def _pieces(score: Score, arranger: Arranger, reached: float) -> Iterator[tuple[float, float]]:
    """Stretches of a few slots each, from what is arranged to where no later chord can change the music."""
    slots = score.pinned.slots
    if not slots:
        return
    begin = max(arranger.start_beats, reached)
    limit = arranger.end_beats if score.complete else arranger.final_to_beats
    marks = [slot.start_beats for slot in slots[BLOCK_SLOTS::BLOCK_SLOTS] if begin < slot.start_beats < limit]
    for end in (*marks, limit):
        if end > begin:
            yield begin, end
            begin = end


def _same_frame(old: Score, new: Score) -> bool:
    return (
        old.kept == new.kept
        and old.options == new.options
        and old.shifts == new.shifts
        and old.pinned.tempo_map == new.pinned.tempo_map
        and old.pinned.grid == new.pinned.grid
        and old.pinned.key == new.pinned.key
        and _frames(old.pinned) == _frames(new.pinned)
        and old.pinned.hits == new.pinned.hits
        and old.pinned.cuts == new.pinned.cuts
    )


def _frames(composition: Composition) -> list[Cue]:
    """The cues without what only the networks ask for."""
    return [replace(cue, progression=None, progression_from_s=None, take=None) for cue in composition.cues]


def _common(old: tuple[Slot, ...], new: tuple[Slot, ...]) -> int:
    """How many slots both begin with."""
    for index, (first, second) in enumerate(zip(old, new, strict=False)):
        if first is not second and first != second:
            return index
    return min(len(old), len(new))


def _common_end(old: tuple[Slot, ...], new: tuple[Slot, ...]) -> int:
    """How many slots both end with; none where they are not equally many."""
    if len(old) != len(new):
        return 0
    for count, (first, second) in enumerate(zip(reversed(old), reversed(new), strict=True)):
        if first is not second and first != second:
            return count
    return len(old)


def _limit(old: tuple[Slot, ...], new: tuple[Slot, ...], whole: bool) -> float:
    """Up to where nothing differs: the beginning of the last chord that both share, since what comes after a chord
    may show in it."""
    same = _common(old, new)
    if whole and same == len(old) == len(new):
        return EVER
    if not same:
        return -EVER
    first = same - 1
    while first and new[first - 1].chord == new[same - 1].chord:
        first -= 1
    return new[first].start_beats
