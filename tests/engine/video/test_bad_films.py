"""What people drop on a command that is no film: each gets one clear sentence, and what can be read is read."""

from __future__ import annotations

import random
import shutil
import wave
from pathlib import Path

import av
import numpy as np
import pytest

from engine.commands.analyze import main
from engine.video import AnalysisOptions, VideoError, VideoFeatures, analyze

CLIP = Path(__file__).parents[3] / "engine" / "media" / "big-buck-bunny-30s.mp4"
QUICK = AnalysisOptions(reading="quick")


def sound_only(path: Path) -> None:
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16000))


def still_picture(path: Path) -> None:
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as container:
        stream = container.add_stream("png", rate=1)
        stream.width = stream.height = 64
        stream.pix_fmt = "rgb24"
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        container.mux(stream.encode(frame))


def without_index(path: Path) -> None:
    with av.open(str(CLIP)) as source, av.open(str(path), "w", format="mp4") as target:
        picture = source.streams.video[0]
        copy = target.add_stream_from_template(picture)
        for packet in source.demux(picture):
            if packet.dts is not None:
                packet.stream = copy
                target.mux(packet)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


BAD = {
    "empty.mp4": (lambda path: path.write_bytes(b""), "is empty"),
    "folder.mp4": (lambda path: path.mkdir(), "is a folder"),
    "words.mp4": (lambda path: path.write_text("not a film\n" * 50), "is not a film"),
    "words.txt": (lambda path: path.write_text("\x1b[1mnot a film\n" * 50), "is not a film"),
    "noise.mov": (lambda path: path.write_bytes(random.Random(3).randbytes(100_000)), "is not a film"),
    "list.m3u8": (lambda path: path.write_text("#EXTM3U\n#EXTINF:10,\nhttp://localhost:1/a.ts\n"), "is not a film"),
    "words.srt": (lambda path: path.write_text("1\n00:00:01,000 --> 00:00:02,000\nhello\n"), "is not a film"),
    "sound.wav": (sound_only, "sound but no picture"),
    "still.png": (still_picture, "is a still picture"),
    "unfinished.mp4": (without_index, "was not finished"),
}


@pytest.mark.parametrize("name", ["missing.mp4", *BAD])
def test_each_gets_one_sentence_and_exit_code_2(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / name
    words = "There is no file"
    if name in BAD:
        make, words = BAD[name]
        make(file)
    with pytest.raises(VideoError, match=words) as caught:
        analyze(file, QUICK)
    assert main(["analyze", str(file), "--no-cache", "--reading", "quick"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.strip() == f"cuebridge: {caught.value}"
    assert printed.err.count("\n") == 1 and "Traceback" not in printed.err and printed.err.strip().endswith(".")


def test_sound_with_a_cover_picture_is_sound(tmp_path: Path) -> None:
    cover = tmp_path / "cover.png"
    still_picture(cover)
    song = tmp_path / "song.m4a"
    with av.open(str(CLIP)) as source, av.open(str(cover)) as art, av.open(str(song), "w", format="mp4") as target:
        sound = target.add_stream_from_template(source.streams.audio[0])
        picture = target.add_stream_from_template(art.streams.video[0])
        picture.disposition = av.stream.Disposition.attached_pic
        for origin, stream in ((art, picture), (source, sound)):
            wanted = origin.streams.video[0] if origin is art else origin.streams.audio[0]
            for packet in origin.demux(wanted):
                if packet.dts is not None:
                    packet.stream = stream
                    target.mux(packet)
    with pytest.raises(VideoError, match="sound but no picture"):
        analyze(song, QUICK)


def test_a_truncated_film_is_used_as_far_as_it_goes_and_says_so(seen_clip: VideoFeatures, tmp_path: Path) -> None:
    short = tmp_path / "short.mp4"
    short.write_bytes(CLIP.read_bytes()[:700_000])
    whole, part = seen_clip, analyze(short, QUICK)
    assert 5 < part.film.duration_s < 20
    assert part.seconds == int(np.ceil(part.film.duration_s))
    sure = part.seconds - 10  # rows whose look-ahead was not cut off
    assert part.motion[:sure] == pytest.approx(whole.motion[:sure])
    assert part.emotion[:sure] == pytest.approx(whole.emotion[:sure])
    assert any("could be read; those are used" in note for note in part.notes)


def test_flipped_bits_never_raise_anything_but_a_sentence(tmp_path: Path) -> None:
    original = CLIP.read_bytes()[:400_000]
    for seed in range(12):
        dice = random.Random(seed)
        damaged = bytearray(original)
        for _ in range(2 ** (seed % 8 + 1)):
            damaged[dice.randrange(len(damaged))] ^= 1 << dice.randrange(8)
        file = tmp_path / f"damaged-{seed}.mp4"
        file.write_bytes(damaged)
        try:
            features = analyze(file, QUICK)
        except VideoError as error:
            assert str(error).endswith(".")
        else:
            assert features.seconds == max(1, int(np.ceil(features.film.duration_s - 1e-6))) <= 40
            assert np.isfinite(features.emotion).all()


def test_a_name_that_looks_like_a_protocol_is_only_a_name(tmp_path: Path) -> None:
    odd = tmp_path / "concat:a|b %03d.mp4"
    shutil.copy(CLIP, odd)
    assert analyze(odd, AnalysisOptions(reading="quick", max_s=2)).seconds == 2
