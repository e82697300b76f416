"""Controllers -> gain.  The one law of levels, for the page and for rendered files alike.

    gain of a part = level x CC 7 law x CC 11 law x CC 1 law

CC 7 (volume) and CC 11 (expression): 40 log10(value / 127) dB, as General MIDI Level 2 and the SoundFont specification
(8.4.5, 8.4.6) have it.  CC 1 (dynamics in sample libraries; General MIDI gives it vibrato, which is not played):
-12 dB at 0 to 0 dB at 127, even in decibels.  A controller that was never sent changes nothing.  Velocity acts on each
note: 40 log10(velocity / 127) dB (`voice.velocity_gain`).  A new value is reached in a straight line after 20 ms; the
first value of a film holds from its beginning.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

import numpy as np

from engine.sound.voice import SAMPLE_RATE

CC1_RANGE_DB: Final = 12.0
RAMP: Final = SAMPLE_RATE // 50  # samples
LEVEL_CONTROLLERS: Final = (1, 7, 11)


def controller_gain(number: int, value: int) -> float:
    """Linear gain of one controller's value 0..127; 1 for controllers that are no level."""
    if number == 1:
        return 10.0 ** (-CC1_RANGE_DB * (1 - value / 127) / 20)
    if number in (7, 11):
        return (value / 127) ** 2
    return 1.0


class GainCurve:
    """The gain of one part over time.

    changes: (sample, controller number, value), in any order.  level_db: of the part itself.
    """

    def __init__(self, changes: Iterable[tuple[int, int, int]], level_db: float = 0.0) -> None:
        self._level = 10.0 ** (level_db / 20)
        by_number: dict[int, dict[int, float]] = {}
        for sample, number, value in sorted(changes):
            if number in LEVEL_CONTROLLERS:
                by_number.setdefault(number, {})[sample] = controller_gain(number, value)
        self._curves = [_ramped(points) for points in by_number.values()]

    def values(self, start: int, count: int) -> np.ndarray | float:
        """Linear gain of `count` samples from `start` on: (count,) float32, or one number where it does not move."""
        level, moving = self._level, None
        for places, gains in self._curves:
            first, last = np.searchsorted(places, [start, start + count - 1])
            inside = gains[max(first - 1, 0) : last + 1]
            if inside.min() == inside.max():
                level *= float(inside[0])
                continue
            curve = np.interp(np.arange(start, start + count), places, gains)
            moving = curve if moving is None else moving * curve
        return level if moving is None else (moving * level).astype(np.float32)


def _ramped(points: dict[int, float]) -> tuple[np.ndarray, np.ndarray]:
    """Corners of the curve, (k,) samples and (k,) gains: each value is reached RAMP after it was sent."""
    places: list[float] = []
    gains: list[float] = []
    end, begun_from, goal = -math.inf, 0.0, 0.0
    for sample, gain in points.items():
        if not places:
            places, gains, goal = [float(sample)], [gain], gain
            continue
        if sample < end:  # the ramp before is not over: turn where it stands
            now = begun_from + (goal - begun_from) * (1 - (end - sample) / RAMP)
            places[-1], gains[-1] = float(sample), now
        else:
            now = goal
            places.append(float(sample))
            gains.append(now)
        end, begun_from, goal = float(sample + RAMP), now, gain
        places.append(end)
        gains.append(gain)
    return np.array(places), np.array(gains)
