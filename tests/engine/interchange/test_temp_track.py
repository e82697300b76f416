"""What is taken of a temp track, and that nothing else is."""

import argparse
import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pieces import compose
from profiles import examples

from engine.arrange import arrange
from engine.commands.temp import main
from engine.interchange.temp_analysis import SHORTEST_S, bars_per_chord_heard, energy_course, sure_key, temp_of_midi
from engine.interchange.temp_asked import take_temp
from engine.interchange.temp_track import TempTrack, from_facts
from engine.midifile import write_midi
from engine.music import Chord, Key, TempoMap, UserError
from engine.sound.temp_track import samples_of


@pytest.fixture(scope="module")
def temp(tmp_path_factory):
    """Sixty seconds in D minor at 96 bpm, a chord in two bars."""
    path = tmp_path_factory.mktemp("temp") / "temp.mid"
    chords = " ".join(f"{name} " * 4 for name in ("Dm", "Gm", "A7", "Dm", "Bb", "F", "Gm", "A7"))
    piece = compose(chords, tempo_map=TempoMap.constant(96), seconds=60.0, key="Dm", density=9.0, loudness=0.2)
    write_midi(path, piece, arrange(piece))
    return path


def flags(**given):
    names = ("temp", "temp_without", "bpm", "tempo_map", "key", "harmonic_rhythm")
    return argparse.Namespace(**{**dict.fromkeys(names), **given})


def test_tempo_key_and_chords_a_bar_of_a_midi_file(temp, capsys):
    track = temp_of_midi(temp)
    assert track.bpm == 96 and not track.has_map and track.key == Key.parse("Dm") and track.bars_per_chord == "2"
    assert from_facts(json.loads(json.dumps(track.facts()))) == track
    assert main([str(temp)]) == 0
    said = capsys.readouterr().out
    assert "96 bpm" in said and "D minor" in said and "2 bars a chord" in said
    # Nothing in it could give a melody or a progression back.
    assert {type(value) for value in track.facts().values()} <= {str, float, bool, list, int}
    assert all(len(row) == 2 for row in track.facts()["energy"])


def test_a_flag_wins_and_each_wish_can_be_refused(temp):
    said: list[str] = []
    given = flags(temp=str(temp))
    take_temp(given, temp_of_midi, said.append)
    assert (given.bpm, given.key, given.harmonic_rhythm) == ("96", "D minor", "2")
    assert len([line for line in said if line.startswith("  ")]) == 4
    given = flags(temp=str(temp), bpm="120", key="C")
    take_temp(given, temp_of_midi, said.append)
    assert (given.bpm, given.key, given.harmonic_rhythm) == ("120", "C", "2")
    said.clear()
    given = flags(temp=str(temp), temp_without="tempo, key,rhythm,energy")
    assert take_temp(given, temp_of_midi, said.append) == () and len(said) == 1
    assert (given.bpm, given.tempo_map, given.key, given.harmonic_rhythm) == (None,) * 4
    for words in ({"temp_without": "melody", "temp": str(temp)}, {"temp_without": "key"}, {"temp": "no.wav"}):
        with pytest.raises(UserError):
            take_temp(flags(**words), temp_of_midi, said.append)


def test_a_file_with_tempo_changes_gives_its_map(tmp_path):
    piece = compose(seconds=20.0, tempo_map=TempoMap.of([(0, 90), (16, 110)], [(0, TempoMap().meters[0].meter)]))
    write_midi(tmp_path / "curve.mid", piece, arrange(piece))
    given = flags(temp=str(tmp_path / "curve.mid"))
    take_temp(given, temp_of_midi, lambda line: None)
    assert given.bpm is None and given.tempo_map.endswith("curve.mid")


@examples(60)
@given(st.lists(st.floats(0, 100), max_size=90))
def test_an_energy_course_is_stretches_of_some_length(loudness):
    course = energy_course(np.array(loudness))
    assert len(course) == 0 if not loudness else course[0][0] == 0
    for (start, level), (after, other) in pairwise(course):
        assert after - start >= SHORTEST_S and level != other
    assert all(0 <= level <= 100 for _, level in course)
    made = TempTrack("x", energy=course).sections()
    assert len(made) == (len(course) if len(course) > 1 else 0)


def test_a_loud_middle_is_found():
    course = energy_course(np.array([0.1] * 20 + [0.9] * 20 + [0.1] * 20))
    loud = max(course, key=lambda row: row[1])
    assert abs(loud[0] - 20) <= 4 and loud[1] == 90 and course[0][1] == 10 == course[-1][1]


def test_asking_for_a_temp_track_loads_nothing_that_reads_one():
    heavy = {"numpy", "mido", "librosa", "engine.midifile", "engine.interchange.temp_analysis"}
    code = f"import sys, engine.interchange.temp_asked; print(sorted({heavy!r} & set(sys.modules)))"
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "[]"


def test_even_music_has_no_energy_course_and_steps_of_some_decibels_have():
    rng = np.random.default_rng(3)
    even = 0.1 * 10 ** (rng.normal(0, 0.6, 60) / 20)
    assert energy_course(even) == ((0.0, 50.0),)
    louder = np.concatenate([even[:30], 2.5 * even[30:]])
    course = energy_course(louder)
    assert len(course) == 2 and abs(course[1][0] - 30) <= 3 and course[1][1] == 90
    assert energy_course(1e-3 * louder) == course, "of any unit"


@pytest.mark.parametrize(("beats", "word"), [(2, "half"), (4, "1"), (8, "2"), (16, "4"), (3, "1"), (6, "2")])
def test_chords_a_bar_are_heard_under_a_tune(beats, word):
    """Triads with overtones, and another tone of the scale on every beat."""
    rng = np.random.default_rng(beats)
    roots = (0, 9, 5, 7)
    rows = []
    for beat in range(64):
        root = roots[beat // beats % 4]
        row = rng.uniform(0, 0.15, 12)
        for step, weight in ((0, 1.0), (3 if root == 9 else 4, 0.7), (7, 0.9)):
            row[(root + step) % 12] += weight
        row[rng.choice([0, 2, 4, 5, 7, 9, 11])] += 0.6
        rows.append(row)
    assert bars_per_chord_heard(np.array(rows)) == word
    assert bars_per_chord_heard(np.zeros((40, 12))) == "auto" and bars_per_chord_heard(np.ones((5, 12))) == "auto"


def triads(*chords) -> np.ndarray:
    """(chords, 12): what sounds in each."""
    rows = np.zeros((len(chords), 12))
    for row, (name, weight) in zip(rows, chords, strict=True):
        row[list(Chord.parse(name).pitch_classes())] = weight
    return rows


@pytest.mark.parametrize(("chords", "key"), [
    ("C Am F G", "C"), ("Am F Dm E", "Am"), ("Eb Cm Ab Bb", "Eb"), ("F#m D Bm C#", "F#m"),
])  # fmt: skip
def test_a_key_is_taken_where_tones_and_chords_agree(chords, key):
    times = triads(*((name, 1.0) for name in chords.split() * 3))
    assert sure_key(times.sum(axis=0), times) == (Key.parse(key), "")


def test_where_tones_and_chords_disagree_both_are_said_and_none_is_taken():
    """A tune that dwells on the fourth degree's tones over i VI iv V: by its tones it is in the fourth's key."""
    times = triads(*((name, 1.0) for name in ["Em", "C", "Am", "B"] * 3))
    whole = times.sum(axis=0) + 8 * triads(("Am", 1.0))[0]
    key, sentence = sure_key(whole, times)
    assert key is None and "A minor" in sentence and "E minor" in sentence and "--key" in sentence
    assert sure_key(np.zeros(12), np.zeros((4, 12))) == (None, "")


@pytest.mark.parametrize("content", [b"", b"hello", b"RIFF\0\0\0\0WAVEfmt "])
def test_what_is_no_sound_gets_a_sentence_without_numbers_of_errors(tmp_path, content):
    (tmp_path / "temp.wav").write_bytes(content)
    with pytest.raises(UserError, match=r"^temp\.wav (has no sound|cannot be read as sound: [A-Za-z ]+)\.$"):
        samples_of(tmp_path / "temp.wav")


def test_a_doubt_of_what_was_refused_is_not_said(tmp_path):
    pytest.importorskip("librosa")
    (tmp_path / "temp.wav").write_bytes(b"x")
    doubtful = TempTrack("temp.wav", 120.0, notes=("its key may be A minor or E minor, so none is taken.",))
    for without, count in (("rhythm", 1), ("key", 0)):
        said: list[str] = []
        take_temp(flags(temp=str(tmp_path / "temp.wav"), temp_without=without), lambda path: doubtful, said.append)
        assert sum("may be" in line for line in said) == count
