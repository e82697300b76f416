"""`live --no-plugin`."""

from __future__ import annotations

import pytest

from engine.music import UserError


def test_the_plugin_is_spoken_with_unless_it_is_left_out(film, planned) -> None:
    assert planned(film).plugin and planned(film, "--sync", "plugin").plugin
    assert not planned(film, "--no-plugin", "--sync", "auto").plugin


@pytest.mark.parametrize("flag", ["--sync", "--tempo"])
def test_the_time_of_a_plugin_that_is_left_out_is_refused(film, flag, planned) -> None:
    with pytest.raises(UserError, match="--no-plugin leaves out the plugin"):
        planned(film, "--no-plugin", flag, "plugin")
