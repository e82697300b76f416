"""The bridge's end of the pipe to the engine process: starts it, listens, starts it again when it dies.

The engine may be slow and may crash; nothing here waits for it.  Messages (`engine.process.messages`) and deaths arrive
through the callback, in the link's own thread.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Final

from engine.music.processes import NO_MEMORY, end_at_once, start_on_pipe
from engine.music.temporary import clear_left_behind
from engine.process.messages import FromEngine, Quit, ToEngine

# Pause before each new start after a death; a run longer than STEADY_S starts the row anew.
RESTART_PAUSES_S: Final = (0.1, 0.5, 2.0, 5.0, 15.0)
STEADY_S: Final = 30.0
QUIT_TIMEOUT_S: Final = 0.6


@dataclass(frozen=True, slots=True)
class EngineGone:
    """The engine process ended by itself.  sentence: for the person; restarts: deaths so far."""

    sentence: str
    exit_code: int | None
    restarts: int


def _engine_process(connection: Connection) -> None:
    """Spawn target.  Imported here, in the child only: the bridge never loads the networks."""
    from engine.process.worker import run_engine

    run_engine(connection)


class EngineLink:
    """Use as a context manager.  `receive` is called in the link's thread, one message at a time."""

    def __init__(self, receive: Callable[[FromEngine | EngineGone], None]) -> None:
        self._receive = receive
        self._closing = threading.Event()
        self._connection: Connection | None = None
        self._process: BaseProcess | None = None
        # Sending has its own thread: a request with thousands of slots fills the pipe, and an engine that hangs would
        # then hang the bridge.
        self._outbox: queue.SimpleQueue[ToEngine | None] = queue.SimpleQueue()
        self._sender = threading.Thread(target=self._send_all, name="engine-sender", daemon=True)
        self._thread = threading.Thread(target=self._listen, name="engine-link", daemon=True)
        self.restarts = 0

    @property
    def alive(self) -> bool:
        process = self._process
        return process is not None and process.is_alive()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        self._start_process()
        self._thread.start()
        self._sender.start()

    def send(self, message: ToEngine) -> None:
        """Never blocks.  What a dead engine did not hear is to be sent again when the new one reports `EngineReady`."""
        self._outbox.put(message)

    def _send_all(self) -> None:
        while (message := self._outbox.get()) is not None:
            connection = self._connection
            if connection is not None:
                with contextlib.suppress(OSError, ValueError):
                    connection.send(message)

    def hang_up(self) -> None:
        """Says that the end has come and waits for nothing; `close` follows."""
        if not self._closing.is_set():
            self._closing.set()
            self.send(Quit())
            self._outbox.put(None)

    def end_at_once(self) -> None:
        """By force, from any thread."""
        self._closing.set()
        if self._process is not None:
            end_at_once(self._process)

    def close(self) -> None:
        """Ends the engine, if need be by force.  May be called twice."""
        self.hang_up()
        process = self._process
        if process is not None:
            process.join(QUIT_TIMEOUT_S)
            if process.is_alive():
                end_at_once(process)
                process.join()
                clear_left_behind()  # nor could what it had started
        for thread in (self._thread, self._sender):
            if thread.is_alive() and threading.current_thread() is not thread:
                thread.join(QUIT_TIMEOUT_S)
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.close()

    def __enter__(self) -> EngineLink:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _start_process(self) -> None:
        self._connection, self._process = start_on_pipe(_engine_process, name="cuebridge-engine")

    def _listen(self) -> None:
        started_s = time.perf_counter()
        deaths_in_a_row = 0
        while not self._closing.is_set():
            connection = self._connection
            try:
                if connection is None:
                    return
                message = connection.recv()
            except (EOFError, OSError):
                if self._closing.is_set():
                    return
                deaths_in_a_row = 0 if time.perf_counter() - started_s > STEADY_S else deaths_in_a_row
                self._report_death()
                pause_s = RESTART_PAUSES_S[min(deaths_in_a_row, len(RESTART_PAUSES_S) - 1)]
                deaths_in_a_row += 1
                if self._closing.wait(pause_s):
                    return
                started_s = time.perf_counter()
                self._start_process()
                continue
            self._receive(message)

    def _report_death(self) -> None:
        connection, self._connection = self._connection, None
        process = self._process
        if connection is not None:
            connection.close()
        exit_code = None
        if process is not None:
            process.join(1.0)
            if process.is_alive():  # it closed the pipe but lives on
                process.kill()
                process.join()
            exit_code = process.exitcode
        self.restarts += 1
        self._receive(EngineGone(_death_sentence(exit_code), exit_code, self.restarts))


def _death_sentence(exit_code: int | None) -> str:
    if exit_code in (-9, 137):
        how = "was killed (the system may be out of memory)"
    elif exit_code == NO_MEMORY:
        how = "ran out of memory"
    elif exit_code is not None and exit_code < 0:
        how = f"crashed (signal {-exit_code})"
    else:
        how = f"ended (code {exit_code})"
    return f"the engine {how}; it is started again, and what is composed goes on playing."
