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
    """speed: of the film's clock against the sound's.  settle_s: after a start or a seek that does not count.
    heard_after_ms: from a jump of the transport until it is heard.  rate_ms: from a change of speed until it works;
    change_ms: how long the film stands still at it, as it does in Chromium.
    """
    job = {
        "seconds": 60, "fps": 24, "offset_s": 0.0, "duration_s": 600, "seek_ms": [60], "start_ms": 90, "speed": 1.0,
        "settle_s": 1.5, "heard_after_ms": 0, "rate_ms": 0, "change_ms": 0,
        "stall_ms": 0,
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


@pytest.mark.parametrize("seek_ms", [[20, 40, 30, 60], [40, 90, 60, 150, 70]])
@pytest.mark.parametrize("heard_after_ms", [20, 50, 90])
def test_no_wrong_frame_at_a_seek_while_the_sound_before_it_is_still_heard(
    heard_after_ms: int, seek_ms: list[int]
) -> None:
    """Every frame counts, from the first one after each seek on."""
    locates = [[3.01 + 3.07 * number, (number * 73) % 500] for number in range(20)]
    found = followed(
        locates=locates, seconds=66, seek_ms=seek_ms, settle_s=0, heard_after_ms=heard_after_ms, start_ms=40, rate_ms=30
    )
    assert found["stray"] == 0 and found["within"] >= 0.99


@pytest.mark.parametrize("change_ms", [0, 12, 20])
def test_a_film_that_falls_behind_is_there_again_at_once(change_ms: int) -> None:
    """A machine that decodes no frame for 60 ms, fifteen times in a minute: a frame and a half each time."""
    stalls = [3.3 + 3.71 * number for number in range(15)]
    found = followed(seconds=60, stalls=stalls, stall_ms=60, rate_ms=60, change_ms=change_ms)
    assert found["within"] >= 0.9


def test_speed_is_changed_seldom() -> None:
    """More than two corrections a second widen the error in a browser."""
    assert followed(seconds=60, speed=1.001)["changes"] <= 120


def test_a_picture_that_begins_later_on_the_films_own_time_line() -> None:
    found = followed(offset_s=1.4, seconds=10)
    assert found["within"] >= 0.99
    assert found["at_s"] - found["heard_s"] == pytest.approx(1.4, abs=1.5 / 24)


@pytest.mark.parametrize("loop", [[5.0, 9.0], [5.013, 7.5]])
@pytest.mark.parametrize("seek_ms", [30, 200])
def test_a_loop_goes_round_without_a_wrong_frame(loop: list[float], seek_ms: int) -> None:
    """Every frame counts: at the loop's beginning another element waits, and is seen when that is heard."""
    locates = [[2, 5.2]]
    found = followed(loop=loop, locates=locates, seconds=42, seek_ms=[seek_ms], start_ms=40, settle_s=2.0)
    assert found["within"] >= 0.99 and found["shown"] > 0.95 * 24 * 37
