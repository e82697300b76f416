"""Statements: a first one asks, what comes back answers and closes; a theme that was given sounds as given."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from profiles import examples

from engine.arrange.chance import noise
from engine.harmony.palettes import palettes
from engine.music.cueplan import Statement
from engine.music.tune import answers, sounding_notes, turned
from engine.theme.build import build_theme


def theme_of(variant: str, seed: object):
    palette = palettes()[variant]
    return build_theme(
        palette.mood, palette.mode, palette.shapes, palette.rhythms, 4.0, lambda *words: noise(seed, *words)
    )


@pytest.mark.parametrize("variant", list(palettes()))
def test_what_comes_back_begins_alike_and_ends_as_the_whole_theme_ends(variant):
    found = 0
    for seed in range(6):
        theme = theme_of(variant, seed)
        asked, answered = (sounding_notes(theme, Statement(1, kind, 4)) for kind in ("statement", "variant"))
        assert [n for n in asked if n.start_beats < 8] == [n for n in answered if n.start_beats < 8]
        if answers(theme, Statement(1, "variant", 4)):
            found += 1
            last, end = theme.notes[-1], answered[-1]
            assert (end.step, end.length_beats, end.start_beats) == (last.step, last.length_beats, 12.0)
            assert asked != answered
    assert found >= 5  # but for those whose halves lie too far apart


def test_nearly_every_theme_has_an_answer():
    have = [answers(theme_of(variant, seed), Statement(1, "variant", 4)) for variant in palettes() for seed in range(6)]
    assert sum(have) / len(have) > 0.95


@examples(40)  # to build a theme takes a tenth of a second
@given(
    st.sampled_from(list(palettes())), st.integers(0, 50), st.sampled_from((2, 4, 6, 8)), st.sampled_from((1.0, 2.0))
)
def test_notes_of_a_statement_follow_one_another_inside_it(variant, seed, bars, stretch):
    theme = theme_of(variant, seed)
    for kind in ("hint", "statement", "variant", "full", "memory"):
        notes = sounding_notes(theme, Statement(1, kind, bars, stretch))
        ends = [note.start_beats + note.length_beats for note in notes]
        assert all(end <= after.start_beats + 1e-6 for end, after in zip(ends, notes[1:], strict=False))
        assert notes and ends[-1] <= bars * 4.0 + 1e-6


def test_a_theme_that_was_given_is_never_cut_together():
    theme = replace(theme_of("R1", 1), shape="", rhythm="", form="")
    notes = sounding_notes(theme, Statement(1, "full", 4))
    assert notes == [note for note in theme.notes if note.start_beats < 16][: len(notes)]


@pytest.mark.parametrize("variant", list(palettes()))
@pytest.mark.parametrize("turn", ["ornamented", "delayed", "plain"])
def test_what_returns_varied_is_known_by_its_first_bars_and_ends_as_it_did(variant, turn):
    changed = 0
    for seed in range(4):
        notes = sounding_notes(theme_of(variant, seed), Statement(1, "full", 8))
        varied = turned(notes, turn, 4.0)
        assert [note.start_beats for note in varied if note.start_beats < 8] == [
            note.start_beats for note in notes if note.start_beats < 8
        ]
        assert [(note.step, note.alter) for note in varied[: len([n for n in notes if n.start_beats < 8])]] == [
            (note.step, note.alter) for note in notes if note.start_beats < 8
        ]
        assert (varied[-1].step, varied[-1].start_beats) == (notes[-1].step, notes[-1].start_beats)
        assert all(note.length_beats > 0 for note in varied)
        ends = [note.start_beats + note.length_beats for note in varied]
        assert all(end <= after.start_beats + 1e-9 for end, after in zip(ends, varied[1:], strict=False))
        changed += varied != notes
    assert changed >= (3 if turn == "ornamented" else 0)
    assert turned(notes, "", 4.0) == notes
