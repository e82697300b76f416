"""Signals that end a program, handled for as long as something runs."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from typing import Any, Final

ENDING: Final = ("SIGINT", "SIGTERM", "SIGHUP")


@contextlib.contextmanager
def handled(handler: Any, *names: str) -> Iterator[None]:
    """While it lasts, the named signals go to the handler; those that the system does not have are left out."""
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
