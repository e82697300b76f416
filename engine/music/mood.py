"""The six emotion classes and the chord types that go with them (paper section 3.2.2 and Table 1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

# Order of MuVi-Sync's emotion column and of every (…, 6) affect array.
EMOTIONS: Final = ("exciting", "fearful", "tense", "sad", "relaxing", "neutral")

# Table 1.  min6 and aug stand in no row; neutral has none.
EMOTION_QUALITIES: Final[dict[str, frozenset[str]]] = {
    "exciting": frozenset({"maj", "sus4", "7"}),
    "fearful": frozenset({"dim", "min7", "dim7", "hdim7"}),
    "tense": frozenset({"dim", "sus4", "min7", "7"}),
    "sad": frozenset({"min7", "min", "sus2"}),
    "relaxing": frozenset({"maj", "maj6", "maj7"}),
    "neutral": frozenset(),
}

# Where the classes lie in the circumplex (Russell 1980): valence and arousal, -1..+1.
EMOTION_CIRCUMPLEX: Final[dict[str, tuple[float, float]]] = {
    "exciting": (0.6, 0.7),
    "fearful": (-0.7, 0.6),
    "tense": (-0.4, 0.4),
    "sad": (-0.6, -0.5),
    "relaxing": (0.6, -0.6),
    "neutral": (0.0, 0.0),
}


def strongest(affect: Sequence[float]) -> str:
    """Name of the strongest class of a six-vector; the first of equals."""
    return EMOTIONS[max(range(len(EMOTIONS)), key=lambda index: affect[index])]


def valence_arousal(affect: Sequence[float]) -> tuple[float, float]:
    """Mean place in the circumplex of a six-vector of weights >= 0; (0, 0) for all zero."""
    total = sum(affect)
    if total <= 0:
        return 0.0, 0.0
    points = [EMOTION_CIRCUMPLEX[name] for name in EMOTIONS]
    valence = sum(weight * point[0] for weight, point in zip(affect, points, strict=True)) / total
    arousal = sum(weight * point[1] for weight, point in zip(affect, points, strict=True)) / total
    return valence, arousal
