"""Speech in a film's own sound."""

import numpy as np
import pytest
from soundlab import film_with

from engine.sound.speech import PAD_S, SAMPLE_RATE, lines_from, speech_of, windows

WINDOW_S = 0.032


def test_lines_by_chance():
    chances = [0.1] * 30 + [0.9] * 40 + [0.4] * 5 + [0.1] * 5 + [0.8] * 20 + [0.1] * 40 + [0.9] * 3 + [0.0] * 20
    (line,) = lines_from(chances, WINDOW_S)  # the short pause is inside it, the last blip is no line
    assert line[0] == pytest.approx(30 * WINDOW_S - PAD_S) and line[1] == pytest.approx(100 * WINDOW_S + PAD_S)
    assert lines_from([0.9] * 40, WINDOW_S) == ((0.0, pytest.approx(40 * WINDOW_S + PAD_S)),)
    assert lines_from([], WINDOW_S) == () and lines_from([0.4] * 100, WINDOW_S) == ()


@pytest.mark.parametrize(("doubted", "belongs"), [(0, 0), (6, 6), (40, 16)])
def test_what_was_being_doubted_before_a_line_belongs_to_it(doubted, belongs):
    """Under music the network believes in a voice late; half a second back at most, and nothing where it does not."""
    chances = [0.02] * 60 + [0.3] * doubted + [0.9] * 40 + [0.0] * 40
    (line,) = lines_from(chances, WINDOW_S)
    assert line[0] == pytest.approx((60 + doubted - belongs) * WINDOW_S - PAD_S)
    assert lines_from([0.02] * 60 + [0.3] * doubted + [0.0] * 40, WINDOW_S) == ()


@pytest.mark.parametrize("begins_s", [0.0, 2.0])
def test_sound_is_read_from_the_pictures_first_frame_on(tmp_path, begins_s):
    """Whatever second the file's time stamps begin at, and though the sound begins later than the picture."""
    samples = np.zeros(SAMPLE_RATE * 2)
    samples[SAMPLE_RATE : SAMPLE_RATE + 800] = 0.8
    film_with(tmp_path / "a.mkv", samples, begins_s=begins_s, sound_after_s=0.5)
    sound = np.concatenate(list(windows(tmp_path / "a.mkv", 512)))
    loud = np.flatnonzero(np.abs(sound) > 0.3)
    assert loud[0] / SAMPLE_RATE == pytest.approx(1.5, abs=0.01)
    assert len(loud) == pytest.approx(800, abs=40)


def test_tones_and_noise_are_no_speech(tmp_path):
    ticks = np.arange(SAMPLE_RATE * 4) / SAMPLE_RATE
    noise = np.random.default_rng(1).normal(0, 0.05, len(ticks))
    film_with(tmp_path / "a.mkv", 0.2 * np.sin(2 * np.pi * 440 * ticks) + noise)
    assert speech_of(str(tmp_path / "a.mkv")) == ()


def test_a_film_without_sound_has_none(tmp_path):
    import recutlab

    from engine.music.bundled import bundled_clip

    recutlab.write(tmp_path / "mute.mp4", bundled_clip(), [(0, 24)])
    assert speech_of(str(tmp_path / "mute.mp4")) == ()
