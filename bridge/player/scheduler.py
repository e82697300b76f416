"""What is sent when: the sans-I/O core of the player.

The scheduler knows the plan (`Score`), the playhead as a straight line (`Motion`) and what sounds (`Ledger`).
It is driven by host times alone: `advance(until)` puts every event that is due by then into `out`, each with
its own deadline, so a late caller delays events but never moves the ones behind them.  It never sleeps, reads
a clock or touches a port.

Rules it keeps (product words: late, chase, committed, panic):
* a note-on has exactly one note-off; a key that is struck again is released first;
* the cursor only moves back at a jump, so nothing is sent twice, however the playhead is corrected;
* short notes later than `late_limit_s` are dropped, sustained ones start late, note-offs are never dropped;
* CC 123, 120, 121 go out on panic only; CC 0, 7, 10, 32 and program changes never.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from bridge.player.ledger import Key, Ledger
from bridge.player.score import TOLERANCE, Lane, PlannedNote, Score
from bridge.player.tempo import TempoLine
from bridge.transport.state import STANDING, Motion

NEVER_SENT: Final = frozenset({0, 7, 10, 32, *range(120, 128)})
PANIC: Final = (123, 120, 121)
SEEK_TOLERANCE_S: Final = 0.002  # a note this little before a located position still begins there
RESEEK_BEATS: Final = 0.125  # a tempo change that moves the playhead's beat by more is a jump in the music
REPORT_LATE_S: Final = 0.010  # lateness worth counting


class Due(NamedTuple):
    """One message: host time it is due, timeline second it belongs to, port index, status byte, two data
    bytes."""

    host_s: float
    position_s: float
    port: int
    status: int
    data1: int
    data2: int


@dataclass(frozen=True, slots=True)
class Rules:
    """commit_s: what is nearer than this is not replaced.  late_limit_s: later short notes are dropped."""

    commit_s: float = 0.25
    late_limit_s: float = 0.05
    shortest_chase_s: float = 0.1  # less than this left of a note is not worth starting
    long_note_s: float = 1.0  # a late note that lasts this long is started late instead of dropped


@dataclass(slots=True)
class Counts:
    sent: int = 0
    late: int = 0
    dropped: int = 0


@dataclass(slots=True)
class Scheduler:
    """lanes of `score` -> messages.  ports: port index of each lane, in step with `score.lanes`."""

    score: Score
    ports: list[int]
    rules: Rules = field(default_factory=Rules)
    tempo: TempoLine = field(default_factory=lambda: TempoLine.constant(120))
    motion: Motion = STANDING
    out: list[Due] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    counts: Counts = field(default_factory=Counts)
    muted: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)  # parts that the plugin plays
    nudges_s: dict[str, float] = field(default_factory=dict)  # part -> shift, "" = all
    connected: bool = True
    _last_value: dict[Key, int] = field(default_factory=dict)
    _pass_start_s: float = 0.0
    _floor_s: float = 0.0

    # time -------------------------------------------------------------------------------------------------------
    def to_seconds(self, native: float) -> float:
        return native if self.score.unit == "seconds" else self.tempo.seconds_at(native)

    def to_native(self, position_s: float) -> float:
        return position_s if self.score.unit == "seconds" else self.tempo.beats_at(position_s)

    def _host_of(self, native: float, lane: Lane) -> float:
        return self.motion.host_at(self.to_seconds(native)) + self._nudge(lane)

    def _nudge(self, lane: Lane) -> float:
        if not self.nudges_s:
            return 0.0
        return self.nudges_s.get(lane.part, 0.0) + self.nudges_s.get("", 0.0)

    # the playhead -----------------------------------------------------------------------------------------------
    def move(self, motion: Motion, jump: bool) -> None:
        """From `motion.host_s` on the playhead is there.  A jump ends what sounds and begins what should
        sound."""
        if not jump:
            self.motion = motion
            return
        if self.motion.audible or not self.ledger.empty:
            self.release_all(motion.host_s)
        self.score.settle()
        self.motion = motion
        self._floor_s = max(self._floor_s, motion.host_s)
        self._pass_start_s = motion.host_s
        if motion.audible:
            self._seek(motion.host_s)

    def _seek(self, host_s: float) -> None:
        """Sets the cursors and sounds what should be sounding: controllers first, then the pad."""
        position = self.motion.position_at(host_s)
        native = self.to_native(position)
        for lane in self.score.lanes:
            lane.seek(native)
            # Cursors of notes stand a little earlier: a located bar line may be off by rounding.
            before = self.to_native(position - SEEK_TOLERANCE_S)
            lane.cursor = _first_at(lane, before - TOLERANCE)
            if not self.silent(lane.part):
                self._chase(lane, host_s, native, before)

    def _chase(self, lane: Lane, host_s: float, native: float, before: float) -> None:
        port = self.ports[lane.index]
        for channel, number, value in self.score.controls_at(lane, native):
            self._control(host_s, port, channel, number, value, always=True)
        if lane.sustained:
            for note in lane.spanning(before):
                if self._host_of(note.end, lane) - host_s > self.rules.shortest_chase_s:
                    self._strike(host_s, port, note, lane)

    # editing ----------------------------------------------------------------------------------------------------
    def load(self, revision: int, unit: str, lanes: list[Lane], wanted: float, host_s: float) -> float:
        """A new plan from `wanted` (native) on.  Returns the native time from which it will be heard."""
        if unit != self.score.unit:
            motion = Motion(host_s, self.motion.position_at(host_s), self.motion.rate, self.motion.audible)
            self.release_all(host_s)
            self.score.convert(unit, self.tempo.seconds_at, self.tempo.beats_at)
            self.move(motion, jump=True)
        effective = wanted
        if self.motion.audible:
            ahead = self.rules.commit_s + max(0.0, *(-self._nudge(lane) for lane in self.score.lanes), 0.0)
            effective = max(wanted, self.to_native(self.motion.position_at(host_s) + ahead * self.motion.rate))
            played = self.score.last_played()
            if played is not None and effective <= played:
                effective = played + 1e-5
        self.score.load(revision, lanes, wanted, effective)
        return effective

    def set_tempo(self, tempo: TempoLine, host_s: float) -> None:
        """Re-times everything that is still to come.  Where the music itself moves away from the playhead
        (its beat changes by more than `RESEEK_BEATS`), that is a jump."""
        position = self.motion.position_at(host_s)
        before = self.tempo.beats_at(position)
        self.tempo = tempo
        if not self.motion.audible or self.score.unit == "seconds":
            return
        if abs(tempo.beats_at(position) - before) > RESEEK_BEATS:
            motion = self.motion
            self.move(Motion(host_s, position, motion.rate, True), jump=True)

    def silent(self, part: str) -> bool:
        return part in self.muted or part in self.held

    def mute(self, part: str, muted: bool, host_s: float) -> None:
        before = self.silent(part)
        (self.muted.add if muted else self.muted.discard)(part)
        self._silenced(part, before, host_s)

    def hold(self, parts: set[str], host_s: float) -> None:
        """These parts and no others are left to the plugin."""
        before = {part: self.silent(part) for part in parts ^ self.held}
        self.held = parts
        for part, was_silent in before.items():
            self._silenced(part, was_silent, host_s)

    def _silenced(self, part: str, before: bool, host_s: float) -> None:
        silent = self.silent(part)
        for lane in self.score.lanes if silent != before else ():
            if lane.part != part:
                continue
            if silent:
                self._release((key for key, entry in self.ledger.sounding.items() if entry.lane is lane), host_s)
            elif self.motion.audible and self.connected:
                native = self.to_native(self.motion.position_at(host_s))
                self._chase(lane, host_s, native, native)

    # playing ----------------------------------------------------------------------------------------------------
    def next_due(self) -> float | None:
        """Host time of the next event, or None when the playhead stands or nothing is left."""
        item = self._next()
        return None if item is None else item[0]

    def advance(self, until_s: float, actual_s: float | None = None) -> None:
        """Every event due by `until_s` goes to `out`, in order.  actual_s: the time it really is, for the
        late rule (default `until_s`)."""
        actual_s = until_s if actual_s is None else actual_s
        while (item := self._next()) is not None and item[0] <= until_s:
            due, kind, lane, subject = item
            if kind == 0:
                self._off(due, subject)
            elif kind == 1:
                self._play_control(due, lane, subject)
            else:
                self._play_note(due, actual_s, lane)

    def _next(self) -> tuple[float, int, Lane, Key] | None:
        """(host time, kind, lane, key): kind 0 note-off, 1 controller, 2 note-on; that is also their
        order."""
        if not self.motion.audible:
            return None
        # Without shifts of parts the score's own places are in the order of host times: one is reckoned, not each.
        shifted = bool(self.nudges_s)
        first = math.inf
        best: tuple[int, Lane, Key] | None = None
        for key, entry in self.ledger.sounding.items():
            at = self._host_of(entry.note.end, entry.lane) if shifted else entry.note.end
            if at < first:
                first, best = at, (0, entry.lane, key)
        for index, lane in enumerate(self.score.lanes):
            if lane.cursor < len(lane.notes):
                at = lane.starts[lane.cursor]
                if shifted:
                    at = self._host_of(at, lane)
                if at < first:
                    first, best = at, (2, lane, (index, 0, 0))
            for (channel, number), stream in lane.streams.items():
                if stream.cursor < len(stream.times):
                    at = stream.times[stream.cursor]
                    if shifted:
                        at = self._host_of(at, lane)
                    if at < first or (best is not None and at == first and best[0] == 2):
                        first, best = at, (1, lane, (index, channel, number))
        if best is None:
            return None
        kind, lane, key = best
        return (first if shifted else self._host_of(first, lane)), kind, lane, key

    def _play_control(self, due: float, lane: Lane, where: Key) -> None:
        index, channel, number = where
        stream = lane.streams[channel, number]
        value = stream.values[stream.cursor]
        stream.cursor += 1
        if not self.silent(lane.part):
            self._control(due, self.ports[index], channel, number, value)

    def _play_note(self, due: float, actual_s: float, lane: Lane) -> None:
        note = lane.notes[lane.cursor]
        lane.cursor += 1
        if self.silent(lane.part):
            return
        lateness = actual_s - max(due, self._pass_start_s)
        left = self._host_of(note.end, lane) - actual_s
        if not self.connected:
            self.counts.dropped += 1
            return
        if lateness > self.rules.late_limit_s:
            lasting = lane.sustained or (
                lane.part not in ("arp", "drums") and left + lateness >= self.rules.long_note_s
            )
            if not lasting or left <= self.rules.shortest_chase_s:
                self.counts.dropped += 1
                return
        if lateness > REPORT_LATE_S:
            self.counts.late += 1
        self._strike(due, self.ports[lane.index], note, lane)

    # sending ----------------------------------------------------------------------------------------------------
    def _emit(self, due: float, port: int, status: int, data1: int, data2: int) -> None:
        due = self._floor_s = max(due, self._floor_s)
        self.counts.sent += 1
        self.out.append(Due(due, self.motion.position_at(due), port, status, data1, data2))

    def _strike(self, due: float, port: int, note: PlannedNote, lane: Lane) -> None:
        if not self.connected:
            return
        key = (port, note.channel, note.pitch)
        if key in self.ledger.sounding:
            self._off(due, key)
        self.ledger.strike(key, note, lane)
        self._emit(due, port, 0x90 | note.channel, note.pitch, note.velocity)

    def _off(self, due: float, key: Key) -> None:
        self.ledger.release(key)
        port, channel, pitch = key
        self._emit(due, port, 0x80 | channel, pitch, 64)

    def _control(self, due: float, port: int, channel: int, number: int, value: int, always: bool = False) -> None:
        key = (port, channel, number)
        if number in NEVER_SENT or not self.connected:
            return
        if not always and self._last_value.get(key) == value:
            return
        self._last_value[key] = value
        self.ledger.control(port, channel, number, value)
        self._emit(due, port, 0xB0 | channel, number, value)

    def _release(self, keys: Iterable[Key], host_s: float) -> None:
        for key in sorted(keys):
            self._off(host_s, key)

    def release_all(self, host_s: float) -> None:
        """A note-off for every sounding note, and pedals up."""
        self._release(self.ledger.sounding, host_s)
        for port, channel, number in sorted(self.ledger.pedals):
            self._control(host_s, port, channel, number, 0, always=True)

    def panic(self, host_s: float, ports: int) -> None:
        """Offs for what sounds, then All Notes Off, All Sound Off and Reset on every channel of every
        port."""
        self.release_all(host_s)
        if not self.connected:
            return
        for port in range(ports):
            for channel in range(16):
                for number in PANIC:
                    self._emit(host_s, port, 0xB0 | channel, number, 0)
        self._last_value.clear()

    # the port ---------------------------------------------------------------------------------------------------
    def port_lost(self) -> list[Key]:
        """Nothing goes out any more.  Returns the keys whose note-offs are owed when it is back."""
        owed = sorted(self.ledger.sounding)
        self.ledger = Ledger()
        self.connected = False
        self._last_value.clear()
        return owed

    def repeat_offs(self, keys: Iterable[Key], host_s: float) -> None:
        """Note-offs that may not have arrived, once more; nobody minds one for a silent key."""
        for port, channel, pitch in sorted(keys):
            self._emit(host_s, port, 0x80 | channel, pitch, 64)

    def port_back(self, owed: Iterable[Key], host_s: float) -> None:
        """The owed note-offs, then what should be sounding."""
        self.connected = True
        self.repeat_offs(owed, host_s)
        if self.motion.audible:
            native = self.to_native(self.motion.position_at(host_s))
            for lane in self.score.lanes:
                if not self.silent(lane.part):
                    self._chase(lane, host_s, native, native)


def _first_at(lane: Lane, native: float) -> int:
    cursor = lane.cursor
    while cursor and lane.starts[cursor - 1] >= native:
        cursor -= 1
    return cursor
