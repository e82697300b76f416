"""liblo's own command line clients, which are not ours and know nothing of us, against a running `live`."""

import contextlib
import shutil
import subprocess
import threading
import time

import psutil
import pytest
from livelab import Live, free_port, short_film

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("oscsend") is None or shutil.which("oscdump") is None,
        reason="oscsend and oscdump (liblo-tools) are not installed",
    ),
]


class Dump:
    """`oscdump PORT`, and the lines it has printed."""

    def __init__(self) -> None:
        self.port = free_port()
        command = ["oscdump", "-L", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(self.process.stdout)

    def listens(self, timeout_s: float = 30.0) -> None:
        end = time.monotonic() + timeout_s
        while not psutil.Process(self.process.pid).net_connections("udp"):
            assert time.monotonic() < end, "oscdump opens no port"
            time.sleep(0.02)

    def until(self, met, what: str, timeout_s: float = 30.0) -> str:
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            for line in list(self.lines):
                if met(line):
                    return line
            time.sleep(0.02)
        raise AssertionError(f"{what} was not heard; the last: {self.lines[-5:]}")

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(5)


def oscsend(port: int, *words: str) -> None:
    subprocess.run(["oscsend", "127.0.0.1", str(port), *words], check=True, timeout=10)


def test_liblo_sets_subscribes_and_hears(tmp_path) -> None:
    film = short_film(tmp_path / "short.mp4", 6.0)
    with Live(film, tmp_path, "--midi-api", "none", "--no-session") as live, contextlib.ExitStack() as stack:
        live.ready()
        dump = Dump()
        stack.callback(dump.close)
        dump.listens()
        oscsend(live.osc_port, "/cue/subscribe", "si", "/cue/*", str(dump.port))
        dump.until(lambda line: " /cue/status " in line or "/cue/status" in line, "the first status")
        # An int, a double and text where a float, a float and a choice stand in the table.
        oscsend(live.osc_port, "/cue/swing", "i", "60")
        dump.until(lambda line: "/cue/swing" in line and "60.0" in line, "swing 60")
        oscsend(live.osc_port, "/cue/note_length", "d", "75")
        dump.until(lambda line: "/cue/note_length" in line and "75.0" in line, "note length 75")
        oscsend(live.osc_port, "/cue/voicing", "s", "open")
        dump.until(lambda line: "/cue/voicing" in line and "open" in line, "voicing open")
        oscsend(live.osc_port, "/cue/activity", "N")
        oscsend(live.osc_port, "/cue/subscribe", "si", "/cue/part/*/on", str(dump.port))
        dump.until(lambda line: "/cue/part/pad/on" in line and " T" in line, "the pad's switch")
        oscsend(live.osc_port, "/cue/part/pad/on", "F")
        dump.until(lambda line: "/cue/part/pad/on" in line and " F" in line, "the pad off")
        oscsend(live.osc_port, "/cue/undo", "")
        dump.until(lambda line: "/cue/edits" in line and "pad" in line, "what redo would do")
        oscsend(live.osc_port, "/cue/quit", "")
        assert live.process.wait(20) == 0
