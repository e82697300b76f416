"""A mix brought to a loudness through the limiter."""

import numpy as np
import pytest

from engine.sound.levelling import mix_beside
from engine.sound.limiter import Limiter
from engine.sound.loudness import LoudnessMeter
from engine.sound.voice import SAMPLE_RATE


def peaky(seconds: int) -> np.ndarray:
    """(2, n): a quiet tone with a loud stroke every half second, 30 dB above it."""
    at_s = np.arange(seconds * SAMPLE_RATE) / SAMPLE_RATE
    tone = 0.02 * np.sin(2 * np.pi * 440 * at_s)
    strokes = 0.6 * np.exp(-(at_s % 0.5) * 60) * np.sin(2 * np.pi * 200 * at_s)
    return np.stack([tone + strokes, tone]).astype(np.float32)


@pytest.mark.parametrize("lengths", [[24000], [1000, 24000, 7, 333]])
def test_the_loudness_that_is_asked_for_comes_out_however_the_blocks_are_cut(tmp_path, lengths) -> None:
    sound = peaky(12)
    with mix_beside(tmp_path / "out.wav") as mix:
        first = 0
        for index in range(10**6):
            if first >= sound.shape[1]:
                break
            count = lengths[index % len(lengths)]
            mix.add(sound[:, first : first + count])
            first += count
        gain_db, lufs = mix.gain_for(-16.0, lambda fraction: None)
        limiter = Limiter()
        out = np.concatenate([block for block, _, _ in mix.limited(gain_db, limiter)], axis=1)
    assert limiter.greatest_db < -3  # the strokes would not fit
    assert out.shape == sound.shape
    meter = LoudnessMeter()
    meter.add(out)
    assert abs(meter.integrated() - -16.0) < 0.5 and abs(lufs - meter.integrated()) < 0.1
    # Nothing is late: between strokes the tone is the one that was added, louder.
    quiet = slice(SAMPLE_RATE // 2 - 3000, SAMPLE_RATE // 2 - 2000)
    ratio = out[1, quiet] / np.where(np.abs(sound[1, quiet]) < 1e-3, np.nan, sound[1, quiet])
    assert np.nanstd(ratio) / np.nanmean(ratio) < 0.2
    assert not list(tmp_path.iterdir())
