"""Cues of a document: where each begins and ends, which may not stand side by side, and where its bar 1 lies."""

from __future__ import annotations

import pytest

from engine.document import CueState, Document
from engine.document.cues import ends, overlapping


def cue(number: int, in_s: float, out_s: float | str = "end", **more: float | str) -> CueState:
    others = {f"/cue/{name}": value for name, value in more.items()}
    return CueState(number, {"/cue/name": f"1m{number}", "/cue/in": in_s, "/cue/out": out_s, **others})


@pytest.mark.parametrize(
    ("cues", "found"),
    [
        ([cue(1, 2.0, 9.0), cue(2, 9.0, 12.0)], None),
        ([cue(1, 2.0, 9.5), cue(2, 9.0, 12.0)], ("1m1", "1m2")),
        ([cue(1, 2.0), cue(2, 9.0)], None),  # without an Out it lasts until the next In
        ([cue(1, 2.0), cue(2, 2.0)], ("1m1", "1m2")),  # one In, no Out: neither has anywhere to be
        ([cue(1, 0.0, 1.0), cue(2, 5.0), cue(3, 5.0, 8.0)], ("1m2", "1m3")),
    ],
)
def test_cues_that_begin_together_or_inside_each_other_are_found(cues, found) -> None:
    pair = overlapping(cues)
    assert (None if pair is None else tuple(each.name for each in pair)) == found


def test_a_cue_ends_at_its_out_or_the_next_in_or_with_the_film() -> None:
    assert ends([cue(1, 0.0), cue(2, 4.0, 6.0), cue(3, 9.0)]) == [4.0, 6.0, None]


@pytest.mark.parametrize(
    ("bar_1", "lies_at_s", "marked"),
    [("timeline", 10.0, []), ("in", 10.0, [(10.0, True)]), (12.5, 12.5, [(12.5, True)]), (8.0, 10.0, [(8.0, True)])],
)
def test_bar_1_is_never_before_the_cue_and_moves_the_bars_only_where_it_was_set(bar_1, lies_at_s, marked) -> None:
    """A bar line that was set before the In still moves the bars; what counts from bar 1 begins at the In."""
    document = Document().with_cues([cue(1, 10.0, 20.0, bar_1=bar_1)], 1)
    assert [each.bar_1_s for each in document.cues] == [lies_at_s]
    assert [(mark.time_s, mark.bar_line) for mark in document.tempo_marks()] == marked


def test_a_later_cues_tempo_begins_at_its_in_and_a_bar_only_where_bar_1_was_set() -> None:
    first, bars_of_its_own = cue(1, 0.0, 8.0), cue(3, 20.0, 30.0, tempo=110.0, bar_1=21.0)
    document = Document().with_cues([first, cue(2, 10.0, 18.0, tempo=90.0), bars_of_its_own], 1)
    marks = [(mark.time_s, mark.bpm, mark.bar_line) for mark in document.tempo_marks()]
    assert marks == [(10.0, 90.0, False), (21.0, 110.0, True)]
