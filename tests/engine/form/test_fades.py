"""Fades to black: found by the light, and followed by what plays."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.arrange import arrange
from engine.form.fades import fades
from engine.music import Cut

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "arrange"))
from test_planned import planned


def found(light, black=0.03, cuts=()):
    values = np.array(light, float)
    return fades(values, values > black, cuts)


def test_a_fade_begins_where_the_light_falls_and_ends_where_a_picture_comes_again():
    assert found([0.4, 0.4, 0.3, 0.2, 0.1, 0.0, 0.0, 0.3, 0.3]) == ((1.0, 5.0, 7.0),)
    assert found([0.4, 0.4, 0.3, 0.2, 0.1]) == ((1.0, 5.0, 5.0),)  # the film's end


@pytest.mark.parametrize(
    "light", [[0.4, 0.4, 0.4, 0.0, 0.0], [0.4, 0.39, 0.385, 0.38, 0.375], [0.05, 0.04, 0.0], [0.0, 0.2, 0.4], []]
)
def test_what_is_none(light):
    assert found(light) == ()


def test_a_hard_cut_on_the_way_makes_none():
    light = [0.4, 0.4, 0.3, 0.2, 0.1, 0.0]
    assert found(light, cuts=(Cut(4.6, 0.8),)) == ()
    assert found(light, cuts=(Cut(4.6, 0.8, "fade"),)) != ()


def _faded(ensemble, ending="ring-off"):
    plain = planned(ensemble, ending=ending)
    end_s = plain.film.duration_s
    fade = (end_s - 7.0, end_s - 0.5, end_s)
    return plain, replace(plain, plans=(replace(plain.plans[0], fades=(fade,)),)), fade


@pytest.mark.parametrize("ensemble", ["piano", "strings", "orchestra", "pop", "chamber", "pulse"])
def test_what_plays_grows_softer_with_the_light_and_rings_into_the_dark(ensemble):
    plain, faded, fade = _faded(ensemble)
    begins = plain.beats_at_picture(fade[0])
    before, after = arrange(plain).notes, arrange(faded).notes
    assert [n for n in after if n.end_beats < begins - 8] == [n for n in before if n.end_beats < begins - 8]
    late = [note for note in after if note.start_beats > begins + 4.0 and note.part not in ("melody", "drums")]
    assert late == []  # the last chord is struck before, and rings
    assert max(note.end_beats for note in after) == max(note.end_beats for note in before)
    for part, number in {(each.part, each.number) for each in arrange(faded).controllers}:
        shaped, unshaped = (
            [(c.time_beats, c.value) for c in arrange(each).controllers if (c.part, c.number) == (part, number)]
            for each in (faded, plain)
        )
        assert shaped[-1][1] <= 70 if number == 11 else shaped[-1][1] <= 32, (part, number, shaped[-1])
        assert shaped[-1][1] < max(value for beats, value in unshaped if beats >= begins) or number == 11


def test_a_fade_inside_a_cue_is_soft_and_the_music_comes_back_with_the_picture():
    plain = planned("strings", ("R1", "R1"))
    fade = (12.0, 15.0, 16.0)
    faded = replace(plain, plans=(replace(plain.plans[0], fades=(fade,)),))
    first, last = (plain.beats_at_picture(second) for second in (13.0, 16.0))
    before, after = ({(n.part, n.start_beats, n.pitch): n for n in arrange(c).notes} for c in (plain, faded))
    inside = [key for key in before if first <= key[1] < last]
    outside = [key for key in before if key[1] < first - 8 or key[1] >= last + 4]
    assert inside and all(after[key].velocity <= before[key].velocity for key in inside)
    assert sum(after[key].velocity for key in inside) < sum(before[key].velocity for key in inside)
    assert outside and all(after[key] == before[key] for key in outside)
