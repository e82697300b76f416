"""A second line: under each tone of the tune, on the chord where it stays, from one end of the bar to the other."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest

from engine.arrange.second_line import CLEAR, LONG, LineBar, holds, second_line
from engine.music import Chord
from engine.music.tune import TuneNote

SCALE = frozenset({0, 2, 4, 5, 7, 9, 11})
RISING = (((0, 0), (2, 1), (3, 2)), ((0, 4), (2, 3)), ((0, 2), (1, 1), (2, 2)), ((0, 0),))


def bar_of(name: str, tune: tuple[TuneNote, ...], number: int = 0, held: tuple[int, ...] = ()) -> LineBar:
    chord, mean = Chord.parse(name), sum(note.pitch for note in tune) / len(tune)
    own = frozenset(chord.pitch_classes())
    return LineBar(0.0, 4.0, 0.0, chord, SCALE, own, (55, 79), held, tune, mean, number, RISING)


@pytest.mark.parametrize("seed", range(200))
def test_it_stays_under_the_tune_and_on_the_chord_where_it_lasts(seed):
    draw = random.Random(seed)
    starts = sorted(draw.sample([0.0, 0.5, 1.0, 1.5, 2.0, 3.0], draw.randint(1, 4)))
    tune = tuple(
        TuneNote(start, until - start, draw.choice((72, 74, 76, 77, 79, 81, 83, 84)), 0)
        for start, until in pairwise((*starts, 4.0))
    )
    bar = bar_of(draw.choice(("C", "Am7", "Fadd9", "G7", "Dm", "Bb")), tune, draw.randrange(4), (55, 60, 64))
    line = second_line(bar)
    own = bar.chord.pitch_classes()
    assert line[0][0] == 0.0 and line[-1][1] == 4.0 and line[0][2] % 12 in own
    assert all(a[1] == b[0] and a[2] != b[2] for a, b in pairwise(line))
    for start, end, pitch in line:
        assert 55 <= pitch <= min(note.pitch for note in tune) - CLEAR
        assert end - start < LONG or pitch % 12 in own
        assert start == 0.0 or holds(tune, start), "it moves while the tune does"
    for before, after in pairwise(line):
        assert abs(after[2] - before[2]) <= 2 or after[2] % 12 in own


def test_it_moves_where_the_tune_holds_and_goes_against_it():
    long, high = (TuneNote(0.0, 4.0, pitch, 0) for pitch in (79, 84))
    assert len(second_line(bar_of("C", (long,)))) >= 2
    low_bar = replace(bar_of("C", (long,)), mean=81.0)
    assert second_line(replace(low_bar, tune=(high,)))[0][2] <= second_line(low_bar)[0][2]


def test_without_room_it_is_silent():
    assert second_line(bar_of("C", (TuneNote(0.0, 4.0, 57, 0),))) == []
