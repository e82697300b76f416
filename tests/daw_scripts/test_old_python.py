"""REAPER's and Live's scripts in the Pythons they will meet: 3.7 (Live 11, old systems) to the newest that is here."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from bridge.daw.link import PrintJob, PrintPart
from engine.music.note import Note

SCRIPTS = {
    "reaper": "daw_scripts/reaper/Scripts/cuebridge.py",
    "live": "daw_scripts/ableton/CueBridge/cuebridge.py",
}


def interpreter(version):
    """A Python of that version: on the path, or among pyenv's."""
    found = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"))
    return str(found[-1]) if found else shutil.which(f"python{version}")


@pytest.mark.parametrize("version", ["3.7", "3.13"])
@pytest.mark.parametrize("kind", sorted(SCRIPTS))
def test_the_script_runs(kind, version, desk, tmp_path, repository):
    python = interpreter(version)
    if python is None or subprocess.run([python, "-c", "import ctypes, socket"], capture_output=True).returncode:
        pytest.skip(f"no Python {version} here")
    runner = repository / "tests/daw_scripts/hosts/run_python.py"
    stop = tmp_path / "stop"
    command = [python, str(runner), kind, str(repository / SCRIPTS[kind]), str(desk.port), str(stop)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        desk.wait_event("hello", timeout_s=15)
        desk.wait_event("tempo_map")
        notes = tuple(Note(60 + step, 80, 8 + step, 0.5, 1, "pad") for step in range(8))
        desk.ask("print_job", PrintJob("A", 4.0, 8.0, 8.0, 16.0, (PrintPart("pad", "Pad A", 1, notes),)))
        assert desk.wait_event("acknowledged")[2]
        (tmp_path / "stop.play").touch()
        desk.wait_event("transport", lambda daw, one: one.rolling and one.position_s > 4.3)
        (tmp_path / "stop.stop").touch()
        desk.wait_event("transport", lambda daw, one: not one.rolling and one.position_s > 4.3)
        stop.touch()
        out, problems = process.communicate(timeout=15)
    finally:
        if process.poll() is None:
            process.kill()
    assert process.returncode == 0, problems
    assert json.loads(out) == {"notes": 8, "python": [int(part) for part in version.split(".")]}
    desk.wait_event("bye", lambda daw, reason: reason == "bye")
