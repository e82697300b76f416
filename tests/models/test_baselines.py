"""Count-based predictors: proper distributions, right on what they can know."""

from __future__ import annotations

import numpy as np

from models.baselines import Tables
from models.training.dataset import chord_steps


def test_rows_are_distributions() -> None:
    rng = np.random.default_rng(0)
    songs = [chord_steps(rng.integers(0, 157, 40)) for _ in range(5)]
    tables = Tables(songs)
    inputs = rng.integers(0, 157, 30)
    for predict in (tables.repeat_last, tables.predict_unigram, tables.predict_bigram, tables.predict_adaptive):
        assert np.allclose(np.exp(predict(inputs)).sum(axis=1), 1)
        assert predict(inputs).shape == (30, 159)


def test_bigram_knows_the_corpus_and_adaptive_learns_the_song() -> None:
    corpus = [chord_steps(np.array([1, 2, 1, 2, 1, 2]))]
    tables = Tables(corpus)
    assert tables.predict_bigram(np.array([1]))[0].argmax() == 2
    song = np.array([1, 50, 60, 70] * 8)
    adaptive = tables.predict_adaptive(song).argmax(axis=1)
    assert (adaptive[12:31] == song[13:32]).all()
    assert (tables.predict_bigram(song).argmax(axis=1)[12:31] != song[13:32]).any()


def test_adaptive_sees_no_future() -> None:
    rng = np.random.default_rng(1)
    tables = Tables([chord_steps(rng.integers(0, 20, 50))])
    song = rng.integers(0, 20, 40)
    changed = song.copy()
    changed[25:] = 7
    assert np.array_equal(tables.predict_adaptive(song)[:25], tables.predict_adaptive(changed)[:25])
