"""Ten thousand random events over all sources (a tenth of what tests/bench/sync.py runs)."""

from __future__ import annotations

import pytest

from bridge.player.scheduler import Scheduler
from bridge.transport.estimator import Follower
from tests.bridge.transport.chaos import Chaos


@pytest.mark.parametrize("first", range(0, 100, 25))
def test_any_source_any_event(first: int) -> None:
    played = steady = 0
    for seed in range(first, first + 25):
        chaos = Chaos(seed)
        try:
            chaos.run(100)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        played, steady = played + chaos.played, steady + chaos.steady_notes
    assert played > 500
    assert steady > 40


def test_the_ear_notices_a_player_that_ignores_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Follower, "_standing", lambda self, said, at: None)
    monkeypatch.setattr(Follower, "decide", lambda self, now, at: None)
    monkeypatch.setattr(Follower, "next_decision", lambda self: None)
    with pytest.raises(AssertionError):
        for seed in range(20):
            Chaos(seed).run(100)


def test_the_ear_notices_notes_off_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Scheduler._host_of
    monkeypatch.setattr(Scheduler, "_host_of", lambda self, native, lane: real(self, native, lane) + 0.2)
    with pytest.raises(AssertionError):
        for seed in range(20):
            Chaos(seed).run(100)
