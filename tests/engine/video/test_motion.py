"""Motion in strips is motion over whole pictures, to the last digit; what cannot be cut in strips is told apart."""

from __future__ import annotations

from itertools import product
from typing import Any

import av
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter

from engine.video.motion import STRIP_PIXELS, StripMotion, in_strips, mean_abs_difference

ITU709, ITU601 = 1, 5
LIMITED, FULL = 1, 2


def noise(name: str, width: int, height: int, seed: int) -> Any:
    """A frame whose every sample is drawn."""
    frame = av.VideoFrame(width, height, name)
    dice = np.random.default_rng(seed)
    for plane in frame.planes:
        plane.update(dice.integers(0, 256, plane.buffer_size, np.uint8).tobytes())
    return frame


def whole(a: Any, b: Any) -> float:
    convert = VideoReformatter()
    first, second = (convert.reformat(frame, format="rgb24", threads=1).to_ndarray() for frame in (a, b))
    return mean_abs_difference(first, second)


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (640, 360), (34, 2), (1002, 566), (STRIP_PIXELS + 2, 6)])
@pytest.mark.parametrize(("name", "space", "span"), [*product(["yuv420p"], [ITU709, ITU601, 2], [LIMITED, FULL, 0])])
def test_strips_add_up_to_the_whole_picture(size: tuple[int, int], name: str, space: int, span: int) -> None:
    a, b = (noise(name, *size, seed) for seed in (1, 2))
    for frame in (a, b):
        frame.colorspace, frame.color_range = space, span
    assert in_strips(a)
    found = StripMotion().between(a, b)
    assert found == pytest.approx(whole(a, b), abs=1e-9) and found > 20


def test_colours_of_the_old_full_range_format_are_its_own() -> None:
    a, b = (noise("yuvj420p", 320, 180, seed) for seed in (3, 4))
    assert in_strips(a) and StripMotion().between(a, b) == pytest.approx(whole(a, b), abs=1e-9)


def test_one_meter_measures_sizes_in_turn() -> None:
    meter = StripMotion()
    for size in [(64, 36), (128, 72), (64, 36), (32, 18), (16, 10), (8, 8), (64, 36)]:
        a, b = (noise("yuv420p", *size, seed) for seed in (5, 6))
        assert meter.between(a, b) == pytest.approx(whole(a, b), abs=1e-9)
        assert meter.between(a, a) == 0.0


@pytest.mark.parametrize("name", ["yuv422p", "yuv444p", "yuv420p10le", "rgb24", "nv12", "gray", "yuva420p"])
def test_other_formats_are_measured_whole(name: str) -> None:
    assert not in_strips(av.VideoFrame(64, 36, name))


@pytest.mark.parametrize("size", [(63, 36), (64, 35)])
def test_odd_sizes_are_measured_whole(size: tuple[int, int]) -> None:
    assert not in_strips(av.VideoFrame(*size, "yuv420p"))
