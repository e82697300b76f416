"""`live --no-plugin`."""

from __future__ import annotations

import pytest

from bridge.commands.live_options import parser, plan_of
from engine.music import UserError


def planned(film, *words: str):
    return plan_of(parser().parse_args([str(film), "--midi-api", "none", "--no-session", *words]))


@pytest.fixture
def film(tmp_path):
    path = tmp_path / "film.mp4"
    path.write_bytes(b"a film")
    return path


def test_the_plugin_is_spoken_with_unless_it_is_left_out(film) -> None:
    assert planned(film).plugin and planned(film, "--sync", "plugin").plugin
    assert not planned(film, "--no-plugin", "--sync", "auto").plugin


@pytest.mark.parametrize("flag", ["--sync", "--tempo"])
def test_the_time_of_a_plugin_that_is_left_out_is_refused(film, flag) -> None:
    with pytest.raises(UserError, match="--no-plugin leaves out the plugin"):
        planned(film, "--no-plugin", flag, "plugin")
