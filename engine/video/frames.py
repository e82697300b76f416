"""Decodes a film once and hands out every frame, small, and one full frame per second.

Times are picture seconds.  Each frame comes as a `Picture` with a 160 pixel wide copy of its luma, read from the
decoder's own plane; a BGR copy of the same width is made by swscale where somebody asks for it, which costs three times
as much (256, 192 and 160 find the same cuts in the test films; 160 costs half of 256).  The first
frame from half a frame before second k to a quarter of a second after it is row k's frame: only for it, and for the one
before it, is more of the picture converted.  Where there is none, the frame before stands.
A damaged film is read as far as it can be; what was wrong is in `notes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import numpy as np

from engine.video.film import MAX_FILM_S, MAX_PIXELS, OpenFilm, packets
from engine.video.mask import Mask, MaskedPictures
from engine.video.motion import StripMotion, in_strips, mean_abs_difference

SMALL_WIDTH: Final = 160  # pixels
MAX_GAP_S: Final = 600.0  # a hole this long between two frames is a broken time stamp
_ONE_THREAD_PIXELS: Final = 640 * 360  # smaller pictures are decoded faster than threads hand them over
_MAX_HALF_FRAME_S: Final = 0.05
_LATEST_S: Final = 0.25  # a frame this much after a second still counts as that second's
# Formats whose first plane is luma of 8 bits.
_LUMA_FIRST: Final = frozenset(
    ("yuv420p", "yuv422p", "yuv444p", "yuvj420p", "yuvj422p", "yuvj444p", "yuva420p", "nv12", "nv16")
)
_FULL_RANGE: Final = 2  # ffmpeg's AVCOL_RANGE_JPEG: black is 0, white 255; else 16 and 235
_TO_FULL_RANGE: Final = np.clip((np.arange(256) - 16) * (255.0 / 219.0) + 0.5, 0, 255).astype(np.uint8)
_LEAP_S: Final = 1.0  # a frame this much after the one before is believed when the next one follows it
_MAX_BAD_PACKETS: Final = 20_000  # in a row


class Picture:
    """One decoded frame.

    index: 0, 1, 2…; time_s: when it appears.
    row: the second k whose frame this is, else None; held_rows: seconds before it in which no frame began, through
        which the frame before stood (before the first frame: this one).
    motion: for a row's frame, the mean absolute RGB difference to the frame before it, 0..255.
    full: for a row's frame, (H, W, 3) uint8 RGB, upright, where asked for; else None.  held_full: so, the frame that
        stood through held_rows.
    """

    __slots__ = ("_luma", "_make_small", "_small", "full", "held_full", "held_rows", "index", "motion", "row", "time_s")

    def __init__(self, index: int, time_s: float, small: np.ndarray | None = None) -> None:
        self.index, self.time_s = index, time_s
        self.row: int | None = None
        self.held_rows: tuple[int, ...] = ()
        self.motion = 0.0
        self.full: np.ndarray | None = None
        self.held_full: np.ndarray | None = None
        self._small = small
        self._luma: np.ndarray | None = None
        self._make_small: Callable[[], np.ndarray] | None = None

    @classmethod
    def unmade(cls, index: int, time_s: float, luma: np.ndarray, make_small: Callable[[], np.ndarray]) -> Picture:
        """One whose small colours are made when they are asked for; it holds the decoder's frame until then."""
        picture = cls(index, time_s)
        picture._luma, picture._make_small = luma, make_small
        return picture

    def with_luma(self, luma: np.ndarray) -> Picture:
        """This picture, with the luma of the decoder's plane in place of that of its colours."""
        self._luma = luma
        return self

    @property
    def small(self) -> np.ndarray:
        """(h, w, 3) uint8 BGR, 160 wide or less."""
        if self._small is None:
            assert self._make_small is not None
            self._small, self._make_small = self._make_small(), None
        return self._small

    @property
    def luma(self) -> np.ndarray:
        """(h, w) uint8, black is 0 and white 255; as wide and high as `small`."""
        if self._luma is None:
            import cv2

            self._luma = np.asarray(cv2.cvtColor(self.small, cv2.COLOR_BGR2GRAY), np.uint8)
        return self._luma


class FrameReader:
    """Iterates over the pictures of an open film, in time order.

    After the iteration: duration_s is the length of what was read, notes() what was wrong.
    """

    def __init__(
        self,
        opened: OpenFilm,
        *,
        threads: int = 0,
        max_s: float | None = None,
        want_full: bool = False,
        mask: Mask | None = None,
    ) -> None:
        self.film = opened.film
        self.frames = 0
        self.damaged = 0  # packets that could not be decoded
        self.repaired_times = 0
        self.unplaced = 0  # frames without a usable time stamp behind the end that is promised
        from av.video.reformatter import VideoReformatter

        # Of one thread each: to wake others costs more than the work.
        self._convert, self._shrink, self._strips = VideoReformatter(), VideoReformatter(), StripMotion()
        self._converts: set[tuple[object, ...]] = set()  # kinds of frame that were converted
        self._opened = opened
        self._threads = threads
        self._max_s = max_s if max_s is not None else MAX_FILM_S
        self._want_full = want_full
        self._masked = MaskedPictures(mask or Mask(), opened.film.width, opened.film.height)
        self._frame_s = float(1 / opened.film.rate.fps)
        self._last: tuple[Any, float] | None = None  # the av frame that was read last, and its time

    @property
    def duration_s(self) -> float:
        """Picture second at which the last frame that was read ends; 0 before the first."""
        return 0.0 if self._last is None else self._last[1] + self._length_of(self._last[0])

    def __iter__(self) -> Iterator[Picture]:
        half_frame_s = min(0.5 * self._frame_s, _MAX_HALF_FRAME_S)
        small_size: tuple[int, int] | None = None
        before: Any = None  # the av frame before this one
        next_row = 0
        for frame, time_s in self._timed():
            if small_size is None:
                small_size = small_picture_size(frame.width, frame.height)
            if time_s >= self._max_s:
                break
            made = self._picture(frame, time_s, small_size)
            if made is None:
                continue
            picture = made
            held = []
            # A frame well after its second is not what is seen there: the one before still stands.
            while time_s >= next_row + 1 - half_frame_s or time_s > next_row + _LATEST_S:
                held.append(next_row)
                next_row += 1
            picture.held_rows = tuple(held)
            if held and self._want_full:
                picture.held_full = upright(self._full(before or frame), before or frame)
            if time_s >= next_row - half_frame_s:
                picture.row = next_row
                next_row += 1
                if before is not None and (before.width, before.height) == (frame.width, frame.height):
                    picture.motion = self._motion(frame, before)
                if self._want_full:
                    picture.full = upright(self._full(frame), frame)
            before = frame
            self._last = frame, time_s
            self.frames += 1
            yield picture

    def _picture(self, frame: Any, time_s: float, size: tuple[int, int]) -> Picture | None:
        """A frame with its small copy; None of one that cannot be converted."""
        import av

        kind = _kind(frame)
        luma = _luma_of(frame, size) if kind in self._converts else None
        if luma is not None:
            small = partial(self._small, frame, size)
            return Picture.unmade(self.frames, time_s, self._masked.apply(luma), small)
        try:
            picture = Picture(self.frames, time_s, self._small(frame, size))
        except (av.FFmpegError, ValueError):  # damage can give a picture colours that nobody can convert
            return None
        self._converts.add(kind)
        luma = _luma_of(frame, size)  # of the first frame as of those that follow
        return picture if luma is None else picture.with_luma(self._masked.apply(luma))

    def _small(self, frame: Any, size: tuple[int, int]) -> np.ndarray:
        """(h, w, 3) uint8 BGR, what the mask leaves of it."""
        from av.video.reformatter import Interpolation

        small = self._shrink.reformat(
            frame, size[0], size[1], "bgr24", interpolation=Interpolation.FAST_BILINEAR, threads=1
        )
        return self._masked.apply(small.to_ndarray())

    def last_full(self) -> np.ndarray | None:
        """The last frame that was read, (H, W, 3) uint8 RGB, upright."""
        return None if self._last is None else upright(self._full(self._last[0]), self._last[0])

    def _full(self, frame: Any) -> np.ndarray:
        """(H, W, 3) uint8 RGB, what the mask leaves of it."""
        return self._masked.apply(self._convert.reformat(frame, format="rgb24", threads=1).to_ndarray())

    def _motion(self, frame: Any, before: Any) -> float:
        """Between two frames of the same size, 0..255."""
        if self._masked.everything and in_strips(frame) and in_strips(before) and _kind(frame) == _kind(before):
            return self._strips.between(frame, before)
        return mean_abs_difference(self._full(frame), self._full(before))

    def notes(self) -> tuple[str, ...]:
        """What was wrong with the file, one sentence each."""
        found = []
        promised = min(self.film.duration_s, self._max_s)
        if promised and self.duration_s < promised - max(1.0, 4 * self._frame_s):
            found.append(
                f"The file promises {promised:.1f} s of picture, but only {self.duration_s:.1f} s could be read; "
                "those are used."
            )
        if self.damaged:
            found.append(f"The file is damaged: {self.damaged} pieces of it could not be decoded and were left out.")
        if self.repaired_times:
            found.append(f"{_frames(self.repaired_times)} had no usable time stamp; the frame rate places them.")
        if self.unplaced:
            found.append(f"{_frames(self.unplaced)} without a usable time stamp lay behind the film's end.")
        return tuple(found)

    def _decoded(self) -> Iterator[Any]:
        """Decoded frames; errors inside the file are counted, not raised."""
        import av

        stream = self._opened.stream
        stream.thread_type = "AUTO"
        small = self.film.width * self.film.height <= _ONE_THREAD_PIXELS
        stream.thread_count = self._threads or (1 if small else 0)
        bad_in_a_row = 0
        coming = packets(self._opened.container, stream)
        while True:
            try:
                packet = next(coming)
            except StopIteration:
                return
            except (av.FFmpegError, OSError, ValueError):
                self.damaged += 1
                bad_in_a_row += 1
                if bad_in_a_row > 100:
                    return
                coming = packets(self._opened.container, stream)
                continue
            try:
                frames = packet.decode()
            except (av.FFmpegError, OSError, ValueError, MemoryError):
                if packet.dts is None and packet.size == 0:
                    return  # the flush at the end failed; there is nothing behind it
                self.damaged += 1
                bad_in_a_row += 1
                if bad_in_a_row > _MAX_BAD_PACKETS:
                    return
                continue
            for frame in frames:
                if 0 < frame.width * frame.height <= MAX_PIXELS:
                    bad_in_a_row = 0
                    yield frame

    def _timed(self) -> Iterator[tuple[Any, float]]:
        """Decoded frames with their picture seconds, which always grow."""
        last_s = -1.0
        doubtful: tuple[Any, float] | None = None  # a frame that leaps ahead, until the next one says whether rightly
        for frame in self._decoded():
            if doubtful is not None:
                (leapt, leapt_s), doubtful = doubtful, None
                own_s = self._stamp_s(frame)
                if own_s is not None and last_s < own_s <= leapt_s:
                    self.repaired_times += 1
                    leapt_s = min(last_s + self._frame_s, 0.5 * (last_s + own_s))
                last_s = leapt_s
                yield leapt, leapt_s
            time_s = self._time_of(frame, last_s)
            if time_s is None:
                self.unplaced += 1
            elif last_s >= 0 and time_s > last_s + _LEAP_S:
                doubtful = frame, time_s
            else:
                last_s = time_s
                yield frame, time_s
        if doubtful is not None:
            yield doubtful

    def _stamp_s(self, frame: Any) -> float | None:
        """Picture second that a frame's own time stamp says."""
        try:
            time_s = frame.time  # pts and time base without a Fraction made for each frame
        except ZeroDivisionError:
            return None
        return None if time_s is None else float(time_s - self._opened.start_s)

    def _time_of(self, frame: Any, last_s: float) -> float | None:
        """Picture second of a frame; a missing, repeated or impossible time stamp becomes last + one frame.

        None where that would lie behind the end that the container promises.
        """
        expected_s = 0.0 if last_s < 0 else last_s + self._frame_s
        time_s = self._stamp_s(frame)
        if last_s < 0:
            # A first frame just before or after second 0 (edit lists, B-frames) is second 0.
            return time_s if time_s is not None and 0.25 < time_s <= self._longest_s(0.0) else 0.0
        if time_s is None or time_s <= last_s or time_s > self._longest_s(last_s):
            if self.film.duration_s and expected_s > self.film.duration_s + 1.0:
                return None
            self.repaired_times += 1
            return expected_s
        return time_s

    def _longest_s(self, last_s: float) -> float:
        """The latest believable time of the frame after last_s."""
        promised = self.film.duration_s
        gap_s = last_s + MAX_GAP_S
        return min(promised + 5.0, gap_s) if promised else gap_s

    def _length_of(self, frame: Any) -> float:
        """How long a frame stays on screen, seconds."""
        base = frame.time_base
        if frame.duration and base:
            length = frame.duration * base.numerator / base.denominator
            if 0 < length <= MAX_GAP_S:
                return length
        return self._frame_s


def _kind(frame: Any) -> tuple[object, ...]:
    """What decides how a frame is converted."""
    return frame.format.name, frame.width, frame.height, frame.colorspace, frame.color_range


def _frames(count: int) -> str:
    return "1 frame" if count == 1 else f"{count} frames"


def small_picture_size(width: int, height: int) -> tuple[int, int]:
    """(width, height) of the small copy: 160 wide or the picture's own size, at least 1 high."""
    if width <= SMALL_WIDTH:
        return width, height
    return SMALL_WIDTH, max(1, min(4 * SMALL_WIDTH, round(height * SMALL_WIDTH / width)))


def _luma_of(frame: Any, size: tuple[int, int]) -> np.ndarray | None:
    """(h, w) uint8, 0 black to 255 white, the pixel nearest to each place, as anything better costs more than the rest.

    size: (w, h).  None of a frame whose format does not begin with a plane of it.
    """
    name = frame.format.name
    if name not in _LUMA_FIRST:
        return None
    import cv2

    plane = frame.planes[0]
    line = plane.line_size
    if line < frame.width:  # stored from the last line up
        return None
    lines = np.frombuffer(plane, np.uint8, count=line * frame.height).reshape(frame.height, line)
    across, down = frame.width // size[0], frame.height // size[1]
    if (across * size[0], down * size[1]) == (frame.width, frame.height):
        luma: Any = lines[::down, : frame.width : across].copy()  # the very pixels that a resize takes
    else:
        luma = cv2.resize(lines[:, : frame.width], size, interpolation=cv2.INTER_NEAREST)
    if not (name.startswith("yuvj") or frame.color_range == _FULL_RANGE):
        luma = cv2.LUT(luma, _TO_FULL_RANGE)
    return np.asarray(luma, np.uint8)


def upright(image: np.ndarray, frame: Any) -> np.ndarray:
    """The picture as the file's rotation flag wants it shown.  image: (H, W, 3)."""
    turns = round(getattr(frame, "rotation", 0) / 90) % 4
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image
