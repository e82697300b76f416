"""Quick reading: six mood weights per second from published formulas, without a network.

The chain, all constants in the table below:

1. Colour of the second's frame: brightness B (mean Rec. 601 luma), saturation S (mean of max - min of R, G, B),
   warmth W (mean of R - B), each 0..1 (W -1..1), standardised with COLOUR_REFERENCE.
2. Pleasure, arousal and dominance of colour: Valdez & Mehrabian 1994, "Effects of Color on Emotions", J. Exp.
   Psychology: General 123(4): P = .69 B + .22 S, A = -.31 B + .60 S, D = -.76 B + .32 S.  Their hue effects are weak
   and not used.  Warmth adds WARMTH_PLEASURE to P and WARMTH_AROUSAL to A: films grade comfort warm and threat cold
   (Wei, Dimitrova & Chang 2004, "Color-mood analysis of films"); the two weights are ours.
3. Arousal of movement: Hanjalic & Xu 2005, "Affective video content representation and modeling", IEEE Trans.
   Multimedia 7(1): motion activity, and a shot rhythm exp(-(n - p) / RHYTHM_S) of the distance between the cuts
   before (p) and after (n), both smoothed by a Kaiser window; activity is taken relative to brightness, as the eye
   does (Weber).  Their sound energy is left out: the music is to follow the picture alone.
4. Quantiles: movement is ranked within the seconds of MuVi-Sync (Kang, Poria & Herremans 2024), to which the same
   formulas were applied; colour within COLOUR_REFERENCE taken as normal.  So "much" means much for a film, not for
   this one.
5. Six classes: distance to each class's place in the circumplex (Russell 1980; engine.music.mood) with dominance as a
   third, weaker axis (signs of Russell & Mehrabian 1977), softmax.  CLASS_BIAS makes the six classes as frequent over
   the quantile cube as they are in MuVi-Sync, SPREAD makes the strongest weight as strong on average as there.

`python -m engine.video.calibration --data muvi-sync.npz` computes MOVEMENT_QUANTILES, CLASS_BIAS and SPREAD.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from engine.music.mood import EMOTION_CIRCUMPLEX, EMOTIONS

# --- the table of constants -------------------------------------------------------------------------------------------
# mean and standard deviation of brightness, saturation, warmth over films: chosen by us (films are darker and duller
# than photographs); MuVi-Sync holds no pictures from which they could be measured.
COLOUR_REFERENCE: Final = {"brightness": (0.36, 0.17), "saturation": (0.22, 0.13), "warmth": (0.04, 0.10)}
PLEASURE: Final = (0.69, 0.22)  # of brightness, saturation (Valdez & Mehrabian 1994)
AROUSAL: Final = (-0.31, 0.60)
DOMINANCE: Final = (-0.76, 0.32)
WARMTH_PLEASURE: Final = 0.25
WARMTH_AROUSAL: Final = 0.10
RHYTHM_S: Final = 4.0  # a shot of this length has rhythm 1/e
MOTION_FULL: Final = 30.0  # mean absolute difference that counts as full motion on the logarithmic scale
MOTION_WEIGHT: Final = 0.6  # of motion in movement; the rest is rhythm
LIGHT_RANGE: Final = (
    1.0,
    2.5,
)  # bounds of what brightness multiplies motion by; the bounds are ours
REFERENCE_FPS: Final = 25.0  # differences between neighbouring frames are scaled to this rate
SMOOTHING_S: Final = 4  # half width of the Kaiser window
KAISER_BETA: Final = 5.0
RHYTHM_LOOKAHEAD_S: Final = 4  # a cut further ahead than this is not waited for
COLOUR_SHARE: Final = 0.35  # correlation of arousal with the colour term; movement has sqrt(1 - share^2)
DOMINANCE_WEIGHT: Final = 0.3
CLASS_DOMINANCE: Final = {
    "exciting": 0.4,
    "fearful": -0.4,
    "tense": -0.1,
    "sad": -0.3,
    "relaxing": 0.2,
    "neutral": 0.0,
}
# From calibration (command above), MuVi-Sync: 33 quantiles (0, 1/32 … 1) of movement, and the class fit.
# fmt: off
MOVEMENT_QUANTILES: Final = np.array([
    0.0001, 0.1904, 0.2604, 0.3093, 0.3487, 0.3832, 0.4133, 0.4407, 0.4648, 0.4869, 0.5068, 0.5249, 0.5418, 0.5577,
    0.5729, 0.5878, 0.6020, 0.6158, 0.6291, 0.6422, 0.6552, 0.6677, 0.6806, 0.6930, 0.7058, 0.7192, 0.7331, 0.7482,
    0.7649, 0.7839, 0.8074, 0.8408, 1.1450,
])
# fmt: on
CLASS_BIAS: Final = np.array([0.006, 1.628, 1.068, 0.083, -2.024, -0.762])
SPREAD: Final = 0.511
# ----------------------------------------------------------------------------------------------------------------------

LOOKAHEAD_S: Final = SMOOTHING_S + RHYTHM_LOOKAHEAD_S + 1  # a row's mood is certain when this much after it is known
_KAISER: Final = np.kaiser(2 * SMOOTHING_S + 1, KAISER_BETA)


def colour_of(small: np.ndarray) -> tuple[float, float, float]:
    """Brightness 0..1, saturation 0..1, warmth -1..1 of a picture.  small: (h, w, 3) uint8 BGR."""
    import cv2

    planes = cv2.split(small)
    blue, green, red = (cv2.mean(plane)[0] for plane in planes)
    brightness = 0.114 * blue + 0.587 * green + 0.299 * red
    largest = cv2.mean(cv2.max(cv2.max(planes[0], planes[1]), planes[2]))[0]
    saturation = largest - cv2.mean(cv2.min(cv2.min(planes[0], planes[1]), planes[2]))[0]
    warmth = red - blue
    return brightness / 255.0, saturation / 255.0, warmth / 255.0


def movement(activity: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Movement 0..1 per row: Kaiser-smoothed motion activity and shot rhythm.

    activity: (T,) mean absolute difference of neighbouring frames, 0..255, at REFERENCE_FPS.
    offset: (T,) seconds since the last cut.  Row k uses rows k - SMOOTHING_S to k + SMOOTHING_S + RHYTHM_LOOKAHEAD_S.
    """
    motion = np.minimum(np.log1p(activity) / math.log1p(MOTION_FULL), 1.5)
    return np.asarray(MOTION_WEIGHT * smooth(motion) + (1.0 - MOTION_WEIGHT) * smooth(rhythm(offset)))


def felt_activity(activity: np.ndarray, brightness: np.ndarray) -> np.ndarray:
    """Activity beside the picture's brightness: in the dark, the same movement changes the values less.

    activity: (T,) mean absolute difference, 0..255; brightness: (T,) 0..1.
    """
    factor = COLOUR_REFERENCE["brightness"][0] / np.maximum(brightness, 1e-3)
    return np.asarray(activity * np.clip(factor, *LIGHT_RANGE))


def rhythm(offset: np.ndarray) -> np.ndarray:
    """Shot rhythm 0..1 (Hanjalic & Xu 2005): near 1 in very short shots, near 0 in long ones.  offset: (T,)."""
    rows = len(offset)
    to_next = np.full(rows, RHYTHM_LOOKAHEAD_S + 1, dtype=np.int64)
    for ahead in range(RHYTHM_LOOKAHEAD_S, 0, -1):
        to_next[: rows - ahead][offset[ahead:] == 0] = ahead
    return np.asarray(np.exp(-(np.minimum(offset, 60) + to_next - 1.0) / RHYTHM_S))


def smooth(values: np.ndarray) -> np.ndarray:
    """Kaiser-weighted mean over +-SMOOTHING_S rows; at the ends over the rows that exist.  values: (T,)."""
    total = np.convolve(values, _KAISER)[SMOOTHING_S : SMOOTHING_S + len(values)]
    weight = np.convolve(np.ones(len(values)), _KAISER)[SMOOTHING_S : SMOOTHING_S + len(values)]
    return np.asarray(total / weight)


def mood(colour: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Six class weights per row, (T, 6), rows sum to 1.

    colour: (T, 3) as of `colour_of`; moved: (T,) as of `movement`.
    """
    z = [
        (colour[:, i] - COLOUR_REFERENCE[name][0]) / COLOUR_REFERENCE[name][1]
        for i, name in enumerate(("brightness", "saturation", "warmth"))
    ]
    movement_rank = np.interp(moved, MOVEMENT_QUANTILES, np.linspace(0.0, 1.0, len(MOVEMENT_QUANTILES)))
    return classes(*place(z[0], z[1], z[2], _normal_quantile(movement_rank)))


def place(
    brightness: np.ndarray, saturation: np.ndarray, warmth: np.ndarray, moved: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Valence, arousal, dominance as quantiles -1..1.  All arguments standard normal scores, (T,)."""
    valence = PLEASURE[0] * brightness + PLEASURE[1] * saturation + WARMTH_PLEASURE * warmth
    colour_arousal = AROUSAL[0] * brightness + AROUSAL[1] * saturation + WARMTH_AROUSAL * warmth
    dominance = DOMINANCE[0] * brightness + DOMINANCE[1] * saturation
    valence = valence / math.hypot(*PLEASURE, WARMTH_PLEASURE)
    colour_arousal = colour_arousal / math.hypot(*AROUSAL, WARMTH_AROUSAL)
    dominance = dominance / math.hypot(*DOMINANCE)
    arousal = math.sqrt(1.0 - COLOUR_SHARE**2) * moved + COLOUR_SHARE * colour_arousal
    return _rank(valence), _rank(arousal), _rank(dominance)


def classes(
    valence: np.ndarray,
    arousal: np.ndarray,
    dominance: np.ndarray,
    bias: np.ndarray | None = None,
    spread: float | None = None,
) -> np.ndarray:
    """Softmax over the six classes of minus half the squared distance in units of the spread, plus bias.  -> (T, 6)."""
    bias = CLASS_BIAS if bias is None else bias
    spread = SPREAD if spread is None else spread
    score = np.empty((len(valence), len(EMOTIONS)))
    for i, name in enumerate(EMOTIONS):
        class_valence, class_arousal = EMOTION_CIRCUMPLEX[name]
        distance = (valence - class_valence) ** 2 + (arousal - class_arousal) ** 2
        distance = distance + DOMINANCE_WEIGHT * (dominance - CLASS_DOMINANCE[name]) ** 2
        score[:, i] = bias[i] - distance / (2.0 * spread**2)
    weight = np.exp(score - score.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def _rank(score: np.ndarray) -> np.ndarray:
    """Standard normal score -> quantile in -1..1 (2 Phi - 1 = erf(z / sqrt 2))."""
    return np.array([math.erf(value / math.sqrt(2.0)) for value in np.atleast_1d(score)])


_GRID: Final = np.linspace(-4.0, 4.0, 1601)
_GRID_RANK: Final = np.array([0.5 + 0.5 * math.erf(value / math.sqrt(2.0)) for value in _GRID])


def _normal_quantile(rank: np.ndarray) -> np.ndarray:
    """Rank 0..1 -> standard normal score within +-2.5."""
    return np.asarray(np.clip(np.interp(rank, _GRID_RANK, _GRID), -2.5, 2.5))
