"""Makes small films for tests: any codec, size, rate, time stamps; each frame shows its own number as 12 bars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

BITS = 12


def numbered(number: int, width: int = 192, height: int = 108) -> np.ndarray:
    """(height, width, 3) uint8 RGB: the number in binary, white and black bars, highest bit left."""
    image = np.zeros((height, width, 3), np.uint8)
    for bit in range(BITS):
        if number >> (BITS - 1 - bit) & 1:
            image[:, bit * width // BITS : (bit + 1) * width // BITS] = 255
    return image


def number_shown(image: np.ndarray) -> int:
    """Reads `numbered` back from any size of picture."""
    height, width = image.shape[:2]
    number = 0
    for bit in range(BITS):
        middle = (2 * bit + 1) * width // (2 * BITS)
        number = 2 * number + int(image[height // 4 : 3 * height // 4, middle].mean() > 127)
    return number


def make_film(
    path: Path,
    frames: int,
    *,
    rate: Fraction | int = 24,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    size: tuple[int, int] = (192, 108),
    picture: Callable[[int], np.ndarray] | None = None,
    ticks: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    options: dict[str, str] | None = None,
    prepare: Callable[[object], None] | None = None,
) -> Path:
    """Encodes a film.  picture(n): (h, w, 3) uint8 RGB of frame n.  ticks: times in time_base, else even.

    options: of the encoder; x264 is asked for little work where none are given.
    """
    if options is None and codec == "libx264":
        options = {"preset": "veryfast"}
    picture = picture or (lambda number: numbered(number, *size))
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.width, stream.height = size
        stream.pix_fmt = pixels
        if time_base is not None:
            stream.codec_context.time_base = time_base
            stream.time_base = time_base
        if prepare is not None:
            prepare(stream)
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
            frame.time_base = time_base or 1 / Fraction(rate)
            frame.pts = ticks[number] if ticks is not None else number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
