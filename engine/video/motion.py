"""Motion between two frames: the mean absolute difference of their colours (the paper's section 3.2.4).

Pictures are converted strip by strip into memory that is used again: two whole pictures and their arrays are new pages
each time, which costs more than the arithmetic.  A strip has the very numbers that the whole picture has there, as long
as a colour sample serves the same two lines by two pixels in both.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

STRIP_PIXELS: Final = 1 << 17  # of a strip at most; smaller ones cost more calls, larger ones new pages
_HALVED: Final = frozenset(("yuv420p", "yuvj420p"))  # 8 bits, a colour sample for two lines by two pixels


def mean_abs_difference(a: np.ndarray, b: np.ndarray) -> float:
    """Mean over pixels and channels of |a - b|, 0..255; a, b: (H, W) or (H, W, 3) uint8."""
    import cv2

    return float(cv2.norm(a, b, cv2.NORM_L1)) / a.size


def in_strips(frame: Any) -> bool:
    """Whether a frame (PyAV's) may be converted strip by strip; those of an odd size or with two fields may not."""
    if frame.format.name not in _HALVED or frame.interlaced_frame or frame.width % 2 or frame.height % 2:
        return False
    return all(plane.line_size >= plane.width for plane in frame.planes)  # else stored from the last line up


class StripMotion:
    """Measures motion between frames of which `in_strips` is true."""

    def __init__(self) -> None:
        from av.video.reformatter import VideoReformatter

        self._convert = VideoReformatter()
        self._made: dict[tuple[object, ...], tuple[Any, list[np.ndarray]]] = {}  # a strip and its planes, by kind
        self._held = np.empty(0, np.uint8)

    def between(self, a: Any, b: Any) -> float:
        """Mean absolute RGB difference, 0..255, of two frames of the same size and format."""
        import cv2

        width, height = a.width, a.height
        strips = -(-width * height // STRIP_PIXELS)
        lines = -(-height // (2 * strips)) * 2  # alike, as the converter is made anew for another height
        if self._held.size < lines * 3 * width:
            self._held = np.empty(lines * 3 * width, np.uint8)
        total = 0.0
        for top in range(0, height, lines):
            count = min(lines, height - top)
            # One converted strip at a time: two of them that are let go together go back to the system.
            first = self._held[: count * 3 * width].reshape(count, 3 * width)
            first[:] = self._strip(a, top, count)
            total += cv2.norm(first, self._strip(b, top, count), cv2.NORM_L1)
        return total / (3 * width * height)

    def _strip(self, frame: Any, top: int, count: int) -> np.ndarray:
        """(count, 3 width) uint8: red, green, blue of some lines of a frame."""
        width = frame.width
        strip, planes = self._room(frame.format.name, width, count)
        strip.colorspace, strip.color_range = frame.colorspace, frame.color_range
        for number, (target, plane) in enumerate(zip(planes, frame.planes, strict=True)):
            first, rows = (top // 2, count // 2) if number else (top, count)
            target[:] = _lines(plane)[first : first + rows, : target.shape[1]]
        made = self._convert.reformat(strip, format="rgb24", threads=1)
        return _lines(made.planes[0])[:, : 3 * width]

    def _room(self, name: str, width: int, count: int) -> tuple[Any, list[np.ndarray]]:
        """A frame of that kind, and its planes to write to."""
        kind = name, width, count
        if kind not in self._made:
            import av

            if len(self._made) > 3:  # a film that changes its size again and again
                self._made.clear()
            strip = av.VideoFrame(width, count, name)
            planes = [
                _lines(plane)[: count // (1 + bool(number)), : width // (1 + bool(number))]
                for number, plane in enumerate(strip.planes)
            ]
            self._made[kind] = strip, planes
        return self._made[kind]


def _lines(plane: Any) -> np.ndarray:
    """(h, line size) uint8: a plane as it lies in memory."""
    return np.frombuffer(plane, np.uint8, count=plane.line_size * plane.height).reshape(plane.height, plane.line_size)
