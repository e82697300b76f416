"""What the page's server and the page say to each other: routes, socket messages, byte layouts.

docs/page-protocol.md describes every route and message with examples; here are the names and numbers that both the
server and its tests need, and the packing of what is sent as bytes.  All integers and floats are little-endian, times
are picture seconds unless they say otherwise.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final

PROTOCOL: Final = 1
DEFAULT_PORT: Final = 9318  # beside OSC's
UPLOAD_BYTES: Final = 8 * 2**30
TILE_S: Final = 10.0  # seconds of a tile of notes or thumbnails
SECRET_HEADER: Final = "X-CueBridge-Secret"
NAME_HEADER: Final = "X-File-Name"  # percent-encoded; a label, never a path
LISTS_FOLDER: Final = "lists"  # of the page's work folder: small files that came through the page
COOKIE: Final = "cuebridge-{port}"  # cookies know no ports: the name carries it
SECRET_META: Final = "cuebridge-secret"  # <meta name=…> of the page that the token opened

# Codes of refusals that the controls do not have (those have bad_type, bad_value, busy, not_ready, unknown_address).
FORBIDDEN: Final = "forbidden"
TOO_BIG: Final = "too_big"
GONE: Final = "gone"

# Notes --------------------------------------------------------------------------------------------------------------
NOTES_HEADER: Final = struct.Struct("<IIII")  # revision, tile, notes, controllers
NOTE: Final = struct.Struct("<ffBBBB")  # start in the tile (s), length (s), part, pitch, velocity, channel 1..16
CONTROLLER: Final = struct.Struct("<fBBBB")  # time in the tile (s), part, number, value, channel 1..16
COUNTS_HEADER: Final = struct.Struct("<IIII")  # revision, seconds, parts, notes in all
# Film ---------------------------------------------------------------------------------------------------------------
PEAKS_HEADER: Final = struct.Struct("<II")  # pairs a second, pairs; then peak and RMS of each, 0..255
MOOD_ROW: Final = struct.Struct("<14f")  # start, end, six weights of the picture, six with the faders
# Sound --------------------------------------------------------------------------------------------------------------
SOUND_HEADER: Final = struct.Struct("<IIIII")  # stream, revision, block, samples, parts
SOUND_PART: Final = struct.Struct("<8s")  # name, padded with zeros; then samples * 2 of int16
MUSIC_STREAM: Final = 1
FILM_STREAM: Final = 2

NoteRow = tuple[float, float, int, int, int, int]  # start_s, length_s, part, pitch, velocity, channel
ControllerRow = tuple[float, int, int, int, int]  # time_s, part, number, value, channel


def unpack_tile(data: bytes) -> tuple[int, int, list[NoteRow], list[ControllerRow]]:
    """Revision, tile, notes and controllers in picture seconds, within the precision of 32-bit floats."""
    revision, tile, notes, controllers = NOTES_HEADER.unpack_from(data)
    first_s, at = tile * TILE_S, NOTES_HEADER.size + notes * NOTE.size
    rows = [(start_s + first_s, *rest) for start_s, *rest in NOTE.iter_unpack(data[NOTES_HEADER.size : at])]
    end = at + controllers * CONTROLLER.size
    changes = [(time_s + first_s, *rest) for time_s, *rest in CONTROLLER.iter_unpack(data[at:end])]
    return revision, tile, rows, changes


def pack_sound(stream: int, revision: int, block: int, parts: Iterable[tuple[str, bytes]]) -> bytes:
    """A binary message of the sound socket.  parts: name and 16-bit stereo samples, all equally long."""
    parts = tuple(parts)
    samples = len(parts[0][1]) // 4 if parts else 0
    pieces = [SOUND_HEADER.pack(stream, revision, block, samples, len(parts))]
    for name, data in parts:
        pieces += [SOUND_PART.pack(name.encode()), data]
    return b"".join(pieces)


def unpack_sound(data: bytes) -> tuple[int, int, int, dict[str, bytes]]:
    """Stream, revision, block, name -> samples."""
    stream, revision, block, samples, count = SOUND_HEADER.unpack_from(data)
    at, found = SOUND_HEADER.size, {}
    for _ in range(count):
        (name,) = SOUND_PART.unpack_from(data, at)
        at += SOUND_PART.size
        found[name.rstrip(b"\0").decode()] = data[at : at + samples * 4]
        at += samples * 4
    return stream, revision, block, found
