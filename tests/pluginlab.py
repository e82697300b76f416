"""The plugin built for tests, and a CLAP host that obeys: blocks go in, MIDI with sample positions comes out.

with Host(plugins.clap, plugins.host) as host:
    host.load(state)
    host.block(512, seconds=1.0)
    host.finish()          # -> [Heard(block, frame, status, data1, data2), …]
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

PLUGIN = Path(__file__).parents[1] / "plugin"
RATE = 48000.0
TEMPO, BEATS, SECONDS, METER, PLAYING, RECORDING, LOOPING = 1, 2, 4, 8, 16, 32, 64
NO_COMPILER = "no C compiler (cc) here"
_E = struct.Struct("<IIBBB")


def compiler() -> str | None:
    return shutil.which("cc")


def make(out: Path, *targets: str, flags: str = "") -> Path:
    """Builds targets of plugin/Makefile into a folder."""
    done = subprocess.run(
        ["make", "-s", "-C", str(PLUGIN), f"OUT={out}", f"CFLAGS_EXTRA={flags}", *targets],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert not done.stderr, done.stderr[-4000:]  # no warnings either
    return out


class Heard(NamedTuple):
    block: int
    frame: int
    status: int
    data1: int
    data2: int

    @property
    def is_on(self) -> bool:
        return self.status & 0xF0 == 0x90

    @property
    def is_off(self) -> bool:
        return self.status & 0xF0 == 0x80


@dataclass
class Transport:
    """The host's word at a block: seconds and beats of its first frame, loop in both."""

    seconds: float = 0.0
    beats: float | None = None
    bpm: float = 120.0
    bpm_step: float = 0.0
    rolling: bool = True
    loop_s: tuple[float, float] | None = None
    loop_beats: tuple[float, float] = (0.0, 0.0)
    recording: bool = False

    def pack(self) -> bytes:
        flags = SECONDS | METER | PLAYING * self.rolling | RECORDING * self.recording
        flags |= LOOPING * (self.loop_s is not None) | (TEMPO | BEATS) * (self.beats is not None)
        loop_s = self.loop_s or (0.0, 0.0)
        return struct.pack(
            "<I8d", flags, self.seconds, self.beats or 0.0, self.bpm, self.bpm_step, *loop_s, *self.loop_beats
        )


@dataclass
class Host:
    """plugin, program: the plugin's library and the host's program.  environment: besides that of the tests."""

    plugin: Path
    program: Path
    rate: float = RATE
    environment: dict[str, str] = field(default_factory=dict)
    launch: tuple[str, ...] = ()  # before the program
    heard: list[Heard] = field(default_factory=list)
    saved: list[bytes] = field(default_factory=list)
    loaded: list[bool] = field(default_factory=list)
    dirty: int = 0
    blocks: int = 0  # asked for so far
    times_us: list[float] = field(default_factory=list)  # of each block
    _buffer: bytearray = field(default_factory=bytearray)

    def __enter__(self) -> Host:
        environment = {**os.environ, "CUEBRIDGE_PLUGIN_LINK": "/nowhere", **self.environment}
        self.process = subprocess.Popen(
            [*self.launch, str(self.program), str(self.plugin)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        self._write(struct.pack("<d", self.rate))
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()

    def _write(self, record: bytes) -> None:
        self._buffer += record

    def load(self, state: bytes) -> None:
        self._write(b"L" + struct.pack("<I", len(state)) + state)

    def save(self) -> None:
        self._write(b"S")

    def set(self, parameter: int, value: float) -> None:
        self._write(b"P" + struct.pack("<Id", parameter, value))

    def reset(self) -> None:
        self._write(b"R")

    def wait(self, seconds: float) -> None:
        self._write(b"W" + struct.pack("<I", round(seconds * 1000)))

    def transport_event(self, frame: int, transport: Transport) -> None:
        self._write(b"T" + struct.pack("<I", frame) + transport.pack())

    def block(self, frames: int, transport: Transport, room: int = 0xFFFFFFFF) -> None:
        self.blocks += 1
        self._write(b"B" + transport.pack() + struct.pack("<II", frames, room))

    def answered(self) -> None:
        """Waits until all that was asked has been done, and reads what came of it."""
        self._write(b"Q")
        self.process.stdin.write(self._buffer)
        self.process.stdin.flush()
        self._buffer.clear()
        while self._read_record() != b"Q":
            pass

    def finish(self) -> list[Heard]:
        """Ends the plugin; all that was heard."""
        out, errors = self.process.communicate(bytes(self._buffer), timeout=120)
        assert self.process.returncode == 0, errors.decode()[-4000:]
        at = 0
        while at < len(out):
            at = self._take(out, at)
        return self.heard

    def _read_record(self) -> bytes:
        read = self.process.stdout.read
        kind = read(1)
        assert kind, self.process.stderr.read().decode()[-4000:]
        rest = {b"E": 11, b"S": 4, b"L": 1, b"Q": 4}[kind]
        body = read(rest)
        if kind == b"S":
            body += read(struct.unpack("<I", body)[0])
        self._take(kind + body, 0)
        return kind

    def _take(self, out: bytes, at: int) -> int:
        kind, at = out[at : at + 1], at + 1
        if kind == b"E":
            self.heard.append(Heard(*_E.unpack_from(out, at)))
            return at + _E.size
        if kind == b"S":
            (size,) = struct.unpack_from("<I", out, at)
            self.saved.append(bytes(out[at + 4 : at + 4 + size]))
            return at + 4 + size
        if kind == b"L":
            self.loaded.append(bool(out[at]))
            return at + 1
        if kind == b"Q":
            (self.dirty,) = struct.unpack_from("<I", out, at)
            return at + 4
        assert kind == b"Z", kind
        (blocks,) = struct.unpack_from("<Q", out, at)
        self.times_us = [ns / 1000 for ns in struct.unpack_from(f"<{blocks}I", out, at + 8)]
        return at + 8 + 4 * blocks


def state_of(body: bytes, part: int = 0, bypass: bool = False) -> bytes:
    """A project's state with a plan as CueBridge sends it."""
    return b"CBPI" + struct.pack("<IIB", 1, part, bypass) + body


def sounding_after(heard: Sequence[Heard]) -> set[tuple[int, int]]:
    """Channels and pitches that still sound.  Fails where a note-on has no off before the next, or an off no on."""
    sounding: set[tuple[int, int]] = set()
    for message in heard:
        key = (message.status & 15, message.data1)
        if message.is_on:
            assert key not in sounding, f"{key} is struck twice in block {message.block}"
            sounding.add(key)
        elif message.is_off:
            assert key in sounding, f"{key} is released twice in block {message.block}"
            sounding.remove(key)
    return sounding
