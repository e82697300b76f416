"""The meter against the standard's own signals (EBU Tech 3341) and against ffmpeg."""

import numpy as np
import pytest
from soundlab import ebur128

from engine.sound.loudness import STEP, LoudnessMeter
from engine.sound.mux import SoundWriter
from engine.sound.voice import SAMPLE_RATE


def tone(seconds: float, dbfs: float, hertz: float = 1000.0) -> np.ndarray:
    at = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    wave = (10 ** (dbfs / 20) * np.sin(2 * np.pi * hertz * at)).astype(np.float32)
    return np.stack([wave, wave])


def loudness(sound: np.ndarray, block: int = 24_000) -> float:
    meter = LoudnessMeter()
    for start in range(0, sound.shape[1], block):
        meter.add(sound[:, start : start + block])
    return meter.integrated()


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([(20, -23)], -23.0),  # case 1
        ([(20, -33)], -33.0),  # case 2
        ([(10, -36), (60, -23), (10, -36)], -23.0),  # case 3: the relative gate
        ([(10, -72), (10, -36), (60, -23), (10, -36), (10, -72)], -23.0),  # case 4: the absolute gate
        ([(20, -26), (20.1, -20), (20, -26)], -23.0),  # case 5
    ],
)
def test_signals_of_tech_3341(pieces, expected):
    assert loudness(np.concatenate([tone(*piece) for piece in pieces], axis=1)) == pytest.approx(expected, abs=0.1)


def test_silence_and_less_than_a_gating_block_have_no_loudness():
    assert loudness(np.zeros((2, 96_000), np.float32)) == -np.inf
    assert loudness(tone(0.3, -20)) == -np.inf


def test_blocks_do_not_matter():
    sound = np.random.default_rng(3).normal(0, 0.1, (2, 200_000)).astype(np.float32)
    assert loudness(sound, 1_000) == pytest.approx(loudness(sound, 77_777), abs=1e-4)


def test_a_gain_that_moves_counts_as_if_it_had_been_applied():
    sound = np.random.default_rng(4).normal(0, 0.1, (2, 480_000)).astype(np.float32)
    gain = np.interp(np.arange(480_000), [0, 240_000, 480_000], [1.0, 0.2, 0.7]).astype(np.float32)
    meter = LoudnessMeter()
    meter.add(sound)
    power = (gain * gain).reshape(-1, STEP).mean(axis=1)
    assert meter.integrated(-6.0, power) == pytest.approx(
        loudness(sound * gain * np.float32(10 ** (-6 / 20))), abs=0.02
    )


def test_agrees_with_ffmpeg(tmp_path):
    rng = np.random.default_rng(5)
    sound = np.cumsum(rng.normal(0, 0.01, (2, 960_000)), axis=1)
    sound = ((sound - sound.mean()) * 0.02 + rng.normal(0, 0.05, sound.shape)).clip(-1, 1).astype(np.float32)
    sound[:, 200_000:500_000] *= 0.1
    writer = SoundWriter(tmp_path / "a.wav", "wav")
    writer.write(sound)
    writer.close()
    assert loudness(sound) == pytest.approx(ebur128(tmp_path / "a.wav")[0], abs=0.1)
