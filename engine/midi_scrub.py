"""MIDI files as DAWs tolerate them, made into files that a strict reader takes (Standard MIDI Files 1.0).

What is not needed must not refuse a file: SysEx of any bytes, meta events that are malformed or unknown, key signatures
outside -7..7, chunks between the tracks, a RIFF wrapper (RMID), data after the last track and a track that ends early.
Times stay exact: what is left out leaves its delta time to the next event.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

MAX_BYTES: Final = 64 << 20
_TEXTS: Final = {0x01, 0x03, 0x05, 0x06, 0x07}  # text, track name, lyric, marker, cue point
_DATA_BYTES: Final = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}


class NotMidiError(ValueError):
    """The bytes are no Standard MIDI File."""


def scrub(data: bytes) -> bytes:
    """The same music as a plain type 0 or 1 file.  Raises NotMidiError."""
    if data[:4] == b"RIFF" and data[8:12] == b"RMID":
        data = _riff_data(data)
    if data[:4] != b"MThd" or len(data) < 14:
        raise NotMidiError("no header")
    length = int.from_bytes(data[4:8], "big")
    kind, _, division = struct.unpack(">HHH", data[8:14])
    tracks = [_track(body)[0] for name, _, body in _chunks(data, length) if name == b"MTrk"]
    if not tracks:
        raise NotMidiError("no tracks")
    kind = kind if kind in (0, 1, 2) else 1
    head = b"MThd" + struct.pack(">IHHH", 6, 1 if kind == 0 and len(tracks) > 1 else kind, len(tracks), division)
    return head + b"".join(b"MTrk" + len(track).to_bytes(4, "big") + track for track in tracks)


def is_whole(data: bytes) -> bool:
    """Whether `scrub` leaves nothing out because a track is cut short or its bytes stop making sense."""
    if data[:4] == b"RIFF" and data[8:12] == b"RMID":
        data = _riff_data(data)
    tracks = [
        len(body) == size and _track(body)[1]
        for name, size, body in _chunks(data, int.from_bytes(data[4:8], "big"))
        if name == b"MTrk"
    ]
    return all(tracks) and len(tracks) >= int.from_bytes(data[10:12], "big")


def _chunks(data: bytes, header_length: int) -> Iterator[tuple[bytes, int, bytes]]:
    """Name, stated size and bytes of each chunk after the header."""
    position = 8 + max(header_length, 6)
    while position + 8 <= len(data):
        name, size = data[position : position + 4], int.from_bytes(data[position + 4 : position + 8], "big")
        yield name, size, data[position + 8 : position + 8 + size]
        position += 8 + size


def _riff_data(data: bytes) -> bytes:
    position = 12
    while position + 8 <= len(data):
        name, size = data[position : position + 4], int.from_bytes(data[position + 4 : position + 8], "little")
        if name == b"data":
            return data[position + 8 : position + 8 + size]
        position += 8 + size + size % 2
    raise NotMidiError("no data in RIFF")


def _track(body: bytes) -> tuple[bytes, bool]:
    """A track with the events that are kept; it ends where its bytes stop making sense.  False: they did."""
    out = bytearray()
    whole = True
    position, delta, running = 0, 0, 0
    while position < len(body):
        try:
            step, position = _number(body, position)
            status = body[position]
            event, position, running = _event(body, position, status, running)
        except (IndexError, NotMidiError):
            whole = False
            break
        delta += step
        if event == b"\xff\x2f\x00":
            break
        if event:
            out += _written(delta) + event
            delta = 0
    return bytes(out + _written(delta) + b"\xff\x2f\x00"), whole


def _event(body: bytes, position: int, status: int, running: int) -> tuple[bytes, int, int]:
    """(the event's bytes, b"" where it is left out; position after it; running status)."""
    if status == 0xFF:
        kind = body[position + 1]
        size, start = _number(body, position + 2)
        if start + size > len(body):
            raise NotMidiError("meta event beyond the track")
        content = body[start : start + size]
        if kind == 0x58:
            content = (content + bytes((24, 8)))[:4] if 2 <= len(content) < 4 else content[:4]
        event = b"\xff" + bytes([kind]) + _written(len(content)) + content if _is_sound_meta(kind, content) else b""
        return event, start + size, 0
    if status in (0xF0, 0xF7):
        size, start = _number(body, position + 1)
        if start + size > len(body):
            raise NotMidiError("SysEx beyond the track")
        return b"", start + size, 0
    if status >= 0xF0:
        return b"", position + {0xF2: 3, 0xF1: 2, 0xF3: 2}.get(status, 1), 0
    if status >= 0x80:
        running, position = status, position + 1
    elif not running:
        raise NotMidiError("data without status")
    count = _DATA_BYTES[running >> 4]
    values = body[position : position + count]
    if len(values) < count:
        raise NotMidiError("event beyond the track")
    return bytes([running]) + bytes(min(value, 127) for value in values), position + count, running


def _is_sound_meta(kind: int, content: bytes) -> bool:
    if kind == 0x2F:
        return True
    if kind == 0x51:
        return len(content) == 3 and any(content)
    if kind == 0x58:
        return len(content) == 4 and content[0] > 0 and content[1] <= 6
    if kind == 0x59:
        return len(content) == 2 and content[0] in (*range(8), *range(249, 256)) and content[1] in (0, 1)
    return kind in _TEXTS


def _number(body: bytes, position: int) -> tuple[int, int]:
    """A variable-length quantity and the position after it."""
    value = 0
    for place in range(position, position + 4):
        byte = body[place]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place + 1
    raise NotMidiError("a number of more than four bytes")


def _written(value: int) -> bytes:
    value = min(value, 0x0FFFFFFF)
    out = [value & 0x7F]
    while value := value >> 7:
        out.append(value & 0x7F | 0x80)
    return bytes(reversed(out))
