"""Bars, slate, leader, 2-pop and black are marked and not scored; action is found."""

from __future__ import annotations

from pathlib import Path

import cv2
import films
import numpy as np
import pytest

from engine.video import AnalysisOptions, VideoFeatures, analyze
from engine.video.head import is_bars, is_black, median

QUICK = AnalysisOptions(reading="quick")
CLIP = Path(__file__).parents[3] / "engine" / "media" / "big-buck-bunny-30s.mp4"
SIZE = (320, 180)
BLACK = np.zeros((180, 320, 3), np.uint8)


def bars(level: int = 191) -> np.ndarray:
    """SMPTE bars (75 %), RGB: seven colours above, a strip, and a black and white part below."""
    image = np.zeros((180, 320, 3), np.uint8)
    colours = [(1, 1, 1), (1, 1, 0), (0, 1, 1), (0, 1, 0), (1, 0, 1), (1, 0, 0), (0, 0, 1)]
    for number, colour in enumerate(colours):
        image[:120, number * 320 // 7 : (number + 1) * 320 // 7] = np.array(colour) * level
        image[120:135, number * 320 // 7 : (number + 1) * 320 // 7] = np.array(colours[6 - number]) * level
    image[135:, 60:120] = 255
    return image


def slate() -> np.ndarray:
    image = np.full((180, 320, 3), 40, np.uint8)
    for line, words in enumerate(("1M1  REEL 2", "VERSION 7", "23.976")):
        cv2.putText(image, words, (30, 50 + 45 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (230, 230, 230), 2)
    return image


def leader(number: int) -> np.ndarray:
    image = np.full((180, 320, 3), 120, np.uint8)
    cv2.putText(image, str(8 - number // 24), (130, 120), cv2.FONT_HERSHEY_SIMPLEX, 3, (20, 20, 20), 6)
    cv2.ellipse(image, (160, 90), (80, 80), 0, 0, 360 * (number % 24) / 24, (20, 20, 20), 3)
    return image


def scene(number: int) -> np.ndarray:
    dice = np.random.default_rng(5)
    image = cv2.resize(dice.integers(40, 220, (9, 16, 3), dtype=np.uint8), SIZE, interpolation=cv2.INTER_CUBIC)
    return np.roll(image, 3 * number, axis=1)


def with_head(number: int) -> np.ndarray:
    """Bars 5 s, black 2 s, slate 4 s, black 1 s, leader 6 s with the 2-pop, black 2 s, action from 20 s on."""
    second = number / 24
    if second < 5:
        return bars()
    if second < 7:
        return BLACK
    if second < 11:
        return slate()
    if second < 12:
        return BLACK
    if second < 18:
        return leader(number - 12 * 24)
    if number == 18 * 24:
        return np.full((180, 320, 3), 255, np.uint8)
    if second < 20:
        return BLACK
    return scene(number)


def test_the_head_of_a_reel_is_marked_and_action_proposed(tmp_path: Path) -> None:
    film = films.make_film(tmp_path / "reel.mp4", 40 * 24, size=SIZE, picture=with_head)
    features = analyze(film, QUICK)
    assert list(features.valid) == [False] * 20 + [True] * 20
    assert all(cut.time_s >= 20 - 1e-3 for cut in features.cuts)
    assert any("00:00:20:00" in note and "action" in note for note in features.notes)
    # Nothing of the head colours the mood of the action.
    alone = analyze(films.make_film(tmp_path / "a.mp4", 480, size=SIZE, picture=lambda n: scene(n + 480)), QUICK)
    assert np.abs(features.emotion[25:35] - alone.emotion[5:15]).max() < 0.02
    assert np.abs(features.emotion[20] - features.emotion_raw[20]).max() < 1e-6


def test_black_before_and_between_is_marked_and_the_rest_is_not(tmp_path: Path) -> None:
    def picture(number: int) -> np.ndarray:
        return BLACK if number < 72 or 240 <= number < 312 else scene(number)

    features = analyze(films.make_film(tmp_path / "f.mp4", 480, size=SIZE, picture=picture), QUICK)
    assert list(np.flatnonzero(~features.valid)) == [0, 1, 2, 10, 11, 12]
    assert any("00:00:03:00" in note for note in features.notes)


def test_an_all_black_film_says_so(tmp_path: Path) -> None:
    features = analyze(films.make_film(tmp_path / "f.mp4", 48, size=SIZE, picture=lambda _n: BLACK), QUICK)
    assert not features.valid.any()
    assert any("black from beginning to end" in note for note in features.notes)
    assert np.isfinite(features.emotion).all()


def test_a_film_without_a_head_has_none(seen_clip: VideoFeatures) -> None:
    assert seen_clip.valid.all() and seen_clip.notes == ()


@pytest.mark.parametrize("level", [191, 255])
def test_bars_are_told_from_pictures(level: int) -> None:
    small = cv2.resize(bars(level), (160, 90), interpolation=cv2.INTER_AREA)[..., ::-1].copy()
    noisy = np.clip(small.astype(int) + np.random.default_rng(0).integers(-4, 5, small.shape), 0, 255)
    assert is_bars(small) and is_bars(noisy.astype(np.uint8))
    for number in range(0, 200, 20):
        assert not is_bars(cv2.resize(scene(number), (160, 90)))
        assert not is_bars(cv2.resize(leader(number), (160, 90)))
    assert not is_bars(cv2.resize(slate(), (160, 90)))
    assert not is_bars(np.zeros((90, 160, 3), np.uint8))
    stripes = np.zeros((90, 160, 3), np.uint8)
    stripes[:, ::8] = 255
    assert not is_bars(stripes)


def test_a_dark_scene_is_not_black() -> None:
    night = np.full((90, 160, 3), 8, np.uint8)
    assert is_black(night)
    night[40:44, 80:84] = 90  # a lit window
    assert not is_black(night)


@pytest.mark.parametrize("count", [1, 2, 7, 480])
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_the_median_is_numpy_s(count: int, kind: type) -> None:
    values = (np.random.default_rng(count).random((count, 3)) * 255).astype(kind)
    assert np.allclose(median(values), np.median(values, axis=0), rtol=1e-6)
    assert float(median(values[:, 0])) == pytest.approx(float(np.median(values[:, 0])), rel=1e-6)
