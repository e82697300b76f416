"""CueBridge's end of the plugin without the rest of it: a link with a plan, and what a host plays from 0."""

from __future__ import annotations

import time
from contextlib import contextmanager

from pluginlab import Host, Transport

from bridge.player import messages as m
from bridge.player.memory import PlayerMemory
from bridge.player.messages import PlayerStatus
from bridge.player.tempo import TempoLine
from bridge.plugin.link import PluginLink
from bridge.transport.state import TransportObservation
from engine.music import TempoMap
from engine.music.note import Note

PATIENCE_S = 20.0


class Player:
    """What the link asks of a player: parts of the port are silent at once, and positions are kept."""

    def __init__(self) -> None:
        self.held: tuple[str, ...] = ()
        self.observed: list[TransportObservation] = []

    def hold(self, parts: list[str]) -> None:
        self.held = tuple(parts)

    def observe(self, said: TransportObservation) -> None:
        self.observed.append(said)

    def status(self) -> PlayerStatus:
        return PlayerStatus(0, 0, 0, 0, "", False, "", "", 0, 1, 1, (), 0, 0, 0, "", "", "", True, "", held=self.held)


class Bridge:
    """A running end of CueBridge with a plan in its player."""

    def __init__(self, path, notes: list[Note], film: str = "A film") -> None:
        self.player, self.said = Player(), []
        self.link = PluginLink(self.player, self.said.append, path)
        self.film = film
        self.memory = PlayerMemory(m.PlayerOptions())
        self.revision = 0
        for message in self.memory.tempo(1, TempoLine.of(TempoMap.constant(120))):
            self.link.take_player_message(message)
        self.play(notes)
        self.link.begin()

    def play(self, notes: list[Note]) -> None:
        self.revision += 1
        for message in self.memory.plan(self.revision, "seconds", notes, [], -1e9):
            self.link.take_player_message(message)

    def until(self, met, host: Host | None = None, person: bool = False) -> None:
        """Like `live`, which tells the link what the session knows many times a second."""
        end_s = time.monotonic() + PATIENCE_S
        while not met():
            assert time.monotonic() < end_s, (self.link.summaries, self.said)
            self.link.follow(self.film, True, person, self.player.status())
            if host is not None:
                host.wait(0.02)
                host.answered()
            time.sleep(0.01)

    def go_on(self, seconds: float, host: Host) -> None:
        end_s = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end_s, host)

    def has_it(self, count: int = 1):
        return lambda: sum(each.state.startswith("revision") for each in self.link.summaries) == count

    def close(self) -> None:
        self.link.close()


@contextmanager
def running(path, notes, film="A film"):
    bridge = Bridge(path, notes, film)
    try:
        yield bridge
    finally:
        bridge.close()


def tune(count: int = 40, pitch: int = 40, part: str = "arp", channel: int = 2) -> list[Note]:
    return [Note(pitch + i % 40, 80, i * 0.1, 0.05, channel, part) for i in range(count)]


def played(host: Host, seconds: float = 5.0) -> list[int]:
    """Pitches struck while it rolls from 0."""
    before = len(host.heard)
    for number in range(round(seconds * 100)):
        host.block(480, Transport(number / 100))
    host.block(480, Transport(0.0, rolling=False))
    host.answered()
    return [h.data1 for h in host.heard[before:] if h.is_on]
