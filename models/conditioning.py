"""What the harmony is asked to express, slot by slot: a mood course and the places where something new begins.

The chord network reads these columns aligned with its slots (row s is about slot s, and the step that decides slot s
reads row s), beside the film that its encoder sees.  In training they are derived from the song's own chords and form
(models.training.labels); in use the film's mood and cuts stand there.  Both groups have a flag of their own, so either
may be absent.

A network that has `section_width` reads further columns behind these: which section of the form each slot is in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from models.errors import ModelError
from models.vocabulary import EMOTIONS

MOOD: Final = slice(0, len(EMOTIONS))  # probabilities of the six classes
MOOD_PRESENT: Final = 6
BOUNDARY: Final = slice(7, 11)  # a boundary in this slot, in the next, in the last; time since the latest
BOUNDARY_PRESENT: Final = 11
CONDITION_WIDTH: Final = 12
LETTERS: Final = 6  # A to F of a form; a section that is none of them is the last
_PERIODS: Final = np.array([8.0, 24.0, 72.0])  # slots; the place in a section also as waves: like places look alike
SECTION_RETURN: Final = LETTERS
SECTION_PLACE: Final = slice(LETTERS + 1, LETTERS + 2 + 2 * len(_PERIODS))
SECTION_PRESENT: Final = SECTION_PLACE.stop
SECTION_WIDTH: Final = SECTION_PRESENT + 1
SHARPNESS: Final = 4.0  # a film's mood is raised to this power: labels are as decided as that
SMOOTHING_S: Final = 3.0  # standard deviation of the Gaussian that a film's mood is smoothed with


def condition_rows(length: int, mood: np.ndarray | None = None, boundary: np.ndarray | None = None) -> np.ndarray:
    """(length, 12) float32 rows of one window.

    mood: (length, 6) weights >= 0, rows are normalised; None = absent.  boundary: (length,) 0..1, how surely something
    new begins in the slot; None = absent.  Raises ModelError where shapes do not fit.
    """
    rows = np.zeros((length, CONDITION_WIDTH), dtype=np.float32)
    if mood is not None:
        if np.shape(mood) != (length, len(EMOTIONS)):
            raise ModelError(f"The mood has shape {np.shape(mood)}, expected {(length, len(EMOTIONS))}.")
        weights = np.clip(np.nan_to_num(np.asarray(mood, dtype=np.float64)), 0.0, None)
        total = weights.sum(axis=1, keepdims=True)
        rows[:, MOOD] = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
        rows[:, MOOD_PRESENT] = 1.0
    if boundary is not None:
        if np.shape(boundary) != (length,):
            raise ModelError(f"The boundaries have shape {np.shape(boundary)}, expected {(length,)}.")
        strength = np.clip(np.asarray(boundary, dtype=np.float64), 0.0, 1.0)
        since = np.arange(length) - np.maximum.accumulate(np.where(strength > 0.5, np.arange(length), 0))
        rows[:, BOUNDARY.start] = strength
        rows[:-1, BOUNDARY.start + 1] = strength[1:]
        rows[1:, BOUNDARY.start + 2] = strength[:-1]
        rows[:, BOUNDARY.start + 3] = np.log1p(since) / 3.0
        rows[:, BOUNDARY_PRESENT] = 1.0
    return rows


def section_rows(length: int, sections: Sequence[tuple[int, int]]) -> np.ndarray:
    """(length, 15) float32: the columns of a form behind those of `condition_rows`.

    sections: (first slot, letter from 0) in order of time, letters numbered by first appearance; the first begins at 0.
    """
    starts = np.array([start for start, _ in sections])
    letters = np.array([letter for _, letter in sections])
    returns = np.array([letter in letters[:k] for k, letter in enumerate(letters)])
    here = np.searchsorted(starts, np.arange(length), side="right") - 1
    place = np.arange(length) - starts[here]
    waves = 2.0 * np.pi * place[:, None] / _PERIODS
    rows = np.zeros((length, SECTION_WIDTH), dtype=np.float32)
    rows[np.arange(length), np.minimum(letters[here], LETTERS - 1)] = 1.0
    rows[:, SECTION_RETURN] = returns[here]
    rows[:, SECTION_PLACE] = np.concatenate([np.log1p(place)[:, None] / 3.0, np.sin(waves), np.cos(waves)], axis=1)
    rows[:, SECTION_PRESENT] = 1.0
    return rows


def sharpened(mood: np.ndarray, strength: float = 0.5) -> np.ndarray:
    """(..., 6) probabilities -> (..., 6) raised to SHARPNESS and normalised.

    strength: 0..1 of "Follow the picture"; from the half on the power grows to twice as much, so that the strongest
    mood speaks for itself.
    """
    power = SHARPNESS * max(1.0, 2.0 * strength)
    powered = np.clip(np.nan_to_num(np.asarray(mood, dtype=np.float64)), 0.0, None) ** power
    total = powered.sum(axis=-1, keepdims=True)
    return np.divide(powered, total, out=np.zeros_like(powered), where=total > 0)


def film_rows(emotion: np.ndarray, strength: float = 0.5) -> np.ndarray:
    """(T, 12) what stands in the conditions for a film's mood (T, 6) a second, without its cuts."""
    return condition_rows(len(emotion), sharpened(smoothed(emotion), strength))


def smoothed(mood: np.ndarray, deviation: float = SMOOTHING_S) -> np.ndarray:
    """(T, 6) moods -> Gaussian mean over rows, not causal; deviation: in rows.  Ends are not weighed down."""
    rows = np.asarray(mood, dtype=np.float64)
    reach = max(1, math.ceil(4.0 * deviation))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    weight = np.convolve(np.ones(len(rows)), kernel)[reach:-reach]
    columns = [np.convolve(rows[:, column], kernel)[reach:-reach] for column in range(rows.shape[1])]
    return np.stack(columns, axis=1) / weight[:, None]
