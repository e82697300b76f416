"""What the form of a cue follows, one value a second: mood, energy, light, novelty.

Novelty is Foote's (2000, "Automatic audio segmentation using a measure of audio novelty"): a checkerboard kernel along
the diagonal of the self-similarity of seconds.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.form.fades import Fade, fades
from engine.music import EMOTIONS, Cut
from engine.music.mood import EMOTION_CIRCUMPLEX
from engine.video import VideoFeatures

KERNEL_S: Final = 10  # seconds that novelty looks back and ahead
_NEAR_CUT_S: Final = 2.0
RATE_S: Final = 10.0  # over which cuts are counted
_FLOORS: Final = {"valence": 0.06, "arousal": 0.06, "motion": 0.35, "rate": 1.5, "brightness": 0.06, "saturation": 0.04}


@dataclass(frozen=True, slots=True, eq=False)
class PictureCurves:
    """All (T,) over picture seconds, mood (T, 6).

    energy: how lively a second is, 0 at the film's mean, in its standard deviations.  rate: cuts in ten seconds.
    light: brightness 0..1 (zeros where unknown).  rows: (T, d) standardised, what is compared.  valid: there is a
    picture to score.  places: where a section may begin, in order, with how much the picture asks for one there, 0..1.
    fades: to black, see `engine.form.fades`.
    """

    mood: np.ndarray
    energy: np.ndarray
    motion: np.ndarray
    rate: np.ndarray
    light: np.ndarray
    rows: np.ndarray
    novelty: np.ndarray
    valid: np.ndarray
    cuts: tuple[Cut, ...]
    places: tuple[tuple[float, float], ...]
    fades: tuple[Fade, ...] = ()

    @property
    def seconds(self) -> int:
        return len(self.energy)

    def bpm(self, start_s: float, end_s: float) -> float:
        """The tempo that a stretch asks for: by what moves in it, how often the shot changes and how aroused its mood
        is.  A shot of a minute in which nothing moves comes to about 50 bpm, two minutes of a film of the usual three
        cuts in ten seconds to about 90, a chase with a cut each second and a half to 120 and more."""
        rows = slice(int(start_s), max(int(np.ceil(end_s)), int(start_s) + 1))
        arousal = self.mood[rows].mean(axis=0) @ np.array([EMOTION_CIRCUMPLEX[name][1] for name in EMOTIONS])
        moved, cut = float(self.motion[rows].mean()), float(self.rate[rows].mean())
        return 92.0 + 26.0 * (moved - 1.2) + 4.0 * (cut - 3.0) + 24.0 * float(arousal)

    def lively(self, start_s: float, end_s: float) -> float:
        """How much moves and how often the shot changes, beside all films: -1 calm, 0 usual, 1 wild."""
        rows = slice(int(start_s), max(int(np.ceil(end_s)), int(start_s) + 1))
        # log(1 + motion) of 0.7 is a calm picture, of 2.7 a wild one; eight cuts in ten seconds are many.
        return float(self.motion[rows].mean()) - 1.7 + 0.1 * (float(self.rate[rows].mean()) - 3.0)


def curves(features: VideoFeatures, mood: np.ndarray | None = None) -> PictureCurves:
    """mood: (T, 6) in the place of the picture's own (with the composer's faders in it)."""
    weights = np.asarray(features.emotion if mood is None else mood, dtype=np.float64)
    valid = np.asarray(features.valid, dtype=bool)
    places = np.array([EMOTION_CIRCUMPLEX[name] for name in EMOTIONS])
    plane = weights @ places  # (T, 2)
    motion = _smooth(np.log1p(_filled(np.asarray(features.motion, dtype=np.float64), valid)), 3)
    rate = cut_rate(features.cuts, features.seconds)
    colour = np.zeros((features.seconds, 3)) if features.colour is None else np.asarray(features.colour, np.float64)
    columns = {
        "valence": _smooth(plane[:, 0], 3),
        "arousal": _smooth(plane[:, 1], 3),
        "motion": motion,
        "rate": rate,
        "brightness": _smooth(colour[:, 0], 3),
        "saturation": _smooth(colour[:, 1], 3),
    }
    rows = np.stack([_standard(values, _FLOORS[name]) for name, values in columns.items()], axis=1)
    rows[~valid] = rows[~valid] - 3.0  # black and cards stand apart
    energy = 0.5 * rows[:, 2] + 0.25 * rows[:, 3] + 0.25 * rows[:, 1]
    energy = np.where(valid, energy, energy.min() if len(energy) else 0.0)
    new = novelty(rows)
    return PictureCurves(
        weights, energy, motion, rate, columns["brightness"], rows, new, valid, features.cuts,
        _places(new, features.cuts, valid), fades(colour[:, 0], valid, features.cuts),
    )  # fmt: skip


def _places(new: np.ndarray, cuts: tuple[Cut, ...], valid: np.ndarray) -> tuple[tuple[float, float], ...]:
    """Cuts, peaks of novelty with no cut within two seconds, and where black begins or ends."""
    values = new.tolist()
    top = max(values, default=0.0)
    top = max(top, 0.05)

    # The second that novelty peaks in may be the one before or after the cut that makes it.
    def asked(time_s: float) -> float:
        near = values[max(int(time_s) - 1, 0) : int(time_s) + 3]
        return max(near) / top if near else 0.0

    places = {cut.time_s: min(asked(cut.time_s) * (0.6 + 0.4 * cut.strength), 1.0) for cut in cuts}
    taken = sorted(places)
    for second in range(1, len(values) - 1):
        before, peak, after = values[second - 1 : second + 2]
        if not (peak > 0.3 * top and before <= peak > after):
            continue
        next_to = bisect_left(taken, second)
        if all(abs(second - place) > _NEAR_CUT_S for place in taken[max(next_to - 1, 0) : next_to + 1]):
            places[float(second)] = 0.7 * peak / top
            taken.insert(next_to, float(second))
    for edge in np.flatnonzero(np.diff(valid.astype(int))) + 1:
        places[float(edge)] = 1.0
    return tuple(sorted(places.items()))


def cut_rate(cuts: tuple[Cut, ...], seconds: int) -> np.ndarray:
    """(T,) cuts in ten seconds around each second; a cut counts less the further away it is."""
    found = np.zeros(seconds)
    for cut in cuts:
        first = max(int(cut.time_s - RATE_S - 1), 0)
        middle = np.arange(first, min(int(cut.time_s + RATE_S + 2), seconds)) + 0.5
        found[first : first + len(middle)] += np.clip(1.0 - np.abs(cut.time_s - middle) / RATE_S, 0.0, 1.0)
    return found


def novelty(rows: np.ndarray) -> np.ndarray:
    """(T, d) -> (T,) >= 0: how much what follows second t differs from what lies before it.  Film edges are 0."""
    count = len(rows)
    found = np.zeros(count)
    if count < 6:
        return found
    taper = np.exp(-0.5 * ((np.arange(KERNEL_S) + 0.5) / (0.5 * KERNEL_S)) ** 2)
    for second in range(2, count - 2):
        before = rows[max(second - KERNEL_S, 0) : second][::-1]
        after = rows[second : second + KERNEL_S]
        a, b = taper[: len(before)], taper[: len(after)]
        # Mean similarity inside each side less that across: with similarity exp(-d) the checkerboard's sum.
        cross = _similarity(before, after)
        own = 0.5 * (_weighted(_similarity(before, before), a, a) + _weighted(_similarity(after, after), b, b))
        found[second] = max(own - _weighted(cross, a, b), 0.0) * min(len(before), len(after), KERNEL_S) / KERNEL_S
    return found


def _similarity(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(-0.5 * np.linalg.norm(a[:, None, :] - b[None, :, :], axis=2)))


def _weighted(values: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    weights = a[:, None] * b[None, :]
    return float((values * weights).sum() / weights.sum())


def _filled(values: np.ndarray, valid: np.ndarray) -> np.ndarray:
    if valid.all() or not valid.any():
        return values
    seconds = np.arange(len(values))
    return np.interp(seconds, seconds[valid], values[valid])


def _smooth(values: np.ndarray, width: int) -> np.ndarray:
    padded = np.pad(values, width // 2, mode="edge")
    return np.convolve(padded, np.ones(width) / width, mode="valid")[: len(values)]


def _standard(values: np.ndarray, least: float) -> np.ndarray:
    return (values - values.mean()) / max(float(values.std()), least) if len(values) else values
