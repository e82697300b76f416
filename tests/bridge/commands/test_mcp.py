"""`cuebridge mcp` where `live` or the package is missing."""

from __future__ import annotations

import pytest

from bridge.commands import mcp
from bridge.commands.mcp import ask
from bridge.controls.tools import tools
from engine.music import UserError


def test_nobody_there_is_one_sentence(monkeypatch):
    monkeypatch.setattr(mcp, "WAIT_S", 0.2)
    with pytest.raises(UserError, match=r"nothing answers on 127\.0\.0\.1 port 9; is `cuebridge live` running\?"):
        ask("127.0.0.1", 9, tools(["/cue/ping"])[0], {})


def test_a_pattern_that_fits_nothing_is_refused():
    with pytest.raises(UserError, match="no address fits /nothing; `cuebridge osc` lists them"):
        mcp.main(["--only", "/nothing"])
