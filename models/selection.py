"""Several candidates in one batch, and a selector that keeps the best by stated criteria (sample, judge, keep).

A candidate's score is a weighted sum of what it does well minus what it does badly; all terms are shares or nats:

    agreement_weight * affect agreement with the film
  - nll_weight       * NLL per slot under the net without guidance (how natural the progression is)
  + diatonic_weight  * share of diatonic roots
  - entropy_weight   * |chord entropy - usual_entropy|   (neither a drone nor a shuffle)
  - likeness_weight  * the largest share of slots equal to a take it is to differ from

The batch costs far less than one stream per candidate: the film is encoded once, and at these widths a step is bound
by reading weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.decoding import TONIC, DecodingOptions, affect_pull, candidate_seed, choose, log_softmax
from models.errors import ModelError
from models.film import MAX_SLOTS, FilmInputs
from models.runtime import ChordNetwork
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


def generate_candidates(
    model: ChordNetwork,
    film: FilmInputs,
    count: int,
    options: DecodingOptions | None = None,
    *,
    primer: Sequence[int] = (),
    pins: Mapping[int, int] | None = None,
    affect: np.ndarray | None = None,
    first_slot: int = 0,
    length: int | None = None,
    criteria: Criteria | None = None,
    differ_from: Sequence[Sequence[int]] = (),
) -> list[Candidate]:
    """Composes `count` candidates in one batch, best first.  Candidate k has `candidate_seed(options.seed, k)`.

    differ_from: takes (window chords) that the new ones should not repeat.  Other arguments as for ChordStream.
    Raises ModelError for impossible requests.
    """
    options = options or DecodingOptions()
    slots = film.length if length is None else length
    if not 1 <= count <= 64:
        raise ModelError(f"Between 1 and 64 candidates can be composed at once, not {count}.")
    if not 1 <= slots <= min(MAX_SLOTS, film.length):
        raise ModelError(f"A window of {slots} slots does not fit the film's {film.length} rows or {MAX_SLOTS}.")
    felt = film.emotion() if affect is None else affect
    pull = None if felt is None else affect_pull(felt)
    fixed = {**dict(enumerate(primer)), **(pins or {})}
    fixed.setdefault(0, TONIC[bool(film.minor[0])])
    used = [replace(options, seed=candidate_seed(options.seed, k)) for k in range(count)]
    cache = model.new_cache(film, slots, batch=count)
    chords: list[list[int]] = [[] for _ in range(count)]
    nll = np.zeros(count)
    composed = 0
    for slot in range(slots):
        logits = None
        if slot:
            logits = model.decode_step(np.array([song[-1] for song in chords]), cache)
        if slot in fixed or logits is None:
            for song in chords:
                song.append(fixed[slot])
            continue
        log_probs = log_softmax(logits[:, : AFFECT_SETS.shape[1] - 2])
        for k, song in enumerate(chords):
            chord = choose(log_probs[k], used[k], song, first_slot + slot, None if pull is None else pull[slot])
            nll[k] -= log_probs[k, chord]
            song.append(chord)
        composed += 1
    found = [
        judge(song, seed.seed, nll[k] / max(1, composed), felt, criteria or Criteria(), differ_from)
        for k, (song, seed) in enumerate(zip(chords, used, strict=True))
    ]
    return sorted(found, key=lambda candidate: -candidate.score)


def judge(
    chords: list[int],
    seed: int,
    nll: float,
    felt: np.ndarray | None,
    criteria: Criteria,
    differ_from: Sequence[Sequence[int]],
) -> Candidate:
    song = np.asarray(chords)
    sounding = song[song > 0]
    diatonic = float(_DIATONIC_ROOTS[sounding].mean()) if len(sounding) else float("nan")
    agreement = float("nan")
    if felt is not None:
        strongest = felt[: len(song)].argmax(axis=1)
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
