"""Controllers -> gain, by the law that levels.py states."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.sound.levels import CC1_RANGE_DB, RAMP, GainCurve, controller_gain
from engine.sound.voice import velocity_gain

CHANGES = st.lists(
    st.tuples(st.integers(-50_000, 200_000), st.sampled_from([1, 7, 11, 64, 2]), st.integers(0, 127)), max_size=40
)


def decibels(gain: float) -> float:
    return 20 * math.log10(gain)


@pytest.mark.parametrize("number", [7, 11])
@pytest.mark.parametrize("value", [1, 20, 64, 100, 127])
def test_volume_and_expression_follow_the_midi_law(number, value):
    assert decibels(controller_gain(number, value)) == pytest.approx(40 * math.log10(value / 127), abs=1e-9)


def test_dynamics_are_even_in_decibels():
    assert decibels(controller_gain(1, 127)) == 0
    assert decibels(controller_gain(1, 0)) == pytest.approx(-CC1_RANGE_DB)
    steps = np.diff([decibels(controller_gain(1, value)) for value in range(128)])
    assert steps == pytest.approx(CC1_RANGE_DB / 127)


def test_velocity_law():
    assert decibels(velocity_gain(64)) == pytest.approx(40 * math.log10(64 / 127))


def test_each_value_is_reached_after_the_ramp():
    curve = GainCurve([(0, 11, 127), (48_000, 11, 64), (96_000, 11, 100)], level_db=-6.0)
    level = 10 ** (-6 / 20)
    values = np.broadcast_to(curve.values(0, 144_000), 144_000)
    assert values[47_999] == pytest.approx(level)
    assert values[48_000 + RAMP] == pytest.approx(level * controller_gain(11, 64))
    assert values[95_999] == pytest.approx(level * controller_gain(11, 64))
    assert values[96_000 + RAMP] == pytest.approx(level * controller_gain(11, 100))


def test_the_first_value_holds_from_the_beginning():
    assert GainCurve([(10_000, 7, 50)]).values(0, 100) == pytest.approx(controller_gain(7, 50))


def test_without_controllers_only_the_level_counts():
    assert GainCurve([], -3.0).values(5, 10) == pytest.approx(10 ** (-3 / 20))
    assert GainCurve([(0, 64, 127), (0, 2, 3)]).values(0, 10) == 1.0


@given(CHANGES, st.integers(0, 150_000), st.integers(1, 30_000))
def test_no_step_and_never_outside_what_was_sent(changes, start, count):
    curve = GainCurve(changes)
    values = np.broadcast_to(np.asarray(curve.values(start, count), np.float64), count)
    numbers = {number for _, number, _ in changes}
    low = math.prod(min((controller_gain(n, v) for _, n, v in changes if n == number)) for number in numbers)
    high = math.prod(max((controller_gain(n, v) for _, n, v in changes if n == number)) for number in numbers)
    assert values.min() >= low - 1e-6 and values.max() <= high + 1e-6
    # Three controllers that each go from 0 to 1 in a ramp, at worst.
    assert np.abs(np.diff(values)).max(initial=0) <= 3 / RAMP + 1e-6


@given(CHANGES, st.integers(0, 100_000), st.integers(2, 20_000), st.data())
def test_the_curve_does_not_depend_on_the_blocks(changes, start, count, data):
    curve = GainCurve(changes)
    cut = data.draw(st.integers(1, count - 1))
    whole = np.broadcast_to(np.asarray(curve.values(start, count), np.float32), count)
    pieces = [
        np.broadcast_to(np.asarray(curve.values(start, cut), np.float32), cut),
        np.broadcast_to(np.asarray(curve.values(start + cut, count - cut), np.float32), count - cut),
    ]
    assert np.abs(whole - np.concatenate(pieces)).max() <= 1e-6
