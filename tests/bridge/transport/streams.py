"""Byte streams of a transport with known truth, made by hand: what a DAW would send, when it would arrive."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bridge.player.messages import SyncOptions
from bridge.player.sync import Synchronizer
from bridge.player.tempo import TempoLine
from engine.music.timecode import FrameRate, Timecode

Stream = list[tuple[float, bytes]]  # (host_s of arrival, message)
CODES = {"24": 0, "23.976": 0, "25": 1, "29.97 DF": 2, "30": 3, "29.97": 3}


def pieces(code: Timecode, rate_name: str) -> list[bytes]:
    """The eight quarter frames of a time, written out from the standard, not with our own writer."""
    h, m, s, f = code.fields()
    nibbles = [f % 16, f // 16, s % 16, s // 16, m % 16, m // 16, h % 16, h // 16 + 2 * CODES[rate_name]]
    return [bytes([0xF1, 16 * index + nibble]) for index, nibble in enumerate(nibbles)]


def full_frame(code: Timecode, rate_name: str) -> bytes:
    h, m, s, f = code.fields()
    return bytes([0xF0, 0x7F, 0x7F, 1, 1, 32 * CODES[rate_name] + h, m, s, f, 0xF7])


def quarter_frames(
    rate: FrameRate,
    name: str,
    first_frame: int,
    seconds: float,
    host_s: float = 0.0,
    speed: float = 1.0,
    first_piece: int = 0,
) -> Iterator[tuple[float, bytes]]:
    """Forwards.  Piece k of the stream belongs to frame first_frame + k / 4; the label of a group is its
    first frame."""
    step = 1.0 / (4 * float(rate.fps) * speed)
    group: list[bytes] = []
    for k in range(int(seconds / step)):
        if k % 8 == 0 or not group:
            group = pieces(Timecode(first_frame + 2 * (k // 8), rate), name)
        if k >= first_piece:
            yield host_s + k * step, group[k % 8]


def backwards(rate: FrameRate, name: str, first_frame: int, seconds: float) -> Iterator[tuple[float, bytes]]:
    """The label of a group is where its first piece (7) is sent."""
    step = 1.0 / (4 * float(rate.fps))
    group: list[bytes] = []
    for k in range(int(seconds / step)):
        if k % 8 == 0:
            group = pieces(Timecode(first_frame - 2 * (k // 8), rate), name)
        yield k * step, group[7 - k % 8]


def bunched(stream: Iterable[tuple[float, bytes]], period_s: float, seed: int = 1) -> Stream:
    """As python-rtmidi hears it on JACK: everything of a period at its end, a little late."""
    noise = random.Random(seed)
    return [(-(-host // period_s) * period_s + noise.uniform(0, 0.0005), data) for host, data in stream]


def clocks(tempo: TempoLine, first_beat: float, seconds: float, host_s: float = 0.0) -> Iterator[tuple[float, bytes]]:
    """F8s of a transport that stands on `first_beat` at `host_s`; the first of them is that beat."""
    zero = tempo.seconds_at(first_beat)
    k = 0
    while True:
        at = tempo.seconds_at(first_beat + k / 24) - zero
        if at > seconds:
            return
        yield host_s + at, b"\xf8"
        k += 1


@dataclass
class Desk:
    """A synchronizer fed with a stream, asked afterwards where the playhead was."""

    position: str = "mtc"
    frame_rate: str | None = None
    freewheel_s: float = 0.5
    tempo: TempoLine | None = None

    def __post_init__(self) -> None:
        line = self.tempo or TempoLine.constant(120)
        options = SyncOptions(self.position, "auto", self.frame_rate, self.freewheel_s)
        self.synchronizer = Synchronizer(options, lambda: line)
        self.changes: list[tuple[float, str, bool]] = []  # (host, state, jump)

    @property
    def follower(self):  # type: ignore[no-untyped-def]
        assert self.synchronizer.follower is not None
        return self.synchronizer.follower

    def until(self, host_s: float) -> None:
        """Lets time pass: debounced locates, losses, foreseen wraps."""
        while self.synchronizer.follower is not None:
            wrap, decision = self.follower.next_wrap(), self.follower.next_decision()
            times = [time for time in (wrap, decision) if time is not None and time <= host_s]
            if not times:
                return
            if min(times) == wrap:
                self._note(wrap, self.follower.wrap(wrap))
            else:
                self._note(min(times), self.follower.decide(min(times), min(times)))

    def _note(self, host_s: float, change) -> None:  # type: ignore[no-untyped-def]
        if change is not None:
            self.changes.append((host_s, self.follower.state, change.jump))

    def feed(self, stream: Iterable[tuple[float, bytes]]) -> list[tuple[float, float, str]]:
        """(host, position, state) after each message."""
        found = []
        for host_s, data in stream:
            self.until(host_s)
            for change in self.synchronizer.hear(host_s, data, host_s):
                self._note(host_s, change)
            if self.synchronizer.follower is not None:
                found.append((host_s, self.follower.motion.position_at(host_s), self.follower.state))
        return found
