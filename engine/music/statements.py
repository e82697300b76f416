"""Where the theme of a plan is stated."""

from __future__ import annotations

from dataclasses import replace

from engine.music.cueplan import CuePlan, Statement
from engine.music.errors import MusicError


def statement_at(plan: CuePlan, bar: int) -> Statement | None:
    """The statement that sounds in a bar; None where there is none."""
    return next((each for each in plan.statements if each.bar <= bar < each.bar + each.length_bars), None)


def moved_statement(plan: CuePlan, bar: int, to_bar: int) -> CuePlan:
    """The statement that sounds in a bar begins in another one; none other gives way.

    Raises MusicError where no statement sounds there or another one sounds in the bars that it would take.
    """
    moved = statement_at(plan, bar)
    if moved is None:
        raise MusicError(f"no statement of the theme sounds in bar {bar}.")
    others = [each for each in plan.statements if each is not moved]
    taken = next(
        (each for each in others if each.bar < to_bar + moved.length_bars and to_bar < each.bar + each.length_bars),
        None,
    )
    if taken is not None:
        last = taken.bar + taken.length_bars - 1
        raise MusicError(f"the theme is stated from bar {taken.bar} to {last} already; move that {taken.kind} first.")
    statements = sorted((*others, replace(moved, bar=to_bar)), key=lambda each: each.bar)
    return replace(plan, statements=tuple(statements))
