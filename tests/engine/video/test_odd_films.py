"""What people have: rates, time stamps, codecs, sizes.  Each film shows its frame numbers, so times are checked."""

from __future__ import annotations

import contextlib
import os
import shutil
import struct
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import cv2
import films
import numpy as np
import pytest

from engine.video import AnalysisOptions, VideoError, analyze, probe
from engine.video.film import open_film, packets
from engine.video.frames import FrameReader, Picture, _luma_of, small_picture_size

QUICK = AnalysisOptions(reading="quick")
CLIP = Path(__file__).parents[3] / "engine" / "media" / "big-buck-bunny-30s.mp4"


def pictures(path: Path) -> tuple[list[Picture], FrameReader]:
    opened = open_film(path)
    try:
        reader = FrameReader(opened, want_full=True)
        return list(reader), reader
    finally:
        opened.close()


def has_encoder(name: str) -> bool:
    try:
        av.codec.Codec(name, "w")
    except av.codec.codec.UnknownCodecError:
        return False
    return True


RATES = [Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30), Fraction(50)]
RATES += [Fraction(60000, 1001), Fraction(12), Fraction(15)]


@pytest.mark.parametrize("rate", RATES, ids=lambda rate: f"{float(rate):.3f}")
def test_rows_show_the_frame_nearest_to_their_second(rate: Fraction, tmp_path: Path) -> None:
    count = int(rate * 5) + 3
    path = films.make_film(tmp_path / "film.mp4", count, rate=rate)
    seen, reader = pictures(path)
    assert len(seen) == count
    for picture in seen:
        assert picture.time_s == pytest.approx(float(picture.index / rate), abs=2e-3)
        if picture.row is not None:
            number = films.number_shown(picture.full)
            assert number == picture.index
            assert abs(number / float(rate) - picture.row) <= 0.5 / float(rate) + 1e-6
    assert [picture.row for picture in seen if picture.row is not None] == list(range(6))
    assert reader.duration_s == pytest.approx(float(count / rate), abs=2e-3)
    assert probe(path).rate.fps == rate
    assert analyze(path, QUICK).seconds == 6


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("a.mkv", "libx264", "yuv420p"),
        ("a.mov", "prores_ks", "yuv422p10le"),
        ("a4444.mov", "prores_ks", "yuva444p10le"),
        ("a.webm", "libvpx-vp9", "yuv420p"),
        ("a10.mp4", "libx265", "yuv420p10le"),
        ("a.avi", "mpeg4", "yuv420p"),
        ("a.mpg", "mpeg2video", "yuv420p"),
        ("a.ts", "libx264", "yuv420p"),
        ("alpha.mov", "png", "rgba"),
        ("gray.mkv", "ffv1", "gray"),
        ("deep.mkv", "ffv1", "yuv444p16le"),
        ("full.mp4", "mjpeg", "yuvj420p"),
    ],
)
def test_containers_and_codecs(name: str, codec: str, pixels: str, tmp_path: Path) -> None:
    if not has_encoder(codec):
        pytest.skip(f"this PyAV has no {codec} encoder")
    path = films.make_film(tmp_path / name, 60, rate=25, codec=codec, pixels=pixels)
    seen, reader = pictures(path)
    assert [films.number_shown(picture.full) for picture in seen if picture.row is not None] == [0, 25, 50]
    assert reader.duration_s == pytest.approx(2.4, abs=0.05)
    features = analyze(path, QUICK)
    assert features.seconds == 3 and features.notes == ()


def test_variable_frame_rate_keeps_every_time(tmp_path: Path) -> None:
    dice = np.random.default_rng(5)
    ticks = np.cumsum(dice.integers(20, 160, 100)) - 20  # milliseconds; gaps of 20 to 160 ms
    ticks -= ticks[0]
    path = films.make_film(
        tmp_path / "phone.mkv", 100, rate=30, ticks=[int(t) for t in ticks], time_base=Fraction(1, 1000)
    )
    seen, _reader = pictures(path)
    assert [picture.time_s for picture in seen] == pytest.approx(list(ticks / 1000), abs=1.1e-3)
    for picture in seen:
        if picture.row is not None:
            assert films.number_shown(picture.full) == picture.index
            before = seen[picture.index - 1].time_s if picture.index else -1.0
            assert before < picture.row - 0.015 and picture.time_s >= picture.row - 0.05 - 1e-3


def test_a_time_stamp_that_leaps_ahead_and_back_moves_nothing_else(tmp_path: Path) -> None:
    good = [40 * number for number in range(250)]  # milliseconds

    def read(ticks: list[int]) -> tuple[list[float], FrameReader]:
        path = films.make_film(
            tmp_path / "leap.mkv", 250, rate=25, ticks=good, time_base=Fraction(1, 1000), codec="ffv1"
        )
        opened = open_film(path)
        try:
            reader = FrameReader(opened)
            decoded = list(reader._decoded())
            for frame, tick in zip(decoded, ticks, strict=True):
                frame.pts = tick
            reader._decoded = lambda: iter(decoded)  # type: ignore[method-assign]
            return [picture.time_s for picture in reader], reader
        finally:
            opened.close()

    leap = list(good)
    leap[100] += 4000  # one bad stamp, as a flipped bit makes it
    times, reader = read(leap)
    assert times == pytest.approx([tick / 1000 for tick in good], abs=0.041) and reader.repaired_times == 1
    assert times[101:] == pytest.approx([tick / 1000 for tick in good[101:]])
    cluster = [tick + 6000 * (50 <= number < 70) for number, tick in enumerate(good)]  # a whole cluster's
    times, reader = read(cluster)
    assert times == sorted(times) and reader.duration_s <= 11.1 and reader.unplaced > 0
    assert any("behind the film's end" in note for note in reader.notes())


def test_a_still_held_for_a_minute_gives_every_second_a_row(tmp_path: Path) -> None:
    path = films.make_film(
        tmp_path / "slides.mkv", 4, rate=25, ticks=[0, 20_000, 60_500, 61_000], time_base=Fraction(1, 1000)
    )
    features = analyze(path, QUICK)
    assert features.film.duration_s == pytest.approx(61.0, abs=0.1)
    assert features.seconds in (61, 62)
    assert (features.motion[1:20] == 0).all() and (features.motion[21:60] == 0).all()
    assert features.motion[20] > 0


def test_a_still_that_is_held_keeps_its_own_mood(tmp_path: Path) -> None:
    # The slide changes between two seconds and is then held: the seconds it stands for are its own.
    slides = [np.full((108, 192, 3), 200, np.uint8), np.full((108, 192, 3), 60, np.uint8)]
    slides[0][..., 2] = 120
    slides[1][:, ::2] = 20
    path = films.make_film(
        tmp_path / "slides.mkv",
        3,
        rate=25,
        ticks=[0, 20_500, 60_500],
        time_base=Fraction(1, 1000),
        picture=lambda number: slides[min(number, 1)],
    )
    alone = films.make_film(tmp_path / "one.mkv", 50, rate=25, picture=lambda _number: slides[1])
    features, expected = analyze(path, QUICK), analyze(alone, QUICK)
    assert np.abs(features.emotion_raw[40] - expected.emotion_raw[1]).max() < 0.05
    assert np.abs(features.emotion_raw[40] - features.emotion_raw[5]).max() > 0.2


def test_a_picture_that_begins_after_the_sound_keeps_its_time(tmp_path: Path) -> None:
    # As an edit list or a late first frame makes it: sound from 0, picture from 2.0 s on.
    path = tmp_path / "late.mkv"
    with av.open(str(CLIP)) as source, av.open(str(path), "w") as sink:
        picture = sink.add_stream("libx264", rate=25)
        picture.width, picture.height, picture.pix_fmt = 192, 108, "yuv420p"
        sound = sink.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None and packet.pts * packet.time_base < 5:
                packet.stream = sound
                sink.mux(packet)
        for number in range(75):
            frame = av.VideoFrame.from_ndarray(films.numbered(number), format="rgb24")
            frame.pts, frame.time_base = number + 50, Fraction(1, 25)
            sink.mux(picture.encode(frame))
        sink.mux(picture.encode())
    seen, _reader = pictures(path)
    first_s = seen[0].time_s  # Matroska moves everything by the sound encoder's priming, 21 ms
    assert first_s == pytest.approx(2.0, abs=0.03)
    rows = {picture.row: films.number_shown(picture.full) for picture in seen if picture.row is not None}
    assert min(rows) == 2
    for row, number in rows.items():
        assert abs(first_s + number / 25 - row) <= 0.5 / 25 + 2e-3 or row == 2
    assert seen[0].held_rows == (0, 1)
    assert analyze(path, QUICK).seconds == 6  # 2.02 + 3 s


def test_sound_longer_than_the_picture_does_not_lengthen_the_film(tmp_path: Path) -> None:
    path = tmp_path / "long-sound.mp4"
    with av.open(str(CLIP)) as source, av.open(str(path), "w") as sink:
        picture = sink.add_stream("libx264", rate=25)
        picture.width, picture.height, picture.pix_fmt = 192, 108, "yuv420p"
        sound = sink.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = sound
                sink.mux(packet)
        for number in range(75):
            frame = av.VideoFrame.from_ndarray(films.numbered(number), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            sink.mux(picture.encode(frame))
        sink.mux(picture.encode())
    features = analyze(path, QUICK)
    assert features.seconds == 3 and features.notes == ()


def test_rotated_pictures_are_shown_upright(tmp_path: Path) -> None:
    plain = films.make_film(tmp_path / "plain.mp4", 30, rate=25, size=(192, 108))
    data = bytearray(plain.read_bytes())
    # The track header's matrix, identity as written, becomes a quarter turn clockwise (as phones write it).
    at = data.index(b"tkhd")
    version = data[at + 4]
    matrix = at + 4 + (40 if version == 0 else 52)
    assert data[matrix : matrix + 4] == bytes([0, 1, 0, 0])
    turn = [0, 0x10000, 0, -0x10000, 0, 0, 108 * 0x10000, 0, 0x40000000]
    data[matrix : matrix + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in turn)
    turned = tmp_path / "turned.mp4"
    turned.write_bytes(data)
    seen, _reader = pictures(turned)
    full = seen[0].full
    assert full is not None and full.shape[:2] == (192, 108)
    # Turned a quarter clockwise, what was left is on top.
    right = np.rot90(films.numbered(0b111111000000), k=-1)
    marked = films.make_film(tmp_path / "m.mp4", 2, rate=25, picture=lambda _n: films.numbered(0b111111000000))
    data = bytearray(marked.read_bytes())
    at = data.index(b"tkhd") + 44
    data[at : at + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in turn)
    turned.write_bytes(data)
    seen, _reader = pictures(turned)
    assert seen[0].full is not None
    assert np.abs(seen[0].full.astype(int) - right).mean() < 10
    assert analyze(turned, QUICK).seconds == 1


@pytest.mark.parametrize("size", [(2, 2), (16, 200), (322, 178), (1000, 18), (4096, 16)])
def test_odd_sizes(size: tuple[int, int], tmp_path: Path) -> None:
    dice = np.random.default_rng(0)
    image = dice.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    path = films.make_film(tmp_path / "odd.mkv", 30, rate=10, size=size, codec="ffv1", picture=lambda n: image ^ n)
    features = analyze(path, QUICK)
    assert features.seconds == 3 and np.isfinite(features.emotion).all()


def test_interlaced_and_4k(tmp_path: Path) -> None:
    fields = {"x264-params": "tff=1", "flags": "+ildct+ilme"}
    path = films.make_film(tmp_path / "i.mp4", 60, rate=25, size=(192, 112), options=fields)
    seen, _reader = pictures(path)
    assert [films.number_shown(picture.full) for picture in seen if picture.row is not None] == [0, 25, 50]
    large = films.make_film(tmp_path / "large.mp4", 26, rate=25, size=(3840, 2160), options={"preset": "ultrafast"})
    seen, _reader = pictures(large)
    assert [films.number_shown(picture.full) for picture in seen if picture.row is not None] == [0, 25]
    assert seen[0].small.shape == (90, 160, 3)


def test_one_frame_and_all_black(tmp_path: Path) -> None:
    one = analyze(films.make_film(tmp_path / "one.mp4", 1), QUICK)
    assert one.seconds == 1 and one.cuts == ()
    black = np.zeros((108, 192, 3), np.uint8)
    dark = analyze(films.make_film(tmp_path / "black.mp4", 120, picture=lambda _n: black), QUICK)
    assert dark.seconds == 5 and dark.cuts == () and (dark.motion == 0).all()


def test_the_timecode_track_is_read(tmp_path: Path) -> None:
    path = tmp_path / "tc.mov"
    with av.open(str(path), "w") as container:
        container.metadata["timecode"] = "10:00:00;00"
        stream = container.add_stream("mpeg4", rate=Fraction(30000, 1001))
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for number in range(30):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1001, 30000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    film = probe(path)
    assert str(film.start_timecode) == "10:00:00;00"
    assert film.rate.drop and str(film.timecode_at(0.5)) == "10:00:00;14"


def test_a_size_no_film_has_is_refused(tmp_path: Path) -> None:
    path = films.make_film(tmp_path / "huge.avi", 2, codec="mpeg4", size=(64, 64))
    data = bytearray(path.read_bytes())
    at = data.index(b"strf") + 8 + 4
    data[at : at + 8] = (60000).to_bytes(4, "little") * 2
    path.write_bytes(data)
    try:
        analyze(path, QUICK)  # the decoder may know better than the header
    except VideoError as error:
        assert "too large" in str(error) or "no picture that can be decoded" in str(error)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "film.mp4")
    with pytest.raises(VideoError, match="is a pipe or a device, not a film"):
        open_film(tmp_path / "film.mp4")


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="marks the default track with ffmpeg")
@pytest.mark.parametrize("default", [0, 1])
def test_of_two_pictures_the_default_one_is_used(tmp_path: Path, default: int) -> None:
    path = tmp_path / "two.mkv"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=red:s=64x48:d=1:r=24", "-f", "lavfi", "-i"]
    command += ["color=blue:s=80x60:d=1:r=24", "-map", "0:v", "-map", "1:v", "-c:v", "mpeg4"]
    for stream in (0, 1):
        command += [f"-disposition:v:{stream}", "default" if stream == default else "0"]
    subprocess.run([*command, str(path)], check=True)
    with contextlib.closing(open_film(path)) as opened:
        assert opened.film.width == (64, 80)[default]
        assert f"number {default + 1} is used" in " ".join(opened.notes)


def test_pictures_before_a_stream_that_begins_further_on_are_read(tmp_path) -> None:
    """As where pieces of a recording were put together, or an address was damaged: PyAV does not know that stream."""
    path = films.make_film(tmp_path / "a.ts", 72, rate=24)
    data = bytearray(path.read_bytes())
    for at in range(len(data) // 188 * 2 // 3 * 188, len(data), 188):
        if (data[at + 1] & 0x1F, data[at + 2]) == (1, 0):  # the picture's address, 256
            data[at + 1 : at + 3] = bytes((data[at + 1] & 0xE0 | 1, 0xF0))
    path.write_bytes(data)
    with av.open(str(path)) as container, pytest.raises(IndexError):
        list(container.demux(container.streams.video[0]))
    features = analyze(path, AnalysisOptions(reading="quick"))
    assert 1.0 < features.seconds <= 3.0
    opened = open_film(path)
    try:
        assert sum(len(each.decode()) for each in packets(opened.container, opened.stream) if each.size) > 24
    finally:
        opened.close()


@pytest.mark.parametrize(("scale", "rate"), [(0x7FFFFFFF, 1), (1, 0x7FFFFFFF), (0, 0)])
def test_a_rate_that_no_camera_has_is_not_believed(tmp_path, scale: int, rate: int) -> None:
    path = films.make_film(tmp_path / "a.avi", 48, rate=24, codec="mpeg4")
    data = bytearray(path.read_bytes())
    at = data.index(b"strh") + 28
    data[at : at + 8] = struct.pack("<II", scale, rate)
    path.write_bytes(data)
    try:
        assert 0 < float(analyze(path, AnalysisOptions(reading="quick")).film.rate.fps) <= 1000
    except VideoError as error:
        assert str(error).endswith(".")


@pytest.mark.parametrize(("scale", "rate", "film"), [(17665, 24, False), (20, 1, True), (100, 1, True)])
def test_pictures_that_stand_for_minutes_are_no_film_of_hours(tmp_path, scale: int, rate: int, film: bool) -> None:
    """A header claimed 14.7 hours of 72 pictures, each second of which was looked at for a minute and more."""
    path = films.make_film(tmp_path / "a.avi", 72 if not film else 6, rate=24, codec="mpeg4")
    data = bytearray(path.read_bytes())
    at = data.index(b"strh") + 28
    data[at : at + 8] = struct.pack("<II", scale, rate)
    path.write_bytes(data)
    if film:  # a show of slides is one
        features = analyze(path, QUICK)
        assert features.seconds == scale * 6 // rate and not features.card.all()
        assert (features.colour[: scale // rate - 1] == features.colour[0]).all()
    else:
        with pytest.raises(VideoError, match=r"every 736 seconds for 14\.7 hours"):
            analyze(path, QUICK)


@pytest.mark.parametrize("size", [(640, 360), (854, 480), (322, 178)])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("name", ["yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuva420p", "nv12", "nv16"])
def test_luma_from_the_plane_is_that_of_the_colours(name: str, full: bool, size: tuple[int, int]) -> None:
    across, down = np.meshgrid(np.linspace(0, 1, size[0]), np.linspace(0, 1, size[1]))
    image = np.uint8(np.round(255 * np.stack([across, down, 1 - across], axis=2)))
    frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format=name, dst_color_range="JPEG" if full else "MPEG")
    if full:
        frame.color_range = 2
    small_size = small_picture_size(*size)
    small = frame.reformat(*small_size, "bgr24").to_ndarray()
    luma = _luma_of(frame, small_size)
    assert luma is not None and luma.shape == small.shape[:2]
    apart = luma.astype(int) - cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    assert np.abs(apart).max() <= 6 and abs(apart.mean()) <= 2


def test_luma_is_not_read_from_formats_that_do_not_begin_with_it() -> None:
    frame = av.VideoFrame.from_ndarray(np.zeros((90, 160, 3), np.uint8), "rgb24")
    for name in ("rgb24", "gbrp", "yuyv422", "yuv420p10le", "gray16le"):
        assert _luma_of(frame if name == "rgb24" else frame.reformat(format=name), (160, 90)) is None, name
