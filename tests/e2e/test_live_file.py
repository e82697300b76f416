"""`live` on a machine without a MIDI system: what is played goes to a .mid, said aloud, and is what was composed."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from livelab import COMMAND, Live, compose, environment, short_film

SECONDS = 5.0


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def film(home):
    return short_film(home / "short.mp4", SECONDS)


def notes(path):
    from engine.midifile import read_midi

    score = read_midi(path)
    return sorted((note.channel, note.pitch, note.velocity, round(note.start_beats, 2)) for note in score.notes)


@pytest.mark.slow
@pytest.mark.parametrize("grid", ["beats", "seconds"])
def test_played_to_the_end_the_file_is_the_composition(home, film, grid):
    out = home / f"{grid}-live.mid"
    compose(film, home / f"{grid}.mid", home, "--grid", grid)
    result = subprocess.run(
        [*COMMAND, "live", str(film), "--play", "--once", "--midi-api", "none", "--out", str(out), "--grid", grid,
         "--osc-port", "0"],
        capture_output=True, text=True, env=environment(home), timeout=120, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert "no MIDI" in result.stdout and str(out) in result.stdout
    played, composed = notes(out), notes(home / f"{grid}.mid")
    assert [note[:3] for note in played] == [note[:3] for note in composed]
    assert all(abs(one[3] - other[3]) < 0.03 for one, other in zip(played, composed, strict=True))


@pytest.mark.slow
def test_a_session_goes_on_where_it_was_and_without_edits_there_is_none(home, film):
    arguments = ("--midi-api", "none")
    with Live(film, home, *arguments) as live:
        live.ready()
        assert live.quit() == 0
    assert not list(home.glob("*.cuebridge.json"))
    with Live(film, home, *arguments) as live:
        live.ready()
        live.send("/cue/progression", "Dm Bb Gm A7")
        live.wait(lambda line: line.get("chord") == "Dm" and line.get("whole"), "the new chords")
        live.send("/cue/take/keep", "dusk")
        assert live.quit() == 0
    (session,) = home.glob("*.cuebridge.json")
    data = json.loads(session.read_text())
    assert [take["name"] for take in data["takes"]] == ["dusk"]
    os.rename(film, home / "moved.mp4")
    try:
        with Live(session, home, *arguments) as live:
            ready = live.ready()
            assert ready["chord"] == "Dm" and ready["take_name"] == "dusk" and ready["take_kept"]
            answer = live.send("/cue/undo")
            assert next(iter(answer.params)) == "progression"
            assert live.quit() == 0
    finally:
        os.rename(home / "moved.mp4", film)


def test_the_film_of_a_session_that_is_nowhere_is_asked_for(home, tmp_path):
    session = Path(__file__).parents[1] / "engine/document/fixtures/one-cue-v2.cuebridge.json"
    alone = tmp_path / session.name
    data = json.loads(session.read_text())
    data["film"]["path"] = "/no/such/film.mp4"
    data["film"]["fingerprint"] = "0"
    alone.write_text(json.dumps(data))
    result = subprocess.run(
        [*COMMAND, "live", str(alone), "--osc-port", "0"], capture_output=True, text=True, env=environment(home),
        timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert result.returncode == 2 and "--film" in result.stderr and result.stderr.count("\n") == 1
