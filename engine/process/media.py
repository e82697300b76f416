"""A process that reads a film for the page: thumbnails, an overview of its sound, and the sound itself in blocks.

Decoders crash on bad files, so this is a process of its own; who asked starts it again.  What is needed soonest is done
first: sound, then the thumbnails asked for last, then the overview.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing
from multiprocessing.connection import Connection
from typing import Any, Final, Protocol

import numpy as np

from engine.process.messages import (
    PEAKS_HZ,
    SOUND_BLOCK,
    SOUND_RATE,
    THUMBNAIL_HEIGHT,
    THUMBNAIL_STEPS_S,
    THUMBNAILS,
    FromMedia,
    MediaOpened,
    OpenMedia,
    PeaksMade,
    Quit,
    SoundBlock,
    SoundWanted,
    ThumbnailsMade,
    ThumbnailsWanted,
    ToMedia,
)
from engine.process.priorities import lower
from engine.sound.film_sound import FilmSound
from engine.sound.stream import packed
from engine.video.browsers import cannot_play
from engine.video.errors import VideoError
from engine.video.film import OpenFilm, open_film, packets

_NICENESS: Final = 12
FILM: Final = "film"
_MOST_WAITING: Final = 64  # tiles; older ones are nobody's any more


class Thumbnails:
    """Small pictures of a film.  width: of each, so that the film keeps its shape."""

    def __init__(self, path: str) -> None:
        self._film: OpenFilm = open_film(path)
        self._film.stream.thread_type = "AUTO"
        shape = self._film.film.width / max(self._film.film.height, 1)
        self.width = min(max(round(THUMBNAIL_HEIGHT * shape / 2) * 2, 16), 256)

    def close(self) -> None:
        self._film.close()

    def tile(self, level: int, number: int, duration_s: float) -> bytes:
        """JPEG; empty where the film has no such second."""
        step_s = THUMBNAIL_STEPS_S[level]
        first_s = number * THUMBNAILS * step_s
        if first_s >= duration_s:
            return b""
        strip = np.zeros((THUMBNAIL_HEIGHT, THUMBNAILS * self.width, 3), np.uint8)
        wanted = [first_s + place * step_s for place in range(THUMBNAILS)]
        wanted = [each for each in wanted if each < duration_s]
        pictures = self._in_row(wanted) if level == 0 else (self._near(each) for each in wanted)
        for place, picture in enumerate(pictures):
            if picture is not None:
                strip[:, place * self.width : (place + 1) * self.width] = picture
        return jpeg(strip)

    def _in_row(self, wanted: list[float]) -> Iterator[np.ndarray | None]:
        """The frame that is seen at each of these picture seconds."""
        frames = self._frames_from(wanted[0])
        shown: Any = None
        coming = next(frames, None)
        for at_s in wanted:
            while coming is not None and self._place(coming) <= at_s + 1e-3:
                shown, coming = coming, next(frames, None)
            yield self._small(shown if shown is not None else coming)

    def _near(self, at_s: float) -> np.ndarray | None:
        """The first frame that can be had near a picture second: for tiles that show minutes."""
        return self._small(next(self._frames_from(at_s), None))

    def _frames_from(self, at_s: float) -> Iterator[Any]:
        import av

        stream, container = self._film.stream, self._film.container
        try:
            container.seek(round((at_s + self._film.start_s) / stream.time_base), stream=stream, backward=True)
        except (av.FFmpegError, OSError):
            return
        for packet in packets(container, stream):
            try:
                frames = packet.decode()
            except (av.FFmpegError, ValueError):
                continue  # a damaged packet: the frame before stands on
            yield from (frame for frame in frames if frame.pts is not None)

    def _place(self, frame: Any) -> float:
        return float(frame.pts * self._film.stream.time_base) - self._film.start_s

    def _small(self, frame: Any) -> np.ndarray | None:
        return None if frame is None else frame.reformat(self.width, THUMBNAIL_HEIGHT, "rgb24").to_ndarray()


def jpeg(pixels: np.ndarray) -> bytes:
    """pixels: (height, width, 3) uint8 RGB, both even."""
    from fractions import Fraction

    import av

    codec: Any = av.CodecContext.create("mjpeg", "w")
    codec.width, codec.height, codec.pix_fmt = pixels.shape[1], pixels.shape[0], "yuvj420p"
    codec.time_base, codec.qmin, codec.qmax = Fraction(1, 25), 4, 4
    frame: Any = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24").reformat(format="yuvj420p")
    frame.pts = 0
    return b"".join(bytes(packet) for packet in (*codec.encode(frame), *codec.encode(None)))


class _Seekable(Protocol):
    def read(self, count: int) -> np.ndarray: ...


def peaks(sound: _Seekable, duration_s: float) -> Iterator[bytes]:
    """Pairs of bytes, peak and RMS, half a second at a time; see PeaksMade."""
    span = SOUND_RATE // PEAKS_HZ
    left = math.ceil(duration_s * PEAKS_HZ)
    while left > 0:
        count = min(left, SOUND_BLOCK // span)
        block = sound.read(count * span).reshape(2, count, span)
        peak = np.abs(block).max(axis=(0, 2))
        rms = np.sqrt(np.square(block).mean(axis=(0, 2)))
        pairs = np.clip(np.rint(np.stack((peak, rms), axis=1) * 255), 0, 255).astype(np.uint8)
        left -= count
        yield pairs.tobytes()


class MediaServer:
    """Requests in, answers out; no pipe.  `step` does the most urgent piece of work."""

    def __init__(self) -> None:
        self._number = -1
        self._path = ""
        self._duration_s = 0.0
        self._thumbnails: Thumbnails | None = None
        self._sound: FilmSound | None = None
        self._sound_at = 0  # block
        self._blocks: range = range(0)
        self._tiles: list[ThumbnailsWanted] = []
        self._peaks: Iterator[bytes] | None = None
        self._peaks_made: list[bytes] = []
        self._overview: FilmSound | None = None
        self._facts: MediaOpened | None = None

    @property
    def idle(self) -> bool:
        return not (self._blocks or self._tiles or self._peaks or self._facts)

    def take(self, message: ToMedia) -> None:
        match message:
            case OpenMedia():
                self._open(message)
            case SoundWanted() if message.revision == self._number and self._sound is not None:
                last = math.ceil(self._duration_s * SOUND_RATE / SOUND_BLOCK)
                self._blocks = range(max(message.first, 0), min(message.first + message.count, last))
            case ThumbnailsWanted() if message.number == self._number:
                self._tiles = [*self._tiles[-_MOST_WAITING:], message]

    def step(self) -> FromMedia | None:
        """An answer; None where the piece of work gave none.  Not to be called when idle."""
        if self._facts is not None:
            facts, self._facts = self._facts, None
            return facts
        if self._blocks:
            index, self._blocks = self._blocks[0], self._blocks[1:]
            return self._block(index)
        if self._tiles:
            return self._tile(self._tiles.pop())
        return self._overview_step()

    def close(self) -> None:
        for each in (self._thumbnails, self._sound, self._overview):
            if each is not None:
                each.close()
        self._thumbnails = self._sound = self._overview = self._peaks = None

    def _open(self, message: OpenMedia) -> None:
        self.close()
        self._number, self._path, self._blocks, self._tiles = message.number, message.path, range(0), []
        self._peaks_made = []
        try:
            opened = open_film(message.path)
            with closing(opened):
                why_not = cannot_play(opened)
                film, offset_s = opened.film, opened.start_s - (opened.container.start_time or 0) / 1_000_000
            self._thumbnails = Thumbnails(message.path)
            self._sound, self._overview = FilmSound(message.path), FilmSound(message.path)
        except VideoError as error:
            self._facts = MediaOpened(message.number, str(error))
            return
        self._duration_s, self._sound_at = film.duration_s, 0
        rate = film.rate.fps
        self._facts = MediaOpened(
            message.number, "", film.duration_s, (rate.numerator, rate.denominator), film.width, film.height,
            self._thumbnails.width, self._sound.present, why_not, offset_s,
        )  # fmt: skip
        if self._overview.present:
            self._peaks = peaks(self._overview, film.duration_s)

    def _block(self, index: int) -> SoundBlock:
        assert self._sound is not None
        if index != self._sound_at:
            self._sound.seek(index * SOUND_BLOCK)
        self._sound_at = index + 1
        block = self._sound.read(SOUND_BLOCK)
        parts = ((FILM, packed(block)),) if np.abs(block).max(initial=0) > 0 else ()
        return SoundBlock(self._number, index, parts)

    def _tile(self, wanted: ThumbnailsWanted) -> ThumbnailsMade:
        data = b""
        if self._thumbnails is not None and 0 <= wanted.level < len(THUMBNAIL_STEPS_S) and wanted.tile >= 0:
            data = self._thumbnails.tile(wanted.level, wanted.tile, self._duration_s)
        return ThumbnailsMade(wanted.number, wanted.level, wanted.tile, data)

    def _overview_step(self) -> PeaksMade | None:
        assert self._peaks is not None
        piece = next(self._peaks, None)
        if piece is not None:
            self._peaks_made.append(piece)
            return None
        self._peaks = None
        return PeaksMade(self._number, b"".join(self._peaks_made))


def run_media(connection: Connection) -> None:
    """The process: serves a pipe until it is closed or Quit comes."""
    lower(_NICENESS)
    server = MediaServer()
    try:
        while True:
            while server.idle or connection.poll():
                message: ToMedia = connection.recv()
                if isinstance(message, Quit):
                    return
                server.take(message)
            answer = server.step()
            if answer is not None:
                connection.send(answer)
    except (EOFError, OSError):  # the server has gone
        return
    finally:
        server.close()
        connection.close()
