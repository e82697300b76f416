"""A session on the real Performer with a clock that stands still until it is moved: no process, no waiting.

    with offline_time() as clock:
        stage = OfflineStage(clock, engine, options)
        stage.osc("/cue/play")
        stage.run(4.0)
        stage.sent  # what would have gone out, with the host second of each message

This is the one place in the tests that knows how a session is put together without its processes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bridge.controls.dispatch import Controls
from bridge.daw.link import Outgoing
from bridge.daw.session import DawBridge
from bridge.osc.codec import Argument, decode, encode
from bridge.osc.server import Datagram
from bridge.player import messages as m
from bridge.player.link import PlayerLink
from bridge.player.performer import Performer
from bridge.player.ports import RecordOnly, port_names
from bridge.player.process import STATUS_S, deliver
from bridge.session.file.autosave import Autosave
from bridge.session.file.later import Later
from bridge.session.now import OfflineClock
from bridge.session.session import Session, SessionOptions
from engine.document import SavedSession
from engine.music import UserError

TICK_S = 0.02  # as the loop of `live`
ASKER = ("127.0.0.1", 5555)
START_HOST_S = 1000.0
SHORT_S = Later.short_s


@contextmanager
def offline_time() -> Iterator[OfflineClock]:
    """`time.perf_counter` is a clock moved by hand, for everything in this process.

    By it a disk takes no time, so a turn waits for its answer however long that takes: otherwise a busy machine decides
    in which turn that comes.  Tests of a disk that hangs call `hurried`.
    """
    real, clock = time.perf_counter, OfflineClock(START_HOST_S)
    time.perf_counter = clock.now  # type: ignore[assignment]
    Later.short_s = Patience.SECONDS
    try:
        yield clock
    finally:
        time.perf_counter, Later.short_s = real, SHORT_S


def hurried() -> None:
    """From here on a turn waits for a disk as shortly as in `live`."""
    Later.short_s = SHORT_S


class Patience:
    """With what threads and disks do in seconds of this world, however few of those a clock moved by hand has taken."""

    SECONDS = 30.0

    def __init__(self) -> None:
        self._end_s = time.monotonic() + self.SECONDS

    def wait(self, lacking: str) -> None:
        """A moment; fails when all of it is used up."""
        assert time.monotonic() < self._end_s, lacking
        time.sleep(0.001)


class OfflineOutput(RecordOnly):
    """Keeps the timecode and clock too, which no report tells of."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(names, "offline")
        self.sync: list[tuple[float, bytes]] = []

    def send_sync(self, batch: Sequence[tuple[float, bytes]]) -> None:
        self.sync += batch


class OfflinePlayer(PlayerLink):
    """The player's link with its Performer in this process: every command crosses as the message that it would be."""

    def __init__(self, options: m.PlayerOptions, clock: OfflineClock) -> None:
        super().__init__(replace(options, ports=replace(options.ports, api="none")))
        self._clock = clock
        self.performed: list[m.SentEvent] = []  # everything that went out
        self._reported: list[m.SentEvent] = []
        self._next_status_s = 0.0
        self._begin()

    def _begin(self) -> None:
        self.output = OfflineOutput(port_names(self.options.ports, self.options.parts))
        self.performer = Performer(self.options, lambda: self.output, self._clock.now(), self._reported.extend)

    def die(self) -> None:
        """The process is killed, and another one goes on as the link lets it: with its debts and all that it knew."""
        self._reported.clear()
        status, debts = self._status, sorted(self._sounding)
        assert status is not None
        self._begin()
        self.performer.settle_debts(debts, [], self._clock.now())
        for message in self._memory.everything(status):
            self._write(message)
        self.report()

    def _write(self, message: bytes) -> None:
        kind, payload, now = message[:1], message[1:], self._clock.now()
        if kind == m.SYNC:
            self.performer.set_sync(m.unpack_sync(payload), now)
        else:
            deliver(self.performer, kind, payload, now)
        self.report()

    def set_ports(self, ports: m.PortOptions) -> None:
        raise NotImplementedError("an offline player has no ports to open anew")

    def advance(self, seconds: float) -> None:
        """Lets time go by, in steps no longer than a turn of the session's loop."""
        end_s = self._clock.now() + seconds
        while self._clock.now() < end_s - 1e-9:
            self.run_until(min(self._clock.now() + TICK_S, end_s))

    def run_until(self, host_s: float) -> None:
        """Performs everything that is due, each message at its own moment."""
        while (wake_s := self.performer.next_wake()) is not None and wake_s <= host_s:
            self._clock.advance(max(wake_s - self._clock.now(), 0.0))
            self.performer.step(self._clock.now())
        self._clock.advance(max(host_s - self._clock.now(), 0.0))
        self.performer.step(self._clock.now())
        self.report()

    def report(self) -> None:
        """What the process would write into its pipe."""
        now = self._clock.now()
        if self._reported:
            self.performed += self._reported
            events = m.pack_sent(self._reported)
            self._reported.clear()
            self._take(events[:1], events[1:])
        if self.performer.changed or now >= self._next_status_s:
            self._next_status_s = now + STATUS_S
            status = m.pack_status(self.performer.status(now, "offline"))
            self._take(status[:1], status[1:])


class OfflineStage:
    """A session, its controls and its player.  engine: has `send(message)` and `inbox`, the answers.

    answers: every OSC answer, (address, arguments).  refused: every refusal,
    (address, code, sentence).  said: the sentences for the person.
    """

    def __init__(
        self,
        clock: OfflineClock,
        engine: Any,
        options: SessionOptions,
        player: m.PlayerOptions | None = None,
        *,
        folders: Sequence[Path] = (),
        session_file: Path | None = None,
        saved: SavedSession | None = None,
    ) -> None:
        self.clock, self.engine = clock, engine
        self.player = OfflinePlayer(player or m.PlayerOptions(), clock)
        self.said: list[str] = []
        self.answers: list[tuple[str, tuple[Argument, ...]]] = []
        self.refused: list[tuple[str, str, str]] = []
        self.to_script: list[Outgoing] = []
        self.pushed: list[bytes] = []
        self.session = Session(options, self.player, engine.send, say=self.said.append)
        self.daw = DawBridge(self.session, self.to_script.extend, "test")
        self.autosave = None if session_file is None else Autosave(self.session, session_file, self.said.append)
        self.controls = Controls(
            self.session,
            lambda target, address, values: self.answers.append((address, tuple(values))),
            lambda target, address, code, text: self.refused.append((address, code, text)),
            folders=folders,
            save=None if self.autosave is None else self._save,
            daw=self.daw,
        )
        if saved is not None:
            self.session.restore(saved)
        self.session.begin()
        self.step()

    def _save(self, name: str | None, replace: bool, done: Callable[[Path | UserError], None]) -> None:
        """Waits for the disk: the offline clock would not."""
        assert self.autosave is not None
        done(self.autosave.save(None if name is None else Path(name), replace=replace))

    def close(self) -> None:
        self.session.plan.close()
        if self.autosave is not None:
            self.autosave.close()

    @property
    def sent(self) -> list[m.SentEvent]:
        """Every message that went out, with its host second."""
        return self.player.performed

    def step(self) -> None:
        """One turn of the loop of `live`."""
        now_s = self.clock.now()
        with self.session.plan.turn():
            while self.engine.inbox:
                messages, self.engine.inbox = self.engine.inbox, []
                for message in messages:
                    self.session.on_engine(message)
                    self.session.hurry(answered=True)
            self.daw.tick(now_s)
            self.session.tick()
            self.controls.midi.tick(now_s)
            self.controls.push(lambda target, datagram: self.pushed.append(datagram))

    def play_on_control_port(self, rows: Sequence[tuple[float, int, float]]) -> None:
        """Notes as a person plays them: (seconds from now, pitch, seconds)."""
        now_s = self.clock.now()
        events = [(now_s + at_s, bytes((0x90, pitch, 80))) for at_s, pitch, _ in rows]
        events += [(now_s + at_s + length_s, bytes((0x80, pitch, 0))) for at_s, pitch, length_s in rows]
        for host_s, data in sorted(events):
            self.run(max(host_s - self.clock.now(), 0.0))
            self.player._touched.append(m.Touch(host_s, data))
            self.step()

    def run(self, seconds: float) -> None:
        """Lets time go by, a turn every 20 ms."""
        end_s = self.clock.now() + seconds
        while self.clock.now() < end_s - 1e-9:
            self.player.run_until(min(self.clock.now() + TICK_S, end_s))
            self.step()

    def until(self, met: Callable[[], bool], timeout_s: float = 60.0) -> None:
        end_s, patience = self.clock.now() + timeout_s, Patience()
        while not met():
            if self.clock.now() < end_s:
                self.run(TICK_S)
            else:
                patience.wait(f"not seen in {timeout_s:g} s of the clock; {self.said[-3:]}")
                self.step()

    def ready(self) -> None:
        """Until what was asked for is composed, arranged and with the player."""
        self.run(TICK_S)
        self.until(lambda: self.session.idle)

    def played(self, seconds: float) -> list[m.SentEvent]:
        """All that is sent while the film of so many seconds plays once from its beginning, and a little longer."""
        self.ready()
        self.session.locate(0.0)
        self.run(0.3)
        before = len(self.sent)
        self.osc("/cue/play")
        self.run(seconds + 6.0)
        return list(self.sent[before:])

    def osc(self, address: str, *arguments: Argument) -> tuple[Argument, ...]:
        """One message as it would come over the network; returns the answer's arguments.  Fails on a refusal."""
        before, refused = len(self.answers), len(self.refused)
        messages = decode(encode(address, arguments))
        with self.session.plan.turn():
            self.controls.datagram(Datagram(messages, ASKER, self.clock.now()))
            self.session.hurry(answered=False)
        assert len(self.refused) == refused, self.refused[refused:]
        return self.answers[-1][1] if len(self.answers) > before else ()

    def osc_file(self, address: str, *arguments: Argument) -> tuple[Argument, ...]:
        """As `osc`, for what is answered once a file is read, which takes time of this world."""
        before, refused = len(self.answers), len(self.refused)
        assert self.osc(address, *arguments) == (), "it was answered before the file was read"
        patience = Patience()
        while len(self.answers) == before and len(self.refused) == refused:
            patience.wait("the file was not read")
            self.step()
        assert len(self.refused) == refused, self.refused[refused:]
        return self.answers[before][1]
