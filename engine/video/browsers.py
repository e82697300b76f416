"""What browsers can show of a film, and a copy of it that they can.

The copy has the film's frames at the film's times and no sound (the page mutes it and plays the sound itself): where
the codec is one that browsers know its packets are only moved into an MP4, else its frames are made small H.264 with a
keyframe every half second, so that a seek shows its picture at once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from engine.sound.mux import with_decoding_times
from engine.video.errors import VideoError
from engine.video.film import OpenFilm, open_film, packets

_DECODERS: Final = {"libdav1d": "av1", "libvpx-vp9": "vp9", "libvpx": "vp8"}  # names of decoders -> of what they decode
_CODECS: Final = ("h264", "vp8", "vp9", "av1")
_EIGHT_BIT: Final = ("yuv420p", "yuvj420p")
_CONTAINERS: Final = ("mp4", "mov", "webm")
_HEIGHT: Final = 540
_GOP: Final = 12
_NICENESS: Final = 15


def cannot_play(film: OpenFilm) -> str:
    """What browsers cannot play of a film, in words; empty where they play it as it is."""
    codec = _picture_fault(film)
    if codec:
        return codec
    formats = film.container.format.name.split(",")
    if not any(each in formats for each in _CONTAINERS):
        return film.container.format.long_name or film.container.format.name
    suffix = Path(film.film.path).suffix.lower()
    if "matroska" in formats and suffix != ".webm":
        return "Matroska"
    return ""


def _picture_fault(film: OpenFilm) -> str:
    context = film.stream.codec_context
    codec = _DECODERS.get(context.name, context.name)
    if codec not in _CODECS:
        return codec
    return "" if context.pix_fmt in _EIGHT_BIT else f"{codec} {context.pix_fmt}"


def make_copy(film: str, output: str, report: Callable[[float], None]) -> None:
    """Writes the copy.  report(fraction 0..1).  Raises VideoError, and leaves a part of a file for the caller."""
    import av

    with closing(open_film(film)) as opened:
        duration_s = opened.film.duration_s or 1.0

        def done(at_s: float) -> None:
            report(min(max(at_s / duration_s, 0.0), 1.0))

        try:
            with av.open(output, "w", format="mp4", options={"movflags": "+faststart"}) as container:
                write = _move if not _picture_fault(opened) else _encode
                write(opened, container, done)
        except (av.FFmpegError, OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise VideoError(f"no copy of {Path(film).name} could be made: {reason}.") from error


def _move(opened: OpenFilm, container: Any, done: Callable[[float], None]) -> None:
    """Packets as they are, so that picture second 0 is the file's time 0."""
    stream, base = container.add_stream_from_template(opened.stream), opened.stream.time_base
    shift = round(opened.start_s / base)
    frame_ticks = max(round(1 / opened.film.rate.fps / base), 1)
    for packet in with_decoding_times(packets(opened.container, opened.stream), frame_ticks):
        if packet.pts is None:
            continue
        packet.pts -= shift
        packet.dts -= shift
        packet.stream = stream
        done(float(packet.dts * base))
        container.mux(packet)


def _encode(opened: OpenFilm, container: Any, done: Callable[[float], None]) -> None:
    height = min(_HEIGHT, opened.film.height)
    size = (round(opened.film.width * height / max(opened.film.height, 1) / 2) * 2, height - height % 2)
    options = {"crf": "26", "preset": "veryfast", "tune": "fastdecode"}
    stream = container.add_stream("libx264", rate=opened.film.rate.fps, options=options)
    stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
    stream.codec_context.time_base = Fraction(opened.stream.time_base)
    stream.codec_context.gop_size, stream.codec_context.max_b_frames = _GOP, 0
    for frame in _frames(opened):
        done(float(frame.pts * opened.stream.time_base))
        picture = frame.reformat(*size, "yuv420p")
        picture.pts, picture.time_base = frame.pts, opened.stream.time_base
        picture.pict_type = 0
        for packet in stream.encode(picture):
            container.mux(packet)
    for packet in stream.encode(None):
        container.mux(packet)


def _frames(opened: OpenFilm) -> Iterator[Any]:
    """All frames in order, picture second 0 at time 0."""
    import av

    shift, last = round(opened.start_s / opened.stream.time_base), -1
    opened.stream.thread_type = "AUTO"
    for packet in packets(opened.container, opened.stream):
        try:
            frames = packet.decode()
        except (av.FFmpegError, ValueError):
            continue  # a damaged packet: the frame before stands on
        for frame in frames:
            pts = last + 1 if frame.pts is None else frame.pts - shift
            if pts > last:
                frame.pts = last = pts
                yield frame


def main(argv: Sequence[str]) -> int:
    """`python -m engine.video.browsers FILM OUT.mp4`: a JSON line for each hundredth, `fault` where it cannot be."""
    from engine.process.priorities import lower

    lower(_NICENESS)
    shown = -1

    def report(fraction: float) -> None:
        nonlocal shown
        if int(fraction * 100) > shown:
            shown = int(fraction * 100)
            sys.stdout.write(json.dumps({"fraction": round(fraction, 3)}) + "\n")
            sys.stdout.flush()

    try:
        make_copy(argv[0], argv[1], report)
    except VideoError as error:
        sys.stdout.write(json.dumps({"fault": str(error)}) + "\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
