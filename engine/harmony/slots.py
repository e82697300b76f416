"""The film's features per slot: what the chord network sees when a slot is not one second long.

VideoFeatures hold one row a second; the slots of a beats grid begin and end anywhere.  Each slot gets the mean over
the part of every valid row it covers, and the shortest scene offset among the rows it covers for the most part (a cut
must not be averaged away).  On the seconds grid the rows come out as they went in.  Times are picture seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.music import EMOTIONS
from engine.video import VideoFeatures

NEUTRAL = np.eye(len(EMOTIONS), dtype=np.float32)[EMOTIONS.index("neutral")]  # (6,)


@dataclass(frozen=True, slots=True, eq=False)
class SlotFeatures:
    """Rows per slot (S of them).

    start_s, end_s: (S,) float64.  semantic: (S, 768) float32 or None.  emotion: (S, 6) float32, rows sum to 1.
    motion: (S,) float32 0..255.  scene_offset: (S,) int32 seconds since the last cut.  valid: (S,) bool, False where
    less than half of the slot has a picture of its own.
    """

    start_s: np.ndarray
    end_s: np.ndarray
    semantic: np.ndarray | None
    emotion: np.ndarray
    motion: np.ndarray
    scene_offset: np.ndarray
    valid: np.ndarray

    @property
    def count(self) -> int:
        return len(self.start_s)


def resample(features: VideoFeatures, start_s: Sequence[float], end_s: Sequence[float]) -> SlotFeatures:
    """Rows for the slots [start_s[i], end_s[i]).

    Where a slot has no valid picture at all, its mood is neutral and its motion 0; the network does not see it.
    """
    starts = np.asarray(start_s, dtype=np.float64)
    ends = np.asarray(end_s, dtype=np.float64)
    valid = np.asarray(features.valid, dtype=bool)
    weight = valid.astype(np.float64)[:, None]
    covered = _integral(weight, starts, ends)  # (S, 1) seconds of valid picture
    safe = np.maximum(covered, 1e-9)
    lengths = np.maximum(ends - starts, 1e-9)

    def mean(rows: np.ndarray) -> np.ndarray:
        # Rows without a valid picture may hold anything, so they are zeroed and not only weighted by 0.
        values = np.where(valid[:, None], np.asarray(rows, dtype=np.float64), 0.0)
        return (_integral(values, starts, ends) / safe).astype(np.float32)

    emotion = mean(features.emotion)
    total = emotion.sum(axis=1, keepdims=True)
    seen = (covered > 1e-6) & (total > 1e-6)
    emotion = np.where(seen, emotion / np.maximum(total, 1e-9), NEUTRAL).astype(np.float32)
    return SlotFeatures(
        start_s=starts,
        end_s=ends,
        semantic=None if features.semantic is None else mean(features.semantic),
        emotion=emotion,
        motion=np.clip(mean(features.motion[:, None])[:, 0], 0.0, 255.0),
        scene_offset=_scene_offsets(np.asarray(features.scene_offset), starts, ends),
        valid=covered[:, 0] >= 0.5 * lengths,
    )


def mean_over_slots(rows: np.ndarray, start_s: Sequence[float], end_s: Sequence[float]) -> np.ndarray:
    """(T,) values, one a second, -> (S,) means over the slots; slots outside the rows take the nearest row."""
    starts = np.asarray(start_s, dtype=np.float64)
    ends = np.asarray(end_s, dtype=np.float64)
    values = np.asarray(rows, dtype=np.float64)
    covered = _integral(np.ones((len(values), 1)), starts, ends)[:, 0]
    means = _integral(values[:, None], starts, ends)[:, 0] / np.maximum(covered, 1e-9)
    nearest = values[np.clip(starts.astype(np.int64), 0, len(values) - 1)]
    return np.where(covered > 1e-6, means, nearest)


def _integral(rows: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Integral over [start, end) of the step function whose value in [t, t + 1) is rows[t].  (T, C) -> (S, C)."""
    count = len(rows)
    sums = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0)])  # (T + 1, C)
    steps = np.concatenate([rows, np.zeros((1, rows.shape[1]))])

    def until(at: np.ndarray) -> np.ndarray:
        at = np.clip(at, 0.0, count)
        whole = at.astype(np.int64)
        return sums[whole] + steps[whole] * (at - whole)[:, None]

    return until(ends) - until(starts)


def _scene_offsets(rows: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    last = len(rows) - 1
    found = np.empty(len(starts), dtype=np.int32)
    for index, (start, end) in enumerate(zip(starts, ends, strict=True)):
        first = min(max(int(start), 0), last)
        stop = min(max(int(np.ceil(end)), first + 1), last + 1)
        # A row counts when the slot covers most of it, or it covers most of the slot.
        enough = 0.5 * min(1.0, end - start) - 1e-9
        shares = [min(end, row + 1) - max(start, row) for row in range(first, stop)]
        counted = [int(rows[first + i]) for i, share in enumerate(shares) if share >= enough]
        found[index] = min(counted) if counted else int(rows[first])
    return found
