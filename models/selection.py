"""A selector that ranks candidates by stated criteria (sample, judge, keep).

A candidate's score is a weighted sum of what it does well minus what it does badly; all terms are shares or nats:

    agreement_weight * affect agreement with the film
  - nll_weight       * NLL per slot under the net without guidance (how natural the progression is)
  + diatonic_weight  * share of diatonic roots
  - entropy_weight   * |chord entropy - usual_entropy|   (neither a drone nor a shuffle)
  - likeness_weight  * the largest share of slots equal to a take it is to differ from
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.vocabulary import AFFECT_SETS, NEUTRAL, ROOT_OF

_DIATONIC_ROOTS = np.isin(ROOT_OF - 1, [0, 2, 4, 5, 7, 9, 11])


@dataclass(frozen=True, slots=True)
class Criteria:
    """Weights of the selector; usual_entropy in nats is the median of MuVi-Sync's training songs."""

    agreement_weight: float = 1.0
    nll_weight: float = 0.25
    diatonic_weight: float = 0.25
    entropy_weight: float = 0.1
    likeness_weight: float = 1.0
    usual_entropy: float = 1.82


@dataclass(frozen=True, slots=True)
class Candidate:
    """One composed window and why it was ranked as it was.  agreement and diatonic are NaN where nothing counts."""

    chords: tuple[int, ...]
    seed: int
    nll: float  # nats per composed slot, under the net without guidance
    agreement: float
    diatonic: float
    entropy: float
    likeness: float  # to the most alike of the takes it should differ from, 0..1
    score: float


def judge(
    chords: list[int],
    seed: int,
    nll: float,
    mood: np.ndarray | None,
    criteria: Criteria,
    differ_from: Sequence[Sequence[int]] = (),
) -> Candidate:
    """Rates one song of chord ids in C major / A minor.

    nll: nats per composed slot under the net without guidance.  mood: (S, 6) weights of the film's mood, None: unknown.
    differ_from: takes (chord ids) that it should not repeat.
    """
    song = np.asarray(chords)
    sounding = song[song > 0]
    diatonic = float(_DIATONIC_ROOTS[sounding].mean()) if len(sounding) else float("nan")
    agreement = float("nan")
    if mood is not None:
        strongest = mood[: len(song)].argmax(axis=1)
        rated = (strongest != NEUTRAL) & (song > 0)
        if rated.any():
            agreement = float(AFFECT_SETS[strongest[rated], song[rated]].mean())
    share = np.bincount(song) / len(song)
    entropy = float(-(share[share > 0] * np.log(share[share > 0])).sum())
    likeness = 0.0
    for other in differ_from:
        both = min(len(other), len(song))
        if both:
            likeness = max(likeness, float((np.asarray(other[:both]) == song[:both]).mean()))
    score = (
        criteria.agreement_weight * np.nan_to_num(agreement)
        - criteria.nll_weight * nll
        + criteria.diatonic_weight * np.nan_to_num(diatonic)
        - criteria.entropy_weight * abs(entropy - criteria.usual_entropy)
        - criteria.likeness_weight * likeness
    )
    return Candidate(tuple(chords), seed, float(nll), agreement, diatonic, entropy, likeness, float(score))
