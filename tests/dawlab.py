"""For tests: a session that follows a DAW's script, with everything a `live` run wires to it."""

from __future__ import annotations

import time

import pytest
from offlinelab import OfflinePlayer, offline_time
from sessionlab import Stage

from bridge.controls.dispatch import Controls
from bridge.daw.protocol import Hello, Transport, encode
from bridge.daw.protocol import decode as decode_daw
from bridge.daw.session import DawBridge
from bridge.osc.codec import Message, decode
from bridge.osc.server import Datagram
from bridge.player.messages import PlayerOptions, SyncOptions
from bridge.session.session import SessionOptions
from engine.brief import Brief

SCRIPT = ("127.0.0.1", 4711)


class Wired:
    """A session that follows a DAW, with everything a `live` run wires to it."""

    def __init__(self, player, seconds: float) -> None:
        options = SessionOptions("film.mp4", tempo=Brief(bpm=120), follows=True)
        self.stage = Stage(player, options, seconds)
        self.session = self.stage.session
        self.sent: list = []
        self.refused: list = []
        self.daw = DawBridge(self.session, self.sent.extend, "test")
        self.controls = Controls(self.session, lambda *x: None, lambda *x: self.refused.append(x), daw=self.daw)

    def say(self, message) -> None:
        (decoded,) = decode(encode(message))
        self.controls.datagram(Datagram((Message(decoded.address, decoded.arguments),), SCRIPT, time.perf_counter()))

    def run(self, seconds: float) -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            self.daw.tick(time.perf_counter())
            self.stage.step()
            self.stage.pause(0.005)

    def answers(self, kind):
        found = []
        for each in self.sent:
            message = decode_daw(each.datagram)
            if isinstance(message, kind):
                found.append(message)
        return found


@pytest.fixture
def wired():
    """By an offline clock."""
    with offline_time() as clock:
        made = Wired(OfflinePlayer(PlayerOptions(sync=SyncOptions("script")), clock), 24.0)
        made.stage.ready()
        made.say(Hello("reaper", "1", 1, abilities="do_marker do_print do_tempo"))
        yield made


def transport(seq, position_s, *, rolling=True, bpm=120.0):
    return Transport(seq, time.perf_counter(), position_s, position_s * bpm / 60, bpm, 4, 4, 1 if rolling else 0)
