"""`doctor` on DAW scripts: connected, unfit, greeting, silent, port taken; over real UDP."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from bridge.daw import doctor as daw_doctor
from bridge.daw.protocol import Hello, Transport, encode


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
    for seq in range(10):
        say(script, desk.port, Transport(seq + (seq > 5), 0.0, 0.0, 0.0, 120.0, 4, 4, 0))
        time.sleep(0.05)
    (found,) = daw_doctor.check_scripts(desk.port)
    assert found.ok and found.name == "DAW script reaper"
    assert "7.60" in found.found and "1 lost" in found.found
    assert 10 < float(found.found.split(";")[1].split()[0]) < 25


def test_a_script_of_another_protocol_is_told_how_to_get_the_right_one(desk, script):
    say(script, desk.port, Hello("live", "0", 7))
    desk.wait_event("note")
    (found,) = daw_doctor.check_scripts(desk.port)
    assert found.ok is False and "install-script live" in found.advice


def test_a_bridge_without_a_script(desk):
    (found,) = daw_doctor.check_scripts(desk.port)
    assert found.ok is None and "none has said hello" in found.found


def test_a_greeting_script_while_no_bridge_runs(script):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    stop = threading.Event()

    def greet():
        while not stop.wait(0.2):
            say(script, port, Hello("ardour", "1", 1))
            script.sendto(b"rubbish", ("127.0.0.1", port))

    threading.Thread(target=greet, daemon=True).start()
    try:
        (found,) = daw_doctor.listen(port, 0.8)
    finally:
        stop.set()
    assert found.ok and "greets" in found.found and "cuebridge live" in found.advice
    (found,) = daw_doctor.listen(port, 0.2)
    assert found.ok is None


def test_a_port_that_another_program_holds(script):
    (found,) = daw_doctor.listen(script.getsockname()[1], 0.2)
    assert found.ok is None and "another program" in found.found
