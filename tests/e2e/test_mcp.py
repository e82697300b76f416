"""An assistant's own client speaks with a running `live` through `cuebridge mcp`."""

from __future__ import annotations

import sys

import pytest
from livelab import Live, environment, short_film

mcp = pytest.importorskip("mcp", reason="the extra `mcp` is not installed")
pytestmark = [pytest.mark.slow]


def test_an_assistant_reads_changes_is_refused_and_takes_back(tmp_path):
    import anyio
    from mcp import StdioServerParameters
    from mcp.client import Client
    from mcp.client.stdio import stdio_client

    seen: dict[str, str] = {}

    async def speak(port: int) -> None:
        command = ["-m", "bridge.cli", "mcp", "--port", str(port)]
        server = StdioServerParameters(command=sys.executable, args=command, env=environment(tmp_path))
        async with Client(stdio_client(server)) as client:
            listed = await client.list_tools()
            assert {"cue_status", "cue_chords_pin", "cue_swing", "cue_undo"} <= {each.name for each in listed.tools}

            async def call(name: str, **arguments: object) -> str:
                result = await client.call_tool(name, arguments)
                return ("refused: " if result.is_error else "") + result.content[0].text

            seen["status"] = await call("cue_status")
            seen["before"] = await call("cue_swing")
            seen["set"] = await call("cue_swing", swing=60)
            seen["after"] = await call("cue_swing")
            seen["refused"] = await call("cue_swing", swing=4000)
            seen["chord"] = await call("cue_chords_pin", chord="Xyz", at=3)
            await call("cue_undo")
            seen["undone"] = await call("cue_swing")

    film = short_film(tmp_path / "film.mp4", 6)
    with Live(film, tmp_path, "--midi-api", "none", "--no-session") as live:
        live.ready()
        anyio.run(speak, live.osc_port)
    assert seen["status"].startswith("/cue/status")
    assert seen["set"].split()[1] == "60" and seen["after"].split()[1] == "60"
    assert seen["undone"] == seen["before"] != seen["after"]
    assert seen["refused"].startswith("refused: /cue/swing: ") and "4000" in seen["refused"]
    assert seen["chord"].startswith("refused: ") and "Xyz" in seen["chord"]
