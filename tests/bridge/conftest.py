"""A session on a stage of its own, or following a DAW; see sessionlab, dawlab, offlinelab."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from dawlab import wired
from offlinelab import OfflinePlayer, offline_time
from sessionlab import Stage

from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerOptions, PortOptions
from bridge.session.now import OfflineClock
from bridge.session.session import SessionOptions
from engine.brief import Brief

Make = Callable[..., Stage]


def stages(player: Callable[[], PlayerLink]) -> Make:
    def make(seconds: float = 24.0, **options) -> Stage:
        options.setdefault("tempo", Brief(bpm=120))
        film = options.pop("film", "film.mp4")
        made = Stage(player(), SessionOptions(film, **options), seconds)
        made.ready()
        return made

    return make


@pytest.fixture
def clock() -> Iterator[OfflineClock]:
    """In force as long as the test lasts."""
    with offline_time() as moved_by_hand:
        yield moved_by_hand


@pytest.fixture
def stage(clock) -> Iterator[Make]:
    """stage(seconds, **options): a session that has composed, on the real Performer by an offline clock."""
    made: list[Stage] = []
    make = stages(lambda: OfflinePlayer(PlayerOptions(), clock))

    def remembered(*arguments, **options) -> Stage:
        made.append(make(*arguments, **options))
        return made[-1]

    yield remembered
    for each in made:
        each.session.plan.close()


@pytest.fixture
def real_stage() -> Iterator[Make]:
    """As `stage`, with a player process and real seconds: for what is measured, and for sockets."""
    players: list[PlayerLink] = []

    def player() -> PlayerLink:
        players.append(PlayerLink(PlayerOptions(ports=PortOptions("none"))))
        players[-1].start()
        return players[-1]

    yield stages(player)
    for each in players:
        each.close()


__all__ = ["clock", "real_stage", "stage", "wired"]
