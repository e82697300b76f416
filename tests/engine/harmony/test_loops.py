"""Loops wear out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.harmony.loops import patience, worn_out
from engine.music import TempoMap
from engine.process.messages import Composed, ComposeRequest


@pytest.mark.parametrize(
    ("chords", "worn"),
    [
        ("CGC", ""),
        ("CGCG", "C"),  # twice round
        ("ACFGCFGCFG", "C"),  # three times round
        ("ACFGCFGCF", ""),
        ("CAFGCAFGCAFG", "C"),
        ("CAFGDCAFGD", "C"),  # a longer one: twice
        ("CAFGDCAFG", ""),
        ("CGCGF", ""),
        ("", ""),
        ("C", ""),
    ],
)
def test_a_loop_that_came_round_often_enough_is_not_carried_on(chords, worn):
    assert worn_out(chords, 3.0) == frozenset(worn)


@given(st.text("CGFA", max_size=30), st.floats(1.5, 5.0))
def test_what_is_worn_out_stood_there_before(chords, rounds):
    assert worn_out(chords, rounds) <= set(chords[:-1])


def test_the_adventurous_tire_sooner():
    assert [patience(a) for a in (0, 4, 10)] == [5.0, 3.0, 1.5]


def test_no_loop_of_the_networks_lasts(composer, make_features):
    last = composer.compose(make_features(200.0), ComposeRequest(1, TempoMap.constant(120)))
    assert isinstance(last, Composed)
    heard = []
    for slot in last.composition.slots:
        if not heard or heard[-1] != slot.chord:
            heard.append(slot.chord)
    for length in (2, 3, 4):
        for at in range(len(heard) - 4 * length):
            rounds = heard[at : at + 4 * length]
            assert rounds != rounds[:length] * 4
