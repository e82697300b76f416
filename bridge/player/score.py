"""The plan as the player holds it: notes and controllers per part, editable ahead of the playhead.

All times are in one unit, beats or seconds ("native" below); the scheduler turns them into positions through
the tempo line at the moment they are needed, so a tempo change costs nothing here.

A new plan replaces everything from a position on.  While the playhead rolls it may only take over a little
ahead of it (`effective`), and what it wanted before that is kept aside and put in at the next jump
(`settle`): what sounds at a position then depends on the plan alone, not on where play was when the plan
arrived.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

TOLERANCE: float = 1e-6  # native units within which two times are the same
LET_GO: int = 10_000  # notes at a time: to let go of all of two hours at once takes longer than a turn has


class PlannedNote:
    """start, end in native units; channel 0..15.  `end` moves when a new plan continues or cuts the note."""

    __slots__ = ("channel", "end", "pitch", "start", "velocity")

    def __init__(self, start: float, end: float, pitch: int, velocity: int, channel: int) -> None:
        self.start = start
        self.end = end
        self.pitch = pitch
        self.velocity = velocity
        self.channel = channel

    def __repr__(self) -> str:
        return f"PlannedNote({self.start:g}..{self.end:g} {self.pitch} v{self.velocity} c{self.channel + 1})"


class ControlStream:
    """The values of one controller on one channel, ascending in time."""

    __slots__ = ("cursor", "times", "values")

    def __init__(self) -> None:
        self.times: list[float] = []
        self.values: list[int] = []
        self.cursor = 0

    def add(self, time: float, value: int) -> None:
        """Keeps order; of two values at one time the later wins."""
        if not self.times or time > self.times[-1]:
            self.times.append(time)
            self.values.append(value)
            return
        index = bisect_left(self.times, time)
        if self.times[index] == time:
            self.values[index] = value
        else:
            self.times.insert(index, time)
            self.values.insert(index, value)

    def value_at(self, time: float) -> int | None:
        index = bisect_right(self.times, time) - 1
        return None if index < 0 else self.values[index]

    def replace(self, time: float, other: ControlStream | None) -> None:
        """From `time` on, `other`; its value in force at `time` is stated there."""
        keep = bisect_left(self.times, time)
        del self.times[keep:], self.values[keep:]
        self.cursor = min(self.cursor, keep)
        if other is None:
            return
        first = bisect_left(other.times, time)
        if first and (first == len(other.times) or other.times[first] > time):
            self.times.append(time)
            self.values.append(other.values[first - 1])
        self.times.extend(other.times[first:])
        self.values.extend(other.values[first:])


Streams = dict[tuple[int, int], ControlStream]  # (channel 0..15, controller number)


@dataclass(slots=True, eq=False)
class Lane:
    """One part's notes, ascending in start, and its controllers.

    index: place among the lanes of a score.  sustained: a locate into a note makes it sound.
    """

    part: str
    index: int = 0
    sustained: bool = False
    notes: list[PlannedNote] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    streams: Streams = field(default_factory=dict)
    cursor: int = 0
    longest: float = 0.0  # no note is longer: bounds the search backwards

    def add(self, note: PlannedNote) -> None:
        if note.end - note.start > self.longest:
            self.longest = note.end - note.start
        if not self.starts or note.start >= self.starts[-1]:
            self.notes.append(note)
            self.starts.append(note.start)
            return
        index = bisect_right(self.starts, note.start)
        self.notes.insert(index, note)
        self.starts.insert(index, note.start)

    def add_control(self, time: float, channel: int, number: int, value: int) -> None:
        stream = self.streams.get((channel, number))
        if stream is None:
            stream = self.streams[channel, number] = ControlStream()
        stream.add(time, value)

    def spanning(self, time: float) -> list[PlannedNote]:
        """Notes that began before `time` and end after it."""
        last = bisect_left(self.starts, time - TOLERANCE)
        first = bisect_left(self.starts, time - self.longest - TOLERANCE)
        return [note for note in self.notes[first:last] if note.end > time + TOLERANCE]

    def seek(self, time: float) -> None:
        """The next event to play is the first at or after `time`."""
        self.cursor = bisect_left(self.starts, time)
        for stream in self.streams.values():
            stream.cursor = bisect_right(stream.times, time)  # what holds at `time` is chased, not played

    def replace(self, time: float, new: Lane, ended: Callable[[PlannedNote], None]) -> None:
        """From `time` on, `new`.  `ended` is told each old note whose end is about to be changed.

        A sounding note that the new plan holds too (same channel and pitch) goes on to the new end: it is not
        struck again.  Of a sustained part that also goes for a new note that begins just there; an arpeggio
        strikes.
        """
        old = self.spanning(time)
        keep = bisect_left(self.starts, time - TOLERANCE)
        del self.notes[keep:], self.starts[keep:]
        first = bisect_left(new.starts, time - TOLERANCE)
        later, later_starts = new.notes[first:], new.starts[first:]
        going_on = {(note.channel, note.pitch): note for note in new.spanning(time)}
        if self.sustained:
            for note in later:
                if note.start > time + TOLERANCE:
                    break
                going_on.setdefault((note.channel, note.pitch), note)
        continued: set[int] = set()
        for note in old:
            ended(note)
            match = going_on.pop((note.channel, note.pitch), None)
            note.end = time if match is None else match.end
            if match is not None:
                continued.add(id(match))
                self.longest = max(self.longest, note.end - note.start)
        if self.sustained:
            for note in going_on.values():
                if note.start < time - TOLERANCE:
                    self.add(PlannedNote(time, note.end, note.pitch, note.velocity, note.channel))
        if continued:
            # They stand at the very beginning: a long plan is not walked through while notes are due.
            for index in reversed(range(bisect_right(later_starts, time + TOLERANCE))):
                if id(later[index]) in continued:
                    del later[index], later_starts[index]
        self.notes.extend(later)
        self.starts.extend(later_starts)
        self.longest = max(self.longest, new.longest)
        self.cursor = min(self.cursor, len(self.notes))
        for key in self.streams.keys() | new.streams.keys():
            self.streams.setdefault(key, ControlStream()).replace(time, new.streams.get(key))


@dataclass(slots=True)
class _Pending:
    """A plan that took over later than it asked for, to be put in whole at the next jump."""

    wanted: float
    lanes: list[Lane]
    ends: list[tuple[PlannedNote, float]]  # what its taking over changed

    def cut(self, time: float) -> None:
        for lane in self.lanes:
            keep = bisect_left(lane.starts, time - TOLERANCE)
            del lane.notes[keep:], lane.starts[keep:]
            for stream in lane.streams.values():
                keep = bisect_left(stream.times, time)
                del stream.times[keep:], stream.values[keep:]


class Score:
    """The lanes of all parts; see the module's text for `load` and `settle`."""

    def __init__(self, parts: tuple[str, ...], sustained: frozenset[str] = frozenset({"pad"})) -> None:
        self.unit = "beats"
        self.revision = -1
        self.sustained = sustained
        self.lanes: list[Lane] = []
        self._pending: list[_Pending] = []
        self._replaced: list[PlannedNote] = []  # nobody's any more
        for part in parts:
            self.add_part(part)

    def add_part(self, part: str) -> None:
        self.lanes.append(Lane(part, len(self.lanes), part in self.sustained))

    def blank(self) -> list[Lane]:
        """Lanes to gather a new plan in."""
        return [Lane(lane.part, lane.index, lane.sustained) for lane in self.lanes]

    def load(self, revision: int, lanes: list[Lane], wanted: float, effective: float) -> None:
        """Puts a plan in from `effective` on (>= wanted); the part between the two waits for `settle`."""
        ends: list[tuple[PlannedNote, float]] = []

        def ended(note: PlannedNote) -> None:
            ends.append((note, note.end))

        for lane, new in zip(self.lanes, lanes, strict=False):
            self._replaced += lane.notes[bisect_left(lane.starts, effective - TOLERANCE) :]
            lane.replace(effective, new, ended)
        del self._replaced[-LET_GO:]
        self.revision = revision
        for pending in self._pending:  # what this plan will replace at the jump need not be kept
            pending.cut(wanted)
        if effective > wanted + TOLERANCE or self._pending:
            self._pending.append(_Pending(wanted, lanes, ends))

    def settle(self) -> None:
        """To be called when nothing sounds and the playhead is about to jump: every plan gets the place it
        asked for.  Safe at any time then; costs list copies only."""
        if not self._pending:
            return
        for pending in reversed(self._pending):
            for note, end in pending.ends:
                note.end = end
        for pending in self._pending:
            for lane, new in zip(self.lanes, pending.lanes, strict=False):
                lane.replace(pending.wanted, new, _ignore)
        self._pending.clear()

    def convert(self, unit: str, to_seconds: Callable[[float], float], to_beats: Callable[[float], float]) -> None:
        """Changes the unit of what is held; rare (a session keeps its grid), costs time in proportion to the
        plan."""
        if unit == self.unit:
            return
        self.settle()
        change = to_seconds if unit == "seconds" else to_beats
        for lane in self.lanes:
            lane.longest = 0.0
            for note in lane.notes:
                note.start, note.end = change(note.start), change(note.end)
                lane.longest = max(lane.longest, note.end - note.start)
            lane.starts = [note.start for note in lane.notes]
            for stream in lane.streams.values():
                stream.times = [change(time) for time in stream.times]
        self.unit = unit

    def seek(self, time: float) -> None:
        for lane in self.lanes:
            lane.seek(time)

    def last_played(self) -> float | None:
        """Start of the last note that has been played or passed."""
        starts = [lane.starts[lane.cursor - 1] for lane in self.lanes if lane.cursor]
        return max(starts) if starts else None

    def controls_at(self, lane: Lane, time: float) -> Iterator[tuple[int, int, int]]:
        """(channel, number, value) in force at a time."""
        for (channel, number), stream in sorted(lane.streams.items()):
            value = stream.value_at(time)
            if value is not None:
                yield channel, number, value


def _ignore(note: PlannedNote) -> None:
    pass
