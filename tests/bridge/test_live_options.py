"""What `live` refuses before it starts anything: one sentence each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bridge.commands.live_options import parse
from bridge.session.file.autosave import saved_state
from engine.document.file import SessionWriter, read_session, write_session
from engine.document.file.film_file import fingerprint
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


@pytest.fixture
def kept(stage, tmp_path):
    """kept(film, seed, session): a film's file with its own content, and a session of it that was saved."""

    def make(film: str, seed: int, session: str) -> tuple[Path, Path]:
        path, file = tmp_path / film, tmp_path / session
        path.write_bytes(bytes((seed + number) % 256 for number in range(2000)))
        made = stage(4.0, film=str(path)).session
        made.film.analysed = replace(made.analysed, film=replace(made.analysed.film, path=str(path)))
        write_session(file, SessionWriter().encode(saved_state(made, fingerprint(path))))
        return path, file

    return make


def test_a_session_that_is_there_goes_on_and_no_other_is_begun_over_it(kept, tmp_path) -> None:
    film, session = kept("film.mp4", 0, "mine.cuebridge.json")
    arguments = [str(film), "--session", str(session)]
    plan = parse(arguments)
    assert plan.saved == read_session(session) and plan.session_file == session
    assert parse([str(film), "--session", str(tmp_path / "new.cuebridge.json")]).saved is None
    other, _ = kept("other.mp4", 1, "other.cuebridge.json")
    before = session.read_bytes()
    with pytest.raises(UserError, match="another film"):
        parse([str(other), "--session", str(session)])
    session.write_text("{")
    with pytest.raises(UserError, match="no JSON"):
        parse(arguments)
    assert before != session.read_bytes() == b"{"


def test_a_session_is_not_written_over_that_of_another_film(kept, tmp_path) -> None:
    film, one = kept("one.mp4", 0, "one.cuebridge.json")
    _, two = kept("two.mp4", 1, "two.cuebridge.json")
    new = tmp_path / "new.cuebridge.json"
    assert parse([str(one), "--session", str(new)]).session_file == new
    before = two.read_bytes()
    with pytest.raises(UserError, match=r"two\.cuebridge\.json is the session of another film than one"):
        parse([str(one), "--session", str(two)])
    assert two.read_bytes() == before
    two.write_bytes(one.read_bytes())  # of the same film: a person who names it means it
    plan = parse([str(one), "--session", str(two)])
    assert plan.session_file == two and plan.saved == read_session(one)
    assert plan.session.film == str(film)
