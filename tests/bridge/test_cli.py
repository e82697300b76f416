"""The command line: answers at once, says one sentence, passes exit codes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.cli import BRIDGE, CHILDREN, app

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str, timeout: float = 60.0):
    return subprocess.run(
        [sys.executable, "-m", "bridge.cli", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=timeout,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_help_names_every_command_and_comes_at_once() -> None:
    took = []
    for _ in range(3):
        before = os.times()
        result = run("--help")
        after = os.times()
        took.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert result.returncode == 0
    assert all(f"  {name} " in result.stdout for name in (*CHILDREN, *BRIDGE))
    assert min(took) < 0.4, took  # seconds of CPU time: what the machine does beside it is none of it


def test_help_of_live_is_quick_too_and_complete() -> None:
    result = run("live", "--help")
    assert result.returncode == 0 and "--progression" in result.stdout and "--osc-port" in result.stdout


def test_version_and_nonsense(capsys) -> None:
    assert app(["--version"]) == 0
    assert capsys.readouterr().out.startswith("cuebridge ")
    assert app(["fly"]) == 2
    assert capsys.readouterr().err.startswith("cuebridge: 'fly' is not a command")
    assert app([]) == 2


@pytest.mark.parametrize(
    ("arguments", "token"),
    [
        (["live", "nowhere.mp4"], "nowhere.mp4"),
        (["live", __file__, "--key", "X major"], "X major"),
        (["live", __file__, "--progression", "C J7"], "J7"),
        (["live", __file__, "--swing", "90"], "50 to 75"),
        (["live", __file__, "--swing", "much"], "much"),
        (["live", __file__, "--parts", "kazoo"], "kazoo"),
        (["live", __file__, "--osc-port", "99999"], "99999"),
        (["live", __file__, "--loop", "5", "2"], "5 to 2"),
        (["live", __file__, "--once", "--sync", "mtc"], "--once"),
        (["live", __file__, "--out", "/no/such/folder/x.mid"], "/no/such/folder"),
        (["live", __file__, "--wings"], "--wings"),
        (["live", __file__, "--out-at", "3", "--in", "9"], "9"),
    ],
)
def test_what_cannot_be_is_one_sentence(arguments, token, capsys) -> None:
    assert app(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("cuebridge: ") and error.count("\n") == 1 and token in error


def test_a_damaged_session_is_one_sentence(tmp_path, capsys) -> None:
    path = tmp_path / "x.cuebridge.json"
    path.write_text('{"format": "cuebridge-session", "version": 1}')
    assert app(["live", str(path)]) == 2
    assert "damaged" in capsys.readouterr().err


def test_the_table_is_printed_as_document_and_as_json(capsys) -> None:
    assert app(["osc"]) == 0
    assert capsys.readouterr().out == (ROOT / "docs" / "osc.md").read_text(encoding="utf-8")
    assert app(["osc", "--json"]) == 0
    assert "cue" in json.loads(capsys.readouterr().out)["CONTENTS"]


def test_ports_and_doctor_report_as_json() -> None:
    ports = run("ports", "--json")
    assert ports.returncode == 0 and all("available" in each for each in json.loads(ports.stdout))
    doctor = run("doctor", "--json")
    findings = json.loads(doctor.stdout)
    assert {"OSC port", "timer"} <= {each["name"] for each in findings}
    assert doctor.returncode == (2 if any(each["ok"] is False for each in findings) else 0)


def test_a_child_gives_us_its_exit_code() -> None:
    result = run("compose", "nowhere.mp4")
    assert result.returncode == 2 and "nowhere.mp4" in result.stderr and "Traceback" not in result.stderr
