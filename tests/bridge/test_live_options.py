"""What `live` refuses before it starts anything: one sentence each."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from bridge.commands.live_options import parse
from bridge.session.file.film_file import fingerprint
from engine.music import UserError


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--bpm", "5"], "--bpm: tempo is a number from 20 to 400 (quarter notes a minute), not 5."),
        (["--bpm", "nan"], "--bpm: tempo is a number from 20 to 400 (quarter notes a minute), not nan."),
        (["--frame-rate", "26"], "--frame-rate 26: timecode runs at 23.976, 24"),
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


def test_a_film_that_the_system_refuses_to_ask_for_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        parse([str(tmp_path / ("x" * 300))])


@pytest.mark.parametrize("option", ["--out", "--record", "--session"])
def test_the_film_is_never_overwritten(option: str, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"x")
    with pytest.raises(UserError, match="would be overwritten"):
        parse([str(film), option, str(film)])


def test_a_folder_is_no_film(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is a folder, not a film"):
        parse([str(tmp_path)])


def test_the_tempi_of_compose_are_taken(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"x")
    for bpm in (20, 400):
        assert parse([str(film), "--bpm", str(bpm)]).session.tempo.bpm == bpm
    assert parse([str(film), "--frame-rate", "29.97 DF"]).player.sync.frame_rate == "29.97 DF"


def test_a_session_that_is_there_goes_on_and_no_other_is_begun_over_it(tmp_path, monkeypatch) -> None:
    film, session = tmp_path / "film.mp4", tmp_path / "mine.cuebridge.json"
    film.write_bytes(bytes(range(256)) * 1000)
    arguments = [str(film), "--session", str(session)]
    assert parse(arguments).saved is None
    session.write_text("{")
    with pytest.raises(UserError, match="no JSON"):
        parse(arguments)
    kept = SimpleNamespace(steps=(), takes=(), fingerprint=fingerprint(film))
    monkeypatch.setattr("bridge.commands.live_options.read_session", lambda path: kept)
    plan = parse(arguments)
    assert plan.saved is kept and plan.session_file == session
    kept.fingerprint = "another"
    with pytest.raises(UserError, match="another film"):
        parse(arguments)


def test_a_session_is_not_written_over_that_of_another_film(tmp_path, monkeypatch) -> None:
    one, two = tmp_path / "one.cuebridge.json", tmp_path / "two.cuebridge.json"
    one.write_text("{}")
    kept = {name: SimpleNamespace(steps=(), takes=(), fingerprint=name) for name in (one.name, two.name)}
    monkeypatch.setattr("bridge.commands.live_options.read_session", lambda path: kept[path.name])
    monkeypatch.setattr("bridge.commands.live_options._film_of", lambda saved, session, moved: tmp_path / "film.mp4")
    arguments = [str(one), "--session", str(two)]
    assert parse(arguments).session_file == two
    two.write_text("{}")
    with pytest.raises(UserError, match=r"two\.cuebridge\.json is the session of another film than one"):
        parse(arguments)
    kept[two.name] = kept[one.name]  # of the same film: a person who names it means it
    plan = parse(arguments)
    assert plan.session_file == two and plan.saved is kept[one.name]
