"""A number that is no port is refused as such by every flag that takes one, before anything is opened."""

from __future__ import annotations

import socket

import pytest
from livelab import CLIP

from bridge.commands import doctor, live_options, mcp, osc, page, why
from bridge.commands.live import main as live_main
from engine.commands import listening
from engine.music import UserError

FLAGS = [
    (osc.main, ["send", "/cue/ping"], "--port"), (osc.main, ["watch", "/cue/status"], "--port"),
    (why.main, ["3|1"], "--port"), (doctor.main, [], "--osc-port"), (mcp.main, [], "--port"),
    (live_options.parse, [str(CLIP)], "--osc-port"), (live_options.parse, [str(CLIP)], "--page-port"),
    (page.main, [], "--page-port"), (listening.main, ["serve", "study"], "--port"),
]  # fmt: skip


@pytest.mark.parametrize("port", ["99999", "65536", "-1", "²", "9317.5", "nine", ""])
@pytest.mark.parametrize(("command", "words", "flag"), FLAGS)
def test_what_is_no_port_is_refused(command, words, flag, port) -> None:
    with pytest.raises(UserError) as refused:
        command([*words, f"{flag}={port}"])
    said = str(refused.value)
    assert f"{port} is not a port; ports are" in said and "65535" in said and "\n" not in said


@pytest.mark.parametrize("command", [live_main, page.main])
def test_a_page_port_that_is_taken_is_refused_before_anything_is_opened(command, tmp_path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        words = [str(CLIP), "--no-session", "--osc-port", "off", "--midi-api", "none", "--out", str(tmp_path / "x.mid")]
        with pytest.raises(UserError, match="is taken; choose another with --page-port"):
            command([*words, "--page-port", str(other.getsockname()[1]), "--plain", "--no-keys"])
    assert not (tmp_path / "x.mid").exists()
