"""OSC bytes: round trips against an independent implementation, and hostile datagrams."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from bridge.osc.codec import Double, Message, OscError, decode, encode, encode_bundle, expand, matches

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
@settings(max_examples=50)
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


@pytest.mark.parametrize(
    ("pattern", "address", "expected"),
    [
        ("/cue/part/*/on", "/cue/part/pad/on", True),
        ("/cue/*", "/cue/part/pad/on", False),
        ("/cue/ke?", "/cue/key", True),
        ("/cue/[j-l]ey", "/cue/key", True),
        ("/cue/[!j-l]ey", "/cue/key", False),
        ("/*/*", "/cue/key", True),
        ("/cue/key", "/cue/keys", False),
        ("*", "/cue", False),
        ("/**********************************x", "/" + "y" * 200, False),
    ],
)
def test_patterns(pattern: str, address: str, expected: bool) -> None:
    assert matches(pattern, address) is expected


def test_braces_expand() -> None:
    assert expand("/cue/{key,take}/x") == ("/cue/key/x", "/cue/take/x")
    assert len(expand("/{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}")) == 64
