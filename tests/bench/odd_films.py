"""Makes the films that people really have, looks at each, and prints what each got.

    python tests/bench/odd_films.py [--only WORD]

Every frame shows its own number, so a row's frame is checked against its time: "off" is the largest difference, in
frames.  A film gives features of the right length, or one sentence.  What needs the `ffmpeg` program (edit lists) is
left out where that is absent.
"""

from __future__ import annotations

import argparse
import math
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import films

CLIP = ROOT / "engine/media/big-buck-bunny-30s.mp4"


def plain(folder: Path, name: str, frames: int = 100, **settings: object) -> Path:
    return films.make_film(folder / name, frames, **settings)  # type: ignore[arg-type]


def with_sound(path: Path, sound_s: float, first_frame: int = 0, frames: int = 75) -> Path:
    """25 frames a second, with the bundled clip's sound."""
    with av.open(str(CLIP)) as source, av.open(str(path), "w") as sink:
        picture = sink.add_stream("libx264", rate=25)
        picture.width, picture.height, picture.pix_fmt = 192, 108, "yuv420p"
        sound = sink.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None and packet.pts * packet.time_base < sound_s:
                packet.stream = sound
                sink.mux(packet)
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(films.numbered(number), format="rgb24")
            frame.pts, frame.time_base = number + first_frame, Fraction(1, 25)
            sink.mux(picture.encode(frame))
        sink.mux(picture.encode())
    return path


def rotated(folder: Path) -> Path:
    path = plain(folder, "turned.mp4", rate=25)
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 44  # the matrix of a version 0 track header: a quarter turn, as phones write it
    turn = [0, 0x10000, 0, -0x10000, 0, 0, 108 * 0x10000, 0, 0x40000000]
    data[at : at + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in turn)
    path.write_bytes(data)
    return path


def with_timecode(folder: Path) -> Path:
    path = folder / "timecode.mov"
    with av.open(str(path), "w") as container:
        container.metadata["timecode"] = "01:00:00;00"
        stream = container.add_stream("mpeg4", rate=Fraction(30000, 1001))
        stream.width, stream.height, stream.pix_fmt = 192, 108, "yuv420p"
        for number in range(90):
            frame = av.VideoFrame.from_ndarray(films.numbered(number), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1001, 30000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def edited(folder: Path, start: str) -> Path:
    """A stream copy from within a GOP: the file begins at a key frame, and its edit list skips what is before."""
    whole = plain(folder, "whole.mp4", 250, rate=25, options={"g": "50", "bf": "2"})
    path = folder / f"edited-{start}.mp4"
    command = ["ffmpeg", "-v", "error", "-y", "-ss", start, "-i", str(whole), "-c", "copy", str(path)]
    subprocess.run(command, check=True)
    return path


def cut_off(folder: Path, name: str, share: float, **settings: object) -> Path:
    path = plain(folder, name, 240, rate=24, **settings)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    return path


def flipped(folder: Path, name: str, bits: int, **settings: object) -> Path:
    path = plain(folder, name, 240, rate=24, **settings)
    data, dice = bytearray(path.read_bytes()), random.Random(7)
    for _ in range(bits):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    path.write_bytes(data)
    return path


def variable(folder: Path) -> Path:
    ticks = np.cumsum(np.random.default_rng(5).integers(20, 160, 100))
    ticks -= ticks[0]
    return plain(folder, "phone.mkv", rate=30, ticks=[int(tick) for tick in ticks], time_base=Fraction(1, 1000))


def held(folder: Path) -> Path:
    ticks = [0, 20_500, 320_000]
    return plain(folder, "slides.mkv", 3, rate=25, ticks=ticks, time_base=Fraction(1, 1000))


def black(folder: Path) -> Path:
    image = np.zeros((108, 192, 3), np.uint8)
    return plain(folder, "black.mp4", 120, picture=lambda _number: image)


def cases() -> Iterator[tuple[str, Callable[[Path], Path]]]:
    for rate in (Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(50), Fraction(60000, 1001)):
        yield f"{float(rate):.3f} frames a second", lambda folder, rate=rate: plain(folder, "r.mp4", 150, rate=rate)
    yield "variable frame rate (MKV)", variable
    yield "rotation flag", rotated
    for words, name, codec, pixels in (
        ("10-bit HEVC", "a.mp4", "libx265", "yuv420p10le"),
        ("ProRes 422 (MOV)", "a.mov", "prores_ks", "yuv422p10le"),
        ("ProRes 4444 with alpha", "b.mov", "prores_ks", "yuva444p10le"),
        ("PNG with alpha (MOV)", "c.mov", "png", "rgba"),
        ("H.264 in MKV", "a.mkv", "libx264", "yuv420p"),
        ("VP9 in WebM", "a.webm", "libvpx-vp9", "yuv420p"),
        ("MPEG-4 in AVI", "a.avi", "mpeg4", "yuv420p"),
        ("H.264 in MPEG-TS", "a.ts", "libx264", "yuv420p"),
        ("16-bit 4:4:4 (FFV1)", "d.mkv", "ffv1", "yuv444p16le"),
    ):
        yield (
            words,
            lambda folder, name=name, codec=codec, pixels=pixels: plain(
                folder,
                name,
                rate=25,
                codec=codec,
                pixels=pixels,
                options={"x265-params": "log-level=none"} if codec == "libx265" else {},
            ),
        )
    fields = {"x264-params": "tff=1", "flags": "+ildct+ilme"}
    yield "interlaced", lambda folder: plain(folder, "i.mp4", rate=25, size=(192, 112), options=fields)
    yield (
        "odd size 323x179",
        lambda folder: plain(folder, "odd.mkv", rate=25, size=(323, 179), codec="ffv1", pixels="bgr0"),
    )
    yield "odd size 1000x18", lambda folder: plain(folder, "flat.mkv", rate=25, size=(1000, 18), codec="ffv1")
    yield "4K", lambda folder: plain(folder, "4k.mp4", 52, rate=25, size=(3840, 2160), options={"preset": "ultrafast"})
    yield "sound longer than the picture", lambda folder: with_sound(folder / "long.mp4", 30.0)
    yield "picture begins 2 s after the sound", lambda folder: with_sound(folder / "late.mkv", 5.0, first_frame=50)
    if shutil.which("ffmpeg"):
        yield "edit list from 1.3 s", lambda folder: edited(folder, "1.3")
        yield "edit list from 3.04 s", lambda folder: edited(folder, "3.04")
    yield "timecode track 01:00:00;00", with_timecode
    yield "still held for five minutes", held
    yield "one frame", lambda folder: plain(folder, "one.mp4", 1)
    yield "black", black
    yield "truncated MP4 (index lost)", lambda folder: cut_off(folder, "t.mp4", 0.6)
    yield (
        "truncated MP4 (index first)",
        lambda folder: _written(folder / "f.mp4", CLIP.read_bytes()[: CLIP.stat().st_size * 6 // 10]),
    )
    yield "truncated MKV", lambda folder: cut_off(folder, "t.mkv", 0.6)
    yield "truncated MPEG-TS", lambda folder: cut_off(folder, "t.ts", 0.6)
    for bits in (4, 64, 1024):
        yield f"{bits} bits flipped (MP4)", lambda folder, bits=bits: flipped(folder, f"b{bits}.mp4", bits)
        yield f"{bits} bits flipped (MKV)", lambda folder, bits=bits: flipped(folder, f"b{bits}.mkv", bits)
    yield "empty file", lambda folder: _written(folder / "empty.mp4", b"")
    yield "text called .mov", lambda folder: _written(folder / "text.mov", b"not a film\n" * 90)


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def row_errors(path: Path) -> tuple[float, int]:
    """Largest distance of a row's frame from its second, in frames, by the numbers shown; how many rows had a frame.

    The first frame's number and time count as given: a film may begin in the middle.
    """
    from engine.video.film import open_film
    from engine.video.frames import FrameReader

    opened = open_film(path)
    try:
        reader = FrameReader(opened, want_full=True)
        worst, rows, base = 0.0, 0, None
        rate = float(opened.film.rate.fps)
        for picture in reader:
            if picture.full is None:
                continue
            image = np.rot90(picture.full) if opened.film.path.endswith("turned.mp4") else picture.full
            number = films.number_shown(image)
            if base is None:
                base = number - picture.time_s * rate
            elif picture.row is not None:
                worst = max(worst, abs(number - base - picture.row * rate))
            rows += picture.row is not None
        return worst, rows
    finally:
        opened.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    from engine.video import AnalysisOptions, VideoError, analyze

    print("film | seconds | rows | off, frames | starts at | said")
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        for words, make in cases():
            if arguments.only not in words:
                continue
            folder = Path(name)
            try:
                path = make(folder)
            except av.FFmpegError as error:
                print(f"{words} | – | – | – | – | cannot be made here: {error}")
                continue
            try:
                features = analyze(path, AnalysisOptions(reading="quick"))
            except VideoError as error:
                print(f"{words} | – | – | – | – | {error}")
                continue
            except Exception as error:
                failed += 1
                print(f"{words} | – | – | – | – | FAULT: {error!r}")
                continue
            counted = not any(
                word in words for word in ("variable", "still", "black", "one frame", "flipped", "index first")
            )
            off = f"{row_errors(path)[0]:.2f}" if counted else "–"
            film = features.film
            rows = max(1, math.ceil(round(film.duration_s, 6)))  # 6.000000000000001 s have six
            finite = np.isfinite(features.emotion).all() and features.seconds == rows
            failed += not finite
            print(
                f"{words} | {film.duration_s:.2f} | {features.seconds} | {off} | {film.start_timecode or '–'} | "
                + (" ".join(features.notes) or "–"),
                flush=True,
            )
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
