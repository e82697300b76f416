"""Activity and loudness from the picture: the biGRU regressor's note density and loudness, and the picture's energy.

Density is in notes sounding in a second (0..40), loudness is RMS 0..1.  The regressor reads the film's own seconds,
so its result does not depend on tempo or grid; it is then averaged over slots.

What the regressor learned from music videos knows how dense and loud a film's music is on the whole, but hardly when
(its output barely correlates with motion, since in its training data the music barely does).  So the link to the
picture is put in on purpose: `follow` moves density and loudness around the film's own mean by the picture's energy,
as far as "Follow the picture" says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from engine.harmony.slots import mean_over_slots
from engine.music import EMOTIONS
from engine.music.mood import EMOTION_CIRCUMPLEX
from engine.video import VideoFeatures
from models.film import FilmInputs

if TYPE_CHECKING:
    from models.runtime import Regressor

MAX_DENSITY: Final = 40.0
DEFAULT_DENSITY: Final = 10.0  # where the film has no picture at all
DEFAULT_LOUDNESS: Final = 0.165  # median of MuVi-Sync
DENSITY_SPREAD: Final = 5.5  # standard deviations of MuVi-Sync over real frames
LOUDNESS_SPREAD: Final = 0.1
_STEADY: Final = 0.35  # log motion that varies less than this is steady: its ripple is not blown up
_FARTHEST: Final = 1.8  # standard deviations that energy moves at most
FULL_LOUDNESS: Final = 0.6  # dynamics 100; MuVi-Sync's loudest per cent lies above .5


@dataclass(frozen=True, slots=True, eq=False)
class Dynamics:
    """One value a second.  density: (T,) 0..40, loudness: (T,) 0..1."""

    density: np.ndarray
    loudness: np.ndarray

    def over_slots(self, start_s: Sequence[float], end_s: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
        """Means over slots, density (S,) and loudness (S,)."""
        return mean_over_slots(self.density, start_s, end_s), mean_over_slots(self.loudness, start_s, end_s)


def predict(model: Regressor, features: VideoFeatures) -> Dynamics:
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


def energy(features: VideoFeatures) -> np.ndarray:
    """(T,) how lively each second is beside the rest of the film, about -1.8..+1.8, mean near 0.

    Three quarters motion (log of the mean frame difference, 3 s mean: a cut that falls on the measured frame pair is
    not a second of motion), one quarter arousal of the mood (Russell 1980).
    """
    valid = np.asarray(features.valid, dtype=bool)
    seconds = np.arange(features.seconds)
    if not valid.any():
        return np.zeros(features.seconds)
    motion = np.interp(seconds, seconds[valid], np.log1p(np.asarray(features.motion, dtype=np.float64)[valid]))
    padded = np.pad(motion, 1, mode="edge")
    moved = _beside_the_rest((padded[:-2] + padded[1:-1] + padded[2:]) / 3.0, _STEADY)
    arousal = np.array([EMOTION_CIRCUMPLEX[name][1] for name in EMOTIONS])
    mood = _beside_the_rest((np.asarray(features.emotion, dtype=np.float64) * arousal).sum(axis=1), 0.1)
    return np.clip(0.75 * moved + 0.25 * mood, -_FARTHEST, _FARTHEST)


def _beside_the_rest(values: np.ndarray, least: float) -> np.ndarray:
    return (values - values.mean()) / max(float(values.std()), least)


def follow(dynamics: Dynamics, features: VideoFeatures, strength: float) -> Dynamics:
    """Lets density and loudness follow the picture's energy.  strength 0 (the regressor alone) .. 1 (energy alone)."""
    strength = min(max(strength, 0.0), 1.0)
    lively = energy(features)
    density = dynamics.density.mean() + DENSITY_SPREAD * lively
    loudness = dynamics.loudness.mean() + LOUDNESS_SPREAD * lively
    return Dynamics(
        np.clip((1.0 - strength) * dynamics.density + strength * density, 0.0, MAX_DENSITY),
        np.clip((1.0 - strength) * dynamics.loudness + strength * loudness, 0.0, 1.0),
    )


def asked_density(activity: float) -> float:
    """Activity 0..100 -> notes sounding in a second."""
    return MAX_DENSITY * min(max(activity, 0.0), 100.0) / 100.0


def asked_loudness(dynamics: float) -> float:
    """Dynamics 0..100 -> loudness."""
    return FULL_LOUDNESS * min(max(dynamics, 0.0), 100.0) / 100.0
