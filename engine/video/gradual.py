"""Finds fades and dissolves.  Fed frame by frame; looks at about twelve small grey pictures a second.

Fade: the picture goes to or comes from one even tone (black or white) without a hard cut on that side; its time is the
first picture after the even one.

Dissolve: while one shot is mixed into another, the picture in the middle of a window is the mean of the window's two
ends (f = (1 - a) A + a B with a growing evenly), whereas movement changes it in another way.  So the change across a
window, D = mean |f1 - f0|, is large while M = mean |fm - (f0 + f1) / 2| stays small.  A run of such windows whose first
and last picture are unlike each other nearly everywhere is a dissolve, unless the camera moved (the middle of one is
found in the other) or only the light did (the shapes correlate); its time is the middle of the run.  Comparing over a
longer gap is the idea of twin comparison (Zhang, Kankanhalli & Smoliar 1993).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.music import Cut

SAMPLE_S: Final = 0.08  # one picture per this many seconds is looked at
WINDOWS: Final = (12, 6)  # samples across which change is measured, even: for slow dissolves and for quick ones
CHANGE: Final = 6.0  # least D, 0..255
MIXED: Final = 0.25  # largest M / D
LEAST_RUN: Final = 3  # windows
LONGEST_RUN_S: Final = 4.0
UNLIKE_CHANGE: Final = 14.0  # least mean change between the pictures before and after
UNLIKE_CORRELATION: Final = 0.75  # largest correlation of them
MOVED: Final = 0.85  # correlation at the best place
CHANGED: Final = 10.0  # a place has changed when it differs by more
LEAST_SHARE: Final = 0.5  # of the picture must have changed; a title that fades in changes less
EVEN_DEVIATION: Final = 5.0  # a picture with less than this standard deviation is one even tone
DARK: Final = 20.0
NEARLY_DARK: Final = 40.0
FILM_START_S: Final = 0.5  # what fades in from here is the first shot
NEAR_S: Final = 1.5  # one change is told once
BRIGHT: Final = 235.0
HARD_CUT_S: Final = 0.2  # a hard cut this near to an end of the even run makes that end no fade
FULL_STRENGTH: Final = 80.0
SETTLED_S: Final = SAMPLE_S * (WINDOWS[0] + 2)


@dataclass(frozen=True, slots=True, eq=False)
class _Window:
    """A stretch of pictures that look like a mix of its first and its last."""

    start_s: float
    start: np.ndarray  # (24, 40) float32
    end_s: float
    end: np.ndarray
    change: float


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """One small grey picture: (24, 40) float32, with its mean and standard deviation."""

    time_s: float
    tiny: np.ndarray
    mean: float
    deviation: float


class GradualFinder:
    """Push frames in order; returns fades and dissolves when they are over."""

    def __init__(self) -> None:
        self._next_s = 0.0
        self._samples: deque[_Sample] = deque(maxlen=WINDOWS[0] + 1)
        self._runs: dict[int, list[_Window]] = {window: [] for window in WINDOWS}
        self._even_since: float | None = None
        self._even_gradual = False
        self._last_s = -NEAR_S
        self._hard: deque[float] = deque(maxlen=64)

    def hard_cut(self, time_s: float) -> None:
        """Tells of a hard cut that was found."""
        self._hard.append(time_s)

    @property
    def open_since_s(self) -> float | None:
        """Start of a change that is not over yet."""
        return min((run[0].start_s for run in self._runs.values() if run), default=None)

    def push(self, time_s: float, luma: np.ndarray) -> Cut | None:
        """luma: (h, w) uint8, 0 black, 255 white.  Returns a fade or dissolve that ended."""
        if time_s < self._next_s:
            return None
        import cv2

        self._next_s = time_s + SAMPLE_S - 1e-3
        tiny = np.asarray(cv2.resize(luma, (40, 24), interpolation=cv2.INTER_AREA), np.float32)
        mean, deviation = cv2.meanStdDev(tiny)
        sample = _Sample(time_s, tiny, float(mean[0, 0]), float(deviation[0, 0]))
        before = self._samples[-1] if self._samples else None
        if before is not None and before.time_s < time_s - 1.0:  # a still was held, or frames are missing
            self._samples.clear()
            self._forget()
        self._samples.append(sample)
        found = self._fade(sample, before)
        for window in WINDOWS:
            found = self._dissolve(window) or found
        if found is None or found.time_s - self._last_s < NEAR_S:
            return None
        self._last_s = found.time_s
        return found

    def _fade(self, sample: _Sample, before: _Sample | None) -> Cut | None:
        time_s = sample.time_s
        even = sample.deviation < EVEN_DEVIATION and not DARK < sample.mean < BRIGHT
        if even and self._even_since is None:
            self._even_since = time_s
            self._even_gradual = before is not None and before.deviation < 6 * EVEN_DEVIATION
        elif not even and self._even_since is not None:
            since, self._even_since = self._even_since, None
            self._forget()
            gradual_end = sample.deviation < 6 * EVEN_DEVIATION
            hard_start, hard_end = self._is_hard(since), self._is_hard(time_s)
            if since < FILM_START_S or hard_end:
                return None  # the film begins so, or the hard cut tells it
            if (self._even_gradual and not hard_start) or gradual_end:
                return Cut(time_s, 1.0, "fade")
        return None

    def _forget(self) -> None:
        for run in self._runs.values():
            run.clear()

    def _dissolve(self, window: int) -> Cut | None:
        run = self._runs[window]
        if len(self._samples) <= window or self._even_since is not None:
            run.clear()
            return None
        import cv2

        first, middle, last = self._samples[-1 - window], self._samples[-1 - window // 2], self._samples[-1]
        change = cv2.norm(last.tiny, first.tiny, cv2.NORM_L1) / last.tiny.size
        if change >= CHANGE and _off(first.tiny, middle.tiny, last.tiny) <= MIXED * change:
            run.append(_Window(first.time_s, first.tiny, last.time_s, last.tiny, change))
            while last.time_s - run[0].start_s > LONGEST_RUN_S:
                del run[0]  # a slow pan can look mixed for long; the newest seconds are what counts
            return None
        self._runs[window] = []
        if len(run) < LEAST_RUN:
            return None
        # The part around the strongest change: movement before and after it may have looked mixed as well.
        peak = max(range(len(run)), key=lambda index: run[index].change)
        left = right = peak
        while left > 0 and run[left - 1].change >= 0.5 * run[peak].change:
            left -= 1
        while right < len(run) - 1 and run[right + 1].change >= 0.5 * run[peak].change:
            right += 1
        start_s, start, end_s, end = run[left].start_s, run[left].start, run[right].end_s, run[right].end
        if any(start_s - 0.1 <= hard <= end_s + 0.1 for hard in self._hard):
            return None
        changed = np.abs(end - start)
        difference = float(changed.mean())
        if float((changed > CHANGED).mean()) < LEAST_SHARE:
            return None
        if difference < UNLIKE_CHANGE or _correlation(start, end) > UNLIKE_CORRELATION:
            return None
        if _is_moved(start, end):
            return None
        for at_s, tiny in ((start_s, start), (end_s, end)):
            if not NEARLY_DARK < float(tiny.mean()) < BRIGHT:  # into or out of black that was not quite reached
                return Cut(at_s, 1.0, "fade") if at_s > FILM_START_S and self._even_since is None else None
        return Cut(0.5 * (start_s + end_s), min(1.0, difference / FULL_STRENGTH), "dissolve")

    def _is_hard(self, time_s: float) -> bool:
        return any(abs(hard - time_s) <= HARD_CUT_S for hard in self._hard)


def _off(first: np.ndarray, middle: np.ndarray, last: np.ndarray) -> float:
    """Mean difference of the middle picture from the mean of the other two.  All (24, 40) float32."""
    import cv2

    return cv2.norm(middle, cv2.addWeighted(first, 0.5, last, 0.5, 0.0), cv2.NORM_L1) / middle.size


def _is_moved(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether the middle of one picture is found somewhere in the other: the camera moved."""
    import cv2

    found = cv2.matchTemplate(b, np.ascontiguousarray(a[7:17, 12:28]), cv2.TM_CCOEFF_NORMED)
    return float(found.max()) > MOVED


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale > 1e-6 else 0.0
