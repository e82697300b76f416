"""What crosses the pipe between the bridge and the player, and the options both share.

Nothing is pickled: unpickling a thousand notes holds the interpreter for 4 ms, which is 4 ms of silence.
Plan events and sent events travel as packed arrays of at most 64; rare or small things as JSON.  Every
message is one byte of kind and a payload, little endian.

Host times are `time.perf_counter` seconds, positions are timeline seconds unless a name says beats.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from itertools import starmap
from typing import ClassVar, Final, NamedTuple

from bridge.transport.state import TransportObservation

PACKET_EVENTS: Final = 64
APIS: Final = ("jack-client", "alsa", "coremidi", "winmm", "jack", "none")  # in the order in which "auto" tries them
CONTROL_NAME: Final = "Control"  # after the port's name: the input for a MIDI controller
DEFAULT_PARTS: Final = ("pad", "arp", "bass", "melody", "drums")

# bridge -> player
TEMPO, BEGIN, EVENTS, COMMIT = b"T", b"B", b"E", b"C"
PLAY, STOP, LOCATE, LOOP, PANIC, QUIT = b"P", b"S", b"L", b"O", b"!", b"Q"
MUTE, NUDGE, PARTS, OBSERVE, SYNC, RESUME, HOLD = b"M", b"N", b"A", b"V", b"Y", b"R", b"H"
# player -> bridge
STATUS, SENT, FAULT, RETURNED, TOUCHES = b"s", b"e", b"f", b"r", b"h"

_EVENT: Final = struct.Struct("<BBBBBxxxdd")  # kind, part, channel, data1, data2, start, length
_SENT: Final = struct.Struct("<ddBBBB4x")  # position_s, host_s, status, data1, data2, port
_TOUCH: Final = struct.Struct("<d3s5x")
_BEGIN: Final = struct.Struct("<iBd")  # revision, unit, from
_LOOP: Final = struct.Struct("<Bdd")
_PART_VALUE: Final = struct.Struct("<Bd")
_RESUME: Final = struct.Struct("<ddB")
_F64: Final = struct.Struct("<d")
_I32: Final = struct.Struct("<i")
NOTE, CONTROL = 0, 1
UNITS: Final = ("beats", "seconds")


@dataclass(frozen=True, slots=True)
class PortOptions:
    """api: auto alsa jack jack-client coremidi winmm none.  layout: "one" port or "per-part".  nudge_ms: part -> shift,
    − = earlier; "" = all parts.  control_in: an input for faders, pads and pedals; control_from: an input to connect to
    it, by a part of its name; control_name: what its own name ends with."""

    api: str = "auto"
    name: str = "CueBridge"
    layout: str = "one"
    nudge_ms: Mapping[str, float] = field(default_factory=dict)
    sync_in: bool = True
    sync_out: bool = False
    control_in: bool = True
    control_from: str = ""
    control_name: str = CONTROL_NAME


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """position and tempo are two roles with two sources, chosen apart.  frame_rate: of the timecode, as the person
    states it; film_rate: of the film, which tells 23.976 from 24 where nobody states it.  freewheel_s: how long play
    goes on when the source falls silent (0..5).  quantum: quarter notes of a bar, for Ableton Link."""

    position: str = "internal"
    tempo: str = "map"
    frame_rate: str | None = None
    freewheel_s: float = 0.5
    send_mtc: bool = False
    send_clock: bool = False
    film_rate: str | None = None
    quantum: float = 4.0


@dataclass(frozen=True, slots=True)
class PlayerOptions:
    ports: PortOptions = field(default_factory=PortOptions)
    parts: tuple[str, ...] = DEFAULT_PARTS
    sync: SyncOptions = field(default_factory=SyncOptions)
    commit_s: float = 0.25
    late_limit_s: float = 0.05
    realtime: bool = True
    resume: bool = True


class Touch(NamedTuple):
    """A channel message from a person's controller (three bytes) and the host time at which it came."""

    host_s: float
    data: bytes


class SentEvent(NamedTuple):
    """A message that went out: the timeline second it belongs to, the host time it was sent (or is written
    for), MIDI."""

    position_s: float
    host_s: float
    status: int
    data1: int
    data2: int
    port: int


EventRow = tuple[int, int, int, int, int, float, float]  # as PlanEvent, which takes longer to make


class PlanEvent(NamedTuple):
    """kind NOTE (data1 pitch, data2 velocity) or CONTROL (data1 number, data2 value, length 0); channel
    0..15; part is an index into the parts; start and length in the plan's unit."""

    kind: int
    part: int
    channel: int
    data1: int
    data2: int
    start: float
    length: float


@dataclass(frozen=True, slots=True)
class PlayerStatus:
    """The player's word, at every change and twenty times a second.  See docs/sync.md for the states.

    NONE: before its first word.
    beat_phase: 0..1, how far into its beat a MIDI clock is at `position_s`, where one gives the tempo and runs.
    clock_beats: quarter notes from bar 1 to where that clock says that it ran from, and from there as counted.
    stated_beats: quarter notes since bar 1 at `position_s`, by the JACK transport or a plugin's host.
    held: parts whose port is silent because the plugin plays them.
    """

    host_s: float
    position_s: float
    position_beats: float
    rate: float
    state: str
    rolling: bool
    position_source: str
    tempo_source: str
    tempo_bpm: float
    revision: int
    tempo_revision: int
    sounding: tuple[tuple[int, int, int], ...]
    late: int
    dropped: int
    sent: int
    port: str
    port_api: str
    port_reason: str
    port_up: bool
    priority: str
    loop: tuple[float, float] | None = None
    muted: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    worst_late_ms: float = 0.0
    restarts: int = 0
    recording: bool | None = None
    peers: tuple[tuple[str, str], ...] = ()
    sync_port: str = ""
    control_port: str = ""
    xruns: int = 0
    source_rate: str = ""
    beat_phase: float | None = None
    clock_beats: tuple[float, float] | None = None
    stated_beats: float | None = None
    notes: tuple[str, ...] = ()

    NONE: ClassVar[PlayerStatus]

    def position_at(self, host_s: float) -> float:
        """Timeline second at a host time near this status, round the loop where one is on."""
        position = self.position_s + (host_s - self.host_s) * self.rate
        if self.loop is not None and self.rolling and self.position_s < self.loop[1] <= position:
            start, end = self.loop
            position = start + (position - end) % (end - start)
        return position


PlayerStatus.NONE = PlayerStatus(0.0, 0.0, 0.0, 0.0, "", False, "", "", 0.0, -1, -1, (), 0, 0, 0, "", "", "", False, "")


_STATUS_FIELDS: Final = tuple(each.name for each in fields(PlayerStatus))


def pack_status(status: PlayerStatus) -> bytes:
    # Not by asdict(): its deep copy is the dearest thing that the player does while nothing sounds.
    values = {name: getattr(status, name) for name in _STATUS_FIELDS}
    return STATUS + json.dumps(values, separators=(",", ":")).encode()


def unpack_status(payload: bytes) -> PlayerStatus:
    values = json.loads(payload)
    values["sounding"] = tuple((int(a), int(b), int(c)) for a, b, c in values["sounding"])
    values["peers"] = tuple((str(a), str(b)) for a, b in values["peers"])
    for name in ("muted", "held", "notes"):
        values[name] = tuple(values[name])
    for name in ("loop", "clock_beats"):
        values[name] = None if values[name] is None else (values[name][0], values[name][1])
    return PlayerStatus(**values)


def pack_begin(revision: int, unit: str, from_position: float) -> bytes:
    return BEGIN + _BEGIN.pack(revision, UNITS.index(unit), from_position)


def unpack_begin(payload: bytes) -> tuple[int, str, float]:
    revision, unit, from_position = _BEGIN.unpack(payload)
    return revision, UNITS[unit], from_position


def pack_events(events: Sequence[EventRow]) -> Iterator[bytes]:
    """Packets of at most PACKET_EVENTS."""
    pack = _EVENT.pack
    for first in range(0, len(events), PACKET_EVENTS):
        yield EVENTS + b"".join(starmap(pack, events[first : first + PACKET_EVENTS]))


def unpack_events(payload: bytes) -> Iterator[tuple[int, int, int, int, int, float, float]]:
    return _EVENT.iter_unpack(payload)


def pack_sent(events: Iterable[SentEvent]) -> bytes:
    pack = _SENT.pack
    return SENT + b"".join(pack(*event) for event in events)


def unpack_sent(payload: bytes) -> Iterator[SentEvent]:
    return map(SentEvent._make, _SENT.iter_unpack(payload))


def pack_touches(touches: Iterable[Touch]) -> bytes:
    return TOUCHES + b"".join(_TOUCH.pack(*touch) for touch in touches)


def unpack_touches(payload: bytes) -> Iterator[Touch]:
    return map(Touch._make, _TOUCH.iter_unpack(payload))


def pack_commit(revision: int) -> bytes:
    return COMMIT + _I32.pack(revision)


def pack_tempo(revision: int, line: bytes) -> bytes:
    return TEMPO + _I32.pack(revision) + line


def unpack_i32(payload: bytes) -> int:
    return int(_I32.unpack_from(payload)[0])


def pack_locate(position_s: float) -> bytes:
    return LOCATE + _F64.pack(position_s)


def unpack_f64(payload: bytes) -> float:
    return float(_F64.unpack(payload)[0])


def pack_resume(position_s: float, host_s: float, rolling: bool) -> bytes:
    """Where the playhead was at a host time: a new player takes up from where it would be by now."""
    return RESUME + _RESUME.pack(position_s, host_s, rolling)


def unpack_resume(payload: bytes) -> tuple[float, float, bool]:
    position_s, host_s, rolling = _RESUME.unpack(payload)
    return position_s, host_s, bool(rolling)


def pack_loop(on: bool, start_s: float, end_s: float) -> bytes:
    return LOOP + _LOOP.pack(on, start_s, end_s)


def unpack_loop(payload: bytes) -> tuple[bool, float, float]:
    on, start_s, end_s = _LOOP.unpack(payload)
    return bool(on), start_s, end_s


def pack_part_value(kind: bytes, part: int, value: float) -> bytes:
    """MUTE (0 or 1) or NUDGE (seconds); part 255 = all."""
    return kind + _PART_VALUE.pack(part, value)


def unpack_part_value(payload: bytes) -> tuple[int, float]:
    part, value = _PART_VALUE.unpack(payload)
    return part, value


def pack_json(kind: bytes, value: object) -> bytes:
    return kind + json.dumps(value, separators=(",", ":")).encode()


def pack_observation(observation: TransportObservation) -> bytes:
    return pack_json(OBSERVE, asdict(observation))


def unpack_observation(payload: bytes) -> TransportObservation:
    fields = json.loads(payload)
    for name in ("loop", "meter"):
        fields[name] = None if fields[name] is None else tuple(fields[name])
    return TransportObservation(**fields)


def pack_sync(sync: SyncOptions) -> bytes:
    return pack_json(SYNC, asdict(sync))


def unpack_sync(payload: bytes) -> SyncOptions:
    return SyncOptions(**json.loads(payload))


def unpack_json(payload: bytes) -> list[str]:
    return [str(item) for item in json.loads(payload)]
