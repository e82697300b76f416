"""The doctor's report: everything a maintainer needs, nothing that says who or where somebody is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.commands.doctor import main
from bridge.commands.doctor_report import Personal, report_text, scrubbed, write_report
from engine.music.errors import UserError

ANNA = Personal(("/home/anna", "C:\\Users\\Anna"), ("anna", "Schmidt"), ("studio-pc.local", "studio-pc"))
NAMES = st.text(st.characters(categories=("Lu", "Ll", "Nd")), min_size=2, max_size=12)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("/home/anna/films can be written", "<path> can be written"),
        ("the film is /Volumes/Big Drive/Secret Film.mov.", "the film is <path>."),
        ("C:\\Users\\Anna\\Documents\\Ableton is missing", "<path> is missing"),
        (r"kept on D:\Films\Secret Film\reel 1.mov", "kept on <path>"),
        (r"it is on \\nas\films\secret.mov", "it is on <path>"),
        ("MIDI input Anna's iPhone, on STUDIO-PC", "MIDI input <user>'s iPhone, on <computer>"),
        ("ask anna.schmidt@studio.example about 192.168.1.17", "ask <person> about <address>"),
        ("UnicodeDecodeError: 'utf-8' codec can't decode byte 0xe9", None),
        ("UDP 9317 on 127.0.0.1 is free; /cue/play and /daw/hello answer", None),
        ("In this Live 11.3.43, markers cannot be named (CuePoint.name: it can be read only).", None),
        ("4/4, 29.97 DF, version 7.60/linux-x86_64, script 2 in CPython 3.11.6", None),
        ("python-rtmidi, alsa; 1.5 ms", None),
    ],
)
def test_sentences(text, wanted):
    assert scrubbed(text, ANNA) == (text if wanted is None else wanted)


@given(
    NAMES, NAMES, st.lists(NAMES, min_size=1, max_size=4), st.sampled_from(["/home/{}", "/Users/{}", "C:\\Users\\{}"])
)
@example("live", "reaper", ["films"], "/home/{}")
def test_no_name_and_no_folder_is_ever_left(user, host, folders, home):
    home = home.format(user)
    separator = "\\" if "\\" in home else "/"
    path = separator.join([home, *folders])
    personal = Personal((home,), (user,), (host,))
    rows = [(f"port of {user}", True, f"'{path}' is {user}'s, on {host}.", f"look into {path} again")]
    text = report_text(rows, personal)
    body = text.split("\n\n", 2)[2].lower()
    for piece in (path, home):
        assert piece.lower() not in body
    import re

    for name in (user, host):
        left = re.sub(r"<user>|<computer>|<path>", "", body)
        assert not re.search(rf"(?<![^\W_]){re.escape(name.lower())}(?![^\W_])", left) or name.lower() in BOILERPLATE


BOILERPLATE = "port of is s on look into again ok"


def test_nothing_is_overwritten(tmp_path, capsys):
    path = tmp_path / "report.txt"
    write_report(path, "one")
    with pytest.raises(UserError, match="already"):
        write_report(path, "two")
    with pytest.raises(UserError, match="already"):
        main(["--report", str(path)])
    assert path.read_text() == "one"
    with pytest.raises(UserError, match="cannot be written"):
        write_report(tmp_path / "none" / "report.txt", "x")


def test_the_command_writes_what_it_shows(tmp_path):
    path = tmp_path / "report.txt"
    call = [sys.executable, "-m", "bridge.cli", "doctor", "--report", str(path), "--listen", "0", "--osc-port", "1"]
    done = subprocess.run(call, capture_output=True, text=True, timeout=120, cwd=Path(__file__).parents[3])
    assert path.is_file(), done.stderr
    text = path.read_text()
    assert text.startswith("CueBridge report") and "Python 3." in text and "working folder" in text
    assert (
        str(Path.home()) + "/" not in text and str(tmp_path) not in text and str(Path(__file__).parents[3]) not in text
    )
