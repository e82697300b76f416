"""What `live` refuses before it starts anything: one sentence each."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from bridge.commands.live_options import parse
from engine.music import UserError


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--bpm", "5"], "--bpm is 20 to 400, not 5."),
        (["--bpm", "nan"], "--bpm is 20 to 400, not nan."),
        (["--frame-rate", "abc"], "'abc' is not a frame rate"),
        (["--out", "FOLDER"], "is a folder; name a file in it."),
        (["--record", "FOLDER"], "is a folder; name a file in it."),
        (["--out", "FOLDER/none/x.mid"], "there is no folder"),
    ],
)
def test_what_cannot_be_is_said_at_once(words: list[str], sentence: str, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"x")
    with pytest.raises(UserError) as refused:
        parse([str(film), *(word.replace("FOLDER", str(tmp_path)) for word in words)])
    assert sentence in str(refused.value)


@pytest.mark.parametrize(("role", "source"), [("--sync", "link"), ("--tempo", "link"), ("--sync", "jack")])
def test_a_source_whose_extra_is_absent_is_refused_at_once(
    role: str, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be waited for in vain."""
    film = tmp_path / "film.mp4"
    film.write_bytes(b"x")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=rf"needs the extra: pip install 'cuebridge\[{source}\]'"):
        parse([str(film), role, source])


def test_a_folder_is_no_film(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is a folder, not a film"):
        parse([str(tmp_path)])


def test_the_tempi_of_compose_are_taken(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"x")
    for bpm in (20, 400):
        assert parse([str(film), "--bpm", str(bpm)]).session.tempo.bpm == bpm
    assert parse([str(film), "--frame-rate", "29.97 DF"]).player.sync.frame_rate == "29.97 DF"
