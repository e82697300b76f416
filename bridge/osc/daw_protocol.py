"""The /daw/* messages between a DAW's script and the bridge: one frozen dataclass each.  Protocol 1, no sockets.

Seconds are DAW timeline seconds from the project's beginning; beats are quarter notes, beat 0 = bar 1 beat 1.  A
number may arrive as i, h, f or d, a switch also as T or F (hosts differ in what they can send); it leaves in the type
of the table.  Everything is checked here, so that what comes out can be trusted: numbers are finite and in range,
strings have an end, a group is whole.  docs/protocol.md is the same table in prose, with the bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Final, cast

from bridge.osc import codec
from engine.music.errors import UserError

PROTOCOL: Final = 1
PREFIX: Final = "/daw/"
DEFAULT_PORT: Final = 9317  # where the shipped scripts send; chosen from IANA's unassigned ports
MAX_ARGUMENTS: Final = codec.MAX_ARGUMENTS  # of one message: longer lists come in chunks
TEXT_LIMIT: Final = 1024  # characters
POSITION_LIMIT_S: Final = 1_000_000.0  # 11 days: beyond it no timeline reaches
MAX_ITEMS: Final = 4096  # tempo points, markers or regions of one project

PLAYING, RECORDING, PAUSED, LOOPING, COUNT_IN = 1, 2, 4, 8, 16
ALL_MARKERS: Final = -1  # in DoUnmark: every marker that we set
SCOPES: Final = ("selection", "cue", "film")


class DawProtocolError(UserError):
    """A refused message.  code: "unknown_address", "bad_type" or "bad_value"."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def _bad(sentence: str) -> DawProtocolError:
    return DawProtocolError("bad_value", sentence)


# From the script -------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Hello:
    """First message, again every 2 s until Welcome comes, and when asked by Who.

    reply_port: where answers go, 0 = where this came from.  mailbox: a file the bridge appends answers to, for hosts
    that can send but not receive; "" elsewhere.  abilities: words of ABILITIES, with blanks between them.
    """

    ADDRESS: ClassVar = "/daw/hello"
    TAGS: ClassVar = "ssiisss"
    daw: str
    version: str
    protocol: int
    reply_port: int = 0
    host_version: str = ""
    mailbox: str = ""
    abilities: str = ""

    def check(self) -> None:
        if not self.daw.strip():
            raise _bad("a script has to say the name of its DAW.")
        if not 0 <= self.reply_port <= 65535:
            raise _bad(f"{self.reply_port} is not a port.")


@dataclass(frozen=True, slots=True)
class Transport:
    """Everything about the transport at one moment; sent at every tick while rolling, at every change and at least
    once a second.

    seq: counts up by one.  sent_s: the script's own clock when it looked, 0 where the host has none.
    bpm: quarter notes a minute.  flags: PLAYING | RECORDING | PAUSED | LOOPING | COUNT_IN.
    """

    ADDRESS: ClassVar = "/daw/transport"
    TAGS: ClassVar = "iddddiii"
    seq: int
    sent_s: float
    position_s: float
    position_beats: float
    bpm: float
    numerator: int
    denominator: int
    flags: int

    def check(self) -> None:
        _check_tempo(self.bpm, self.numerator, self.denominator)
        _check_position(self.position_s)
        if not 0 <= self.flags < 32:
            raise _bad(f"transport flags {self.flags} are outside 0 to 31.")


@dataclass(frozen=True, slots=True)
class Loop:
    """The loop range, whether on or not."""

    ADDRESS: ClassVar = "/daw/loop"
    TAGS: ClassVar = "idd"
    on: int
    start_s: float
    end_s: float

    def check(self) -> None:
        _check_range(self.start_s, self.end_s)


@dataclass(frozen=True, slots=True)
class TimecodeInfo:
    """The project's frame rate, and the timecode of timeline second 0 ("" where the host does not tell)."""

    ADDRESS: ClassVar = "/daw/timecode"
    TAGS: ClassVar = "dis"
    fps: float
    drop: int
    start: str = ""

    def check(self) -> None:
        if not 1 <= self.fps <= 1000:
            raise _bad(f"{self.fps:g} is not a frame rate.")


@dataclass(frozen=True, slots=True)
class TempoPoint:
    """From `beats` (at `seconds`) on: bpm and time signature.  ramp: the tempo glides to the next point's."""

    TAGS: ClassVar = "dddiii"
    beats: float
    seconds: float
    bpm: float
    numerator: int
    denominator: int
    ramp: int = 0

    def check(self) -> None:
        _check_tempo(self.bpm, self.numerator, self.denominator)
        _check_position(self.seconds)


@dataclass(frozen=True, slots=True)
class MarkerItem:
    """A marker of the DAW; number as the host counts."""

    TAGS: ClassVar = "ids"
    number: int
    position_s: float
    name: str

    def check(self) -> None:
        _check_position(self.position_s)


@dataclass(frozen=True, slots=True)
class RegionItem:
    """A named stretch of the timeline: a region, an arrangement section or a clip."""

    TAGS: ClassVar = "idds"
    number: int
    start_s: float
    end_s: float
    name: str

    def check(self) -> None:
        _check_range(self.start_s, self.end_s)


@dataclass(frozen=True, slots=True)
class TempoMapChunk:
    """Points `first` … of `total`; complete when all of a revision came.  Answered with Got once complete."""

    ADDRESS: ClassVar = "/daw/tempomap"
    TAGS: ClassVar = "iii"
    ITEM: ClassVar = TempoPoint
    revision: int
    total: int
    first: int
    items: tuple[TempoPoint, ...] = ()

    def check(self) -> None:
        _check_chunk(self.total, self.first, len(self.items))


@dataclass(frozen=True, slots=True)
class MarkersChunk:
    """Markers `first` … of `total`; total 0 = none are left."""

    ADDRESS: ClassVar = "/daw/markers"
    TAGS: ClassVar = "iii"
    ITEM: ClassVar = MarkerItem
    revision: int
    total: int
    first: int
    items: tuple[MarkerItem, ...] = ()

    def check(self) -> None:
        _check_chunk(self.total, self.first, len(self.items))


@dataclass(frozen=True, slots=True)
class RegionsChunk:
    """Regions `first` … of `total`."""

    ADDRESS: ClassVar = "/daw/regions"
    TAGS: ClassVar = "iii"
    ITEM: ClassVar = RegionItem
    revision: int
    total: int
    first: int
    items: tuple[RegionItem, ...] = ()

    def check(self) -> None:
        _check_chunk(self.total, self.first, len(self.items))


@dataclass(frozen=True, slots=True)
class FilmInfo:
    """The video item: file, where it begins on the timeline, what is trimmed off its head, its length, its speed."""

    ADDRESS: ClassVar = "/daw/film"
    TAGS: ClassVar = "sdddd"
    path: str
    position_s: float
    trim_s: float
    length_s: float
    rate: float

    def check(self) -> None:
        _check_position(self.position_s)
        if self.length_s < 0 or not 0.01 <= self.rate <= 100:
            raise _bad("a video item has a length and a speed above nothing.")


@dataclass(frozen=True, slots=True)
class SessionPath:
    """The session file that this DAW project remembers; "" = none."""

    ADDRESS: ClassVar = "/daw/session"
    TAGS: ClassVar = "s"
    path: str

    def check(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class PrintRequest:
    """The composer asks, in the DAW, to print.  scope: one of SCOPES; the range counts for "selection" only."""

    ADDRESS: ClassVar = "/daw/print"
    TAGS: ClassVar = "sdd"
    scope: str
    start_s: float = 0.0
    end_s: float = 0.0

    def check(self) -> None:
        if self.scope not in SCOPES:
            raise _bad(f"'{self.scope}' cannot be printed; {', '.join(SCOPES)} can.")
        if self.scope == "selection" and self.end_s <= self.start_s:
            raise _bad("nothing is selected to print; make a time selection first.")


@dataclass(frozen=True, slots=True)
class Ack:
    """Answer to a /daw/do/ message.  ok: 1 done, 0 refused; text: why, or what is missing."""

    ADDRESS: ClassVar = "/daw/ack"
    TAGS: ClassVar = "iis"
    request: int
    ok: int
    text: str = ""

    def check(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Bye:
    """The script ends: sounding notes are ended."""

    ADDRESS: ClassVar = "/daw/bye"
    TAGS: ClassVar = ""

    def check(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class ScriptsQuery:
    """Anyone asks which scripts are connected (`cuebridge doctor` does).  Answered with a ScriptStatus each."""

    ADDRESS: ClassVar = "/daw/scripts"
    TAGS: ClassVar = ""

    def check(self) -> None:
        pass


# From the bridge -------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Welcome:
    """Answer to Hello."""

    ADDRESS: ClassVar = "/daw/welcome"
    TAGS: ClassVar = "si"
    version: str
    protocol: int

    def check(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Who:
    """The bridge hears a script that it does not know (it was restarted): say Hello and everything again."""

    ADDRESS: ClassVar = "/daw/who"
    TAGS: ClassVar = ""

    def check(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Alive:
    """Once a second.  A script that hears nothing for 5 s goes quiet: only Hello, every 2 s."""

    ADDRESS: ClassVar = "/daw/alive"
    TAGS: ClassVar = ""

    def check(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Got:
    """A tempo map, marker or region list is complete.  what: "tempomap", "markers" or "regions"."""

    ADDRESS: ClassVar = "/daw/got"
    TAGS: ClassVar = "si"
    what: str
    revision: int

    def check(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class DawError:
    """A message was refused.  address: of that message."""

    ADDRESS: ClassVar = "/daw/error"
    TAGS: ClassVar = "sss"
    address: str
    code: str
    text: str

    def check(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class ScriptStatus:
    """One connected script, of `count`; with count 0 the rest says nothing.

    fits: whether it speaks our protocol.  rate_hz: transport messages a second.  lost: numbers missing in their count.
    jitter_ms: how much later than the quickest the slowest came.  leads: whether its transport is in force.
    """

    ADDRESS: ClassVar = "/daw/script"
    TAGS: ClassVar = "isssiididi"
    count: int
    daw: str
    host_version: str
    version: str
    protocol: int
    fits: int
    rate_hz: float
    lost: int
    jitter_ms: float
    leads: int

    def check(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class DoMarker:
    """Set marker `number` (ours, stable) here, or move it here.  rgb: 0xRRGGBB."""

    ADDRESS: ClassVar = "/daw/do/marker"
    TAGS: ClassVar = "iidsi"
    request: int
    number: int
    position_s: float
    name: str
    rgb: int = 0xE0A030

    def check(self) -> None:
        _check_position(self.position_s)


@dataclass(frozen=True, slots=True)
class DoUnmark:
    """Remove our marker `number`, or all of ours (ALL_MARKERS)."""

    ADDRESS: ClassVar = "/daw/do/unmark"
    TAGS: ClassVar = "ii"
    request: int
    number: int

    def check(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class TempoStep:
    """From `beats` on: bpm and time signature."""

    TAGS: ClassVar = "ddii"
    beats: float
    bpm: float
    numerator: int
    denominator: int

    def check(self) -> None:
        _check_tempo(self.bpm, self.numerator, self.denominator)


@dataclass(frozen=True, slots=True)
class DoTempo:
    """Replace the tempo map from the first step's beat on."""

    ADDRESS: ClassVar = "/daw/do/tempo"
    TAGS: ClassVar = "i"
    ITEM: ClassVar = TempoStep
    request: int
    items: tuple[TempoStep, ...] = ()

    def check(self) -> None:
        if not self.items:
            raise _bad("a tempo map without a tempo.")


@dataclass(frozen=True, slots=True)
class DoPrint:
    """Write the notes of this print file (bridge.osc.daw_print) into tracks, as one undo step."""

    ADDRESS: ClassVar = "/daw/do/print"
    TAGS: ClassVar = "is"
    request: int
    path: str

    def check(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class DoSession:
    """Remember this session file with the DAW's project."""

    ADDRESS: ClassVar = "/daw/do/session"
    TAGS: ClassVar = "is"
    request: int
    path: str

    def check(self) -> None:
        pass


ABILITIES: Final = (
    *("transport", "tempomap", "loop", "timecode", "markers", "regions", "film", "session"),
    *("do_marker", "do_tempo", "do_print", "do_session"),
)
FromScript = (
    Hello
    | Transport
    | Loop
    | TimecodeInfo
    | TempoMapChunk
    | MarkersChunk
    | RegionsChunk
    | FilmInfo
    | SessionPath
    | PrintRequest
    | Ack
    | Bye
    | ScriptsQuery
)
ToScript = Welcome | Who | Alive | Got | DawError | ScriptStatus | DoMarker | DoUnmark | DoTempo | DoPrint | DoSession
DawMessage = FromScript | ToScript
MESSAGES: Final[dict[str, type]] = {kind.ADDRESS: kind for kind in (*FromScript.__args__, *ToScript.__args__)}


def _check_tempo(bpm: float, numerator: int, denominator: int) -> None:
    if not 1 <= bpm <= 2000:
        raise _bad(f"tempo {bpm:g} is outside 1 to 2000 bpm.")
    if not 1 <= numerator <= 64 or denominator not in (1, 2, 4, 8, 16, 32, 64):
        raise _bad(f"{numerator}/{denominator} is not a time signature.")


def _check_position(seconds: float) -> None:
    if abs(seconds) > POSITION_LIMIT_S:
        raise _bad(f"position {seconds:g} s is outside any timeline.")


def _check_range(start_s: float, end_s: float) -> None:
    _check_position(start_s)
    _check_position(end_s)
    if end_s < start_s:
        raise _bad(f"a range from {start_s:g} to {end_s:g} s ends before it begins.")


def _check_chunk(total: int, first: int, count: int) -> None:
    if not 0 <= total <= MAX_ITEMS or not 0 <= first <= first + count <= total or (total > 0 and count == 0):
        raise _bad(f"items {first} to {first + count} of {total} are no part of a list.")


def _value(address: str, tag: str, value: object) -> object:
    """One argument as the table wants it.  Raises DawProtocolError."""
    if tag == "s":
        if not isinstance(value, str):
            raise DawProtocolError("bad_type", f"{address} wants text where {value!r} came.")
        if len(value) > TEXT_LIMIT:
            raise _bad(f"{address}: a text of more than {TEXT_LIMIT} characters.")
        return value
    if not isinstance(value, (int, float)) or (tag == "d" and isinstance(value, bool)):
        raise DawProtocolError("bad_type", f"{address} wants a number where {value!r} came.")
    if not math.isfinite(value):
        raise _bad(f"{address}: {value} is not a number.")
    if tag == "d":
        return float(value)
    if value != int(value) or not -(2**31) <= value < 2**31:
        raise _bad(f"{address} wants a whole number where {value!r} came.")
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
