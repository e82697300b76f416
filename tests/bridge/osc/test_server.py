"""The OSC port with real sockets: good and bad datagrams, floods, a port that is taken, other people's clients."""

from __future__ import annotations

import queue
import random
import shutil
import socket
import subprocess
import time

import pytest

from bridge.osc.codec import decode, encode, encode_bundle
from bridge.osc.server import DATAGRAMS_PER_S, ERRORS_PER_S, Budget, Datagram, OscServer
from engine.music.arguments import ControlError


@pytest.fixture
def arrived():
    return queue.SimpleQueue()


@pytest.fixture
def server(arrived):
    def receive(datagram: Datagram) -> bool:
        arrived.put(datagram)
        return True

    server = OscServer("127.0.0.1", 0, receive)
    server.start()
    yield server
    server.close()


@pytest.fixture
def client():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind(("127.0.0.1", 0))
        client.settimeout(20)
        yield client


def test_messages_arrive_whole_and_answers_go_back(server, client, arrived) -> None:
    client.sendto(encode_bundle([encode("/cue/key", ["Am"]), encode("/cue/play")]), ("127.0.0.1", server.port))
    datagram = arrived.get(timeout=20)
    assert [message.address for message in datagram.messages] == ["/cue/key", "/cue/play"]
    assert abs(datagram.host_s - time.perf_counter()) < 20
    server.send(datagram.sender, "/cue/key", ("Am", 1.5))
    assert decode(client.recv(65536))[0].arguments == ("Am", 1.5)


def test_two_on_one_port_is_one_sentence(server) -> None:
    with pytest.raises(ControlError, match=str(server.port)) as refusal:
        OscServer("127.0.0.1", server.port, lambda datagram: True)
    assert "\n" not in str(refusal.value)
    with pytest.raises(ControlError):
        OscServer("192.0.2.1", 0, lambda datagram: True)


def test_nonsense_is_answered_at_a_bounded_rate_and_nothing_ends(server, client, arrived) -> None:
    rng = random.Random(3)
    for _ in range(3000):
        client.sendto(rng.randbytes(rng.randrange(1, 200)), ("127.0.0.1", server.port))
    heard = None
    time.sleep(1.0)  # until the budget of datagrams is filled again
    for _ in range(50):  # what the system's own buffer does not hold is lost before we see it
        client.sendto(encode("/cue/ping"), ("127.0.0.1", server.port))
        time.sleep(0.05)
        while not arrived.empty():
            heard = arrived.get().messages[0].address
        if heard == "/cue/ping":
            break
    assert heard == "/cue/ping"
    client.settimeout(0.2)
    errors = 0
    try:
        while True:
            assert decode(client.recv(65536))[0].address == "/cue/error"
            errors += 1
    except TimeoutError:
        pass
    assert 1 <= errors <= ERRORS_PER_S * 10
    assert server.malformed > 100


def test_what_finds_no_room_is_dropped_and_counted(client) -> None:
    server = OscServer("127.0.0.1", 0, lambda datagram: False)
    server.start()
    try:
        client.sendto(encode("/cue/ping"), ("127.0.0.1", server.port))
        assert decode(client.recv(65536))[0].arguments[1] == "busy"
        assert server.dropped == 1
    finally:
        server.close()


def test_the_budget_refills_and_forgets() -> None:
    budget = Budget(ERRORS_PER_S, ERRORS_PER_S)
    assert sum(budget.take(("a", 1), 10.0) for _ in range(1000)) == ERRORS_PER_S
    assert budget.take(("b", 1), 10.0)
    assert sum(budget.take(("a", 1), 10.5) for _ in range(1000)) == ERRORS_PER_S // 2
    for port in range(5000):
        budget.take(("c", port), 11.0)
    assert len(budget._left) <= 256


@pytest.mark.skipif(shutil.which("oscsend") is None, reason="liblo-tools is not installed")
def test_liblo_is_understood(server, arrived) -> None:
    subprocess.run(
        ["oscsend", f"osc.udp://127.0.0.1:{server.port}", "/cue/x", "ifsTFdh", "3", "0.5", "C Am", "2.25", "9"],
        check=True,
    )
    (message,) = arrived.get(timeout=20).messages
    assert message.address == "/cue/x" and message.arguments == (3, 0.5, "C Am", True, False, 2.25, 9)


def test_a_flood_from_one_does_not_keep_another_out(server, client, arrived) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flooder:
        for _ in range(DATAGRAMS_PER_S * 3):
            flooder.sendto(encode("/cue/swing", [60.0]), ("127.0.0.1", server.port))
        mine = client.getsockname()[1]
        heard = False
        for _ in range(50):
            client.sendto(encode("/cue/ping"), ("127.0.0.1", server.port))
            time.sleep(0.02)
            for _ in range(arrived.qsize()):
                heard = heard or arrived.get().sender[1] == mine
            if heard:
                break
        assert heard
        assert server.dropped > DATAGRAMS_PER_S / 2
