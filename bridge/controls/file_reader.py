"""Files that messages name, read in threads: no message waits for a disk that hangs or for a list that is long.

What a file holds is taken in the session's thread, in the name of whoever asked.
"""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from bridge.osc.clients import Target
from bridge.osc.codec import Argument
from engine.music import UserError
from engine.music.arguments import ControlError

MOST: Final = 8  # files that are read at a time
Replies = list[tuple[str, tuple[Argument, ...]]]
Take = Callable[[], Replies]


@dataclass(frozen=True, slots=True)
class FileRequest:
    """address: of the control.  asked: the address that is answered.  who, gesture: whose edit it is.  trying: nothing
    is to change."""

    address: str
    asked: str
    sender: Target
    who: str = ""
    gesture: str = ""
    trying: bool = False


@dataclass(frozen=True, slots=True)
class ReadFile:
    """take: puts what was read in force and returns the answers; it may raise UserError."""

    number: int
    request: FileRequest
    take: Take


class FileReader:
    """`read` begins, `finished` in every turn hands out what is there."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._waiting: dict[int, FileRequest] = {}
        self._taken: dict[str, int] = {}  # of each address the newest request whose file was taken
        self._done: queue.SimpleQueue[ReadFile] = queue.SimpleQueue()

    def read(self, request: FileRequest, job: Callable[[], Take]) -> None:
        """job: reads the file, in a thread; it may raise UserError.  Raises ControlError while too many are read."""
        if len(self._waiting) >= MOST:
            raise ControlError("busy", f"{MOST} files are being read already.")
        number = next(self._numbers)
        self._waiting[number] = request
        threading.Thread(target=self._run, args=(number, request, job), name="file reader", daemon=True).start()

    def _run(self, number: int, request: FileRequest, job: Callable[[], Take]) -> None:
        try:
            take = job()
        except UserError as error:
            take = _refusing(error)
        except Exception as error:  # whoever asked waits for an answer
            take = _refusing(UserError(f"the file cannot be read: {type(error).__name__}: {error}."))
        self._done.put(ReadFile(number, request, take))

    def finished(self) -> list[ReadFile]:
        """What was read since the last call, in the order of asking.  A file that is there only after a later one was
        taken for the same address is refused: the later one stays."""
        found = sorted((self._done.get() for _ in range(self._done.qsize())), key=lambda each: each.number)
        wanted = []
        for each in found:
            request = self._waiting.pop(each.number, None)
            if request is None:
                continue
            if self._taken.get(request.address, 0) > each.number:
                each = replace(each, take=_refusing(ControlError("busy", "a file that was asked for later is taken.")))
            elif not request.trying:
                self._taken[request.address] = each.number
            wanted.append(each)
        return wanted

    @property
    def newest(self) -> int:
        """Number of the newest request that is waited for."""
        return max(self._waiting, default=0)

    def drop_after(self, number: int) -> None:
        """Nobody waits any more for what was asked for later than this request."""
        self._waiting = {each: request for each, request in self._waiting.items() if each <= number}


def _refusing(error: UserError) -> Take:
    def take() -> Replies:
        raise error

    return take
