"""Which frame of the old cut each frame of the new one is: one path, found by dynamic programming.

Going on to the next old frame costs nothing; staying or skipping one costs a little, so that a shot at another speed
is a staircase; a jump anywhere costs much, so that it is worth it only where the picture really goes on elsewhere; a
frame that is nowhere in the old cut costs as much as a bad match.  Of all old frames only those are followed that look
alike and those that the best paths lead to; and always those at the same distance from the beginning or from the end,
since of the frames of a black head or a long card no other is found among so many that look alike.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from engine.conform.prints import distances, normal

NOWHERE: Final = -1
# Luma levels.  The bundled clip against itself at 256 x 144, 25 fps and crf 30: the same frame is .6 apart (99 of 100
# within .9), neighbours in a shot up to 2.6 (99 of 100), frames of other shots 9 (5 of 100 nearer) to 25 (the middle).
# tests/bench/conform.py shows what these costs are worth.
NOWHERE_COST: Final = 7.0
JUMP_COST: Final = 20.0
STAIR_COST: Final = 5.0
# What bounds the work.
BEAM: Final = 96  # states that are followed
ALIKE: Final = 24  # old frames that are tried beside them
EVERY: Final = 3  # new frames between two looks at all old ones
_BLOCK: Final = 256


def align(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """(M,) int: the old frame of each new one, NOWHERE where there is none.  old, new: prints (N, FIELDS)."""
    count = len(new)
    if not count or not len(old):
        return np.full(count, NOWHERE)
    alike = _alike(old, new)
    states: list[np.ndarray] = []
    backs: list[np.ndarray] = []
    before = np.array([NOWHERE])
    costs = np.zeros(1)
    for t in range(count):
        # The first frame may lie anywhere without a jump.
        jump = JUMP_COST if t else 0.0
        best = int(np.argmin(costs))
        ahead = before[before >= 0]
        straight = np.array([t, t + len(old) - count])
        follow = np.concatenate([ahead, ahead + 1, ahead + 2, alike[t // EVERY], straight])
        follow = np.unique(follow[(follow >= 0) & (follow < len(old))])
        here = np.concatenate([[NOWHERE], follow])
        match = np.concatenate([[NOWHERE_COST], distances(new[t], old[follow])])
        total = np.full(len(here), costs[best] + jump)
        back = np.full(len(here), best)
        for step, price in ((0, STAIR_COST), (1, 0.0), (2, STAIR_COST)):
            place = np.searchsorted(before, here - step)
            place = np.minimum(place, len(before) - 1)
            fits = (before[place] == here - step) & (here >= 0) & (before[place] >= 0)
            cheaper = fits & (costs[place] + price < total)
            total[cheaper] = costs[place][cheaper] + price
            back[cheaper] = place[cheaper]
        if before[0] == NOWHERE and costs[0] < total[0]:
            total[0], back[0] = costs[0], 0
        total += match
        if len(here) > BEAM:
            kept = np.isin(here, straight)
            kept[np.argpartition(total, BEAM)[:BEAM]] = kept[0] = True
            keep = np.flatnonzero(kept)
            here, total, back = here[keep], total[keep], back[keep]
        states.append(here)
        backs.append(back)
        before, costs = here, total
    path = np.empty(count, np.int64)
    at = int(np.argmin(costs))
    for t in range(count - 1, -1, -1):
        path[t] = states[t][at]
        at = int(backs[t][at])
    return path


def _alike(old: np.ndarray, new: np.ndarray) -> list[np.ndarray]:
    """For every EVERYth new frame the old frames that look most like it."""
    known = normal(old).T.copy()
    wanted = normal(new[::EVERY])
    found: list[np.ndarray] = []
    number = min(ALIKE, len(old))
    for first in range(0, len(wanted), _BLOCK):
        products = wanted[first : first + _BLOCK] @ known
        found += list(np.argpartition(-products, number - 1, axis=1)[:, :number])
    return found
