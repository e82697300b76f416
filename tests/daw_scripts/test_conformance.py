"""The conformance check itself: our scripts pass it over real UDP, and each broken rule is found."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from dawhosts import KINDS, BitwigUnderTest
from livelab import free_port

from bridge.daw import conformance as daw_conformance
from bridge.daw.conformance import Conformance, main
from bridge.daw.protocol import Hello, Transport, encode

ME = ("127.0.0.1", 5001)


@pytest.mark.alone  # its rules are about seconds, and a machine that stands still for one breaks them
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_our_scripts_conform(kind, repository, monkeypatch):
    port = free_port()
    daw = KINDS[kind](repository, port, monkeypatch)
    found = []
    listener = threading.Thread(target=lambda: found.extend(daw_conformance.listen(port, 6.0)))
    listener.start()
    start = time.perf_counter()
    playing = False
    try:
        while listener.is_alive():
            passed = time.perf_counter() - start
            if 2 < passed < 4:
                (daw.move if playing else daw.play)(passed)
                playing = True
            elif playing and passed > 4:
                daw.stop()
                playing = False
            daw.tick()
            time.sleep(daw.tick_s)
    finally:
        if isinstance(daw, BitwigUnderTest):
            daw.process.kill()
    assert len(found) == 10
    assert [verdict for verdict in found if verdict.ok is not True] == []


def transport(seq, sent=0.0, position=0.0, flags=1):
    return Transport(seq, sent, position, position * 2, 120.0, 4, 4, flags)


def broken(*messages):
    """Rules broken by (second, message or bytes) …"""
    made = Conformance()
    for at, message in messages:
        made.feed(message if isinstance(message, bytes) else encode(message), ME, at)
    return {verdict.rule for verdict in made.verdicts() if verdict.ok is False}


HELLO = Hello("x", "1", 1)


def test_each_broken_rule_is_found():
    steady = [(0.0, HELLO)] + [(0.1 * n, transport(n, 0.1 * n, 0.1 * n)) for n in range(1, 12)]
    assert broken(*steady) == set()
    assert broken(*steady[1:]) >= {"says hello first"}
    assert broken((0.0, Hello("x", "1", 7)), *steady[1:]) == {"speaks protocol 1"}
    assert broken(*steady, (1.2, b"rubbish")) == {"sends nothing malformed"}
    assert broken(*steady, (1.2, b"/daw/loop\0\0\0,s\0\0x\0\0\0")) == {"sends nothing malformed"}
    assert broken(*steady, (4.0, transport(12, 4.0, 4.0))) == {"speaks at least once a second"}
    assert broken(*steady, (1.2, transport(14, 1.2, 1.2))) == {"counts up by one"}
    assert broken(*steady, (1.2, transport(12, 1.0, 1.2))) >= {"its clock never goes back"}
    assert broken(*steady, (1.2, transport(12, 1.2, 1.4))) == {"positions move with time while rolling"}
    assert broken((0.0, HELLO)) == {"tells the transport"}


def test_a_taken_port_is_one_sentence():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        with pytest.raises(daw_conformance.UserError, match="taken"):
            main(["--port", str(one.getsockname()[1]), "--seconds", "0.1"])


def test_without_a_script_it_fails_aloud(capsys):
    assert main(["--port", str(free_port()), "--seconds", "0.2"]) == 1
    assert "no hello came" in capsys.readouterr().out
