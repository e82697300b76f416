"""The player process: one thread, one loop, real-time priority where the system allows it.

The loop sleeps until the next deadline or the next message from the bridge, whichever is first, and handles
one message at a time with a look at the deadlines between two.  It never waits for the bridge: what cannot be
written to the pipe now is kept.  On a closed pipe, a SIGTERM or a fault it sends the note-offs and ends.
SIGINT is the bridge's business.
"""

from __future__ import annotations

import contextlib
import gc
import math
import os
import select
import signal
import sys
import time
import traceback
from collections import deque
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Final

from bridge.player import messages as m
from bridge.player.errors import PortError, SyncError
from bridge.player.ledger import Key
from bridge.player.performer import Performer
from bridge.player.ports import Output, jack_missing, open_output
from bridge.player.priority import ask_for_realtime, freeze_garbage, lock_memory
from bridge.player.tempo import TempoLine
from bridge.transport.midi_stream import MidiSplitter
from bridge.transport.state import Loop, TransportObservation

if TYPE_CHECKING:
    from bridge.transport.ableton_link import LinkTransport
    from bridge.transport.jack import JackTransport

STATUS_S: Final = 0.05
PEERS_S: Final = 1.0
JACK_RETRY_S: Final = 2.0
POLL_S: Final = 0.01  # of the Link session
MIDI_SOURCES: Final = {"auto", "mtc", "clock"}
HANDS_KEPT: Final = 512
IDLE_S: Final = 0.05 if os.name == "posix" else 0.01  # without a pipe to be woken by
MESSAGE_S: Final = 0.0005  # no message takes longer; nearer to a deadline none is begun
POSIX: Final = os.name == "posix"


def main(connection: Connection, options: m.PlayerOptions, debts: list[Key], peers: list[tuple[str, str]]) -> None:
    """Entry point of the spawned process.  debts: note-offs owed by a player that died; peers: who heard
    it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    runner: _Runner | None = None
    try:
        runner = _Runner(connection, options, debts, peers)
        runner.run()
    except (PortError, SyncError) as error:
        with contextlib.suppress(OSError, ValueError):
            connection.send_bytes(m.FAULT + str(error).encode())
    except Exception:  # a bug: the notes have to end whatever it is, and the bridge has to hear of it
        with contextlib.suppress(OSError, ValueError):
            connection.send_bytes(m.FAULT + b"\0" + traceback.format_exc(limit=8).encode()[:1500])
    finally:
        if runner is not None:
            runner.finish()


class _Runner:
    def __init__(
        self,
        connection: Connection,
        options: m.PlayerOptions,
        debts: list[Key],
        peers: list[tuple[str, str]],
    ) -> None:
        self._connection = connection
        self._options = options
        self._quit = False
        self._unsent: deque[m.SentEvent] = deque(maxlen=100_000)
        self._readers: list[int | Connection] = [connection.fileno() if POSIX else connection]
        self._wake = _wake_pipe()
        if self._wake is not None:
            self._readers.append(self._wake[0])
        signal.signal(signal.SIGTERM, self._terminate)

        # On JACK python-rtmidi makes a client of every port; one that nobody listens to is not worth it.
        listens = {options.sync.position, options.sync.tempo} & MIDI_SOURCES
        ports = options.ports
        if ports.api == "jack":
            ports = replace(
                ports,
                sync_in=ports.sync_in and bool(listens),
                control_in=bool(ports.control_from) or ports.control_name != m.CONTROL_NAME,
            )
        self._heard: deque[tuple[float, bytes]] = deque()
        self._seen: deque[TransportObservation] = deque()
        self._touched: deque[tuple[float, bytes]] = deque(maxlen=HANDS_KEPT)  # what a person's controller said
        self._control_splitter = MidiSplitter()
        self._jack: JackTransport | None = None
        self._jack_retry = 0.0
        self._api = ""  # the MIDI system that was taken
        self._link: LinkTransport | None = None
        self._link_at = math.inf  # host time of its next reading
        self._said: set[str] = set()

        def opened() -> Output:
            # A Python callback of ours may not run while python-rtmidi opens a JACK client: it holds the interpreter.
            self._close_jack()
            output = open_output(ports, options.parts, self._hear, self._touch, self._api)
            self._api = output.api
            return output

        # A JACK callback will run beside this thread: nothing that holds the interpreter for long may come after it.
        sys.setswitchinterval(0.0005)
        freeze_garbage()
        self._priority = ask_for_realtime(options.realtime)
        if options.realtime and lock_memory():
            self._priority += ", memory locked"
        self.performer = Performer(options, opened, time.perf_counter(), self._report)
        gc.freeze()
        if debts or peers:
            self.performer.settle_debts(debts, peers, time.perf_counter())

    def _terminate(self, number: int, frame: object) -> None:
        self._quit = True

    # sync, from threads of the MIDI systems ---------------------------------------------------------------------
    def _hear(self, host_s: float, data: bytes) -> None:
        self._heard.append((host_s, data))
        self._nudge()

    def _see(self, observation: TransportObservation) -> None:
        self._seen.append(observation)
        self._nudge()

    def _touch(self, host_s: float, data: bytes) -> None:
        """Only the first of many wakes the player: the others go with it."""
        self._touched.append((host_s, data))
        if len(self._touched) == 1:
            self._nudge()

    def _nudge(self) -> None:
        if self._wake is not None:
            with contextlib.suppress(OSError):  # full: it will wake anyway
                os.write(self._wake[1], b"\0")

    def _take_sync(self, performer: Performer) -> None:
        while self._heard:
            host_s, data = self._heard.popleft()
            performer.hear(host_s, data, time.perf_counter())
        while self._seen:
            performer.observe(self._seen.popleft(), time.perf_counter())

    def _keep_jack(self, performer: Performer, now: float) -> None:
        """The JACK transport is watched while it is a source; tried again when there is no server."""
        asked = performer.synchronizer.wants_jack
        wanted = asked or (
            performer.synchronizer.options.position == "auto" and performer.output.api.startswith("jack")
        )
        if self._jack is not None and not (self._jack.alive and wanted):
            self._close_jack()
        if not wanted:
            return
        if self._jack is not None:
            self._jack.refresh()
        elif now >= self._jack_retry:
            self._jack_retry = now + JACK_RETRY_S
            try:
                from bridge.transport.jack import JackTransport

                self._jack = JackTransport("CueBridge transport", self._see)
            except ImportError as error:
                lost = "cannot be followed" if asked else "is not among the sources"
                self._say_once(performer, f"The JACK transport {lost}: {jack_missing(error)}.")
            except PortError as error:
                self._say_once(performer, f"The JACK transport cannot be followed: {error}.")
            else:
                self._said.clear()

    def _keep_link(self, performer: Performer, now: float) -> None:
        """A peer of the Link session while that is a source; it is heard by every other on the network."""
        wanted = performer.synchronizer.wants_link
        if wanted and self._link is None and "link" not in self._said:
            try:
                from bridge.transport.ableton_link import LinkTransport

                line = performer.scheduler.tempo
                self._link = LinkTransport(line.bpm_at(0.0), performer.synchronizer.options.quantum)
            except ImportError:
                self._said.add("link")
                performer.notes.append("Ableton Link needs the extra: pip install 'cuebridge[link]'.")
        elif not wanted and self._link is not None:
            self._link.close()
            self._link = None
        performer.link = self._link
        self._link_at = math.inf if self._link is None else now

    def _take_link(self, performer: Performer, now: float) -> None:
        if self._link is None or now < self._link_at:
            return
        self._link_at = now + POLL_S
        self._link.reader.quantum = performer.synchronizer.options.quantum
        for said in self._link.poll():
            performer.observe(said, time.perf_counter())
        performer.notes += self._link.notes
        self._link.notes.clear()

    def _say_once(self, performer: Performer, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            performer.notes.append(sentence)

    def _close_jack(self) -> None:
        if self._jack is not None:
            self._jack.close()
            self._jack = None

    # the loop ---------------------------------------------------------------------------------------------------
    def run(self) -> None:
        performer = self.performer
        next_status = next_peers = 0.0
        self._keep_jack(performer, time.perf_counter())
        self._keep_link(performer, time.perf_counter())
        while not self._quit:
            now = time.perf_counter()
            self._take_sync(performer)
            self._take_link(performer, now)
            performer.step(now)
            if performer.changed or now >= next_status:
                self._send_status(now)
                next_status = now + STATUS_S
            if now >= next_peers:
                performer.remember_peers()
                self._keep_jack(performer, now)
                next_peers = now + PEERS_S
            wake = performer.next_wake()
            if wake is None or wake - time.perf_counter() > MESSAGE_S:
                self._pass_on_touches()
            limit = min(next_status, self._link_at, now + IDLE_S if wake is None else wake)
            if self._wait(limit - time.perf_counter()):
                self._read(performer)

    def _wait(self, timeout_s: float) -> bool:
        """Sleeps; whether the bridge has said something."""
        if not POSIX:
            return bool(wait(self._readers, max(timeout_s, 0.0)))
        # select takes microseconds; poll and epoll would round up to milliseconds.
        ready, _, _ = select.select(self._readers, (), (), max(timeout_s, 0.0))
        if self._wake is not None and self._wake[0] in ready:
            os.read(self._wake[0], 4096)
        return self._readers[0] in ready

    def _read(self, performer: Performer) -> None:
        """One message after another, as long as no deadline is near."""
        while not self._quit:
            try:
                if not self._connection.poll():
                    return
                message = self._connection.recv_bytes()
            except (EOFError, OSError):
                self._quit = True
                return
            self._handle(message[:1], message[1:], time.perf_counter())
            wake = performer.next_wake()
            if wake is not None and wake - time.perf_counter() < MESSAGE_S:
                return

    def _handle(self, kind: bytes, payload: bytes, now: float) -> None:
        if kind == m.QUIT:
            self._quit = True
        elif kind == m.SYNC:
            self._set_sync(self.performer, m.unpack_sync(payload), now)
        else:
            deliver(self.performer, kind, payload, now)

    def _set_sync(self, performer: Performer, sync: m.SyncOptions, now: float) -> None:
        try:
            performer.set_sync(sync, now)
        except SyncError as error:  # the bridge checks before it asks; what slips through is said, not obeyed
            performer.notes.append(str(error))
        self._keep_jack(performer, now)
        self._keep_link(performer, now)

    # towards the bridge -----------------------------------------------------------------------------------------
    def _writable(self) -> bool:
        """Whether a small message can be written without waiting (POSIX: the socket has room)."""
        return not POSIX or bool(select.select((), (self._readers[0],), (), 0.0)[1])

    def _report(self, sent: list[m.SentEvent]) -> None:
        self._unsent.extend(sent)
        try:
            while self._unsent and self._writable():
                packet = [self._unsent.popleft() for _ in range(min(len(self._unsent), m.PACKET_EVENTS))]
                self._connection.send_bytes(m.pack_sent(packet))
        except (OSError, ValueError):
            self._quit = True

    def _pass_on_touches(self) -> None:
        """What a person's controller said goes to the bridge, where no deadline is near: a flood of it costs itself."""
        if not self._touched or not self._writable():
            return
        touches: list[m.Touch] = []
        while self._touched and len(touches) < m.PACKET_EVENTS:
            host_s, data = self._touched.popleft()
            found = self._control_splitter.feed(data)
            touches += [m.Touch(host_s, message) for message in found if message[0] < 0xF0]
        if touches:
            try:
                self._connection.send_bytes(m.pack_touches(touches))
            except (OSError, ValueError):
                self._quit = True

    def _send_status(self, now: float) -> None:
        if not self._writable():
            return  # the bridge is busy; `changed` stays and the next round tries again
        self._report([])
        try:
            self._connection.send_bytes(m.pack_status(self.performer.status(now, self._priority)))
        except (OSError, ValueError):
            self._quit = True

    def finish(self) -> None:
        self._close_jack()
        if self._link is not None:
            self._link.close()
        self.performer.finish(time.perf_counter())
        with contextlib.suppress(OSError, ValueError):
            self._report([])
            self._send_status(time.perf_counter())
            self._connection.close()


def deliver(performer: Performer, kind: bytes, payload: bytes, now: float) -> None:
    """One message of the bridge to the performer: all but QUIT and SYNC, which concern the process too."""
    if kind == m.EVENTS:
        for event in m.unpack_events(payload):
            performer.plan_event(*event)
    elif kind == m.BEGIN:
        performer.begin_plan(*m.unpack_begin(payload))
    elif kind == m.COMMIT:
        performer.commit_plan(m.unpack_i32(payload), now)
    elif kind == m.OBSERVE:
        performer.observe(m.unpack_observation(payload), now)
    elif kind == m.TEMPO:
        performer.set_tempo(m.unpack_i32(payload), TempoLine.unpack(payload[4:]), now)
    elif kind == m.PLAY:
        performer.play(now)
    elif kind == m.STOP:
        performer.stop(now)
    elif kind == m.LOCATE:
        performer.locate(m.unpack_f64(payload), now)
    elif kind == m.LOOP:
        on, start_s, end_s = m.unpack_loop(payload)
        performer.set_loop(Loop(start_s, end_s) if on else None, now)
    elif kind == m.PANIC:
        performer.panic(now)
    elif kind == m.MUTE:
        part, value = m.unpack_part_value(payload)
        performer.mute(part, bool(value), now)
    elif kind == m.HOLD:
        performer.hold(m.unpack_json(payload), now)
    elif kind == m.NUDGE:
        part, value = m.unpack_part_value(payload)
        performer.nudge(part, value, now)
    elif kind == m.PARTS:
        performer.add_parts(m.unpack_json(payload))
    elif kind == m.RESUME:
        performer.resume(*m.unpack_resume(payload), now)


def _wake_pipe() -> tuple[int, int] | None:
    """A pipe (read, write) that signals and MIDI threads write to, so that a sleeping select comes back at
    once."""
    if not POSIX:
        return None
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    return reader, writer
