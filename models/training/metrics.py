"""Metrics, each per video; `summarise` brings them to a mean with a bootstrap interval over videos.

What counts: a *target* is every step that is not PAD; END is a target as in the authors' evaluation
(`hits1_chords` leaves it out).  N (silence) is a chord like others for Hits@k.  *Changes* are targets that differ
from the chord before them, END left out; there the chord before is taken out of the ranking: given that the chord
changes, is it the right one?  `hits1_changes_open` leaves it in (was the change foreseen as well?).  Affect
agreement looks at sounding chords in seconds whose strongest emotion is not neutral; N is left out, aug and min6
(in no Table 1 set) count as not agreeing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.music.chord import CHORD_END, CHORD_PAD, VOCABULARY_SIZE
from models.vocabulary import AFFECT_SETS, ATTRIBUTE_OF, EMOTIONS, NEUTRAL, ROOT_OF, TOKENS

DENSITY_LEVELS: Final = (5.5, 10.5, 15.5, 20.5)  # Table 3: <= 5, 6-10, 11-15, 16-20, >= 21 notes
_DIATONIC: Final = frozenset({0, 2, 4, 5, 7, 9, 11})  # C major and A natural minor alike
RESAMPLES: Final = 10_000


# --- chords ---------------------------------------------------------------------------------------------------------


def ranks(scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Place of each target among the scores, 1 = best; ties go to the lower id.  (T, V), (T,) -> (T,)."""
    own = scores[np.arange(len(targets)), targets][:, None]
    ahead = (scores > own) | ((scores == own) & (np.arange(scores.shape[1])[None] < targets[:, None]))
    return 1 + ahead.sum(axis=1)


def chord_metrics(log_probs: np.ndarray, inputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """One video: (T, V) log probabilities in nats, (T,) inputs, (T,) targets -> hits, NLL; NaN where nothing counts.

    hits1, hits3, hits5, nll over all targets; *_changes at chord changes; hits1_chords without END.
    """
    real = targets != CHORD_PAD
    log_probs, inputs, targets = log_probs[real], inputs[real], targets[real]
    place = ranks(log_probs, targets)
    chords = targets != CHORD_END
    change = chords & (targets != inputs)
    moved = log_probs[change].copy()
    moved[np.arange(len(moved)), inputs[change]] = -np.inf
    moved_place = ranks(moved, targets[change])
    out = {"nll": float(-log_probs[np.arange(len(targets)), targets].mean())}
    for k in (1, 3, 5):
        out[f"hits{k}"] = float((place <= k).mean())
        out[f"hits{k}_changes"] = float((moved_place <= k).mean()) if change.any() else float("nan")
    out["hits1_changes_open"] = float((place[change] <= 1).mean()) if change.any() else float("nan")
    out["hits1_chords"] = float((place[chords] <= 1).mean())
    out["nll_chords"] = float(-log_probs[chords, targets[chords]].mean())
    return out


def matching_loss(logits: np.ndarray, targets: np.ndarray, emotion: np.ndarray) -> float:
    """Eq. 7 over one video's targets: binary cross entropy of raw logits against the affect set, mean over 159 classes.

    logits (T, V) raw, emotion (T,) strongest emotion of the target's second.  END's row is END alone; neutral rows are
    all zero (as the authors have it); PAD steps, which the authors count, are left out.
    """
    real = targets != CHORD_PAD
    z, wanted = logits[real].astype(np.float64), AFFECT_SETS[emotion[real]].astype(np.float64)
    end = targets[real] == CHORD_END
    wanted[end] = 0
    wanted[end, CHORD_END] = 1
    return float((np.maximum(z, 0) - z * wanted + np.log1p(np.exp(-np.abs(z)))).mean())


def affect_agreement(chords: np.ndarray, emotion: np.ndarray) -> float:
    """Share of rated seconds whose chord's quality is in the set of the strongest emotion.  (T,), (T,) ids."""
    rated = (emotion != NEUTRAL) & (chords != 0) & (chords < VOCABULARY_SIZE)
    if not rated.any():
        return float("nan")
    return float(AFFECT_SETS[emotion[rated], chords[rated]].mean())


def diatonic_rate(chords: np.ndarray) -> float:
    """Share of sounding chords whose root is in C major / A minor; NaN for silence only."""
    sounding = chords[(chords > 0) & (chords < VOCABULARY_SIZE)]
    if len(sounding) == 0:
        return float("nan")
    return float(np.isin(ROOT_OF[sounding] - 1, list(_DIATONIC)).mean())


def chord_entropy(chords: np.ndarray) -> float:
    """Entropy in nats of the histogram of chord labels (CHE)."""
    counts = np.bincount(chords, minlength=VOCABULARY_SIZE)
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log(share)).sum()) + 0.0


def change_rate(chords: np.ndarray) -> float:
    """Share of steps at which the chord changes; NaN for fewer than two chords."""
    return float((chords[1:] != chords[:-1]).mean()) if len(chords) > 1 else float("nan")


def confusion(predicted: np.ndarray, truth: np.ndarray, kind: str) -> np.ndarray:
    """Counts[truth, predicted] by "chord" (159), "root" (15) or "quality" (16): the paper's Figures 11-13."""
    table: dict[str, tuple[np.ndarray, int]] = {
        "chord": (np.arange(TOKENS), TOKENS),
        "root": (ROOT_OF, int(ROOT_OF.max()) + 1),
        "quality": (ATTRIBUTE_OF, int(ATTRIBUTE_OF.max()) + 1),
    }
    lookup, size = table[kind]
    out = np.zeros((size, size), dtype=np.int64)
    np.add.at(out, (lookup[truth], lookup[predicted]), 1)
    return out


def affect_confusion(predicted: np.ndarray, emotion: np.ndarray) -> np.ndarray:
    """Counts[emotion, quality]: chord qualities (16) under the strongest emotion (6) of their second, cf. Figure 13."""
    out = np.zeros((len(EMOTIONS), int(ATTRIBUTE_OF.max()) + 1), dtype=np.int64)
    np.add.at(out, (emotion, ATTRIBUTE_OF[predicted]), 1)
    return out


# --- dynamics -------------------------------------------------------------------------------------------------------


def rmse_padded(predicted: np.ndarray, truth: np.ndarray) -> float:
    """The paper's RMSE of one video: over 300 rows, of which those after the end are 0 in both.  (T,), (T,)."""
    return float(np.sqrt(((predicted - truth) ** 2).sum() / 300))


def rmse(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Root mean square error over one video's real frames."""
    return float(np.sqrt(((predicted - truth) ** 2).mean()))


def pearson(x: np.ndarray, y: np.ndarray) -> float:
    """Pearson correlation; NaN where either side does not vary."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    x, y = x - x.mean(), y - y.mean()
    scale = np.sqrt((x**2).sum() * (y**2).sum())
    return float((x * y).sum() / scale) if scale > 1e-12 else float("nan")


def density_histogram(density: np.ndarray) -> np.ndarray:
    """(5,) shares of the paper's five density levels (Table 3)."""
    levels = np.searchsorted(np.asarray(DENSITY_LEVELS), density)
    return np.bincount(levels, minlength=5) / max(1, len(density))


# --- over videos ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Estimate:
    """Mean over videos and its 95 % bootstrap interval (percentiles of resampled means)."""

    mean: float
    low: float
    high: float
    videos: int

    def __str__(self) -> str:
        return f"{self.mean:.4f} [{self.low:.4f}, {self.high:.4f}]"


def summarise(values: Sequence[float] | np.ndarray) -> Estimate:
    """Bootstrap over videos; NaN values (a metric that does not exist for a video) are left out."""
    kept = np.asarray(values, dtype=np.float64)
    kept = kept[~np.isnan(kept)]
    if len(kept) == 0:
        nan = float("nan")
        return Estimate(nan, nan, nan, 0)
    rng = np.random.default_rng(0)
    means = kept[rng.integers(0, len(kept), (RESAMPLES, len(kept)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Estimate(float(kept.mean()), float(low), float(high), len(kept))


def paired(a: Sequence[float] | np.ndarray, b: Sequence[float] | np.ndarray) -> Estimate:
    """Mean of a - b over the same videos, with its interval."""
    return summarise(np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64))


def collect(per_video: Sequence[Mapping[str, float]]) -> dict[str, np.ndarray]:
    """A list of per-video metrics -> metric -> (videos,)."""
    return {name: np.asarray([video[name] for video in per_video]) for name in per_video[0]}
