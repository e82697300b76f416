"""A Ctrl-C while children start reaches only the program itself."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import multiprocessing, os, signal, sys, time
from engine.music.processes import start_sheltered

def child():
    time.sleep(0.3)

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=child) for _ in range(3)]
    caught = []
    signal.signal(signal.SIGINT, lambda number, frame: caught.append(number))
    print("ready", flush=True)
    for each in children:
        start_sheltered(each)
        os.killpg(0, signal.SIGINT)  # the child's interpreter is only just beginning
    for each in children:
        each.join(30)
    print(len(caught), [each.exitcode for each in children])
"""


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="this system has no signal masks")
def test_children_never_see_ctrl_c(tmp_path):
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    result = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True, text=True, timeout=120, start_new_session=True, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert result.stdout.split("\n", 1)[1].strip() == "3 [0, 0, 0]"
    assert "Traceback" not in result.stderr, result.stderr
