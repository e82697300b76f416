"""What is being done, as `/cue/progress` and the view say it, and where edits were said to be heard."""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import Final, NamedTuple

KEPT: Final = 50  # corrections that nobody has asked for yet
SAME_S: Final = 0.005  # a promise that is kept this nearly is not corrected


class Phase(StrEnum):
    """What is being done; the words that `/cue/progress` has for it."""

    START = "start"
    ANALYSE = "analyse"
    COMPOSE = "compose"
    READY = "ready"
    ENGINE = "engine"  # it died and comes back
    FAILED = "failed"


class Progress(NamedTuple):
    phase: Phase
    fraction: float
    words: str


class Promises:
    """The picture second that the answer to the last edit gave, until its notes are with the player.

    number: of the last promise.  composing: its chords have not come yet.  corrections: promises that moved, number and
    new place, for whoever answered them to take.
    """

    def __init__(self) -> None:
        self.number = 0
        self.composing = False
        self.corrections: deque[tuple[int, float]] = deque(maxlen=KEPT)
        self._heard_s = 0.0  # 0: at the film's beginning, or the player has it

    @property
    def open(self) -> bool:
        """Whether its notes are composed and not yet with the player."""
        return not self.composing and self._heard_s > 0

    def make(self, heard_s: float, *, composing: bool) -> float:
        self.number += 1
        self.composing, self._heard_s = composing, heard_s
        return heard_s

    def correct(self, heard_s: float) -> None:
        """The change is heard from another place than was said."""
        if heard_s > self._heard_s + SAME_S:
            self.corrections.append((self.number, heard_s))
        self._heard_s = heard_s

    def composed(self) -> None:
        """The chords are there."""
        self.composing = False

    def close(self) -> None:
        """The player has the notes."""
        self._heard_s = 0.0
