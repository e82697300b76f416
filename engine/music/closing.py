"""Where the last chord of a planned cue begins: what chooses it, what plays it and what sets the theme agree here."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Final

from engine.music.cueplan import CuePlan
from engine.music.meter import TempoMap

RING_S: Final = 2.4  # that the last chord of a cue rings alone, at least, where there is room
LEAST_RING_S: Final = 2.0  # the least that a chord is left for that; else the one before it rings
RINGING: Final = frozenset({"ring-off", "unresolved", "pre-lap"})  # endings whose last chord is held
_GRAIN: Final = 960


def closing_unit(plan: CuePlan, tempo_map: TempoMap, picture_starts_at_s: float) -> Fraction:
    """Position, in bars, of the last unit of harmonic rhythm.

    What is left over of a unit, less than half of it, belongs to the last.  Where the cue rings, the last chord begins
    no later than with the fade that it rings into, and early enough to ring.
    """

    def position(picture_s: float) -> Fraction:
        beats = tempo_map.beats_at(picture_s + picture_starts_at_s)
        return tempo_map.bar_position(Fraction(round(beats * _GRAIN), _GRAIN))

    section = plan.sections[-1]
    length = Fraction(section.unit_bars).limit_denominator(16)
    first = position(section.start_s)
    # A cue may begin inside a bar; its units are counted from the bar line before.
    only = len(plan.sections) == 1
    first = Fraction(math.floor(first + Fraction(1, 100))) if only else Fraction(round(first * _GRAIN), _GRAIN)
    end = max(position(section.end_s), first + Fraction(1, 16))
    if plan.dark_from_s is not None:
        fades = max(Fraction(math.floor(position(plan.dark_from_s))), first)
        end = min(end, fades + length)
    count = max(math.floor((end - first) / length + Fraction(1, 2)), 1)
    if plan.ending in RINGING:
        latest = position(section.end_s - LEAST_RING_S)
        while count > 1 and first + (count - 1) * length > latest:
            count -= 1
    return first + (count - 1) * length


def beats_of(tempo_map: TempoMap, position: Fraction) -> float:
    """Beats of a position in bars."""
    whole = math.floor(position)
    start, end = tempo_map.bar_start(whole + 1), tempo_map.bar_start(whole + 2)
    return float(start + (position - whole) * (end - start))
