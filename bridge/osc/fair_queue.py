"""What waits to be done, a row for each sender: one who floods waits behind their own, not others behind them."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from typing import Final

from bridge.osc.server import Datagram, Sender

MAX_QUEUED: Final = 512
MAX_OF_ONE: Final = 128


class FairQueue:
    """put() from the OSC thread, get() from the session's: senders take turns, each one's datagrams stay in order."""

    def __init__(self, limit: int = MAX_QUEUED, limit_of_one: int = MAX_OF_ONE) -> None:
        self._limit, self._limit_of_one = limit, limit_of_one
        self._rows: OrderedDict[Sender, deque[Datagram]] = OrderedDict()
        self._count = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._count

    def put(self, datagram: Datagram) -> bool:
        """False where there is no room for it; where all room is taken, the longest row gives way to a shorter one."""
        with self._lock:
            row = self._rows.get(datagram.sender)
            waiting = 0 if row is None else len(row)
            if waiting >= self._limit_of_one:
                return False
            if self._count >= self._limit:
                if len(self._rows) == self._count:  # one each: a flood under many names costs no search
                    return False
                longest = max(self._rows.values(), key=len)
                if len(longest) <= waiting + 1:
                    return False
                longest.pop()
                self._count -= 1
            if row is None:
                row = self._rows[datagram.sender] = deque()
            row.append(datagram)
            self._count += 1
            return True

    def get(self) -> Datagram | None:
        """The first of the sender whose turn it is; None when nothing waits."""
        with self._lock:
            if not self._rows:
                return None
            sender, row = self._rows.popitem(last=False)
            datagram = row.popleft()
            self._count -= 1
            if row:
                self._rows[sender] = row  # at the end of the round
            return datagram
