"""`cuebridge doctor --osc`: every address of a running `live` read, set to what it holds, refused and subscribed.

Nothing audible is done: values are set to what they already are, and of the actions only `ping` is tried; the others
are called with one argument too many, which has to be refused.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence

from bridge.osc.codec import Argument, Message, OscError, decode, encode
from bridge.osc.controls import CONTROLS, ERROR, Control
from bridge.osc.server import ERRORS_PER_S

TIMEOUT_S = 1.0
Outcome = tuple[str, bool | None, str]


class Probe:
    """A client of its own socket."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(TIMEOUT_S)

    def ask(self, address: str, arguments: Sequence[Argument] = (), expected: str | None = None) -> Message | None:
        """The first answer on the expected address or an error about this one; None when none comes."""
        self._socket.sendto(encode(address, arguments), self._target)
        return self.hear(address, expected or address)

    def hear(self, address: str, expected: str) -> Message | None:
        for _ in range(50):
            try:
                messages = decode(self._socket.recv(65_507))
            except (TimeoutError, OSError, OscError):
                return None
            for message in messages:
                about_us = message.address == ERROR and message.arguments[:1] == (address,)
                if message.address == expected or about_us:
                    return message
        return None

    def close(self) -> None:
        self._socket.close()


def check_every_address(host: str, port: int) -> Iterator[Outcome]:
    """Name, whether it is as documented, and what came."""
    probe = Probe(host, port)
    try:
        if probe.ask("/cue/ping") is None:
            yield "/cue/ping", False, f"nothing answers on UDP {port}; is `cuebridge live` running?"
            return
        for control in CONTROLS:
            yield _check(probe, control)
        yield _unknown(probe)
        yield _subscription(probe)
    finally:
        probe.close()


def _check(probe: Probe, control: Control) -> Outcome:
    name = control.address
    if control.access == "do":
        return name, *_refused(probe, name, [1.0] * (len(control.arguments) + 1))
    value = probe.ask(name)
    if value is None or value.address == ERROR:
        return name, False, f"could not be read: {_words(value)}"
    if control.access == "state":
        ok, found = _refused(probe, name, [1])
        return name, ok, f"{_words(value)}; {found}"
    count = 1 if name != "/cue/loop" else len(value.arguments)
    if name != "/cue/tempo":  # setting the tempo that was chosen would make it a given one
        answer = probe.ask(name, value.arguments[:count])
        if answer is None or answer.address == ERROR:
            return name, False, f"holds {_words(value)} but refuses it: {_words(answer)}"
        if answer.arguments[:count] != value.arguments[:count]:
            return name, False, f"held {_words(value)}, after being set to that {_words(answer)}"
    ok, found = _refused(probe, name, [b"blob"])
    return name, ok, f"{_words(value)}; {found}"


def _refused(probe: Probe, address: str, arguments: Sequence[Argument]) -> tuple[bool, str]:
    import time

    time.sleep(1.2 / ERRORS_PER_S)  # not to be taken for a flood
    answer = probe.ask(address, arguments, ERROR)
    if answer is None or answer.address != ERROR or len(answer.arguments) != 3:
        return False, f"took nonsense: {_words(answer)}"
    return True, f"refuses nonsense with {answer.arguments[1]!s}"


def _unknown(probe: Probe) -> Outcome:
    answer = probe.ask("/cue/no/such/address", (), ERROR)
    ok = answer is not None and answer.arguments[1:2] == ("unknown_address",)
    return "an unknown address", ok, _words(answer)


def _subscription(probe: Probe) -> Outcome:
    answer = probe.ask("/cue/subscribe", ["/cue/status"])
    value = probe.hear("/cue/status", "/cue/status") if answer is not None and answer.address != ERROR else None
    probe.ask("/cue/unsubscribe")
    return "a subscription", value is not None, _words(value)


def _words(message: Message | None) -> str:
    if message is None:
        return "no answer"
    texts = [value.hex() if isinstance(value, bytes) else str(value) for value in message.arguments]
    return " ".join(texts)[:100] or "done"
