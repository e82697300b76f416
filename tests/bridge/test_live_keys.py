"""Keys of `live` that need a session and nothing else."""

from __future__ import annotations

import pytest
from offlinelab import OfflinePlayer
from sessionlab import Stage

from bridge.commands.live import Live
from bridge.player.messages import PlayerOptions
from bridge.session.session import SessionOptions
from engine.brief import Brief
from engine.music import UserError


def test_a_take_that_n_passed_over_is_composed_by_its_number(clock) -> None:
    """n before the first composition is there makes take 2; 1 then plays take 1, not a sentence that there is none."""
    made = Stage(OfflinePlayer(PlayerOptions(), clock), SessionOptions("film.mp4", tempo=Brief(bpm=120)), 24.0)
    live = Live.__new__(Live)
    live.session = session = made.session
    try:
        session.new_take()
        session.new_take()
        made.ready()
        assert session.document.take == 3
        for number in (1, 2, 3):
            live._select(number)
            made.until(lambda: session.idle)
            assert session.document.take == number and session.takes.get(session.document.cue, number) is not None
        with pytest.raises(UserError, match="no take 4 yet"):
            live._select(4)
    finally:
        session.plan.close()
