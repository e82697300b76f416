"""The tempo of a cue: the picture's, in the range of the palette that the cue is then written in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.form.picture import curves
from engine.form.planner import PlanWish, choose_tempo, draw_cue
from engine.music import EMOTIONS, Cut, Hit, Take, TempoMap
from engine.planning import settle_take
from engine.process.messages import ComposeOptions, ComposeRequest

LENGTH_S = 48.0


@pytest.fixture
def picture(make_features):
    """picture(mood, motion in pixels, seconds a shot): a film that is alike throughout."""

    def make(mood: str, motion: float, shot_s: float):
        features = make_features(LENGTH_S, emotion=EMOTIONS.index(mood))
        cuts = tuple(Cut(float(at)) for at in np.arange(shot_s, LENGTH_S - 0.5, shot_s))
        return replace(features, motion=np.full(features.seconds, motion, np.float32), cuts=cuts)

    return make


def request(take: int = 1, rules: int = 5, **options) -> ComposeRequest:
    return ComposeRequest(
        1, TempoMap.constant(92.0), options=ComposeOptions(**{"form": "auto", **options}), take=Take(take), rules=rules
    )


def tempi(features, takes=range(1, 9), **options) -> list[float]:
    return [settle_take(features, request(take, **options), 0.0, None)[0].tempo_map.bpm_at(0.0) for take in takes]


@pytest.mark.parametrize("mood", EMOTIONS)
def test_the_quicker_the_picture_the_quicker_the_music(mood, picture):
    still, usual, wild = (
        np.array(tempi(picture(mood, motion, shot_s))) for motion, shot_s in ((0.0, 48.0), (2.3, 3.0), (8.0, 1.2))
    )
    assert still.mean() * 1.1 < usual.mean() and usual.mean() * 1.1 < wild.mean()
    assert still.mean() * 1.35 < wild.mean()


def test_a_still_scene_is_slow_a_chase_and_a_comedy_are_quick(picture):
    assert max(tempi(picture("relaxing", 0.0, 48.0))) <= 76
    assert max(tempi(picture("sad", 0.0, 48.0))) <= 76
    assert min(tempi(picture("exciting", 9.0, 1.2), form="chase")) >= 100
    for mood in ("neutral", "relaxing", "exciting"):
        assert min(tempi(picture(mood, 1.5, 3.0), form="comedy")) >= 100, mood


def test_a_cue_is_written_in_the_palette_whose_tempo_it_has(picture, make_features):
    """The plan is drawn once without a tempo, to choose one, and once on it: by earlier rules the second was another,
    so that a comic palette came at half its tempo."""
    films = [picture("neutral", 1.0, 4.0), picture("exciting", 1.7, 3.0), make_features(60.0)]
    seen = [(curves(features), features.film.duration_s) for features in films]

    def off(rules: int) -> int:
        count = 0
        for each, end_s in seen:
            for take in range(1, 7):
                drawn = draw_cue(each, 0.0, end_s, 1, 0, take, PlanWish(rules=rules))
                bpm, _ = choose_tempo(drawn, (), (), 4.0)
                again = draw_cue(each, 0.0, end_s, 1, 0, take, PlanWish(rules=rules, bpm=bpm))
                low, high = again.main.bpm
                assert rules < 5 or low <= bpm <= high
                count += again.plan.sections != drawn.plan.sections
        return count

    assert off(5) == 0 < off(4)


def test_a_tempo_that_was_asked_for_stays_and_finds_a_palette(picture):
    """Whatever the picture asks for: no palette that drags at it."""
    for mood in EMOTIONS:
        seen = curves(picture(mood, 2.3, 3.0))
        for bpm in (60.0, 92.0, 140.0):
            for take in (1, 2, 3):
                drawn = draw_cue(seen, 0.0, LENGTH_S, 1, 0, take, PlanWish(bpm=bpm))
                assert drawn.main.bpm[0] <= bpm + 26, (mood, bpm, drawn.main.variant)


def test_hits_choose_among_the_tempi_of_the_palette(picture):
    """All of its range is looked at; a hit may stand on an eighth, which is a beat of the tempo doubled."""
    features, nearer = picture("relaxing", 2.3, 3.0), 0
    seen = curves(features)
    for take in range(1, 7):
        drawn = draw_cue(seen, 0.0, LENGTH_S, 1, 0, take, PlanWish())
        low, high = drawn.main.bpm
        hits = [Hit(at, "must") for at in (5.13, 11.71, 23.37, 30.02)]
        free, _ = choose_tempo(drawn, (), (), 4.0)
        bpm, reason = choose_tempo(drawn, hits, (), 4.0)
        assert low <= bpm <= high and "the picture asks for about" in reason

        missed = [
            sum(abs(each.time_s * tempo / 30 - round(each.time_s * tempo / 30)) * 30 / tempo for each in hits)
            for tempo in (bpm, free)
        ]
        nearer += missed[0] < missed[1]
    assert nearer >= 5
