"""Opens a film file and says what it is.  Seconds are picture seconds: the first frame is 0.

A container may hold no picture, a cover image, text that looks like a film to a lenient demuxer, or a playlist that
points to the network; each is refused with one sentence.  Only local files are ever opened.
"""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from engine.music import Film, FrameRate, MusicError, Timecode, TimecodeClock
from engine.music.timecode import timecode_rate
from engine.video.errors import VideoError

MAX_PIXELS: Final = 8192 * 8192  # a damaged header can claim any size; nothing real is larger than 8K
MAX_FILM_S: Final = 24 * 3600.0
SLOWEST_FPS: Final = Fraction(1, 1000)  # what is slower no camera writes
LONG_STILLS_S: Final = 3 * 3600.0  # a film that is longer shows more than still pictures, …
STILLS_FPS: Final = Fraction(1, 10)  # … that stand for so long each: every second of it would be looked at
START_SLACK_S: Final = 0.25  # a first frame this little after the container's start counts as its start (B-frame delay)

# Demuxers that turn other things into "video", and codecs that draw text.
_NOT_FILMS: Final = frozenset(
    {"tty", "bin", "xbin", "adf", "idf", "lrc", "srt", "ass", "webvtt", "hls", "dash", "concat"}
)
_TEXT_CODECS: Final = frozenset({"ansi", "bintext", "xbin", "idf"})


@dataclass(slots=True)
class OpenFilm:
    """An open container.  start_s: presentation time of picture second 0; close() when done."""

    film: Film
    container: Any  # av.container.InputContainer
    stream: Any  # av.video.stream.VideoStream
    start_s: float
    notes: tuple[str, ...]

    def close(self) -> None:
        self.container.close()


def regular_file(path: str | os.PathLike[str]) -> Path:
    """The path, checked to be a file's without opening it: a pipe waits for its writer, a device never ends.

    Raises VideoError.
    """
    file = Path(path)
    try:
        mode = file.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise VideoError(f"There is no file {file}.") from None
    except OSError as error:
        raise VideoError(f"{file.name} cannot be read: {error.strerror or error}.") from error
    if stat.S_ISDIR(mode):
        raise VideoError(f"{file} is a folder, not a film.")
    if not stat.S_ISREG(mode):
        raise VideoError(f"{file} is a pipe or a device, not a film.")
    return file


def open_film(path: str | os.PathLike[str], content_key: str = "") -> OpenFilm:
    """Opens the first real picture stream of a file.  Raises VideoError with one sentence."""
    import av

    file = regular_file(path)
    name = file.name or str(file)
    try:
        if file.stat().st_size == 0:
            raise VideoError(f"{name} is empty (0 bytes).")
        with file.open("rb") as handle:
            handle.read(1)
    except OSError as error:
        raise VideoError(f"{name} cannot be read: {error.strerror or error}.") from error
    av.logging.set_level(None)  # no Python in the decoder threads: they would wait for each other
    try:
        # "file:" keeps odd names from being taken for a protocol; the whitelist keeps playlists off the network.
        container = av.open(f"file:{file.absolute()}", options={"protocol_whitelist": "file"})
    except (av.FFmpegError, OSError, ValueError) as error:
        if _unfinished(file):
            raise VideoError(f"{name} has no index (moov); the recording or copy was not finished.") from error
        raise VideoError(f"{name} is not a film that can be read ({_reason(error)}).") from error
    try:
        return _describe(container, file, content_key)
    except BaseException:
        container.close()
        raise


def probe(path: str | os.PathLike[str]) -> Film:
    """What a film is (length as its container says), without decoding it.  Raises VideoError."""
    opened = open_film(path)
    opened.close()
    return opened.film


def _describe(container: Any, file: Path, content_key: str) -> OpenFilm:
    formats = set(container.format.name.split(","))
    if formats & _NOT_FILMS:
        raise VideoError(f"{file.name} is not a film ({container.format.long_name}).")
    pictures = [stream for stream in container.streams.video if not _is_cover(stream)]
    if not pictures:
        if container.streams.audio:
            raise VideoError(f"{file.name} holds sound but no picture.")
        raise VideoError(f"{file.name} holds no picture.")
    stream = next((picture for picture in pictures if _is_default(picture)), pictures[0])
    context = stream.codec_context
    if context is None:
        raise VideoError(f"{file.name} holds a picture in a format that no decoder here knows.")
    if context.name in _TEXT_CODECS:
        raise VideoError(f"{file.name} is text, not a film.")
    if any(entry == "image2" or entry.endswith("_pipe") for entry in formats):
        raise VideoError(f"{file.name} is a still picture, not a film.")
    width, height = int(context.width), int(context.height)
    if width * height > MAX_PIXELS:
        raise VideoError(f"{file.name} says its picture is {width}x{height}; that is too large to be real.")
    notes: list[str] = []
    rate = _frame_rate(stream, notes)
    duration_s = _container_duration_s(container, stream)
    if duration_s > LONG_STILLS_S and rate.fps < STILLS_FPS:
        raise VideoError(
            f"{file.name} says it shows a picture every {float(1 / rate.fps):.0f} seconds for {duration_s / 3600:.1f} "
            "hours; that is too slow to be a film."
        )
    start_timecode = _start_timecode(container, TimecodeClock(timecode_rate(rate.fps)))
    if start_timecode is not None and start_timecode.rate.fps == rate.fps:
        rate = start_timecode.rate  # drop-frame labels or not
    film = Film(
        path=str(file),
        duration_s=duration_s,
        rate=rate,
        width=width,
        height=height,
        content_key=content_key,
        start_timecode=start_timecode,
    )
    start_s = _start_s(container, stream)
    if len(pictures) > 1:
        notes.append(f"{file.name} holds {len(pictures)} pictures; number {pictures.index(stream) + 1} is used.")
    return OpenFilm(film, container, stream, start_s, tuple(notes))


def packets(container: Any, stream: Any) -> Iterator[Any]:
    """The packets of a stream, as PyAV's `demux` gives them.

    In a file whose pieces were put together another stream may begin further on: PyAV, which has not counted it, raises
    IndexError at each of its packets.  They are passed over.
    """
    while True:
        try:
            yield from container.demux(stream)
            return
        except IndexError:
            continue


def _is_cover(stream: Any) -> bool:
    """An attached picture (cover of a sound file) is no film."""
    disposition = getattr(stream, "disposition", None)
    return bool(disposition is not None and disposition & type(disposition).attached_pic)


def _is_default(stream: Any) -> bool:
    """Whether players show this picture where nobody chooses another."""
    disposition = getattr(stream, "disposition", None)
    return bool(disposition is not None and disposition & type(disposition).default)


def _frame_rate(stream: Any, notes: list[str]) -> FrameRate:
    for value in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if value is not None and SLOWEST_FPS <= value <= 1000:
            return FrameRate.nearest(Fraction(value))
    notes.append("The file does not say its frame rate; 25 frames a second are assumed.")
    return FrameRate(Fraction(25))


def _container_duration_s(container: Any, stream: Any) -> float:
    """Length of the picture as the container says; 0 where it does not say."""
    length = 0.0
    if stream.duration is not None and stream.time_base is not None:
        length = float(stream.duration * stream.time_base)
    elif container.duration is not None:
        length = container.duration / 1_000_000
    return length if math.isfinite(length) and 0 < length <= MAX_FILM_S else 0.0


def _start_s(container: Any, stream: Any) -> float:
    """Presentation time that counts as picture second 0."""
    first = None
    if stream.start_time is not None and stream.time_base is not None:
        first = float(stream.start_time * stream.time_base)
    whole = container.start_time / 1_000_000 if container.start_time is not None else None
    if first is None:
        return whole or 0.0
    if whole is None or abs(first - whole) <= START_SLACK_S or first < whole:
        return first
    # The picture really begins later than the sound.  Sound that starts just before 0 is the encoder's priming.
    return 0.0 if -START_SLACK_S < whole < 0 else whole


def _start_timecode(container: Any, clock: TimecodeClock) -> Timecode | None:
    """The file's own timecode (QuickTime timecode track, MXF, AVI, Matroska tag), where it has one."""
    texts = [stream.metadata.get("timecode") for stream in container.streams]
    texts.append(container.metadata.get("timecode"))
    for text in texts:
        if not text:
            continue
        try:
            return clock.parse(text)
        except MusicError:
            continue
    return None


def _unfinished(file: Path) -> bool:
    """Whether a file begins as MP4 or QuickTime but lacks the index that such a file needs (often its last part)."""
    try:
        with file.open("rb") as handle:
            size = os.fstat(handle.fileno()).st_size
            at, first = 0, True
            for _ in range(10_000):
                handle.seek(at)
                header = handle.read(16)
                if len(header) < 8 or at >= size:
                    return not first
                length, kind = int.from_bytes(header[:4], "big"), header[4:8]
                if first and kind not in (b"ftyp", b"wide", b"mdat", b"free", b"skip"):
                    return False
                if kind == b"moov":
                    return False
                if length == 1:
                    length = int.from_bytes(header[8:16], "big")
                if length < 8:
                    return not first
                at, first = at + length, False
    except OSError:
        return False
    return False


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return text.split(":")[-1].strip().rstrip(".") or type(error).__name__
