"""The tempo of a temp track: taken where it is sure, else why not is said."""

import re

import numpy as np
import pytest

from engine.sound.pulse import find_pulse

RATE = 22_050 / 256
SECONDS = 36.0


def onsets(bpm, course, *, seed=1, drift=0.0):
    """course: (part of a beat, how strong) within a few beats, over and over; drift: of their tempo."""
    draw = np.random.default_rng(seed)
    count = int(SECONDS * bpm / 60) + 2
    walk = np.zeros(count)
    for beat in range(1, count):
        walk[beat] = 0.7 * walk[beat - 1] + draw.uniform(-drift, drift)
    times = np.concatenate([[0.0], np.cumsum(60 / (bpm * (1 + walk)))])
    made = np.abs(draw.normal(0, 0.02, int(SECONDS * RATE)))
    beats = max(int(place) for place, _ in course) + 1
    for first in range(0, count - beats, beats):
        for place, strength in course:
            at = np.interp(first + place, np.arange(count + 1), times) + draw.normal(0, 0.004)
            frame = max(round(at * RATE), 0)
            if frame < len(made) - 2:
                made[frame : frame + 3] += strength * np.array([0.6, 1.0, 0.4]) * draw.uniform(0.85, 1.1)
    return made


BAND = ((0, 1.0), (0.5, 0.3), (1, 0.9), (1.5, 0.3), (2, 0.9), (2.5, 0.4), (3, 0.9), (3.5, 0.3))
WALTZ = ((0, 1.0), (1, 0.6), (2, 0.6))


@pytest.mark.parametrize("bpm", [63.0, 84.5, 100.0, 117.0, 141.0])
@pytest.mark.parametrize("course", [BAND, WALTZ], ids=["band", "waltz"])
def test_a_steady_tempo_is_found_to_a_tenth_or_not_taken(bpm, course):
    found = find_pulse(onsets(bpm, course), RATE)
    if found.bpm is None:  # its half or double fits as well
        assert f"{bpm:.0f}" in found.sentence and "--bpm" in found.sentence
    else:
        assert found.bpm == pytest.approx(bpm, abs=0.15)
    assert found.bpm is not None or not 80 <= bpm <= 120
    assert found.period_s == pytest.approx(60 / bpm, rel=0.005) or found.bpm is None


@pytest.mark.parametrize("bpm", [63.0, 69.0])
def test_eighths_alone_may_be_either_tempo_and_both_are_said(bpm):
    even = tuple((place / 2, 1.0 if place % 4 == 0 else 0.7) for place in range(8))
    found = find_pulse(onsets(bpm, even), RATE)
    assert found.bpm is None and f"{bpm:.0f} or {2 * bpm:.0f}" in found.sentence


def test_beats_divided_by_three_are_said_as_such():
    found = find_pulse(onsets(80, ((0, 1.0), (1 / 3, 0.5), (2 / 3, 0.5), (1, 0.9), (4 / 3, 0.5), (5 / 3, 0.5))), RATE)
    assert found.bpm is None and "6/8" in found.sentence and "--bpm 120" in found.sentence


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_what_has_no_steady_beats_has_no_tempo(seed):
    assert find_pulse(onsets(96, BAND, seed=seed, drift=0.12), RATE).bpm is None
    noise = np.random.default_rng(seed).exponential(1.0, int(SECONDS * RATE))
    found = find_pulse(noise, RATE)
    assert found.bpm is None and "--bpm" in found.sentence


@pytest.mark.parametrize(("before", "after"), [(90.0, 140.0), (140.0, 90.0), (76.0, 117.0)])
def test_a_tempo_that_changes_half_way_is_no_tempo(before, after):
    found = find_pulse(np.concatenate([onsets(before, BAND), onsets(after, BAND)]), RATE)
    assert found.bpm is None
    said = [float(word) for word in re.findall(r"\d+", found.sentence)]
    for bpm in (before, after) if "its tempo changes" in found.sentence else ():
        assert any(other == pytest.approx(bpm * ratio, abs=0.6) for other in said for ratio in (0.5, 1, 2))


@pytest.mark.parametrize("strength", [np.zeros(0), np.zeros(1), np.zeros(4000), np.ones(4000), np.ones(50)])
def test_nothing_is_no_tempo(strength):
    assert find_pulse(strength, RATE).bpm is None
