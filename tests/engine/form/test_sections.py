"""Form from the picture: sections on cuts, moods that hold, forms that fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.arrange.chance import noise
from engine.form.picture import curves
from engine.form.sections import LEAST_S, forms, lay_out, passages, sections
from engine.music import EMOTIONS, Cut


def draw_of(*key):
    return lambda *words: noise(*key, *words)


def two_halves(make_features, first, second, seconds=60):
    """A film that is one thing in its first half and another in its second, cut there and nowhere near."""
    features = make_features(float(seconds))
    mood = np.full((seconds, 6), 0.05, np.float32)
    mood[: seconds // 2, EMOTIONS.index(first)] = 0.75
    mood[seconds // 2 :, EMOTIONS.index(second)] = 0.75
    motion = np.where(np.arange(seconds) < seconds // 2, 1.0, 25.0).astype(np.float32)
    return replace(
        features, emotion=mood, emotion_raw=mood, motion=motion, cuts=tuple(Cut(float(s)) for s in (11, 30, 47))
    )


def test_novelty_peaks_where_the_picture_changes(make_features):
    picture = curves(two_halves(make_features, "sad", "exciting"))
    assert abs(int(picture.novelty.argmax()) - 30) <= 1


def test_a_section_begins_on_the_cut_where_the_film_turns(make_features):
    picture = curves(two_halves(make_features, "sad", "exciting"))
    found = 0
    for take in range(1, 13):
        starts = [section.start_s for section in sections(picture, 0.0, 60.0, draw_of("film", take))]
        found += 30.0 in starts
    assert found >= 10


def test_the_mood_of_a_section_is_that_of_its_picture(make_features):
    picture = curves(two_halves(make_features, "sad", "exciting"))
    for section in sections(picture, 0.0, 60.0, draw_of("film", 3), "montage"):
        middle = 0.5 * (section.start_s + section.end_s)
        if abs(middle - 30) > 8 and section.part.role not in ("gap", "stop"):
            assert section.mood == ("sad" if middle < 30 else "exciting"), section


def test_a_flicker_of_another_mood_changes_nothing(make_features):
    features = make_features(60.0)
    mood = np.full((60, 6), 0.05, np.float32)
    mood[:, EMOTIONS.index("sad")] = 0.75
    mood[33:36] = 0.05
    mood[33:36, EMOTIONS.index("exciting")] = 0.75
    features = replace(features, emotion=mood, emotion_raw=mood)
    found = sections(curves(features), 0.0, 60.0, draw_of("film", 1), "montage")
    assert {section.mood for section in found} == {"sad"}


@pytest.mark.parametrize("form", list(forms()))
@pytest.mark.parametrize("length_s", [5.0, 20.0, 60.0, 110.0])
def test_sections_cover_the_cue_and_last_long_enough(make_features, form, length_s):
    picture = curves(make_features(length_s))
    found = lay_out(picture, forms()[form], 0.0, length_s)
    assert found[0][1] == 0.0 and found[-1][2] == length_s
    for (part, start_s, end_s), after in zip(found, [*found[1:], None], strict=True):
        assert end_s > start_s
        if after is not None:
            assert after[1] == end_s
        if part.role not in forms()[form].short and len(found) > 1:
            assert end_s - start_s >= 0.5 * LEAST_S, (part.role, start_s, end_s)


def test_forms_have_proportions_of_a_whole():
    for form in forms().values():
        assert 95 <= sum(part.share for part in form.parts) <= 105, form.name
        assert all(0 <= part.intensity <= 4 for part in form.parts)


def test_a_long_film_is_divided_into_passages(make_features):
    picture = curves(make_features(400.0))
    found = passages(picture, 0.0, 400.0)
    assert found[0][0] == 0.0 and found[-1][1] == 400.0
    assert all(30 <= end - start <= 170 for start, end in found)


def test_a_film_of_a_second_has_one_section(make_features):
    assert len(sections(curves(make_features(1.0)), 0.0, 1.0, draw_of("film", 1))) == 1
