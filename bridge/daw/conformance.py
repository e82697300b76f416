"""Does a script speak the protocol?  `python -m bridge.daw.conformance` listens where the bridge would and says.

For whoever writes a script for another DAW, and for ours: the same checks run in the tests.  It answers as the bridge
does (welcome, alive, got), withholds answers once to see that things are sent again, and judges what comes by the
rules of docs/protocol.md.  Times are `time.perf_counter` seconds.
"""

from __future__ import annotations

import argparse
import itertools
import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from bridge.daw.link import DawEvents, DawInfo, DawLink
from bridge.daw.protocol import (
    DEFAULT_PORT,
    PREFIX,
    PROTOCOL,
    DawProtocolError,
    Hello,
    Transport,
    osc_arguments,
    parse,
)
from bridge.osc import codec
from bridge.transport.state import TransportObservation
from engine.music.command import port_number
from engine.music.errors import UserError
from engine.music.meter import TempoMap

HEARTBEAT_S = 1.5  # a script speaks at least once a second; half a second is allowed for a busy host
POSITION_S = 0.1  # an observation may lie this far from the straight line of its neighbours


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule.  ok None: not seen, so not judged."""

    rule: str
    ok: bool | None
    found: str


class _Heard(DawEvents):
    def __init__(self) -> None:
        self.seen: list[TransportObservation] = []
        self.maps: list[TempoMap] = []

    def transport(self, daw: DawInfo, observation: TransportObservation) -> None:
        self.seen.append(observation)

    def tempo_map(self, daw: DawInfo, tempo_map: TempoMap) -> None:
        self.maps.append(tempo_map)


@dataclass(slots=True)
class Conformance:
    """Feed every datagram; ask for the verdicts at the end.  version: what Welcome says."""

    version: str = "conformance"
    withhold_first_got: bool = True
    heard: _Heard = field(default_factory=_Heard)
    messages: list[tuple[float, object]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    wrong_types: list[str] = field(default_factory=list)
    lists: Counter[tuple[str, int]] = field(default_factory=Counter)
    _link: DawLink | None = None

    def feed(self, datagram: bytes, sender: tuple[str, int], arrived_s: float) -> list[tuple[str, int, bytes]]:
        """What to send back: (host, port, datagram)."""
        if self._link is None:
            self._link = DawLink(self.heard, version=self.version)
        out: list[tuple[str, int, bytes]] = []
        try:
            found = codec.decode(datagram)
        except codec.OscError as error:
            self.refused.append(f"a datagram that is no OSC: {error}")
            return out
        for message in found:
            if not message.address.startswith(PREFIX):
                continue  # /cue/… messages are not part of this protocol
            try:
                parsed = parse(message.address, message.arguments)
            except DawProtocolError as error:
                self.refused.append(f"{message.address}: {error}")
                continue
            _, tags, _ = osc_arguments(parsed)
            numbers = message.types.replace("T", "i").replace("F", "i")
            # What is left away at the end has its usual value; `parse` has counted the arguments.
            if any((one == "s") != (two == "s") for one, two in zip(tags, numbers, strict=False)):
                self.wrong_types.append(f"{message.address} ,{message.types}")
            self.messages.append((arrived_s, parsed))
            answers = self._link.handle_osc(message.address, message.arguments, sender, arrived_s)
            what = message.address.removeprefix(PREFIX)
            if what in ("tempomap", "markers", "regions") and answers:
                self.lists[what, getattr(parsed, "revision", 0)] += 1
                if self.withhold_first_got and self.lists[what, getattr(parsed, "revision", 0)] == 1:
                    continue
            out += [(one.host, one.port, one.datagram) for one in answers]
        return out

    def tick(self, now_s: float) -> list[tuple[str, int, bytes]]:
        """Call a few times a second."""
        if self._link is None:
            return []
        return [(one.host, one.port, one.datagram) for one in self._link.tick(now_s)]

    def verdicts(self) -> list[Verdict]:
        """Every rule, in the order of docs/protocol.md."""
        transports = [(at, message) for at, message in self.messages if isinstance(message, Transport)]
        hellos = [message for _, message in self.messages if isinstance(message, Hello)]
        found = [
            Verdict("says hello first", bool(hellos) and isinstance(self.messages[0][1], Hello),
                    f"{len(hellos)} hellos" if hellos else "no hello came"),
            Verdict(f"speaks protocol {PROTOCOL}", hellos[0].protocol == PROTOCOL if hellos else None,
                    f"protocol {hellos[0].protocol}" if hellos else ""),
            Verdict("sends nothing malformed", not self.refused, "; ".join(self.refused[:3]) or "all was understood"),
            Verdict("numbers as numbers, texts as texts", not self.wrong_types,
                    "; ".join(self.wrong_types[:3]) or "yes"),
        ]  # fmt: skip
        if not transports:
            return [*found, Verdict("tells the transport", False, "no /daw/transport came")]
        gaps = [after[0] - before[0] for before, after in itertools.pairwise(transports)]
        longest = max(gaps, default=0.0)
        words = f"longest silence {longest:.2f} s over {len(transports)} messages"
        found.append(Verdict("speaks at least once a second", longest <= HEARTBEAT_S, words))
        steps = [b[1].seq - a[1].seq for a, b in itertools.pairwise(transports)]
        found.append(Verdict("counts up by one", all(step == 1 for step in steps), f"steps {sorted(set(steps))}"))
        clocks = [message.sent_s for _, message in transports]
        rising = all(after >= before for before, after in itertools.pairwise(clocks))
        found.append(
            Verdict("its clock never goes back", rising, "no clock" if not any(clocks) else "yes" if rising else "no")
        )
        found.append(self._straight())
        lists = {what for what, _ in self.lists}
        again = [key for key, count in self.lists.items() if count > 1]
        repeats = bool(again) if lists and self.withhold_first_got else None
        words = f"again: {sorted({what for what, _ in again})}" if again else f"lists: {sorted(lists)}"
        found.append(Verdict("sends a list again until it is acknowledged", repeats, words))
        found.append(self._map_agrees())
        return found

    def _straight(self) -> Verdict:
        """While rolling, position against the script's clock is a straight line between jumps."""
        rolling = [one for one in self.heard.seen if one.rolling and one.position_s is not None]
        worst, runs = 0.0, 0
        for before, after in itertools.pairwise(rolling):
            assert before.position_s is not None and after.position_s is not None
            moved, passed = after.position_s - before.position_s, after.host_s - before.host_s
            if 0 < passed < HEARTBEAT_S and abs(moved - passed) < 0.5:  # more is a locate
                worst, runs = max(worst, abs(moved - passed)), runs + 1
        rule = "positions move with time while rolling"
        if runs < 5:
            return Verdict(rule, None, "it was not rolling long enough")
        return Verdict(rule, worst <= POSITION_S, f"worst step {worst * 1000:.1f} ms off over {runs} steps")

    def _map_agrees(self) -> Verdict:
        rule = "beats and seconds agree with the tempo map"
        if not self.heard.maps or not self.heard.seen:
            return Verdict(rule, None, "no tempo map came")
        last = self.heard.seen[-1]
        if last.position_s is None or last.position_beats is None:
            return Verdict(rule, None, "no position came")
        off = abs(self.heard.maps[-1].beats_at(last.position_s) - last.position_beats)
        return Verdict(rule, off < 0.01, f"{off:.5f} beats apart at {last.position_s:.3f} s")


def listen(port: int, seconds: float) -> list[Verdict]:
    """Acts as the bridge for a while.  Raises UserError when the port is taken."""
    conformance = Conformance()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        try:
            server.bind(("127.0.0.1", port))
        except OSError as error:
            raise UserError(f"port {port} is taken; stop the bridge, or give another port.") from error
        server.settimeout(0.05)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            try:
                datagram, sender = server.recvfrom(65536)
                out = conformance.feed(datagram, (sender[0], sender[1]), time.perf_counter())
            except (TimeoutError, ConnectionResetError):
                out = []
            for host, reply_port, answer in [*out, *conformance.tick(time.perf_counter())]:
                server.sendto(answer, (host, reply_port))
    return conformance.verdicts()


def main(argv: list[str] | None = None) -> int:
    """0 when no rule was broken, 1 otherwise."""
    parser = argparse.ArgumentParser(
        prog="python -m bridge.daw.conformance", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--port", type=port_number, default=DEFAULT_PORT)
    parser.add_argument(
        "--seconds", type=float, default=15.0, help="how long to listen; play, stop and locate meanwhile"
    )
    arguments = parser.parse_args(argv)
    sys.stdout.write(
        f"Listening on 127.0.0.1:{arguments.port} for {arguments.seconds:g} s: play, stop and locate in the DAW.\n"
    )
    verdicts = listen(arguments.port, arguments.seconds)
    for verdict in verdicts:
        mark = {True: "ok  ", False: "FAIL", None: "-   "}[verdict.ok]
        sys.stdout.write(f"{mark} {verdict.rule}: {verdict.found}\n")
    return 1 if any(verdict.ok is False for verdict in verdicts) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UserError as error:
        sys.stderr.write(f"cuebridge: {error}\n")
        sys.exit(2)
