"""SIGTERM ends the program within two seconds, `q` within two and a half, whatever hangs; no process and no temporary
folder is left behind.

Of `q` half a second is for finding out that nobody takes the key.

Each hangs for real: stopped processes, an output that nobody reads, a terminal that was stopped, a disk that does not
answer.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from livelab import CLIP, environment, free_port, short_film

from engine.document.file import read_session

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(sys.platform != "linux", reason="children are found as Linux tells of them"),
]

END_S = 2.0
# Runs the command in an interpreter in which one thing hangs from the moment that the file named HANG is there.
PROGRAM = """
import os, pathlib, sys, time
hang, what = pathlib.Path(sys.argv[1]), sys.argv[2]

def hangs(do):
    def done(*values, **more):
        while hang.exists():
            time.sleep(0.05)
        return do(*values, **more)
    return done

if __name__ == "__main__":
    if what == "disk":
        os.fsync = hangs(os.fsync)
    elif what == "session":
        from bridge.session.session import Session
        Session.tick = hangs(Session.tick)
    elif what == "export":
        import engine.midifile
        engine.midifile.write_midi = hangs(engine.midifile.write_midi)
    from bridge.cli import app
    sys.exit(app(sys.argv[3:]))
"""


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                found += [child, *children(child)]
    return found


class Run:
    """The command, its JSON lines read until it plays or stands."""

    def __init__(self, folder: Path, film: Path, what: str, *flags: str) -> None:
        self.port = free_port()
        words = ["live", str(film), "--midi-api", "none", "--json", "--no-keys", "--osc-port", str(self.port), *flags]
        (folder / "program.py").write_text(PROGRAM)
        self.hang, self.temporary = folder / "hang", folder / "temporary"
        self.temporary.mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, str(folder / "program.py"), str(self.hang), what, *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder,
            env=environment(folder) | {"TMPDIR": str(self.temporary)},
        )  # fmt: skip

    def until(self, state: str) -> dict:
        for line in self.process.stdout:
            told = json.loads(line)
            if told["type"] == state or (state == "composed" and told.get("whole") == 1.0):
                return told
        raise AssertionError(self.process.stderr.read())

    def ends(self, number: int = signal.SIGTERM, *, in_order: bool = False) -> tuple[int, str]:
        """Ends it; the exit code and what was said.  in_order: nothing hangs, so nothing is left to the next start."""
        family = children(self.process.pid)
        assert len(family) >= 2
        begun_s = time.perf_counter()
        self.process.send_signal(number)
        code = self.process.wait(20)
        took_s = time.perf_counter() - begun_s
        said = self.process.stderr.read()
        assert took_s < END_S, (took_s, said)
        assert "Traceback" not in said
        end_s = time.perf_counter() + 1.0  # a child ends by its pipe a moment later
        while [pid for pid in family if running(pid)] and time.perf_counter() < end_s:
            time.sleep(0.01)
        assert not [pid for pid in family if running(pid)]
        if not in_order:
            words = [sys.executable, "-c", "from engine.music.temporary import clear_left_behind as c; c()"]
            subprocess.run(words, env={**os.environ, "TMPDIR": str(self.temporary)}, check=True)
        assert not list(self.temporary.glob("cuebridge-*"))
        return code, said

    def read_on(self) -> None:
        threading.Thread(target=self.process.stdout.read, daemon=True).start()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return short_film(tmp_path_factory.mktemp("film") / "film.mp4", 3.0)


@pytest.fixture
def film(made, tmp_path):
    return Path(shutil.copy(made, tmp_path))


@pytest.fixture
def start(tmp_path, film):
    runs: list[Run] = []

    def make(what: str = "", *flags: str, of: Path = film) -> Run:
        runs.append(Run(tmp_path, of, what, *flags))
        return runs[-1]

    yield make
    for run in runs:
        for pid in [*children(run.process.pid), run.process.pid]:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        run.process.wait(10)


@pytest.mark.parametrize("hung", ["engine", "player", "both"])
def test_a_stopped_child_is_ended_by_force(start, hung) -> None:
    run = start()
    pids = run.until("ready")["pids"]
    run.read_on()
    for name in ("engine", "player") if hung == "both" else (hung,):
        os.kill(pids[name], signal.SIGSTOP)
    code, said = run.ends()
    assert code == 0, said


def test_an_analysis_that_hangs_in_its_decoder_is_ended(start) -> None:
    run = start(of=CLIP)
    engine = run.until("ready")["pids"]["engine"]
    run.read_on()
    end_s = time.perf_counter() + 20
    while not (looking := children(engine)):
        assert time.perf_counter() < end_s
        time.sleep(0.01)
    for pid in looking:
        os.kill(pid, signal.SIGSTOP)
    assert run.ends()[0] == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_page_and_a_film_that_is_being_looked_at_leave_no_folders(start, number) -> None:
    run = start(of=CLIP)
    run.until("ready")
    run.read_on()
    end_s = time.perf_counter() + 20
    while len(made := list(run.temporary.glob("cuebridge-*"))) < 2:
        assert time.perf_counter() < end_s, made
        time.sleep(0.01)
    assert run.ends(number, in_order=True)[0] == (130 if number == signal.SIGINT else 0)


def test_an_output_that_nobody_reads_holds_nothing_up(start) -> None:
    import fcntl

    run = start()
    fcntl.fcntl(run.process.stdout, fcntl.F_SETPIPE_SZ, 4096)
    run.until("ready")
    time.sleep(1.0)  # a line is a kilobyte: the pipe is full by now
    assert run.ends()[0] == 0


@pytest.mark.parametrize(("what", "words"), [("session", "the session"), ("disk", "by force"), ("export", "an export")])
def test_what_hangs_in_the_program_itself_is_named_where_it_may_cost_something(start, tmp_path, what, words) -> None:
    from pythonosc.udp_client import SimpleUDPClient

    run = start(what, "--osc-folder", str(tmp_path))
    run.until("composed")
    run.read_on()
    run.hang.touch()
    osc = SimpleUDPClient("127.0.0.1", run.port)
    if what != "export":
        osc.send_message("/cue/transpose", 2)
    osc.send_message("/cue/export", str(run.hang.with_name("a.mid")))
    time.sleep(0.3)
    code, said = run.ends(signal.SIGINT if what == "session" else signal.SIGTERM)
    if what == "disk" and code == 0:  # the disk was asked for nothing any more: then the file has all of it
        saved = read_session(tmp_path / "film.cuebridge.json")
        assert saved.document.value("/cue/transpose") == 2, (saved.document, said)
    else:
        assert code == 1 and "by force" in said and words in said, (code, said)


@pytest.mark.parametrize("pause_s", [0.01, 0.0], ids=["ten times what is taken", "as fast as it goes"])
def test_a_flood_does_not_drown_the_signal(start, pause_s) -> None:
    import socket

    run = start()
    run.until("ready")
    run.read_on()
    over = threading.Event()

    def flood() -> None:  # with the pause at most 10,000 a second from each of two
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while not (over.wait(pause_s) if pause_s else over.is_set()):
                for _ in range(100 if pause_s else 200):
                    sender.sendto(b"/cue/*\0\0,\0\0\0", ("127.0.0.1", run.port))

    threads = [threading.Thread(target=flood, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(0.5)
        assert run.ends()[0] == 0
    finally:
        over.set()


def read_on(terminal: int) -> None:
    with contextlib.suppress(OSError):
        while os.read(terminal, 65536):
            pass


@pytest.mark.parametrize("stopped", [False, True], ids=["session hangs", "terminal stopped"])
def test_q_ends_a_program_whose_terminal_or_session_hangs(tmp_path, film, stopped) -> None:
    import pty

    (tmp_path / "program.py").write_text(PROGRAM)
    hang = tmp_path / "hang"
    words = ["live", str(film), "--midi-api", "none", "--osc-port", "off"]
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "program.py"), str(hang), "" if stopped else "session", *words],
        stdin=slave, stdout=slave, stderr=slave, cwd=tmp_path, env=environment(tmp_path) | {"TERM": "xterm"},
    )  # fmt: skip
    os.close(slave)
    try:
        seen, end_s = b"", time.perf_counter() + 30
        while b"quick reading" not in seen:
            assert time.perf_counter() < end_s and process.poll() is None, seen
            seen = (seen + os.read(master, 65536))[-200_000:]
        family = children(process.pid)
        if stopped:
            os.write(master, b"\x13")  # Ctrl-S: nothing that is written gets through any more
        else:
            hang.touch()
            threading.Thread(target=read_on, args=(master,), daemon=True).start()
        time.sleep(1.0)
        begun_s = time.perf_counter()
        os.write(master, b"q")
        process.wait(20)
        assert time.perf_counter() - begun_s < END_S + 0.5  # half a second until it is known that nobody takes the key
        time.sleep(0.3)
        assert not [pid for pid in family if running(pid)]
    finally:
        process.kill()
        process.wait()
        with contextlib.suppress(OSError):
            os.close(master)


# In a folder of its own on the path: each child that is spawned is a while asleep before it does anything.
SLOWLY = """
import sys, time
if any("multiprocessing.spawn" in word for word in sys.orig_argv):
    time.sleep(4.0)
"""


@pytest.mark.parametrize("group", [False, True], ids=["program", "group"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", [["live", "--no-page"], ["page"], ["page", ""]], ids=["live", "page", "no film"])
def test_a_slow_start_is_ended_without_a_word(tmp_path, film, command, number, group) -> None:
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "sitecustomize.py").write_text(SLOWLY)
    around = environment(tmp_path)
    around["PYTHONPATH"] = f"{slow}{os.pathsep}{around['PYTHONPATH']}"
    words = [*command[:1], *([] if "" in command else [str(film)]), *filter(None, command[1:])]
    process = subprocess.Popen(
        [sys.executable, "-m", "bridge.cli", *words, "--midi-api", "none", "--osc-port", "off"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=around, start_new_session=True,
    )  # fmt: skip
    end_s = time.perf_counter() + 30
    while len(children(process.pid)) < 2:  # the tracker of resources, and the first of ours
        assert time.perf_counter() < end_s and process.poll() is None
        time.sleep(0.01)
    time.sleep(0.3)
    begun_s = time.perf_counter()
    (os.killpg if group else os.kill)(process.pid, number)
    said = process.communicate(timeout=20)[1]
    assert time.perf_counter() - begun_s < END_S
    assert not said.strip(), said
    assert process.returncode == (130 if number == signal.SIGINT else 0)
