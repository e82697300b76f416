"""Output that cannot be written as it is: other code pages, closed, full, or nobody reading any more."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PRINT = (
    "import sys; from engine.music.console import run_command; from engine.music import UserError\n"
    "def command():\n    sys.stdout.write('B\\u266d \\u2192 \\u9580\\n' * {times})\n    {then}\n    return 0\n"
    "sys.exit(run_command(command))"
)


def run(times=1, then="", encoding=None, **streams):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if encoding is not None:
        environment |= {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    code = PRINT.format(times=times, then=then)
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
    return subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT, check=False, **streams)


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "cp437", "cp932", "utf-8"])
def test_any_code_page_gets_what_it_can_show(encoding):
    result = run(encoding=encoding)
    assert result.returncode == 0 and result.stderr == b""
    shown = result.stdout.decode(encoding)
    assert shown.startswith("B") and len(shown.strip()) == 6


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8"])
def test_a_refusal_is_one_sentence_in_any_code_page(encoding):
    result = run(then="raise UserError('no B\\u266d here.')", encoding=encoding)
    assert result.returncode == 2 and result.stderr.decode(encoding).count("\n") == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
@pytest.mark.parametrize("times", [1, 20_000])
def test_full_output_is_one_sentence(times):
    with open("/dev/full", "w") as full:
        result = run(times, stdout=full)
    assert result.returncode == 2
    assert b"standard output cannot be written" in result.stderr and result.stderr.count(b"\n") == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
@pytest.mark.parametrize("command", ["compose", "live", "osc", "markers", "install-script"])
def test_help_that_cannot_be_written_is_no_success(command):
    with open("/dev/full", "w") as full:
        words = [sys.executable, "-m", "bridge.cli", command, "--help"]
        result = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, cwd=ROOT, check=False)
    assert result.returncode == 2
    assert b"standard output cannot be written" in result.stderr and result.stderr.count(b"\n") == 1


@pytest.mark.skipif(os.name != "posix", reason="closes descriptors before the start")
@pytest.mark.parametrize("closed", [1, 2])
def test_a_closed_stream_swallows_what_is_written(closed):
    result = run(preexec_fn=lambda: os.close(closed))
    assert result.returncode == 0 and b"Traceback" not in result.stderr


@pytest.mark.skipif(os.name != "posix", reason="needs a pipe without a reader")
def test_nobody_reading_any_more_is_no_failure():
    reading, writing = os.pipe()
    os.close(reading)
    result = run(20_000, stdout=writing)
    os.close(writing)
    assert result.returncode == 0 and result.stderr == b""


def test_a_fault_of_the_commands_own_file_is_not_taken_for_the_outputs():
    result = run(then="open('/nonexistent/file')")
    assert b"FileNotFoundError" in result.stderr  # a defect of ours stays visible to whoever mends it
