"""A new cut that runs faster or slower from end to end: 24 frames a second played at 25, 23.976 made of 24, any other.

Second by second such a film is a row of small trims.  Where most of it runs at one speed that is not the old cut's, it
is compared again with its frames as far apart as they were in the old cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Final

import numpy as np

from engine.conform.changes import ChangeList, Span

KNOWN: Final = {
    Fraction(25, 24): "a PAL speed-up",
    Fraction(1001, 960): "a PAL speed-up from 23.976",
    Fraction(24, 25): "a PAL speed-up undone",
    Fraction(960, 1001): "a PAL speed-up undone, at 23.976",
    Fraction(1000, 1001): "pulled down, as 24 to 23.976",
    Fraction(1001, 1000): "pulled up, as 23.976 to 24",
}
MOST: Final = 0.15  # a film that differs by more is cut anew, not played at another speed
_LEAST: Final = 0.004  # seen in pictures; a smaller one is tried only where the films' rates differ so
_WINDOW: Final = 240  # frames over which a speed is read first
_TOGETHER: Final = 0.6  # share of the windows that have to say the same
_NEAR_KNOWN: Final = 0.006  # a speed read off small trims is no more exact
_LEFT: Final = Fraction(1, 4000)  # of a speed that is taken


def speeds(changes: ChangeList, ratio: Fraction) -> Iterator[Fraction]:
    """Old frames a new one at which the new cut may run throughout; none where it runs as the old one does.

    changes: as found at the speed of 1.  ratio: the new film's frame rate to the old one's, at which a film runs whose
    frames are all kept.
    """
    if pieces(changes) <= 1:
        return
    found = most_of_it(changes)
    by_frames = ratio.limit_denominator(2000)
    if by_frames in KNOWN or (by_frames != 1 and abs(float(by_frames) / found - 1) < 0.01):
        yield by_frames
    if abs(found - 1) < _LEAST or abs(found - 1) > MOST:
        return
    near = [speed for speed in KNOWN if abs(float(speed) - found) < _NEAR_KNOWN and abs(speed - 1) > _LEAST]
    yield from (speed for speed in near if speed != by_frames)
    yield Fraction(found).limit_denominator(2000)


def pieces(changes: ChangeList) -> int:
    """How much has to be said to tell the new cut by the old one."""
    return len(changes.spans) + len(changes.lifts)


def better(speed: Fraction, changes: ChangeList) -> Fraction | None:
    """A speed that fits still better, from what was found at one; None: it fits."""
    left = Fraction(most_of_it(changes)).limit_denominator(20_000)
    return None if abs(left - 1) < _LEFT else (speed * left).limit_denominator(20_000)


def most_of_it(changes: ChangeList) -> float:
    """Old frames a new one in most of the new cut, whatever was cut out of it or in; 1.0 where no speed is common."""
    path = _path(changes)
    window = min(_WINDOW, len(path) // 6)
    if window < 24:
        return 1.0
    slopes = _slopes(path, window)
    found = float(np.median(slopes)) if len(slopes) else 1.0
    if len(slopes) < 0.5 * (len(path) - window) or np.mean(abs(slopes - found) < max(0.02, 3 / window)) < _TOGETHER:
        return 1.0
    while 2 * window < len(path) // 2:  # the longer, the more exact, as long as it is not interrupted
        slopes = _slopes(path, 2 * window)
        slopes = slopes[abs(slopes - found) < 3 / window]
        if len(slopes) < 0.2 * len(path):
            break
        window, found = 2 * window, float(np.median(slopes))
    return found


def _path(changes: ChangeList) -> np.ndarray:
    """(new_frames,) the old frame of each new one; NaN: none."""
    path = np.full(changes.new_frames, np.nan)
    for span in changes.spans:
        if span.old_start is not None:
            path[span.new_start : span.new_end] = span.old_start + np.arange(span.length) * float(span.speed)
    return path


def _slopes(path: np.ndarray, window: int) -> np.ndarray:
    slopes = (path[window:] - path[:-window]) / window
    return slopes[np.isfinite(slopes)]


def at_speed(changes: ChangeList, speed: Fraction, new_frames: int) -> ChangeList:
    """What was found in a new cut whose frames were counted at a speed, in frames of the old cut's rate."""

    def place(frame: int) -> int:
        return new_frames if frame == changes.new_frames else min(round(frame / speed), new_frames)

    spans: list[Span] = []
    for span in changes.spans:
        start, end = place(span.new_start), place(span.new_end)
        if end > start:
            spans.append(replace(span, new_start=start, new_end=end))
    return replace(changes, new_frames=new_frames, spans=tuple(spans), speed=speed)


def words(speed: Fraction) -> str:
    """The sentence on a speed."""
    name = next((name for known, name in KNOWN.items() if abs(float(known / speed) - 1) < 3e-4), "")
    return f"The new cut runs at {100 * float(speed):.2f} % speed throughout{f': {name}' if name else ''}."
