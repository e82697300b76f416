"""`cuebridge osc send` and `watch` against a port that answers as `live` does."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from bridge.cli import app
from bridge.commands.osc import typed_arguments
from bridge.osc.client import Answer
from bridge.osc.codec import Double, encode, encode_bundle
from bridge.osc.server import Datagram, OscServer
from engine.music import UserError
from engine.music.controls import ERROR


class Desk:
    """Answers each message with itself and a time, refuses what is asked of /cue/swing above 75."""

    def __init__(self) -> None:
        self.server = OscServer("127.0.0.1", 0, self.receive)
        self.received: list[tuple] = []
        self.server.start()

    def receive(self, datagram: Datagram) -> bool:
        for message in datagram.messages:
            self.received.append((message.address, *message.arguments))
            if message.address == "/cue/swing" and message.arguments and message.arguments[0] == 75:
                self.server.send(datagram.sender, ERROR, ("/cue/swing", "not_ready", "not now."))
                continue
            self.server.send(datagram.sender, message.address, (*message.arguments, Double(12.3456)))
            if message.address == "/cue/subscribe":
                parts = [encode("/cue/key", ["Am"]), encode("/cue/playhead", [Double(1.5), True])]
                threading.Timer(0.05, self.server.send_datagram, (datagram.sender, encode_bundle(parts))).start()
        return True


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.server.close()


def test_a_message_is_sent_in_the_types_of_the_table_and_answered(desk: Desk, capsys) -> None:
    port = str(desk.server.port)
    assert app(["osc", "send", "--port", port, "/cue/nudge", "-12.5"]) == 0
    assert app(["osc", "send", "/cue/part/bass/on", "off", "--port", port]) == 0
    assert app(["osc", "send", "/cue/progression", "C Am F G", "chord", "--port", port]) == 0
    assert desk.received == [
        ("/cue/nudge", -12.5), ("/cue/part/bass/on", False), ("/cue/progression", "C Am F G", "chord"),
    ]  # fmt: skip
    assert capsys.readouterr().out.splitlines() == [
        "/cue/nudge -12.5 12.346", "/cue/part/bass/on off 12.346", "/cue/progression 'C Am F G' chord 12.346",
    ]  # fmt: skip


def test_refusals_are_one_sentence_and_exit_code_2(desk: Desk, capsys) -> None:
    port = str(desk.server.port)
    assert app(["osc", "send", "/cue/swing", "75", "--port", port]) == 2
    assert capsys.readouterr().err == "cuebridge: /cue/swing: not now.\n"
    assert app(["osc", "send", "/cue/swing", "999", "--port", port]) == 2  # said before anything is sent
    assert capsys.readouterr().err == "cuebridge: /cue/swing: swing is a number from 50 to 75 (%), not 999.\n"
    desk.server.close()
    for words in (["send", "/cue/ping", "--wait", "0.3"], ["watch", "/cue/key"]):
        assert app(["osc", *words, "--port", port]) == 2
        assert capsys.readouterr().err.endswith("is `cuebridge live` running?\n")
    assert app(["osc", "send", "/cue/ping", "--host", "no such host.invalid"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_watch_prints_values_as_they_come(desk: Desk, capsys) -> None:
    assert app(["osc", "watch", "/cue/key", "/cue/playhead", "--count", "2", "--port", str(desk.server.port)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and {"/cue/key Am", "/cue/playhead 1.5 on"} >= set(lines)
    assert ("/cue/subscribe", "/cue/playhead") in desk.received


def test_arguments_of_what_is_not_in_the_table_are_guessed() -> None:
    assert typed_arguments("/daw/hello", ["1", "2.5", "x y"]) == [1, 2.5, "x y"]
    with pytest.raises(UserError):
        typed_arguments("/cue/transpose", ["2.5"])


def test_an_answer_is_one_line() -> None:
    assert Answer("/x", (True, None, 3, 2.0, 1.23456, "", "a b", b"\x01")).text == "/x on nil 3 2 1.235 '' 'a b' 01"
