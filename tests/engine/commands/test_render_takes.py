"""`render SESSION --board DIR`: the takes of a session as films for somebody without the program."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from golden import stored
from livelab import CLIP

from bridge.session.file.autosave import saved_state
from engine.commands import render
from engine.document.file import SessionWriter, write_session
from engine.music import UserError
from engine.sound.burn_in import burn_in

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    """The clip, smaller and with half its pictures: to write it twice is most of what these tests cost."""
    path = tmp_path_factory.mktemp("film") / "clip.mp4"
    with av.open(str(CLIP)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=12, options={"preset": "ultrafast", "crf": "12"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for frame in itertools.islice(source.decode(video=0), 0, None, 2):
            target.mux(stream.encode(frame.reformat(320, 180, "yuv420p")))
        target.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def session(film) -> Path:
    path = film.with_name("clip.cuebridge.json")
    with stored.live(str(film), folder=film.parent) as stage:
        stage.osc("/cue/take/new")
        stage.ready()
        saved = saved_state(stage.session, "0" * 64)
    assert saved is not None and len(saved.takes) == 2
    reading = replace(saved.reading, film=replace(saved.reading.film, path=str(film)))
    write_session(path, SessionWriter().encode(replace(saved, reading=reading), path))
    return path


def frames(path: Path, wanted: tuple[int, ...]) -> tuple[list[np.ndarray], float]:
    """Luma of some frames, and the seconds of the picture."""
    found = []
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        for number, frame in enumerate(film.decode(stream)):
            if number in wanted:
                found.append(frame.to_ndarray(format="yuv420p")[: frame.height].astype(int))
            if number >= max(wanted):
                break
        return found, float(stream.duration * stream.time_base)


def test_each_take_is_a_film_with_letter_and_timecode(session, film, tmp_path, capsys) -> None:
    folder = tmp_path / "board"
    assert render.main([str(session), "--board", str(folder), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["take"] for row in rows] == ["A", "B"]
    assert sorted(path.name for path in folder.iterdir()) == [f"{film.stem}-take-A.mp4", f"{film.stem}-take-B.mp4"]
    assert abs(rows[0]["lufs"] - rows[1]["lufs"]) < 0.6  # equally loud
    (first, later), length_s = frames(folder / f"{film.stem}-take-A.mp4", (10, 11))
    (other,), other_s = frames(folder / f"{film.stem}-take-B.mp4", (10,))
    (plain,), plain_s = frames(film, (10,))
    assert length_s == pytest.approx(plain_s, abs=0.1) and other_s == length_s
    high, wide = first.shape
    letter = np.s_[: round(0.16 * high), : round(0.15 * wide)]
    timecode = np.s_[round(0.9 * high) :, : round(0.55 * wide)]
    middle = np.s_[round(0.3 * high) : round(0.7 * high), :]
    assert np.abs(first - plain)[letter].max() > 100 and np.abs(first - other)[letter].max() > 100
    assert np.abs(first - plain)[timecode].max() > 100 and np.abs(first - later)[timecode].max() > 60
    assert np.abs(first - other)[timecode].max() < 60  # one frame, one timecode, in both takes
    assert np.abs(first - plain)[middle].mean() < 3
    # What is there is not made anew unasked.
    with pytest.raises(UserError):
        render.main([str(session), "--board", str(folder)])
    with pytest.raises(UserError, match="names the folder"):
        render.main([str(session), "--board", str(tmp_path / "x"), "-o", str(tmp_path / "y.mp4")])
    with pytest.raises(UserError, match="takes a session"):
        render.main([str(CLIP), "--board", str(tmp_path / "x")])


@pytest.mark.parametrize("size", [(64, 48), (640, 360), (3840, 2160)])
def test_words_fit_any_picture(size) -> None:
    wide, high = size
    grey = av.VideoFrame.from_ndarray(np.full((high * 3 // 2, wide), 128, np.uint8), format="yuv420p")
    grey.pts = 7
    made = burn_in(grey, "AB", "01:00:00:00")
    luma = made.to_ndarray()[:high]
    assert made.pts == 7 and (made.width, made.height) == size
    assert luma.max() == 235 and luma.min() == 16
    assert (luma[high // 3 : high // 2] == 128).all()
