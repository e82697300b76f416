"""SoundFont files: what is found in a real one, and damaged ones."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from profiles import examples

from engine.sound import soundfont as sf
from engine.sound.errors import SoundError
from engine.sound.fonts import NO_SOUNDFONT, find_soundfont
from engine.sound.soundfont import DRUM_BANK, SoundFont
from engine.sound.voice import Voices


def test_every_program_of_general_midi_has_samples(font):
    for program in range(128):
        assert font.has(0, program)
        assert font.layers(0, program, 60, 100), program
    for key in range(35, 82):
        assert font.layers(DRUM_BANK, 0, key, 100), key


def test_layers_lie_inside_the_samples_and_loop_inside_themselves(font):
    for program in range(128):
        for layer in font.layers(0, program, 64, 90):
            assert 0 <= layer.start < layer.end <= len(font.samples)
            assert layer.start <= layer.loop_start <= layer.loop_end <= layer.end


def test_hi_hats_share_an_exclusive_class(font):
    classes = {font.layers(DRUM_BANK, 0, key, 100)[0].exclusive_class for key in (42, 44, 46)}
    assert len(classes) == 1 and 0 not in classes
    assert font.layers(DRUM_BANK, 0, 36, 100)[0].exclusive_class == 0


def test_what_is_missing_gives_way_to_what_is_there(font):
    assert font.preset(0, 48) == (0, 48)
    assert font.preset(99, 48) == (0, 48)
    bank, kit = font.preset(DRUM_BANK, 127)
    assert bank == DRUM_BANK and font.has(bank, kit)


def test_files_that_are_no_soundfont(tmp_path):
    with pytest.raises(SoundError, match="There is no SoundFont"):
        SoundFont(tmp_path / "absent.sf2")
    for name, data in (("empty.sf2", b""), ("text.sf2", b"hello" * 100), ("wave.sf2", b"RIFF\0\0\0\0WAVE" + bytes(99))):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SoundError, match=name):
            SoundFont(tmp_path / name)
    (tmp_path / "folder.sf2").mkdir()
    with pytest.raises(SoundError):
        find_soundfont(tmp_path / "folder.sf2")


def test_a_machine_without_any_font(monkeypatch):
    monkeypatch.setattr("engine.sound.fonts._system_folders", list)
    monkeypatch.setattr("engine.sound.fonts.bundled_font", lambda: None)
    with pytest.raises(SoundError) as caught:
        find_soundfont()
    assert str(caught.value) == NO_SOUNDFONT


@examples(40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_are_refused_or_play(small_font, tmp_path, data):
    """Any bytes of the tables changed, or the end cut off: one sentence, or a font that can be played."""
    content = bytearray(small_font)
    for _ in range(data.draw(st.integers(0, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(len(content) // 2, len(content)))]
    path = tmp_path / "damaged.sf2"
    path.write_bytes(content)
    try:
        voices = Voices(SoundFont(path))
    except SoundError:
        return
    for key in (0, 60, 127):
        clip = voices.note(0, 0, key, 100, 4_800)
        assert clip.shape[0] == 2 and np.isfinite(clip).all()


def test_a_compressed_font_is_named_as_such(small_font, tmp_path):
    kind = small_font.rindex(b"EOS")
    content = bytearray(small_font)
    content[kind - 2 : kind] = (1 | sf._COMPRESSED).to_bytes(2, "little")
    (tmp_path / "a.sf3").write_bytes(content)
    with pytest.raises(SoundError, match="SoundFont 3"):
        SoundFont(tmp_path / "a.sf3")
