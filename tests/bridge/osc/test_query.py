"""OSCQuery over real HTTP: nodes, values, host info, and what is not there."""

from __future__ import annotations

import http.client
import json

import pytest

from bridge.osc.controls import BY_ADDRESS
from bridge.osc.query import QueryServer


@pytest.fixture
def server():
    def values(address):
        if address == "/cue/status":
            raise TimeoutError
        return ["Am"] if address == "/cue/key" else [0.5]

    server = QueryServer("127.0.0.1", 0, "CueBridge", values)
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
    assert get(server, "/cue/follow?RANGE")[1]["RANGE"][0] == {"MIN": 0, "MAX": 100}


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
