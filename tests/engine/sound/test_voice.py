"""Single notes: pitch, level, length, and FluidSynth's opinion of the same font."""

import math
import shutil
import subprocess

import mido
import numpy as np
import pytest
from soundlab import read_sound, small_soundfont

from engine.sound.soundfont import DRUM_BANK, SoundFont
from engine.sound.voice import SAMPLE_RATE, Voices, velocity_gain


def rms(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


def fundamental(sound: np.ndarray) -> float:
    """Hz of the strongest partial."""
    mono = sound.sum(axis=0)[: SAMPLE_RATE // 2] * np.hanning(min(SAMPLE_RATE // 2, sound.shape[1]))
    spectrum = np.abs(np.fft.rfft(mono, 8 * SAMPLE_RATE))
    return float(np.argmax(spectrum)) / 8


@pytest.fixture
def simple(small_font, tmp_path) -> Voices:
    """One program: a sine whose key 60 sounds at 1000 Hz."""
    (tmp_path / "a.sf2").write_bytes(small_font)
    return Voices(SoundFont(tmp_path / "a.sf2"))


@pytest.mark.parametrize("key", [36, 48, 60, 61, 72, 84])
def test_pitch(simple, key):
    heard = fundamental(simple.note(0, 0, key, 100, SAMPLE_RATE))
    assert 1200 * abs(math.log2(heard / (1000 * 2 ** ((key - 60) / 12)))) < 2  # cents


def test_level_goes_by_velocity(simple):
    loud = rms(simple.note(0, 0, 60, 127, 24_000))
    for velocity in (1, 30, 64, 100):
        assert rms(simple.note(0, 0, 60, velocity, 24_000)) / loud == pytest.approx(velocity_gain(velocity), rel=1e-4)


def test_a_looped_note_lasts_as_long_as_it_is_held_and_then_dies(simple):
    clip = simple.note(0, 0, 60, 100, 3 * SAMPLE_RATE)
    assert rms(clip[:, 2 * SAMPLE_RATE : 3 * SAMPLE_RATE]) == pytest.approx(rms(clip[:, :SAMPLE_RATE]), rel=0.01)
    assert 3 * SAMPLE_RATE < clip.shape[1] < 3.05 * SAMPLE_RATE
    assert np.abs(clip[:, -1]).max() < 1e-3


def test_the_release_falls_by_100_db_in_its_time(tmp_path):
    wave = (20_000 * np.sin(2 * np.pi * np.arange(4_800) / 48)).astype(np.int16)
    (tmp_path / "a.sf2").write_bytes(small_soundfont(wave, loop=(480, 4_752), gen38=1200))  # 2 s
    clip = Voices(SoundFont(tmp_path / "a.sf2")).note(0, 0, 60, 127, SAMPLE_RATE)
    levels = [20 * math.log10(rms(clip[:, at : at + 4_800])) for at in (SAMPLE_RATE, SAMPLE_RATE + 24_000)]
    assert levels[0] - levels[1] == pytest.approx(25.0, abs=0.2)


def test_attack_and_decay(tmp_path):
    wave = (20_000 * np.sin(2 * np.pi * np.arange(4_800) / 48)).astype(np.int16)
    # Attack 0.5 s, decay of 100 dB in 2 s down to -20 dB.
    font = small_soundfont(wave, loop=(480, 4_752), gen34=-1200, gen36=1200, gen37=200)
    (tmp_path / "a.sf2").write_bytes(font)
    clip = Voices(SoundFont(tmp_path / "a.sf2")).note(0, 0, 60, 127, 2 * SAMPLE_RATE)
    full = rms(clip[:, 24_000:24_480])
    assert rms(clip[:, 11_760:12_240]) / full == pytest.approx(0.5, rel=0.05)
    assert 20 * math.log10(rms(clip[:, 24_000 + 9_600 :][:, :480]) / full) == pytest.approx(-10, abs=0.6)
    assert 20 * math.log10(rms(clip[:, 60_000:60_480]) / full) == pytest.approx(-20, abs=0.6)


def test_the_filter_takes_off_12_db_an_octave(tmp_path):
    wave = (20_000 * np.sin(2 * np.pi * np.arange(4_800) / 48)).astype(np.int16)
    # Cutoff 500 Hz, Q 3 dB lower than flat is what 0 means here; the tone is an octave and two octaves above.
    cutoff = round(1200 * math.log2(500 / 8.176))
    (tmp_path / "a.sf2").write_bytes(small_soundfont(wave, loop=(480, 4_752), gen8=cutoff))
    (tmp_path / "b.sf2").write_bytes(small_soundfont(wave, loop=(480, 4_752)))
    low, open_ = Voices(SoundFont(tmp_path / "a.sf2")), Voices(SoundFont(tmp_path / "b.sf2"))
    losses = []
    for key in (60, 72):
        clips = [voices.note(0, 0, key, 127, SAMPLE_RATE)[:, 10_000:40_000] for voices in (low, open_)]
        losses.append(20 * math.log10(rms(clips[1]) / rms(clips[0])))
    assert losses[1] - losses[0] == pytest.approx(12, abs=1.0)


def test_a_moving_filter_ends_where_a_still_one_is(tmp_path):
    """Once the modulation envelope rests on its sustain, the note is that of a font whose cutoff is there."""
    wave = np.random.default_rng(2).integers(-20_000, 20_000, 4_800).astype(np.int16)
    moving = small_soundfont(wave, loop=(480, 4_752), gen8=6000, gen11=3000, gen28=-2400, gen29=500)
    still = small_soundfont(wave, loop=(480, 4_752), gen8=7500)
    clips = []
    for name, font in (("a.sf2", moving), ("b.sf2", still)):
        (tmp_path / name).write_bytes(font)
        clips.append(Voices(SoundFont(tmp_path / name)).note(0, 0, 60, 127, 2 * SAMPLE_RATE))
    settled = slice(SAMPLE_RATE, 2 * SAMPLE_RATE)
    assert np.abs(clips[0][:, settled] - clips[1][:, settled]).max() < 1e-3
    assert np.abs(np.diff(clips[0][:, :SAMPLE_RATE])).max() < 2 * np.abs(np.diff(clips[1][:, settled])).max() * 4


@pytest.mark.parametrize("program", [0, 24, 33, 46, 48, 73, 89])
def test_a_longer_note_begins_as_a_shorter_one(voices, program):
    short, long = voices.note(0, program, 60, 90, 20_000), voices.note(0, program, 60, 90, 100_000)
    assert np.abs(short[:, :20_000] - long[:, :20_000]).max() <= 1e-6


@pytest.mark.parametrize("program", range(0, 128, 5))
def test_no_note_starts_or_ends_with_a_step(voices, program):
    """No jump between neighbouring samples near the end is greater than what the sound itself does."""
    clip = voices.note(0, program, 57, 110, 30_000)
    steps = np.abs(np.diff(np.pad(clip, ((0, 0), (1, 1)))))
    assert steps[:, -2:].max() <= max(1e-3, 0.5 * np.sort(steps.max(axis=0))[-100])


# a second opinion -----------------------------------------------------------------------------------------------------
def fluidsynth(font, tmp_path, bank: int, program: int, key: int, velocity: int, seconds: float) -> np.ndarray:
    """(2, n): the same note by FluidSynth, without its reverb and chorus."""
    channel = 9 if bank == DRUM_BANK else 0
    track = mido.MidiTrack(
        [
            mido.Message("program_change", channel=channel, program=program),
            mido.Message("note_on", channel=channel, note=key, velocity=velocity),
            mido.Message("note_off", channel=channel, note=key, time=round(960 * seconds)),
            mido.MetaMessage("end_of_track", time=1920),
        ]
    )
    file = mido.MidiFile(ticks_per_beat=480)
    file.tracks.append(track)
    file.save(tmp_path / "note.mid")
    words = ["fluidsynth", "-ni", "-q", "-R", "0", "-C", "0", "-g", "1", "-r", str(SAMPLE_RATE)]
    subprocess.run(
        [*words, "-F", str(tmp_path / "note.wav"), str(font.path), str(tmp_path / "note.mid")],
        check=True,
        capture_output=True,
    )
    return read_sound(tmp_path / "note.wav")


@pytest.mark.skipif(shutil.which("fluidsynth") is None, reason="fluidsynth is not installed")
@pytest.mark.parametrize(
    ("bank", "program", "key"),
    [
        (0, 0, 60), (0, 11, 72), (0, 24, 55), (0, 33, 40), (0, 42, 48), (0, 46, 60), (0, 48, 64), (0, 60, 58),
        (0, 73, 74), (0, 88, 55), (0, 89, 62), (DRUM_BANK, 0, 36), (DRUM_BANK, 0, 38), (DRUM_BANK, 0, 46),
        (DRUM_BANK, 0, 49),
    ],
)  # fmt: skip
def test_fluidsynth_hears_the_same(font, voices, tmp_path, bank, program, key):
    """Levels of 100 ms, ours 3 dB louder throughout; same pitch.

    Held: 0.5 dB in the middle, 3.5 dB anywhere (layers that beat against each other do so at another moment there).
    Released: within 5 dB until 40 dB below the loudest, since FluidSynth's note-off waits for the end of a block.
    """
    theirs = fluidsynth(font, tmp_path, bank, program, key, 100, 1.0)
    ours = voices.note(bank, program, key, 100, SAMPLE_RATE)
    count = max(min(theirs.shape[1], ours.shape[1]) // 4_800, 1)
    levels = np.array(
        [[rms(sound[:, at * 4_800 : (at + 1) * 4_800]) for at in range(count)] for sound in (ours, theirs)]
    )
    audible = levels[1] > levels[1].max() / 100
    difference = 20 * np.log10(levels[0] / np.maximum(levels[1], 1e-9)) - 3.0
    held = difference[:10][audible[:10]]
    assert abs(np.median(held)) < 0.5 or len(held) < 3
    assert np.abs(held).max() < 3.5
    assert np.abs(difference[10:][audible[10:]]).max(initial=0) < 5.0
    if bank == 0:
        assert 1200 * abs(math.log2(fundamental(ours) / fundamental(theirs))) < 8
