"""Resampling of features to slots."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from profiles import examples

from engine.harmony.slots import mean_over_slots, resample


def test_the_seconds_grid_takes_every_row_as_it_is(make_features):
    features = make_features(41.0)
    rows = resample(features, range(41), range(1, 42))
    np.testing.assert_allclose(rows.emotion, features.emotion, atol=1e-6)
    np.testing.assert_allclose(rows.motion, features.motion, atol=1e-4)
    np.testing.assert_array_equal(rows.scene_offset, features.scene_offset)
    assert rows.valid.all()


def test_a_slot_takes_the_mean_of_what_it_covers(make_features):
    features = make_features(10.0)
    rows = resample(features, [2.5], [4.5])
    expected = (0.5 * features.motion[2] + features.motion[3] + 0.5 * features.motion[4]) / 2
    assert rows.motion[0] == pytest.approx(expected, rel=1e-5)
    assert rows.emotion[0].sum() == pytest.approx(1.0, abs=1e-5)


def test_a_cut_is_not_averaged_away(make_features):
    features = make_features(20.0)  # cuts at 7 and 14
    rows = resample(features, [6.0, 6.5, 5.9], [8.0, 7.5, 6.9])
    assert list(rows.scene_offset) == [0, 0, 6]


def test_rows_without_picture_do_not_count(make_features):
    valid = np.ones(8, bool)
    valid[2:5] = False
    features = make_features(8.0, valid=valid)
    rows = resample(features, [1.0, 2.0, 3.9], [3.0, 4.0, 6.0])
    assert rows.motion[0] == pytest.approx(features.motion[1], rel=1e-5)
    assert list(rows.valid) == [True, False, False]
    assert rows.motion[1] == 0 and rows.emotion[1][5] == 1.0  # nothing seen: still and neutral
    np.testing.assert_allclose(rows.emotion[2], features.emotion[5], atol=1e-6)


@examples(60)
@given(st.lists(st.floats(0.05, 3.0), min_size=1, max_size=30), st.integers(0, 9))
def test_means_over_slots_keep_the_integral(lengths, seed):
    values = np.random.default_rng(seed).uniform(0, 40, 100)
    edges = np.concatenate([[0.0], np.cumsum(lengths)])
    means = mean_over_slots(values, edges[:-1], edges[1:])
    inside = edges[-1] if edges[-1] < 100 else 100.0
    whole = np.interp(inside, np.arange(101), np.concatenate([[0], np.cumsum(values)]))
    if edges[-1] <= 100:
        assert float(means @ np.diff(edges)) == pytest.approx(whole, rel=1e-9, abs=1e-9)
    assert values.min() - 1e-9 <= means.min() and means.max() <= values.max() + 1e-9


def test_slots_past_the_last_row_take_the_last_row():
    assert list(mean_over_slots(np.array([1.0, 5.0]), [1.0, 2.0], [2.0, 3.0])) == [5.0, 5.0]
