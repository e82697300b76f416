"""Tables are read before the session's first turn."""

from __future__ import annotations

import tomllib

from bridge.commands.live import read_tables
from engine.arrange.ensembles import ensembles


def test_the_first_music_waits_for_no_table(stage, monkeypatch) -> None:
    ensembles.cache_clear()
    read_tables()

    def read_now(text, **more):
        raise AssertionError("a table is read in a turn")

    monkeypatch.setattr(tomllib, "loads", read_now)
    made = stage(12.0)
    made.session.play()
    made.run(1.0)
    assert made.session.whole() is not None and made.session.document.slots
