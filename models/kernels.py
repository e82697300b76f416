"""Sizes and tables that recall and echo share between torch (models.recall, models.echo) and numpy (models.runtime)."""

from __future__ import annotations

from typing import Final

import numpy as np

# --- recall -------------------------------------------------------------------------------------------------------
MATCH: Final = 16  # slots backwards that may agree
RUNS: Final = 8  # distinct chords backwards that may agree
LENGTHS: Final = 4  # by how much a run may be longer or shorter
DISTANCES: Final = 48  # buckets
LAGS: Final = (2, 4)  # changes of root back, from which elapsed time is compared
SPREAD: Final = 2 * LENGTHS + 1

# --- echo ---------------------------------------------------------------------------------------------------------
DECAYS: Final = (0.8, 0.93, 0.98)
OBSERVATIONS: Final = 4  # chord, root, change of chord, change of root
AGREEMENTS: Final = OBSERVATIONS * len(DECAYS)  # observation-major
KNEE: Final = 0.75  # above it the weight may grow with another slope
UNIT: Final = 10.0  # nats that a slope of 1 adds between no agreement and full agreement
FACTS: Final = 4  # mass, odds of staying, the same given this chord, how much of the weight has this chord
DOUBT: Final = 0.02  # added to both sides of odds


def distance_buckets(length: int) -> np.ndarray:
    """(length,) int64: bucket of each distance; exact to 32, then logarithmic up to DISTANCES - 1."""
    distance = np.arange(length)
    far = 32 + (np.log2(np.maximum(distance, 32).astype(np.float32) / np.float32(32)) * np.float32(4.5)).astype(
        np.int64
    )
    return np.minimum(np.where(distance < 32, distance, far), DISTANCES - 1)


def sinusoids(length: int, width: int) -> np.ndarray:
    """(length, width) float32 positions, even columns sine, odd cosine, base 10,000 (Vaswani et al. 2017)."""
    position = np.arange(length, dtype=np.float64)[:, None]
    rate = np.exp(np.arange(0, width, 2, dtype=np.float64) * (-np.log(10000.0) / width))
    table = np.zeros((length, width), dtype=np.float32)
    table[:, 0::2] = np.sin(position * rate)
    table[:, 1::2] = np.cos(position * rate)
    return table
