"""What browsers cannot play, and the copy that is made of it."""

from __future__ import annotations

from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import PictureType

from engine.music.bundled import bundled_clip
from engine.process.media import MediaServer, jpeg
from engine.process.messages import MediaOpened, OpenMedia, PeaksMade, SoundBlock, SoundWanted, ThumbnailsWanted
from engine.video.browsers import cannot_play, make_copy
from engine.video.errors import VideoError
from engine.video.film import open_film

RATE = Fraction(24000, 1001)
FRAMES = 40


def film(path: Path, codec: str, pixels: str = "yuv420p", size: tuple[int, int] = (322, 182)) -> Path:
    """Frames that get lighter, each at its own time."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE)
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        for number in range(FRAMES):
            shade = np.full((size[1], size[0], 3), 20 + number * 5, np.uint8)
            frame = av.VideoFrame.from_ndarray(shade, "rgb24").reformat(format=pixels)
            frame.pts, frame.time_base = number, 1 / RATE
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def why_not(path: Path) -> str:
    opened = open_film(path)
    with closing(opened):
        return cannot_play(opened)


def seen(path: Path) -> tuple[list[float], list[int], list[bool]]:
    """Times, kinds and keys of all frames."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    times = [float(frame.pts * frame.time_base) for frame in frames]
    return times, [int(frame.pict_type) for frame in frames], [frame.key_frame for frame in frames]


@pytest.mark.parametrize(
    ("name", "codec", "pixels", "reason"),
    [
        ("a.mp4", "libx264", "yuv420p", ""),
        ("a.mp4", "libx264", "yuv422p", "h264 yuv422p"),
        ("a.mkv", "libx264", "yuv420p", "Matroska"),
        ("a.avi", "mpeg4", "yuv420p", "mpeg4"),
        ("a.mov", "prores_ks", "yuv422p10le", "prores"),
    ],
)
def test_what_browsers_cannot_play_is_known_before_they_try(tmp_path, name, codec, pixels, reason) -> None:
    assert why_not(film(tmp_path / name, codec, pixels)) == reason


@pytest.mark.parametrize(("name", "codec"), [("a.avi", "mpeg4"), ("a.mkv", "libx264")])
def test_a_copy_has_every_frame_at_its_time(tmp_path, name, codec) -> None:
    source, copy, told = film(tmp_path / name, codec), tmp_path / "copy.mp4", []
    make_copy(str(source), str(copy), told.append)
    assert why_not(copy) == "" and told == sorted(told) and told[-1] > 0.9
    times, kinds, keys = seen(copy)
    wanted = seen(source)[0]
    assert len(times) == FRAMES and max(abs(a - b) for a, b in zip(times, wanted, strict=True)) < 0.002
    if codec == "mpeg4":  # made anew: a seek shows its picture at once
        assert (
            int(PictureType.B) not in kinds
            and max(b - a for a, b in zip(places(keys), places(keys)[1:], strict=False)) <= 12
        )
    data = copy.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def places(keys: list[bool]) -> list[int]:
    return [number for number, key in enumerate(keys) if key]


def test_a_copy_of_no_film_is_refused(tmp_path) -> None:
    (tmp_path / "h.mov").write_bytes(b"no film")
    with pytest.raises(VideoError, match=r"h\.mov is not a film"):
        make_copy(str(tmp_path / "h.mov"), str(tmp_path / "copy.mp4"), lambda fraction: None)


def test_the_reader_answers_what_is_needed_soonest_first() -> None:
    server = MediaServer()
    server.take(OpenMedia(7, str(bundled_clip())))
    opened = server.step()
    assert isinstance(opened, MediaOpened) and opened.fault == "" and opened.why_not == "" and opened.sound
    server.take(ThumbnailsWanted(7, 1, 0))
    server.take(SoundWanted(7, 3, 1))
    server.take(SoundWanted(6, 0, 9))  # of another film
    first = server.step()
    assert isinstance(first, SoundBlock) and (first.index, first.revision) == (3, 7)
    second = server.step()
    assert second is not None and second.jpeg[:2] == b"\xff\xd8" and not isinstance(second, SoundBlock)
    while not isinstance(made := server.step(), PeaksMade):
        assert made is None
    assert len(made.data) == 2 * 600 and server.idle
    server.close()


def test_a_picture_survives_its_jpeg() -> None:
    pixels = np.zeros((54, 96, 3), np.uint8)
    pixels[:, 48:] = (250, 120, 10)
    with av.open(__import__("io").BytesIO(jpeg(pixels)), format="mjpeg") as container:
        back = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    assert np.abs(back[:, 60:] - pixels[:, 60:]).mean() < 12 and np.abs(back[:, :36]).mean() < 12
