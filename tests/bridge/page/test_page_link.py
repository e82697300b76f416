"""The page's own end of the socket: a server that hangs is as good as gone, one that is slow is not."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import bridge.page

LINK = Path(bridge.page.__file__).parent / "static" / "lib" / "link.js"
HOST = Path(__file__).parent / "link_host.mjs"
NODE = shutil.which("node") or ""

pytestmark = pytest.mark.skipif(not NODE, reason="the page's scripts need node to be run here")


def seen(seconds: float, hangs_from_s: float, hangs_to_s: float) -> dict[str, Any]:
    """open: whether the page held its connection for good, at each second.  sockets: how many it has opened."""
    job = {"seconds": seconds, "hangs_from_s": hangs_from_s, "hangs_to_s": hangs_to_s}
    done = subprocess.run(
        [NODE, str(HOST), str(LINK)], input=json.dumps(job).encode(), capture_output=True, check=True, timeout=60
    )
    return json.loads(done.stdout)


def test_a_server_that_hangs_for_a_minute_is_gone_until_it_is_back() -> None:
    """A computer that sleeps, a process that is held: no socket closes by itself then."""
    found = seen(90, 10, 70)
    assert all(found["open"][1:10]) and not any(found["open"][25:70]) and all(found["open"][75:])


def test_a_server_that_is_slow_keeps_its_connection() -> None:
    found = seen(60, 10, 17)
    assert all(found["open"][1:]) and found["sockets"] == 1
