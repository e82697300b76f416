"""Drums: General MIDI percussion (GM 1, key map), its energy from the motion of the picture.

Level 1 is silence, 2 a pulse, 3 a beat, 4 a driving beat, 5 sixteenths.  Fills lead into hits and sections and, from
level 4 on, into every ninth bar.  Works in any meter: kicks and snares share the groups of the bar.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

KICK: Final = 36
SIDE_STICK: Final = 37
SNARE: Final = 38
CLOSED_HAT: Final = 42
OPEN_HAT: Final = 46
CRASH: Final = 49
RIDE: Final = 51
TOMS: Final = (50, 48, 45, 41)  # high to low
FILL_STEPS: Final = 4
PERIOD_BARS: Final = 8


@dataclass(frozen=True, slots=True)
class DrumHit:
    """step: sixteenths from the segment's start.  change: added to the velocity."""

    step: int
    pitch: int
    change: int = 0


# size: a bar's facts; a pure function of them, as the tests use it.
def play(
    level: int, bar_steps: range, bar: int, groups: tuple[int, ...], accent: bool, fill_from: int | None, ending: bool
) -> Iterator[DrumHit]:
    """What is struck.

    bar_steps: the sixteenths of the bar that the segment covers.  accent: a hit or section begins here.  fill_from:
    step of the segment from which a fill runs to its end.
    """
    if ending:
        if level >= 2:
            yield DrumHit(0, KICK, 8)
            yield DrumHit(0, CRASH, 4)
        return
    if accent:
        yield DrumHit(0, KICK, 12)
        yield DrumHit(0, CRASH, 6)
    if level == 1:
        if fill_from is not None:
            yield from _fill(fill_from, len(bar_steps), soft=True)
        return
    starts = [sum(groups[:index]) for index in range(len(groups))]
    snares = _backbeats(len(groups))
    for step, place in enumerate(bar_steps):
        if fill_from is not None and step >= fill_from:
            break
        group = max(index for index, start in enumerate(starts) if start <= place)
        on_group = place == starts[group]
        if on_group and not (accent and step == 0):
            if group in snares:
                if level >= 3:
                    yield DrumHit(step, SNARE if level >= 4 else SIDE_STICK)
            elif level >= 3 or group == 0:
                yield DrumHit(step, KICK, 4 if group == 0 else 0)
        elif level >= 4 and group not in snares and place == starts[group] + groups[group] - 2 and bar % 2:
            yield DrumHit(step, KICK, -6)
        hat = _hat(level, place, place - starts[group], groups[group], on_group)
        if hat is not None:
            yield DrumHit(step, hat[0], hat[1])
    if fill_from is not None:
        yield from _fill(fill_from, len(bar_steps), soft=level == 2)


def _backbeats(count: int) -> frozenset[int]:
    if count % 2 == 0:
        return frozenset(range(1, count, 2))
    return frozenset({count - 1}) if count > 1 else frozenset()


def _hat(level: int, place: int, offset: int, length: int, on_group: bool) -> tuple[int, int] | None:
    if level == 2:
        return (RIDE, -8) if on_group else None
    if level == 5:
        if offset == length - 2 and place % 8 == 6:
            return OPEN_HAT, -4
        return CLOSED_HAT, -4 if offset % 2 == 0 else -14
    return (CLOSED_HAT, -4 if on_group else -10) if offset % 2 == 0 else None


def _fill(first: int, last: int, soft: bool) -> Iterator[DrumHit]:
    """Toms downwards that grow."""
    count = last - first
    for index in range(count):
        if soft and index % 2:
            continue
        pitch = TOMS[min(index * len(TOMS) // max(count, 1), len(TOMS) - 1)]
        yield DrumHit(first + index, pitch, (-14 if soft else -8) + 12 * index // max(count, 1))
