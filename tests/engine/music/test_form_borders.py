"""Borders of a form: whatever is asked, the sections stay one after the other and each keeps a bar."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from engine.music import Key, TempoMap
from engine.music.bar_lines import bar_lines, end_bar, first_whole_bar
from engine.music.cueplan import CuePlan, SectionPlan, Statement, Theme, ThemeNote
from engine.music.form_borders import bounds, with_border, without_border

LINES = bar_lines(TempoMap.constant(120.0), 0.0)  # bars of two seconds
THEME = Theme((ThemeNote(0, 16, 0),), 4)


def section(start_bar: int, end_bar_: int, layers: tuple[str, ...] = ("pad",)) -> SectionPlan:
    start_s, end_s = LINES.second_of(start_bar), LINES.second_of(end_bar_)
    return SectionPlan(start_s, end_s, "A", "role", "sad", 2, "S1", Key(0, "minor"), 1.0, layers)


@st.composite
def plans(draw: st.DrawFn) -> CuePlan:
    edges = sorted(draw(st.sets(st.integers(1, 30), min_size=2, max_size=6)))
    bars = draw(st.sets(st.integers(edges[0], edges[-1] - 1), max_size=3))
    statements = tuple(Statement(bar, "statement", 2) for bar in sorted(bars))
    return CuePlan(0, "montage", "strings", tuple(section(a, b) for a, b in pairwise(edges)), THEME, statements)


def check(plan: CuePlan, before: CuePlan) -> None:
    assert all(a.end_s == b.start_s for a, b in pairwise(plan.sections))
    assert (plan.sections[0].start_s, plan.sections[-1].end_s) == (
        before.sections[0].start_s,
        before.sections[-1].end_s,
    )
    assert all(each.end_s - each.start_s > 1.9 for each in plan.sections)


@given(plans(), st.floats(0, 62), st.floats(0, 62))
def test_a_border_goes_where_it_may_and_nowhere_else(plan: CuePlan, from_s: float, to_s: float) -> None:
    made = with_border(plan, from_s, to_s, LINES)
    check(made, plan)
    assert with_border(made, from_s, to_s, LINES) == made or len(made.sections) > len(plan.sections)
    if made.sections != plan.sections:
        assert LINES.bar_at(to_s) in [LINES.bar_at(each.start_s) for each in made.sections]


@given(plans(), st.floats(0, 62))
def test_a_border_that_is_taken_away_leaves_its_neighbours(plan: CuePlan, at_s: float) -> None:
    made = without_border(plan, at_s, LINES)
    check(made, plan)
    assert len(plan.sections) - len(made.sections) in (0, 1) and made.statements == plan.statements


@given(plans(), st.data())
def test_what_a_moved_section_states_stays_in_it(plan: CuePlan, data: st.DataObject) -> None:
    if len(plan.sections) < 2:
        return
    index = data.draw(st.integers(1, len(plan.sections) - 1))
    low, high = bounds(plan, index, LINES)
    if low > high:
        return
    to_bar = data.draw(st.integers(low, high))
    bar = LINES.bar_at(plan.sections[index].start_s)
    made = with_border(plan, plan.sections[index].start_s, LINES.second_of(to_bar), LINES)
    assert LINES.bar_at(made.sections[index].start_s) == to_bar
    opened = any(each.bar == bar for each in plan.statements)
    if opened and to_bar != bar:
        assert any(each.bar == to_bar for each in made.statements)
        assert "melody" in made.sections[index].layers
    others = [n for n in range(len(plan.sections)) if n not in (index - 1, index)]
    assert [made.sections[n] for n in others] == [plan.sections[n] for n in others]


def test_edges_of_a_cue_that_are_no_bar_lines() -> None:
    assert first_whole_bar(2.0, LINES) == 2 and first_whole_bar(2.3, LINES) == 3
    assert end_bar(6.0, LINES) == 4 and end_bar(6.05, LINES) == 4 and end_bar(7.0, LINES) == 5
