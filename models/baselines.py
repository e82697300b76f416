"""Chord predictors without a network: repeat the last chord, unigram, bigram, and a table that adapts to the song.

All are fitted on training songs and give (T, 159) log probabilities for teacher-forced inputs, as the networks do.
They are what any network must be compared with: chords are sampled once a second, so most equal the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from models.vocabulary import TOKENS

SMOOTHING: Final = 0.1  # added to every count of the unigram table
BACKOFF: Final = 1.0  # weight of the unigram table within the bigram table, in counts
STRENGTHS: Final = (9.0, 6.0, 10.0, 10.0, 10.0, 10.0, 15.0, 15.0)  # weight of order n - 1 within n, in counts
Steps = tuple[np.ndarray, np.ndarray]  # inputs (T,), targets (T,) as of models.training.dataset.chord_steps


class Tables:
    """Unigram and bigram counts of training songs."""

    def __init__(self, songs: Sequence[Steps]) -> None:
        counts = np.full(TOKENS, SMOOTHING)
        pairs = np.zeros((TOKENS, TOKENS))
        for inputs, targets in songs:
            np.add.at(counts, targets, 1)
            np.add.at(pairs, (inputs, targets), 1)
        self.unigram = counts / counts.sum()  # (159,)
        self.bigram = (pairs + BACKOFF * self.unigram) / (pairs.sum(1, keepdims=True) + BACKOFF)  # (159, 159)

    def repeat_last(self, inputs: np.ndarray) -> np.ndarray:
        """The chord before with probability .9, then the unigram order (so that Hits@3 and 5 exist)."""
        out = np.tile(0.1 * self.unigram, (len(inputs), 1))
        out[np.arange(len(inputs)), inputs] += 0.9
        return np.log(out)

    def predict_unigram(self, inputs: np.ndarray) -> np.ndarray:
        """The same distribution everywhere."""
        return np.tile(np.log(self.unigram), (len(inputs), 1))

    def predict_bigram(self, inputs: np.ndarray) -> np.ndarray:
        """The row of the chord before."""
        return np.log(self.bigram[inputs])

    def predict_adaptive(self, inputs: np.ndarray) -> np.ndarray:
        """Orders 1..8 counted in the song so far, each backing off to the one below and order 1 to the bigram row.

        p_n = (count_n(context, chord) + s_n * p_(n-1)) / (count_n(context) + s_n), Dirichlet smoothing.
        """
        seen: list[dict[tuple[int, ...], dict[int, int]]] = [{} for _ in STRENGTHS]
        out = np.empty((len(inputs), TOKENS))
        history = [int(chord) for chord in inputs]
        for step in range(len(history)):
            if step > 0:
                for order, table in enumerate(seen, start=1):
                    if step - order < 0:
                        break
                    context = tuple(history[step - order : step])
                    followers = table.setdefault(context, {})
                    followers[history[step]] = followers.get(history[step], 0) + 1
            p = self.bigram[history[step]].copy()
            for order, table in enumerate(seen, start=1):
                if step + 1 - order < 0:
                    break
                followers = table.get(tuple(history[step + 1 - order : step + 1]), {})
                if not followers:
                    break  # a longer context cannot have been seen either
                strength = STRENGTHS[order - 1]
                p *= strength
                for chord, count in followers.items():
                    p[chord] += count
                p /= strength + sum(followers.values())
            out[step] = p
        return np.log(out)
