"""`python -m engine compose`: what it writes, what it says, how it refuses, how it stops."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from engine.__main__ import main

ROOT = Path(__file__).resolve().parents[3]


def program(*words: str) -> subprocess.CompletedProcess[str]:
    """As a person starts it."""
    command = [sys.executable, "-m", "engine", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT, check=False)


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """The same in this process, which has loaded everything already."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        code = main(words)
    return subprocess.CompletedProcess(words, code, out.getvalue(), errors.getvalue())


def test_it_writes_a_midi_file_and_reports_what_was_composed(clip, cache, tmp_path):
    out = tmp_path / "scene.mid"
    asked = ("--progression", "Dm Bb F C", "--key", "Dm", "--bpm", "97", "--take", "3", "--parts", "pad,bass")
    done = program("compose", str(clip), "-o", str(out), "--cache-dir", cache, "--json", "--form", "none", *asked)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["key"] == "D minor" and facts["bpm"] == 97 and facts["take"] == 3 and facts["film"]["cuts"] == 11
    assert [row["chord"] for row in facts["chords"][:4]] == ["Dm", "Bb", "F", "C"]
    assert facts["chords"][0]["from"] == "progression" and facts["chords"][-1]["from"] == "network"
    assert facts["notes_per_part"]["pad"] > 20 and facts["notes_per_part"]["bass"] > 10
    assert facts["notes_per_part"]["arp"] == 0
    assert {"analysis", "composition", "whole"} <= set(facts["seconds"]) and facts["peak_memory_mib"]["composing"] > 50

    import pretty_midi

    midi = pretty_midi.PrettyMIDI(str(out))
    assert sum(len(track.notes) for track in midi.instruments) == sum(facts["notes_per_part"].values())
    assert midi.get_tempo_changes()[1][0] == pytest.approx(97, abs=0.01)


def test_a_planned_cue_keeps_the_key_and_the_chords_that_were_asked_for(clip, cache, tmp_path):
    asked = ("--progression", "Dm Bb F C", "--key", "Dm", "--bpm", "97", "--take", "3", "--parts", "pad,bass")
    done = run("compose", str(clip), "-o", str(tmp_path / "x.mid"), "--cache-dir", cache, "--json", *asked)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["key"] == "D minor" and facts["bpm"] == 97
    assert [row["chord"] for row in facts["chords"][:4]] == ["Dm", "Bb", "F", "C"]
    assert facts["notes_per_part"]["pad"] and facts["notes_per_part"]["bass"] and not facts["notes_per_part"]["arp"]


def test_parts_that_have_nothing_to_play_are_said(clip, cache, tmp_path):
    asked = ("--parts", "drums", "--ensemble", "chamber")
    done = run("compose", str(clip), "-o", str(tmp_path / "x.mid"), "--cache-dir", cache, *asked)
    assert done.returncode == 0, done.stderr
    assert "Notes    none: what is planned here has nothing for the parts that play" in done.stdout


def test_the_same_command_writes_the_same_bytes(clip, cache, tmp_path):
    files = [tmp_path / name for name in ("a.mid", "b.mid")]
    for file in files:
        done = program("compose", str(clip), "-o", str(file), "--cache-dir", cache, "--take", "2")
        assert done.returncode == 0, done.stderr
        assert "Chords" in done.stdout and "Written" in done.stdout and "Key " in done.stdout
    assert files[0].read_bytes() == files[1].read_bytes()


def test_several_takes_get_names(clip, cache, tmp_path):
    done = run("compose", str(clip), "-o", str(tmp_path / "x.mid"), "--takes", "3", "--cache-dir", cache, "--json")
    assert done.returncode == 0, done.stderr
    assert [Path(facts["file"]).name for facts in json.loads(done.stdout)] == ["x_A.mid", "x_B.mid", "x_C.mid"]
    assert len({(tmp_path / f"x_{letter}.mid").read_bytes() for letter in "ABC"}) == 3


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--progression", "C J7"), "J7"),
        (("--key", "X major"), "X major"),
        (("--bpm", "5000"), "--bpm"),
        (("--meter", "4-4"), "4-4"),
        (("--grid", "bars"), "grid"),
        (("--grid", "seconds", "--bpm", "97"), "seconds grid"),
        (("--mode", "loop"), "--progression"),
        (("--take", "0"), "take"),
        (("--takes", "0"), "--takes"),
        (("--parts", "pad,flute"), "flute"),
        (("--adventurous", "11"), "--adventurous"),
        (("--tempo-map", "none.mid"), "none.mid"),
        (("--picture-starts-at", "noon"), "noon"),
        (("--reading", "slow"), "reading"),
        (("-o", "no/such/folder/x.mid"), "folder"),
        (("--loud",), "--loud"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence_before_anything_is_looked_at(clip, words, part, tmp_path):
    done = run("compose", str(clip), *words)
    assert done.returncode == 2
    assert part in done.stderr and done.stderr.startswith("cuebridge: ") and done.stderr.count("\n") == 1


@pytest.mark.parametrize(("name", "content"), [("none.mp4", None), ("text.mp4", b"not a film"), ("empty.mp4", b"")])
def test_a_file_that_is_no_film_is_refused_in_one_sentence(tmp_path, name, content):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    done = run("compose", str(path), "-o", str(tmp_path / "x.mid"), "--no-cache")
    assert done.returncode == 2 and not (tmp_path / "x.mid").exists()
    assert done.stderr.startswith("cuebridge: ") and name in done.stderr and done.stderr.count("\n") == 1


def test_the_film_is_never_overwritten(clip, tmp_path):
    film = tmp_path / "film.mp4"
    film.write_bytes(clip.read_bytes())
    done = run("compose", str(film), "-o", str(film))
    assert done.returncode == 2 and "would be overwritten" in done.stderr and done.stderr.count("\n") == 1
    assert film.read_bytes() == clip.read_bytes()


def test_a_name_that_cannot_be_asked_for_is_one_sentence(tmp_path):
    done = run("compose", str(tmp_path / ("x" * 300)))
    assert done.returncode == 2 and "cannot be read" in done.stderr and done.stderr.count("\n") == 1


def test_ctrl_c_stops_it_with_130_and_leaves_nothing(clip, tmp_path):
    command = [sys.executable, "-m", "engine", "compose", str(clip), "-o", str(tmp_path / "x.mid"), "--no-cache"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    end = time.monotonic() + 30
    while not psutil.Process(process.pid).children() and time.monotonic() < end:
        time.sleep(0.02)
    children = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    out, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert b"Traceback" not in errors and out == b""
    _gone, alive = psutil.wait_procs(children, timeout=10)
    assert not alive and list(tmp_path.iterdir()) == []


def test_an_unknown_command_is_refused():
    done = program("dance")
    assert done.returncode == 2 and "compose" in done.stderr


def test_a_theme_of_ones_own_is_what_the_melody_plays(clip, cache, tmp_path):
    from engine.commands.compose import main as compose
    from engine.midifile import read_midi
    from engine.music import UserError

    out = tmp_path / "own.mid"
    words = [
        str(clip),
        "-o",
        str(out),
        "--key",
        "D",
        "--ensemble",
        "strings",
        "--form",
        "montage",
        "--cache-dir",
        cache,
    ]
    assert compose([*words, "--theme", "1:1.5 5:.5 3:2 | 2:3 R:1"]) == 0
    melody = [note for note in read_midi(out).notes if note.part.startswith("melody")]
    assert len(melody) >= 8
    steps = [(melody[k + 1].pitch - melody[k].pitch) % 12 for k in range(3)]
    assert steps in ([7, 9, 10], [7, 8, 11])  # in major or in minor
    with pytest.raises(UserError, match="zig"):
        compose([*words, "--theme", "zig zag"])


def test_general_midi_programs_are_written_only_where_they_are_asked_for(clip, cache, tmp_path):
    import mido

    asked = ("--cache-dir", cache, "--ensemble", "strings", "--key", "C", "--take", "2")
    for name, more in (("plain", ()), ("gm", ("--gm",))):
        done = run("compose", str(clip), "-o", str(tmp_path / f"{name}.mid"), *asked, *more)
        assert done.returncode == 0, done.stderr
    plain, gm = (mido.MidiFile(tmp_path / f"{name}.mid") for name in ("plain", "gm"))
    assert not [m for track in plain.tracks for m in track if m.type == "program_change"]
    found = {}
    for track in gm.tracks:
        changes = [m for m in track if m.type == "program_change"]
        notes = [m for m in track if m.type == "note_on"]
        assert len(changes) == bool(notes)  # one ensemble, one cue
        if notes:
            assert list(track).index(changes[0]) < list(track).index(notes[0])
            assert changes[0].channel == notes[0].channel
            found[track.name] = changes[0].program
    assert found["Pad"] == 48 and found["Bass"] == 43
    kept = [[m for m in track if m.type != "program_change"] for track in gm.tracks]
    assert [[str(m) for m in track if m.type != "end_of_track"] for track in kept] == [
        [str(m) for m in track if m.type != "end_of_track"] for track in plain.tracks
    ]


def test_programs_do_not_go_with_versions(clip, cache, tmp_path):
    done = run("compose", str(clip), "-o", str(tmp_path), "--takes", "2", "--vary", "key", "--gm")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "--vary" in done.stderr


def test_each_cue_is_reported_with_its_own_tempo_and_key(clip, cache, tmp_path):
    cues = ("--cue", "1m1 0 14 key=Am bpm=96", "--cue", "1m2 14 30 key=F bpm=120")
    done = run("compose", str(clip), "-o", str(tmp_path / "x.mid"), "--cache-dir", cache, "--form", "none", *cues)
    assert done.returncode == 0, done.stderr
    rows = [line.split(maxsplit=1)[1] for line in done.stdout.splitlines() if line.startswith("Cue ")]
    assert rows == ["1m1 0.0 to 14.0 s, 96 bpm, A minor", "1m2 14.0 to 30.0 s, 120 bpm, F major"]
