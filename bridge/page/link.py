"""The bridge's end of the page's server: starts it, sends what is new, starts it again when it dies.

Nothing here waits for the server, and the player knows nothing of it.  A server that takes the place of a dead one is
told everything that the last one knew: each kind of message is kept, lists and values by name, the player's plan as the
few slices that are in force.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

from bridge.page import messages as p
from bridge.page.pipe import STEADY_S, Pipe
from bridge.page.protocol import LISTS_FOLDER
from bridge.player import messages as m
from engine.music.processes import end_at_once, start_on_pipe
from engine.music.temporary import TemporaryFolder
from engine.user_folders import data_folder

RESTART_PAUSES_S: Final = (0.2, 1.0, 5.0, 15.0)
START_S: Final = 15.0
END_S: Final = 2.0
KILL_S: Final = 0.3  # from a SIGTERM to what nothing survives
LOG: Final = 200


def _server_process(connection: Any, options: p.PageOptions) -> None:
    """Spawn target: imported here, in the child only."""
    from bridge.page.process import run_page

    run_page(connection, options)


class PlanLog:
    """The player's messages that are needed to know its plan: a slice goes when a later one begins before it."""

    def __init__(self) -> None:
        self._tempo: bytes | None = None
        self._parts: bytes | None = None
        self._slices: list[tuple[float, list[bytes]]] = []
        self._loading: tuple[float, list[bytes]] | None = None

    def take(self, message: bytes) -> bool:
        """Whether it concerns the plan."""
        kind = message[:1]
        if kind == m.TEMPO:
            self._tempo = message
        elif kind == m.PARTS:
            self._parts = message
        elif kind == m.BEGIN:
            _, unit, begins = m.unpack_begin(message[1:])
            self._loading = (begins, [message])
            if self._slices and m.unpack_begin(self._slices[0][1][0][1:])[1] != unit:
                self._slices.clear()  # places in another unit cannot be compared; all of it comes anew
        elif kind in (m.EVENTS, m.COMMIT) and self._loading is not None:
            self._loading[1].append(message)
            if kind == m.COMMIT:
                while self._slices and self._slices[-1][0] >= self._loading[0]:
                    self._slices.pop()
                if self._slices:
                    self._cut(self._slices[-1][1], self._loading[0])
                self._slices.append(self._loading)
                self._loading = None
        else:
            return False
        return True

    @staticmethod
    def _cut(messages: list[bytes], begins: float) -> None:
        """Packets, in order of time, that lie wholly after a later slice's beginning say nothing any more."""
        while len(messages) > 2 and next(m.unpack_events(messages[-2][1:]))[5] >= begins:
            del messages[-2]

    def messages(self) -> list[bytes]:
        """Everything that a newcomer has to hear, in order."""
        known = [each for each in (self._parts, self._tempo) if each is not None]
        pieces = [*self._slices, *((self._loading,) if self._loading is not None else ())]
        return [*known, *(message for _, messages in pieces for message in messages)]


class PageLink:
    """receive gets the server's messages, in a thread of the link.  Raises nothing: without a server there is no page.

    All methods may be called from any thread.
    """

    def __init__(self, options: p.PageOptions, receive: Callable[[p.FromServer], None]) -> None:
        self.receive = receive
        self.port: int | None = None
        self.fault = ""  # why there is no page
        self.restarts = 0
        self.pages = 0  # that are connected
        self._work = TemporaryFolder("page")
        self.options = replace(options, work=str(self._work.path))
        self._lock = threading.Lock()
        self._answered = threading.Event()
        self._closing = threading.Event()
        self._process: BaseProcess | None = None
        self._pipe: Pipe | None = None
        self._plan = PlanLog()
        self._values: dict[str, tuple[Any, ...]] = {}
        self._values_s = 0.0
        self._rows: dict[str, p.Rows] = {}
        self._newest: dict[type, Any] = {}
        self._said: list[p.Said] = []
        self._started_s = 0.0
        self._deaths = 0

    @property
    def address(self) -> str:
        """Of the page, with the token that opens it."""
        return f"http://127.0.0.1:{self.port}/?token={self.options.token}"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def begin(self) -> None:
        """Starts the server and does not wait for it; `ServerReady` or `ServerFailed` comes."""
        self._spawn()

    def start(self, timeout_s: float = START_S) -> bool:
        """Starts the server and waits until it listens; False, with `fault`, where it cannot."""
        self.begin()
        if not self._answered.wait(timeout_s):
            self.fault = self.fault or f"the page's server did not start within {timeout_s:g} s."
        if self.fault:
            self.close()
        return not self.fault

    def close(self, patience_s: float = END_S) -> None:
        """Ends the server, by force where it does not end within that time.  May be called twice."""
        self._closing.set()
        with self._lock:
            process, pipe = self._process, self._pipe
            self._process = self._pipe = None
        if pipe is not None:
            pipe.send(p.Close())
        if process is not None:
            process.join(patience_s)
            if process.is_alive():
                end_at_once(process, KILL_S)
                process.join(END_S)
        if pipe is not None:
            pipe.close()
        self._work.remove()

    def end_at_once(self) -> None:
        """By force, from any thread."""
        self._closing.set()
        process = self._process
        if process is not None:
            end_at_once(process)
        self._work.remove()

    # out --------------------------------------------------------------------------------------------------------------
    def take_player_message(self, message: bytes) -> None:
        """What the player is told; of it, what concerns its plan goes to the server."""
        with self._lock:
            if self._plan.take(message):
                self._send(p.PlayerBytes(message))

    def forget_plan(self) -> None:
        """The player that had the plan is no more."""
        for message in (m.pack_begin(0, "seconds", -1e12), m.pack_commit(0)):
            self.take_player_message(message)

    def send(self, message: p.ToServer) -> None:
        """Never waits."""
        with self._lock:
            match message:
                case p.Values():
                    self._values.update(message.values)
                    self._values_s = message.host_s
                case p.Rows():
                    self._rows[message.name] = message
                case p.FilmOf() | p.MusicOf() | p.MoodOf():
                    self._newest[type(message)] = message
                case p.Said():
                    self._said = [*self._said[-LOG + 1 :], message]
            self._send(message)

    def _send(self, message: Any) -> None:
        if self._pipe is not None:
            self._pipe.send(message)

    # life -------------------------------------------------------------------------------------------------------------
    def _spawn(self) -> None:
        """Not under the lock, which the player's messages wait for: a process takes its time to be made."""
        ours, process = start_on_pipe(_server_process, self.options, name="cuebridge-page")
        with self._lock:
            if not self._closing.is_set():
                self._process, self._started_s = process, time.perf_counter()
                self._pipe = Pipe(ours, self._take, lambda: self._ended(process), "page")
                self._replay()
                return
        ours.close()  # the program ended meanwhile
        end_at_once(process)
        process.join(END_S)

    def _replay(self) -> None:
        """All that the last server knew.  Under the lock, so that nothing new comes in between."""
        for message in self._plan.messages():
            self._send(p.PlayerBytes(message))
        for kept in (*self._newest.values(), *self._rows.values(), *self._said):
            self._send(kept)
        if self._values:
            self._send(p.Values(self._values_s, tuple(self._values.items())))

    def _take(self, message: Any) -> None:
        if isinstance(message, p.ServerReady):
            self.port = message.port
            # A new one takes the same port, and fetches nothing again.
            self.options = replace(self.options, port=message.port, any_port=False, link=None)
            self._answered.set()
        elif isinstance(message, p.ServerFailed) and not self._answered.is_set():
            self.fault = message.sentence
            self._answered.set()
        elif isinstance(message, p.Watching):
            self.pages = message.pages
        self.receive(message)

    def _ended(self, process: BaseProcess) -> None:
        """In the pipe's thread: the server has gone."""
        if self._closing.is_set() or (self.fault and not self.port):
            return
        process.join(1.0)
        if process.is_alive():  # it closed the pipe but lives on
            process.kill()
            process.join()
        if not self._answered.is_set():
            self.fault = f"the page's server ended at once (code {process.exitcode})."
            self._answered.set()
            self.receive(p.ServerFailed(self.fault))
            return
        self._deaths = 0 if time.perf_counter() - self._started_s > STEADY_S else self._deaths
        pause_s = RESTART_PAUSES_S[min(self._deaths, len(RESTART_PAUSES_S) - 1)]
        self._deaths += 1
        self.restarts += 1
        self.pages = 0
        self.receive(p.ServerFailed("the page's server has died; it is started again, and the music plays on."))
        with self._lock:  # what comes from now on is kept, and told to the next one
            pipe, self._pipe = self._pipe, None
        if pipe is not None:
            pipe.close()
        if not self._closing.wait(pause_s):
            self._spawn()


def films_folder() -> Path:
    """Where films are kept that came through the page."""
    return data_folder() / "films"


def uploads_of(link: PageLink) -> tuple[Path, ...]:
    """Where its server keeps what came through the page: small files (markers, tunes) until it ends, and films."""
    return Path(link.options.work) / LISTS_FOLDER, Path(link.options.folder)


def new_secret() -> str:
    """128 bits that nobody can guess, for an address."""
    return secrets.token_urlsafe(16)
