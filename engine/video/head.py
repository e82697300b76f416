"""What at the head of a film, and between its scenes, is nothing to score: bars, slate, leader, 2-pop, black.

A second is black when at least BLACK_SHARE of its frames are.  Once colour bars have been seen in the first minutes,
all that follows belongs to the head as long as another second of black comes within LEADER_S: slate, countdown leader
and 2-pop are each followed by one; action is not.  Without bars only black is marked: a logo between two blacks may be
film.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

BLACK_MEAN: Final = 14.0  # mean of a black picture's values, 0..255
BLACK_MOST: Final = 48  # and its largest value
BLACK_SHARE: Final = 0.85
LEADER_S: Final = 14  # a countdown from 8 and its tail
HEAD_S: Final = 180  # bars later than this belong to the film


def is_black(small: np.ndarray) -> bool:
    """small: (h, w, 3) uint8."""
    import cv2

    # The middle line tells nearly always, for a hundredth of the work.
    if int(small[small.shape[0] // 2].max()) >= BLACK_MOST:
        return False
    return max(cv2.mean(small)[:3]) < BLACK_MEAN and int(small.max()) < BLACK_MOST


def is_bars(small: np.ndarray) -> bool:
    """Whether a picture's upper half is SMPTE or EBU colour bars.  small: (h, w, 3) uint8 BGR."""
    height, width = small.shape[:2]
    if height < 16 or width < 64:
        return False
    upper = small[height // 16 : height // 2].astype(np.float32)  # (h', w, 3)
    if float(np.median(upper.std(axis=0))) > 5.0:  # each column is one colour
        return False
    line = upper.mean(axis=0)  # (w, 3)
    step = np.abs(line[2:] - line[:-2]).max(axis=1)
    flat = float((step < 8).mean())
    edges = int(((step[1:] > 30) & (step[:-1] <= 30)).sum())
    colour = float((line.max(axis=1) - line.min(axis=1)).mean())
    return flat > 0.65 and 5 <= edges <= 9 and colour > 60


class Head:
    """Asked about whole seconds in order; remembers whether the head is over."""

    def __init__(self) -> None:
        self.bars_seen = False
        self.action_row: int | None = None  # the first second of action after bars
        self._in_head = False

    @property
    def lookahead_s(self) -> int:
        """Seconds that must be known beyond the next one that is asked for."""
        return LEADER_S if self._in_head else 0

    def is_head(self, row: int, bars: bool, black_ahead: Sequence[bool]) -> bool:
        """Whether second `row` is bars, slate, leader or 2-pop.  black_ahead: black or not, from this second on."""
        if bars and row < HEAD_S:
            self._in_head = self.bars_seen = True
            self.action_row = None
        elif self._in_head and not any(black_ahead[: LEADER_S + 1]):
            self._in_head = False
            self.action_row = row
        return self._in_head
