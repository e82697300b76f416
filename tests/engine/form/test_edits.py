"""Edits of a plan: what they change in the notes, and that nothing else moves."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from engine.arrange import arrange
from engine.arrange.chance import noise
from engine.arrange.ensembles import ensembles
from engine.form import edits
from engine.music import MusicError
from engine.music.cueplan import ENSEMBLES, Theme, ThemeNote
from engine.music.draws import RULES

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "arrange"))
from test_planned import planned


def notes_of(composition, plan):
    return arrange(replace(composition, plans=(plan,))).notes


@pytest.mark.parametrize("ensemble", ENSEMBLES)
def test_simpler_has_fewer_notes_and_busier_more_in_the_range_alone(ensemble):
    """Over a picture that stands still, where an intensity itself moves little."""
    composition = planned(ensemble)
    plan = composition.plans[0]
    half_s, half = plan.sections[1].start_s, composition.beats_at_picture(plan.sections[1].start_s)
    before = notes_of(composition, plan)
    less = notes_of(composition, edits.simpler(plan, (half_s, 1e9)))
    more = notes_of(composition, edits.busier(plan, (0.0, half_s)))
    assert [n for n in less if n.start_beats < half] == [n for n in before if n.start_beats < half]
    assert sum(n.start_beats >= half for n in less) < sum(n.start_beats >= half for n in before)
    assert sum(n.start_beats < half for n in more) > sum(n.start_beats < half for n in before)


@pytest.mark.parametrize("rules", range(1, RULES + 1))
@pytest.mark.parametrize("ensemble", ENSEMBLES)
def test_who_plays_after_an_edit_hangs_on_the_rules_of_the_plan(ensemble, rules):
    """Else the sections of a session by earlier rules would be taken for layers of the composer's own."""
    plan = replace(planned(ensemble).plans[0], rules=rules)
    for edited in (edits.busier(plan), edits.busier(plan, by=-1)):
        for section in edited.sections:
            assert set(section.layers) == {*ensembles(rules)[ensemble].theme[section.intensity], "melody"}


def test_the_bass_alone():
    composition = planned("strings")
    assert {note.part for note in notes_of(composition, edits.only(composition.plans[0], ("bass",)))} == {"bass"}
    with pytest.raises(MusicError):
        edits.only(composition.plans[0], ("kazoo",))


def test_another_melody_leaves_every_other_note_in_its_place():
    composition = planned("strings", ("R1", "R1"))
    plan = composition.plans[0]
    other = edits.another_melody(plan, lambda *words: noise("another", *words))
    before, after = notes_of(composition, plan), notes_of(composition, other)
    rest = [[n for n in notes if n.part != "melody"] for notes in (before, after)]
    assert rest[0] == rest[1]
    assert [n for n in before if n.part == "melody"] != [n for n in after if n.part == "melody"]


def test_a_theme_of_ones_own_sounds_as_it_was_written():
    composition = planned("piano", ("R1", "R1"))
    own = Theme((ThemeNote(0, 2, 0), ThemeNote(2, 1, 4), ThemeNote(3, 1, 2), ThemeNote(4, 3, 1)), 2, 4.0)
    after = notes_of(composition, edits.with_theme(composition.plans[0], own))
    melody = [note for note in after if note.part == "melody" and note.start_beats < 8]
    assert [(n.start_beats, n.pitch % 12) for n in melody] == [(0, 7), (2, 2), (3, 11), (4, 9)]
