"""`doctor` on DAW scripts: connected, unfit, greeting, silent, port taken; over real UDP."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from dawhosts import KINDS
from livelab import free_port

from bridge.daw import doctor as daw_doctor
from bridge.daw.protocol import CapabilitiesChunk, Capability, Hello, Transport, encode


@pytest.fixture
def script():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        yield one


def say(script, port, *messages):
    for message in messages:
        script.sendto(encode(message), ("127.0.0.1", port))


def test_a_connected_script_with_its_rate(desk, script):
    say(script, desk.port, Hello("reaper", "1", 1, 0, "7.60"))
    desk.wait_event("hello")
    sent_s = []
    for seq in range(10):
        sent_s.append(time.perf_counter())
        say(script, desk.port, Transport(seq + (seq > 5), 0.0, 0.0, 0.0, 120.0, 4, 4, 0))
        time.sleep(0.05)
    desk.wait(lambda: len(desk.events.all("transport")) == 10)
    found, untold = daw_doctor.check_scripts(desk.port)
    assert found.ok and found.name == "DAW script reaper"
    assert untold.ok is None and "does not tell" in untold.found  # an old script of ours
    assert "7.60" in found.found and "1 lost" in found.found
    rate = float(found.found.split(";")[1].split()[0])
    assert rate == pytest.approx(9 / (sent_s[-1] - sent_s[0]), rel=0.4)


def test_a_script_of_another_protocol_is_told_how_to_get_the_right_one(desk, script):
    say(script, desk.port, Hello("live", "0", 7))
    desk.wait_event("note")
    (found,) = daw_doctor.check_scripts(desk.port)
    assert found.ok is False and "install-script live" in found.advice


def test_a_bridge_without_a_script(desk):
    (found,) = daw_doctor.check_scripts(desk.port)
    assert found.ok is None and "none has said hello" in found.found


def test_a_greeting_script_while_no_bridge_runs(script):
    port = free_port()
    stop = threading.Event()

    def greet():
        while not stop.wait(0.2):
            say(script, port, Hello("ardour", "1", 1))
            script.sendto(b"rubbish", ("127.0.0.1", port))

    threading.Thread(target=greet, daemon=True).start()
    try:
        found, _ = daw_doctor.listen(port, 0.8)
    finally:
        stop.set()
    assert found.ok and "greets" in found.found and "cuebridge live" in found.advice
    (found,) = daw_doctor.listen(port, 0.2)
    assert found.ok is None


def test_a_port_that_another_program_holds(script):
    (found,) = daw_doctor.listen(script.getsockname()[1], 0.2)
    assert found.ok is None and "another program" in found.found


ROWS = (
    Capability("transport", "Song.tempo", 1),
    Capability("transport", "Song.is_playing", 1),
    Capability("marker_names", "CuePoint.name", 0, "it can be read only"),
    Capability("print_direct", "Track.create_midi_clip", 2, "there is no MIDI track yet"),
)


def test_what_the_self_test_found_is_listed_while_a_bridge_runs(desk, script):
    hello = Hello("live", "2", 1, 0, "11.3.43", "", "transport do_marker", "CPython 3.7.3")
    say(script, desk.port, hello, CapabilitiesChunk(1, 4, 0, ROWS))
    desk.wait_event("capabilities")
    found = {one.name: one for one in daw_doctor.check_scripts(desk.port)}
    assert "CPython 3.7.3" in found["DAW script live"].found
    assert "2 of 4 calls: Song.tempo, Song.is_playing" in found["Live: what works"].found
    names = found["Live: CuePoint.name"]
    assert (names.ok, names.found, names.advice) == (None, "refused: it can be read only", "markers cannot be named")
    assert "not certain" in found["Live: Track.create_midi_clip"].found
    assert [note for (note,) in desk.events.all("note")] == [
        "In this Live 11.3.43, markers cannot be named (CuePoint.name: it can be read only)."
    ]


def test_what_the_self_test_found_is_listed_while_no_bridge_runs(repository, monkeypatch):
    """The doctor welcomes who greets, for as long as it listens."""
    port = free_port()
    daw = KINDS["reaper"](repository, port, monkeypatch, missing={"MIDI_InsertCC"})
    stop = threading.Event()
    findings = []

    def listen():
        findings.extend(daw_doctor.check_scripts(port))
        stop.set()

    threading.Thread(target=listen, daemon=True).start()
    while not stop.is_set():
        daw.tick()
        time.sleep(0.03)
    found = {one.name: one for one in findings}
    assert "it greets" in found["DAW script reaper"].found and "CPython" in found["DAW script reaper"].found
    assert "GetPlayStateEx" in found["REAPER: what works"].found
    assert found["REAPER: MIDI_InsertCC"].advice == "controller curves are left out of printed takes"
