"""Which instances of the plugin live, which parts each plays, and what each has yet to be sent.  Sans-I/O.

A part is played by one instance at most, and while it is, the port is silent there.  The order of a handover is kept:
a part is taken from whoever had it, and only when that is confirmed given to another.

Where the project of the DAW holds another plan than CueBridge, the project is right until a person composes or takes
over: `may_replace` says so.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from bridge.plugin import wire
from bridge.plugin.plan import ALL_PARTS, Body, known_as
from engine.music import controls

ALIVE_S: Final = 2.0
RESEND_S: Final = 0.05
PING_S: Final = 1.0
WINDOW: Final = 32  # pieces on their way
MAX_INSTANCES: Final = 64
OTHER_VERSION: Final = (
    "the DAW has a plugin of another CueBridge, which this one does not understand: install it again with"
    " cuebridge install-plugin, and start the DAW again."
)

Address = tuple[str, int]


@dataclass(slots=True)
class Transfer:
    """A body on its way.  first: the first piece that is not there; sent_s: by piece, when it was last sent."""

    number: int
    plan_id: int
    body: bytes
    count: int
    over: int
    there: set[int] = field(default_factory=set)
    sent_s: dict[int, float] = field(default_factory=dict)
    first: int = 0


@dataclass(slots=True)
class Instance:
    name: int
    address: Address
    order: int  # of arrival
    hello: wire.Hello
    heard_s: float
    wanted: int = 0  # bits of the parts that are to be its own
    granted: int = 0  # as it was told last
    sent_ids: set[int] = field(default_factory=set)  # plans that came from here
    transfer: Transfer | None = None
    conflict_said: int = 0  # id of the plan about which a person has been told
    refused: int = 0  # id of a plan that it did not take
    transport: wire.Said | None = None
    round_trip_s: float | None = None
    pinged_s: float = -1e9
    number: int = 0

    def conflicts(self, body: Body | None) -> bool:
        """Whether its project holds another plan that did not come from here."""
        held = self.hello.plan_id
        return body is not None and held not in (0, body.id) and held not in self.sent_ids


class Instances:
    """Feed it datagrams and time; send what `outgoing` returns."""

    def __init__(self, token: bytes, epoch: int, log: Callable[[str], None] = lambda sentence: None) -> None:
        self.token, self.epoch = token, epoch
        self.known: dict[int, Instance] = {}
        self.body: Body | None = None
        self.may_replace = False
        self.loop_s: tuple[float, float] | None = None
        self.observed: list[tuple[Instance, wire.Said]] = []
        self.port_silent = 0  # bits of the parts of which the player has confirmed that its port is silent
        self._say = log
        self._out: list[tuple[Address, bytes]] = []
        self._arrivals = 0
        self._other_version_said = False
        self._transfers = random.randrange(1, 1 << 30)

    # in ---------------------------------------------------------------------------------------------------------------
    def hear(self, data: bytes, address: Address, now_s: float, clock_ns: int) -> None:
        datagram = wire.unpack(self.token, data)
        if datagram is None:
            if wire.is_of_other_version(data) and not self._other_version_said:
                self._other_version_said = True
                self._say(OTHER_VERSION)
            return
        if datagram.kind == wire.HELLO:
            self._hear_hello(datagram, address, now_s)
            return
        instance = self.known.get(datagram.instance)
        if instance is None or instance.address != address or datagram.epoch != self.epoch:
            return
        instance.heard_s = now_s
        if datagram.kind == wire.TRANSPORT:
            said = wire.unpack_transport(datagram.content)
            if said is not None:
                instance.transport = said
                self.observed.append((instance, said))
        elif datagram.kind == wire.ACK:
            self._hear_ack(instance, wire.unpack_ack(datagram.content))
        elif datagram.kind == wire.PONG:
            pong = wire.unpack_pong(datagram.content)
            if pong is not None and 0 <= clock_ns - pong[0] < 10**10:
                instance.round_trip_s = (clock_ns - pong[0]) / 1e9
        elif datagram.kind == wire.BYE:
            self._forget(instance, "was closed")

    def _hear_hello(self, datagram: wire.Datagram, address: Address, now_s: float) -> None:
        hello = wire.unpack_hello(datagram.content)
        if hello is None:
            return
        instance = self.known.get(datagram.instance)
        if instance is None:
            if len(self.known) >= MAX_INSTANCES:
                return
            self._arrivals += 1
            instance = Instance(datagram.instance, address, self._arrivals, hello, now_s, granted=-1)
            self.known[datagram.instance] = instance
            self._say(f"a {hello.face} plugin is there{f' in {hello.host}' if hello.host else ''}.")
        instance.hello, instance.address, instance.heard_s = hello, address, now_s
        if instance.granted >= 0:  # else as soon as it is known what it is to play
            self._welcome(instance)

    def conflict_of(self, instance: Instance) -> str:
        """One sentence that names both plans."""
        hello, ours = instance.hello, self.body
        assert ours is not None
        theirs, mine = f"revision {hello.revision}", f"revision {ours.revision}"
        if hello.film != known_as(ours.film):
            theirs, mine = f"{hello.film or 'no film'}, {theirs}", f"{ours.film or 'no film'}, {mine}"
        elif theirs == mine:  # of two runs with the same film
            theirs, mine = "of another run", "of this one"
        about = f" for {hello.film}" if hello.film and hello.film == known_as(ours.film) else ""
        return (
            f"the DAW's project holds other music{about} ({theirs}) than this session ({mine}): the project's plays "
            f"until something is composed or {controls.PLUGIN_TAKE_OVER} is sent."
        )

    def _hear_ack(self, instance: Instance, ack: tuple[int, int, int, int] | None) -> None:
        transfer = instance.transfer
        if ack is None or transfer is None or ack[0] != transfer.number:
            return
        _, first, bits, result = ack
        if result == wire.TAKEN:
            instance.sent_ids.add(transfer.plan_id)
            instance.hello = replace(instance.hello, plan_id=transfer.plan_id)  # until it says so itself
            instance.transfer = None
        elif result == wire.STALE:
            instance.transfer = None  # its project has been loaded; its next hello says what it holds
        elif result == wire.REFUSED:
            instance.refused, instance.transfer = transfer.plan_id, None
            self._say(f"the {instance.hello.face} plugin could not take the music.")
        else:
            transfer.there.update(range(transfer.first, min(first, transfer.count)))
            transfer.there.update(first + i for i in range(32) if bits >> i & 1 and first + i < transfer.count)
            transfer.first = max(transfer.first, min(first, transfer.count))

    def _forget(self, instance: Instance, why: str) -> None:
        self.known.pop(instance.name, None)
        self._say(
            f"the {instance.hello.face} plugin{f' in {instance.hello.host}' if instance.hello.host else ''} {why}."
        )

    # who plays what ---------------------------------------------------------------------------------------------------
    def take(self, body: Body) -> None:
        """Another plan in force."""
        self.body = body

    def _share(self, now_s: float) -> None:
        for instance in [each for each in self.known.values() if now_s - each.heard_s > ALIVE_S]:
            self._forget(instance, "has gone")
        parts = ALL_PARTS if self.body is None else (1 << len(self.body.parts)) - 1
        free = parts
        order = sorted(self.known.values(), key=lambda each: (each.hello.part == 0, each.order))
        for instance in order:
            asked = parts if instance.hello.part == 0 else 1 << (instance.hello.part - 1)
            instance.wanted = asked & free  # also while it is bypassed: the project would keep the loss
            free &= ~instance.wanted

    def port_mutes(self) -> int:
        """Bits of the parts that the port leaves to instances: those that one plays, or is about to."""
        bits = 0
        for instance in self.known.values():
            bits |= instance.wanted | max(instance.granted, 0)
            if instance.hello.plan_id:
                bits |= instance.hello.granted
        return bits

    def _grant(self, instance: Instance) -> int:
        """What it may play now: what it has and is to keep, and what nobody else plays any more."""
        others = 0
        for other in self.known.values():
            if other is not instance:
                others |= max(other.granted, 0) | (other.hello.granted if other.hello.plan_id else 0)
        keeps = instance.wanted & (instance.hello.granted if instance.hello.plan_id else 0)
        return (keeps | (instance.wanted & self.port_silent)) & ~others

    # out --------------------------------------------------------------------------------------------------------------
    def _send(self, instance: Instance, kind: int, content: bytes) -> None:
        instance.number += 1
        data = wire.pack(self.token, kind, instance.name, self.epoch, instance.number, content)
        self._out.append((instance.address, data))

    def _welcome(self, instance: Instance) -> None:
        self._send(instance, wire.WELCOME, wire.pack_welcome(max(instance.granted, 0), self.loop_s))

    def outgoing(self, now_s: float, clock_ns: int) -> list[tuple[Address, bytes]]:
        """Everything that is to be sent now."""
        self._share(now_s)
        for instance in self.known.values():
            granted = self._grant(instance)
            if granted != instance.granted:
                instance.granted = granted
                self._welcome(instance)
            self._update(instance)
            self._send_pieces(instance, now_s)
            if now_s - instance.pinged_s >= PING_S:
                instance.pinged_s = now_s
                self._send(instance, wire.PING, wire.pack_ping(clock_ns))
        out, self._out = self._out, []
        return out

    def _update(self, instance: Instance) -> None:
        """Begins to send the plan in force where the instance holds another and may get it."""
        body = self.body
        if body is None or instance.transfer is not None or body.id in (instance.hello.plan_id, instance.refused):
            return
        if instance.conflicts(body) and not self.may_replace:
            if instance.conflict_said != instance.hello.plan_id:
                instance.conflict_said = instance.hello.plan_id
                self._say(self.conflict_of(instance))
            return
        if instance.wanted and instance.granted <= 0:
            return  # the port, or another instance, still plays what it is to have
        self._transfers += 1
        granted = body.granted(max(instance.granted, 0))
        count = -(-len(granted) // wire.PIECE_BYTES)
        instance.transfer = Transfer(self._transfers & 0x7FFFFFFF, body.id, granted, count, instance.hello.plan_id)

    def _send_pieces(self, instance: Instance, now_s: float) -> None:
        transfer = instance.transfer
        if transfer is None:
            return
        if self.body is not None and transfer.plan_id != self.body.id:
            instance.transfer = None  # another plan is in force by now
            self._update(instance)
            return
        for index in range(transfer.first, min(transfer.first + WINDOW, transfer.count)):
            if index not in transfer.there and now_s - transfer.sent_s.get(index, -1e9) >= RESEND_S:
                transfer.sent_s[index] = now_s
                self._send(instance, wire.PIECE, wire.pack_piece(transfer.number, index, transfer.body, transfer.over))
        if transfer.first == transfer.count and now_s - transfer.sent_s.get(-1, -1e9) >= RESEND_S:
            transfer.sent_s[-1] = now_s  # all is there, but the answer got lost
            last = wire.pack_piece(transfer.number, transfer.count - 1, transfer.body, transfer.over)
            self._send(instance, wire.PIECE, last)

    def farewell(self) -> list[tuple[Address, bytes]]:
        """CueBridge ends."""
        for instance in self.known.values():
            self._send(instance, wire.CLOSED, b"")
        out, self._out = self._out, []
        return out

    @property
    def busy(self) -> bool:
        return any(instance.transfer is not None for instance in self.known.values())
