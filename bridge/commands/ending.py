"""Ending in time, whatever hangs: a thread of its own counts from the moment the end was asked for.

A signal reaches that thread through the interpreter's wake-up pipe even while the main thread is stuck in a system
call; `asked` is for everything else.  When the orderly end takes too long, the children are ended by force, and then
the program.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess
from typing import Final

from engine.music.temporary import clear_left_behind

END_S: Final = 1.1  # for the orderly end
FORCE_S: Final = 0.4  # for what is done by force after it
CLEAR_S: Final = 0.15  # for the folders of children that were killed
_SIGNALS: Final = {int(getattr(signal, name)) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)}
_ASKED: Final = 255  # no signal has this number


class Ending:
    """A context manager around the whole run, to be entered in the main thread.

    doing: what is being done at the end, for the sentence that says what hung; saved: whether nothing is lost by ending
    now.
    """

    def __init__(self, force: Sequence[Callable[[], object]] = ()) -> None:
        self.doing = "the session"
        self.saved = False
        self._force = list(force)
        self._ours, self._theirs = socket.socketpair()
        self._theirs.setblocking(False)
        self._over = threading.Event()
        self._by_ctrl_c = self._was_asked = False
        self._before = -1

    def add(self, force: Callable[[], object]) -> None:
        """force: ends one child at once; called in a thread, when the orderly end takes too long."""
        self._force.append(force)

    def __enter__(self) -> Ending:
        self._before = signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)
        threading.Thread(target=self._watch, name="ending", daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        signal.set_wakeup_fd(self._before)
        self._over.set()
        self._wake(0)
        # The interpreter writes out what waits when it ends, where nothing can hurry it any more.
        if self._was_asked and exc_info[0] is None and not _written_out(FORCE_S):
            self._exit()

    def asked(self) -> None:
        """The end was asked for by something other than a signal.  From any thread, as often as you like."""
        self._was_asked = True
        self._wake(_ASKED)

    def _wake(self, number: int) -> None:
        with contextlib.suppress(OSError):
            self._theirs.send(bytes([number]))

    def _watch(self) -> None:
        with self._ours, self._theirs:
            while not self._over.is_set():
                numbers = set(self._ours.recv(64))
                if numbers & (_SIGNALS | {_ASKED}):
                    self._by_ctrl_c, self._was_asked = signal.SIGINT in numbers, True
                    if not self._over.wait(END_S):
                        self._end_by_force()

    def _end_by_force(self) -> None:
        threads = [threading.Thread(target=_quietly, args=(force,), daemon=True) for force in self._force]
        if not self.saved:
            threads.append(threading.Thread(target=_quietly, args=(self._say,), daemon=True))
        for thread in threads:
            thread.start()
        until_s = time.monotonic() + FORCE_S
        for thread in threads:
            thread.join(max(until_s - time.monotonic(), 0.0))
        children = multiprocessing.active_children()
        for child in children:  # none is left behind, even where the above took too long
            _quietly(child.kill)
        clearing = threading.Thread(target=_quietly, args=(lambda: _clear_after(children),), daemon=True)
        clearing.start()
        clearing.join(CLEAR_S)
        self._exit()

    def _exit(self) -> None:
        os._exit(1 if not self.saved else 130 if self._by_ctrl_c else 0)

    def _say(self) -> None:
        sys.__stderr__ and os.write(
            sys.__stderr__.fileno(),
            f"cuebridge: ended by force, since {self.doing} did not come to an end; "
            "what was changed and played in the last second may be lost.\n".encode(),
        )


def _clear_after(children: Sequence[BaseProcess]) -> None:
    """Removes what killed children left, once they are gone."""
    for child in children:
        child.join(CLEAR_S)
    clear_left_behind()


def _written_out(timeout_s: float) -> bool:
    """Whether what was printed has left; not where nobody reads it."""

    def flush() -> None:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()

    thread = threading.Thread(target=_quietly, args=(flush,), daemon=True)
    thread.start()
    thread.join(timeout_s)
    return not thread.is_alive()


def _quietly(do: Callable[[], object]) -> None:
    with contextlib.suppress(Exception):
        do()
