"""The luma that cuts are found in is the decoder's own, at the places that OpenCV's nearest would take."""

from __future__ import annotations

import av
import cv2
import numpy as np
import pytest

from engine.video.frames import _luma_of, small_picture_size

FULL = 2


@pytest.mark.parametrize(
    "size",
    [
        *((160 * k, 90 * k) for k in (1, 2, 4, 7, 8, 12, 24, 49)),
        (640, 272),
        (1280, 544),
        (720, 576),
        (1002, 566),
        (90, 3),
    ],
)
def test_luma_is_the_nearest_pixel_whether_places_are_even_or_not(size: tuple[int, int]) -> None:
    frame = av.VideoFrame(*size, "yuv420p")
    frame.color_range = FULL
    plane = frame.planes[0]
    drawn = np.random.default_rng(1).integers(0, 256, (size[1], plane.line_size), np.uint8)
    plane.update(np.resize(drawn, plane.buffer_size).tobytes())
    small = small_picture_size(*size)
    luma = _luma_of(frame, small)
    assert luma is not None and luma.flags.c_contiguous
    assert np.array_equal(luma, cv2.resize(drawn[:, : size[0]], small, interpolation=cv2.INTER_NEAREST))
    plane.update(bytes(plane.buffer_size))
    assert luma.any()  # a copy: the decoder writes the next frame there
