"""When a chord loop has been heard enough.

A network that learned from pop songs, whose chords loop, finds a loop of two chords and stays in it for the rest of the
film.  A loop may come round a few times; then the chord that would carry it on is not on offer and the network
takes its next best.  Given and pinned chords are never touched.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, TypeVar

LONGEST_LOOP: Final = 12  # chords
HISTORY: Final = 96  # changes looked back at

T = TypeVar("T")


def patience(adventurous: float) -> float:
    """How many times a loop may come round: adventurous 0..10 -> 5..1.5; 3 at the default of 4."""
    return max(1.5, 5.0 - 0.5 * min(max(adventurous, 0.0), 10.0))


def worn_out(chords: Sequence[T], rounds: float) -> frozenset[T]:
    """Chords that would carry a worn-out loop on.

    chords: one entry per chord change, the running chord last.  rounds: how many times a loop of three or four chords
    may come round; one of two wears out sooner, and longer ones come round twice at most, since they are noticed.
    """
    found = []
    for length in range(2, min(LONGEST_LOOP, len(chords) - 1) + 1):
        same = 0
        while same < len(chords) - length and chords[-1 - same] == chords[-1 - same - length]:
            same += 1
        allowed = math.ceil(_rounds(length, rounds) * length)
        # `same` chords repeat what stood one round before them, so the loop has lasted same + length chords.
        if same and same + length >= allowed:
            found.append(chords[-length])
    return frozenset(found)


def _rounds(length: int, rounds: float) -> float:
    if length == 2:
        return max(1.5, rounds - 1.0)
    return rounds if length <= 4 else min(rounds, 2.0)
