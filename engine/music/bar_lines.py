"""Where the bar lines of a cue are in the picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from engine.music.meter import TempoMap

NEAR_S: Final = 0.1  # of the cue's end: a bar of which this is left has not begun


@dataclass(frozen=True, slots=True)
class BarLines:
    """bar_at: number of the bar whose line is nearest to a picture second; second_of: where that line is."""

    bar_at: Callable[[float], int]
    second_of: Callable[[int], float]


def bar_lines(tempo_map: TempoMap, picture_starts_at_s: float) -> BarLines:
    """Those of a tempo map whose picture begins at a second of the timeline."""

    def bar_at(picture_s: float) -> int:
        return round(tempo_map.bar_position(tempo_map.beats_at(picture_s + picture_starts_at_s))) + 1

    def second_of(bar: int) -> float:
        return tempo_map.seconds_at(float(tempo_map.bar_start(bar))) - picture_starts_at_s

    return BarLines(bar_at, second_of)


def first_whole_bar(picture_s: float, lines: BarLines) -> int:
    """The first bar that begins at a picture second or later."""
    bar = lines.bar_at(picture_s)
    return bar if lines.second_of(bar) >= picture_s - 1e-3 else bar + 1


def end_bar(picture_s: float, lines: BarLines) -> int:
    """The bar after the last one that has begun before a picture second."""
    bar = lines.bar_at(picture_s)
    return bar if lines.second_of(bar) >= picture_s - NEAR_S else bar + 1
