"""`cuebridge render` as a person calls it: a film in, a film with music out; and what can be got wrong."""

import json
import subprocess

import numpy as np
import pytest
from livelab import CLIP, COMMAND, environment
from soundlab import ebur128, make_film, packets_of, read_sound


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
    assert sum(facts["notes_per_part"].values()) > 100
    stems = {name: read_sound(tmp_path / "stems" / f"with music_{name}.wav") for name in facts["notes_per_part"]}
    assert all(np.abs(stem).max() > 0.003 for stem in stems.values())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{film}", "-o", "out.avi"], "out.avi is none of .mp4, .wav, .flac"),
        (["{film}", "-o", "there.mp4"], "is there already; --overwrite replaces it"),
        (["{film}", "-o", "{film}", "--overwrite"], "would be overwritten"),
        (["{film}", "-o", "absent/out.mp4"], "There is no folder absent"),
        (["{film}", "-o", "out.mp4", "--loudness", "loud"], "'loud' is no loudness"),
        (["{film}", "-o", "out.mp4", "--loudness", "3"], "--loudness is -40 to -8 LUFS"),
        (["{film}", "-o", "out.mp4", "--soundfont", "absent.sf2"], "There is no SoundFont absent.sf2"),
        (["{film}", "-o", "out.mp4", "--soundfont", "there.mp4"], "there.mp4 is not a SoundFont 2 file"),
        (["{film}", "-o", "out.mp4", "--takes", "3"], "--takes is for `cuebridge compose`"),
        (["{film}", "-o", "out.mp4", "--film-sound", "mute"], "--film-sound"),
        (["{film}", "-o", "out.mp4", "--stems", "there.mp4"], "is a file; --stems names a folder"),
        (["{film}", "-o", "out.mp4", "--key", "H"], "'H'"),
        (["absent.mp4", "-o", "out.mp4"], "absent.mp4"),
        (["sound.wav", "-o", "out.mp4"], "sound.wav holds sound but no picture"),
        (["prores.mov", "-o", "out.mp4"], "--reencode makes it H.264"),
    ],
)
def test_wrong_input_is_one_sentence(tmp_path, arguments, words):
    film = make_film(tmp_path / "film.mp4", 1.2)
    make_film(tmp_path / "prores.mov", 0.2, codec="prores_ks", pixels="yuv422p10le", sound=None)
    (tmp_path / "there.mp4").write_bytes(b"keep me")
    import wave

    with wave.open(str(tmp_path / "sound.wav"), "wb") as file:
        file.setparams((2, 2, 48_000, 0, "NONE", ""))
        file.writeframes(bytes(48_000))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    result = run(tmp_path, *(word.format(film=film) for word in arguments))
    assert result.returncode == 2, result.stderr
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert len(lines) == 1 and words in lines[0], result.stderr
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
