"""OSC bytes: round trips against an independent implementation, and hostile datagrams."""

from __future__ import annotations

import math
import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from profiles import examples
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from bridge.osc.codec import Double, Message, OscError, decode, encode, encode_bundle

ARGUMENTS = st.lists(
    st.one_of(
        st.integers(-(2**63), 2**63 - 1),
        st.floats(width=32, allow_nan=False),
        st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=40),
        st.binary(max_size=40),
        st.booleans(),
        st.none(),
    ),
    max_size=12,
)


@given(ARGUMENTS)
def test_round_trip(arguments: list) -> None:
    (message,) = decode(encode("/cue/x", arguments))
    assert message.address == "/cue/x"
    assert message.arguments == tuple(arguments)


@given(ARGUMENTS)
@examples(50)
def test_python_osc_reads_what_we_write(arguments: list) -> None:
    other = OscMessage(encode("/cue/x", arguments))
    assert other.address == "/cue/x"
    assert list(other.params) == arguments


def test_we_read_what_python_osc_writes() -> None:
    builder = OscMessageBuilder("/cue/progression")
    for value, tag in (("C Am", "s"), (1, "i"), (0.5, "f"), (3600.000125, "d"), (True, "T"), (2**40, "h")):
        builder.add_arg(value, tag)
    (message,) = decode(builder.build().dgram)
    assert message == Message("/cue/progression", ("C Am", 1, 0.5, 3600.000125, True, 2**40), "sifdTh")


def test_doubles_keep_their_precision() -> None:
    (message,) = decode(encode("/t", [Double(86399.999123)]))
    assert message.types == "d" and message.arguments == (86399.999123,)


def test_bundles_keep_order_and_nest() -> None:
    inner = encode_bundle([encode("/b"), encode("/c", [1])])
    assert [m.address for m in decode(encode_bundle([encode("/a"), inner, encode("/d")]))] == ["/a", "/b", "/c", "/d"]


def test_hostile_bundles_end() -> None:
    head = b"#bundle\x00" + bytes(8)
    for size in (-4, 0, 2**31 - 1, 3):
        with pytest.raises(OscError):
            decode(head + struct.pack(">i", size) + b"/a\x00\x00")
    nested = encode("/a")
    for _ in range(2000):
        nested = encode_bundle([nested])
    with pytest.raises(OscError):
        decode(nested)
    with pytest.raises(OscError):
        decode(encode_bundle([encode("/a")] * 1000))
    with pytest.raises(OscError):
        decode(b"/a\x00\x00," + b"T" * 3000 + b"\x00\x00\x00")


def test_random_and_damaged_bytes_raise_only_osc_errors() -> None:
    rng = random.Random(1)
    good = encode_bundle([encode("/cue/key", ["Am", 1, 2.5, b"xyz", True]), encode("/cue/mood", [0.5])])
    for _ in range(20_000):
        data = bytearray(good if rng.random() < 0.7 else rng.randbytes(rng.randrange(80)))
        for _ in range(rng.randrange(4)):
            if data:
                data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            decode(bytes(data[: rng.randrange(len(data) + 1)]))
        except OscError:
            pass


def _padded(text: str) -> bytes:
    return text.encode() + bytes(4 - len(text) % 4)


def test_arrays_are_read_as_the_values_in_them() -> None:
    data = _padded("/cue/x") + _padded(",i[fi]") + struct.pack(">ifi", 7, 0.5, 9)
    (message,) = decode(data)
    assert message.arguments == (7, 0.5, 9)
    nested = _padded("/cue/x") + _padded(",[[T][F]]")
    assert decode(nested)[0].arguments == (True, False)
    for tags in (",[i", ",i]", ",]i["):
        with pytest.raises(OscError):
            decode(_padded("/cue/x") + _padded(tags) + struct.pack(">i", 1))


def test_doubles_can_be_sent_as_floats() -> None:
    (message,) = decode(encode("/t", [Double(12.25), 1.5, "x"], doubles=False))
    assert message.types == "ffs" and message.arguments == (12.25, 1.5, "x")
    (message,) = decode(encode("/t", [Double(1e300), -1e300], doubles=False))
    assert message.arguments == (math.inf, -math.inf)  # beyond what a 32-bit float holds
