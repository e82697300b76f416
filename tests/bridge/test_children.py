"""Commands that run in a child: what ends the command ends the child."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

CHILD = """
import os, pathlib, sys, time
pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
time.sleep(60)
"""
PARENT = "import sys; from bridge.commands.children import run_child; sys.exit(run_child('sleeper', sys.argv[1:]))"


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_command_ends_its_child(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "sleeper.py").write_text(CHILD)
    told = tmp_path / "pid"
    root = Path(__file__).resolve().parents[2]
    environment = os.environ | {"PYTHONPATH": f"{root}{os.pathsep}{tmp_path}"}
    command = subprocess.Popen([sys.executable, "-c", PARENT, str(told)], env=environment)
    end = time.monotonic() + 20
    while not (told.exists() and told.read_text()):
        assert time.monotonic() < end and command.poll() is None
        time.sleep(0.02)
    command.send_signal(number)
    assert command.wait(20) == 128 + number
    with pytest.raises(ProcessLookupError):
        os.kill(int(told.read_text()), 0)


# An interpreter in which Ctrl-C comes while one module is being imported; without a name, before it is our turn.
AT_IMPORT = """
import os, signal, sys
class Interrupts:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r} and {where!r} in " ".join(sys.orig_argv):
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupts())
if not {module!r}:
    Interrupts().find_spec("")
"""


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize(
    ("where", "module"),
    [
        ("bridge.cli", "engine.music.chord"),
        ("bridge.cli", "subprocess"),
        ("-m engine", ""),
        ("-m engine", "engine.batch"),
        ("-m engine", "engine.music.chord"),
        ("-m engine", "engine.commands.compose"),
        ("-m models.training.cli", "engine.music"),
        ("-m models.training.cli", "argparse"),
    ],
)
def test_ctrl_c_while_a_command_is_imported_shows_no_traceback(tmp_path: Path, where: str, module: str) -> None:
    text = AT_IMPORT.format(module=module, where=where)
    (tmp_path / "sitecustomize.py").write_text(text)
    root = Path(__file__).resolve().parents[2]
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{root}"}
    words = ["models", "info"] if "models" in where else ["compose", "no-such-film.mp4"]
    done = subprocess.run(
        [sys.executable, "-m", "bridge.cli", *words], env=environment, capture_output=True, text=True, timeout=60
    )
    assert "Traceback" not in done.stderr and "Error" not in done.stderr, done.stderr
    assert done.returncode == 130, done.stderr
