"""Borders between the sections of a form, as the composer wants them: pure functions from a plan to a plan.

The form that a take draws is a proposal.  What the composer has decided of it (a section begins here; these two are
one) holds for every take that follows, whatever form that draws: the border nearest to such a place goes there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from engine.music.bar_lines import BarLines, first_whole_bar
from engine.music.cueplan import CuePlan, SectionPlan, Statement

REACH_S: Final = 8.0  # as far as a border of another take is moved to a place that was decided


def with_border(plan: CuePlan, from_s: float, to_s: float, lines: BarLines) -> CuePlan:
    """The section that begins at one bar line begins at another.

    Where no section begins at the first, the nearest border that may be moved is, else the section that plays at the
    second is divided.  A place outside the cue, or less than a bar from its edges, leaves the plan as it is.
    """
    bar, to_bar = lines.bar_at(from_s), lines.bar_at(to_s)
    starts = [lines.bar_at(each.start_s) for each in plan.sections]
    if to_bar in starts[1:] or (bar == starts[0] and to_bar == bar):
        return plan
    if bar in starts[1:]:
        index = starts.index(bar, 1)
        return _moved(plan, index, to_bar, lines) if may_move(plan, index, to_bar, lines) else plan
    near = [
        index
        for index in range(1, len(starts))
        if abs(plan.sections[index].start_s - to_s) <= REACH_S and may_move(plan, index, to_bar, lines)
    ]
    if near:
        return _moved(plan, min(near, key=lambda each: abs(starts[each] - to_bar)), to_bar, lines)
    return _divided(plan, to_bar, lines)


def without_border(plan: CuePlan, at_s: float, lines: BarLines) -> CuePlan:
    """The section that begins at a bar line goes up in the one before it, which plays on as it is."""
    bar = lines.bar_at(at_s)
    starts = [lines.bar_at(each.start_s) for each in plan.sections]
    if bar not in starts[1:]:
        return plan
    index = starts.index(bar, 1)
    first, second = plan.sections[index - 1], plan.sections[index]
    stated = _inside(plan, index, lines)
    layers = first.layers
    if stated and layers and "melody" not in layers:
        layers = (*layers, "melody")
    joined = replace(first, end_s=second.end_s, transition=second.transition, layers=layers)
    return replace(plan, sections=(*plan.sections[: index - 1], joined, *plan.sections[index + 1 :]))


def may_move(plan: CuePlan, index: int, to_bar: int, lines: BarLines) -> bool:
    """Whether a section may begin in a bar: it and the one before it keep one bar at least."""
    low, high = bounds(plan, index, lines)
    return low <= to_bar <= high


def bounds(plan: CuePlan, index: int, lines: BarLines) -> tuple[int, int]:
    """The first and last bar in which a section that is not the first may begin."""
    before, here = plan.sections[index - 1], plan.sections[index]
    return first_whole_bar(before.start_s, lines) + 1, lines.bar_at(here.end_s) - 1


def _moved(plan: CuePlan, index: int, to_bar: int, lines: BarLines) -> CuePlan:
    """The statement that opened the section opens it still; what no longer has room in a section is cut."""
    at_s = lines.second_of(to_bar)
    first, second = plan.sections[index - 1], plan.sections[index]
    bar = lines.bar_at(second.start_s)
    sections = list(plan.sections)
    sections[index - 1], sections[index] = replace(first, end_s=at_s), replace(second, start_s=at_s)
    statements = [replace(each, bar=to_bar) if each.bar == bar else each for each in plan.statements]
    changed = replace(plan, sections=tuple(sections), statements=tuple(statements))
    return _fitted(changed, first.start_s, second.end_s, lines)


def _divided(plan: CuePlan, bar: int, lines: BarLines) -> CuePlan:
    at_s = lines.second_of(bar)
    index = plan.index_at(at_s)
    here = plan.sections[index]
    if not first_whole_bar(here.start_s, lines) < bar < lines.bar_at(here.end_s):
        return plan
    parts = (replace(here, end_s=at_s, transition="common tone"), replace(here, start_s=at_s))
    changed = replace(plan, sections=(*plan.sections[:index], *parts, *plan.sections[index + 1 :]))
    return _fitted(changed, here.start_s, here.end_s, lines)


def _fitted(plan: CuePlan, low_s: float, high_s: float, lines: BarLines) -> CuePlan:
    """Statements that begin in a stretch end with their section and before the next statement; one that is left with
    less than a bar is none."""
    kept: list[Statement] = []
    ordered = sorted(plan.statements, key=lambda each: each.bar)
    for number, each in enumerate(ordered):
        at_s = lines.second_of(each.bar)
        if not low_s - 1e-3 <= at_s < high_s - 1e-3:
            kept.append(each)
            continue
        section = plan.section_at(at_s)
        end = lines.bar_at(section.end_s)
        if number + 1 < len(ordered):
            end = min(end, ordered[number + 1].bar)
        room = int((end - each.bar) / each.stretch)
        if room >= 1:
            kept.append(replace(each, bars=min(each.bars, room)))
    with_theme = {
        plan.index_at(at_s) for each in kept if low_s - 1e-3 <= (at_s := lines.second_of(each.bar)) < high_s - 1e-3
    }
    sections = tuple(
        _with_melody(section) if number in with_theme else section for number, section in enumerate(plan.sections)
    )
    return replace(plan, sections=sections, statements=tuple(kept))


def _with_melody(section: SectionPlan) -> SectionPlan:
    if not section.layers or "melody" in section.layers:
        return section
    return replace(section, layers=(*section.layers, "melody"))


def _inside(plan: CuePlan, index: int, lines: BarLines) -> list[Statement]:
    section = plan.sections[index]
    return [each for each in plan.statements if section.start_s - 1e-3 <= lines.second_of(each.bar) < section.end_s]
