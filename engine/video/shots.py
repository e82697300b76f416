"""Finds where one shot ends and the next begins.  Fed frame by frame; times are picture seconds.

Hard cuts: the rule of PySceneDetect's AdaptiveDetector (Castellano 2018, the paper's section 3.2.3): the mean HSV
change from frame to frame, compared with its neighbours within two frames.  It stands here by itself, because colours
are then needed only where the luma leaps, and because importing the package takes a fifth of a second; tests compare it
with the stock detector.  Fades and dissolves: engine.video.gradual.
"""

from __future__ import annotations

import math
from bisect import insort
from collections import deque
from fractions import Fraction
from typing import Final

import numpy as np

from engine.music import Cut
from engine.video.frames import Picture
from engine.video.gradual import HARD_CUT_S, SETTLED_S, GradualFinder
from engine.video.motion import mean_abs_difference

FULL_STRENGTH_DIFFERENCE: Final = 80.0  # mean absolute RGB change across a cut that counts as strength 1
LOOKAHEAD_FRAMES: Final = 3  # a cut is known this many frames after it
WINDOW: Final = 2  # pictures on each side that a change is compared with
LEAST_SCORE: Final = 15.0  # of a cut, PySceneDetect's min_content_val
LEAST_LUMA: Final = 1.0  # mean luma change, 0..255, below which nothing is a cut
LUMA_SHARE: Final = 0.5


class _Frame:
    """A picture, its luma change from the one before, and its score, made when it is asked for."""

    def __init__(self, picture: Picture, change: float, before: _Frame | None) -> None:
        self.picture = picture
        self.change = change
        self._before = before
        self._score: float | None = None
        self._colours: np.ndarray | None = None

    def colours(self) -> np.ndarray:
        """(h, w, 3) uint8, hue 0..180, saturation and value 0..255."""
        if self._colours is None:
            import cv2

            self._colours = np.asarray(cv2.cvtColor(self.picture.small, cv2.COLOR_BGR2HSV), np.uint8)
        return self._colours

    def score(self) -> float:
        """The mean change of hue, saturation and value; 0 of the first picture and after a new size."""
        if self._score is None:
            before = None if self._before is None else self._before.colours()
            fits = before is not None and before.shape == self.colours().shape
            self._score = mean_abs_difference(self.colours(), before) if before is not None and fits else 0.0
        return self._score

    def strength(self) -> float:
        """Of a cut to this picture, 0..1."""
        small, before = self.picture.small, None if self._before is None else self._before.picture.small
        if before is None or before.shape != small.shape:
            return 0.0
        return min(1.0, mean_abs_difference(small, before) / FULL_STRENGTH_DIFFERENCE)

    def let_go(self) -> None:
        """Holds no earlier picture any more."""
        self._before = None


class HardCutFinder:
    """PySceneDetect's rule: a picture whose score is at least LEAST_SCORE and `threshold` times the mean of those of
    two pictures on each side, and no cut within `min_shot_frames` before it.

    A score needs the colours of two pictures.  It is computed only where luma changes LUMA_SHARE of `threshold` times
    as much as on both sides; what is a cut in hue, saturation and value is far beyond that.
    """

    def __init__(self, threshold: float, min_shot_frames: int) -> None:
        self._threshold = threshold
        self._min_shot_frames = min_shot_frames
        self._frames: deque[_Frame] = deque(maxlen=2 * WINDOW + 1)
        self._last_cut: int | None = None

    def push(self, picture: Picture, change: float) -> _Frame | None:
        """Takes the next picture; change: of its luma.  Returns the one WINDOW before it where that begins a shot."""
        frames = self._frames
        if len(frames) == 2 * WINDOW + 1:
            frames[0].let_go()  # the next one's score needs it still, but nothing before it
        frames.append(_Frame(picture, change, frames[-1] if frames else None))
        if self._last_cut is None:
            self._last_cut = picture.index
        if len(frames) <= 2 * WINDOW:
            return None
        target = frames[WINDOW]
        if target.change < LEAST_LUMA:
            return None
        others = [frame for frame in frames if frame is not target]
        around = sum(frame.change for frame in others) / len(others)
        if target.change < LUMA_SHARE * self._threshold * around:
            return None
        if target.picture.index - self._last_cut < self._min_shot_frames or target.score() < LEAST_SCORE:
            return None
        if target.score() < self._threshold * sum(frame.score() for frame in others) / len(others):
            return None
        self._last_cut = target.picture.index
        return target


class ShotFinder:
    """Push frames in order; cuts come back a few frames later."""

    def __init__(self, fps: Fraction, *, adaptive_threshold: float = 3.0, min_shot_s: float = 0.6) -> None:
        self.cuts: list[Cut] = []
        self._hard = HardCutFinder(adaptive_threshold, math.ceil(min_shot_s * fps))
        self._gradual = GradualFinder()
        self._min_shot_s = min_shot_s
        self._recent: deque[float] = deque(maxlen=LOOKAHEAD_FRAMES + 1)  # times

    def push(self, picture: Picture, change: float) -> None:
        """Takes the next picture.  change: mean difference of its luma to the picture before, 0..255."""
        self._recent.append(picture.time_s)
        found = self._hard.push(picture, change)
        # A quick fade may look like a cut as well; it was told already.
        if found is not None and not self._is_gradual(found.picture.time_s):
            self._gradual.hard_cut(found.picture.time_s)
            self._insert(Cut(found.picture.time_s, found.strength(), "cut"))
        gradual = self._gradual.push(picture.time_s, picture.luma)
        if gradual is not None and not any(
            abs(cut.time_s - gradual.time_s) < self._min_shot_s for cut in self.cuts[-8:]
        ):
            self._insert(gradual)

    def _is_gradual(self, time_s: float) -> bool:
        return any(cut.kind != "cut" and abs(cut.time_s - time_s) <= HARD_CUT_S for cut in self.cuts[-4:])

    def _insert(self, cut: Cut) -> None:
        insort(self.cuts, cut, key=lambda entry: entry.time_s)

    @property
    def certain_s(self) -> float:
        """Before this picture second no further cut will be found."""
        if len(self._recent) <= LOOKAHEAD_FRAMES:
            return 0.0
        certain_s = min(self._recent[0], self._recent[-1] - SETTLED_S)
        open_since_s = self._gradual.open_since_s
        return certain_s if open_since_s is None else min(certain_s, open_since_s)
