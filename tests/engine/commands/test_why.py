"""`cuebridge why`: of a film, of a session, of a running `live`: the same words; and what it refuses."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from golden import stored
from livelab import CLIP, Live, short_film

from bridge.commands.why import main as why_command
from engine.__main__ import main
from engine.document.file import SUFFIX
from engine.music import UserError

FIXTURES = Path(__file__).resolve().parents[1] / "document" / "fixtures"
PLACES = ("1|1", "3|1", "5|2.5", "7|1")


def run(*words: str) -> subprocess.CompletedProcess[str]:
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        code = main(words)
    return subprocess.CompletedProcess(words, code, out.getvalue(), errors.getvalue())


def asked_offline(stage, place: str) -> list[object]:
    before = len(stage.answers)
    stage.osc("/cue/why", place)
    stage.run(0.1)
    (values,) = [values for address, values in stage.answers[before:] if address == "/cue/why"]
    return list(values)


@pytest.mark.parametrize(
    "words", [("--bpm", "90"), ("--progression", "Dm Bb F C", "--form", "none"), ("--bpm", "72", "--take", "3")]
)
def test_a_film_is_explained_as_the_running_live_does(words, tmp_path, monkeypatch):
    with stored.live(str(CLIP), *words, folder=tmp_path, network=True) as stage:
        for place in PLACES:
            live = asked_offline(stage, place)
            with monkeypatch.context() as patch:
                facts = json.loads(stored.command(patch, "why", place, str(CLIP), "--json", *words, network=True))
            assert [facts[name] for name in ("start_s", "end_s")] == pytest.approx(live[:2])
            assert [facts["name"], facts["who"]] == live[2:4]
            assert facts["lines"] == [value for value in live[5:] if isinstance(value, str) and " " in value]


def test_a_session_is_explained_as_it_was_saved(tmp_path, cache):
    first = str(tmp_path / f"first{SUFFIX}")
    with stored.live(str(CLIP), "--session", first, folder=tmp_path, network=True) as stage:
        stage.osc("/cue/chords/pin", "E7", 9.0)
        stage.run(0.1)
        stage.ready()
        session = tmp_path / f"film{SUFFIX}"
        stage.osc("/cue/save", str(session))
        stage.run(1.0)
        expected = [asked_offline(stage, place)[2:4] for place in PLACES]
        (tempo_map, starts_s) = stage.session.document.result.tempo_map, stage.session.document.result.starts_s
        pinned = tempo_map.bar_beat_at(tempo_map.beats_at(9.0 + starts_s))
    for place, (name, who) in zip(PLACES, expected, strict=True):
        facts = json.loads(run("why", place, str(session), "--cache-dir", cache, "--json").stdout)
        assert (facts["name"], facts["who"]) == (name, who)
    said = run("why", f"{pinned.bar}|{pinned.beat}", str(session), "--cache-dir", cache).stdout
    assert "Chord    E7: bar " in said and "Why      You wrote E7 here." in said


def test_a_session_that_other_networks_composed_is_explained_with_a_caution(tmp_path, cache):
    session = tmp_path / f"one{SUFFIX}"
    shutil.copy(FIXTURES / f"one-cue-v2{SUFFIX}", session)
    (tmp_path / "film.mp4").symlink_to(CLIP)
    said = run("why", "3|1", str(session), "--cache-dir", cache)
    assert said.returncode == 0, said.stderr
    assert "It was composed with other networks" in said.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("99|1", str(CLIP)), "there is no chord at 99|1: the music goes from 1|1 to"),
        (("400", str(CLIP)), "there is no chord at 400: the music goes"),
        (("0|1", str(CLIP)), "'0|1' is not a place in the music; write bar|beat as in 12|1, or seconds of the film."),
        (("01:00:00:00", str(CLIP)), "is not a place in the music"),
        (("-3", str(CLIP)), "is not a place in the music"),
        (("nan", str(CLIP)), "is not a place in the music"),
        (("2|1", "absent.mp4"), "There is no file absent.mp4."),
        (("2|1", str(CLIP), "--takes", "3"), "--takes is for `cuebridge compose`; `why` explains one take"),
        (("2|1", str(CLIP), "-o", "x.mid"), "--output goes with `compose`"),
        (("2|1", str(CLIP), "--progression", "Xm C"), "Xm"),
        (("2|1", f"absent{SUFFIX}"), f"absent{SUFFIX}"),
    ],
)
def test_what_cannot_be_explained_is_refused_in_a_sentence(words, sentence, cache):
    done = run("why", *words, "--cache-dir", cache)
    assert done.returncode == 2 and not done.stdout
    assert sentence in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_of_a_session_nothing_else_is_asked(tmp_path):
    done = run("why", "2|1", str(tmp_path / f"film{SUFFIX}"), "--key", "Dm")
    assert done.returncode == 2 and "--key is in the session already" in done.stderr


@pytest.mark.slow
def test_the_running_live_is_asked_where_no_film_is_named(tmp_path, capsys):
    with Live(short_film(tmp_path / "short.mp4", 6.0), tmp_path, "--midi-api", "none", "--no-session") as live:
        live.ready()
        port = ("--port", str(live.osc_port))
        assert why_command(["1|1", *port]) == 0
        said = capsys.readouterr().out.splitlines()
        assert said[0].startswith("Chord    ") and said[1].startswith("Why      ") and "picture there" in "".join(said)
        with pytest.raises(UserError, match="no chord at"):
            why_command(["400|1", *port])
        with pytest.raises(UserError, match=r"bar\|beat"):
            why_command(["here", *port])


def test_nobody_answers(capsys):
    with pytest.raises(UserError, match=r"nothing answers on .* name a film or session"):
        why_command(["1|1", "--port", "9"])
