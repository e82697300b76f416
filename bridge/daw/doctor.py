"""What `cuebridge doctor` says of DAW scripts: who is connected, whether they fit, how often they speak.

A running `cuebridge live` is asked over its own port; where none runs, the port is listened at for a moment, since
scripts greet every two seconds.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import Final

from bridge.daw.protocol import (
    PROTOCOL,
    DawProtocolError,
    Hello,
    ScriptsQuery,
    ScriptStatus,
    decode,
    encode,
)

ANSWER_S: Final = 0.6
GREETING_S: Final = 2.4  # a little longer than scripts wait between greetings
SLOW_HZ: Final = 5.0  # Live, the slowest host, ticks ten times a second


@dataclass(frozen=True, slots=True)
class ScriptFinding:
    """ok: True it fits, False it does not, None nothing is there.  advice: what to change."""

    name: str
    ok: bool | None
    found: str
    advice: str = ""


def _again(daw: str) -> str:
    return f"run `cuebridge install-script {daw.split('-')[0]}` and restart the DAW"


def _judged(status: ScriptStatus) -> ScriptFinding:
    name = f"DAW script {status.daw}"
    found = (
        f"{status.host_version or 'version not told'}, script {status.version}, protocol {status.protocol}; "
        f"{status.rate_hz:.1f} messages a second, {status.lost} lost, {status.jitter_ms:.0f} ms jitter"
        + ("" if status.leads else "; another script's transport is in force")
    )
    if not status.fits:
        return ScriptFinding(name, False, found, f"this is protocol {PROTOCOL}: {_again(status.daw)}")
    return ScriptFinding(name, True, found)


def ask(port: int, host: str = "127.0.0.1", seconds: float = ANSWER_S) -> list[ScriptFinding] | None:
    """What a running bridge says; None where none answers."""
    found: list[ScriptFinding] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        try:
            client.sendto(encode(ScriptsQuery()), (host, port))
            end = time.perf_counter() + seconds
            while (left := end - time.perf_counter()) > 0:
                client.settimeout(left)
                message = decode(client.recv(65536))
                if not isinstance(message, ScriptStatus):
                    continue
                if message.count == 0:
                    return [ScriptFinding("DAW scripts", None, "none has said hello to the running `live`")]
                found.append(_judged(message))
                if len(found) == message.count:
                    break
        except (OSError, DawProtocolError):  # nobody there (an ICMP answer on some systems), silence, or a stranger
            pass
    return found or None


def listen(port: int, seconds: float = GREETING_S) -> list[ScriptFinding]:
    """Scripts that greet while no bridge runs."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        try:
            server.bind(("127.0.0.1", port))
        except OSError:
            advice = "if that is not CueBridge, give both another port with --osc-port and --port"
            return [ScriptFinding("DAW scripts", None, f"port {port} is held by another program", advice)]
        greeting: dict[str, Hello] = {}
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            server.settimeout(left)
            try:
                message = decode(server.recv(65536))
            except (OSError, DawProtocolError):
                continue
            if isinstance(message, Hello):
                greeting[message.daw] = message
    if not greeting:
        advice = "to follow a DAW by its script: `cuebridge install-script`, see docs/daw"
        return [ScriptFinding("DAW scripts", None, "none is greeting", advice)]
    return [
        ScriptFinding(
            f"DAW script {hello.daw}",
            hello.protocol == PROTOCOL,
            f"{hello.host_version or 'version not told'}, script {hello.version}, protocol {hello.protocol}; it greets",
            "start `cuebridge live`" if hello.protocol == PROTOCOL else _again(hello.daw),
        )
        for hello in greeting.values()
    ]


def check_scripts(port: int) -> list[ScriptFinding]:
    """Never raises: a doctor reports."""
    return ask(port) or listen(port)
