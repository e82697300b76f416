"""Fades of the picture to black, which music follows: it grows softer with the light, and a cue that ends in one rings
into it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from engine.music import Cut

LONGEST_S: Final = 8  # seconds that a fade is followed back
_LEAST_LIGHT: Final = 0.06  # brightness, 0..1, that there must have been
_LEFT: Final = 0.85  # of it that is left in the last second before black, at most
_STEP: Final = 0.004  # by which light falls from second to second

Fade = tuple[float, float, float]  # picture seconds: where it begins, where it is black, where a picture comes again


def fades(light: np.ndarray, valid: np.ndarray, cuts: Sequence[Cut]) -> tuple[Fade, ...]:
    """The fades to black of a film, in order.

    light: (T,) brightness of each second's first picture, zeros where nothing is known of it.  valid: (T,) bool, False
    where the picture is black.  A hard cut on the way to black makes none.
    """
    found: list[Fade] = []
    black = [not bool(each) for each in valid]
    count = len(black)
    for second in range(1, count + 1):
        at_end = second == count
        if black[second - 1] or not (at_end or black[second]):
            continue
        first = second - 1
        while (
            first > max(second - 1 - LONGEST_S, 0) and not black[first - 1] and light[first - 1] > light[first] + _STEP
        ):
            first -= 1
        full, left = float(light[first]), float(light[second - 1])
        # At the film's end the last picture that was looked at may be a second before the dark.
        enough = left <= (0.6 if at_end else _LEFT) * full
        hard = any(cut.kind == "cut" and first + 0.5 < cut.time_s <= second + 0.5 for cut in cuts)
        if first == second - 1 or full < _LEAST_LIGHT or not enough or hard:
            continue
        until = next((later for later in range(second, count) if not black[later]), count)
        found.append((float(first), float(second), float(until)))
    return tuple(found)
