"""Mood faders, guidance, key choice, tension."""

from __future__ import annotations

import numpy as np
import pytest

from engine.harmony.mood import (
    bias_affect,
    choose_key,
    guidance,
    guiding_mood,
    harmonic_tension,
    picture_tension,
    temperature,
    top_p,
)
from engine.music import EMOTIONS, Chord, Key
from engine.process.messages import ComposeOptions
from models.decoding import SHARED_LESS, affect_pull


def one(name: str) -> np.ndarray:
    return np.eye(6, dtype=np.float32)[[EMOTIONS.index(name)]]


def test_faders_at_rest_leave_the_picture_alone():
    np.testing.assert_allclose(bias_affect(one("sad"), ComposeOptions()), one("sad"))


@pytest.mark.parametrize(
    ("options", "heard", "gone"),
    [
        (ComposeOptions(dark_light=100), "relaxing", "sad"),
        (ComposeOptions(dark_light=-100), "fearful", "exciting"),
        (ComposeOptions(calm_tense=100), "tense", "relaxing"),
        (ComposeOptions(affect_bias=(100, 0, 0, 0, 0, -100)), "exciting", "neutral"),
    ],
)
def test_a_fader_at_its_end_puts_its_mood_in_the_pictures_place(options, heard, gone):
    moved = bias_affect(one("neutral"), options)[0]
    assert moved.sum() == pytest.approx(1.0) and (moved >= 0).all()
    assert moved[EMOTIONS.index(heard)] > 0.4
    assert moved[EMOTIONS.index(gone)] == pytest.approx(0.0)


def test_sliders_that_take_everything_away_leave_neutral():
    moved = bias_affect(one("sad"), ComposeOptions(affect_bias=(-100,) * 6))[0]
    assert moved[EMOTIONS.index("neutral")] == 1.0


def test_what_stands_out_pulls_and_what_is_always_there_pulls_gently():
    always = np.repeat(one("relaxing"), 40, axis=0)
    steady = affect_pull(guiding_mood(always, ComposeOptions()))[0]
    maj = Chord.parse("C").id
    assert 0.2 < steady[maj] < 0.5
    moment = always.copy()
    moment[30:33] = 0.5 * one("relaxing") + 0.5 * one("fearful")
    pull = affect_pull(guiding_mood(moment, ComposeOptions()))
    dim = Chord.parse("Bdim").id
    assert pull[31, dim] > 0.6 > pull[31, maj] and pull[5, dim] < 0.01
    turned = affect_pull(guiding_mood(always, ComposeOptions(dark_light=-100)))[0]
    shared = 3**-SHARED_LESS  # a minor seventh is in the sets of three emotions, so it tells less of each
    assert turned[Chord.parse("Am7").id] == pytest.approx(shared, abs=0.01)  # sad and fearful,
    assert turned[maj] < 0.01  # nothing of the picture
    assert affect_pull(guiding_mood(np.repeat(one("neutral"), 9, axis=0), ComposeOptions())).max() < 1e-6


def test_guidance_is_the_picture_or_what_was_asked_for():
    assert guidance(ComposeOptions()) == 0.5
    assert guidance(ComposeOptions(follow_picture=0)) == 0.0
    assert guidance(ComposeOptions(follow_picture=0, dark_light=-70)) == pytest.approx(0.7)


def test_the_adventurous_draw_warmer_and_from_more():
    assert temperature(ComposeOptions(adventurous=2)) == pytest.approx(1.0)  # the network's own
    assert temperature(ComposeOptions()) == pytest.approx(1.15) and top_p(ComposeOptions()) == pytest.approx(0.97)
    values = [(temperature(ComposeOptions(adventurous=a)), top_p(ComposeOptions(adventurous=a))) for a in range(11)]
    assert values == sorted(values) and values[0][0] > 0 and values[-1][1] == 1.0


def test_the_key_follows_the_mood_and_says_why():
    assert choose_key(np.repeat(one("relaxing"), 5, axis=0))[0] == Key(0)
    key, reason = choose_key(np.concatenate([one("sad")] * 3 + [one("neutral")] * 5))
    assert key == Key(9, "minor") and "A minor" in reason and "sad" in reason


def test_tension_rises_with_mood_loudness_and_chord():
    key, calm, tense = Key(0), one("relaxing"), one("tense")
    quiet, loud = np.array([0.02]), np.array([0.36])

    def at(mood, loudness, chord):
        return picture_tension(mood, loudness)[0] + harmonic_tension(Chord.parse(chord), key)

    assert at(calm, quiet, "C") < at(tense, quiet, "C") < at(tense, loud, "C") < at(tense, loud, "F#dim7") <= 1.0
    assert at(calm, quiet, "C") >= 0.0


def test_mood_counts_half_and_loudness_a_quarter_of_the_tension():
    """The other quarter is the chord's.  fearful lies in the tense corner of the circumplex, relaxing in the other."""
    silent, full = np.array([0.0]), np.array([0.36])
    assert picture_tension(one("relaxing"), silent)[0] == pytest.approx(0.0)
    assert picture_tension(one("neutral"), silent)[0] == pytest.approx(0.25)
    assert picture_tension(one("fearful"), silent)[0] == pytest.approx(0.5)
    assert picture_tension(one("relaxing"), full)[0] == pytest.approx(0.25)
    assert picture_tension(one("fearful"), full * 2)[0] == pytest.approx(0.75)
    assert harmonic_tension(Chord.parse("F#dim7"), Key(0)) == pytest.approx(0.25)
