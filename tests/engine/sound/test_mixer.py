"""Parts under their levels, with the film's sound."""

import numpy as np
import pytest

from engine.music import PARTS, Controller, Note, TempoMap
from engine.music.cueplan import ENSEMBLES
from engine.sound.events import PartEvents, SoundEvents, SoundNote, sound_events
from engine.sound.levels import RAMP, controller_gain
from engine.sound.mixer import DUCK_DB, FILM, Mixer, add_up
from engine.sound.programs import program_of
from engine.sound.renderer import BLOCK
from engine.sound.soundfont import DRUM_BANK
from engine.sound.voice import SAMPLE_RATE

FOUR_PARTS = {
    "pad": PartEvents((SoundNote(0, 60, 90, 100_000), SoundNote(0, 64, 90, 100_000)), ((0, 1, 80),)),
    "bass": PartEvents((SoundNote(0, 36, 100, 40_000), SoundNote(48_000, 43, 100, 40_000)), ((0, 11, 100),)),
    "melody": PartEvents((SoundNote(24_000, 72, 100, 60_000),)),
    "drums": PartEvents(tuple(SoundNote(at, 38, 100, 3_000) for at in range(0, 140_000, 24_000))),
}


class Tone:
    """A stream that is one value for ever."""

    def read(self, count: int) -> np.ndarray:
        return np.full((2, count), 0.25, np.float32)


def mixed(mixer: Mixer) -> dict[str, np.ndarray]:
    pieces: dict[str, list[np.ndarray]] = {name: [] for name in mixer.names}
    while streams := mixer.read(BLOCK):
        for name, block in streams.items():
            pieces[name].append(block)
    return {name: np.concatenate(blocks, axis=1) for name, blocks in pieces.items()}


def test_level_follows_the_controller_by_the_law(voices):
    """A held note under a crescendo of CC 1 and CC 11 is the same note times the law, sample by sample."""
    notes = (SoundNote(0, 60, 100, 4 * SAMPLE_RATE),)
    changes = tuple((step * 9_600, number, low + step * 4) for step in range(20) for number, low in ((1, 30), (11, 40)))
    plain = mixed(Mixer(SoundEvents(192_000, {"pad": PartEvents(notes)}), voices))["pad"]
    swelled = mixed(Mixer(SoundEvents(192_000, {"pad": PartEvents(notes, changes)}), voices))["pad"]
    for step in range(20):
        law = controller_gain(1, 30 + step * 4) * controller_gain(11, 40 + step * 4)
        settled = slice(step * 9_600 + RAMP, min((step + 1) * 9_600, 192_000 - 3_000))
        assert np.abs(swelled[:, settled] - law * plain[:, settled]).max() < 1e-6


def test_parts_add_up_to_the_whole(voices):
    events = SoundEvents(150_000, FOUR_PARTS)
    together = mixed(Mixer(events, voices))
    alone = [mixed(Mixer(SoundEvents(150_000, {part: found}), voices))[part] for part, found in FOUR_PARTS.items()]
    assert set(together) == set(FOUR_PARTS)
    assert np.abs(add_up(together, 150_000) - sum(alone)).max() <= 1e-6


def test_length_is_exact_and_the_end_fades(voices):
    events = SoundEvents(77_777, {"pad": PartEvents((SoundNote(0, 60, 127, 200_000),))})
    out = mixed(Mixer(events, voices))["pad"]
    assert out.shape == (2, 77_777)
    assert np.abs(out[:, -1]).max() < 1e-4 < np.abs(out[:, -4_800]).max()


def test_the_films_sound_is_a_stream_as_it_is(voices):
    out = mixed(Mixer(SoundEvents(60_000, FOUR_PARTS), voices, Tone()))
    assert np.array_equal(out[FILM], np.full((2, 60_000), 0.25, np.float32))


def test_ducking_goes_down_under_music_and_up_after_it(voices):
    notes = tuple(SoundNote(4 * SAMPLE_RATE + at, 60, 110, 24_000) for at in range(0, 4 * SAMPLE_RATE, 24_000))
    events = SoundEvents(14 * SAMPLE_RATE, {"pad": PartEvents(notes)})
    film = mixed(Mixer(events, voices, Tone(), duck=True))[FILM][0] / 0.25
    assert film[: 4 * SAMPLE_RATE] == pytest.approx(1.0)
    assert 20 * np.log10(film[int(7.5 * SAMPLE_RATE)]) == pytest.approx(DUCK_DB, abs=0.5)
    assert 20 * np.log10(film[-1]) == pytest.approx(0, abs=0.5)
    assert np.abs(np.diff(film)).max() < 1e-3


def test_events_are_in_samples_of_the_picture():
    tempo = TempoMap.constant(120)
    notes = [Note(60, 90, 2.0, 1.0, 1, "pad"), Note(62, 90, 7.0, 1.0, 1, "pad"), Note(64, 90, 0.0, 0.5, 1, "pad")]
    events = sound_events(notes, [Controller(1, 70, 4.0, 1, "pad")], tempo, 0.5, 2.5)
    assert events.length == 120_000
    assert events.parts["pad"].notes == (SoundNote(24_000, 60, 90, 24_000),)  # the others lie outside the film
    assert events.parts["pad"].changes == ((72_000, 1, 70),)


def test_the_sustain_pedal_holds_notes_until_it_comes_up_or_the_key_is_struck():
    tempo = TempoMap.constant(60)
    notes = [Note(60, 90, 0.0, 1.0, 1, "pad"), Note(60, 90, 2.0, 0.5, 1, "pad"), Note(64, 90, 6.0, 0.5, 1, "pad")]
    pedal = [Controller(64, 127, 0.5, 1, "pad"), Controller(64, 0, 4.0, 1, "pad")]
    first, second, third = sound_events(notes, pedal, tempo, 0.0, 10.0).parts["pad"].notes
    assert first.length == 2 * SAMPLE_RATE  # until the key is struck again
    assert second.length == 2 * SAMPLE_RATE  # until the pedal comes up
    assert third.length == SAMPLE_RATE // 2


def test_every_ensemble_has_a_program_for_every_part(font):
    for ensemble in ENSEMBLES:
        for part in PARTS:
            program = program_of(ensemble, part)
            assert 0 <= program.program <= 127 and -20 <= program.level_db <= 6
            assert (program.bank == DRUM_BANK) is (part == "drums")
            assert font.has(program.bank, program.program), (ensemble, part)
