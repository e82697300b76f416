"""Output that nothing waits for: a terminal that was stopped (Ctrl-S), or a reader that does not read, holds up no more
than a thread of its own."""

from __future__ import annotations

import queue
import threading
import time
from typing import Final, TextIO

MOST_WAITING: Final = 256  # texts; what comes on top is left out


class Beside:
    """A text file, as far as printing needs one.  write() raises what an earlier one ran into."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._texts: queue.Queue[str | None] = queue.Queue()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._write_all, name="output", daemon=True)
        self._thread.start()

    @property
    def encoding(self) -> str:
        return self._out.encoding

    def isatty(self) -> bool:
        return self._out.isatty()

    def fileno(self) -> int:
        return self._out.fileno()

    def write(self, text: str) -> int:
        error, self._error = self._error, None
        if error is not None:
            raise error
        if self._texts.unfinished_tasks < MOST_WAITING:
            self._texts.put(text)
        return len(text)

    def flush(self) -> None:
        """Everything is flushed, once it is written."""

    def close(self, timeout_s: float) -> bool:
        """Waits for what is still to be written; whether it was."""
        self._texts.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def drain(self, timeout_s: float) -> bool:
        """Waits for what was written so far; whether it got through."""
        end_s = time.perf_counter() + timeout_s
        while self._texts.unfinished_tasks and time.perf_counter() < end_s:
            time.sleep(0.002)
        return not self._texts.unfinished_tasks

    def _write_all(self) -> None:
        while (text := self._texts.get()) is not None:
            try:
                self._out.write(text)
                self._out.flush()
            except Exception as error:  # told to whoever writes next
                self._error = error
            finally:
                self._texts.task_done()
        self._texts.task_done()
