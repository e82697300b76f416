"""The film follows what is heard, on a film with a clock of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import bridge.page

SYNC = Path(bridge.page.__file__).parent / "static" / "sound" / "film-sync.js"
HOST = Path(__file__).parent / "film_sync_host.mjs"
NODE = shutil.which("node") or ""

pytestmark = pytest.mark.skipif(not NODE, reason="the page's scripts need node to be run here")


def followed(**more: Any) -> dict[str, Any]:
    """speed: of the film's clock against the sound's.  settle_s: after a start or a seek that does not count."""
    job = {
        "seconds": 60, "fps": 24, "offset_s": 0.0, "duration_s": 600, "seek_ms": [60], "start_ms": 90, "speed": 1.0,
        "settle_s": 1.5,
    }  # fmt: skip
    done = subprocess.run(
        [NODE, str(HOST), str(SYNC)], input=json.dumps({**job, **more}).encode(), capture_output=True, check=True,
        timeout=60,
    )  # fmt: skip
    return json.loads(done.stdout)


@pytest.mark.parametrize("speed", [0.998, 1.0, 1.002])
@pytest.mark.parametrize("fps", [24, 25, 60])
def test_the_film_stays_within_a_frame(fps: int, speed: float) -> None:
    found = followed(fps=fps, speed=speed)
    assert found["shown"] > 0.8 * fps * 58 and found["within"] >= 0.99


def test_a_film_that_starts_late_has_caught_up_soon() -> None:
    """Ninety milliseconds, two frames: not for seconds."""
    assert followed(start_ms=90, settle_s=1.5, seconds=12)["within"] >= 0.99


@pytest.mark.parametrize("seek_ms", [20, 120, 400])
def test_after_each_seek_it_is_there_again(seek_ms: int) -> None:
    locates = [[3 + 4 * number, (number * 73) % 500] for number in range(10)]
    found = followed(locates=locates, seconds=44, seek_ms=[seek_ms], settle_s=2.0)
    assert found["within"] >= 0.98
    assert found["stray"] <= len(locates)  # one frame at most that was on its way when the transport jumped


@pytest.mark.parametrize("seek_ms", [[20, 90, 40, 120], [150, 30, 60, 90]])
def test_seeks_that_take_now_long_now_short_are_made_good_at_once(seek_ms: list[int]) -> None:
    """As in a film with few key frames; counted from .3 s after each seek on."""
    locates = [[3 + 3 * number, (number * 73) % 500] for number in range(20)]
    assert followed(locates=locates, seconds=63, seek_ms=seek_ms, settle_s=0.3)["within"] >= 0.98


def test_speed_is_changed_seldom() -> None:
    """More than two corrections a second widen the error in a browser."""
    assert followed(seconds=60, speed=1.001)["changes"] <= 120


def test_a_picture_that_begins_later_on_the_films_own_time_line() -> None:
    found = followed(offset_s=1.4, seconds=10)
    assert found["within"] >= 0.99
    assert found["at_s"] - found["heard_s"] == pytest.approx(1.4, abs=1.5 / 24)
