"""From a composer's words about mood to what the networks are asked: affect, guidance, key, tension, sampling.

Affect is a vector of six weights >= 0 that sum to 1, in the order of engine.music.mood.EMOTIONS.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from engine.music import A_MINOR, C_MAJOR, EMOTIONS, Chord, Key
from engine.music.mood import EMOTION_CIRCUMPLEX, strongest, valence_arousal
from engine.process.messages import ComposeOptions
from models.decoding import AFFECT_SHARPNESS

# Where the faders pull when they are fully turned: the classes that lie in that half of the circumplex.
_DARK: Final = {"sad": 0.5, "fearful": 0.5}
_LIGHT: Final = {"relaxing": 0.5, "exciting": 0.5}
_CALM: Final = {"relaxing": 0.6, "neutral": 0.2, "sad": 0.2}
_TENSE: Final = {"tense": 0.6, "fearful": 0.25, "exciting": 0.15}

_NEUTRAL: Final = EMOTIONS.index("neutral")
_SHARED_PULL: Final = 0.4  # of full guidance, for the mood that the whole film has
_CONTRAST: Final = 4.0  # a class that is .25 above the film's mean pulls fully

# How far chord types are from rest, 0..1; used for the tension curve only.
_CHORD_TENSION: Final[dict[str, float]] = {
    "": 0.0,
    "maj": 0.0,
    "maj6": 0.1,
    "min": 0.15,
    "sus2": 0.2,
    "maj7": 0.25,
    "min6": 0.35,
    "min7": 0.3,
    "sus4": 0.4,
    "7": 0.6,
    "aug": 0.8,
    "dim": 0.8,
    "hdim7": 0.85,
    "dim7": 1.0,
}


def _vector(weights: dict[str, float]) -> np.ndarray:
    return np.array([weights.get(name, 0.0) for name in EMOTIONS])


def bias_affect(affect: np.ndarray, options: ComposeOptions) -> np.ndarray:
    """The picture's mood moved by the composer's faders.  (S, 6) -> (S, 6), rows sum to 1.

    A fader at 100 puts its own mood in the picture's place, at 50 it mixes half and half; the six class sliders are
    added (+100 = weight 1) or taken away.
    """
    moved = np.asarray(affect, dtype=np.float64)
    for value, low, high in (
        (options.dark_light, _DARK, _LIGHT),
        (options.calm_tense, _CALM, _TENSE),
    ):
        share = min(abs(value) / 100.0, 1.0)
        moved = (1.0 - share) * moved + share * _vector(high if value > 0 else low)
    moved = np.maximum(moved + np.asarray(options.affect_bias) / 100.0, 0.0)
    total = moved.sum(axis=1, keepdims=True)
    neutral = _vector({"neutral": 1.0})
    return np.where(total > 1e-9, moved / np.maximum(total, 1e-9), neutral).astype(np.float32)


def guiding_mood(affect: np.ndarray, options: ComposeOptions) -> np.ndarray:
    """What guidance follows at each slot: (S, 6) -> (S, 6) for `models.decoding.affect_pull`.

    A film that is relaxing throughout would be pulled to nothing but major chords by its absolute mood.  So the mood
    that the whole film shares pulls gently (it has already chosen the key), and what stands out from the film's mean
    pulls fully; the rest of the weight is neutral, which pulls nowhere.  The composer's faders are mixed in as they
    are turned.
    """
    picture = np.asarray(affect, dtype=np.float64)
    if len(picture) == 0:
        return picture.astype(np.float32)
    sharp = picture**3
    sharp[:, _NEUTRAL] = 0.0
    shared = _SHARED_PULL * sharp / np.maximum(sharp.sum(axis=1, keepdims=True), 1e-9)
    shared *= 1.0 - picture[:, [_NEUTRAL]]
    outstanding = np.clip(_CONTRAST * (picture - picture.mean(axis=0)), 0.0, 1.0)
    outstanding[:, _NEUTRAL] = 0.0
    wanted = shared + outstanding
    wanted /= np.maximum(wanted.sum(axis=1, keepdims=True), 1.0)
    wanted[:, _NEUTRAL] = 1.0 - wanted.sum(axis=1)
    # affect_pull sharpens what it is given; these weights are meant as they stand.
    return (bias_affect(wanted, options) ** (1.0 / AFFECT_SHARPNESS)).astype(np.float32)


def guidance(options: ComposeOptions) -> float:
    """Strength 0..1 of the pull towards the affect's chord types (paper, Table 1).

    "Follow the picture" sets it; a mood that the composer turns up is followed at least as far as it is turned.
    """
    asked = max(abs(options.dark_light), abs(options.calm_tense), *(abs(bias) for bias in options.affect_bias))
    return min(max(options.follow_picture, asked, 0.0), 100.0) / 100.0


def temperature(options: ComposeOptions) -> float:
    """Adventurous 0..10 -> sampling temperature 0.85..1.6; the network's own 1.0 is at 2.

    The default of 4 is warmer, 1.15: at 1.0 a film gets fewer different chords than the songs that were learned from
    have (`python -m engine score` shows entropy and coverage).
    """
    return 0.85 + 0.075 * min(max(options.adventurous, 0.0), 10.0)


def top_p(options: ComposeOptions) -> float:
    """Adventurous 0..10 -> nucleus 0.85..1.0; 0.97 at the default of 4."""
    return min(0.85 + 0.03 * min(max(options.adventurous, 0.0), 10.0), 1.0)


def choose_key(affect: np.ndarray) -> tuple[Key, str]:
    """C major or A minor by the mood of a whole cue, and why.  affect: (S, 6) over the cue."""
    if len(affect) == 0:
        return C_MAJOR, "C major: there is no picture to go by"
    mean = np.asarray(affect, dtype=np.float64).mean(axis=0)
    valence, _arousal = valence_arousal(mean.tolist())
    # The strongest class with a place in the circumplex is what a person would name; neutral says nothing.
    named = strongest([0.0 if name == "neutral" else float(mean[i]) for i, name in enumerate(EMOTIONS)])
    feeling = "dark" if valence < 0 else "light"
    key = A_MINOR if valence < 0 else C_MAJOR
    return key, f"{key.name}: the cue's mood is {feeling} on the whole, {named} most of all (valence {valence:+.2f})"


def chord_tension(chord: Chord) -> float:
    """0 (at rest) .. 1 (wants to move), from the chord's type alone."""
    return _CHORD_TENSION[chord.quality]


def picture_tension(affect: np.ndarray, loudness: np.ndarray) -> np.ndarray:
    """The share of tension, 0..0.75, that picture and loudness bring to each slot.  affect (S, 6), loudness (S,).

    Mood counts half: arousal up and valence down (the tense corner of the circumplex, Russell 1980).  Loudness
    counts a quarter, stretched so that .36, the 95th percentile of MuVi-Sync, is full.
    """
    points = np.array([EMOTION_CIRCUMPLEX[name] for name in EMOTIONS])  # (6, 2)
    plane = np.asarray(affect, dtype=np.float64) @ points  # (S, 2) valence, arousal
    mood = np.clip(0.5 + 0.6 * plane[:, 1] - 0.4 * plane[:, 0], 0.0, 1.0)
    loud = np.clip(np.asarray(loudness, dtype=np.float64) / 0.36, 0.0, 1.0)
    return 0.5 * mood + 0.25 * loud


def harmonic_tension(chord: Chord, key: Key) -> float:
    """The share of tension, 0..0.25, that a chord brings: its type, and whether its root lies outside the key."""
    foreign = chord.root is not None and chord.root not in key.scale()
    return 0.25 * min(1.0, chord_tension(chord) + (0.3 if foreign else 0.0))
