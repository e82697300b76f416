"""Density and loudness over slots."""

from __future__ import annotations

import numpy as np
import pytest

from engine.commands.score_metrics import rank_correlation
from engine.dynamics import DEFAULT_DENSITY, asked_density, asked_loudness, energy, follow, predict
from engine.music import Cue, Section, TempoMap
from engine.process.messages import Composed, ComposeOptions, ComposeRequest
from models.runtime import load


@pytest.fixture
def regressor(small_weights):
    return load(small_weights / "regressor.safetensors")


def test_values_lie_in_their_ranges_and_follow_the_film(regressor, make_features):
    one, other = predict(regressor, make_features(90.0)), predict(regressor, make_features(90.0, seed=5))
    for found in (one, other):
        assert found.density.shape == found.loudness.shape == (90,)
        assert (found.density >= 0).all() and (found.density <= 40).all()
        assert (found.loudness >= 0).all() and (found.loudness <= 1).all()
    assert not np.allclose(one.loudness, other.loudness)


def test_seconds_without_picture_take_their_neighbours(regressor, make_features):
    valid = np.ones(30, bool)
    valid[10:14] = False
    found = predict(regressor, make_features(30.0, valid=valid))
    low, high = sorted((found.density[9], found.density[14]))
    assert (found.density[10:14] >= low - 1e-9).all() and (found.density[10:14] <= high + 1e-9).all()
    assert np.isfinite(found.loudness).all()


def test_a_film_without_any_picture_gets_the_defaults(regressor, make_features):
    found = predict(regressor, make_features(5.0, valid=np.zeros(5, bool)))
    assert set(found.density) == {DEFAULT_DENSITY}


def test_following_the_picture_goes_from_not_at_all_to_wholly(regressor, make_features):
    features = make_features(120.0)
    alone = predict(regressor, features)
    lively = energy(features)
    rows = [follow(alone, features, strength) for strength in (0.0, 0.5, 1.0)]
    np.testing.assert_allclose(rows[0].density, alone.density)
    found = [(rank_correlation(lively, row.density), rank_correlation(lively, row.loudness)) for row in rows]
    assert found == sorted(found) and found[-1][0] > 0.95 and found[-1][1] > 0.95
    assert abs(rows[2].density.mean() - alone.density.mean()) < 1.0  # the film's own level stays
    for row in rows:
        assert (row.density >= 0).all() and (row.loudness >= 0).all() and (row.loudness <= 1).all()


def test_a_steady_picture_is_not_blown_up_and_motion_lifts_its_seconds(make_features):
    from dataclasses import replace

    features = make_features(60.0, emotion=5)
    steady = replace(features, motion=np.full(60, 4.0, np.float32) + np.linspace(0, 0.05, 60, dtype=np.float32))
    assert np.abs(energy(steady)).max() < 0.1
    lively = np.full(60, 1.0, np.float32)
    lively[20:30] = 25.0
    found = energy(replace(features, motion=lively))
    assert found[21:29].min() > 1.0 and found[40:].max() < 0.0
    assert energy(replace(features, valid=np.zeros(60, bool))).max() == 0.0


def test_the_grid_does_not_change_what_the_picture_asks_for(composer, make_features):
    features = make_features(60.0)
    totals = []
    for bpm in (60, 97, 120):
        last = composer.compose(features, ComposeRequest(1, TempoMap.constant(bpm)))
        assert isinstance(last, Composed)
        totals.append(sum(slot.density * (slot.end_s - slot.start_s) for slot in last.composition.slots))
    assert totals == pytest.approx([totals[0]] * 3, rel=1e-6)


def test_activity_and_dynamics_override_the_picture_and_sections_override_both(composer, make_features):
    sections = (Section(10.0, (("activity", "75"),)), Section(20.0, (("dynamics", "100"),)))
    asked = ComposeRequest(
        1,
        TempoMap.constant(120),
        cues=(Cue("1m1", 0.0, None, sections=sections),),
        options=ComposeOptions(activity=25.0, dynamics=50.0),
    )
    last = composer.compose(make_features(30.0), asked)
    slots = last.composition.slots
    assert [slots[i].density for i in (0, 10, 20)] == [10.0, 30.0, 30.0]
    assert [slots[i].loudness for i in (0, 10, 20)] == pytest.approx([0.3, 0.3, 0.6])
    assert asked_density(200) == 40.0 and asked_loudness(-5) == 0.0
