"""What `cuebridge doctor` says of DAW scripts: who is connected, whether they fit, how often they speak, what works.

A running `cuebridge live` is asked over its own port; where none runs, the port is listened at for a moment, since
scripts greet every two seconds, and who greets is welcomed for that long, to hear what its self-test found.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bridge.daw.capabilities import cost_of, spoken
from bridge.daw.events import DawEvents
from bridge.daw.fields import plain
from bridge.daw.link import DawLink
from bridge.daw.protocol import (
    NOT_TRIED,
    PROTOCOL,
    REFUSED,
    WORKS,
    Capability,
    CapabilityStatus,
    DawProtocolError,
    ScriptsQuery,
    ScriptStatus,
    decode,
    encode,
)
from bridge.finding import Finding
from bridge.osc import codec

ANSWER_S: Final = 0.6
GREETING_S: Final = 2.4  # a little longer than scripts wait between greetings
LISTS_S: Final = 1.5  # and then until their lists are here


def _again(daw: str) -> str:
    return f"run `cuebridge install-script {daw.split('-')[0]}` and restart the DAW"


def _judged(status: ScriptStatus, speaks: bool = True) -> Finding:
    name = f"DAW script {plain(status.daw)}"
    within = f" in {status.interpreter}" if status.interpreter else ""
    found = f"{status.host_version or 'version not told'}, script {status.version}{within}, protocol {status.protocol}"
    if speaks:
        found += f"; {status.rate_hz:.1f} messages a second, {status.lost} lost, {status.jitter_ms:.0f} ms jitter"
        found += "" if status.leads else "; another script's transport is in force"
    else:
        found += "; it greets"
    found = plain(found)
    if not status.fits:
        return Finding(name, False, found, f"this is protocol {PROTOCOL}: {_again(status.daw)}")
    return Finding(name, True, found, "" if speaks else "start `cuebridge live`")


def listed(daw: str, rows: Sequence[Capability], expected: int) -> list[Finding]:
    """The self-test's result: what works in one finding, each call that does not in one of its own."""
    name = spoken(daw)
    if not rows and not expected:
        return [Finding(f"{name}: what works", None, "this script does not tell", _again(daw))]
    working = [row.call for row in rows if row.works == WORKS]
    summary = f"{len(working)} of {expected} calls: {', '.join(dict.fromkeys(working))}"
    if len(rows) < expected:
        summary += f"; {expected - len(rows)} of the list were lost on the way, run this again"
    found = [Finding(f"{name}: what works", True, summary)]
    for row in rows:
        if row.works == REFUSED:
            found.append(Finding(f"{name}: {row.call}", None, f"refused: {row.why or 'no reason told'}", cost_of(row)))
        elif row.works == NOT_TRIED:
            found.append(Finding(f"{name}: {row.call}", None, f"not certain: {row.why}"))
    return found


def ask(port: int, host: str = "127.0.0.1", seconds: float = ANSWER_S) -> list[Finding] | None:
    """What a running bridge says; None where none answers."""
    scripts: list[ScriptStatus] = []
    rows: dict[str, list[Capability]] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        try:
            client.sendto(encode(ScriptsQuery()), (host, port))
            end = time.perf_counter() + seconds
            while (left := end - time.perf_counter()) > 0:
                client.settimeout(left)
                message = decode(client.recv(65536))
                if isinstance(message, CapabilityStatus):
                    row = Capability(plain(message.feature), plain(message.call), message.works, plain(message.why))
                    rows.setdefault(message.daw, []).append(row)
                elif isinstance(message, ScriptStatus):
                    if message.count == 0:
                        return [Finding("DAW scripts", None, "none has said hello to the running `live`")]
                    scripts.append(message)
                awaited = sum(one.rows for one in scripts)
                if scripts and len(scripts) == scripts[0].count and sum(map(len, rows.values())) >= awaited:
                    break
        except (OSError, DawProtocolError):  # nobody there (an ICMP answer on some systems), silence, or a stranger
            pass
    found: list[Finding] = []
    for one in scripts:
        sent = rows.get(one.daw, [])  # of several of a kind in the order of the scripts
        found += [_judged(one), *(listed(one.daw, sent[: one.rows], one.rows) if one.fits else ())]
        del sent[: one.rows]
    return found or None


def listen(port: int, seconds: float = GREETING_S) -> list[Finding]:
    """Scripts that greet while no bridge runs."""
    link = DawLink(DawEvents(), version="doctor")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        try:
            server.bind(("127.0.0.1", port))
        except OSError:
            advice = "if that is not CueBridge, give both another port with --osc-port and --port"
            return [Finding("DAW scripts", None, f"port {port} is held by another program", advice)]
        server.settimeout(0.05)
        end = time.perf_counter() + seconds
        greeted = False
        while (now := time.perf_counter()) < end:
            _serve(server, link)
            there = [info for info in link.status() if info.version_ok]
            if there and not greeted:  # until its lists are here
                greeted, end = True, max(end, now + LISTS_S)
        found: list[Finding] = []
        for info in link.status():
            rows = info.capabilities
            fits, version = int(info.version_ok), info.script_version
            status = ScriptStatus(1, info.daw, info.host_version, version, info.protocol, fits, 0.0, 0, 0.0, 1)
            status = replace(status, interpreter=info.interpreter, rows=len(rows))
            found += [_judged(status, speaks=False), *(listed(info.daw, rows, len(rows)) if info.version_ok else ())]
    if not found:
        advice = "to follow a DAW by its script: `cuebridge install-script`, see docs/daw"
        return [Finding("DAW scripts", None, "none is greeting", advice)]
    return found


def _serve(server: socket.socket, link: DawLink) -> None:
    """One datagram, if one comes, and what is to be said to it."""
    out = []
    try:
        data, sender = server.recvfrom(65536)
        for message in codec.decode(data):
            out += link.handle_osc(message.address, message.arguments, (sender[0], sender[1]), time.perf_counter())
    except (OSError, codec.OscError):  # silence, a script that went away, or a stranger
        pass
    for one in [*out, *link.tick(time.perf_counter())]:
        try:
            server.sendto(one.datagram, (one.host, one.port))
        except OSError:
            continue


def check_scripts(port: int) -> list[Finding]:
    """Never raises: a doctor reports."""
    return ask(port) or listen(port)
