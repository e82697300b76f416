"""Music in a film's own sound, and its loudness."""

import json

import numpy as np
import pytest
from soundlab import film_with

from engine.commands.speech import main
from engine.music import UserError
from engine.sound.listening import BLOCK_FRAMES, FRAME, IS_MUSIC, SAMPLE_RATE, listen, music_of

STEP_S = BLOCK_FRAMES // 2 * (FRAME // 2) / SAMPLE_RATE


def noise(seconds, seed=1):
    return np.random.default_rng(seed).normal(0, 0.05, int(seconds * SAMPLE_RATE))


def music(seconds):
    """Chords of decaying harmonic notes, a new one each second."""
    made = np.zeros(int(seconds * SAMPLE_RATE))
    t = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    for second in range(int(seconds)):
        for pitch in ((60, 64, 67), (57, 60, 64), (65, 69, 72), (55, 59, 62))[second % 4]:
            hertz = 440 * 2 ** ((pitch - 69) / 12)
            note = sum(np.sin(2 * np.pi * hertz * n * t) / n for n in range(1, 6)) * np.exp(-1.5 * t) * 0.06
            part = made[second * SAMPLE_RATE : second * SAMPLE_RATE + len(note)]
            part += note[: len(part)]
    return made


def write(path, samples):
    film_with(path, samples)
    return str(path)


def test_music_is_told_from_noise(tmp_path, capsys):
    path = write(tmp_path / "film.mkv", np.concatenate([noise(10), music(12) + 0.1 * noise(12, 2), noise(10, 3)]))
    heard = listen(path)
    assert len(heard.music) == 1
    start, end = heard.music[0]
    assert abs(start - 10) < 2.6 and abs(end - 22) < 2.6
    assert main([path, "--all", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["music"] == [[start, end]] and len(facts["loudness_db"]) in (32, 33)
    assert main([path, "--all"]) == 0 and "music    " in capsys.readouterr().out


def test_loudness_is_in_decibels_below_full_scale(tmp_path):
    t = np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE
    heard = listen(write(tmp_path / "a.mkv", np.sin(2 * np.pi * 440 * t) * np.where(t < 2, 0.5, 0.05)))
    assert heard.loudness[0] == pytest.approx(-9.0, abs=0.3) and heard.loudness[3] == pytest.approx(-29.0, abs=0.3)
    assert listen(write(tmp_path / "b.mkv", np.zeros(2 * SAMPLE_RATE))).music == ()


def test_where_people_speak_music_is_as_before_and_after():
    loud, soft = 2 * IS_MUSIC, IS_MUSIC / 2
    line = ((6 * STEP_S, 10 * STEP_S),)
    through = music_of([loud] * 20, line)
    assert through == ((0.0, 21 * STEP_S),)
    assert music_of([soft] * 6 + [loud] * 3 + [soft] * 11, line) == ()
    before = music_of([loud] * 5 + [loud] * 4 + [soft] * 11, line)
    assert len(before) == 1 and before[0][1] <= 8 * STEP_S


def test_subtitles_have_no_sound(tmp_path):
    (tmp_path / "a.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nhello\n")
    with pytest.raises(UserError, match="no sound"):
        main([str(tmp_path / "a.srt"), "--all"])
