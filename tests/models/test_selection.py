"""Candidates: one batch gives what single streams give, the selector keeps its word, takes can be made to differ."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.amt import AffectiveMultimodalTransformer
from models.config import AmtConfig
from models.decoding import DecodingOptions, candidate_seed, generate, with_seed
from models.errors import ModelError
from models.film import FilmInputs
from models.runtime import ChordNetwork, from_torch
from models.selection import Criteria, generate_candidates


@pytest.fixture(scope="module")
def model() -> ChordNetwork:
    torch.manual_seed(4)
    config = AmtConfig(32, 2, 1, 2, 48, masked=True, scaled=True, run_buckets=8, recall_heads=2, recall_roots=True)
    return from_torch(AffectiveMultimodalTransformer(config))


@pytest.fixture(scope="module")
def film() -> FilmInputs:
    rng = np.random.default_rng(2)
    return FilmInputs.from_arrays(
        scene_offset=np.arange(24) % 7, motion=rng.random(24) * 40, emotion=rng.dirichlet(np.ones(6) * 0.3, 24)
    )


def test_a_batch_is_what_single_streams_are(model, film) -> None:
    options = DecodingOptions(seed=8)
    found = generate_candidates(model, film, 5, options, primer=[1, 92], pins={20: 3})
    assert sorted(c.seed for c in found) == sorted(candidate_seed(8, k) for k in range(5))
    for candidate in found:
        alone = generate(model, film, with_seed(options, candidate.seed), primer=[1, 92], pins={20: 3})
        assert candidate.chords == tuple(alone)


def test_the_best_comes_first_by_the_stated_criteria(model, film) -> None:
    found = generate_candidates(model, film, 8, DecodingOptions(seed=1))
    assert [c.score for c in found] == sorted((c.score for c in found), reverse=True)
    only_agreement = Criteria(nll_weight=0, diatonic_weight=0, entropy_weight=0)
    chosen = generate_candidates(model, film, 8, DecodingOptions(seed=1), criteria=only_agreement)
    assert chosen[0].agreement == max(c.agreement for c in chosen)
    only_natural = Criteria(agreement_weight=0, diatonic_weight=0, entropy_weight=0)
    chosen = generate_candidates(model, film, 8, DecodingOptions(seed=1), criteria=only_natural)
    assert chosen[0].nll == min(c.nll for c in chosen)


def test_takes_that_differ(model, film) -> None:
    first = generate_candidates(model, film, 6, DecodingOptions(seed=1))[0]
    again = generate_candidates(model, film, 6, DecodingOptions(seed=1), differ_from=[first.chords])
    assert again[0].chords != first.chords
    same = next(c for c in again if c.chords == first.chords)
    assert same.likeness == 1.0 and again[-1].likeness == 1.0


def test_count_is_checked(model, film) -> None:
    with pytest.raises(ModelError, match="Between 1 and 64"):
        generate_candidates(model, film, 0)
