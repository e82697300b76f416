"""`cuebridge live` as a person runs it, beside an independent JACK capture: for end-to-end tests and benches.

    with JackServer(), Live(film, "--midi-api", "jack-client") as live, live.capture() as capture:
        live.ready()
        live.send("/cue/play")

The program runs as its own process; it is steered with real OSC over UDP and read through its JSON lines.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

ROOT = Path(__file__).resolve().parents[1]
CLIP = ROOT / "engine" / "media" / "big-buck-bunny-30s.mp4"
COMMAND = [sys.executable, "-m", "bridge.cli"]
_ports = itertools.count()
ANSWER_S = 20.0  # a late answer would be taken for that of the next message


class Struck(NamedTuple):
    """A note as captured: host second of its note-on, pitch, velocity, channel 1..16, length (None: never released)."""

    host_s: float
    pitch: int
    velocity: int
    channel: int
    length_s: float | None


def free_port() -> int:
    """Of UDP and of TCP, below those that the system gives to clients, and each process of tests begins elsewhere: it
    stays free until the program that it is for has started."""
    while True:
        port = 10_000 + (os.getpid() * 100 + next(_ports)) % 20_000
        with (
            contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as datagrams,
            contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as stream,
            contextlib.suppress(OSError),
        ):
            for each in (datagrams, stream):
                each.bind(("127.0.0.1", port))
            return port


def environment(home: Path) -> dict[str, str]:
    """The user's folders moved to `home`, so that neither cache nor session of the machine plays a part."""
    folders = {name: str(home / name.lower()) for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    return {**os.environ, **folders, "PYTHONPATH": str(ROOT), "JACK_NO_START_SERVER": "1", "COLUMNS": "200"}


def without_package(home: Path, module: str) -> dict[str, str]:
    """Of processes in which the module is not there: neither found nor imported."""
    folder = home / f"without-{module}"
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(f"import sys\nsys.modules[{module!r}] = None\n")
    return {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}


def short_film(path: Path, seconds: float) -> Path:
    """The first seconds of the bundled clip, its packets copied."""
    import av

    with av.open(str(CLIP)) as source, av.open(str(path), "w") as target:
        video = source.streams.video[0]
        out = target.add_stream_from_template(video)
        for packet in source.demux(video):
            if packet.dts is None or float(packet.pts * packet.time_base) >= seconds:
                continue
            packet.stream = out
            target.mux(packet)
    return path


def compose(film: Path, out: Path, home: Path, *arguments: str) -> dict[str, Any]:
    """Report of `cuebridge compose --json`."""
    result = subprocess.run(
        [*COMMAND, "compose", str(film), "-o", str(out), "--json", *arguments],
        capture_output=True, text=True, env=environment(home), timeout=280,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


class Live:
    """The running program.  `lines` holds its JSON objects; `last(kind)` the newest of a kind."""

    def __init__(self, film: Path, home: Path, *arguments: str, program: Path = ROOT) -> None:
        """program: the folder that it is run from."""
        self.osc_port = free_port()
        self.command = [*COMMAND, "live", str(film), "--json", "--osc-port", str(self.osc_port), *arguments]
        if film == CLIP and not {"--session", "--no-session"} & set(arguments):
            self.command.append("--no-session")  # no test leaves a session file beside the clip
        if not {"--page-port", "--open"} & set(arguments):
            self.command.append("--no-page")  # its server would be one more program on a machine that is measured
        self.home, self.program = home, program
        self.lines: list[dict[str, Any]] = []
        self.arrived: queue.Queue[dict[str, Any]] = queue.Queue()
        self.errors: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(ANSWER_S)

    def __enter__(self) -> Live:
        self.process = subprocess.Popen(
            self.command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            env={**environment(self.home), "PYTHONPATH": str(self.program)},
            start_new_session=True,
            cwd=self.home,
        )  # fmt: skip  (cwd: what it plays without a MIDI system it writes where it is started)
        for stream, take in ((self.process.stdout, self._line), (self.process.stderr, self.errors.append)):
            threading.Thread(target=self._read, args=(stream, take), daemon=True).start()
        return self

    @staticmethod
    def _read(stream: Any, take: Callable[[str], None]) -> None:
        for line in stream:
            take(line)

    def _line(self, line: str) -> None:
        with contextlib.suppress(json.JSONDecodeError):
            value = json.loads(line)
            self.lines.append(value)
            self.arrived.put(value)

    def last(self, kind: str) -> dict[str, Any] | None:
        return next((line for line in reversed(self.lines) if line.get("type") == kind), None)

    def wait(self, met: Callable[[dict[str, Any]], bool], what: str, timeout_s: float = 60.0) -> dict[str, Any]:
        """The first line from now on, or the newest status, that meets a condition."""
        end = time.monotonic() + timeout_s
        with contextlib.suppress(queue.Empty):
            while True:  # what was said before this moment may be out of date
                self.arrived.get_nowait()
        newest = self.last("status")
        if newest is not None and met(newest):
            return newest
        while time.monotonic() < end:
            with contextlib.suppress(queue.Empty):
                line = self.arrived.get(timeout=0.2)
                if met(line):
                    return line
            if self.process.poll() is not None and self.arrived.empty():
                break
        raise AssertionError(f"{what}: not seen in {timeout_s:g} s; exit {self.process.poll()}; {''.join(self.errors)}")

    def ready(self, timeout_s: float = 120.0) -> dict[str, Any]:
        """Waits until the whole film is composed and planned, so that what follows does not depend on speed."""
        return self.wait(
            lambda line: line.get("type") == "status" and line["state"] in ("stopped", "playing") and line["whole"],
            "a composed film", timeout_s,
        )  # fmt: skip

    def send(self, address: str, *arguments: Any) -> OscMessage | None:
        """One message; returns the answer, or None where none comes."""
        builder = OscMessageBuilder(address)
        for argument in arguments:
            builder.add_arg(argument)
        self._socket.sendto(builder.build().dgram, ("127.0.0.1", self.osc_port))
        with contextlib.suppress(TimeoutError):
            return OscMessage(self._socket.recv(65536))
        return None

    def next_answer(self, timeout_s: float = 20.0) -> OscMessage:
        """The next message that nothing was sent for: an answer that comes when what was asked for is done."""
        before = self._socket.gettimeout()
        self._socket.settimeout(timeout_s)
        try:
            return OscMessage(self._socket.recv(65536))
        finally:
            self._socket.settimeout(before)

    def play_to_end(self, timeout_s: float = 120.0) -> int:
        return self.process.wait(timeout_s)

    def quit(self) -> int:
        """Ends it as a person does."""
        if self.process.poll() is None:
            self.send("/cue/quit")
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(5)
        self._socket.close()


def struck(messages: list[Any]) -> list[Struck]:
    """Captured messages -> notes in order of their note-ons (then channel and pitch)."""
    notes: list[Struck] = []
    open_notes: dict[tuple[int, int], int] = {}
    for event in messages:
        kind, channel = event.data[0] & 0xF0, (event.data[0] & 0x0F) + 1
        if kind == 0x90 and event.data[2]:
            open_notes[channel, event.data[1]] = len(notes)
            notes.append(Struck(event.host_s, event.data[1], event.data[2], channel, None))
        elif kind in (0x80, 0x90):
            index = open_notes.pop((channel, event.data[1]), None)
            if index is not None:
                notes[index] = notes[index]._replace(length_s=event.host_s - notes[index].host_s)
    return notes


def composed_notes(path: Path) -> list[tuple[float, int, int, int]]:
    """A .mid, read by mido alone: (timeline second, pitch, velocity, channel 1..16), drums and all, in time order."""
    import mido

    now, notes = 0.0, []
    for message in mido.MidiFile(path):
        now += message.time
        if message.type == "note_on" and message.velocity:
            notes.append((now, message.note, message.velocity, message.channel + 1))
    return sorted(notes, key=lambda note: (round(note[0], 3), note[3], note[1]))


class Match(NamedTuple):
    """How captured notes compare with composed ones.  offsets_s: captured minus composed, their median taken away."""

    missing: list[tuple[float, int, int, int]]
    extra: list[Struck]
    offsets_s: list[float]
    start_s: float

    def summary_ms(self) -> dict[str, float]:
        ordered = sorted(abs(value) * 1000 for value in self.offsets_s)
        pick = lambda share: ordered[min(int(share * len(ordered)), len(ordered) - 1)]  # noqa: E731
        return {"notes": len(ordered), "p50_ms": pick(0.5), "p99_ms": pick(0.99), "max_ms": ordered[-1]}


def match(
    captured: list[Struck],
    composed: list[tuple[float, int, int, int]],
    start_s: float | None = None,
    window_s: float = 0.25,
) -> Match:
    """Pairs notes of equal pitch, velocity and channel that lie within `window_s` of each other.

    start_s: host second of timeline second 0; None: the one on which most pairs of equal notes agree.
    """
    if start_s is None:
        votes: dict[int, list[float]] = {}
        for note in captured:
            for time_s, *key in composed:
                if key == [note.pitch, note.velocity, note.channel]:
                    start = note.host_s - time_s
                    votes.setdefault(round(start / 0.02), []).append(start)
        assert votes, "none of the notes captured is one of those composed"
        best_votes = max(votes, key=lambda step: len(votes[step]) + len(votes.get(step + 1, [])))
        agreeing = sorted(votes[best_votes] + votes.get(best_votes + 1, []))
        start_s = agreeing[len(agreeing) // 2]
    waiting: dict[tuple[int, int, int], list[Struck]] = {}
    for note in captured:
        waiting.setdefault((note.pitch, note.velocity, note.channel), []).append(note)
    missing, offsets = [], []
    for time_s, pitch, velocity, channel in composed:
        near = waiting.get((pitch, velocity, channel), [])
        best = min(near, key=lambda note: abs(note.host_s - start_s - time_s), default=None)
        if best is None or abs(best.host_s - start_s - time_s) > window_s:
            missing.append((time_s, pitch, velocity, channel))
        else:
            near.remove(best)
            offsets.append(best.host_s - start_s - time_s)
    median = sorted(offsets)[len(offsets) // 2] if offsets else 0.0
    # What was captured before the first or after the last composed note is not part of the comparison.
    first, last = start_s + composed[0][0] - 0.05, start_s + composed[-1][0] + 0.05
    extra = sorted(note for notes in waiting.values() for note in notes if first <= note.host_s <= last)
    return Match(missing, extra, [value - median for value in offsets], start_s + median)


def until(live: Live, address: str, met: Callable[[list[Any]], bool], timeout_s: float = 30.0) -> list[Any]:
    """Asks for the values of an address until they are as wanted; returns them."""
    end_s = time.monotonic() + timeout_s
    while True:
        answer = live.send(address)
        values = list(answer.params) if answer is not None and answer.address == address else []
        if values and met(values):
            return values
        assert time.monotonic() < end_s, f"{address} holds {values}"
        time.sleep(0.03)


def port_name(ready: dict[str, Any]) -> str:
    """The JACK name of the port that notes leave by."""
    return "CueBridge:" + ready["port"].partition(",")[0]
