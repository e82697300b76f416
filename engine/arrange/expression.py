"""Loudness as velocities and controllers, density as levels.

The paper maps loudness 0..1 linearly to velocities 49..112 (section 4.2.3).  Real RMS loudness lies between .02 and .36
(5th and 95th percentile of MuVi-Sync), so that map is flat; by default the film's own quantiles are stretched over each
part's range.  The same holds for density and the paper's five levels (Table 3).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import Final

from engine.arrange.options import PartOptions
from engine.music import FilmLevels, Slot

PAPER_VELOCITY: Final = (49, 112)
PAPER_DENSITY: Final = (5.0, 10.0, 15.0, 20.0)
MUVI_LOUDNESS: Final = (0.02, 0.165, 0.36)  # 5 %, 50 %, 95 %
CC1_RANGE: Final = (25, 105)
CC11_FIXED: Final = 100
CC11_RANGE: Final = (60, 120)
CONTROLLERS_PER_S: Final = 20
ROLLING_S: Final = 30.0  # of picture that rolling quantiles look back
_ROLLING_LEAST: Final = 5  # slots; before, the film's own quantiles hold
# Added by the weight of a sixteenth in its bar: off beat, eighth, group of beats, bar line.
ACCENTS: Final = (-4, 0, 3, 6)


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which a share 0..1 of ascending `values` lies (linear between neighbours)."""
    place = share * (len(values) - 1)
    index = min(int(place), len(values) - 2) if len(values) > 1 else 0
    if len(values) == 1:
        return values[0]
    return values[index] + (values[index + 1] - values[index]) * (place - index)


def film_levels(slots: Sequence[Slot]) -> FilmLevels:
    """Quantiles of a film's density and loudness; the corpus' where the film says nothing (no slots, or all alike)."""
    density = sorted(slot.density for slot in slots)
    loudness = sorted(slot.loudness for slot in slots)
    thresholds, points = PAPER_DENSITY, MUVI_LOUDNESS
    if len(density) >= 5 and quantile(density, 0.95) - quantile(density, 0.05) >= 1.0:
        a, b, c, d = (quantile(density, share) for share in (0.2, 0.4, 0.6, 0.8))
        thresholds = (a, b, c, d)
    if len(loudness) >= 5 and quantile(loudness, 0.95) - quantile(loudness, 0.05) >= 0.01:
        low, middle, high = (quantile(loudness, share) for share in (0.05, 0.5, 0.95))
        points = (low, min(max(middle, low + 1e-6), high - 1e-6), high)
    motion = sorted(slot.motion for slot in slots)
    energy = None
    if len(motion) >= 5 and quantile(motion, 0.95) - quantile(motion, 0.05) >= 1.0:
        energy = (quantile(motion, 0.2), quantile(motion, 0.4), quantile(motion, 0.6), quantile(motion, 0.8))
    return FilmLevels(thresholds, points, energy)


def rolling_levels(values: Sequence[float], starts_s: Sequence[float], spread: float) -> list[int | None]:
    """Level 1..5 of each value among those of the last ROLLING_S seconds, itself among them.

    values: one per slot, starts_s: their picture seconds, ascending.  spread: what lies closer together between its 5 %
    and 95 % is not stretched.  None where too little is known; then the film's own quantiles hold.  Only what lies
    behind counts, so that music already arranged stays as it is while a film is still being composed.
    """
    found: list[int | None] = []
    window: list[float] = []
    first = 0
    for value, start_s in zip(values, starts_s, strict=True):
        insort(window, value)
        while starts_s[first] < start_s - ROLLING_S:
            del window[bisect_left(window, values[first])]
            first += 1
        if len(window) < _ROLLING_LEAST or quantile(window, 0.95) - quantile(window, 0.05) < spread:
            found.append(None)
        else:
            found.append(1 + sum(value > quantile(window, share) for share in (0.2, 0.4, 0.6, 0.8)))
    return found


def density_level(density: float, density_map: str, levels: FilmLevels) -> int:
    """1..5.  The paper's rows: at most 5 notes, 6-10, 11-15, 16-20, at least 21."""
    # The paper counts whole notes; predictions are real numbers, so 5.4 is 5 notes and 5.6 is 6.
    if density_map == "paper":
        return 1 + bisect_left(PAPER_DENSITY, float(round(density)))
    return 1 + bisect_left(levels.density, density)


def density_place(density: float, density_map: str, levels: FilmLevels) -> float:
    """0..4 where a density lies among the borders of the five levels, in a straight line from border to border."""
    borders = PAPER_DENSITY if density_map == "paper" else levels.density
    below, above = max(borders[1] - borders[0], 1e-6), max(borders[3] - borders[2], 1e-6)
    if density <= borders[0]:
        return max(0.5 - 0.5 * (borders[0] - density) / below, 0.0)
    for place in range(3):
        if density <= borders[place + 1]:
            width = max(borders[place + 1] - borders[place], 1e-6)
            return 0.5 + place + (density - borders[place]) / width
    return min(3.5 + 0.5 * (density - borders[3]) / above, 4.0)


def activity_level(activity: float) -> int:
    """The level of an activity of 0..100."""
    return min(5, 1 + int(activity // 20))


def loudness_place(loudness: float, levels: FilmLevels) -> float:
    """Where a loudness lies in its film: 0 at its 5 %, .5 at its median, 1 at its 95 %."""
    low, middle, high = levels.loudness
    if loudness <= middle:
        return max(0.0, 0.5 * (loudness - low) / (middle - low))
    return min(1.0, 0.5 + 0.5 * (loudness - middle) / (high - middle))


def paper_velocity(loudness: float) -> int:
    """49..112, linear in loudness 0..1."""
    low, high = PAPER_VELOCITY
    return round(low + (high - low) * min(max(loudness, 0.0), 1.0))


def part_velocity(place: float, part: PartOptions, weight: int) -> int:
    """Velocity of a part where the film is at `place` 0..1, on a sixteenth of metrical weight 0..3."""
    low, high = part.velocity_low, part.velocity_high
    inside = min(max(low + (high - low) * place + ACCENTS[weight], low), high)
    return min(max(round(inside + part.level), 1), 127)


def controller_value(place: float, span: tuple[int, int]) -> int:
    return round(span[0] + (span[1] - span[0]) * min(max(place, 0.0), 1.0))
