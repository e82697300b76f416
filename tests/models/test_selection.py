"""The judge of candidates: each term by hand on songs small enough to count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.music import Chord
from models.selection import Criteria, judge
from models.vocabulary import AFFECT_SETS, NEUTRAL

NOTHING = Criteria(0.0, 0.0, 0.0, 0.0, 0.0)
SADNESS = np.eye(6)[[3, 3, NEUTRAL, 3]]  # the mood of four slots; a neutral picture asks for nothing


def ids(*names: str) -> list[int]:
    return [Chord.parse(name).id for name in names]


def test_agreement_is_the_share_of_chords_that_have_the_pictures_mood() -> None:
    song = ids("Am", "C", "F#dim7", "Dm7")
    rated = [AFFECT_SETS[3, song[at]] for at in (0, 1, 3)]
    assert 0 < sum(rated) < 3  # else the test would say nothing
    assert judge(song, 1, 0.0, SADNESS, Criteria()).agreement == pytest.approx(np.mean(rated))
    assert np.isnan(judge(song, 1, 0.0, None, Criteria()).agreement)
    assert np.isnan(judge(song, 1, 0.0, np.eye(6)[[NEUTRAL] * 4], Criteria()).agreement)


def test_roots_of_the_scale_are_counted_without_silence() -> None:
    assert judge([0, *ids("C", "F#", "G7", "Eb")], 1, 0.0, None, Criteria()).diatonic == 0.5


def test_entropy_is_in_nats() -> None:
    assert judge(ids("C", "C", "C", "C"), 1, 0.0, None, Criteria()).entropy == pytest.approx(0.0)
    assert judge(ids("C", "F", "G", "Am"), 1, 0.0, None, Criteria()).entropy == pytest.approx(np.log(4))


def test_likeness_is_to_the_most_alike_of_the_others_slot_by_slot() -> None:
    others = [ids("C", "F", "G", "Am"), ids("F", "C", "G", "Em")]
    assert judge(ids("C", "F", "G", "Em"), 1, 0.0, None, Criteria(), others).likeness == 0.75
    assert judge(ids("C", "F", "G", "Em"), 1, 0.0, None, Criteria()).likeness == 0.0


@pytest.mark.parametrize(
    ("weight", "wanted"),
    [
        ({"agreement_weight": 2.0}, lambda found: 2 * found.agreement),
        ({"nll_weight": 2.0}, lambda found: -2 * 1.25),
        ({"diatonic_weight": 2.0}, lambda found: 2 * 0.75),
        ({"entropy_weight": 2.0}, lambda found: -2 * abs(np.log(4) - 1.82)),
        ({"likeness_weight": 2.0}, lambda found: -2 * 0.25),
    ],
)
def test_each_term_counts_by_its_weight_alone(weight, wanted) -> None:
    song, other = ids("Am", "C", "F#dim7", "Dm7"), ids("Am", "F", "G", "Em")
    found = judge(song, 7, 1.25, SADNESS, replace(NOTHING, **weight), [other])
    assert found.score == pytest.approx(wanted(found)) and found.score != 0.0
    assert (found.seed, found.chords, found.nll) == (7, tuple(song), 1.25)
