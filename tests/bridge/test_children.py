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
