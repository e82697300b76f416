"""Cards, titles and fades have no mood of their own: what is beside them is held, and a comedy stays one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import films
import numpy as np
import pytest

from engine.harmony.mood import choose_key
from engine.harmony.slots import resample
from engine.music import EMOTIONS
from engine.video import AnalysisOptions, VideoFeatures, analyze
from engine.video.head import is_card

QUICK = AnalysisOptions(reading="quick")
RATE = 24
SIZE = (320, 180)
Picture = Callable[[int], np.ndarray]


def ground(*colour: int) -> np.ndarray:
    return np.full((180, 320, 3), colour or (0, 0, 0), np.uint8)


def written(image: np.ndarray, *lines: str, colour: tuple[int, int, int] = (240, 240, 240), scale: float = 0.9,
            first: int = 70) -> np.ndarray:  # fmt: skip
    image = image.copy()
    for number, words in enumerate(lines):
        font, thick = cv2.FONT_HERSHEY_SIMPLEX, 2 if scale > 0.5 else 1
        (width, height), _ = cv2.getTextSize(words, font, scale, thick)
        at = (160 - width // 2, first + int(2.2 * number * height))
        cv2.putText(image, words, at, font, scale, colour, thick, cv2.LINE_AA)
    return image


TITLE = written(ground(), "A FILM BY", "SOMEBODY ELSE")
CARDS = {
    "title, white on black": TITLE,
    "title, small": written(ground(), "based on a true story", scale=0.45, first=95),
    "title, black on white": written(ground(250, 250, 250), "THE END", colour=(10, 10, 10), scale=1.6, first=105),
    "green band": written(ground(20, 110, 50), "THE FOLLOWING PREVIEW", "HAS BEEN APPROVED", scale=0.6),
    "credits": written(ground(), *[f"part {n}   name {n} name" for n in range(7)], scale=0.4, first=20),
    "dim, fading in": written(ground(), "A FILM BY", "SOMEBODY ELSE", colour=(90, 90, 90)),
    "yellow on black": written(ground(), "IN A WORLD", colour=(230, 200, 40), scale=1.2, first=100),
    "lines that cannot be read": cv2.rectangle(ground(), (90, 82), (230, 97), (255, 255, 255), -1),
    "all white": ground(255, 255, 255),
}


def smooth_noise(seed: int, low: int, high: int) -> np.ndarray:
    rough = np.random.default_rng(seed).integers(low, high, (9, 16, 3), dtype=np.uint8)
    return cv2.resize(rough, SIZE, interpolation=cv2.INTER_CUBIC)


def lamp() -> np.ndarray:
    """A lit window in the night."""
    return cv2.GaussianBlur(cv2.rectangle(ground(3, 3, 5), (130, 60), (190, 130), (230, 190, 90), -1), (0, 0), 4)


def moon() -> np.ndarray:
    return cv2.GaussianBlur(cv2.circle(ground(2, 2, 6), (200, 60), 26, (225, 225, 215), -1), (0, 0), 1.5)


def singer() -> np.ndarray:
    """Somebody in a spot on a black stage: skin, a red dress, light from one side."""
    image = cv2.ellipse(ground(), (160, 115), (34, 60), 0, 0, 360, (170, 30, 40), -1)
    image = cv2.circle(image, (160, 48), 17, (215, 165, 130), -1)
    shade = np.linspace(0.35, 1.0, 320)[None, :, None]
    return cv2.GaussianBlur((image * shade).astype(np.uint8), (0, 0), 2)


PICTURES = {
    "scene": smooth_noise(5, 40, 220),
    "dark scene": smooth_noise(6, 0, 40),
    "scene with a title": written(smooth_noise(7, 40, 220), "MAIN TITLE", scale=1.4),
    "dark scene with a title": written(smooth_noise(8, 0, 70), "MAIN TITLE", scale=1.4),
    "a lit window": lamp(),
    "the moon": moon(),
    "a singer in a spot": singer(),
    "sky": np.repeat(np.linspace(120, 220, 180)[:, None, None], 320, 1).astype(np.uint8) * np.ones(3, np.uint8),
    "grey": ground(128, 128, 128),
}


def small(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, (160, 90), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("name", CARDS)
def test_cards_are_told(name: str) -> None:
    assert is_card(small(CARDS[name]))


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_no_cards(name: str) -> None:
    assert not is_card(small(PICTURES[name]))


def comedy(number: int) -> np.ndarray:
    """Bright, warm, and always on the move; another shot every three seconds."""
    image = smooth_noise(100 + number // 72, 120, 255).astype(np.float32) * (1.0, 0.93, 0.7)
    return np.roll(image.astype(np.uint8), 4 * number, axis=1)


def seen(path: Path, seconds: float, picture: Picture) -> VideoFeatures:
    return analyze(films.make_film(path, round(seconds * RATE), size=SIZE, picture=picture), QUICK)


def key_of(features: VideoFeatures) -> str:
    starts = [float(second) for second in range(features.seconds)]
    rows = resample(features, starts, [start + 1 for start in starts])
    return choose_key(rows.emotion)[0].name


def test_a_trailer_s_last_card_leaves_the_comedy_a_comedy(tmp_path: Path) -> None:
    alone = seen(tmp_path / "alone.mp4", 12, comedy)
    both = seen(tmp_path / "both.mp4", 20, lambda n: comedy(n) if n < 12 * RATE else TITLE)
    assert both.card is not None and both.card.tolist() == [False] * 12 + [True] * 8
    assert both.valid.all()
    assert (both.emotion[12:] == both.emotion[11]).all() and (both.emotion_raw[12:] == both.emotion_raw[11]).all()
    assert np.abs(both.emotion[:8] - alone.emotion[:8]).max() < 0.05
    assert key_of(both) == key_of(alone)
    # What the card would have said: another film altogether.
    card = seen(tmp_path / "card.mp4", 4, lambda n: cv2.circle(ground(12, 12, 16), (160, 90), 20, (40, 40, 60), -1))
    assert EMOTIONS[int(card.emotion[-1].argmax())] in ("sad", "fearful")
    assert np.abs(both.emotion.mean(axis=0) - alone.emotion.mean(axis=0)).max() < 0.15
    assert any("12–20 s" in note and "no mood" in note for note in both.notes)
    assert all(row["card"] == (row["second"] >= 12) for row in both.to_json()["rows"])
    kept = tmp_path / "kept.npz"
    both.save(kept)
    again = VideoFeatures.load(kept)
    assert again.card is not None and (again.card == both.card).all()
    replace(both, card=None).save(kept)
    assert VideoFeatures.load(kept).card is None


def test_titles_between_scenes_and_at_the_head(tmp_path: Path) -> None:
    def picture(number: int) -> np.ndarray:
        second = number / RATE
        if second < 3:
            return CARDS["credits"]
        if 9 <= second < 12:
            return CARDS["title, black on white"]
        return comedy(number)

    found = seen(tmp_path / "titles.mp4", 18, picture)
    assert found.card is not None
    assert np.flatnonzero(found.card).tolist() == [0, 1, 2, 9, 10, 11]
    assert (found.emotion[:3, EMOTIONS.index("neutral")] == 1).all()
    assert (found.emotion[9:12] == found.emotion[8]).all()
    assert found.valid.all()  # titles are scored
    # The five seconds that are smoothed over leave the card out.
    np.testing.assert_allclose(found.emotion[12], found.emotion_raw[[8, 12]].mean(axis=0), atol=1e-6)


def test_rolling_credits_are_a_card(tmp_path: Path) -> None:
    long = written(np.zeros((900, 320, 3), np.uint8), *[f"part {n}   name {n} name" for n in range(45)], scale=0.4)

    def picture(number: int) -> np.ndarray:
        return comedy(number) if number < 6 * RATE else long[number - 6 * RATE + 100 :][:180]

    found = seen(tmp_path / "credits.mp4", 12, picture)
    assert found.card is not None and found.card.tolist() == [False] * 6 + [True] * 6


def bright_shot(number: int) -> np.ndarray:
    image = smooth_noise(100, 120, 220).astype(np.float32) * (1.0, 0.93, 0.7)
    return np.roll(image, 4 * number, axis=1)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> VideoFeatures:
    return seen(tmp_path_factory.mktemp("plain") / "plain.mp4", 16, lambda n: bright_shot(n).astype(np.uint8))


@pytest.mark.parametrize("tone", [0, 255])
def test_fades_keep_the_mood_of_their_shot(tone: int, plain: VideoFeatures, tmp_path: Path) -> None:
    """Out over 1.5 s from 6.2 s, even for a second, in again over 1.5 s."""

    def light(second: float) -> float:
        return float(np.interp(second, (6.2, 7.7, 8.9, 10.4), (1.0, 0.0, 0.0, 1.0)))

    def picture(number: int) -> np.ndarray:
        share = light(number / RATE)
        return (share * bright_shot(number) + (1 - share) * tone).astype(np.uint8)

    faded = seen(tmp_path / "faded.mp4", 16, picture)
    assert faded.colour is not None and plain.colour is not None
    assert np.abs(faded.colour[7, 0] - plain.colour[7, 0]) > 0.08  # the picture itself is reported as it is
    strongest = EMOTIONS[int(plain.emotion.mean(axis=0).argmax())]
    for row in range(4, 16):
        if row != 8:
            assert EMOTIONS[int(faded.emotion[row].argmax())] == strongest, row
    assert np.abs(faded.emotion_raw[7] - plain.emotion_raw[7]).max() < 0.25


def test_a_cut_to_black_is_no_fade_and_a_dark_shot_stays_dark(tmp_path: Path) -> None:
    dark = smooth_noise(9, 0, 60)

    def picture(number: int) -> np.ndarray:
        second = number / RATE
        if second < 5:
            return comedy(number)
        return np.roll(dark, 2 * number, axis=1) if second < 10 else ground()

    found = seen(tmp_path / "dark.mp4", 12, picture)
    alone = seen(tmp_path / "alone.mp4", 10, picture)
    np.testing.assert_allclose(found.emotion_raw[5:8], alone.emotion_raw[5:8], atol=0.1)
    assert np.abs(found.emotion_raw[9] - found.emotion_raw[2]).max() > 0.2
    assert not found.valid[10:].any()
    assert (found.emotion[10:] == found.emotion[9]).all()  # nothing to score, and no mood of its own
