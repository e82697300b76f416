"""`cuebridge mcp` where `live` or the package is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest
from livelab import environment, without_package

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


def test_without_the_package_it_says_what_to_install(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "bridge.cli", "mcp"],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=tmp_path, timeout=60,
        env={**environment(tmp_path), **without_package(tmp_path, "mcp")},
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.strip().endswith("`cuebridge mcp` needs the extra `mcp`: pip install 'cuebridge[mcp]'.")
