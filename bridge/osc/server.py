"""The OSC socket: one UDP port for `/cue` and `/daw`, in its own thread, loopback unless told otherwise.

The thread only receives, decodes and queues; what a message does is decided in the session's thread, which answers
through `send`.  A flood fills the queue and is then dropped and counted: it costs neither memory nor notes.
"""

from __future__ import annotations

import errno
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from bridge.osc.budget import Budget, Sender
from bridge.osc.codec import MAX_DATAGRAM, Argument, Message, OscError, decode, encode
from engine.music.arguments import ControlError
from engine.music.controls import ERROR

RECEIVE_BUFFER: Final = 2**20  # bytes that the system keeps for us while this thread waits its turn
ERRORS_PER_S: Final = 20
DATAGRAMS_PER_S: Final = 2000  # of one sender; a person with ten fingers on faders sends a tenth


@dataclass(frozen=True, slots=True)
class Datagram:
    """What arrived: the messages of one datagram, to be done as one, with the host time of arrival."""

    messages: tuple[Message, ...]
    sender: Sender
    host_s: float


class OscServer:
    """receive is called in the server's thread for each good datagram and says whether there was room for it."""

    def __init__(self, host: str, port: int, receive: Callable[[Datagram], bool]) -> None:
        """Binds at once.  Raises ControlError where the port is taken or the host is none of this machine."""
        self._receive = receive
        self._errors = Budget(ERRORS_PER_S, ERRORS_PER_S)
        self._datagrams = Budget(DATAGRAMS_PER_S, DATAGRAMS_PER_S / 2)
        self.received = self.malformed = self.dropped = 0
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            self._socket.bind((host, port))
        except (OSError, OverflowError) as error:
            self._socket.close()
            raise ControlError("busy", _bind_sentence(host, port, error)) from None
        self._socket.settimeout(0.2)
        self.host, self.port = self._socket.getsockname()[:2]
        self._closing = False
        self._thread = threading.Thread(target=self._listen, name="osc", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def deafen(self) -> None:
        """Nothing more is read, so that no flood takes time from the end; answers still go out."""
        self._closing = True

    def close(self) -> None:
        self._closing = True
        if self._thread.is_alive():
            self._thread.join(1.0)
        self._socket.close()

    def send(self, sender: Sender, address: str, arguments: Sequence[Argument] = ()) -> None:
        """One message; a receiver that is gone is no fault of ours."""
        self.send_datagram(sender, encode(address, arguments))

    def send_datagram(self, sender: Sender, datagram: bytes) -> None:
        try:
            self._socket.sendto(datagram, sender)
        except OSError:
            pass  # unreachable, or the answer exceeds what the system sends in one piece

    def send_error(self, sender: Sender, address: str, code: str, sentence: str) -> None:
        """At most ERRORS_PER_S a second to one sender; more would make a flood of ours out of one of theirs."""
        if self._errors.take(sender, time.perf_counter()):
            self.send(sender, ERROR, (address, code, sentence))

    def _listen(self) -> None:
        while not self._closing:
            try:
                data, address = self._socket.recvfrom(MAX_DATAGRAM)
            except TimeoutError:
                continue
            except OSError as error:
                # Windows reports a former receiver's closed port here; nothing is wrong with ours.
                if self._closing or error.errno in (errno.EBADF, errno.ENOTSOCK):
                    return
                continue
            self._take(data, (address[0], address[1]))

    def _take(self, data: bytes, sender: Sender) -> None:
        host_s = time.perf_counter()
        self.received += 1
        if not self._datagrams.take(sender, host_s):  # before any work is done for it: others have to get through
            self.dropped += 1
            self.send_error(sender, "", "busy", f"more than {DATAGRAMS_PER_S} messages a second; some are dropped.")
            return
        try:
            messages = decode(data)
        except OscError as error:
            self.malformed += 1
            self.send_error(sender, "", "bad_type", f"this is no OSC message: {error}.")
            return
        if messages and not self._receive(Datagram(messages, sender, host_s)):
            self.dropped += 1
            self.send_error(sender, messages[0].address, "busy", "too many messages at once; this one was dropped.")


def _bind_sentence(host: str, port: int, error: Exception) -> str:
    if isinstance(error, OSError) and error.errno in (errno.EADDRINUSE, errno.EACCES, 10048, 10013):
        return (
            f"OSC port {port} is taken, perhaps by another CueBridge; choose another with --osc-port (0: any, "
            f"'off': no OSC)."
        )
    return f"OSC cannot listen on {host} port {port}: {error}."
