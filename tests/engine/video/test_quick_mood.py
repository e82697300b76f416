"""The quick reading against what a person expects of twelve made clips, and its formulas against their properties."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.video import EMOTIONS, AnalysisOptions, affect, analyze

_SPEC = importlib.util.spec_from_file_location("mood_clips", Path(__file__).with_name("mood_clips.py"))
assert _SPEC is not None and _SPEC.loader is not None
mood_clips = importlib.util.module_from_spec(_SPEC)
sys.modules["mood_clips"] = mood_clips
_SPEC.loader.exec_module(mood_clips)


@pytest.mark.parametrize("clip", mood_clips.CLIPS, ids=lambda clip: clip.name)
def test_the_strongest_mood_is_one_that_a_person_expects(clip: mood_clips.Clip, tmp_path: Path) -> None:
    features = analyze(mood_clips.film_of(clip, tmp_path / "clip.mp4"), AnalysisOptions(reading="quick"))
    mean = features.emotion[4:].mean(axis=0)
    assert EMOTIONS[int(mean.argmax())] in clip.expected, dict(zip(EMOTIONS, mean.round(2), strict=True))


def test_class_frequencies_and_strength_are_muvi_sync_s() -> None:
    # Over independent normal scores, which is how the constants were fitted (engine.video.calibration).
    scores = np.random.default_rng(11).standard_normal((4, 20_000))
    weights = affect.classes(*affect.place(*scores))
    found = np.bincount(weights.argmax(axis=1), minlength=6) / len(weights)
    assert found == pytest.approx(np.array([0.157, 0.228, 0.295, 0.209, 0.071, 0.040]), abs=0.012)
    assert weights.max(axis=1).mean() == pytest.approx(0.48, abs=0.01)


def test_more_light_more_pleasure_more_movement_more_arousal() -> None:
    steps = np.linspace(-2, 2, 9)
    still = np.zeros(9)
    valence, _, dominance = affect.place(steps, still, still, still)
    assert (np.diff(valence) > 0).all() and (np.diff(dominance) < 0).all()  # Valdez & Mehrabian's signs
    _, arousal, _ = affect.place(still, steps, still, still)
    assert (np.diff(arousal) > 0).all()
    _, arousal, _ = affect.place(still, still, still, steps)
    assert (np.diff(arousal) > 0).all()


def test_rhythm_is_high_in_short_shots_and_smoothing_keeps_constants() -> None:
    fast = affect.rhythm(np.zeros(20, np.int64))
    slow = affect.rhythm(np.arange(20))
    assert fast[5] > 0.9 and slow[15] < 0.05
    assert affect.smooth(np.full(30, 0.7)) == pytest.approx(np.full(30, 0.7))
    spike = np.zeros(31)
    spike[15] = 1.0
    smoothed = affect.smooth(spike)
    assert smoothed.argmax() == 15 and smoothed.sum() == pytest.approx(1.0)
    assert np.flatnonzero(smoothed > 0).tolist() == list(range(15 - affect.SMOOTHING_S, 16 + affect.SMOOTHING_S))


def test_a_row_needs_no_more_than_its_look_ahead() -> None:
    dice = np.random.default_rng(2)
    activity, offset = dice.uniform(0, 30, 60), dice.integers(0, 4, 60)
    whole = affect.movement(activity, offset)
    for row in range(60):
        first, last = max(0, row - affect.SMOOTHING_S), min(60, row + affect.LOOKAHEAD_S)
        near = affect.movement(activity[first:last], offset[first:last])
        assert near[row - first] == pytest.approx(whole[row])


def test_colour_is_what_it_says() -> None:
    red = np.zeros((10, 20, 3), np.uint8)
    red[..., 2] = 255  # BGR
    assert affect.colour_of(red) == pytest.approx((0.299, 1.0, 1.0))
    assert affect.colour_of(np.full((10, 20, 3), 128, np.uint8)) == pytest.approx((128 / 255, 0.0, 0.0))
    assert affect.colour_of(red[..., ::-1].copy())[2] == pytest.approx(-1.0)
