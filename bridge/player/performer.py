"""The player without its process: transport, scheduler and output tied together, driven by host times.

Everything acts at the *horizon*, `now` plus the output's lookahead: what is due by the horizon is with the
output already, so a command holds from there on and nothing that has been handed over is ever called back.
With rtmidi the lookahead is 0, with the JACK callback one period and a few milliseconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bridge.player.errors import PortError
from bridge.player.intake import PlanIntake
from bridge.player.ledger import Key
from bridge.player.messages import PlayerOptions, PlayerStatus, SentEvent, SyncOptions
from bridge.player.port_types import PortLostError
from bridge.player.ports import Output
from bridge.player.report import describe
from bridge.player.scheduler import Rules, Scheduler
from bridge.player.score import Score
from bridge.player.sync import Synchronizer
from bridge.player.tempo import TempoLine
from bridge.transport.estimator import Follower
from bridge.transport.internal import InternalTransport
from bridge.transport.mtc import carried
from bridge.transport.sender import SyncSender
from bridge.transport.state import Change, Loop, Motion, TransportObservation
from engine.music.timecode import FrameRate

if TYPE_CHECKING:
    from bridge.transport.ableton_link import LinkTransport

REOPEN_S: Final = 1.0  # how often a lost port is tried again
STALL_S: Final = 0.25  # a wrap that lies further back is not played through
XRUN_S: Final = 0.3  # note-offs this fresh may have been lost with a JACK period
# After JACK says that it lost one it may lose more without a word, and with them what was sent again.
XRUN_REPEATS_S: Final = (0.0, 0.1, 0.3)
LAST_MOMENT_S: Final = 1e-4  # before a wrap nothing begins any more


class Performer:
    """`step(now)` does what is due; commands are plain methods that take `now`.

    open_output: opens the ports, at start and after a loss; raises PortError.
    report: told of every batch before it is sent (so that whoever survives this process knows what may
    sound).
    """

    def __init__(
        self,
        options: PlayerOptions,
        open_output: Callable[[], Output],
        now: float,
        report: Callable[[list[SentEvent]], None] | None = None,
    ) -> None:
        self.options = options
        self.output = open_output()
        self._open_output = open_output
        self._report = report
        self.parts: list[str] = list(options.parts)
        self.scheduler = Scheduler(
            Score(options.parts),
            [self._port_of(index) for index in range(len(self.parts))],
            Rules(options.commit_s, options.late_limit_s),
        )
        for part, ms in options.ports.nudge_ms.items():
            self.scheduler.nudges_s[part] = ms / 1000
        self.internal = InternalTransport()
        self.synchronizer = Synchronizer(options.sync, self._tempo_line)
        self.sender = self._make_sender(options.sync)
        self.tempo_revision = -1
        self.port_up = True
        self.notes: list[str] = [self.output.fault] if self.output.fault else []
        self.changed = True  # a status is owed
        self.worst_late_s = 0.0
        self._owed: list[Key] = []
        self._offs: deque[tuple[float, Key]] = deque(maxlen=256)  # the latest note-offs, for `_repeat_offs`
        self._xruns = self.output.xruns
        self._lost_s = 0.0  # note-offs due after this may have been lost
        self._repeats_s: list[float] = []  # host times at which they are sent again
        self._reopen_at = 0.0
        self._horizon = now
        self._intake = PlanIntake()

    def _port_of(self, part: int) -> int:
        return min(part, len(self.output.names) - 1) if self.options.ports.layout == "per-part" else 0

    def _make_sender(self, sync: SyncOptions) -> SyncSender | None:
        if not (sync.send_mtc or sync.send_clock):
            return None
        rate = carried(FrameRate.parse(sync.frame_rate or sync.film_rate or "25")) if sync.send_mtc else None
        return SyncSender(rate, sync.send_clock, self._tempo_line)

    def _tempo_line(self) -> TempoLine:
        return self.scheduler.tempo

    @property
    def _follower(self) -> Follower | None:
        return self.synchronizer.follower

    # time -------------------------------------------------------------------------------------------------------
    def _at(self, now: float) -> float:
        """The host time from which a command given now holds."""
        return max(now + self.output.lookahead_s, self._horizon)

    def step(self, now: float) -> None:
        """Hands everything over that is due by the horizon."""
        if self.port_up and not self.output.alive:
            self._lose(now, "went away")
        if self.output.xruns != self._xruns:
            self._xruns = self.output.xruns
            self._lost_s = now - XRUN_S
            self._repeats_s = [now + after_s for after_s in XRUN_REPEATS_S]
        if self._repeats_s and now >= self._repeats_s[0]:
            del self._repeats_s[0]
            self._repeat_offs(now)
        follower = self._follower
        while follower is not None and (at := follower.next_decision()) is not None and at <= now:
            state = follower.state
            self._apply(follower.decide(now, self._at(now)))
            self.changed |= state != follower.state
        self._advance(self._at(now))
        if not self.port_up and now >= self._reopen_at:
            self._reopen(now)
        self._flush(now)

    def next_wake(self) -> float | None:
        """Host time at which `step` has something to do, or None."""
        due = self.scheduler.next_due()
        change = self._next_change()
        sync = None if self.sender is None else self.sender.next_due()
        times = [time - self.output.lookahead_s for time in (due, change, sync) if time is not None]
        times += self._repeats_s[:1]
        if not self.port_up:
            times.append(self._reopen_at)
        if self._follower is not None and (decision := self._follower.next_decision()) is not None:
            times.append(decision)
        return min(times) if times else None

    def _advance(self, horizon: float) -> None:
        while (change_at := self._next_change()) is not None and change_at <= horizon:
            self.scheduler.advance(change_at - LAST_MOMENT_S, horizon)
            if self.sender is not None:
                self.sender.advance(change_at - LAST_MOMENT_S)
            self._apply(self._change(change_at, horizon))
        self.scheduler.advance(horizon)
        if self.sender is not None:
            self.sender.advance(horizon)
        self._horizon = max(self._horizon, horizon)

    def _next_change(self) -> float | None:
        return (self._follower or self.internal).next_wrap()

    def _change(self, change_at: float, horizon: float) -> Change:
        if self._follower is not None:
            return self._follower.wrap(change_at)
        change = self.internal.wrap(change_at)
        loop = self.internal.loop
        if loop is not None and horizon - change_at > STALL_S:
            # This process was held up: take up where the loop is now instead of playing what was missed.
            position = loop.start_s + (horizon - change_at) % (loop.end_s - loop.start_s)
            change = self.internal.locate(position, horizon)
        return change

    def _apply(self, change: Change | None) -> None:
        if change is not None:
            self.scheduler.move(change.motion, change.jump)
            if self.sender is not None:
                self.sender.move(change.motion, change.jump)
            self.changed = True

    def _flush_sync(self, now: float) -> None:
        if self.sender is None or not self.sender.out:
            return
        batch, self.sender.out = self.sender.out, []
        if not self.port_up:
            return
        try:
            self.output.send_sync(batch)
        except PortLostError as error:
            self._lose(now, str(error))

    def _flush(self, now: float) -> None:
        self._flush_sync(now)
        batch = self.scheduler.out
        if not batch:
            return
        self.scheduler.out = []
        if not self.port_up:
            return
        late = now - min(due.host_s for due in batch)
        self.worst_late_s = max(self.worst_late_s, late)
        # Where messages are queued for their frame they go out when they are due, else now.
        ahead = self.output.lookahead_s > 0
        sent = [
            SentEvent(due.position_s, due.host_s if ahead else now, due.status, due.data1, due.data2, due.port)
            for due in batch
        ]
        self._offs.extend(
            (due.host_s, (due.port, due.status & 0x0F, due.data1)) for due in batch if due.status & 0xF0 == 0x80
        )
        if self._report is not None:
            self._report(sent)
        try:
            self.output.send(batch)
        except PortLostError as error:
            # Some of the batch may have gone out and some not: what it wanted to end may still sound.
            self._owed += [(due.port, due.status & 0x0F, due.data1) for due in batch if due.status & 0xF0 == 0x80]
            self._lose(now, str(error))

    def _repeat_offs(self, now: float) -> None:
        """JACK lost a period, and what was written into it with it: the latest note-offs are sent again."""
        sounding = self.scheduler.ledger.sounding
        fresh = {key for due, key in self._offs if due > self._lost_s and key not in sounding}
        if self.port_up and fresh:
            self.scheduler.repeat_offs(fresh, self._at(now))

    # the port ---------------------------------------------------------------------------------------------------
    def _lose(self, now: float, why: str) -> None:
        self.port_up = False
        self._owed = sorted({*self._owed, *self.scheduler.port_lost()})
        self._reopen_at = now + REOPEN_S
        self.notes.append(f"The MIDI port {self.output.names[0]} was lost ({why}); trying again every second.")
        self.changed = True

    def _reopen(self, now: float) -> None:
        self._reopen_at = now + REOPEN_S
        peers = self.output.peers() or self._peers
        self.output.close()
        try:
            self.output = self._open_output()
        except PortError:
            return
        self.output.connect(peers)
        self.port_up = True
        self.notes.append(f"The MIDI port {self.output.names[0]} is back ({self.output.reason}).")
        self._xruns = self.output.xruns
        self.scheduler.ports = [self._port_of(index) for index in range(len(self.parts))]
        self.scheduler.port_back(self._owed, self._at(now))
        self._owed = []
        self.changed = True

    _peers: tuple[tuple[str, str], ...] = ()

    def remember_peers(self) -> None:
        """Connections as they are, so that a port opened anew gets them back."""
        if self.port_up:
            peers = self.output.peers()
            if peers != self._peers:
                self._peers = peers
                self.changed = True

    def settle_debts(self, keys: list[Key], peers: list[tuple[str, str]], now: float) -> None:
        """Note-offs owed by a player that died, to whoever was connected to it."""
        self.output.connect(peers)
        self._peers = tuple(peers)
        self.scheduler.port_back([key for key in keys if key[0] < len(self.output.names)], self._at(now))
        self._flush(now)

    # commands ---------------------------------------------------------------------------------------------------
    link: LinkTransport | None = None  # while the Link session is a source; held by the process

    def _through_link(self) -> LinkTransport | None:
        """In a Link session everybody may start, stop and choose a place; where it is the source, so do we."""
        return self.link if self._follower is not None and self._follower.source == "link" else None

    def _not_mine(self) -> bool:
        """While an outside source is followed, play, stop and locate are its business."""
        if self._follower is None:
            return False
        self.notes.append(f"The transport follows {self._follower.source}: start, stop and locate there.")
        self.changed = True
        return True

    def play(self, now: float) -> None:
        if (link := self._through_link()) is not None:
            link.set_playing(True)
        elif not self._not_mine():
            self._apply(self.internal.play(self._at(now)))
            self._flush(now)

    def stop(self, now: float) -> None:
        if (link := self._through_link()) is not None:
            link.set_playing(False)
        elif not self._not_mine():
            self._apply(self.internal.stop(self._at(now)))
            self._flush(now)

    def locate(self, position_s: float, now: float) -> None:
        if (link := self._through_link()) is not None:
            for said in link.locate(self.scheduler.tempo.beats_at(position_s)):
                self.observe(said, now)
        elif not self._not_mine():
            self._apply(self.internal.locate(position_s, self._at(now)))
            self._flush(now)

    def resume(self, position_s: float, host_s: float, rolling: bool, now: float) -> None:
        """Goes on from where a playhead that was at `position_s` at `host_s` is now."""
        if self._follower is not None:
            return  # its source will say
        at = self._at(now)
        if rolling:
            position_s += at - host_s
            loop = self.internal.loop
            if loop is not None and position_s - (at - host_s) < loop.end_s <= position_s:
                position_s = loop.start_s + (position_s - loop.end_s) % (loop.end_s - loop.start_s)
        self._apply(self.internal.locate(position_s, at))
        if rolling:
            self._apply(self.internal.play(at))
        self._flush(now)

    def set_loop(self, loop: Loop | None, now: float) -> None:
        self.internal.set_loop(loop, self._at(now))
        self.synchronizer.set_loop(loop, self._at(now))
        self.changed = True

    def panic(self, now: float) -> None:
        self.scheduler.panic(self._at(now), len(self.output.names))
        self._flush(now)
        self.changed = True

    def mute(self, part: int, muted: bool, now: float) -> None:
        for name in self.parts if part == 255 else self.parts[part : part + 1]:
            self.scheduler.mute(name, muted, self._at(now))
        self._flush(now)
        self.changed = True

    def hold(self, parts: list[str], now: float) -> None:
        """The port leaves these parts to the plugin, and takes the others back."""
        self.scheduler.hold(set(parts), self._at(now))
        self._flush(now)
        self.changed = True

    def nudge(self, part: int, seconds: float, now: float) -> None:
        name = "" if part == 255 else self.parts[part]
        self.scheduler.nudges_s[name] = max(-0.25, min(0.25, seconds))

    def set_tempo(self, revision: int, line: TempoLine, now: float) -> None:
        if revision < self.tempo_revision:
            return
        self.tempo_revision = revision
        at = self._at(now)
        follower = self._follower
        if follower is not None and self.synchronizer.counts_beats:
            # The source counts beats: the playhead stays on its beat, which has another second now.
            old = self.scheduler.tempo
            beats = old.beats_at(follower.motion.position_at(at))
            rate = follower.motion.rate * old.bpm_at(beats) / line.bpm_at(beats)
            self.scheduler.tempo = line
            self._apply(follower.shift(line.seconds_at(beats), rate, at))
        else:
            self.scheduler.set_tempo(line, at)
        self._flush(now)
        self.changed = True

    # sync -------------------------------------------------------------------------------------------------------
    def hear(self, host_s: float, data: bytes, now: float) -> None:
        """MIDI from the sync port."""
        for change in self.synchronizer.hear(host_s, data, self._at(now)):
            self._apply(change)
        self._flush(now)

    def observe(self, observation: TransportObservation, now: float) -> None:
        """A position heard by the bridge (DAW script) or from JACK."""
        recording = self.synchronizer.recording
        self._apply(self.synchronizer.observe(observation, self._at(now)))
        self.changed |= recording != self.synchronizer.recording
        self._flush(now)

    def set_sync(self, sync: SyncOptions, now: float) -> None:
        """Another source from now on.  What the old one had started is stopped; the playhead stays where it
        is."""
        at = self._at(now)
        if (sync.position, sync.tempo) == (self.synchronizer.options.position, self.synchronizer.options.tempo):
            sending = (sync.send_mtc, sync.send_clock) == (
                self.synchronizer.options.send_mtc,
                self.synchronizer.options.send_clock,
            )
            self.synchronizer.restate(sync)
            if not sending or (sync.send_mtc and not self.scheduler.motion.audible):
                self._send_anew(sync)
            self.changed = True
            return
        synchronizer = Synchronizer(sync, self._tempo_line)
        position = self.scheduler.motion.position_at(at)
        if sync.position != self.synchronizer.options.position:
            self._apply(Change(Motion(at, position, 0.0, False), jump=True))
            self.internal.stop(at)
            self.internal.locate(position, at)
        synchronizer.set_loop(self.internal.loop, at)
        if (
            synchronizer.follower is not None
            and self._follower is not None
            and sync.position == self.synchronizer.options.position
        ):
            synchronizer.follower = self._follower  # another tempo source only
            synchronizer.follower.freewheel_s = sync.freewheel_s
        self.synchronizer = synchronizer
        self._send_anew(sync)
        self._flush(now)
        self.changed = True

    def _send_anew(self, sync: SyncOptions) -> None:
        self.sender = self._make_sender(sync)
        if self.sender is not None:
            self.sender.move(self.scheduler.motion, jump=True)

    # the plan ---------------------------------------------------------------------------------------------------
    def add_parts(self, parts: list[str]) -> None:
        """Parts may be added, never renamed."""
        for part in parts[len(self.parts) :]:
            self.parts.append(part)
            self.scheduler.score.add_part(part)
            self.scheduler.ports.append(self._port_of(len(self.parts) - 1))

    def begin_plan(self, revision: int, unit: str, from_position: float) -> None:
        self._intake.begin(revision, unit, from_position, self.scheduler.score)

    # size: the seven numbers of a packed event; no object is made for each in the player's loop.
    def plan_event(
        self, kind: int, part: int, channel: int, data1: int, data2: int, start: float, length: float
    ) -> None:
        self._intake.event(kind, part, channel, data1, data2, start, length)

    def commit_plan(self, revision: int, now: float) -> None:
        """A plan older than the one in force, or one whose packets did not all come, is left out."""
        staged = self._intake.take(revision, self.scheduler.score.revision)
        if staged is None:
            return
        self.scheduler.load(revision, staged.unit, staged.lanes, staged.from_position, self._at(now))
        self._flush(now)
        self.changed = True

    # the end ----------------------------------------------------------------------------------------------------
    def finish(self, now: float) -> None:
        """All note-offs, and the ports closed."""
        self.scheduler.release_all(self._at(now))
        self._flush(now)
        self.output.drain(0.5)
        self.output.close()

    # status -----------------------------------------------------------------------------------------------------
    def status(self, now: float, priority: str) -> PlayerStatus:
        """What the bridge is told; sentences and the worst lateness are told once."""
        notes, worst_s = (*self.notes, *self.synchronizer.notes), self.worst_late_s
        self.notes.clear()
        self.synchronizer.notes.clear()
        self.worst_late_s = 0.0
        self.changed = False
        follower = self._follower
        loop = self.internal.loop if follower is None else follower.loop
        return replace(
            describe(self.scheduler, self.synchronizer, self.output, now, self.tempo_revision),
            port_up=self.port_up,
            priority=priority,
            loop=None if loop is None else (loop.start_s, loop.end_s),
            worst_late_ms=worst_s * 1000,
            peers=self._peers,
            notes=notes,
        )
