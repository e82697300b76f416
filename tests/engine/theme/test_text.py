"""Themes that are typed or taken from notes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.music import Key, MusicError, Note
from engine.music.cueplan import ThemeNote
from engine.music.tune import semitones
from engine.theme.text import parse_theme, theme_from_notes


def test_a_typed_theme():
    theme = parse_theme("1:1.5 5:.5 #4:2 | 3':3 R:1 | b7, 1:3")
    assert theme.bars == 3
    assert theme.notes == (
        ThemeNote(0, 1.5, 0), ThemeNote(1.5, 0.5, 4), ThemeNote(2, 2, 3, 1), ThemeNote(4, 3, 9),
        ThemeNote(8, 1, -1, -1), ThemeNote(9, 3, 0),
    )  # fmt: skip
    assert parse_theme("1 2 3", 3.0).bars == 1


@pytest.mark.parametrize("text", ["", "R:4", "8", "1:0", "x", "1:1.5 | 2", "1:99", "1:-2", "1::2"])
def test_what_cannot_be_read_is_refused_in_a_sentence(text):
    with pytest.raises(MusicError):
        parse_theme(text)


@given(
    st.lists(st.integers(-8, 18), min_size=1, max_size=20),
    st.integers(0, 11),
    st.sampled_from(["major", "minor"]),
)
def test_notes_become_degrees_that_sound_the_same(intervals, tonic, mode):
    key = Key(tonic, mode)
    notes = [Note(60 + tonic + step, 80, float(place), 1.0, 1, "melody") for place, step in enumerate(intervals)]
    theme = theme_from_notes(notes, key)
    sounded = [semitones(note.step, note.alter, mode) for note in theme.notes]
    assert [b - a for a, b in itertools.pairwise(sounded)] == [b - a for a, b in itertools.pairwise(intervals)]
    assert (sounded[0] - intervals[0]) % 12 == 0


def test_chords_give_their_upper_line_and_drums_none():
    notes = [
        Note(60, 80, 9, 1, 1, "a"),
        Note(67, 80, 9, 1, 1, "a"),
        Note(64, 80, 10, 2, 1, "a"),
        Note(36, 80, 8, 1, 10, "d"),
    ]
    theme = theme_from_notes(notes, Key(0))
    assert [(note.start_beats, note.length_beats) for note in theme.notes] == [(1, 1), (2, 2)]
    with pytest.raises(MusicError):
        theme_from_notes(notes[3:], Key(0))
