"""The bridge's end of the player: spawns it, speaks to it, and takes its place when it dies.

A thread reads what the player says, so the pipe never fills while the bridge is busy.  When the pipe closes
without `close()` having been called, the player has died: the note-offs of everything its reports left
sounding are sent by the first act of a new player on the same port name (JACK: connected again to whoever
heard the old one), which then gets tempo map, plan, mutes, loop and position and goes on.  If no new player
can be had, the link opens the port itself for the note-offs.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Final

from bridge.player import messages as m
from bridge.player import process
from bridge.player.errors import PortError
from bridge.player.ledger import Key
from bridge.player.memory import PlayerMemory
from bridge.player.tempo import TempoLine
from bridge.transport.state import MIN_LOOP_S, TransportObservation
from engine.music.meter import TempoMap
from engine.music.note import Controller, Note
from engine.music.processes import end_at_once, start_on_pipe

MAX_RESTARTS: Final = 5  # within RESTART_WINDOW_S; a player that dies at once is not started for ever
RESTART_WINDOW_S: Final = 10.0
SILENCE_S: Final = 8.0  # it speaks twenty times a second; the longest it may wait for JACK is a second or two
PATIENCE_S: Final = 0.2  # for a player that is to end at once
ENDING_S: Final = 1.0  # the program's own end follows that of a player that ended in order
REPEAT_OFFS_S: Final = 1.0


class PlayerLink:
    """Spawns the player on entry and ends it on exit.  All methods may be called from any thread."""

    def __init__(self, options: m.PlayerOptions | None = None) -> None:
        self.options = options or m.PlayerOptions()
        self._lock = threading.Lock()  # what is sent, and what a new player has to be told
        self._news = threading.Condition()
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None
        self._thread: threading.Thread | None = None
        self._status: m.PlayerStatus | None = None
        self._sent: list[m.SentEvent] = []
        self._touched: deque[m.Touch] = deque(maxlen=4096)
        self._sounding: set[Key] = set()
        self._released: dict[Key, float] = {}  # key -> host time of its last note-off
        self._fault = ""
        self._closing = False
        self._restarts: list[float] = []
        self._memory = PlayerMemory(self.options)
        self._reopening = False  # it ends because we asked
        # Each gets what the player is told, in order and once, whichever player is there to hear it; must not wait.
        self.listeners: list[Callable[[bytes], None]] = []

    # life -------------------------------------------------------------------------------------------------------
    def __enter__(self) -> PlayerLink:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, timeout_s: float = 10.0) -> m.PlayerStatus:
        """Starts the player and waits for its first word.  Raises PortError."""
        with self._lock:
            self._spawn([], [])
        self._thread = threading.Thread(target=self._read, name="player link", daemon=True)
        self._thread.start()
        status = self.wait_for(lambda status: True, timeout_s)
        if status is None:
            fault = self._fault
            self.close()
            raise PortError(fault or f"the player did not start within {timeout_s:g} s.")
        return status

    def _spawn(self, debts: list[Key], peers: list[tuple[str, str]]) -> None:
        self._connection, self._process = start_on_pipe(
            process.main, self.options, debts, peers, name="cuebridge player", daemon=True
        )

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.is_alive()

    def close(self, timeout_s: float = 1.0) -> None:
        """All note-offs, then the process ends.  What it still reports can be drained afterwards."""
        already, self._closing = self._closing, True
        if not already and self._lock.acquire(timeout=PATIENCE_S):  # whoever has it may wait for a player that hangs
            try:
                self._write(m.QUIT)
            finally:
                self._lock.release()
        child = self._process
        if child is not None:
            child.join(timeout_s)
            if child.is_alive():
                self.end_at_once()
                child.join(1.0)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(1.0)
        if self._connection is not None:
            self._connection.close()

    def end_at_once(self, patience_s: float = PATIENCE_S) -> None:
        """By force, from any thread; what still sounds is ended by this process."""
        self._closing = True
        child = self._process
        if child is None or not child.is_alive():
            return
        end_at_once(child, patience_s)  # it answers SIGTERM with its note-offs
        with self._news:
            debts = sorted(self._sounding)
            peers = [] if self._status is None else [(ours, theirs) for ours, theirs in self._status.peers]
        self._pay(debts, peers)

    # commands ---------------------------------------------------------------------------------------------------
    def set_tempo_map(self, tempo_map: TempoMap, revision: int) -> None:
        line = TempoLine.of(tempo_map)
        with self._lock:
            self._tell(self._memory.tempo(revision, line))

    def load_plan(
        self,
        revision: int,
        unit: str,
        notes: Sequence[Note],
        controllers: Sequence[Controller],
        from_position: float,
        tempo_map: TempoMap | None = None,
    ) -> None:
        """Replaces everything from `from_position` on.

        unit: "beats" or "seconds": what `from_position` and the `*_beats` fields of notes and controllers
        count in (beats of the tempo map, or timeline seconds).  tempo_map: by which notes and controllers in beats
        become those of a plan in seconds.
        """
        if unit not in m.UNITS:
            raise ValueError(f"a plan is in beats or in seconds, not in '{unit}'")
        with self._lock:
            self._tell(self._memory.plan(revision, unit, notes, controllers, from_position, tempo_map))

    def play(self) -> None:
        self._move(m.PLAY)

    def stop(self) -> None:
        self._move(m.STOP)

    def locate(self, position_s: float) -> None:
        self._move(m.pack_locate(position_s), is_locate=True)

    def _move(self, message: bytes, is_locate: bool = False) -> None:
        with self._lock:
            self._tell(self._memory.move(message, is_locate))

    def loop(self, on: bool, start_s: float = 0.0, end_s: float = 0.0) -> None:
        """Timeline seconds.  Raises ValueError for a range shorter than MIN_LOOP_S."""
        if on and end_s - start_s < MIN_LOOP_S:
            raise ValueError(f"a loop lasts at least {MIN_LOOP_S:g} s")
        with self._lock:
            self._tell(self._memory.loop(on, start_s, end_s))

    def panic(self) -> None:
        """Offs for what sounds, then CC 123, 120 and 121 on every channel: the only thing that sends
        these."""
        self._send(m.PANIC)

    def mute(self, part: str, muted: bool) -> None:
        with self._lock:
            self._tell(self._memory.mute(part, muted))

    def hold(self, parts: Sequence[str]) -> None:
        """The port is silent in these parts, whether muted or not, because the plugin plays them."""
        with self._lock:
            self._tell(self._memory.hold(parts))

    def nudge(self, part: str, ms: float) -> None:
        """MIDI earlier–later, −250..250 ms; part "" is all."""
        with self._lock:
            self._tell(self._memory.nudge(part, ms / 1000))

    def observe(self, observation: TransportObservation) -> None:
        self._send(m.pack_observation(observation))

    @property
    def sync(self) -> m.SyncOptions:
        """As it was asked for last."""
        return self._memory.sync

    def set_sync(self, sync: m.SyncOptions) -> None:
        with self._lock:
            self._tell(self._memory.synced(sync))

    def set_ports(self, ports: m.PortOptions) -> None:
        """Other ports: the player ends with its note-offs and a new one opens them; it takes a moment."""
        if ports == self.options.ports:
            return
        with self._lock:
            self.options = replace(self.options, ports=ports)
            if self._process is not None:
                self._reopening = True
                self._process.terminate()

    # reports ----------------------------------------------------------------------------------------------------
    def poll(self) -> m.PlayerStatus | None:
        """The latest status; never waits.  Its `notes` are handed out once."""
        with self._news:
            status = self._status
            if status is not None and status.notes:
                self._status = replace(status, notes=())
            return status

    def wait_for(self, ready: object, timeout_s: float) -> m.PlayerStatus | None:
        """Waits until `ready(status)` is true of a status; None when that did not happen in time or the
        player is gone."""
        assert callable(ready)
        end = time.perf_counter() + timeout_s
        with self._news:
            while True:
                if self._status is not None and ready(self._status):
                    return self._status
                left = end - time.perf_counter()
                if left <= 0 or (self._fault and self._status is None):
                    return None
                self._news.wait(left)

    def drain_events(self) -> list[m.SentEvent]:
        """What was really sent since the last call, once each, in order."""
        with self._news:
            events, self._sent = self._sent, []
            return events

    def drain_touches(self) -> list[m.Touch]:
        """What came in on the control port since the last call, in order."""
        with self._news:
            touched = list(self._touched)
            self._touched.clear()
            return touched

    # inside -----------------------------------------------------------------------------------------------------
    def _send(self, message: bytes) -> None:
        with self._lock:
            self._write(message)

    def _write(self, message: bytes) -> None:
        """A player that died is the reading thread's business; what it did not hear, its successor is
        told."""
        if self._connection is not None:
            with contextlib.suppress(OSError, ValueError):
                self._connection.send_bytes(message)

    def _tell(self, messages: Iterable[bytes]) -> None:
        for message in messages:
            self._write(message)
            for listener in self.listeners:
                listener(message)

    # the reading thread -----------------------------------------------------------------------------------------
    def _read(self) -> None:
        while True:
            connection = self._connection
            assert connection is not None
            try:
                if not connection.poll(SILENCE_S):
                    self._give_up_on_it()
                message = connection.recv_bytes()
            except (EOFError, OSError):
                if self._is_ending() or not self._replace():
                    with self._news:
                        self._fault = self._fault or "the player has ended."
                        if self._status is not None and not self._closing:
                            notes = (*self._status.notes, self._fault)
                            self._status = replace(
                                self._status, notes=notes, sounding=(), rolling=False, state="lost", port_up=False
                            )
                        self._news.notify_all()
                    return
                continue
            self._take(message[:1], message[1:])

    def _is_ending(self) -> bool:
        """Whether the program is coming to its end.  A SIGTERM to the whole process group may end the player a moment
        before the bridge: a player that ended by itself, in order, is given that moment."""
        process = self._process
        if self._reopening:
            return self._closing
        if process is not None and not self._closing:
            process.join(1.0)
            end = time.perf_counter() + ENDING_S
            while process.exitcode == 0 and not self._closing and time.perf_counter() < end:
                time.sleep(0.02)
        return self._closing

    def _give_up_on_it(self) -> None:
        """A player that says nothing at all hangs in a MIDI system that hangs: it is replaced like one that died."""
        if self._process is not None and not self._closing:
            self._process.kill()

    def _take(self, kind: bytes, payload: bytes) -> None:
        with self._news:
            if kind == m.SENT:
                for event in m.unpack_sent(payload):
                    self._sent.append(event)
                    key = (event.port, event.status & 0x0F, event.data1)
                    if event.status & 0xF0 == 0x90:
                        self._sounding.add(key)
                    elif event.status & 0xF0 == 0x80:
                        self._sounding.discard(key)
                        self._released[key] = event.host_s
            elif kind == m.STATUS:
                status = m.unpack_status(payload)
                unread = self._status.notes if self._status is not None else ()
                self._status = replace(status, restarts=len(self._restarts), notes=(*unread, *status.notes)[-20:])
            elif kind == m.TOUCHES:
                self._touched.extend(m.unpack_touches(payload))
            elif kind == m.FAULT:
                text = payload.decode(errors="replace")
                if text.startswith("\0"):
                    sys.stderr.write(text[1:])
                    text = "the player had a fault: " + text.strip().splitlines()[-1]
                self._fault = text
            self._news.notify_all()

    def _replace(self) -> bool:
        """A new player in place of one that died; False when there shall or can be none."""
        if self._status is None:
            return False  # it never began: start() says why
        with self._lock:
            if self._process is not None:
                self._process.join(1.0)
            now = time.perf_counter()
            status = self._status
            # A note-off is reported before it is sent, and may have died in the queue: it is sent again.
            again = {key for key, moment in self._released.items() if moment > now - REPEAT_OFFS_S}
            debts = sorted(self._sounding | again)
            if not self._reopening:
                self._restarts.append(now)
            recent = [moment for moment in self._restarts if now - moment < RESTART_WINDOW_S]
            peers = [(ours, theirs) for ours, theirs in status.peers]
            if self._closing or not self.options.resume or len(recent) > MAX_RESTARTS:
                self._pay(debts, peers)
                if not self._closing and self.options.resume:
                    self._fault = (
                        f"The player process died {len(recent)} times in {RESTART_WINDOW_S:g} s and is not started "
                        "again; its notes were ended. End CueBridge and start it again."
                    )
                return False
            with contextlib.suppress(OSError):
                if self._connection is not None:
                    self._connection.close()
            try:
                self._spawn(debts, peers)
            except OSError as error:
                self._fault = f"the player died and could not be started again: {error}"
                self._pay(debts, peers)
                return False
            # The debts stay in the books until the new player reports their note-offs: it may be killed before.
            for message in self._memory.everything(status):
                self._write(message)
        with self._news:
            sentence = "The player process died; its notes were ended and a new one takes over."
            if self._reopening:
                sentence, self._reopening = "the MIDI ports were reopened.", False
            self._status = replace(self._status, notes=(*self._status.notes, sentence), sounding=())
            self._news.notify_all()
        return True

    def _pay(self, debts: list[Key], peers: list[tuple[str, str]]) -> None:
        """The last resort: this process opens the port for the note-offs."""
        if not debts:
            return
        from bridge.player.ports import open_output
        from bridge.player.scheduler import Due

        try:
            output = open_output(self.options.ports, self._memory.parts)
        except PortError:
            return
        output.connect(peers)
        now = time.perf_counter()
        output.send([Due(now, 0.0, port, 0x80 | channel, pitch, 64) for port, channel, pitch in debts])
        output.drain(0.2)
        output.close()
