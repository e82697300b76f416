"""Speech in a film's own sound."""

import av
import numpy as np
import pytest

from engine.sound.speech import SAMPLE_RATE, lines_from, speech_of

WINDOW_S = 0.032


def test_lines_by_chance():
    chances = [0.1] * 30 + [0.9] * 40 + [0.4] * 5 + [0.1] * 5 + [0.8] * 20 + [0.1] * 40 + [0.9] * 3 + [0.0] * 20
    (line,) = lines_from(chances, WINDOW_S)  # the short pause is inside it, the last blip is no line
    assert line[0] == pytest.approx(30 * WINDOW_S - 0.06) and line[1] == pytest.approx(100 * WINDOW_S + 0.06)
    assert lines_from([0.9] * 40, WINDOW_S) == ((0.0, pytest.approx(40 * WINDOW_S + 0.06)),)
    assert lines_from([], WINDOW_S) == () and lines_from([0.4] * 100, WINDOW_S) == ()


def _film(path, samples):
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=SAMPLE_RATE, layout="mono")
        data = (np.clip(samples, -1, 1) * 32767).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(data, format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            out.mux(packet)


def test_tones_and_noise_are_no_speech(tmp_path):
    ticks = np.arange(SAMPLE_RATE * 4) / SAMPLE_RATE
    noise = np.random.default_rng(1).normal(0, 0.05, len(ticks))
    _film(tmp_path / "a.mkv", 0.2 * np.sin(2 * np.pi * 440 * ticks) + noise)
    assert speech_of(str(tmp_path / "a.mkv")) == ()


def test_a_film_without_sound_has_none(tmp_path):
    import recutlab

    from engine.music.bundled import bundled_clip

    recutlab.write(tmp_path / "mute.mp4", bundled_clip(), [(0, 24)])
    assert speech_of(str(tmp_path / "mute.mp4")) == ()
