"""What is asked of the chord network: the picture's mood course, and boundaries where chords may change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.harmony.conditions import SPACING_S, Events, boundaries, conditions, mood_course
from engine.harmony.plan import PlannedSlot, plan
from engine.harmony.slots import resample
from engine.harmony.stream import Harmony
from engine.music import EMOTIONS, Cut, Key, TempoMap
from engine.process.messages import ComposeOptions, ComposeRequest
from models.conditioning import BOUNDARY, BOUNDARY_PRESENT, MOOD, MOOD_PRESENT
from models.runtime import load

NEUTRAL = EMOTIONS.index("neutral")
PLAIN = ComposeOptions(form="none")


def slots(count: int, every: int = 4) -> list[PlannedSlot]:
    return [
        PlannedSlot(float(k), k + 1.0, float(k), k + 1.0, cue=0, change=k % every == 0, given=False)
        for k in range(count)
    ]


def test_a_course_is_a_distribution_and_follows_what_stands_out() -> None:
    affect = np.full((120, 6), 0.1)
    affect[:, NEUTRAL] = 0.5
    affect[60:] = [0.1, 0.1, 0.1, 0.5, 0.1, 0.1]
    course = mood_course(affect, 1.0, PLAIN)
    assert course.shape == (120, 6)
    np.testing.assert_allclose(course.sum(axis=1), 1.0, atol=1e-6)
    assert course[20].argmax() == NEUTRAL and course[100].argmax() == EMOTIONS.index("sad")
    assert course[59, 3] < course[63, 3] < course[70, 3]  # the turn takes seconds, not one slot


def test_beyond_the_default_strength_the_strongest_mood_stands_out_more() -> None:
    affect = np.random.default_rng(3).dirichlet(np.ones(6), 60)
    off, half, full = (mood_course(affect, 1.0, replace(PLAIN, follow_picture=value)) for value in (0.0, 50.0, 100.0))
    assert np.array_equal(off, half) and half.max(axis=1).mean() < full.max(axis=1).mean()


def test_a_fader_at_full_puts_its_mood_in_the_picture_s_place() -> None:
    affect = np.tile(np.eye(6)[EMOTIONS.index("relaxing")], (30, 1))
    tense = mood_course(affect, 1.0, replace(PLAIN, calm_tense=100.0))
    assert (tense.argmax(axis=1) == EMOTIONS.index("tense")).all()
    assert mood_course(affect[:0], 1.0, PLAIN).shape == (0, 6)


def test_boundaries_lie_where_the_chord_may_change() -> None:
    events = Events((Cut(8.4), Cut(17.3), Cut(30.9)))
    found = np.flatnonzero(boundaries(slots(40), events))
    assert found.tolist() == [8, 17, 31]  # 17 is more than a second from a change: the nearest slot
    assert not boundaries(slots(40), Events()).any()
    assert boundaries([], events).shape == (0,)
    assert not boundaries(slots(10), Events((Cut(400.0),))).any()


def test_of_close_cuts_the_strongest_counts_and_every_hit() -> None:
    cuts = (Cut(8.0, 0.3), Cut(9.5, 0.9), Cut(12.0, 0.2), Cut(20.0, 0.5))
    found = np.flatnonzero(boundaries(slots(40, every=1), Events(cuts, hits_s=(21.0,))))
    assert found.tolist() == [9, 21]
    assert (np.diff(found) >= SPACING_S).all()


def test_rows_hold_both_groups() -> None:
    rows = conditions(slots(20), np.full((20, 6), 1 / 6), PLAIN, Events((Cut(8.0),)))
    assert rows.shape == (20, 12) and rows[:, MOOD_PRESENT].all() and rows[:, BOUNDARY_PRESENT].all()
    assert rows[8, BOUNDARY.start] == 1 and rows[7, BOUNDARY.start + 1] == 1 and rows[9, BOUNDARY.start + 2] == 1
    np.testing.assert_allclose(rows[:, MOOD].sum(axis=1), 1, atol=1e-6)


@pytest.fixture
def composed(small_weights, make_features):
    """compose(options, emotion of the film, cuts) -> chords of the network alone."""
    model = load(small_weights / "amt.safetensors")

    def compose(options, emotion, cuts=()):
        features = make_features(60.0, emotion=emotion)
        request = ComposeRequest(1, TempoMap.constant(120), options=options)
        planned = plan(request, 60.0)
        rows = resample(features, [slot.start_s for slot in planned], [slot.end_s for slot in planned])
        keys = [Key(0)] * len(planned)
        return list(Harmony(model).compose(planned, rows, keys, options, 3, events=Events(tuple(cuts))))

    return compose


def test_follow_the_picture_is_the_strength_of_mood_and_cuts(composed) -> None:
    cuts = [Cut(float(second)) for second in range(5, 60, 9)]
    deaf = replace(PLAIN, follow_picture=0.0)
    # The film's own row of emotion still reaches the encoder; what is asked for in the conditions does not.
    assert composed(deaf, 1) == composed(deaf, 1, cuts)
    assert composed(PLAIN, 1) != composed(PLAIN, 1, cuts)
    assert composed(replace(PLAIN, follow_picture=100.0), 1) != composed(PLAIN, 1)
    full = replace(PLAIN, follow_picture=100.0)
    assert composed(full, 1) != composed(full, 4)
