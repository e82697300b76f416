"""The page's mixer against the sum of the very blocks it was given: straight, after seeks, wraps, a changed plan."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bridge.page
from engine.process.messages import SOUND_BLOCK, SOUND_SCALE
from engine.sound.limiter import Limiter, true_peaks
from engine.sound.stream import packed, unpacked

MIXER = Path(bridge.page.__file__).parent / "static" / "sound" / "mixer.js"
HOST = Path(__file__).parent / "mixer_host.mjs"
FADE = 480
QUANTUM = 128
NODE = shutil.which("node") or ""

pytestmark = pytest.mark.skipif(not NODE, reason="the page's scripts need node to be run here")


class Blocks:
    """Random sound of two parts and the film, by revision: what the renderer would have sent."""

    def __init__(self, seconds: float, revision: int = 1, level: float = 0.05) -> None:
        rng = np.random.default_rng(revision)
        self.revision = revision
        self.count = int(seconds * 2)
        self.parts = {
            name: [packed(rng.normal(0, level, (2, SOUND_BLOCK)).astype(np.float32)) for _ in range(self.count)]
            for name in ("pad", "melody")
        }

    def rows(self, first: int = 0) -> list[dict[str, Any]]:
        return [
            {
                "stream": 1,
                "index": index,
                "revision": self.revision,
                "parts": {name: base64.b64encode(blocks[index]).decode() for name, blocks in self.parts.items()},
            }
            for index in range(first, self.count)
        ]

    def sum(self, **gains: float) -> np.ndarray:
        """(2, n): all parts added up."""
        return sum(
            np.concatenate([unpacked(block) for block in blocks], axis=1) * np.float32(gains.get(name, 1.0))
            for name, blocks in self.parts.items()
        )


def played(
    blocks: list[dict[str, Any]], acts: list[dict[str, Any]], quanta: int, *, limiter: bool = False
) -> np.ndarray:
    """(2, n) float32: what the mixer gave out."""
    job = {"scale": SOUND_SCALE, "blocks": blocks, "acts": acts, "quanta": quanta, "limiter": limiter}
    done = subprocess.run(
        [NODE, str(HOST), str(MIXER)], input=json.dumps(job).encode(), capture_output=True, check=True, timeout=60
    )
    return np.frombuffer(done.stdout, np.float32).reshape(-1, 2).T


def largest(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(found - expected).max())


def test_straight_play_is_the_sum_of_the_blocks() -> None:
    music = Blocks(1.5)
    found = played(music.rows(), [{"quantum": 0, "start": 0}], 400)
    assert largest(found[:, FADE:], music.sum()[:, FADE : found.shape[1]]) <= 1e-6


def test_after_ten_seeks_it_is_the_sum_there() -> None:
    music = Blocks(3.0)
    places = [70_001, 100, 23_990, 48_000, 3, 110_000, 60_500, 24_000, 90_000, 1]
    acts = [{"quantum": 0, "start": 0}]
    acts += [{"quantum": 20 * (each + 1), "jump": place} for each, place in enumerate(places)]
    found = played(music.rows(), acts, 20 * 11)
    whole = music.sum()
    for each, place in enumerate(places):
        begins = 20 * (each + 1) * QUANTUM
        heard = found[:, begins + FADE : begins + 20 * QUANTUM]
        assert largest(heard, whole[:, place + FADE : place + 20 * QUANTUM]) <= 1e-6


def test_a_seek_fades_over_ten_milliseconds_and_has_no_step() -> None:
    music = Blocks(2.0)
    found = played(music.rows(), [{"quantum": 0, "start": 0}, {"quantum": 40, "jump": 60_000}], 80)
    whole = music.sum()
    begins = 40 * QUANTUM
    rise = np.arange(FADE, dtype=np.float64) / FADE
    expected = whole[:, 60_000 : 60_000 + FADE] * rise + whole[:, begins : begins + FADE] * (1 - rise)
    assert largest(found[:, begins : begins + FADE], expected) <= 1e-3


def test_four_wraps_of_a_loop() -> None:
    music = Blocks(2.0)
    low, high = 10_000, 31_007
    found = played(music.rows(), [{"quantum": 0, "loop": [low, high], "start": low}], 5 * 21_007 // QUANTUM)
    whole = music.sum()
    for wrap in range(4):
        begins = wrap * (high - low)
        heard = found[:, begins + FADE : begins + high - low]
        assert largest(heard, whole[:, low + FADE : high]) <= 1e-6


@pytest.mark.parametrize("ahead", [-90, -5, 0, 5, 90])
def test_a_clock_that_wraps_earlier_or_later_is_no_jump(ahead: int) -> None:
    """Asked at every quantum, the clock is up to 2 ms beside the sound: each comes round the loop at its own time."""
    music = Blocks(2.0)
    low, high = 10_000, 31_007
    length = high - low
    clocks = [
        {"quantum": each, "clock": low + (each * QUANTUM + ahead) % length} for each in range(1, 5 * length // QUANTUM)
    ]
    found = played(
        music.rows(), [{"quantum": 0, "loop": [low, high], "start": low}, *clocks], 5 * length // QUANTUM
    )  # fmt: skip
    whole = music.sum()
    for wrap in range(5):
        begins = wrap * length
        heard = found[:, begins + FADE : begins + length]
        assert largest(heard, whole[:, low + FADE : low + FADE + heard.shape[1]]) <= 1e-6


def test_who_starts_beyond_a_loop_plays_on() -> None:
    music = Blocks(3.0)
    found = played(music.rows(), [{"quantum": 0, "loop": [10_000, 31_007], "start": 32_000}], 300)
    assert largest(found[:, FADE:], music.sum()[:, 32_000 + FADE : 32_000 + found.shape[1]]) <= 1e-6


def test_a_plan_that_changes_in_mid_bar_is_heard_from_there() -> None:
    old, new = Blocks(3.0), Blocks(3.0, revision=2)
    changed = {"quantum": 100, "blocks": new.rows(0)}
    found = played(old.rows(), [{"quantum": 0, "start": 0}, changed], 700)
    begins = 100 * QUANTUM
    assert largest(found[:, FADE:begins], old.sum()[:, FADE:begins]) <= 1e-6
    assert largest(found[:, begins + FADE :], new.sum()[:, begins + FADE : found.shape[1]]) <= 1e-6


def test_a_plan_that_changes_further_on_fades_at_that_block() -> None:
    old, new = Blocks(2.0), Blocks(2.0, revision=2)
    found = played(old.rows(), [{"quantum": 0, "start": 0}, {"quantum": 10, "blocks": new.rows(2)}], 500)
    border = 2 * SOUND_BLOCK
    assert largest(found[:, FADE:border], old.sum()[:, FADE:border]) <= 1e-6
    assert largest(found[:, border + FADE :], new.sum()[:, border + FADE : found.shape[1]]) <= 1e-6
    rise = np.arange(FADE, dtype=np.float64) / FADE
    expected = new.sum()[:, border : border + FADE] * rise + old.sum()[:, border : border + FADE] * (1 - rise)
    assert largest(found[:, border : border + FADE], expected) <= 1e-3


def test_levels_and_mutes_move_without_a_step() -> None:
    music = Blocks(1.5)
    acts = [{"quantum": 0, "start": 0}, {"quantum": 100, "gains": {"pad": 0.0, "melody": 0.5}}]
    found = played(music.rows(), acts, 300)
    begins = 100 * QUANTUM + 2 * FADE
    expected = music.sum(pad=0.0, melody=0.5)[:, begins : found.shape[1]]
    assert largest(found[:, begins:], expected) <= 1e-4


def test_stop_is_silence_after_its_fade() -> None:
    music = Blocks(1.5)
    found = played(music.rows(), [{"quantum": 0, "start": 0}, {"quantum": 50, "stop": True}], 80)
    assert np.abs(found[:, 50 * QUANTUM + FADE + 1 :]).max() == 0.0
    assert np.abs(found[:, : 50 * QUANTUM]).max() > 0.05


def test_a_clock_a_little_ahead_is_followed_by_speed_and_one_far_ahead_by_a_jump() -> None:
    music = Blocks(3.0)
    whole = music.sum()
    jumped = played(music.rows(), [{"quantum": 0, "start": 0}, {"quantum": 50, "steer": 9_600}], 150)
    begins = 50 * QUANTUM
    expected = whole[:, begins + 9_600 + FADE : 150 * QUANTUM + 9_600]
    assert largest(jumped[:, begins + FADE :], expected) <= 1e-6
    nudged = played(music.rows(), [{"quantum": 0, "start": 0}, {"quantum": 50, "steer": 200}], 150)
    assert largest(nudged[:, FADE:begins], whole[:, FADE:begins]) <= 1e-6
    assert largest(nudged[:, begins + 2_000 :], whole[:, begins + 2_000 : 150 * QUANTUM]) > 1e-3


def test_nothing_is_above_minus_one_dbtp() -> None:
    music = Blocks(1.5, level=0.6)
    found = played(music.rows(), [{"quantum": 0, "start": 0}], 450, limiter=True)
    ceiling = 10 ** (-1.0 / 20)
    assert np.abs(music.sum()).max() > 2.0
    assert true_peaks(np.ascontiguousarray(found)).max() <= ceiling
    rms = np.sqrt(np.mean(found[:, 4_000:] ** 2))
    expected, _ = Limiter().process(music.sum())
    assert 20 * np.log10(rms / np.sqrt(np.mean(expected[:, 4_000 : found.shape[1]] ** 2))) == pytest.approx(0, abs=1.0)


def test_quiet_sound_passes_the_limiter_unchanged() -> None:
    music = Blocks(1.0)
    found = played(music.rows(), [{"quantum": 0, "start": 0}], 300, limiter=True)
    delay = 248
    assert largest(found[:, delay + FADE :], music.sum()[:, FADE : found.shape[1] - delay]) <= 1e-6


def test_a_block_has_a_level_that_glides_into_the_next() -> None:
    blocks = Blocks(2.0)
    rows = [{**row, "level": 1.0 if row["index"] < 2 else 0.5} for row in blocks.rows()]
    heard = played(rows, [{"quantum": 0, "start": SOUND_BLOCK}], 2 * SOUND_BLOCK // QUANTUM)
    there = blocks.sum()[:, SOUND_BLOCK:]
    level = np.ones(heard.shape[1], np.float32)
    level[SOUND_BLOCK:] = 0.5
    level[SOUND_BLOCK : SOUND_BLOCK + FADE] = 1 - 0.5 * np.arange(FADE) / FADE
    begun = slice(FADE, heard.shape[1])
    assert np.abs(heard - there[:, : heard.shape[1]] * level)[:, begun].max() < 1e-6
