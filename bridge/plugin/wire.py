"""Datagrams between CueBridge and instances of the plugin; plugin/src/wire.h is the other end.

Each is "CBPL", version, kind, length of the whole, instance, epoch, number, seal, content; little endian.  The seal is
BLAKE2s over all but itself, keyed with a token that only this user can read: nobody else on the machine can speak for
either side, and the token itself is never sent.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass
from typing import Final

VERSION: Final = 1
TOKEN_BYTES: Final = 16
PIECE_BYTES: Final = 1200
MAX_BYTES: Final = 1500
HELLO, TRANSPORT, ACK, PONG, BYE = 1, 2, 3, 4, 5
WELCOME, PIECE, PING, CLOSED = 16, 17, 18, 19
TAKEN, REFUSED, STALE = 1, 2, 3
FACES: Final = {1: "CLAP", 2: "LV2", 3: "VST3"}

_HEAD: Final = struct.Struct("<4sBBHQQI")
_SEAL: Final = 16
_HELLO: Final = struct.Struct("<IBBBBQiIIIIQ")
_TRANSPORT: Final = struct.Struct("<QBxHHddddd")
_ACK: Final = struct.Struct("<IHIB")
_WELCOME: Final = struct.Struct("<Idd")
_PIECE: Final = struct.Struct("<IHHIQ")
_PONG: Final = struct.Struct("<QQ")
ROLLING, RECORDING, LOOPING, HAS_SECONDS, HAS_BEATS, OFFLINE, JUMPED = 1, 2, 4, 8, 16, 32, 64


@dataclass(frozen=True, slots=True)
class Datagram:
    kind: int
    instance: int
    epoch: int
    number: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Hello:
    """What an instance is and holds.  part: 0 all, else the part's place + 1; plan_id 0: it holds none; granted: bits
    of the parts that it plays; applied: the last transfer that it took."""

    version: int
    face: str
    part: int
    complete: bool
    bypassed: bool
    rolling: bool
    plan_id: int
    revision: int
    granted: int
    events: int
    state_bytes: int
    applied: int
    struck: int
    host: str
    film: str


@dataclass(frozen=True, slots=True)
class Said:
    """The host's transport at the first frame of a block, by the clock of `time.perf_counter`.  None: not said."""

    host_s: float
    rolling: bool
    recording: bool
    offline: bool
    seconds: float | None
    beats: float | None
    bpm: float | None
    meter: tuple[int, int] | None
    loop_s: tuple[float, float] | None


def pack(token: bytes, kind: int, instance: int, epoch: int, number: int, content: bytes) -> bytes:
    length = _HEAD.size + _SEAL + len(content)
    head = _HEAD.pack(b"CBPL", VERSION, kind, length, instance, epoch, number & 0xFFFFFFFF)
    return head + _seal(token, head + content) + content


def unpack(token: bytes, data: bytes) -> Datagram | None:
    """None for what is not ours, damaged, of another version or sealed by somebody else."""
    if len(data) < _HEAD.size + _SEAL or len(data) > MAX_BYTES:
        return None
    magic, version, kind, length, instance, epoch, number = _HEAD.unpack_from(data)
    content = data[_HEAD.size + _SEAL :]
    if magic != b"CBPL" or version != VERSION or length != len(data):
        return None
    if not hmac.compare_digest(data[_HEAD.size : _HEAD.size + _SEAL], _seal(token, data[: _HEAD.size] + content)):
        return None
    return Datagram(kind, instance, epoch, number, content)


def is_of_other_version(data: bytes) -> bool:
    """Whether it is a datagram as another CueBridge's plugin sends them."""
    return len(data) >= _HEAD.size and data[:4] == b"CBPL" and data[4] != VERSION


def _seal(token: bytes, data: bytes) -> bytes:
    return hashlib.blake2s(data, key=token, digest_size=_SEAL).digest()


def unpack_hello(content: bytes) -> Hello | None:
    if len(content) < _HELLO.size + 2:
        return None
    version, face, part, flags, said, plan, revision, granted, events, state, applied, struck = _HELLO.unpack_from(
        content
    )
    texts = content[_HELLO.size :]
    host, rest = texts[1 : 1 + texts[0]], texts[1 + texts[0] :]
    film = rest[1 : 1 + rest[0]] if rest else b""
    return Hello(
        version, FACES.get(face, "plugin"), part, bool(flags & 2), bool(flags & 4), bool(said & ROLLING), plan,
        revision, granted, events, state, applied, struck, host.decode(errors="replace"), film.decode(errors="replace"),
    )  # fmt: skip


def unpack_transport(content: bytes) -> Said | None:
    """Numbers that are none, and places beyond four months, are not said."""
    if len(content) != _TRANSPORT.size:
        return None
    clock_ns, flags, numerator, denominator, *numbers = _TRANSPORT.unpack(content)
    if any(not abs(number) <= 1e7 for number in numbers):
        return None
    seconds, beats, bpm, start_s, end_s = numbers
    return Said(
        clock_ns / 1e9,
        bool(flags & ROLLING),
        bool(flags & RECORDING),
        bool(flags & OFFLINE),
        seconds if flags & HAS_SECONDS else None,
        beats if flags & HAS_BEATS else None,
        bpm if bpm > 0 else None,
        (numerator, denominator) if numerator and denominator else None,
        (start_s, end_s) if flags & LOOPING and end_s > start_s else None,
    )


def unpack_ack(content: bytes) -> tuple[int, int, int, int] | None:
    """Transfer, first piece that is missing, bits of the 32 from there on that are there, and the result."""
    return _ACK.unpack(content) if len(content) == _ACK.size else None


def unpack_pong(content: bytes) -> tuple[int, int] | None:
    return _PONG.unpack(content) if len(content) == _PONG.size else None


def pack_welcome(granted: int, loop_s: tuple[float, float] | None) -> bytes:
    return _WELCOME.pack(granted, *(loop_s or (0.0, 0.0)))


def pack_piece(transfer: int, index: int, body: bytes, over: int) -> bytes:
    """over: id of the plan that it replaces; an instance that holds another by then takes nothing."""
    count = -(-len(body) // PIECE_BYTES)
    piece = body[index * PIECE_BYTES : (index + 1) * PIECE_BYTES]
    return _PIECE.pack(transfer, index, count, len(body), over) + piece


def pack_ping(clock_ns: int) -> bytes:
    return struct.pack("<Q", clock_ns)
