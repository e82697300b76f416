"""What a DAW's script says: one frozen dataclass each.

Seconds are DAW timeline seconds from the project's beginning; beats are quarter notes, beat 0 = bar 1 beat 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from bridge.daw.fields import (
    NOT_TRIED,
    REFUSED,
    SCOPES,
    WORKS,
    Message,
    bad_value,
    check_chunk,
    check_position,
    check_range,
    check_tempo,
)

Item = TypeVar("Item", bound=Message)


@dataclass(frozen=True, slots=True)
class Hello(Message):
    """First message, again every 2 s until Welcome comes, and when asked by Who.

    reply_port: where answers go, 0 = where this came from.  mailbox: a file the bridge appends answers to, for hosts
    that can send but not receive; "" elsewhere.  abilities: words of ABILITIES, with blanks between them.
    interpreter: what runs the script, with its version ("CPython 3.11.6"); "" where it does not say.
    """

    ADDRESS: ClassVar = "/daw/hello"
    TAGS: ClassVar = "ssiissss"
    daw: str
    version: str
    protocol: int
    reply_port: int = 0
    host_version: str = ""
    mailbox: str = ""
    abilities: str = ""
    interpreter: str = ""

    def check(self) -> None:
        if not self.daw.strip():
            raise bad_value("a script has to say the name of its DAW.")
        if not 0 <= self.reply_port <= 65535:
            raise bad_value(f"{self.reply_port} is not a port.")


@dataclass(frozen=True, slots=True)
class Transport(Message):
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
        check_tempo(self.bpm, self.numerator, self.denominator)
        check_position(self.position_s)
        if not 0 <= self.flags < 32:
            raise bad_value(f"transport flags {self.flags} are outside 0 to 31.")


@dataclass(frozen=True, slots=True)
class Loop(Message):
    """The loop range, whether on or not."""

    ADDRESS: ClassVar = "/daw/loop"
    TAGS: ClassVar = "idd"
    on: int
    start_s: float
    end_s: float

    def check(self) -> None:
        check_range(self.start_s, self.end_s)


@dataclass(frozen=True, slots=True)
class TimecodeInfo(Message):
    """The project's frame rate, and the timecode of timeline second 0 ("" where the host does not tell)."""

    ADDRESS: ClassVar = "/daw/timecode"
    TAGS: ClassVar = "dis"
    fps: float
    drop: int
    start: str = ""

    def check(self) -> None:
        if not 1 <= self.fps <= 1000:
            raise bad_value(f"{self.fps:g} is not a frame rate.")


@dataclass(frozen=True, slots=True)
class TempoPoint(Message):
    """From `beats` (at `seconds`) on: bpm and time signature.  ramp: the tempo glides to the next point's."""

    TAGS: ClassVar = "dddiii"
    beats: float
    seconds: float
    bpm: float
    numerator: int
    denominator: int
    ramp: int = 0

    def check(self) -> None:
        check_tempo(self.bpm, self.numerator, self.denominator)
        check_position(self.seconds)


@dataclass(frozen=True, slots=True)
class MarkerItem(Message):
    """A marker of the DAW; number as the host counts."""

    TAGS: ClassVar = "ids"
    number: int
    position_s: float
    name: str

    def check(self) -> None:
        check_position(self.position_s)


@dataclass(frozen=True, slots=True)
class RegionItem(Message):
    """A named stretch of the timeline: a region, an arrangement section or a clip."""

    TAGS: ClassVar = "idds"
    number: int
    start_s: float
    end_s: float
    name: str

    def check(self) -> None:
        check_range(self.start_s, self.end_s)


@dataclass(frozen=True, slots=True)
class Capability(Message):
    """One call of the host that a script needs, as its self-test found it.

    feature: what needs it (a key of daw_capabilities.COSTS).  works: WORKS, REFUSED or NOT_TRIED.  why: of a refusal.
    """

    TAGS: ClassVar = "ssis"
    feature: str
    call: str
    works: int
    why: str = ""

    def check(self) -> None:
        if self.works not in (REFUSED, WORKS, NOT_TRIED):
            raise bad_value(f"a call works (1), is refused (0) or was not tried (2), not {self.works}.")


@dataclass(frozen=True, slots=True)
class Chunk(Message, Generic[Item]):
    """Items `first` … of `total` of a list; complete when all of a revision came, and answered with Got then.

    Total 0: none are left.
    """

    TAGS: ClassVar = "iii"
    ITEM: ClassVar[type[Message]]
    revision: int
    total: int
    first: int
    items: tuple[Item, ...] = ()

    def check(self) -> None:
        check_chunk(self.total, self.first, len(self.items))


class TempoMapChunk(Chunk[TempoPoint]):
    """The tempo map."""

    __slots__ = ()
    ADDRESS: ClassVar = "/daw/tempomap"
    ITEM: ClassVar = TempoPoint


class MarkersChunk(Chunk[MarkerItem]):
    """Markers."""

    __slots__ = ()
    ADDRESS: ClassVar = "/daw/markers"
    ITEM: ClassVar = MarkerItem


class RegionsChunk(Chunk[RegionItem]):
    """Regions, arrangement sections, clips: what has a beginning, an end and a name."""

    __slots__ = ()
    ADDRESS: ClassVar = "/daw/regions"
    ITEM: ClassVar = RegionItem


class CapabilitiesChunk(Chunk[Capability]):
    """What works of the host: the result of the script's self-test, again whenever a call fails later."""

    __slots__ = ()
    ADDRESS: ClassVar = "/daw/capabilities"
    ITEM: ClassVar = Capability


@dataclass(frozen=True, slots=True)
class FilmInfo(Message):
    """The video item: file, where it begins on the timeline, what is trimmed off its head, its length, its speed."""

    ADDRESS: ClassVar = "/daw/film"
    TAGS: ClassVar = "sdddd"
    path: str
    position_s: float
    trim_s: float
    length_s: float
    rate: float

    def check(self) -> None:
        check_position(self.position_s)
        if self.length_s < 0 or not 0.01 <= self.rate <= 100:
            raise bad_value("a video item has a length and a speed above nothing.")


@dataclass(frozen=True, slots=True)
class SessionPath(Message):
    """The session file that this DAW project remembers; "" = none."""

    ADDRESS: ClassVar = "/daw/session"
    TAGS: ClassVar = "s"
    path: str


@dataclass(frozen=True, slots=True)
class RangeRequest(Message):
    """Something asked for in the DAW, over a range.  scope: one of SCOPES; the range counts for "selection" only."""

    TAGS: ClassVar = "sdd"
    scope: str
    start_s: float = 0.0
    end_s: float = 0.0

    def check(self) -> None:
        if self.scope not in SCOPES:
            raise bad_value(f"'{self.scope}' is no range; {', '.join(SCOPES)} are.")
        if self.scope == "selection" and self.end_s <= self.start_s:
            raise bad_value("nothing is selected; make a time selection first.")


class PrintRequest(RangeRequest):
    """The composer asks to print."""

    __slots__ = ()
    ADDRESS: ClassVar = "/daw/print"


class ThawRequest(RangeRequest):
    """The composer asks to hear the stream of a printed range again."""

    __slots__ = ()
    ADDRESS: ClassVar = "/daw/thaw"


@dataclass(frozen=True, slots=True)
class Ack(Message):
    """Answer to a /daw/do/ message.  ok: 1 done, 0 refused; text: why, or what is missing."""

    ADDRESS: ClassVar = "/daw/ack"
    TAGS: ClassVar = "iis"
    request: int
    ok: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Bye(Message):
    """The script ends: sounding notes are ended."""

    ADDRESS: ClassVar = "/daw/bye"
    TAGS: ClassVar = ""


@dataclass(frozen=True, slots=True)
class ScriptsQuery(Message):
    """Anyone asks which scripts are connected (`cuebridge doctor` does).  Answered with a ScriptStatus each."""

    ADDRESS: ClassVar = "/daw/scripts"
    TAGS: ClassVar = ""
