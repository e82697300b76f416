"""The pulse of a temp track: taken where it is steady, else not."""

import numpy as np
import pytest

from engine.sound.temp_track import FEW_BEATS, pulse


@pytest.mark.parametrize("bpm", [61.5, 96.0, 140.0])
def test_a_steady_pulse_is_found_to_a_tenth(bpm):
    rng = np.random.default_rng(1)
    times = np.arange(60) * 60 / bpm
    frames = np.round((times + rng.normal(0, 0.01, 60)) * 43) / 43  # the analysis hears in frames of 23 ms
    found, notes = pulse(frames)
    assert found == pytest.approx(bpm, abs=0.2) and "--bpm" in notes[0]


def test_an_unsteady_or_short_one_is_not_taken():
    times = np.cumsum(np.tile([0.7, 0.65, 0.58, 0.63], 12) * np.linspace(0.8, 1.2, 48))
    found, notes = pulse(times)
    assert found is None and "--bpm" in notes[0]
    assert pulse(np.arange(FEW_BEATS - 1) * 0.5)[0] is None
