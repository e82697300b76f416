"""The sound card's mixer against the sum of its blocks: straight, after jumps, wraps, a changed plan."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from profiles import examples

from engine.process.messages import SOUND_BLOCK
from engine.sound.playback import FADE, JUMP, Playback
from engine.sound.stream import packed, unpacked

COUNT = 6  # blocks


def blocks(seed: int, level: float = 0.02) -> list[dict[str, bytes]]:
    rng = np.random.default_rng(seed)
    return [
        {name: packed(rng.normal(0, level, (2, SOUND_BLOCK)).astype(np.float32)) for name in ("pad", "melody")}
        for _ in range(COUNT)
    ]


def summed(parts: list[dict[str, bytes]]) -> np.ndarray:
    return np.concatenate([sum(unpacked(data) for data in block.values()) for block in parts], axis=1)


FIRST, OTHER = blocks(1), blocks(2)
FIRST_SUM, OTHER_SUM = summed(FIRST), summed(OTHER)


def playing(at: int = 0, parts: list[dict[str, bytes]] = FIRST, stream: int = 1) -> Playback:
    """Rolling, so that the next sample that is heard is `at`."""
    made = Playback()
    for index, block in enumerate(parts):
        made.put(stream, index, 1, block)
    made.follow(at - made.limiter.delay, rolling=True)
    return made


def heard(made: Playback, count: int, piece: int = 512) -> np.ndarray:
    """What comes out, without the limiter's delay."""
    total = count + made.limiter.delay
    found = np.concatenate([made.render(min(piece, total - at)) for at in range(0, total, piece)], axis=1)
    return found[:, made.limiter.delay :]


@pytest.mark.parametrize("piece", [64, 441, 4096])
def test_it_is_the_sum_of_the_blocks_however_it_is_cut(piece: int) -> None:
    found = heard(playing(1000), 60_000, piece)
    assert np.abs(found[:, FADE:] - FIRST_SUM[:, 1000 + FADE : 61_000]).max() < 1e-6


def test_both_streams_are_added() -> None:
    made = playing()
    for index, block in enumerate(OTHER):
        made.put(2, index, 0, block)
    found = heard(made, 30_000)
    assert np.abs(found - FIRST_SUM[:, :30_000] - OTHER_SUM[:, :30_000])[:, FADE:].max() < 1e-6


@examples(20)
@given(to=st.integers(0, 100_000), at=st.integers(FADE, 5000))
def test_a_jump_is_faded_and_then_exact(to: int, at: int) -> None:
    made = playing()
    before = [made.render(at)]
    if abs(to - made.position) <= JUMP:
        return
    made.follow(to - made.limiter.delay, rolling=True)
    found = np.concatenate([*before, *(made.render(512) for _ in range(8))], axis=1)[:, made.limiter.delay :]
    after = found[:, at + FADE :]
    assert np.abs(after - FIRST_SUM[:, to + FADE : to + FADE + after.shape[1]]).max() < 1e-6


def test_a_jump_makes_no_click() -> None:
    """Two stretches of opposite sign: cut, the step would be 0.8; faded, it is a 480th of that."""
    high = [{"pad": packed(np.full((2, SOUND_BLOCK), sign * 0.4, np.float32))} for sign in (1, 1, -1, -1, -1, -1)]
    made = playing(parts=high)
    before = made.render(4000)
    made.follow(2.5 * SOUND_BLOCK, rolling=True)
    found = np.concatenate([before, made.render(4000)], axis=1)
    assert found[0, 3500] == pytest.approx(0.4, abs=0.01) and found[0, -1] == pytest.approx(-0.4, abs=0.01)
    assert np.abs(np.diff(found[0])).max() < 0.8 / FADE * 1.5


def test_a_loop_wraps_at_its_last_sample() -> None:
    made = playing(20_000)
    made.follow(20_000 - made.limiter.delay, rolling=True, loop=(10_000, 30_000))
    found = heard(made, 25_000)
    assert np.abs(found[:, FADE:10_000] - FIRST_SUM[:, 20_000 + FADE : 30_000]).max() < 1e-6
    wrapped = found[:, 10_000 + FADE : 25_000]
    assert np.abs(wrapped - FIRST_SUM[:, 10_000 + FADE : 25_000]).max() < 1e-6


def test_a_changed_plan_is_faded_in_where_it_sounds() -> None:
    made = playing()
    made.render(10_000)
    for index in range(COUNT):
        made.put(1, index, 2, OTHER[index])
    found = np.concatenate([made.render(512) for _ in range(100)], axis=1)[:, made.limiter.delay :]
    expected = OTHER_SUM[:, 10_000 : 10_000 + found.shape[1]]
    assert np.abs(found - expected)[:, FADE:].max() < 1e-6
    # Later blocks of the same change are not faded again.
    border = SOUND_BLOCK - 10_000
    assert np.abs(found - expected)[:, border : border + FADE].max() < 1e-6


def test_a_stop_fades_out_and_stays_silent() -> None:
    made = playing()
    made.render(5000)
    made.follow(5000, rolling=False)
    found = np.concatenate([made.render(256) for _ in range(12)], axis=1)[:, made.limiter.delay :]
    assert np.abs(found[:, :200]).max() > 0.01 and not found[:, FADE:].any()


def test_a_clock_that_drifts_is_followed_without_a_jump() -> None:
    made = playing()
    made.render(4096)
    made.follow(made.position - made.limiter.delay + 300, rolling=True)  # 6 ms behind
    for _ in range(40):
        made.render(4096)
    gained = made.position - 41 * 4096
    assert 140 < gained < 180  # a thousandth of what was played
    assert np.isfinite(made.render(512)).all()


def test_where_no_block_is_there_is_silence() -> None:
    made = Playback()
    made.follow(0, rolling=True)
    assert not made.render(2000).any()
