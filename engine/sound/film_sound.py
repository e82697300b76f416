"""The film's own sound as a stream of blocks at 48 kHz, in step with the picture."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from engine.sound.voice import SAMPLE_RATE
from engine.video.film import OpenFilm, open_film, packets

_SETTLE_S: Final = 0.5  # before a place that is sought: decoders need a few frames
_GAP: Final = 2  # samples that stamps may be off before a hole is filled or an overlap cut: they are rounded


class FilmSound:
    """Reads the first sound stream of a film, as stereo.  `present` is False where the film has none.

    Sample 0 is the picture's first frame; what sounds before it is left out, holes are silent.  A damaged packet is
    silent too.  Raises VideoError for what is no film.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._film: OpenFilm = open_film(path)
        streams = self._film.container.streams.audio
        self._stream = next((stream for stream in streams if stream.codec_context is not None), None)
        self.present = self._stream is not None
        self._blocks = self._decoded(0) if self.present else iter(())
        self._ready = np.zeros((2, 0), np.float32)

    def seek(self, sample: int) -> None:
        """The next sample that `read` gives.

        What a lossy codec decodes after a seek may differ in the last bits from what it decodes from the start.
        """
        self._ready = np.zeros((2, 0), np.float32)
        if self._stream is None:
            return
        seconds = max(sample / SAMPLE_RATE - _SETTLE_S, 0.0) + self._film.start_s
        self._film.container.seek(round(seconds / self._stream.time_base), stream=self._stream, backward=True)
        self._stream.codec_context.flush_buffers()
        self._blocks = self._decoded(sample)

    def read(self, count: int) -> np.ndarray:
        """(2, count) float32, the next samples; zeros after the end."""
        pieces, have = [self._ready], self._ready.shape[1]
        while have < count:
            block = next(self._blocks, None)
            if block is None:
                pieces.append(np.zeros((2, count - have), np.float32))
                have = count
            else:
                pieces.append(block)
                have += block.shape[1]
        joined = np.concatenate(pieces, axis=1) if len(pieces) > 1 else pieces[0]
        self._ready = joined[:, count:]
        return joined[:, :count]

    def rest(self) -> Iterator[np.ndarray]:
        """(2, n) float32 blocks of all that is left, to the end of the stream."""
        ready, self._ready = self._ready, np.zeros((2, 0), np.float32)
        if ready.shape[1]:
            yield ready
        yield from self._blocks

    def close(self) -> None:
        self._film.close()

    def _decoded(self, at: int) -> Iterator[np.ndarray]:
        """Blocks that join without a gap, from a sample on."""
        for start, block in self._stamped():
            if start < at - _GAP:
                block = block[:, at - start :]
            elif start > at + _GAP:
                for first in range(at, start, SAMPLE_RATE):
                    yield np.zeros((2, min(SAMPLE_RATE, start - first)), np.float32)
                at = start
            if block.shape[1]:
                at += block.shape[1]
                yield block

    def _stamped(self) -> Iterator[tuple[int, np.ndarray]]:
        """(sample of the film, (2, n) float32) of each decoded frame."""
        import av
        from av.audio.resampler import AudioResampler

        resampler = AudioResampler("fltp", "stereo", SAMPLE_RATE)
        origin: int | None = None  # sample at which the resampler's first output stands
        given = 0  # samples it has given since
        for frame in self._frames():
            if frame.pts is None or not frame.time_base:
                start = None
            else:
                start = round((float(frame.pts * frame.time_base) - self._film.start_s) * SAMPLE_RATE)
            if origin is None:
                origin = start or 0
            elif start is not None and abs(start - (origin + given)) > SAMPLE_RATE // 50:
                # A hole or a jump in the file: what waits in the resampler comes first.
                for rest in resampler.resample(None):
                    yield origin + given, _stereo(rest)
                resampler = AudioResampler("fltp", "stereo", SAMPLE_RATE)
                origin, given = start, 0
            frame.pts = None
            try:
                pieces = resampler.resample(frame)
            except (av.FFmpegError, ValueError):  # the format changes within the stream
                resampler = AudioResampler("fltp", "stereo", SAMPLE_RATE)
                origin, given = origin + given if start is None else start, 0
                pieces = resampler.resample(frame)
            for piece in pieces:
                block = _stereo(piece)
                yield origin + given, block
                given += block.shape[1]
        if origin is not None:
            for piece in resampler.resample(None):
                yield origin + given, _stereo(piece)

    def _frames(self) -> Iterator[Any]:
        import av

        coming = packets(self._film.container, self._stream)
        while True:
            try:
                packet = next(coming, None)
                if packet is None:
                    return
                frames = packet.decode()
            except (av.FFmpegError, OSError, ValueError):
                # A packet that cannot be read stays silent; at the end of a cut file there is nothing more.
                if packet is None or packet.size == 0:
                    return
                continue
            yield from frames


def _stereo(frame: Any) -> np.ndarray:
    """(2, n) float32 of a planar stereo frame."""
    return np.ascontiguousarray(frame.to_ndarray(), np.float32)
