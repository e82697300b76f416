"""What a network may know about a film: one window of feature rows, one row per slot.

Rows are packed in the authors' order: [semantic 768 | scene offset + 1 in seconds | motion 0..255 | emotion 6], 776
columns, raw units; a row of zeros is padding (paper 3.2, eq. 4; `+ 1` tells "just cut" from padding).  What is
missing is said by flags, never by zeros alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.errors import ModelError
from models.vocabulary import EMOTIONS

SEMANTIC_WIDTH: Final = 768
FEATURE_WIDTH: Final = SEMANTIC_WIDTH + 2 + len(EMOTIONS)  # 776
SCENE_COLUMN: Final = SEMANTIC_WIDTH
MOTION_COLUMN: Final = SEMANTIC_WIDTH + 1
EMOTION_COLUMNS: Final = slice(SEMANTIC_WIDTH + 2, FEATURE_WIDTH)
MAX_SLOTS: Final = 300  # rows in one window of the chord model


def smooth_emotion(emotion: np.ndarray) -> np.ndarray:
    """Causal mean over the last five rows (paper 3.2.2: "we look back 5 seconds"); fewer at the start.

    emotion: (T, 6) probabilities -> (T, 6) float32.
    """
    rows = np.asarray(emotion, dtype=np.float64)
    total = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0)])
    stop = np.arange(1, len(rows) + 1)
    start = np.maximum(stop - 5, 0)
    return ((total[stop] - total[start]) / (stop - start)[:, None]).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class FilmInputs:
    """One window of a film.  features (1, T, 776) float32; valid (1, T) bool; the flags (1,) bool.

    minor: the chords are in A minor (else C major).  ends: the film ends with the last row of this window.
    """

    features: np.ndarray
    valid: np.ndarray
    semantic_present: np.ndarray
    emotion_present: np.ndarray
    minor: np.ndarray
    ends: bool = True

    # size: the columns of the features, by name.
    @classmethod
    def from_arrays(
        cls,
        *,
        scene_offset: np.ndarray,
        motion: np.ndarray,
        emotion: np.ndarray | None = None,
        semantic: np.ndarray | None = None,
        valid: np.ndarray | None = None,
        minor: bool = False,
        ends: bool = True,
    ) -> FilmInputs:
        """Packs feature columns.

        scene_offset (T,) seconds since the last cut (0 = just cut); motion (T,) 0..255; emotion (T, 6) smoothed
        probabilities or None; semantic (T, 768) CLIP ViT-L/14@336 embeddings or None; valid (T,) bool or None.
        Raises ModelError where shapes do not fit or a value is not finite.
        """
        rows = len(scene_offset)
        if rows == 0:
            raise ModelError("A film window needs at least one row of features.")
        features = np.zeros((rows, FEATURE_WIDTH), dtype=np.float32)
        columns: list[tuple[str, slice | int, np.ndarray | None, tuple[int, ...]]] = [
            ("semantic", slice(0, SEMANTIC_WIDTH), semantic, (rows, SEMANTIC_WIDTH)),
            ("scene_offset", SCENE_COLUMN, np.asarray(scene_offset, dtype=np.float32) + 1, (rows,)),
            ("motion", MOTION_COLUMN, motion, (rows,)),
            ("emotion", EMOTION_COLUMNS, emotion, (rows, len(EMOTIONS))),
        ]
        for name, column, values, shape in columns:
            if values is None:
                continue
            if np.shape(values) != shape:
                raise ModelError(f"The film's {name} has shape {np.shape(values)}, expected {shape}.")
            features[:, column] = values
        if not np.isfinite(features).all():
            raise ModelError("The film's features contain values that are not finite.")
        mask = np.ones(rows, dtype=bool) if valid is None else np.asarray(valid, dtype=bool)
        if mask.shape != (rows,):
            raise ModelError(f"The film's valid mask has shape {mask.shape}, expected {(rows,)}.")
        features[~mask] = 0
        return cls(
            features=features[None],
            valid=mask[None],
            semantic_present=np.array([semantic is not None]),
            emotion_present=np.array([emotion is not None]),
            minor=np.array([minor]),
            ends=ends,
        )

    @classmethod
    def stacked(cls, films: Sequence[FilmInputs]) -> FilmInputs:
        """One batch of films, padded to the longest; `ends` must be the same for all."""
        rows = max(film.length for film in films)

        def padded(array: np.ndarray) -> np.ndarray:
            spare = [(0, 0), (0, rows - array.shape[1]), *[(0, 0)] * (array.ndim - 2)]
            return np.pad(array, spare)

        return cls(
            features=np.concatenate([padded(film.features) for film in films]),
            valid=np.concatenate([padded(film.valid) for film in films]),
            semantic_present=np.concatenate([film.semantic_present for film in films]),
            emotion_present=np.concatenate([film.emotion_present for film in films]),
            minor=np.concatenate([film.minor for film in films]),
            ends=films[0].ends,
        )

    def repeated(self, times: int) -> FilmInputs:
        """The same films once more, `times` times in all, along the batch."""
        columns = ("features", "valid", "semantic_present", "emotion_present", "minor")
        return FilmInputs(**{name: np.concatenate([getattr(self, name)] * times) for name in columns}, ends=self.ends)

    @property
    def length(self) -> int:
        """Rows in this window."""
        return self.features.shape[1]

    def emotion(self) -> np.ndarray | None:
        """(T, 6) emotion columns, None where the film has none."""
        if not bool(self.emotion_present[0]):
            return None
        return np.asarray(self.features[0, :, EMOTION_COLUMNS])
