"""The messages: bytes, round trips, refusals; no byte from outside may raise anything but DawProtocolError."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythonosc.osc_message import OscMessage

from bridge.daw import protocol
from bridge.daw.names import read_name
from bridge.daw.print import PrintJob, PrintPart, read_print, render_print
from bridge.daw.tempo import steps_of, tempo_map_of
from engine.music.meter import TempoMap, TimeSignature
from engine.music.note import Controller, Note

TRANSPORT_BYTES = bytes.fromhex(
    "2f6461772f7472616e73706f72740000"  # "/daw/transport" and two zeros
    "2c69646464646969690000"
    "00"  # ",iddddiii"
    "00000007"  # seq 7
    "4004000000000000"  # sent 2.5 s
    "400c000000000000"  # position 3.5 s
    "401c000000000000"  # 7 quarter notes
    "405e000000000000"  # 120 bpm
    "00000004"
    "00000004"
    "00000009"  # 4/4, playing and looping
)
EXAMPLES = [
    protocol.Hello("reaper", "1", 1, 0, "7.60", "", "transport do_print", "CPython 3.11.6"),
    protocol.Transport(7, 2.5, 3.5, 7.0, 120.0, 4, 4, 9),
    protocol.Loop(1, 4.0, 8.0),
    protocol.TimecodeInfo(23.976, 0, "01:00:00:00"),
    protocol.TempoMapChunk(3, 2, 0, (protocol.TempoPoint(0, 0, 120, 4, 4, 0), protocol.TempoPoint(4, 2, 90, 7, 8, 1))),
    protocol.MarkersChunk(1, 1, 0, (protocol.MarkerItem(3, 1.25, "hit: door"),)),
    protocol.RegionsChunk(1, 1, 0, (protocol.RegionItem(3, 1.25, 9.5, "chords: C Am"),)),
    protocol.CapabilitiesChunk(
        2, 1, 0, (protocol.Capability("marker_names", "CuePoint.name", 0, "it can be read only"),)
    ),
    protocol.FilmInfo("/films/reel ä.mov", 10.0, 0.5, 90.0, 1.0),
    protocol.SessionPath("/x/y.cue"),
    protocol.PrintRequest("selection", 1.0, 2.0),
    protocol.ThawRequest("cue"),
    protocol.Ack(5, 0, "no such track"),
    protocol.Bye(),
    protocol.ScriptsQuery(),
    protocol.ScriptStatus(1, "reaper", "7.60", "1", 1, 1, 29.5, 0, 3.25, 1, "CPython 3.11.6", 1),
    protocol.CapabilityStatus("live", "marker_names", "CuePoint.name", 0, "no setter"),
    protocol.Welcome("0.1.0", 1),
    protocol.Who(),
    protocol.Alive(),
    protocol.Got("markers", 4),
    protocol.DawError("/daw/x", "bad_value", "no"),
    protocol.DoMarker(1, 2, 3.5, "hit", 0xFF0000),
    protocol.DoUnmark(1, protocol.ALL_MARKERS),
    protocol.DoTempo(1, (protocol.TempoStep(0, 96, 4, 4), protocol.TempoStep(8, 100, 3, 4))),
    protocol.DoPrint(1, "/tmp/p.txt"),
    protocol.DoClips(1, "Take A", (protocol.ClipFile("pad", "CueBridge Pad", "/tmp/p-pad.mid"),)),
    protocol.DoSession(1, "/tmp/s.cue"),
]


def test_transport_bytes_are_those_of_the_document():
    message = protocol.Transport(7, 2.5, 3.5, 7.0, 120.0, 4, 4, 9)
    assert protocol.encode(message) == TRANSPORT_BYTES
    assert protocol.decode(TRANSPORT_BYTES) == message


def test_every_message_survives_the_wire_and_an_independent_reader():
    assert {type(message) for message in EXAMPLES} == set(protocol.MESSAGES.values())
    for message in EXAMPLES:
        datagram = protocol.encode(message)
        assert protocol.decode(datagram) == message
        other = OscMessage(datagram)  # python-osc, which we did not write
        address, _, values = protocol.osc_arguments(message)
        assert other.address == address
        assert list(other.params) == values


def test_numbers_of_any_type_are_taken_where_nothing_is_lost():
    as_javascript = [7, 2.5, 3.5, 7, 120, 4.0, 4.0, 9.0]
    assert protocol.parse("/daw/transport", as_javascript) == protocol.Transport(7, 2.5, 3.5, 7.0, 120.0, 4, 4, 9)
    assert protocol.parse("/daw/loop", [True, 1, 2]).on == 1
    with pytest.raises(protocol.DawProtocolError) as refused:
        protocol.parse("/daw/loop", [0.5, 1, 2])
    assert refused.value.code == "bad_value"


@pytest.mark.parametrize(
    ("address", "args", "code"),
    [
        ("/daw/nothing", [], "unknown_address"),
        ("/daw/transport", [1, 2.0], "bad_type"),
        ("/daw/transport", [1, 0.0, float("nan"), 0.0, 120.0, 4, 4, 0], "bad_value"),
        ("/daw/transport", [1, 0.0, 0.0, 0.0, 0.0, 4, 4, 0], "bad_value"),
        ("/daw/transport", [1, 0.0, 0.0, 0.0, 120.0, 4, 5, 0], "bad_value"),
        ("/daw/transport", [1, 0.0, 1e300, 0.0, 120.0, 4, 4, 0], "bad_value"),
        ("/daw/loop", [1, 5.0, 4.0], "bad_value"),
        ("/daw/markers", [1, 2, 0, 7, 1.0], "bad_type"),
        ("/daw/markers", [1, 1, 1, 7, 1.0, "a"], "bad_value"),
        ("/daw/markers", [1, 10**6, 0, 7, 1.0, "a"], "bad_value"),
        ("/daw/print", ["selection", 2.0, 2.0], "bad_value"),
        ("/daw/print", ["everything"], "bad_value"),
        ("/daw/hello", [1, "1", 1], "bad_type"),
        ("/daw/capabilities", [1, 1, 0, "loop", "x", 3, ""], "bad_value"),
        ("/daw/session", ["x" * 5000], "bad_value"),
    ],
)
def test_refusals_say_which_kind(address, args, code):
    with pytest.raises(protocol.DawProtocolError) as refused:
        protocol.parse(address, args)
    assert refused.value.code == code
    assert str(refused.value)


@given(st.binary(max_size=200))
def test_random_bytes_never_crash(data):
    with pytest.raises(protocol.DawProtocolError):
        protocol.decode(b"/daw/" + data + b"\xff")


@given(
    st.sampled_from(sorted(protocol.MESSAGES)),
    st.lists(st.one_of(st.integers(), st.floats(), st.text(max_size=9), st.booleans(), st.none(), st.binary())),
)
def test_random_arguments_never_crash(address, args):
    try:
        message = protocol.parse(address, args)
    except protocol.DawProtocolError:
        return
    assert protocol.decode(protocol.encode(message)) == message


@given(st.sampled_from(EXAMPLES), st.data())
def test_damaged_datagrams_never_crash(message, data):
    datagram = bytearray(protocol.encode(message))
    for _ in range(data.draw(st.integers(1, 4))):
        datagram[data.draw(st.integers(0, len(datagram) - 1))] = data.draw(st.integers(0, 255))
    try:
        protocol.decode(bytes(datagram[: data.draw(st.integers(0, len(datagram)))]))
    except protocol.DawProtocolError:
        pass


def test_tempo_map_keeps_the_hosts_seconds_and_its_round_tempi():
    points = [
        protocol.TempoPoint(0, 0, 97.3, 4, 4),
        protocol.TempoPoint(8, 8 * 60 / 97.3, 120, 7, 8),
        protocol.TempoPoint(15, 8 * 60 / 97.3 + 3.5, 60, 4, 4),
    ]
    made = tempo_map_of(points)
    assert str(made.tempos[0].bpm) == "973/10"
    for point in points:
        assert made.seconds_at(point.beats) == pytest.approx(point.seconds, abs=1e-9)
    assert made.meter_at(9) == TimeSignature(7, 8)


def test_a_glide_ends_at_its_second_and_bends_in_between():
    # 60 -> 120 bpm, linear in time over 4 s: mean 90 bpm = 6 beats.
    points = [protocol.TempoPoint(0, 0, 60, 4, 4, 1), protocol.TempoPoint(6, 4, 120, 4, 4)]
    made = tempo_map_of(points)
    assert made.seconds_at(6) == pytest.approx(4, abs=1e-9)
    # after t seconds: t + t²/8 beats; at 2 s 2.5 beats, where a straight mean would say 3.
    assert made.beats_at(2) == pytest.approx(2.5, abs=0.005)


def test_a_tempo_map_that_cannot_be_is_refused():
    with pytest.raises(protocol.DawProtocolError):
        tempo_map_of([protocol.TempoPoint(0, 0, 120, 4, 4), protocol.TempoPoint(4, 0, 120, 4, 4)])
    with pytest.raises(protocol.DawProtocolError):
        tempo_map_of([])
    with pytest.raises(protocol.DawProtocolError):
        tempo_map_of([protocol.TempoPoint(0, 0, 1500, 4, 4)])


def test_steps_of_a_map_make_the_same_map():
    first = TempoMap.of([(0, 96), (8, 120)], [(0, TimeSignature()), (12, TimeSignature(3, 4))])
    steps = steps_of(first)
    assert [(step.beats, step.bpm, step.numerator) for step in steps] == [(0, 96, 4), (8, 120, 4), (12, 120, 3)]


@pytest.mark.parametrize(
    ("name", "kind", "word", "value"),
    [
        ("chords: C Am F G", "progression", "", "C Am F G"),
        ("Chords loop: | Cm | Ab |", "progression", "loop", "| Cm | Ab |"),
        ("hit must: door", "hit", "must", "door"),
        ("pin: F#m7", "pin", "", "F#m7"),
        ("cue: 1m1", "cue", "", "1m1"),
        ("section: pattern=up", "section", "", "pattern=up"),
    ],
)
def test_names_that_are_for_us(name, kind, word, value):
    mark = read_name(name, 1.0, 2.0)
    assert mark is not None
    assert (mark.kind, mark.word, mark.value) == (kind, word, value)


@pytest.mark.parametrize("name", ["Verse", "chords", "chords:", "the hit: x", "", "chord: C"])
def test_the_composers_own_names_are_left_alone(name):
    assert read_name(name, 0.0) is None


def test_a_print_file_says_exactly_the_notes():
    notes = (
        Note(60, 90, 4.0, 2.0, 1, "pad"),
        Note(60, 90, 4.0, 2.0, 1, "pad"),  # the same key twice at once is one
        Note(64, 91, 7.5, 4.0, 1, "pad"),  # reaches over the end: cut there
        Note(67, 92, 3.0, 1.0, 1, "pad"),  # begins before
    )
    job = PrintJob(
        "Take A", 2.0, 4.0, 4.0, 8.0, (PrintPart("pad", "Pad take A", 1, notes, (Controller(1, 64, 5.0, 1, "pad"),)),)
    )
    back = read_print(render_print(job))
    assert [(n.pitch, n.start_beats, n.length_beats) for n in back.parts[0].notes] == [(60, 4.0, 2.0), (64, 7.5, 0.5)]
    assert back.parts[0].controllers == job.parts[0].controllers
    assert (back.start_s, back.end_beats) == (2.0, 8.0)


@given(st.text(max_size=80))
def test_a_print_file_that_is_none_is_refused(text):
    with pytest.raises(protocol.DawProtocolError):
        read_print(text)
