"""Cuts, fades and dissolves: against annotations by eye, the stock detector, and transitions made for the purpose."""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from profiles import examples

from engine.music import Cut
from engine.video import AnalysisOptions, VideoFeatures, analyze
from engine.video.frames import Picture
from engine.video.motion import mean_abs_difference
from engine.video.shots import HardCutFinder, ShotFinder

MEDIA = Path(__file__).parents[2] / "media"
CLIP = Path(__file__).parents[3] / "engine" / "media" / "big-buck-bunny-30s.mp4"


def shot(seed: int, light: float = 1.0) -> np.ndarray:
    """(90, 160, 3) float: a made-up picture with large and small shapes."""
    dice = np.random.default_rng(seed)
    image = np.zeros((90, 160, 3))
    for size, strength in ((3, 120), (9, 90), (30, 45)):  # large shapes are the strong ones, as in real pictures
        image += cv2.resize(
            dice.uniform(0, strength, (size, size * 16 // 9, 3)), (160, 90), interpolation=cv2.INTER_CUBIC
        )
    return np.clip(image * light, 0, 255)


def find(picture: Callable[[float], np.ndarray], length_s: float, fps: int = 24) -> list[Cut]:
    """Cuts in a film given as a function of time, with a little noise on every frame."""
    finder = ShotFinder(Fraction(fps))
    dice = np.random.default_rng(99)
    before: Picture | None = None
    for index in range(int(length_s * fps)):
        image = np.clip(picture(index / fps) + dice.normal(0, 1.5, (90, 160, 3)), 0, 255).astype(np.uint8)
        picture_now = Picture(index, index / fps, image)
        change = 0.0 if before is None else mean_abs_difference(picture_now.luma, before.luma)
        before = picture_now
        finder.push(picture_now, change)
    return finder.cuts


def mix(a: np.ndarray, b: np.ndarray, share: float) -> np.ndarray:
    share = min(1.0, max(0.0, share))
    return (1 - share) * a + share * b


def drift(image: np.ndarray, x: float) -> np.ndarray:
    """The picture moved sideways by x pixels, around the edge."""
    whole = np.roll(image, int(x), axis=1)
    return mix(whole, np.roll(whole, 1, axis=1), x - int(x))


def test_the_clip_has_the_cuts_that_were_seen_by_eye_and_no_others(seen_clip: VideoFeatures) -> None:
    truth = json.loads((MEDIA / "cuts-by-eye.json").read_text())[CLIP.name]["cuts"]
    cuts = seen_clip.cuts
    assert [round(cut.time_s * 24) for cut in cuts] == truth
    assert {cut.kind for cut in cuts} == {"cut"}


@st.composite
def cut_films(draw: st.DrawFn) -> tuple[list[np.ndarray], float, int]:
    """Small pictures of shots that move, flicker, stand still or differ in hue; threshold; least shot in frames."""
    images = []
    for _ in range(draw(st.integers(1, 5))):
        start = shot(draw(st.integers(0, 50)), draw(st.sampled_from((0.1, 0.5, 1.0, 1.6))))
        if draw(st.booleans()):  # its colours around its own luma
            grey = start @ np.array([0.114, 0.587, 0.299])
            start = grey[..., None] + (start - grey[..., None]) @ np.eye(3)[draw(st.permutations((0, 1, 2)))]
        speed, noise = draw(st.sampled_from((0.0, 1.0, 4.0, 20.0))), draw(st.sampled_from((0, 2, 8)))
        twos = draw(st.integers(1, 3))  # pictures that stand for so many frames
        dice = np.random.default_rng(draw(st.integers(0, 99)))
        for frame in range(draw(st.integers(2, 14))):
            moved = drift(start, speed * (frame // twos)) + dice.integers(-noise, noise + 1, start.shape)
            images.append(np.clip(moved, 0, 255).astype(np.uint8))
    return images, draw(st.sampled_from((1.5, 3.0, 5.0))), draw(st.sampled_from((1, 6, 15)))


@examples(20)
@given(film=cut_films())
def test_hard_cuts_are_those_of_the_stock_detector(film: tuple[list[np.ndarray], float, int]) -> None:
    from scenedetect import FrameTimecode
    from scenedetect.detectors import AdaptiveDetector

    images, threshold, least = film
    ours, stock = HardCutFinder(threshold, least), AdaptiveDetector(threshold, least)
    before: Picture | None = None
    for index, image in enumerate(images):
        expected = [code.frame_num for code in stock.process_frame(FrameTimecode(index, Fraction(24)), image)]
        picture = Picture(index, index / 24, image)
        found = ours.push(picture, 0.0 if before is None else mean_abs_difference(picture.luma, before.luma))
        before = picture
        assert ([] if found is None else [found.picture.index]) == expected, index


def test_earlier_pictures_are_let_go() -> None:
    ours = HardCutFinder(3.0, 15)
    seen = []
    for index in range(40):
        picture = Picture(index, index / 24, shot(index % 7).astype(np.uint8))
        ours.push(picture, 50.0)
        seen.append(weakref.ref(picture.small))
        del picture
    assert sum(reference() is not None for reference in seen) <= 6


@pytest.mark.parametrize("fps", [24, 50])
@pytest.mark.parametrize("length_s", [0.7, 1.2, 3.0])
def test_a_dissolve_is_found_once_in_its_middle(length_s: float, fps: int) -> None:
    found = []
    for seed in range(2):
        a, b = shot(seed), shot(100 + seed)
        cuts = find(lambda t, a=a, b=b: mix(a, b, (t - 3) / length_s), 6 + length_s, fps)
        found.append([(cut.kind, abs(cut.time_s - 3 - length_s / 2) < 0.3) for cut in cuts])
    assert found == [[("dissolve", True)]] * 2


def test_a_dissolve_between_moving_shots_is_found() -> None:
    cuts = find(lambda t: mix(drift(shot(1), 2 * t), drift(shot(2), -2 * t), (t - 3) / 1.2), 7)
    assert [cut.kind for cut in cuts] == ["dissolve"]
    assert cuts[0].time_s == pytest.approx(3.6, abs=0.3)


@pytest.mark.parametrize("fps", [24, 50])
def test_a_quick_dissolve_between_moving_shots_is_found(fps: int) -> None:
    found = []
    for seed in range(4):
        a, b = shot(seed), shot(100 + seed)
        cuts = find(lambda t, a=a, b=b: mix(drift(a, 2 * t), drift(b, -2 * t), (t - 3) / 0.5), 6, fps)
        found.append([(cut.kind, abs(cut.time_s - 3.25) < 0.3) for cut in cuts])
    assert found == [[("dissolve", True)]] * 4


def test_a_quick_fade_is_told_once() -> None:
    black = np.zeros((90, 160, 3))
    for length_s in (0.25, 0.3, 0.5):

        def picture(t: float, length_s: float = length_s) -> np.ndarray:
            if t < 3 + length_s:
                return mix(shot(1), black, (t - 3) / length_s)
            return mix(black, shot(2), (t - 3 - length_s) / length_s)

        cuts = find(picture, 6)
        assert len(cuts) == 1 and 3.0 <= cuts[0].time_s <= 3.1 + 2 * length_s, length_s


def test_a_fade_through_black_or_white_is_one_fade() -> None:
    for tone in (0.0, 255.0):
        even = np.full((90, 160, 3), tone)

        def picture(t: float, even: np.ndarray = even) -> np.ndarray:
            if t < 4.5:
                return mix(shot(1), even, (t - 3) / 1.0)
            return mix(even, shot(2), (t - 4.5) / 1.0)

        cuts = find(picture, 8)
        assert [cut.kind for cut in cuts] == ["fade"], tone
        assert 3.9 <= cuts[0].time_s <= 5.1


def test_the_film_s_own_fade_in_and_out_are_no_cuts() -> None:
    black = np.zeros((90, 160, 3))
    assert find(lambda t: mix(black, shot(3), t / 1.5), 5) == []
    assert find(lambda t: mix(shot(3), black, (t - 3) / 1.5), 6) == []


@pytest.mark.parametrize(
    "picture",
    [
        lambda t: drift(shot(1), 60 * t),  # a fast pan
        lambda t: drift(shot(1), 6 * t),  # a slow one
        lambda t: shot(1) * (0.6 + 0.4 * np.sin(2 * t)),  # the light changes
        lambda t: cv2.resize(shot(1)[int(4 * t) : 90 - int(4 * t)], (160, 90)),  # a zoom
        lambda t: shot(1),
    ],
)
def test_what_happens_inside_a_shot_is_no_cut(picture: Callable[[float], np.ndarray]) -> None:
    assert find(picture, 6) == []


def test_hard_cuts_stay_hard_beside_dissolves() -> None:
    def picture(t: float) -> np.ndarray:
        if t < 2:
            return shot(1)
        if t < 5:
            return mix(shot(2), shot(3), (t - 3.5) / 1.0)
        return shot(4)

    cuts = find(picture, 7)
    assert [cut.kind for cut in cuts] == ["cut", "dissolve", "cut"]
    assert [cuts[0].time_s, cuts[2].time_s] == [2.0, 5.0]
    assert [cut.time_s for cut in cuts] == sorted(cut.time_s for cut in cuts)


def test_settings_change_what_is_found(seen_clip: VideoFeatures) -> None:
    def count(**settings: float) -> int:
        return len(analyze(CLIP, AnalysisOptions(reading="quick", **settings)).cuts)  # type: ignore[arg-type]

    assert len(seen_clip.cuts) == 11
    assert count(min_shot_s=2.0) < 11 and count(adaptive_threshold=20.0) < 11
