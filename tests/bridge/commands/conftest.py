"""What several commands' tests read: the plan that `live` makes of its words, for a film that nobody opens."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.commands.live_options import LivePlan, parser, plan_of


@pytest.fixture
def film(tmp_path):
    path = tmp_path / "film.mp4"
    path.write_bytes(b"a film")
    return path


@pytest.fixture
def planned() -> Callable[..., LivePlan]:
    def plan(film, *words: str) -> LivePlan:
        return plan_of(parser().parse_args([str(film), "--midi-api", "none", "--no-session", *words]))

    return plan
