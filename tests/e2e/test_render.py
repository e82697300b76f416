"""`cuebridge render` as a person calls it: a film in, a film with music out; and what can be got wrong."""

import json
import shutil
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest
from livelab import CLIP, COMMAND, environment
from soundlab import ebur128, make_film, packets_of, read_sound

from engine.arrange.score import session_arrangement
from engine.commands import render
from engine.document.file import read_session
from engine.music import UserError

SESSION = Path(__file__).parents[1] / "engine/document/fixtures/seconds-v1.cuebridge.json"


def run(home, *arguments):
    result = subprocess.run(
        [*COMMAND, "render", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment(home),
        timeout=240,
        stdin=subprocess.DEVNULL,
        cwd=home,
    )
    assert "Traceback" not in result.stderr + result.stdout
    return result


def _sounding(facts):
    return {part: count for part, count in facts["notes_per_part"].items() if count}


def test_the_clip_with_its_music(tmp_path):
    """The bundled clip: picture untouched, sound as long as the picture, as loud as asked for, never silent."""
    out = tmp_path / "with music.mp4"
    result = run(tmp_path, CLIP, "-o", out, "--loudness", "-20", "--stems", tmp_path / "stems", "--json")
    assert result.returncode == 0, result.stderr
    facts = json.loads(result.stdout)
    assert [data for data, _ in packets_of(CLIP)] == [data for data, _ in packets_of(out)]
    lufs, peak = ebur128(out)
    assert lufs == pytest.approx(-20, abs=0.5)
    assert peak <= -0.5  # AAC adds a little to the limiter's -1 dBTP
    sound = read_sound(out)
    assert sound.shape[1] == pytest.approx(30 * 48_000, abs=1024)
    levels = np.sqrt(np.square(sound[:, : 29 * 48_000]).reshape(2, 29, -1).mean(axis=(0, 2)))
    assert levels.min() > 0.003  # a note in every second
    assert facts["sound"]["seconds"] == pytest.approx(30, abs=0.001)
    composed = subprocess.run(
        [*COMMAND, "compose", str(CLIP), "-o", str(tmp_path / "composed.mid"), "--json"],
        capture_output=True, text=True, env=environment(tmp_path), timeout=240, check=True,
    )  # fmt: skip
    assert _sounding(facts) == _sounding(json.loads(composed.stdout))
    assert _sounding(facts)
    stems = {name: read_sound(tmp_path / "stems" / f"with music_{name}.wav") for name in _sounding(facts)}
    assert all(np.abs(stem).max() > 0.003 for stem in stems.values())


def test_a_session_sounds_as_its_notes(tmp_path):
    """A session beside its film: every note of it is heard where it begins, and the film is as long as it was."""
    shutil.copy(SESSION, tmp_path / "my.cuebridge.json")
    make_film(tmp_path / "film.mp4", 8.0)
    result = run(tmp_path, "my.cuebridge.json", "-o", "out.mp4", "--film-sound", "drop", "--stems", "stems", "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["sound"]["seconds"] == 8.0
    composition, arrangement = session_arrangement(read_session(SESSION), printed=True)
    assert json.loads(result.stdout)["notes"] == len(arrangement.notes) > 20
    stems: dict[str, np.ndarray] = {}
    for note in arrangement.notes:
        if note.part not in stems:
            stems[note.part] = read_sound(tmp_path / "stems" / f"out_{note.part}.wav")
        at = round((composition.tempo_map.seconds_at(note.start_beats) - composition.picture_starts_at_s) * 48_000)
        if 0 <= at < 7.9 * 48_000:
            assert np.abs(stems[note.part][:, at : at + 4_800]).max() > 0.003, note


def test_what_cannot_be_done_with_a_session(tmp_path):
    shutil.copy(SESSION, tmp_path / "my.cuebridge.json")
    (tmp_path / "other.json").write_text("{}")
    for arguments, words in (
        (["my.cuebridge.json", "-o", "out.mp4"], "film.mp4, the film of my.cuebridge.json, is neither"),
        (["my.cuebridge.json", "-o", "out.mp4", "--key", "Am"], "--key composes, and a session is composed already"),
        (["other.json", "-o", "out.mp4"], "other.json"),
    ):
        result = run(tmp_path, *arguments)
        assert result.returncode == 2 and words in result.stderr, result.stderr
    make_film(tmp_path / "film.mp4", 2.0)
    result = run(tmp_path, "my.cuebridge.json", "-o", "out.mp4")
    assert result.returncode == 2 and "it is another film" in result.stderr
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{film}", "-o", "out.avi"], "out.avi is none of .mp4, .wav, .flac"),
        (["{film}", "-o", "there.mp4"], "is there already: give another name, or say --replace"),
        (["{film}", "-o", "{film}", "--overwrite"], "would be overwritten"),
        (["{film}", "-o", "absent/out.mp4"], "There is no folder absent"),
        (["{film}", "-o", "out.mp4", "--loudness", "loud"], "'loud' is not a loudness"),
        (["{film}", "-o", "out.mp4", "--loudness", "3"], "--loudness is -40 to -8 LUFS"),
        (["{film}", "-o", "out.mp4", "--soundfont", "absent.sf2"], "There is no SoundFont absent.sf2"),
        (["{film}", "-o", "out.mp4", "--soundfont", "there.mp4"], "there.mp4 is not a SoundFont 2 file"),
        (["{film}", "-o", "out.mp4", "--takes", "3"], "--takes is for `cuebridge compose`"),
        (["{film}", "-o", "out.mp4", "--film-sound", "mute"], "--film-sound"),
        (["{film}", "-o", "out.mp4", "--stems", "there.mp4"], "is a file; --stems names a folder"),
        (["{film}", "-o", "out.mp4", "--key", "J"], "'J'"),
        (["absent.mp4", "-o", "out.mp4"], "absent.mp4"),
        (["sound.wav", "-o", "out.mp4"], "sound.wav holds sound but no picture"),
        (["prores.mov", "-o", "out.mp4"], "--reencode makes it H.264"),
    ],
)
def test_wrong_input_is_one_sentence(tmp_path, monkeypatch, arguments, words):
    """Refused before anything is composed or written; `test_what_cannot_be_done_with_a_session` runs the program."""
    film = make_film(tmp_path / "film.mp4", 1.2)
    make_film(tmp_path / "prores.mov", 0.2, codec="prores_ks", pixels="yuv422p10le", sound=None)
    (tmp_path / "there.mp4").write_bytes(b"keep me")
    with wave.open(str(tmp_path / "sound.wav"), "wb") as file:
        file.setparams((2, 2, 48_000, 0, "NONE", ""))
        file.writeframes(bytes(48_000))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        render.main([word.format(film=film) for word in arguments])
    assert words in str(caught.value)
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
