"""Planning ahead of the analysis."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.music import TempoMap
from engine.process.messages import Composed, ComposeRequest, SlotsComposed
from engine.process.provisional import extend, within


def seen_so_far(features, seconds):
    """What an analysis has after some seconds: fewer rows, the container's word for the length."""
    cut = {
        name: getattr(features, name)[:seconds]
        for name in ("emotion_raw", "emotion", "motion", "scene_offset", "valid")
    }
    return replace(features, seconds=seconds, cuts=tuple(c for c in features.cuts if c.time_s < seconds), **cut)


def test_what_was_seen_stays_and_its_end_goes_on(make_features):
    whole = make_features(100.5)
    early = extend(seen_so_far(whole, 20))
    assert early.seconds == 101 and early.film == whole.film
    np.testing.assert_array_equal(early.motion[:20], whole.motion[:20])
    np.testing.assert_allclose(early.motion[20:], whole.motion[12:20].mean(), rtol=1e-5)
    np.testing.assert_allclose(early.emotion.sum(axis=1), 1.0, atol=1e-5)
    assert list(early.scene_offset[18:23]) == [4, 5, 6, 7, 8]
    assert early.valid.all()


def test_a_whole_film_is_left_alone_and_one_of_unknown_length_is_as_long_as_what_was_seen(make_features):
    whole = make_features(30.0)
    assert extend(whole) is whole
    unknown = extend(replace(whole, film=replace(whole.film, duration_s=0.0)))
    assert unknown.film.duration_s == 30.0 and unknown.seconds == 30


def test_the_result_after_the_whole_film_does_not_depend_on_what_was_planned_before(composer, make_features):
    whole = make_features(90.0)
    asked = ComposeRequest(1, TempoMap.constant(120))
    straight = composer.compose(whole, asked)
    for seconds in (4, 8, 33):
        early = list(composer.stream(extend(seen_so_far(whole, seconds)), asked, until_s=60.0, provisional=True))
        slots = [slot for message in early if isinstance(message, SlotsComposed) for slot in message.slots]
        assert slots and all(slot.provisional for slot in slots)
    after = composer.compose(whole, asked)
    assert isinstance(straight, Composed) and isinstance(after, Composed)
    assert after.composition.slots == straight.composition.slots
    assert not any(slot.provisional for slot in after.composition.slots)


def test_a_film_within_an_end_keeps_its_beginning_and_its_first_chords(composer, make_features):
    whole = make_features(90.0)
    part = within(whole, 29.3)
    assert part.seconds == 30 and part.film.duration_s == 30.0 and within(whole, 200.0) is whole
    np.testing.assert_array_equal(part.motion, whole.motion[:30])
    assert all(cut.time_s < 30.0 for cut in part.cuts)
    early = list(composer.stream(part, ComposeRequest(1, TempoMap.constant(120)), until_s=15.0, provisional=True))
    slots = [slot for message in early if isinstance(message, SlotsComposed) for slot in message.slots]
    assert slots and slots[-1].start_s <= 15.0 and all(slot.provisional for slot in slots)
