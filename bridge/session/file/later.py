"""Reading files beside the session: a disk may be slow, and one across a network may not answer at all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import ClassVar, Generic, TypeVar

T = TypeVar("T")


class Later(Generic[T]):
    """What a job gives that reads files; it runs in a thread of its own, and nobody has to wait for it."""

    short_s: ClassVar[float] = 0.005  # a turn waits so long for a disk, which mostly has answered by then

    def __init__(self, job: Callable[[], T], name: str = "reads a file") -> None:
        self._made: list[T] = []
        self._error: BaseException | None = None
        self._done = threading.Event()
        threading.Thread(target=self._run, args=(job,), name=name, daemon=True).start()

    def wait(self, patience_s: float | None = None) -> bool:
        """Whether the job is done.  patience_s: short_s where it is None."""
        return self._done.wait(self.short_s if patience_s is None else patience_s)

    @property
    def failed(self) -> bool:
        """Whether the job has raised something."""
        return self._error is not None

    def get(self) -> T:
        """Of a job that may still run, however long that takes: for threads.  Raises what the job raised."""
        self._done.wait()
        return self.result()

    def result(self) -> T:
        """Of a job that is done.  Raises what the job raised."""
        if self._error is not None:
            raise self._error
        return self._made[0]

    def _run(self, job: Callable[[], T]) -> None:
        try:
            self._made.append(job())
        except BaseException as error:
            self._error = error
        finally:
            self._done.set()


class Known(Later[T]):
    """What is known without a job."""

    def __init__(self, value: T) -> None:
        self._made, self._error, self._done = [value], None, threading.Event()
        self._done.set()
