"""Finds where one shot ends and the next begins.  Fed frame by frame; times are picture seconds.

Hard cuts: PySceneDetect's AdaptiveDetector (Castellano 2018, the paper's section 3.2.3): the mean HSV change from frame
to frame, compared with its neighbours within two frames.  Its arithmetic is done here by OpenCV's own loops, which
gives the same numbers in a third of the time (a test compares them with the stock detector).  Fades and dissolves:
engine.video.gradual.
"""

from __future__ import annotations

import math
from bisect import insort
from collections import deque
from fractions import Fraction
from typing import Any, Final

import numpy as np

from engine.music import Cut
from engine.video.gradual import HARD_CUT_S, SETTLED_S, GradualFinder

FULL_STRENGTH_DIFFERENCE: Final = 80.0  # mean absolute RGB change across a cut that counts as strength 1
LOOKAHEAD_FRAMES: Final = 3  # a cut is known this many frames after it


def make_detector(adaptive_threshold: float, min_shot_frames: int) -> Any:
    """An AdaptiveDetector whose frame score is computed by OpenCV (same value, less time)."""
    import cv2
    from scenedetect.detectors import AdaptiveDetector

    class QuickAdaptiveDetector(AdaptiveDetector):
        _before: Any = None

        def _calculate_frame_score(self, timecode: Any, frame_img: np.ndarray) -> float:
            hsv: Any = cv2.cvtColor(frame_img, cv2.COLOR_BGR2HSV)
            before, self._before = self._before, hsv
            if before is None or before.shape != hsv.shape:
                return 0.0
            # The mean over hue, saturation and value of their mean changes is the mean over all of them.
            return float(cv2.norm(hsv, before, cv2.NORM_L1)) / hsv.size

    return QuickAdaptiveDetector(adaptive_threshold=adaptive_threshold, min_scene_len=min_shot_frames)


class ShotFinder:
    """Push frames in order; cuts come back a few frames later."""

    def __init__(self, fps: Fraction, *, adaptive_threshold: float = 3.0, min_shot_s: float = 0.6) -> None:
        self.cuts: list[Cut] = []
        self._detector = make_detector(adaptive_threshold, math.ceil(min_shot_s * fps))
        self._gradual = GradualFinder()
        self._min_shot_s = min_shot_s
        self._recent: deque[tuple[int, float, float]] = deque(maxlen=16)  # index, time_s, change from the frame before

    def push(self, index: int, time_s: float, small: np.ndarray, change: float) -> None:
        """Takes the next frame.  small: (h, w, 3) uint8 BGR; change: its mean difference to the frame before."""
        self._recent.append((index, time_s, change))
        # Plain frame numbers do where the detector asks for its own time codes: it only subtracts and compares them.
        for code in self._detector.process_frame(index, small):
            for known_index, known_s, known_change in self._recent:
                # A quick fade may look like a cut as well; it was told already.
                if known_index == code and not self._is_gradual(known_s):
                    self._gradual.hard_cut(known_s)
                    self._insert(Cut(known_s, min(1.0, known_change / FULL_STRENGTH_DIFFERENCE), "cut"))
        gradual = self._gradual.push(time_s, small)
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
        certain_s = min(self._recent[-1 - LOOKAHEAD_FRAMES][1], self._recent[-1][1] - SETTLED_S)
        open_since_s = self._gradual.open_since_s
        return certain_s if open_since_s is None else min(certain_s, open_since_s)
