"""What the page fetches in pieces, by its own module under node."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import bridge.page

TILES = Path(bridge.page.__file__).parent / "static" / "lib" / "tiles.js"
NODE = shutil.which("node")


@pytest.mark.skipif(NODE is None, reason="node is not installed")
def test_counts_and_mood_that_came_before_the_film_are_fetched_again() -> None:
    host = Path(__file__).with_name("tiles_host.mjs")
    done = subprocess.run([str(NODE), str(host), str(TILES)], capture_output=True, check=True, timeout=60)
    found = json.loads(done.stdout)
    assert found["early"] == []  # nothing is known yet
    assert found["asked"] == ["/notes/3/counts.bin", "/mood/2.bin"] * 2
    assert found["counts"] and found["mood"] == 1
