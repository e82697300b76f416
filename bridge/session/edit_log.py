"""Who makes edits, which of them belong together, and what the last one was."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import NamedTuple


class LastEdit(NamedTuple):
    """What was changed last, by whom, and from which picture second it is heard.  number: counts edits."""

    number: int = 0
    label: str = ""
    who: str = ""
    heard_s: float = 0.0


class EditLog:
    """who, gesture: of the edits that are made now.  trying: they are only checked."""

    def __init__(self) -> None:
        self.who = ""
        self.gesture = ""
        self.trying = False
        self.last = LastEdit()

    @contextlib.contextmanager
    def acting(self, who: str, gesture: str = "") -> Iterator[None]:
        """Edits made meanwhile are somebody's; those of one gesture are one step of the history."""
        before = self.who, self.gesture
        self.who, self.gesture = who, gesture and f"{who} {gesture}"
        try:
            yield
        finally:
            self.who, self.gesture = before

    @contextlib.contextmanager
    def only_trying(self) -> Iterator[None]:
        """Edits made meanwhile are checked and answered with when they would be heard, and nothing changes."""
        before, self.trying = self.trying, True
        try:
            yield
        finally:
            self.trying = before

    def note(self, label: str, heard_s: float) -> float:
        """Remembers an edit that was made; returns from when it is heard."""
        self.last = LastEdit(self.last.number + 1, label, self.who, heard_s)
        return heard_s
