"""The limiter keeps its ceiling, leaves quiet sound alone and knows no blocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from profiles import examples
from soundlab import ebur128

from engine.sound.limiter import CEILING_DBTP, Limiter
from engine.sound.mux import SoundWriter
from engine.sound.voice import SAMPLE_RATE


def limited(sound: np.ndarray, blocks: list[int]) -> np.ndarray:
    limiter, out, start, number = Limiter(), [], 0, 0
    while start < sound.shape[1]:
        count = blocks[number % len(blocks)]
        out.append(limiter.process(sound[:, start : start + count])[0])
        start, number = start + count, number + 1
    out.append(limiter.flush()[0])
    return np.concatenate(out, axis=1)[:, limiter.delay :]


def loud(seconds: float = 4.0) -> np.ndarray:
    """Tones whose peaks lie between samples, bursts, and a single full-scale click."""
    at = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    left = 1.2 * np.sin(2 * np.pi * 12_000 * at + np.pi / 4) * (at > 1)
    right = 3.0 * np.sin(2 * np.pi * 441 * at) * (at % 0.5 < 0.1)
    right[100] = 4.0
    return np.stack([left, right]).astype(np.float32)


def test_true_peak_stays_under_the_ceiling(tmp_path):
    writer = SoundWriter(tmp_path / "a.wav", "wav")
    writer.write(limited(loud(), [24_000]))
    writer.close()
    assert ebur128(tmp_path / "a.wav")[1] <= CEILING_DBTP


def test_quiet_sound_passes_unchanged_and_in_place():
    sound = (np.random.default_rng(1).normal(0, 0.05, (2, 50_000))).clip(-0.4, 0.4).astype(np.float32)
    assert np.array_equal(limited(sound, [24_000]), sound)


@examples(15)
@given(st.lists(st.integers(1, 30_000), min_size=1, max_size=4).filter(lambda sizes: sum(sizes) > 2_000))
def test_blocks_do_not_matter(blocks):
    sound = loud(1.5)
    assert np.abs(limited(sound, blocks) - limited(sound, [24_000])).max() <= 1e-6


def test_recovers_after_a_peak():
    sound = np.full((2, 96_000), 0.3, np.float32)
    sound[:, 20_000] = 3.0
    out = limited(sound, [24_000])
    assert np.abs(out[:, 20_000]).max() <= 10 ** (CEILING_DBTP / 20)
    assert out[0, 19_000] == pytest.approx(0.3)  # 5 ms before at the earliest
    assert out[0, 60_000] == pytest.approx(0.3)


def test_the_gain_does_not_click():
    limiter, gains = Limiter(), []
    sound = loud()
    for start in range(0, sound.shape[1], 24_000):
        curve = limiter.process(sound[:, start : start + 24_000])[1]
        gains.append(np.ones(24_000) if curve is None else curve)
    assert np.abs(np.diff(np.concatenate(gains))).max() < 0.01
