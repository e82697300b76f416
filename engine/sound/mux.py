"""Writes sound into .wav and .flac files, and a film's picture with new sound into an .mp4.

The picture is copied packet by packet where MP4 and browsers take its codec: 8-bit 4:2:0 H.264, VP9 and AV1.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

import numpy as np

from engine.sound.burn_in import burn_in
from engine.sound.errors import SoundError
from engine.sound.voice import SAMPLE_RATE
from engine.video.film import OpenFilm, open_film, packets

AAC_BITS_PER_S: Final = 256_000
_COPIED: Final = {"h264": "H.264", "vp9": "VP9", "av1": "AV1"}
_DECODERS: Final = {"libdav1d": "av1", "libvpx-vp9": "vp9"}  # names of decoders -> of what they decode
_EIGHT_BIT: Final = ("yuv420p", "yuvj420p")


def check_picture(path: str | os.PathLike[str]) -> None:
    """Raises SoundError where the picture cannot be copied into an .mp4 that browsers play."""
    opened = open_film(path)
    try:
        _check_codec(opened, Path(path).name)
    finally:
        opened.close()


def _check_codec(opened: OpenFilm, name: str) -> None:
    context = opened.stream.codec_context
    codec = _DECODERS.get(context.name, context.name)
    if codec not in _COPIED:
        raise SoundError(
            f"{name} has its picture in {codec}, which an .mp4 for browsers cannot hold; --reencode makes it H.264."
        )
    if context.pix_fmt not in _EIGHT_BIT:
        raise SoundError(
            f"{name} has its picture in {_COPIED[codec]} as {context.pix_fmt}, which browsers do not play; "
            "--reencode makes it 8-bit 4:2:0."
        )


class SoundWriter:
    """Writes stereo blocks into one sound file: .wav or .flac with 24 bits; `floats`: .wav with 32-bit floats."""

    def __init__(self, path: Path, kind: str, *, floats: bool = False) -> None:
        import av

        options = {"rf64": "auto"} if kind == "wav" else {}
        self._container: Any = av.open(os.fspath(path), "w", format=kind, options=options)
        self._floats = floats
        codec = ("pcm_f32le" if floats else "pcm_s24le") if kind == "wav" else "flac"
        self._stream: Any = self._container.add_stream(codec, rate=SAMPLE_RATE, layout="stereo")
        self._format = "flt" if floats else "s32"
        if not floats:
            cast(Any, self._stream).codec_context.format = "s32"
        self._at = 0

    def write(self, block: np.ndarray) -> None:
        """block: (2, n) float32, -1..1 (beyond: cut, but for floats)."""
        data = np.ascontiguousarray(block.T)
        data = data if self._floats else _integers(data)
        _mux(self._container, self._stream, _frame(data.reshape(1, -1), self._format, self._at))
        self._at += block.shape[1]

    def close(self) -> None:
        """Completes the file."""
        _mux(self._container, self._stream, None)
        self._container.close()

    def abandon(self) -> None:
        """Closes the file, whatever state it is in."""
        _close_quietly(self._container)


class FilmWriter:
    """Writes a film's picture and stereo blocks of sound into an .mp4: AAC, index first.

    Picture second 0 and sample 0 both stand at the file's time 0.  burnt_in: see `RenderOptions`.
    """

    def __init__(self, path: Path, film: str | os.PathLike[str], *, reencode: bool = False, burnt_in: str = "") -> None:
        import av

        self._name = Path(film).name
        self._opened = open_film(film)
        try:
            if not reencode and not burnt_in:
                _check_codec(self._opened, self._name)
            options = {"movflags": "+faststart"}
            self._container = av.open(os.fspath(path), "w", format="mp4", options=options)
            self._picture: _Encoded | _Copied
            if reencode or burnt_in:
                self._picture = _Encoded(self._opened, self._container, burnt_in)
            else:
                self._picture = _Copied(self._opened, self._container, self._name)
            self._sound: Any = self._container.add_stream(
                "aac", rate=SAMPLE_RATE, layout="stereo", options={"aac_coder": "fast"}
            )
            self._sound.codec_context.bit_rate = AAC_BITS_PER_S
        except BaseException:
            self._opened.close()
            raise
        self._at = 0

    def write(self, block: np.ndarray) -> None:
        """block: (2, n) float32.  Writes the picture up to there as well."""
        self._picture.write_until((self._at + block.shape[1]) / SAMPLE_RATE)
        self._encode(_frame(np.clip(block, -1, 1), "fltp", self._at))
        self._at += block.shape[1]

    def close(self) -> None:
        """Writes what is left of the picture and completes the file."""
        self._picture.write_until(float("inf"))
        self._encode(None)
        self._container.close()
        self._opened.close()

    def abandon(self) -> None:
        """Closes the file, whatever state it is in."""
        _close_quietly(self._container)
        self._opened.close()

    def _encode(self, frame: Any) -> None:
        for packet in self._sound.encode(frame):
            self._container.mux(packet)


class _Copied:
    """The packets of a film's picture, moved so that picture second 0 is the file's time 0."""

    def __init__(self, opened: OpenFilm, container: Any, name: str) -> None:
        self._container, self._name = container, name
        self._base = opened.stream.time_base
        self._stream = container.add_stream_from_template(opened.stream)
        self._shift = round(opened.start_s / self._base)
        frame_ticks = max(round(1 / opened.film.rate.fps / self._base), 1)
        self._packets = with_decoding_times(packets(opened.container, opened.stream), frame_ticks)
        self._held: Any = None

    def write_until(self, end_s: float) -> None:
        import av

        while True:
            packet = self._held or self._next()
            if packet is None:
                return
            self._held = None
            if float(packet.dts * self._base) >= end_s:
                self._held = packet
                return
            packet.stream = self._stream
            try:
                self._container.mux(packet)
            except (av.error.InvalidDataError, ValueError) as error:
                reason = getattr(error, "strerror", None) or str(error)
                raise SoundError(f"{self._name}'s picture cannot be copied ({reason}); use --reencode.") from error

    def _next(self) -> Any:
        packet = next(self._packets, None)
        if packet is not None:
            if packet.pts is None:
                raise SoundError(f"{self._name} does not say when its frames appear; --reencode numbers them anew.")
            packet.pts -= self._shift
            packet.dts -= self._shift
        return packet


def with_decoding_times(packets: Iterator[Any], frame_ticks: int) -> Iterator[Any]:
    """The packets of a stream, those without a decoding time given one: Matroska stores none.

    libav works them out once it knows how far frames are reordered; the first ones count back from there.
    """
    waiting: list[Any] = []
    last: int | None = None
    for packet in packets:
        if packet.size == 0:
            break
        if packet.dts is None and last is None:
            waiting.append(packet)
            continue
        if packet.dts is None:
            packet.dts = last + 1 if last is not None else 0
        for place, early in enumerate(waiting):
            early.dts = packet.dts - (len(waiting) - place) * frame_ticks
            yield early
        waiting, last = [], packet.dts
        yield packet
    # A stream too short for that: in order of their frames, so early that none is shown before it is decoded.
    shown = sorted(packet.pts or 0 for packet in waiting)
    early_by = max((time - (packet.pts or 0) for time, packet in zip(shown, waiting, strict=True)), default=0)
    for time, packet in zip(shown, waiting, strict=True):
        packet.dts = time - early_by
        yield packet


class _Encoded:
    """A film's frames as 8-bit 4:2:0 H.264, at their own times.  burnt_in: a word and the timecode in them."""

    def __init__(self, opened: OpenFilm, container: Any, burnt_in: str = "") -> None:
        self._opened, self._container, self._burnt_in = opened, container, burnt_in
        rate, options = opened.film.rate.fps, {"crf": "18", "preset": "fast"}
        self._stream = container.add_stream("libx264", rate=rate, options=options)
        # Odd sizes have no 4:2:0.
        self._stream.width = opened.film.width + opened.film.width % 2
        self._stream.height = opened.film.height + opened.film.height % 2
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = opened.stream.time_base
        self._frames = self._decoded()
        self._last = -1
        self._done = False
        self._rotation = 0
        self._held: Any = next(self._frames, None)  # a telephone's film says with its frames how it is turned
        if self._rotation:
            self._stream.set_display_rotation(self._rotation)

    def write_until(self, end_s: float) -> None:
        base = self._opened.stream.time_base
        while not self._done:
            frame = self._held or next(self._frames, None)
            if frame is None:
                self._done = True
                _mux(self._container, self._stream, None)
                return
            if float(frame.pts * base) >= end_s:
                self._held = frame
                return
            self._held = None
            _mux(self._container, self._stream, frame)

    def _decoded(self) -> Any:
        import av

        shift = round(self._opened.start_s / self._opened.stream.time_base)
        for packet in packets(self._opened.container, self._opened.stream):
            try:
                frames = packet.decode()
            except (av.FFmpegError, ValueError):
                continue  # a damaged packet: the frame before stands on
            for frame in frames:
                pts = self._last + 1 if frame.pts is None else frame.pts - shift
                if pts <= self._last:
                    continue
                self._last = pts
                self._rotation = frame.rotation
                picture = frame.reformat(self._stream.width, self._stream.height, "yuv420p")
                if self._burnt_in:
                    at_s = float(pts * self._opened.stream.time_base)
                    picture = burn_in(picture, self._burnt_in, str(self._opened.film.clock.label_at(at_s)))
                picture.pts, picture.time_base = pts, self._opened.stream.time_base
                yield picture


def _mux(container: Any, stream: Any, frame: Any) -> None:
    """Encodes a frame into a file; None: what the encoder still holds."""
    for packet in stream.encode(frame):
        container.mux(packet)


def _frame(data: np.ndarray, kind: str, at: int) -> Any:
    """An audio frame.  data: (1, 2 n) packed or (2, n) planar."""
    from fractions import Fraction

    from av.audio.frame import AudioFrame

    frame = AudioFrame.from_ndarray(np.ascontiguousarray(data), format=kind, layout="stereo")
    frame.sample_rate = SAMPLE_RATE
    frame.pts, frame.time_base = at, Fraction(1, SAMPLE_RATE)
    return frame


def _integers(block: np.ndarray) -> np.ndarray:
    """Float -1..1 -> the upper 24 bits of int32, rounded."""
    scaled = np.rint(np.clip(block.astype(np.float64), -1, 1) * 8388607.0)
    return (scaled.astype(np.int32) << 8).astype(np.int32)


def _close_quietly(container: Any) -> None:
    """Closes without caring for what is lost: the file is thrown away."""
    import av

    try:
        container.close()
    except (OSError, av.FFmpegError, ValueError):
        pass
