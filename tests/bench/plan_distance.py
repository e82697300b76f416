"""How far two plans of one cue are apart, layer by layer: form, players, palettes, keys, theme."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from engine.music import Key
from engine.music.cueplan import CuePlan, SectionPlan, Theme

STEP_S: Final = 0.5
_FIFTHS: Final = 6  # the furthest that two signatures lie apart on the circle of fifths


def layer_distances(first: CuePlan, second: CuePlan) -> dict[str, float]:
    """0 (the same) to 1, by layer.

    form: half by name, half by how far the intensities are apart over time.  palettes: the share of time with different
    ones.  keys: steps between the signatures on the circle of fifths, over time.  theme: of shape, rhythm and form of
    the tune what differs; two themes of one kind that are not the same tune are a quarter apart.
    """
    low_s = min(first.sections[0].start_s, second.sections[0].start_s)
    high_s = max(first.sections[-1].end_s, second.sections[-1].end_s)
    times = np.arange(low_s, high_s, STEP_S)

    def over_time(apart: Callable[[SectionPlan, SectionPlan], float]) -> float:
        return float(np.mean([apart(first.section_at(at_s), second.section_at(at_s)) for at_s in times]))

    return {
        "form": 0.5 * (first.form != second.form) + 0.5 * over_time(lambda a, b: abs(a.intensity - b.intensity) / 4),
        "players": float(first.ensemble != second.ensemble),
        "palettes": over_time(lambda a, b: float(a.variant != b.variant)),
        "keys": over_time(lambda a, b: _fifths(a.key, b.key) / _FIFTHS),
        "theme": _themes(first.theme, second.theme),
    }


def plan_distance(first: CuePlan, second: CuePlan) -> float:
    """The mean of the layers' distances: 0..1."""
    return float(np.mean(list(layer_distances(first, second).values())))


def _fifths(first: Key, second: Key) -> int:
    """Steps between two signatures; a minor key has that of its relative major."""
    majors = [(key.tonic + (3 if key.is_minor else 0)) % 12 for key in (first, second)]
    steps = 7 * (majors[0] - majors[1]) % 12
    return min(steps, 12 - steps)


def _themes(first: Theme | None, second: Theme | None) -> float:
    if first is None or second is None or first.notes == second.notes:
        return float((first is None) != (second is None))
    words = zip((first.shape, first.rhythm, first.form), (second.shape, second.rhythm, second.form), strict=True)
    return 0.25 + 0.25 * sum(mine != theirs for mine, theirs in words)
