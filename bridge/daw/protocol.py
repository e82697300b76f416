"""The /daw/* messages between a DAW's script and the bridge, as OSC and back.  Protocol 1, no sockets.

A number may arrive as i, h, f or d, a switch also as T or F (hosts differ in what they can send); it leaves in the type
of the table.  Everything is checked here, so that what comes out can be trusted: numbers are finite and in range,
strings have an end, a group is whole.  docs/protocol.md is the same table in prose, with the bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Final, cast

from bridge.daw.fields import (
    ALL_MARKERS,
    COUNT_IN,
    DEFAULT_PORT,
    LOOPING,
    MAX_ARGUMENTS,
    MAX_ITEMS,
    NOT_TRIED,
    PAUSED,
    PLAYING,
    POSITION_LIMIT_S,
    PREFIX,
    PROTOCOL,
    RECORDING,
    REFUSED,
    SCOPES,
    TEXT_LIMIT,
    WORKS,
    DawProtocolError,
    bad_value,
)
from bridge.daw.from_script import (
    Ack,
    Bye,
    CapabilitiesChunk,
    Capability,
    FilmInfo,
    Hello,
    Loop,
    MarkerItem,
    MarkersChunk,
    PrintRequest,
    RegionItem,
    RegionsChunk,
    ScriptsQuery,
    SessionPath,
    TempoMapChunk,
    TempoPoint,
    ThawRequest,
    TimecodeInfo,
    Transport,
)
from bridge.daw.to_script import (
    Alive,
    CapabilityStatus,
    ClipFile,
    DawError,
    DoClips,
    DoMarker,
    DoPrint,
    DoSession,
    DoTempo,
    DoUnmark,
    Got,
    ScriptStatus,
    TempoStep,
    Welcome,
    Who,
)
from bridge.osc import codec

__all__ = [
    "ABILITIES",
    "ALL_MARKERS",
    "COUNT_IN",
    "DEFAULT_PORT",
    "LOOPING",
    "MAX_ARGUMENTS",
    "MAX_ITEMS",
    "MESSAGES",
    "NOT_TRIED",
    "PAUSED",
    "PLAYING",
    "POSITION_LIMIT_S",
    "PREFIX",
    "PROTOCOL",
    "RECORDING",
    "REFUSED",
    "SCOPES",
    "TEXT_LIMIT",
    "WORKS",
    "Ack",
    "Alive",
    "Bye",
    "CapabilitiesChunk",
    "Capability",
    "CapabilityStatus",
    "ClipFile",
    "DawError",
    "DawMessage",
    "DawProtocolError",
    "DoClips",
    "DoMarker",
    "DoPrint",
    "DoSession",
    "DoTempo",
    "DoUnmark",
    "FilmInfo",
    "FromScript",
    "Got",
    "Hello",
    "Loop",
    "MarkerItem",
    "MarkersChunk",
    "PrintRequest",
    "RegionItem",
    "RegionsChunk",
    "ScriptStatus",
    "ScriptsQuery",
    "SessionPath",
    "TempoMapChunk",
    "TempoPoint",
    "TempoStep",
    "ThawRequest",
    "TimecodeInfo",
    "ToScript",
    "Transport",
    "Welcome",
    "Who",
    "decode",
    "encode",
    "osc_arguments",
    "parse",
]

ABILITIES: Final = (
    *("transport", "tempomap", "loop", "timecode", "markers", "regions", "film", "session"),
    *("do_marker", "do_tempo", "do_print", "do_clips", "do_session"),
)
FromScript = (
    Hello
    | Transport
    | Loop
    | TimecodeInfo
    | TempoMapChunk
    | MarkersChunk
    | RegionsChunk
    | CapabilitiesChunk
    | FilmInfo
    | SessionPath
    | PrintRequest
    | ThawRequest
    | Ack
    | Bye
    | ScriptsQuery
)
ToScript = (
    Welcome
    | Who
    | Alive
    | Got
    | DawError
    | ScriptStatus
    | CapabilityStatus
    | DoMarker
    | DoUnmark
    | DoTempo
    | DoPrint
    | DoClips
    | DoSession
)
DawMessage = FromScript | ToScript
MESSAGES: Final[dict[str, type]] = {kind.ADDRESS: kind for kind in (*FromScript.__args__, *ToScript.__args__)}


def _value(address: str, tag: str, value: object) -> object:
    """One argument as the table wants it.  Raises DawProtocolError."""
    if tag == "s":
        if not isinstance(value, str):
            raise DawProtocolError("bad_type", f"{address} wants text where {value!r} came.")
        if len(value) > TEXT_LIMIT:
            raise bad_value(f"{address}: a text of more than {TEXT_LIMIT} characters.")
        return value
    if not isinstance(value, (int, float)) or (tag == "d" and isinstance(value, bool)):
        raise DawProtocolError("bad_type", f"{address} wants a number where {value!r} came.")
    if not math.isfinite(value):
        raise bad_value(f"{address}: {value} is not a number.")
    if tag == "d":
        return float(value)
    if value != int(value) or not -(2**31) <= value < 2**31:
        raise bad_value(f"{address} wants a whole number where {value!r} came.")
    return int(value)


def parse(address: str, args: Sequence[object]) -> DawMessage:
    """A checked message from an address and its arguments (int, float, str, bool).  Raises DawProtocolError."""
    kind = cast(Any, MESSAGES.get(address))
    if kind is None:
        raise DawProtocolError("unknown_address", f"{address} is not an address of this protocol.")
    grouped = hasattr(kind, "ITEM")
    names = [field.name for field in fields(kind) if field.name != "items"]
    defaults = sum(field.default is not field.default_factory for field in fields(kind) if field.name != "items")
    head: str = kind.TAGS
    if len(args) < len(head) - defaults or (len(args) > len(head) and not grouped):
        raise DawProtocolError("bad_type", f"{address} wants {len(names)} arguments, {len(args)} came.")
    message_values = [_value(address, tag, value) for tag, value in zip(head, args, strict=False)]
    if grouped:
        item = kind.ITEM
        rest, width = args[len(head) :], len(item.TAGS)
        if len(rest) % width:
            raise DawProtocolError("bad_type", f"{address}: the last item has {len(rest) % width} of {width} values.")
        items = []
        for at in range(0, len(rest), width):
            made = item(*(_value(address, tag, rest[at + i]) for i, tag in enumerate(item.TAGS)))
            made.check()
            items.append(made)
        message_values.append(tuple(items))
    message = kind(*message_values)
    message.check()
    return cast(DawMessage, message)


def osc_arguments(message: DawMessage) -> tuple[str, str, list[object]]:
    """(address, type tags without the comma, values)."""
    plain = [getattr(message, field.name) for field in fields(message) if field.name != "items"]
    tags: str = message.TAGS
    values: list[object] = list(plain)
    for item in getattr(message, "items", ()):
        tags += item.TAGS
        values += [getattr(item, field.name) for field in fields(item)]
    return message.ADDRESS, tags, values


def encode(message: DawMessage) -> bytes:
    """One OSC datagram."""
    address, tags, values = osc_arguments(message)
    arguments = [
        codec.Double(cast(float, value)) if tag == "d" else value for tag, value in zip(tags, values, strict=True)
    ]
    return codec.encode(address, cast("list[codec.Argument]", arguments))


def decode(datagram: bytes) -> DawMessage:
    """The message of one datagram.  Raises DawProtocolError for anything malformed, never anything else."""
    try:
        found = codec.decode(datagram)
    except codec.OscError as error:
        raise DawProtocolError("bad_type", f"this is no OSC message: {error}.") from error
    if len(found) != 1:
        raise DawProtocolError("bad_type", f"a datagram of {len(found)} messages where one was wanted.")
    return parse(found[0].address, found[0].arguments)
