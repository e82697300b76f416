"""Harmonic tension: how far what sounds lies from its key on the spiral array.

Chew, "Towards a mathematical model of tonality" (2000), for the array and its weights; Herremans & Chew, "Tension
ribbons" (2016), for tensile strain, the distance between what sounds and the key.  Tones are spelled as their chord has
them: the third of E major is G#, not Ab, which lies elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import numpy as np

from engine.music import Chord, Key

_WEIGHTS: Final = (0.536, 0.274, 0.190)  # of root, fifth and third in a triad, and of I, V and IV in a key
_RISE: Final = math.sqrt(2 / 15)  # a fifth, where the radius is 1
# Fifths up to the tone that lies so many semitones above a root, as chords spell it.
_FIFTHS: Final = (0, -5, 2, -3, 4, -1, 6, 1, -4, 3, -2, 5)


def spiral(fifths: int) -> np.ndarray:
    """(3,) place of a tone so many fifths from where the array begins."""
    return np.array([math.sin(fifths * math.pi / 2), math.cos(fifths * math.pi / 2), fifths * _RISE])


@lru_cache(maxsize=2)
def _centre(mode: str) -> np.ndarray:
    """(3,) centre of a key whose tonic is at 0: of its tonic, its major dominant and its subdominant."""
    third = 4 if mode == "major" else -3
    total = np.zeros(3)
    for weight, (root, own) in zip(_WEIGHTS, ((0, third), (1, 4), (-1, third)), strict=True):
        for part, fifths in zip(_WEIGHTS, (root, root + 1, root + own), strict=True):
            total += weight * part * spiral(fifths)
    return total


def tensile_strain(tones: Iterable[tuple[int, float]], chord: Chord, key: Key) -> float:
    """How far tones lie from a key; nan where nothing sounds.  tones: (pitch class, weight); chord: their spelling."""
    total, weights = np.zeros(3), 0.0
    root = 0 if chord.root is None else chord.root
    from_tonic = _FIFTHS[(root - key.tonic) % 12]
    for tone, weight in tones:
        total += weight * spiral(from_tonic + _FIFTHS[(tone - root) % 12])
        weights += weight
    return float(np.linalg.norm(total / weights - _centre(key.mode))) if weights else math.nan


@lru_cache(maxsize=4096)
def strain(chord: Chord, key: Key) -> float:
    """How far a chord lies from a key; 0 for silence."""
    if chord.root is None:
        return 0.0
    return tensile_strain([(tone, 1.0) for tone in chord.pitch_classes()], chord, key)
