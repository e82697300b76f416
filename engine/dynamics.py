"""Activity and loudness from the picture: the biGRU regressor's note density and loudness per slot.

Density is in notes sounding in a second (0..40), loudness is RMS 0..1.  The regressor reads the film's own seconds,
so its result does not depend on tempo or grid; it is then averaged over slots.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from engine.harmony_slots import mean_over_slots
from engine.video import VideoFeatures
from models.film import FilmInputs

if TYPE_CHECKING:
    from models.regressor import DynamicsRegressor

MAX_DENSITY: Final = 40.0
DEFAULT_DENSITY: Final = 10.0  # where the film has no picture at all
DEFAULT_LOUDNESS: Final = 0.165  # median of MuVi-Sync
FULL_LOUDNESS: Final = 0.6  # dynamics 100; MuVi-Sync's loudest per cent lies above .5


@dataclass(frozen=True, slots=True, eq=False)
class Dynamics:
    """One value a second.  density: (T,) 0..40, loudness: (T,) 0..1."""

    density: np.ndarray
    loudness: np.ndarray

    def over_slots(self, start_s: Sequence[float], end_s: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
        """Means over slots, density (S,) and loudness (S,)."""
        return mean_over_slots(self.density, start_s, end_s), mean_over_slots(self.loudness, start_s, end_s)


def predict(model: DynamicsRegressor, features: VideoFeatures) -> Dynamics:
    """What the picture asks for.  Seconds without a picture of their own take their neighbours' values."""
    valid = np.asarray(features.valid, dtype=bool)
    if not valid.any():
        count = len(valid)
        return Dynamics(np.full(count, DEFAULT_DENSITY), np.full(count, DEFAULT_LOUDNESS))
    film = FilmInputs.from_arrays(
        scene_offset=features.scene_offset,
        motion=features.motion,
        emotion=features.emotion,
        semantic=features.semantic,
        valid=valid,
    )
    density, loudness = model.predict(film)
    seconds = np.arange(len(valid))
    return Dynamics(
        np.clip(np.interp(seconds, seconds[valid], density[valid]), 0.0, MAX_DENSITY),
        np.clip(np.interp(seconds, seconds[valid], loudness[valid]), 0.0, 1.0),
    )


def asked_density(activity: float) -> float:
    """Activity 0..100 -> notes sounding in a second."""
    return MAX_DENSITY * min(max(activity, 0.0), 100.0) / 100.0


def asked_loudness(dynamics: float) -> float:
    """Dynamics 0..100 -> loudness."""
    return FULL_LOUDNESS * min(max(dynamics, 0.0), 100.0) / 100.0
