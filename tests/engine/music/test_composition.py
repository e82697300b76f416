"""Film, cue, slots, takes, moods."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.music import (
    EMOTION_QUALITIES,
    EMOTIONS,
    FRAME_RATES,
    Composition,
    Cue,
    Cut,
    Film,
    Hit,
    MusicError,
    Note,
    Slot,
    Take,
    TempoMap,
    Timecode,
)
from engine.music.mood import strongest, valence_arousal

FILM = Film("film.mp4", 10.0, FRAME_RATES["24"], 640, 360)


def _composition(**changes):
    slots = tuple(Slot(i, float(i), i + 1.0, 2.0 * i, 2.0 * i + 2) for i in range(10))
    return Composition(1, FILM, TempoMap.constant(120), slots, **changes)


def test_slot_at_a_picture_second():
    composition = _composition()
    assert composition.slot_at(0.0).index == 0
    assert composition.slot_at(3.999).index == 3
    assert composition.slot_at(10.0) is None
    assert composition.slot_at(-0.1) is None


def test_picture_and_beats_know_where_the_picture_starts():
    composition = _composition(picture_starts_at_s=4.0)
    assert composition.beats_at_picture(0.0) == 8.0
    assert composition.picture_at_beats(8.0) == 0.0


def test_film_timecode_counts_from_the_files_own_start():
    film = Film("x", 1.0, FRAME_RATES["24"], start_timecode=Timecode.parse("01:00:00:00", FRAME_RATES["24"]))
    assert str(film.timecode_at(0.5)) == "01:00:00:12"


@given(st.integers(1, 999_999))
def test_take_names_are_the_letters_of_a_spreadsheet(number):
    value = 0
    for letter in Take(number).name:
        value = value * 26 + ord(letter) - ord("A") + 1
    assert value == number


def test_values_out_of_range_are_refused():
    for build in (
        lambda: Cut(1.0, kind="wipe"),
        lambda: Hit(1.0, "maybe"),
        lambda: Cue(in_s=5, out_s=4),
        lambda: Cue(ending="fade"),
        lambda: Take(0),
        lambda: Note(128, 64, 0, 1, 1, "pad"),
        lambda: Note(60, 0, 0, 1, 1, "pad"),
        lambda: Note(60, 64, 0, 0, 1, "pad"),
        lambda: _composition(grid="bars"),
    ):
        with pytest.raises(MusicError):
            build()


def test_mood_words_follow_table_1():
    assert strongest((0.1, 0.1, 0.5, 0.1, 0.1, 0.1)) == "tense"
    assert EMOTION_QUALITIES["sad"] == {"min7", "min", "sus2"}
    covered = frozenset().union(*EMOTION_QUALITIES.values())
    assert {"maj", "dim", "sus4", "min7", "min", "sus2", "dim7", "maj6", "hdim7", "7", "maj7"} == covered
    assert valence_arousal((0,) * 6) == (0.0, 0.0)
    valence, arousal = valence_arousal(tuple(float(name == "relaxing") for name in EMOTIONS))
    assert valence > 0 > arousal
