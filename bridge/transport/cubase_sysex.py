"""What the Cubase and Nuendo script says over the sync port: private SysEx, F0 7D 43 42 kind … F7.

kind 1 hello (protocol), 2 state (flags 1 play, 2 record, 8 cycle), 3 tempo (1/10000 bpm, four times seven bits,
highest first), 4 goodbye.  7D is the number that the MIDI specification leaves for private use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bridge.daw.protocol import LOOPING, PLAYING, RECORDING
from bridge.transport.state import TransportObservation

HEADER: Final = bytes((0xF0, 0x7D, 0x43, 0x42))
_LENGTHS: Final = {1: 1, 2: 1, 3: 4, 4: 0}


@dataclass(frozen=True, slots=True)
class SysexState:
    """One message; None = not said.  protocol: a hello.  leaving: a goodbye."""

    bpm: float | None = None
    rolling: bool | None = None
    recording: bool | None = None
    loop: bool | None = None
    protocol: int | None = None
    leaving: bool = False


def decode(data: bytes) -> SysexState | None:
    """None for anything that is not ours or not whole; never raises."""
    if len(data) < 6 or data[:4] != HEADER or data[-1] != 0xF7:
        return None
    kind, body = data[4], data[5:-1]
    if _LENGTHS.get(kind) != len(body) or any(byte > 127 for byte in body):
        return None
    if kind == 1:
        return SysexState(protocol=body[0])
    if kind == 2:
        flags = body[0]
        return SysexState(None, bool(flags & PLAYING), bool(flags & RECORDING), bool(flags & LOOPING))
    if kind == 3:
        number = body[0] << 21 | body[1] << 14 | body[2] << 7 | body[3]
        bpm = number / 10_000
        return SysexState(bpm=bpm) if 5 <= bpm <= 999 else None
    return SysexState(leaving=True)


def read_sysex(message: bytes, host_s: float) -> list[TransportObservation]:
    """What the sync desk makes of it: tempo and record state; the position comes by MIDI timecode."""
    said = decode(message)
    if said is None or (said.bpm is None and said.recording is None):
        return []
    return [TransportObservation("script", host_s, bpm=said.bpm, recording=said.recording)]
