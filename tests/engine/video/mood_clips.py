"""Twelve made clips with the mood that a person would expect of each; used by the test and by the picture in the docs.

python tests/engine/video/mood_clips.py OUT.png      (contact sheet with what the quick reading says)
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

FPS = 24
SECONDS = 12
W, H = 160, 90
Frame = Callable[[int], np.ndarray]


@dataclass(frozen=True, slots=True)
class Clip:
    """frame(n): (90, 160, 3) uint8 RGB.  expected: classes a person would take for it, any of them is right."""

    name: str
    frame: Frame
    expected: tuple[str, ...]


def _texture(seed: int, colour: tuple[float, float, float], contrast: float) -> np.ndarray:
    """(90, 320, 3) float: soft shapes of one colour, twice as wide as the picture."""
    dice = np.random.default_rng(seed)
    shape = np.zeros((H, 2 * W))
    for size, strength in ((3, 1.0), (9, 0.6), (27, 0.3)):
        shape += strength * cv2.resize(
            dice.standard_normal((size, 4 * size)), (2 * W, H), interpolation=cv2.INTER_CUBIC
        )
    return np.clip(np.array(colour) * (1 + contrast * shape[..., None] / 2), 0, 255)


def _sky(top: tuple[int, int, int], bottom: tuple[int, int, int]) -> np.ndarray:
    share = np.linspace(0, 1, H)[:, None, None]
    return np.broadcast_to((1 - share) * np.array(top) + share * np.array(bottom), (H, W, 3))


def _byte(image: np.ndarray) -> np.ndarray:
    return np.clip(image, 0, 255).astype(np.uint8)


def _still(image: np.ndarray, noise: float = 1.0) -> Frame:
    def frame(number: int) -> np.ndarray:
        return _byte(image + np.random.default_rng(number).normal(0, noise, (H, W, 3)))

    return frame


def _pan(texture: np.ndarray, pixels_per_s: float) -> Frame:
    return lambda number: _byte(np.roll(texture, -int(number * pixels_per_s / FPS), axis=1)[:, :W])


def _shots(frames: list[Frame], shot_s: float) -> Frame:
    return lambda number: frames[int(number / FPS / shot_s) % len(frames)](number)


def _crowd(people: int, seed: int, back: tuple[int, int, int], light: float) -> Frame:
    dice = np.random.default_rng(seed)
    place, speed = dice.uniform(0, 1, (people, 2)) * (W, H), dice.uniform(-70, 70, (people, 2))
    colour = dice.uniform(40, 255, (people, 3)) * light

    def frame(number: int) -> np.ndarray:
        image = np.empty((H, W, 3), np.uint8)
        image[:] = back
        for (x, y), tint in zip((place + speed * number / FPS) % (W, H), colour, strict=True):
            cv2.ellipse(image, (int(x), int(y)), (5, 10), 0, 0, 360, tuple(float(v) for v in tint), -1)
        return image

    return frame


def _flicker(number: int) -> np.ndarray:
    lit = (number // 2) % 2 == 0
    return _byte(_texture(3, (120, 120, 130) if lit else (6, 6, 8), 0.5)[:, :W])


def _storm(number: int) -> np.ndarray:
    dice = np.random.default_rng(number)
    image = np.roll(_texture(4, (38, 42, 52), 0.6), -4 * number, axis=1)[:, :W].copy()
    for _ in range(120):
        x, y = dice.integers(0, W), dice.integers(0, H)
        cv2.line(image, (int(x), int(y)), (int(x) - 4, int(y) + 12), (95, 100, 110), 1)
    return _byte(image + (120 if number % 37 in (0, 1, 3) else 0))


def _sunset(number: int) -> np.ndarray:
    image = _sky((150, 70, 60), (250, 170, 70)).copy()
    cv2.circle(image, (80, 50 + number // 60), 14, (255, 225, 150), -1)
    image[72:] = image[72:] * 0.45
    return _byte(image)


def _fast() -> Frame:
    colours = ((5, (240, 170, 60)), (6, (250, 90, 90)), (7, (90, 200, 250)))
    return _shots([_pan(_texture(seed, colour, 0.5), 160) for seed, colour in colours], 1.0)


def _chase() -> Frame:
    speeds = ((10, 170), (11, -190), (12, 150))
    return _shots([_pan(_texture(seed, (42, 40, 46), 0.8), speed) for seed, speed in speeds], 0.8)


def _meadow() -> Frame:
    grass = _texture(8, (120, 190, 60), 0.25)[:45, :W]
    return _still(np.vstack([_sky((120, 190, 250), (210, 230, 250))[:45], grass]))


CLIPS = (
    Clip("dark and still", _still(_texture(1, (16, 18, 26), 0.5)[:, :W]), ("sad",)),
    Clip("bright and fast", _fast(), ("exciting",)),
    Clip("flicker", _flicker, ("tense", "fearful")),
    Clip("sunset", _sunset, ("relaxing",)),
    Clip("storm", _storm, ("fearful", "tense")),
    Clip("crowd in the sun", _crowd(90, 1, (200, 180, 130), 1.0), ("exciting",)),
    Clip("crowd at night", _crowd(90, 2, (14, 14, 20), 0.35), ("fearful", "tense")),
    Clip("sunny meadow", _meadow(), ("relaxing",)),
    Clip("fog", _still(_texture(9, (95, 97, 100), 0.1)[:, :W]), ("sad", "neutral")),
    Clip("dark chase", _chase(), ("fearful", "tense")),
    Clip("snow", _still(_sky((215, 228, 245), (245, 248, 252))), ("relaxing", "neutral")),
    Clip("slow walk at dusk", _pan(_texture(13, (58, 54, 72), 0.5), 6), ("sad", "tense")),
)


def film_of(clip: Clip, path: Path) -> Path:
    import films

    return films.make_film(path, FPS * SECONDS, size=(W, H), rate=FPS, picture=clip.frame)


def main(target: Path) -> None:
    """Writes the contact sheet."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from engine.video import EMOTIONS, AnalysisOptions, analyze
    from engine.video.plot import COLOURS

    figure = Figure(figsize=(12, 8), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(6, 4, gridspec_kw={"height_ratios": [2, 1] * 3}).reshape(3, 2, 4)
    with tempfile.TemporaryDirectory() as folder:
        for number, clip in enumerate(CLIPS):
            picture, bar = axes[number // 4, 0, number % 4], axes[number // 4, 1, number % 4]
            features = analyze(film_of(clip, Path(folder) / f"{number}.mp4"), AnalysisOptions(reading="quick"))
            mood = features.emotion[4:].mean(axis=0)
            picture.imshow(np.hstack([clip.frame(100), clip.frame(106)]))
            picture.set_title(f"{clip.name}\nexpected: {' or '.join(clip.expected)}", fontsize=9)
            picture.axis("off")
            bar.bar(EMOTIONS, mood, color=[COLOURS[name] for name in EMOTIONS])
            bar.set_ylim(0, 1)
            bar.tick_params(axis="x", labelsize=6)
            bar.tick_params(axis="y", labelsize=6)
    figure.savefig(target, dpi=70)


if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[each]) for each in (3, 2)]
    main(Path(sys.argv[1]))
