"""Raw MIDI bytes -> complete messages, whatever comes.

Handles running status, real-time bytes inside other messages, system exclusive over several chunks, and
rubbish: data without a status is dropped, a cut-off message gives way to the next, an exclusive message
longer than `MAX_SYSEX` is dropped whole.
"""

from __future__ import annotations

from typing import Final

MAX_SYSEX: Final = 1024
_LENGTHS: Final = {0xC0: 2, 0xD0: 2}  # other channel messages: 3
_SYSTEM_LENGTHS: Final = {0xF1: 2, 0xF2: 3, 0xF3: 2, 0xF6: 1}


class MidiSplitter:
    """`feed(data)` -> the messages that became complete."""

    __slots__ = ("_message", "_running", "_skipping")

    def __init__(self) -> None:
        self._message = bytearray()
        self._running = 0
        self._skipping = False  # inside an exclusive message that is too long

    def feed(self, data: bytes) -> list[bytes]:
        found: list[bytes] = []
        for byte in data:
            if byte >= 0xF8:
                found.append(bytes((byte,)))
            elif byte >= 0x80:
                self._status(byte, found)
            else:
                self._data(byte, found)
        return found

    def _status(self, byte: int, found: list[bytes]) -> None:
        message = self._message
        if byte == 0xF7:
            if message and message[0] == 0xF0 and not self._skipping:
                message.append(byte)
                found.append(bytes(message))
            message.clear()
            self._skipping = False
            return
        message.clear()
        self._skipping = False
        self._running = byte if byte < 0xF0 else 0
        if byte in (0xF4, 0xF5):
            return
        message.append(byte)
        self._complete(found)

    def _data(self, byte: int, found: list[bytes]) -> None:
        message = self._message
        if self._skipping:
            return
        if not message:
            if not self._running:
                return
            message.append(self._running)
        message.append(byte)
        if message[0] == 0xF0:
            if len(message) > MAX_SYSEX:
                message.clear()
                self._skipping = True
            return
        self._complete(found)

    def _complete(self, found: list[bytes]) -> None:
        message = self._message
        status = message[0]
        if status == 0xF0:
            return
        wanted = _SYSTEM_LENGTHS.get(status, 1) if status >= 0xF0 else _LENGTHS.get(status & 0xF0, 3)
        if len(message) >= wanted:
            found.append(bytes(message))
            message.clear()
