"""A client of a running `live`, by python-osc: what `cuebridge osc send`, `watch` and `doctor --osc` speak with."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from pythonosc.osc_message_builder import BuildError, OscMessageBuilder
from pythonosc.osc_packet import OscPacket, ParseError

from engine.music import UserError
from engine.music.controls import ERROR

MAX_DATAGRAM: Final = 65_507


@dataclass(frozen=True, slots=True)
class Answer:
    """A message that came back."""

    address: str
    arguments: tuple[Any, ...]

    @property
    def text(self) -> str:
        """The message on one line, its times with milliseconds."""
        return " ".join([self.address, *map(_text, self.arguments)])

    def refuses(self, address: str) -> bool:
        """Whether it says that a message to this address was refused."""
        return self.address == ERROR and self.arguments[:1] in ((address,), ("",))


def _text(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "on", False: "off", None: "nil"}[value]
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    text = value.hex() if isinstance(value, bytes) else str(value)
    return f"'{text}'" if " " in text or not text else text


class Client:
    """One UDP socket.  Raises UserError for a host that cannot be found."""

    def __init__(self, host: str, port: int) -> None:
        try:
            family, _, _, _, target = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        except (OSError, UnicodeError, OverflowError) as error:
            raise UserError(f"{host} port {port} cannot be reached: {error}.") from None
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._target = target

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, address: str, arguments: Sequence[Any] = ()) -> None:
        """Raises UserError for an argument that OSC has no type for."""
        builder = OscMessageBuilder(address)
        try:
            for value in arguments:
                builder.add_arg(value)
            datagram = builder.build().dgram
        except (BuildError, ValueError, OverflowError) as error:
            raise UserError(f"this cannot be sent: {error}.") from None
        self.send_datagram(datagram)

    def send_datagram(self, datagram: bytes) -> None:
        try:
            self._socket.sendto(datagram, self._target)
        except OSError as error:
            raise UserError(f"it cannot be sent: {error.strerror or error}.") from None

    def receive(self, timeout_s: float) -> Iterator[Answer]:
        """What comes until nothing has come for `timeout_s`."""
        while (answers := self.next(timeout_s)) is not None:
            yield from answers

    def next(self, timeout_s: float) -> tuple[Answer, ...] | None:
        """The messages of the next datagram; None where none comes in time."""
        deadline_s = time.monotonic() + timeout_s
        while (left_s := deadline_s - time.monotonic()) > 0:
            self._socket.settimeout(left_s)
            try:
                data = self._socket.recv(MAX_DATAGRAM)
                return tuple(
                    Answer(each.message.address, tuple(each.message.params)) for each in OscPacket(data).messages
                )
            except (TimeoutError, ConnectionError):
                # A closed port is reported here: nothing listens there yet.
                time.sleep(min(0.05, max(left_s, 0.0)))
            except ParseError:
                continue
        return None

    def drop_old(self) -> None:
        """Forgets what came already."""
        self._socket.setblocking(False)
        try:
            while True:
                self._socket.recv(MAX_DATAGRAM)
        except OSError:
            pass
