"""What a composer does to a plan: pure functions from a plan to a plan.

Sections outside the range that is named stay as they are.  A range is in picture seconds and means every section that
begins in it; (0, inf) is the whole cue.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from engine.arrange.ensembles import ensembles
from engine.harmony.palettes import palettes
from engine.music import PARTS, MusicError
from engine.music.bar_lines import BarLines
from engine.music.cueplan import CuePlan, SectionPlan, Statement, Theme
from engine.music.form_borders import with_border, without_border
from engine.music.plan_edit import PlanEdit
from engine.music.statements import moved_statement, statement_at
from engine.theme import build_theme

Range = tuple[float, float]
WHOLE: Final[Range] = (0.0, math.inf)


def _edited(plan: CuePlan, span: Range, change: Callable[[SectionPlan], SectionPlan]) -> CuePlan:
    low, high = span
    sections = tuple(change(each) if low <= each.start_s < high else each for each in plan.sections)
    return replace(plan, sections=sections)


def _layers(plan: CuePlan, section: SectionPlan, intensity: int) -> tuple[str, ...]:
    """The parts of an intensity, by the plan's rules; a section with the theme keeps it, a silent one stays silent."""
    if not section.layers:
        return ()
    with_theme = "melody" in section.layers
    ensemble = ensembles(plan.rules)[plan.ensemble]
    layers = (ensemble.theme if with_theme else ensemble.layers)[intensity]
    return (*layers, "melody") if with_theme and "melody" not in layers else layers


def busier(plan: CuePlan, span: Range = WHOLE, by: int = 1) -> CuePlan:
    """One layer of intensity more (`by` less than 0: fewer)."""

    def change(section: SectionPlan) -> SectionPlan:
        intensity = min(max(section.intensity + by, 0), 4)
        # An intensity itself moves little where the picture says otherwise; who asks for more wants to hear it.
        asked = min(max(section.asked + by, -4), 4) if plan.rules > 2 else 0
        return replace(section, intensity=intensity, layers=_layers(plan, section, intensity), asked=asked)

    return _edited(plan, span, change)


def simpler(plan: CuePlan, span: Range = WHOLE) -> CuePlan:
    """One layer of intensity less, and chords that last twice as long, eight bars at most."""
    fewer = busier(plan, span, -1)
    return _edited(fewer, span, lambda section: replace(section, unit_bars=min(2 * section.unit_bars, 8.0)))


def only(plan: CuePlan, parts: tuple[str, ...], span: Range = WHOLE) -> CuePlan:
    """These parts and no others: `("bass",)` is the bass alone.  Raises MusicError."""
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise MusicError(f"'{unknown[0]}' is not a part; parts are {', '.join(PARTS)}.")
    return _edited(plan, span, lambda section: replace(section, layers=parts))


def with_theme(plan: CuePlan, theme: Theme) -> CuePlan:
    """The composer's tune in the place of the one that was built; statements longer than it are cut to it."""
    statements = tuple(replace(each, bars=min(each.bars, theme.bars)) for each in plan.statements)
    return replace(plan, theme=theme, statements=statements)


def another_melody(plan: CuePlan, draw: Callable[..., float]) -> CuePlan:
    """Another theme where this one stood; chords, players and form stay.  draw: new draws."""
    if plan.theme is None:
        return plan
    first = next((each for each in plan.sections if "melody" in each.layers), plan.sections[0])
    palette = palettes()[first.variant]
    theme = build_theme(
        palette.mood, palette.mode, palette.shapes, palette.rhythms, plan.theme.bar_beats, draw, plan.rules
    )
    return with_theme(plan, theme)


def with_statement(plan: CuePlan, bar: int, kind: str) -> CuePlan:
    """A statement of the theme from a bar on, in the place of those that it would overlap; the melody plays there.

    A hint has the theme's head, any other all of it.  Raises MusicError for a plan without a theme.
    """
    if plan.theme is None:
        raise MusicError("this cue has no theme to state.")
    length = min(2, plan.theme.bars) if kind == "hint" else plan.theme.bars
    new = Statement(bar, kind, length)
    others = [
        each for each in plan.statements
        if each.bar + each.length_bars <= bar or each.bar >= bar + new.length_bars
    ]  # fmt: skip
    return replace(plan, statements=tuple(sorted((*others, new), key=lambda each: each.bar)))


def without_statement(plan: CuePlan, bar: int) -> CuePlan:
    """Without the statement that sounds in a bar."""
    left = tuple(each for each in plan.statements if not each.bar <= bar < each.bar + each.length_bars)
    return replace(plan, statements=left)


def with_melody(plan: CuePlan, from_s: float, to_s: float) -> CuePlan:
    """The sections that lie in a stretch have the melody among their parts."""

    def change(section: SectionPlan) -> SectionPlan:
        inside = section.start_s < to_s and section.end_s > from_s
        if not inside or "melody" in section.layers:
            return section
        return replace(section, layers=(*section.layers, "melody"))

    return replace(plan, sections=tuple(map(change, plan.sections)))


def edited(plan: CuePlan, edit: PlanEdit, draw: Callable[..., float], lines: BarLines) -> CuePlan:
    """The plan after a composer's change.  draw: the take's draws.

    A change that finds nothing to change, since another tempo or take has other bars, leaves the plan as it is.
    """
    span, bar_at = (edit.from_s, edit.to_s), lines.bar_at
    match edit.kind:
        case "busier":
            return busier(plan, span)
        case "simpler":
            return simpler(plan, span)
        case "only":
            return only(plan, tuple(edit.value.split(",")), span)
        case "melody":
            return another_melody(plan, lambda *words: draw("melody", edit.number, *words))
        case "silent":
            return without_statement(plan, bar_at(edit.from_s))
        case "move":
            return _with_moved(plan, edit, lines)
        case "border":
            return with_border(plan, edit.from_s, edit.to_s, lines)
        case "join":
            return without_border(plan, edit.from_s, lines)
        case _:
            stated = with_statement(plan, bar_at(edit.from_s), edit.value or "statement")
            return with_melody(stated, edit.from_s, max(edit.to_s, edit.from_s + 0.1))


def _with_moved(plan: CuePlan, edit: PlanEdit, lines: BarLines) -> CuePlan:
    bar, to_bar = lines.bar_at(edit.from_s), lines.bar_at(edit.to_s)
    moved = statement_at(plan, bar)
    if moved is None:
        return plan
    try:
        made = moved_statement(plan, bar, to_bar)
    except MusicError:
        return plan
    return with_melody(made, lines.second_of(to_bar) + 1e-6, lines.second_of(to_bar + moved.length_bars) - 1e-6)


__all__ = [
    "WHOLE",
    "another_melody",
    "busier",
    "edited",
    "only",
    "simpler",
    "with_melody",
    "with_statement",
    "with_theme",
    "without_statement",
]
