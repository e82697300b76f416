"""A session on a stage of its own, or following a DAW; see sessionlab, dawlab."""

from __future__ import annotations

import pytest
from dawlab import wired
from sessionlab import Stage

from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerOptions, PortOptions
from bridge.session.session import SessionOptions
from bridge.session.tempo import TempoWish


@pytest.fixture
def stage():
    """stage(seconds, **options): a session that has composed."""
    players = []

    def make(seconds: float = 24.0, **options) -> Stage:
        player = PlayerLink(PlayerOptions(ports=PortOptions("none")))
        player.start()
        players.append(player)
        options.setdefault("tempo", TempoWish(bpm=120))
        film = options.pop("film", "film.mp4")
        made = Stage(player, SessionOptions(film, **options), seconds)
        made.ready()
        return made

    yield make
    for player in players:
        player.close()


__all__ = ["stage", "wired"]
