"""What of the frame is not picture: matte (letterbox, pillarbox) and burnt-in text or logos, found before analysis.

Key frames spread over the film are looked at, 320 pixels wide.  A row or column at the edge that stays dark in all of
them is matte.  A place inside the picture that keeps strong edges in nearly all of them, while the pictures differ, is
an overlay: text, a running timecode, a logo.  A film whose pictures do not differ (a fixed camera) has none found.

Pixels of a `Mask` are those of the film.  Matte is cut away; overlays are filled with what lies above or below them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from engine.video.errors import VideoError
from engine.video.film import OpenFilm, open_film, packets

SAMPLES: Final = 12  # key frames looked at
_SPREAD_ORDER: Final = (6, 1, 9, 3, 11, 5, 0, 8, 2, 10, 4, 7)  # neighbours late: they look alike
LEAST_SAMPLES: Final = 5
_WIDTH: Final = 320
_HIGHEST: Final = 1280  # a damaged film may say that it is three hundred times as high as wide
LEAST_WORK: Final = {"skip_loop_filter": "all"}  # for the decoder: blocks show that nobody looks at
MATTE_LUMA: Final = 30.0  # 0..255; a matte line's brightest tenth stays below (encoded black is 16 or 0, plus noise)
LEAST_MATTE: Final = 0.02  # of height or width
MOST_MATTE: Final = 0.4  # on one side
_CELL: Final = 4  # pixels of the 320 wide picture
_LEAST_CELLS: Final = 4  # of an overlay
_JOIN: Final = np.ones((3, 5), np.uint8)  # cells so near to each other are one overlay: letters become lines
EDGE: Final = 40.0  # strength of an edge that counts
PERSISTENCE: Final = 0.9  # share of samples in which a cell of an overlay has such an edge
_MISSES: Final = int((1.0 - PERSISTENCE) * SAMPLES)  # so many samples may lack it at most
LARGEST_OVERLAY: Final = 0.12  # of the picture; more is a picture that stands still
OVERLAY_SAMPLES: Final = 8  # with fewer, a wall in the background would last as well
LEAST_DIFFERENCE: Final = 12.0  # mean difference between neighbouring samples that makes them different pictures
OVERLAY_CHANGES: Final = 4  # so often must the picture have changed


@dataclass(frozen=True, slots=True)
class Rectangle:
    """x, y: left upper corner; w, h: size; pixels of the film."""

    x: int
    y: int
    w: int
    h: int

    def __str__(self) -> str:
        return f"{self.x},{self.y},{self.w},{self.h}"


@dataclass(frozen=True, slots=True)
class Mask:
    """picture: the part that is looked at, None = all of the frame; overlays: parts of it that are not picture."""

    picture: Rectangle | None = None
    overlays: tuple[Rectangle, ...] = ()

    def note(self) -> str | None:
        """One sentence for the person, where something is masked."""
        found = []
        if self.picture is not None:
            found.append(f"the picture is {self.picture.w}x{self.picture.h} at {self.picture.x},{self.picture.y}")
        if self.overlays:
            places = "; ".join(str(overlay) for overlay in self.overlays)
            found.append(f"burnt-in text or a logo at {places} is left out")
        return f"Not all of the frame is picture: {' and '.join(found)}." if found else None


def parse_mask(text: str, width: int, height: int) -> Mask:
    """`x,y,w,h` in pixels: the part of the frame to look at.  Raises VideoError."""
    match = re.fullmatch(r"\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*", text)
    if match is None:
        raise VideoError(f"'{text}' is not a mask; write auto, none or x,y,w,h in pixels.")
    x, y, w, h = (int(part) for part in match.groups())
    if w < 1 or h < 1 or x + w > width or y + h > height:
        raise VideoError(f"mask {text} does not lie inside the {width}x{height} picture.")
    return Mask(Rectangle(x, y, w, h))


def find_mask(path: str) -> Mask:
    """Looks at key frames of a film.  A film too short or too still to tell gets no mask.  Raises VideoError."""
    opened = open_film(path)
    try:
        width, height = opened.film.width, opened.film.height
        if width < 16 or height < 16:
            return Mask()
        lively = _key_frames(opened)
    finally:
        opened.close()
    if len(lively) < LEAST_SAMPLES:
        return Mask()
    stack = np.stack(lively)  # (N, h, w) uint8
    left, top, right, bottom = _matte(stack)
    scale_x, scale_y = width / stack.shape[2], height / stack.shape[1]
    picture = matte_of(lively, width, height)
    overlays = tuple(
        Rectangle(
            round((box.x + left) * scale_x),
            round((box.y + top) * scale_y),
            max(1, round(box.w * scale_x)),
            max(1, round(box.h * scale_y)),
        )
        for box in _overlays(stack[:, top:bottom, left:right])
    )
    return Mask(picture, overlays)


def matte_of(pictures: Sequence[np.ndarray], width: int, height: int) -> Rectangle | None:
    """The picture within the matte of a film of width x height pixels, by some of its frames; None: no matte.

    pictures: (h, w) uint8, all of a size.  For whoever decodes a film anyway: a short one has few key frames.
    """
    lively = [picture for picture in pictures if float(picture.mean()) > MATTE_LUMA]
    if len(lively) < LEAST_SAMPLES:
        return None
    stack = np.stack(lively)
    left, top, right, bottom = _matte(stack)
    if (left, top, right, bottom) == (0, 0, stack.shape[2], stack.shape[1]):
        return None
    scale_x, scale_y = width / stack.shape[2], height / stack.shape[1]
    x, y = round(left * scale_x), round(top * scale_y)
    return Rectangle(x, y, round(right * scale_x) - x, round(bottom * scale_y) - y)


def _key_frames(opened: OpenFilm) -> list[np.ndarray]:
    """Grey pictures of up to SAMPLES different key frames spread evenly over the film, in its order: 320 wide, as high
    as the film's shape asks, and 1280 at most.

    Black ones tell nothing and are left out.  None are given once it is certain that no mask can come of them.
    """
    import av
    from av.video.reformatter import Interpolation, VideoReformatter

    reformatter = VideoReformatter()
    stream, length_s = opened.stream, opened.film.duration_s
    stream.thread_count = 1  # frame threads would have to be filled again after every seek
    stream.codec_context.options = {**stream.codec_context.options, **LEAST_WORK}
    height = min(max(1, round(opened.film.height * _WIDTH / max(1, opened.film.width))), _HIGHEST)
    found: dict[int, np.ndarray] = {}
    possible = _Possible()
    known: set[int] = set()  # time stamps of the packets that were decoded
    for number in _SPREAD_ORDER if length_s else ():
        at = int(((number + 0.5) / SAMPLES * length_s + opened.start_s) / stream.time_base)
        try:
            opened.container.seek(at, stream=stream)
            frame = _first_frame(opened, known)
        except (av.FFmpegError, OSError, ValueError):
            continue
        if frame is not None and frame.pts is not None:
            grey = reformatter.reformat(
                frame, _WIDTH, height, "gray", interpolation=Interpolation.FAST_BILINEAR, threads=1
            )
            picture = grey.to_ndarray()
            if float(picture.mean()) > MATTE_LUMA:
                found[frame.pts] = picture
                possible.add(picture)
                if possible.nothing:
                    return []
    return [found[pts] for pts in sorted(found)]


def _first_frame(opened: OpenFilm, known: set[int]) -> Any:
    """The first frame from here on, None where it is one that was decoded before.

    The decoder is flushed at once, or it would wait for frames to put in order.
    """
    first = True
    for packet in packets(opened.container, opened.stream):
        if packet.dts is None and packet.size == 0:
            return None  # the end
        if first and packet.pts is not None:
            if packet.pts in known:
                return None
            known.add(packet.pts)
        first = False
        frames = packet.decode() or opened.stream.codec_context.decode(None)
        if frames:
            return frames[0]
    return None


class _Possible:
    """Whether the pictures seen so far leave room for a mask, whatever follows.

    A line that was lit once is no matte, and a cell that lacked an edge in more than _MISSES of them no overlay.
    """

    def __init__(self) -> None:
        self._count = 0
        self._lit: tuple[np.ndarray, np.ndarray] | None = None
        self._strong: np.ndarray | None = None

    def add(self, picture: np.ndarray) -> None:
        """picture: (h, w) uint8, as wide and high as the others."""
        lit, strong = _lit_lines(picture[None]), _strong_cells(picture)
        if self._lit is not None and self._strong is not None:
            lit, strong = (lit[0] | self._lit[0], lit[1] | self._lit[1]), strong + self._strong
        self._count, self._lit, self._strong = self._count + 1, lit, strong

    @property
    def nothing(self) -> bool:
        """No matte and no overlay can come of it."""
        if self._count < 2 or self._lit is None or self._strong is None:
            return False
        for lines in self._lit:
            edge = math.ceil(LEAST_MATTE * len(lines))
            if not lines[:edge].any() or not lines[-edge:].any():
                return False
        return not _groups(self._strong >= self._count - _MISSES)


def _lit_lines(stack: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(h,) rows and (w,) columns that are no matte in some picture.  stack: (N, h, w)."""
    bright = stack >= MATTE_LUMA
    return bright.mean(axis=2).max(axis=0) > 0.1, bright.mean(axis=1).max(axis=0) > 0.1


def _matte(stack: np.ndarray) -> tuple[int, int, int, int]:
    """left, top, right, bottom of the picture within the frame.  stack: (N, h, w)."""
    lit_rows, lit_columns = _lit_lines(stack)

    def edge(lit: np.ndarray) -> int:
        size = len(lit)
        dark = int(lit.argmax()) if lit.any() else size
        if dark < LEAST_MATTE * size or dark > MOST_MATTE * size:
            return 0
        return dark + 1 if dark + 1 < size else dark  # the line where matte and picture mix goes too

    top, bottom = edge(lit_rows), stack.shape[1] - edge(lit_rows[::-1])
    left, right = edge(lit_columns), stack.shape[2] - edge(lit_columns[::-1])
    return left, top, right, bottom


def _strong_cells(image: np.ndarray) -> np.ndarray:
    """(h // _CELL, w // _CELL) 1 where a cell has a strong edge, else 0.  image: (h, w) uint8."""
    import cv2

    rows, columns = image.shape[0] // _CELL, image.shape[1] // _CELL
    across = cv2.convertScaleAbs(cv2.Sobel(image, cv2.CV_16S, 1, 0, ksize=3), alpha=0.25)
    down = cv2.convertScaleAbs(cv2.Sobel(image, cv2.CV_16S, 0, 1, ksize=3), alpha=0.25)
    edges = cv2.max(across, down)[: rows * _CELL, : columns * _CELL]
    lines = edges.reshape(rows, _CELL, columns * _CELL).max(axis=1)  # lines first: much faster than both axes at once
    strongest = np.maximum.reduce([lines[:, start::_CELL] for start in range(_CELL)])
    return np.asarray(strongest > EDGE, np.int64)


def _groups(lasting: np.ndarray) -> list[Rectangle]:
    """Groups of cells with lasting edges, in cells.  lasting: (rows, columns) bool."""
    import cv2

    if not lasting.any():
        return []
    count, labels, boxes, _centres = cv2.connectedComponentsWithStats(cv2.dilate(lasting.astype(np.uint8), _JOIN))
    sizes = np.bincount(labels[lasting], minlength=count)
    # One or two cells may keep an edge by chance.
    return [Rectangle(*map(int, boxes[k][:4])) for k in range(1, count) if sizes[k] >= _LEAST_CELLS]


def _overlays(stack: np.ndarray) -> list[Rectangle]:
    """Rectangles of lasting edges, in pixels of the stack.  stack: (N, h, w)."""
    import cv2

    if stack.shape[1] < 4 * _CELL or stack.shape[2] < 4 * _CELL or len(stack) < OVERLAY_SAMPLES:
        return []
    differences = [cv2.norm(a, b, cv2.NORM_L1) / a.size for a, b in pairwise(stack)]
    if sum(difference >= LEAST_DIFFERENCE for difference in differences) < OVERLAY_CHANGES:
        return []
    strong = np.sum([_strong_cells(image) for image in stack], axis=0)
    lasting = np.asarray(strong / len(stack) >= PERSISTENCE)
    if float(cv2.dilate(lasting.astype(np.uint8), _JOIN).mean()) > LARGEST_OVERLAY:
        return []
    return [Rectangle(box.x * _CELL, box.y * _CELL, box.w * _CELL, box.h * _CELL) for box in _groups(lasting)]


class MaskedPictures:
    """Applies a mask to pictures of any size.  width, height: of the film, to which the mask's pixels belong."""

    def __init__(self, mask: Mask, width: int, height: int) -> None:
        self.mask = mask
        self._size = (width, height)

    @property
    def everything(self) -> bool:
        """Whether all of the frame is picture."""
        return self.mask.picture is None and not self.mask.overlays

    def apply(self, image: np.ndarray) -> np.ndarray:
        """(h, w) or (h, w, 3) uint8 -> the picture alone, overlays filled in.  The input is not changed."""
        if self.everything:
            return image
        image = image.copy()
        for overlay in self.mask.overlays:
            _fill(image, self._scaled(overlay, image))
        if self.mask.picture is not None:
            x0, y0, x1, y1 = self._scaled(self.mask.picture, image, inward=True)
            image = np.ascontiguousarray(image[y0:y1, x0:x1])
        return image

    def _scaled(self, box: Rectangle, image: np.ndarray, inward: bool = False) -> tuple[int, int, int, int]:
        """x0, y0, x1, y1 in pixels of an image; rounded outward, or inward, but never empty."""
        height, width = image.shape[:2]
        across, down = width / self._size[0], height / self._size[1]
        low, high = (np.ceil, np.floor) if inward else (np.floor, np.ceil)
        x0, x1 = int(low(box.x * across)), int(high((box.x + box.w) * across))
        y0, y1 = int(low(box.y * down)), int(high((box.y + box.h) * down))
        x0, y0 = min(max(0, x0), width - 1), min(max(0, y0), height - 1)
        return x0, y0, max(x0 + 1, min(width, x1)), max(y0 + 1, min(height, y1))


def _fill(image: Any, box: tuple[int, int, int, int]) -> None:
    """Fills a box with the mirror of what lies above it (below it, where there is no room above)."""
    x0, y0, x1, y1 = box
    height = y1 - y0
    if y0 >= height:
        image[y0:y1, x0:x1] = image[y0 - height : y0, x0:x1][::-1]
    elif image.shape[0] - y1 >= height:
        image[y0:y1, x0:x1] = image[y1 : y1 + height, x0:x1][::-1]
    else:
        image[y0:y1, x0:x1] = image.mean(axis=(0, 1))
