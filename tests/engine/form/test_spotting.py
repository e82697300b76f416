"""Spotting: about half of a long film, in cues of bearable length, on cuts."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from engine.form.picture import curves
from engine.form.spotting import GAP_S, LEAST_SHARE, LONGEST_S, MOST_SHARE, propose_cues
from engine.music import EMOTIONS, Cut


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("length_s", [130.0, 300.0, 1500.0])
def test_about_half_of_a_long_film_is_scored(make_features, seed, length_s):
    cues = propose_cues(curves(make_features(length_s, seed=seed)), length_s)
    scored = sum(cue.out_s - cue.in_s for cue in cues) / length_s
    assert LEAST_SHARE <= scored <= MOST_SHARE + 0.08, scored
    for cue in cues:
        assert 12.0 <= cue.out_s - cue.in_s <= LONGEST_S + 20, cue
    for before, after in itertools.pairwise(cues):
        gap = after.in_s - before.out_s
        assert gap == 0 or gap >= GAP_S


@pytest.mark.parametrize("length_s", [5.0, 60.0, 120.0])
def test_a_short_film_is_one_cue(make_features, length_s):
    assert [(cue.in_s, cue.out_s) for cue in propose_cues(curves(make_features(length_s)), length_s)] == [
        (0.0, length_s)
    ]


def test_music_is_where_the_film_is_moved_and_not_where_it_talks(make_features):
    seconds = 300
    features = make_features(float(seconds))
    mood = np.full((seconds, 6), 0.04, np.float32)
    moved = (np.arange(seconds) // 60) % 2 == 0
    mood[moved, EMOTIONS.index("exciting")] = 0.8
    mood[~moved, EMOTIONS.index("neutral")] = 0.8
    features = replace(
        features, emotion=mood, emotion_raw=mood, motion=np.where(moved, 20, 1.2).astype(np.float32),
        cuts=tuple(Cut(float(second)) for second in range(4, seconds, 4)),
    )  # fmt: skip
    cues = propose_cues(curves(features), float(seconds))
    inside = sum(max(0.0, min(c.out_s, s + 60) - max(c.in_s, s)) for c in cues for s in (0, 120, 240))
    assert inside / sum(cue.out_s - cue.in_s for cue in cues) >= 0.8
