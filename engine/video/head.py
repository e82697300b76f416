"""What at the head of a film, and between its scenes, is no picture: bars, slate, leader, 2-pop, black, cards.

A second is black when at least BLACK_SHARE of its frames are.  Once colour bars have been seen in the first minutes,
all that follows belongs to the head as long as another second of black comes within LEADER_S: slate, countdown leader
and 2-pop are each followed by one; action is not.  Without bars only black is marked: a logo between two blacks may be
film.

A card is writing or a sign on one even tone: titles white on black, a company's name, credits that roll.  It is scored
as the film is, but has no mood of its own: a last black card would read as sad and turn a comedy to the minor.
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
CARD_TONE: Final = 14  # values, 0..255, that a card's ground may vary by
CARD_GROUND: Final = 0.6  # least share of the picture that is ground
CARD_WRITING: Final = (0.002, 0.3)  # share that stands out from it by CARD_CONTRAST or more
CARD_CONTRAST: Final = 40.0
# Mean step from pixel to pixel in the writing, beside its contrast; a lamp or a moon is smooth.
CARD_ROUGH: Final = 0.1
CARD_COLOUR: Final = 26.0  # standard deviation of the writing's colour, 0..255, light left out: it has one or two
_ROUNDED: Final = 4  # the luma of a small picture and that of its colours are this near
EVEN: Final = (20.0, 235.0)  # a picture of one tone darker or brighter than this is a blank


def median(values: np.ndarray) -> np.ndarray:
    """Median along the first axis.  numpy's own loads numpy.ma when it is first called, 20 ms and more."""
    ordered, count = np.sort(values, axis=0), len(values)
    return np.asarray((ordered[(count - 1) // 2].astype(np.float64) + ordered[count // 2]) / 2.0)


def may_be_black(luma: np.ndarray) -> bool:
    """False where a look at the luma tells that `is_black` would say no, for a hundredth of the work.

    luma: (h, w) uint8.
    """
    height, width = luma.shape
    bright = BLACK_MOST + _ROUNDED  # a pixel's largest colour is no darker than its luma
    return luma.item(height // 2, width // 2) < bright and int(luma[height // 2].max()) < bright


def is_black(small: np.ndarray) -> bool:
    """small: (h, w, 3) uint8."""
    import cv2

    return max(cv2.mean(small)[:3]) < BLACK_MEAN and int(small.max()) < BLACK_MOST


def may_be_card(luma: np.ndarray) -> bool:
    """False where the corners tell that `is_card` would say no; most pictures end here.  luma: (h, w) uint8."""
    height, width = luma.shape
    if height < 32 or width < 64:
        return False
    corners = [luma.item(y, x) for y in (1, height - 2) for x in (1, width - 2)]
    return max(corners) - min(corners) <= 2 * CARD_TONE + _ROUNDED


def is_card(small: np.ndarray) -> bool:
    """Whether a picture is writing on an even ground, or an even ground alone, near black or white.

    small: (h, w, 3) uint8.  Titles over moving pictures are none.
    """
    height, width = small.shape[:2]
    if height < 32 or width < 64:
        return False
    edge = np.concatenate([small[:, 1], small[:, -2]])
    low, high = edge.min(axis=0), edge.max(axis=0)
    if int((high - low).max()) > 2 * CARD_TONE:
        return False
    ground = median(edge)
    for line in (small[1], small[-2]):  # credits that roll may touch these
        if float((np.abs(line - ground).max(axis=1) <= CARD_TONE).mean()) < CARD_GROUND:
            return False
    apart = np.abs(small.astype(np.float32) - ground).max(axis=2)  # (h, w)
    if float((apart <= CARD_TONE).mean()) < CARD_GROUND:
        return False
    contrast = float(apart.max())
    writing = apart > max(CARD_CONTRAST, 0.4 * contrast)
    share = float(writing.mean())
    if contrast < CARD_CONTRAST:
        return not EVEN[0] < float(ground.mean()) < EVEN[1]
    if not CARD_WRITING[0] <= share <= CARD_WRITING[1]:
        return False
    across = np.abs(np.diff(apart, axis=1, append=0)) + np.abs(np.diff(apart, axis=1, prepend=0))
    down = np.abs(np.diff(apart, axis=0, append=0)) + np.abs(np.diff(apart, axis=0, prepend=0))
    rough = max(float(across[writing].mean()), float(down[writing].mean())) / 2.0 / contrast
    pixels = small[writing].astype(np.float32)
    chroma = pixels - pixels.mean(axis=1, keepdims=True)
    return rough >= CARD_ROUGH and float(chroma.std(axis=0).max()) <= CARD_COLOUR


def is_bars(small: np.ndarray) -> bool:
    """Whether a picture's upper half is SMPTE or EBU colour bars.  small: (h, w, 3) uint8 BGR."""
    height, width = small.shape[:2]
    if height < 16 or width < 64:
        return False
    upper = small[height // 16 : height // 2].astype(np.float32)  # (h', w, 3)
    if float(median(upper.std(axis=0).ravel())) > 5.0:  # each column is one colour
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
