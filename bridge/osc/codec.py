"""OSC 1.0 datagrams: bytes in, messages out, and back.  No sockets, no clock.

Written here rather than taken from a library because what arrives is hostile until shown otherwise: a negative element
size sends common parsers into an endless loop, deep nesting into a RecursionError.  Every fault is an `OscError`.

Source: OpenSoundControl Specification 1.0 (types i f s b, and h d T F N I t S c r m of its list of common extensions).
"""

from __future__ import annotations

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
    """All messages of a datagram in order; a bundle's time tag is read over.  Raises OscError."""
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
    for tag in tags[1:]:
        if len(arguments) >= MAX_ARGUMENTS:
            raise OscError(f"more than {MAX_ARGUMENTS} arguments")
        value, index = _argument(tag, data, index)
        arguments.append(value)
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


def encode(address: str, arguments: Sequence[Argument] = ()) -> bytes:
    """A message: int -> i (h beyond 32 bits), float -> f, Double -> d, str -> s, bytes -> b, bool -> T/F, None -> N."""
    tags, body = [","], []
    for value in arguments:
        tag, data = _encode_argument(value)
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
        return "f", struct.pack(">f", value)
    if isinstance(value, bytes):
        return "b", struct.pack(">i", len(value)) + value + bytes(-len(value) % 4)
    return "s", _padded(value)


def _padded(text: str) -> bytes:
    data = text.encode("utf-8", "replace").replace(b"\x00", b"")
    return data + bytes(4 - len(data) % 4)


def encode_bundle(messages: Sequence[bytes]) -> bytes:
    """A bundle to be taken at once (time tag 1) of encoded messages."""
    return _BUNDLE + struct.pack(">Q", 1) + b"".join(struct.pack(">i", len(data)) + data for data in messages)


def is_pattern(address: str) -> bool:
    """Whether an address asks for several (`*`, `?`, `[…]`, `{a,b}`)."""
    return any(mark in address for mark in "*?[{")


def matches(pattern: str, address: str) -> bool:
    """OSC 1.0 address matching; `*` and `?` stop at a slash.  Time grows with the product of the two lengths."""
    tokens = _pattern_tokens(pattern)
    # Positions of the pattern reached so far, advanced one character of the address at a time.
    reached = _closed({0}, tokens)
    for character in address:
        following: set[int] = set()
        for position in reached:
            if position >= len(tokens):
                continue
            kind, content = tokens[position]
            if kind == "*" and character != "/":
                following.add(position)
            elif (kind == "?" and character != "/") or (kind == "[" and character in content):
                following.add(position + 1)
        reached = _closed(following, tokens)
        if not reached:
            return False
    return len(tokens) in reached


def expand(pattern: str) -> tuple[str, ...]:
    """`{a,b}` written out, at most 64 results; without braces the pattern itself."""
    results = [""]
    index = 0
    while index < len(pattern):
        end = pattern.find("}", index) if pattern[index] == "{" else -1
        if end >= 0:
            choices = pattern[index + 1 : end].split(",")
            results = [head + choice for head in results for choice in choices][:64]
            index = end + 1
        else:
            results = [head + pattern[index] for head in results]
            index += 1
    return tuple(results)


def _pattern_tokens(pattern: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    index = 0
    while index < len(pattern):
        mark = pattern[index]
        end = pattern.find("]", index + 1) if mark == "[" else -1
        if mark == "*":
            if not tokens or tokens[-1][0] != "*":
                tokens.append(("*", ""))
        elif mark == "?":
            tokens.append(("?", ""))
        elif end > 0:
            tokens.append(("[", _character_set(pattern[index + 1 : end])))
            index = end
        else:
            tokens.append(("[", mark))
        index += 1
    return tokens


def _character_set(text: str) -> str:
    inverted = text.startswith("!")
    text = text[inverted:]
    found: set[str] = set()
    index = 0
    while index < len(text):
        if index + 2 < len(text) and text[index + 1] == "-":
            found.update(chr(code) for code in range(ord(text[index]), min(ord(text[index + 2]), 126) + 1))
            index += 3
        else:
            found.add(text[index])
            index += 1
    if inverted:
        return "".join(chr(code) for code in range(33, 127) if chr(code) not in found and chr(code) != "/")
    return "".join(found)


def _closed(positions: set[int], tokens: list[tuple[str, str]]) -> set[int]:
    """With the positions that a `*` matching nothing leads to."""
    result = set(positions)
    for position in positions:
        while position < len(tokens) and tokens[position][0] == "*":
            position += 1
            result.add(position)
    return result
