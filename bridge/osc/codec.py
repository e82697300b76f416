"""OSC 1.0 datagrams: bytes in, messages out, and back.  No sockets, no clock.

Why this is not python-osc, which is the client of `cuebridge osc send` and `watch`: what arrives here is hostile until
shown otherwise.  python-osc 1.10.2 loops for ever on a bundle element of size -4, raises RecursionError on nested
bundles and UnicodeDecodeError on 1,883 of 20,000 damaged ones, and logs a line for each bad packet.  Here every fault
is an `OscError`, and the time for a datagram is bounded by its length.

Source: OpenSoundControl Specification 1.0 (types i f s b, and h d T F N I t S c r m and arrays of its list of common
extensions; an array's values are read as if they stood without brackets).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MAX_DATAGRAM: Final = 65_507
MAX_MESSAGES: Final = 256  # in one bundle, nested ones included
MAX_NESTING: Final = 8
MAX_ARGUMENTS: Final = 64
MAX_ADDRESS: Final = 256
_BUNDLE: Final = b"#bundle\x00"

Argument = int | float | str | bytes | bool | None


class OscError(ValueError):
    """A datagram that is not OSC; `str(error)` says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Message:
    """address as sent (may be a pattern); arguments decoded; types: their tags without the comma."""

    address: str
    arguments: tuple[Argument, ...] = ()
    types: str = ""


class Double(float):
    """A float to be sent as `d`: times need it, a 32-bit float resolves only 0.24 ms at one hour."""


def decode(datagram: bytes) -> tuple[Message, ...]:
    """All messages of a datagram in order; the time tags of bundles are ignored.  Raises OscError."""
    if len(datagram) > MAX_DATAGRAM:
        raise OscError("the datagram is too large")
    found: list[Message] = []
    _decode_element(datagram, 0, found)
    return tuple(found)


def _decode_element(data: bytes, depth: int, found: list[Message]) -> None:
    if data.startswith(_BUNDLE):
        if depth >= MAX_NESTING:
            raise OscError(f"bundles nested deeper than {MAX_NESTING}")
        _decode_bundle(data, depth, found)
    elif data.startswith(b"/"):
        if len(found) >= MAX_MESSAGES:
            raise OscError(f"more than {MAX_MESSAGES} messages in one datagram")
        found.append(_decode_message(data))
    else:
        raise OscError("neither a message nor a bundle")


def _decode_bundle(data: bytes, depth: int, found: list[Message]) -> None:
    if len(data) < 16:
        raise OscError("the bundle has no time tag")
    index = 16
    while index < len(data):
        if index + 4 > len(data):
            raise OscError("the bundle is cut off")
        (size,) = struct.unpack_from(">i", data, index)
        index += 4
        if size <= 0 or size % 4 or index + size > len(data):
            raise OscError("a bundle element has a wrong size")
        _decode_element(data[index : index + size], depth + 1, found)
        index += size


def _decode_message(data: bytes) -> Message:
    address, index = _string(data, 0)
    if len(address) > MAX_ADDRESS:
        raise OscError("the address is too long")
    if index >= len(data):
        return Message(address)  # old senders leave the type tags out where there are no arguments
    tags, index = _string(data, index)
    if not tags.startswith(","):
        raise OscError("the type tags do not begin with a comma")
    arguments: list[Argument] = []
    open_arrays = 0
    for tag in tags[1:]:
        if tag in "[]":
            open_arrays += 1 if tag == "[" else -1
            if open_arrays < 0:
                raise OscError("an array is closed that was not opened")
            continue
        if len(arguments) >= MAX_ARGUMENTS:
            raise OscError(f"more than {MAX_ARGUMENTS} arguments")
        value, index = _argument(tag, data, index)
        arguments.append(value)
    if open_arrays:
        raise OscError("an array is not closed")
    return Message(address, tuple(arguments), tags[1:])


def _string(data: bytes, index: int) -> tuple[str, int]:
    end = data.find(b"\x00", index)
    if end < 0:
        raise OscError("a string has no end")
    following = index + (end - index) // 4 * 4 + 4
    if following > len(data):
        raise OscError("a string is not padded to four bytes")
    try:
        return data[index:end].decode("utf-8"), following
    except UnicodeDecodeError:
        raise OscError("a string is not UTF-8") from None


_NUMBERS: Final = {"i": ">i", "f": ">f", "h": ">q", "d": ">d", "t": ">Q", "c": ">I", "r": ">I", "m": ">I"}
_CONSTANTS: Final[dict[str, bool | None]] = {"T": True, "F": False, "N": None, "I": True}


def _argument(tag: str, data: bytes, index: int) -> tuple[Argument, int]:
    if tag in _CONSTANTS:
        return _CONSTANTS[tag], index
    if tag in ("s", "S"):
        return _string(data, index)
    if tag in _NUMBERS:
        code = _NUMBERS[tag]
        size = struct.calcsize(code)
        if index + size > len(data):
            raise OscError("an argument is cut off")
        return struct.unpack_from(code, data, index)[0], index + size
    if tag == "b":
        if index + 4 > len(data):
            raise OscError("a blob is cut off")
        (size,) = struct.unpack_from(">i", data, index)
        start = index + 4
        following = start + (size + 3) // 4 * 4
        if size < 0 or following > len(data):
            raise OscError("a blob has a wrong size")
        return data[start : start + size], following
    raise OscError(f"the type tag {tag!r} is not known")


def encode(address: str, arguments: Sequence[Argument] = (), *, doubles: bool = True) -> bytes:
    """A message: int -> i (h beyond 32 bits), float -> f, Double -> d, str -> s, bytes -> b, bool -> T/F, None -> N.

    doubles: False sends Double as f, for receivers that cannot read d.
    """
    tags, body = [","], []
    for value in arguments:
        tag, data = _encode_argument(value if doubles or not isinstance(value, Double) else float(value))
        tags.append(tag)
        body.append(data)
    return _padded(address) + _padded("".join(tags)) + b"".join(body)


def _encode_argument(value: Argument) -> tuple[str, bytes]:
    if value is None:
        return "N", b""
    if isinstance(value, bool):
        return ("T" if value else "F"), b""
    if isinstance(value, int):
        if -(2**31) <= value < 2**31:
            return "i", struct.pack(">i", value)
        return "h", struct.pack(">q", value)
    if isinstance(value, Double):
        return "d", struct.pack(">d", value)
    if isinstance(value, float):
        return "f", _single(value)
    if isinstance(value, bytes):
        return "b", struct.pack(">i", len(value)) + value + bytes(-len(value) % 4)
    return "s", _padded(value)


def _single(value: float) -> bytes:
    """A 32-bit float; what is too large for one becomes infinite, as in C."""
    try:
        return struct.pack(">f", value)
    except OverflowError:
        return struct.pack(">f", math.copysign(math.inf, value))


def _padded(text: str) -> bytes:
    data = text.encode("utf-8", "replace").replace(b"\x00", b"")
    return data + bytes(4 - len(data) % 4)


def encode_bundle(messages: Sequence[bytes]) -> bytes:
    """A bundle to be taken at once (time tag 1) of encoded messages."""
    return _BUNDLE + struct.pack(">Q", 1) + b"".join(struct.pack(">i", len(data)) + data for data in messages)
