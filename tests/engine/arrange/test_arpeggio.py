from __future__ import annotations

import pytest

from engine.arrange.arpeggio import TABLE_3, check_pattern, onsets, parse_pattern, pattern_for, tone_pitch
from engine.music import MusicError

# Copied from the paper's Table 3 a second time, by hand.
PAPER = {
    1: "1 * * * 2 * * * 3 * * * 4 * * *",
    2: "1 * 2 * 3 * * * 4 * 2 * 3 * * *",
    3: "1 * 2 * 3 * 4 * 3 * 2 * 3 * 4 *",
    4: "1 2 3 2 4 * 3 * 2 1 2 3 4 * 3 *",
    5: "1 2 3 2 4 3 2 3 2 1 2 3 4 3 2 3",
}


@pytest.mark.parametrize("level", PAPER)
def test_table_3(level):
    assert TABLE_3[level - 1] == parse_pattern(PAPER[level]) == pattern_for("auto", level) == pattern_for(str(level), 1)
    assert len(TABLE_3[level - 1]) == 16


def test_higher_levels_never_play_less():
    counts = [sum(step is not None for step in row) for row in TABLE_3]
    assert counts == sorted(counts) == [4, 6, 8, 12, 16]


def test_named_orders_keep_the_rhythm_of_the_level():
    assert pattern_for("up", 3) == parse_pattern("1 * 2 * 3 * 4 * 1 * 2 * 3 * 4 *")
    assert pattern_for("down", 1) == parse_pattern("4 * * * 3 * * * 2 * * * 1 * * *")
    assert pattern_for("alberti", 5)[:8] == parse_pattern("1 3 2 3 1 3 2 3")
    assert pattern_for("octaves", 3) == parse_pattern("1 * 5 * 2 * 6 * 3 * 7 * 2 * 6 *")


def test_a_pattern_of_ones_own():
    assert pattern_for("1 * 2 * 3 2 4 *", 5) == (1, None, 2, None, 3, 2, 4, None)


@pytest.mark.parametrize(
    ("text", "token"),
    [("1 * x", "'x'"), ("1 9", "'9'"), ("12 3", "'12'"), ("", "step"), ("* *", "no note"), ("0", "'0'")],
)
def test_faults_in_patterns_are_named(text, token):
    with pytest.raises(MusicError, match=token):
        check_pattern(text)


def test_onsets_last_to_the_next_one_and_the_phase_goes_round():
    pattern = parse_pattern("1 * 2 *")
    assert onsets(pattern, 0, 8) == [(0, 2, 1), (2, 2, 2), (4, 2, 1), (6, 2, 2)]
    assert onsets(pattern, 3, 6) == [(1, 2, 1), (3, 2, 2), (5, 1, 1)]
    assert onsets(parse_pattern("1 * * *"), 1, 3) == []


def test_tones_beyond_the_fourth_are_an_octave_higher_unless_out_of_range():
    assert tone_pitch((60, 64, 67, 72), 6, 84) == 76
    assert tone_pitch((60, 64, 67, 72), 8, 80) == 72
