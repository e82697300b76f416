"""A pipe to another process whose two ends never wait for each other: a thread sends, a thread receives."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Final

STEADY_S: Final = 30.0  # a process that ran longer than this has not died in a row
_JOIN_S: Final = 2.0


class Pipe:
    """receive gets each message, ended is called once when the other side has gone; both in the pipe's own thread."""

    def __init__(
        self, connection: Connection, receive: Callable[[Any], None], ended: Callable[[], None], name: str
    ) -> None:
        self._connection = connection
        self._receive, self._ended = receive, ended
        self._outbox: queue.SimpleQueue[tuple[Any] | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=run, name=f"{name} {what}", daemon=True)
            for run, what in ((self._send_all, "sender"), (self._receive_all, "receiver"))
        ]
        for thread in self._threads:
            thread.start()

    def send(self, message: Any) -> None:
        """Never waits; what a dead process did not hear is lost."""
        self._outbox.put((message,))

    def close(self) -> None:
        """Sends what waits, then closes this end."""
        self._outbox.put(None)
        self._threads[0].join(_JOIN_S)
        with contextlib.suppress(OSError):
            self._connection.close()

    def _send_all(self) -> None:
        while (item := self._outbox.get()) is not None:
            with contextlib.suppress(OSError, ValueError):
                self._connection.send(item[0])

    def _receive_all(self) -> None:
        while True:
            try:
                message = self._connection.recv()
            except (EOFError, OSError, TypeError, ValueError):  # TypeError: closed under a read that waits
                self._ended()
                return
            self._receive(message)
