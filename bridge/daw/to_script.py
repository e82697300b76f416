"""What the bridge says to a DAW's script: one frozen dataclass each.  Units as in daw_from_script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bridge.daw.fields import Message, bad_value, check_position, check_tempo


@dataclass(frozen=True, slots=True)
class Welcome(Message):
    """Answer to Hello."""

    ADDRESS: ClassVar = "/daw/welcome"
    TAGS: ClassVar = "si"
    version: str
    protocol: int


@dataclass(frozen=True, slots=True)
class Who(Message):
    """The bridge hears a script that it does not know (it was restarted): say Hello and everything again."""

    ADDRESS: ClassVar = "/daw/who"
    TAGS: ClassVar = ""


@dataclass(frozen=True, slots=True)
class Alive(Message):
    """Once a second.  A script that hears nothing for 5 s goes quiet: only Hello, every 2 s."""

    ADDRESS: ClassVar = "/daw/alive"
    TAGS: ClassVar = ""


@dataclass(frozen=True, slots=True)
class Got(Message):
    """A tempo map, marker or region list is complete.  what: "tempomap", "markers" or "regions"."""

    ADDRESS: ClassVar = "/daw/got"
    TAGS: ClassVar = "si"
    what: str
    revision: int


@dataclass(frozen=True, slots=True)
class DawError(Message):
    """A message was refused.  address: of that message."""

    ADDRESS: ClassVar = "/daw/error"
    TAGS: ClassVar = "sss"
    address: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class ScriptStatus(Message):
    """One connected script, of `count`; with count 0 the rest says nothing.

    fits: whether it speaks our protocol.  rate_hz: transport messages a second.  lost: numbers missing in their count.
    jitter_ms: how much later than the quickest the slowest came.  leads: whether its transport is in force.
    rows: how many CapabilityStatus follow for it.
    """

    ADDRESS: ClassVar = "/daw/script"
    TAGS: ClassVar = "isssiididisi"
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
    interpreter: str = ""
    rows: int = 0


@dataclass(frozen=True, slots=True)
class CapabilityStatus(Message):
    """One row of a connected script's self-test; fields as in Capability."""

    ADDRESS: ClassVar = "/daw/script/capability"
    TAGS: ClassVar = "sssis"
    daw: str
    feature: str
    call: str
    works: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class DoMarker(Message):
    """Set marker `number` (ours, stable) here, or move it here.  rgb: 0xRRGGBB."""

    ADDRESS: ClassVar = "/daw/do/marker"
    TAGS: ClassVar = "iidsi"
    request: int
    number: int
    position_s: float
    name: str
    rgb: int = 0xE0A030

    def check(self) -> None:
        check_position(self.position_s)


@dataclass(frozen=True, slots=True)
class DoUnmark(Message):
    """Remove our marker `number`, or all of ours (ALL_MARKERS)."""

    ADDRESS: ClassVar = "/daw/do/unmark"
    TAGS: ClassVar = "ii"
    request: int
    number: int


@dataclass(frozen=True, slots=True)
class TempoStep(Message):
    """From `beats` on: bpm and time signature."""

    TAGS: ClassVar = "ddii"
    beats: float
    bpm: float
    numerator: int
    denominator: int

    def check(self) -> None:
        check_tempo(self.bpm, self.numerator, self.denominator)


@dataclass(frozen=True, slots=True)
class DoTempo(Message):
    """Replace the tempo map from the first step's beat on."""

    ADDRESS: ClassVar = "/daw/do/tempo"
    TAGS: ClassVar = "i"
    ITEM: ClassVar = TempoStep
    request: int
    items: tuple[TempoStep, ...] = ()

    def check(self) -> None:
        if not self.items:
            raise bad_value("a tempo map without a tempo.")


@dataclass(frozen=True, slots=True)
class DoPrint(Message):
    """Write the notes of this print file (bridge.daw.print) into tracks, as one undo step."""

    ADDRESS: ClassVar = "/daw/do/print"
    TAGS: ClassVar = "is"
    request: int
    path: str


@dataclass(frozen=True, slots=True)
class ClipFile(Message):
    """A part of a take as a MIDI file of its own, from the beginning of the range on."""

    TAGS: ClassVar = "sss"
    part: str
    name: str
    path: str


@dataclass(frozen=True, slots=True)
class DoClips(Message):
    """Put these MIDI files as clips into the tracks of their parts, side by side in one empty row of the launcher.

    For hosts whose scripts can insert files but not write notes into the arranger (Bitwig).
    """

    ADDRESS: ClassVar = "/daw/do/clips"
    TAGS: ClassVar = "is"
    ITEM: ClassVar = ClipFile
    request: int
    name: str
    items: tuple[ClipFile, ...] = ()


@dataclass(frozen=True, slots=True)
class DoSession(Message):
    """Remember this session file with the DAW's project."""

    ADDRESS: ClassVar = "/daw/do/session"
    TAGS: ClassVar = "is"
    request: int
    path: str
