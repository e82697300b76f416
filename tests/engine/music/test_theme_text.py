"""Themes that are typed or taken from notes."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.music import Key, MusicError, Note
from engine.music.cueplan import Theme, ThemeNote
from engine.music.theme_operations import operated
from engine.music.theme_text import parse_theme, theme_from_notes, theme_text
from engine.music.tune import semitones


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


@given(
    st.lists(
        st.tuples(st.integers(1, 16), st.integers(0, 4), st.integers(-14, 21), st.sampled_from([-1, 0, 1])),
        min_size=1, max_size=20,
    )
)  # fmt: skip
def test_a_theme_is_typed_as_it_is_written(rows) -> None:
    """Lengths and rests in sixteenths, any step within three octaves."""
    place, notes = 0.0, []
    for length, rest, step, alter in rows:
        notes.append(ThemeNote(place, length / 4, step, alter))
        place += (length + rest) / 4
    theme = Theme(tuple(notes), max(math.ceil(place / 4), 1))
    again = parse_theme(theme_text(theme))
    assert (again.notes, again.bars) == (theme.notes, theme.bars)


@pytest.mark.parametrize("name", ["up", "augment", "invert", "retrograde", "head", "down", "diminish"])
def test_operations_keep_a_theme_whole(name: str) -> None:
    theme = parse_theme("1:1.5 5:.5 #4:2 | 3':3 R:1 | b7,:2 1:2 | 1:4")
    made = operated(theme, name)
    assert all(note.length_beats > 0 and note.start_beats >= 0 for note in made.notes)
    assert max(note.start_beats + note.length_beats for note in made.notes) <= made.bars * made.bar_beats
    assert parse_theme(theme_text(made)).notes == made.notes
    back = {"up": "down", "down": "up", "augment": "diminish", "diminish": "augment", "invert": "invert",
            "retrograde": "retrograde"}.get(name)  # fmt: skip
    if back is not None:
        assert operated(made, back).notes == theme.notes
