"""OSCQuery over real HTTP: nodes, values, host info, and what is not there."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time

import pytest

from bridge.controls.namespace import namespace
from bridge.osc import query
from bridge.osc.codec import Double
from bridge.osc.query import QueryServer, answer
from engine.music.controls import BY_ADDRESS, CONTROLS


@pytest.fixture
def server():
    def values(address):
        if address == "/cue/status":
            raise TimeoutError
        return ["Am"] if address == "/cue/key" else [0.5]

    server = QueryServer("127.0.0.1", 0, "CueBridge", namespace(), values)
    server.start()
    yield server
    server.close()


def get(server, target):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("GET", target)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, json.loads(data) if answer.status == 200 else None


def test_the_root_names_everything(server) -> None:
    status, node = get(server, "/")
    assert status == 200 and "cue" in node["CONTENTS"]


def test_a_node_has_its_value_range_and_words(server) -> None:
    status, node = get(server, "/cue/key")
    assert status == 200 and node["VALUE"] == ["Am"] and node["DESCRIPTION"] == BY_ADDRESS["/cue/key"].doc
    assert get(server, "/cue/key?VALUE") == (200, {"VALUE": ["Am"]})
    assert get(server, "/cue/follow_picture?RANGE")[1]["RANGE"][0] == {"MIN": 0, "MAX": 100}


def test_host_info_says_where_osc_is(server) -> None:
    status, info = get(server, "/?HOST_INFO")
    assert status == 200 and info["OSC_TRANSPORT"] == "UDP" and "OSC_PORT" in info


@pytest.mark.parametrize(
    ("target", "status"),
    [("/no/such", 404), ("/cue/key/below", 404), ("/cue/key?NONSENSE", 204), ("/cue/play?VALUE", 204),
     ("/" + "x" * 2000, 414), ("/cue/status?VALUE", 503), ("/%ff%00..//..", 404)],
)  # fmt: skip
def test_what_is_not_there(server, target, status) -> None:
    assert get(server, target)[0] == status


def raw(server, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(65_536):
            answer += part
        return answer


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1:9317", 200), ("localhost", 200), ("[::1]:9317", 200), ("192.168.0.7:9317", 200), ("", 200),
     ("evil.example", 403), ("evil.example:9317", 403), ("127.0.0.1.evil.example", 403),
     ("localhost.evil.example", 403)],
)  # fmt: skip
def test_a_web_page_under_a_name_of_its_own_reads_nothing(server, host, status) -> None:
    answer = raw(server, b"GET /cue/key HTTP/1.1\r\nHost: " + host.encode() + b"\r\n\r\n")
    assert answer.split(b" ", 2)[1] == str(status).encode(), answer[:200]


@pytest.mark.parametrize(
    "data",
    [b"", b"\r\n", b"GET\r\n\r\n", b"GET /\r\n\r\n", b"\x00\xff\xfe\r\n\r\n", b"GET http://[ HTTP/1.0\r\n\r\n",
     b"GET //[bad HTTP/1.0\r\n\r\n", b"POST / HTTP/1.0\r\nContent-Length: 99999999\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
     b"GET / HTTP/1.0\r\n" + b"X: y\r\n" * 500 + b"\r\n", b"GET /" + b"a" * 70_000 + b" HTTP/1.0\r\n\r\n",
     b"GET /cue/key?VALUE HTTP/1.0\r\nHost: " + b"9" * 60_000 + b"\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
)  # fmt: skip
def test_malformed_requests_end_nothing_and_print_nothing(server, data, capfd) -> None:
    with contextlib.suppress(ConnectionError):
        raw(server, data)
    assert get(server, "/cue/key?VALUE")[0] == 200
    assert "Traceback" not in "".join(capfd.readouterr())


def test_who_sends_drop_by_drop_is_cut_off_and_keeps_nobody_out_for_long(server, monkeypatch) -> None:
    monkeypatch.setattr(query, "REQUEST_S", 0.6)
    slow = [socket.create_connection(("127.0.0.1", server.port), timeout=5) for _ in range(query.MAX_CONNECTIONS + 5)]
    try:
        end, answered = time.monotonic() + 15, False
        while not answered and time.monotonic() < end:
            for each in slow:
                with contextlib.suppress(OSError):
                    each.send(b"G")
            with contextlib.suppress(OSError, http.client.HTTPException):
                answered = get(server, "/cue/key?VALUE")[0] == 200
            time.sleep(0.05)
        assert answered
        threads = [each for each in threading.enumerate() if "process_request" in each.name]
        assert len(threads) <= query.MAX_CONNECTIONS
    finally:
        for each in slow:
            each.close()


INFO: dict = {}
HELD = {
    "/cue/status": ("playing", Double(12.5), "01:00:00:00", "", "4|1", "Am", "F", "CueBridge", 0, ""),
    "/cue/playhead": (Double(1.0), Double(2.0), "1|3", "x", "y", True),
    "/cue/loop": (True, Double(1.0), Double(3.0)),
    "/cue/key": ("Am",),
    "/cue/pins": (),
}


@pytest.mark.parametrize("address", HELD)
def test_every_value_has_a_type_for_each_item(address: str) -> None:
    node = answer(address, INFO, namespace(), HELD.__getitem__)
    assert node is not None and len(node["VALUE"]) == len(node["TYPE"])
    both = [answer(f"{address}?{name}", INFO, namespace(), HELD.__getitem__) for name in ("VALUE", "TYPE")]
    assert both == [{"VALUE": node["VALUE"]}, {"TYPE": node["TYPE"]}]


def test_types_of_what_is_only_read_are_those_of_its_values() -> None:
    node = answer("/cue/playhead", INFO, namespace(), HELD.__getitem__)
    assert node is not None and node["TYPE"] == "ddsssT"
    loop = answer("/cue/loop", INFO, namespace(), HELD.__getitem__)
    assert loop is not None and (loop["TYPE"], loop["VALUE"]) == ("T", [True])
    assert len(loop["RANGE"]) == 1


def test_the_type_of_each_node_has_as_many_ranges() -> None:
    for control in CONTROLS:
        node = namespace()
        for name in control.address.strip("/").split("/"):
            node = node["CONTENTS"][name]
        if "TYPE" in node:
            assert len(node["TYPE"]) == len(node["RANGE"])
        if control.access == "value":
            assert len(node["TYPE"]) == len(node["VALUE"]) == 1


@pytest.mark.parametrize("path", ["/cue/nothing", "/..", "/cue/" + "x" * 600])
def test_an_error_is_json_and_no_page(server, path: str) -> None:
    head, _, body = raw(server, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()).partition(b"\r\n\r\n")
    assert b"application/json" in head and b"<html" not in body.lower()
    assert set(json.loads(body)) == {"error"}


@pytest.mark.parametrize("origin", [None, "*", "https://page.example"])
def test_other_origins_may_read_only_where_that_is_said(origin) -> None:
    made = QueryServer("127.0.0.1", 0, "CueBridge", namespace(), HELD.__getitem__, origin)
    made.start()
    try:
        head = raw(made, b"GET /cue/key HTTP/1.1\r\nHost: localhost\r\nOrigin: https://page.example\r\n\r\n")
        allowed = f"Access-Control-Allow-Origin: {origin}".encode()
        assert (allowed in head) if origin else (b"Access-Control" not in head)
    finally:
        made.close()
