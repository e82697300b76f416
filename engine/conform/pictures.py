"""The change list of two films by what is seen in them, and the change list as text and as a picture."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from typing import Final

from engine.conform.align import align
from engine.conform.changes import Change, ChangeList, Span, from_path
from engine.conform.prints import FilmPrints, Part, read_prints
from engine.conform.refine import refine
from engine.conform.speed import at_speed, better, pieces, speeds, words
from engine.music import Film, Timecode, UserError, shown

_LOST: Final = 0.02  # of the new cut, that a speed throughout may leave unexplained
_MOST_SPEEDS: Final = 5
_ENOUGH: Final = 0.9  # of the new cut found in the old one: there is nothing more to look for
Report = Callable[[float, str], None]


def compare_films(
    old: str | os.PathLike[str], new: str | os.PathLike[str], progress: Report = lambda share, what: None
) -> tuple[ChangeList, FilmPrints, FilmPrints]:
    """Frames of the old film's rate.  Raises VideoError.

    Where the films have another matte and little of the one is found in the other, the part that both show is compared
    as well: a matte may be drawn over the picture instead of the picture made smaller.
    """
    before = read_prints(old, None, lambda share: progress(0.4 * share, "looking at the old cut"))
    after = read_prints(new, before.rate, lambda share: progress(0.4 + 0.4 * share, "looking at the new cut"))
    progress(0.8, "comparing")
    found = compare_prints(before, after), before, after
    if _alike(before.picture, after.picture) or _found(found[0]) > _ENOUGH:
        return _at_its_speed(*found)
    common = _common(before.picture, after.picture)
    if common is None:
        return _at_its_speed(*found)
    before = read_prints(old, None, lambda share: progress(0.8 + 0.1 * share, "looking at the old cut"), common)
    after = read_prints(new, before.rate, lambda share: progress(0.9 + 0.1 * share, "looking at the new cut"), common)
    other = compare_prints(before, after), before, after
    return _at_its_speed(*(other if _found(other[0]) > _found(found[0]) else found))


def _at_its_speed(
    changes: ChangeList, before: FilmPrints, after: FilmPrints
) -> tuple[ChangeList, FilmPrints, FilmPrints]:
    """The same, or, where the new cut runs at another speed throughout, what was changed besides that."""
    best, plain = (pieces(changes), Fraction(1)), changes
    tried = [*speeds(changes, after.film.rate.fps / before.film.rate.fps)]
    for speed in tried:
        there = compare_prints(before, after.at(before.rate * speed))
        count = pieces(there) + 1  # the speed is one too
        if count < best[0] and _found(there) > _found(changes) - _LOST:
            best, plain = (count, speed), there
            finer = better(speed, there) if len(tried) < _MOST_SPEEDS else None
            if finer is not None and finer not in tried:
                tried.append(finer)
    speed = best[1]
    return (changes if speed == 1 else at_speed(plain, speed, len(after))), before, after


def _found(changes: ChangeList) -> float:
    """Share of the new cut that shows frames of the old one."""
    return sum(span.length for span in changes.spans if span.old_start is not None) / max(changes.new_frames, 1)


def _alike(one: Part, other: Part) -> bool:
    return all(abs(a - b) < 0.02 for a, b in zip(one, other, strict=True))


def _common(one: Part, other: Part) -> Part | None:
    """The part of the frame that both look at."""
    left, top, right, bottom = (
        max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3]),
    )  # fmt: skip
    return (left, top, right, bottom) if right - left > 0.1 and bottom - top > 0.1 else None


def compare_prints(before: FilmPrints, after: FilmPrints) -> ChangeList:
    """The same of prints of one rate."""
    path = refine(align(before.prints, after.prints), before.prints, after.prints)
    return from_path(path, len(before), before.rate)


def table(changes: ChangeList, old: Film, new: Film) -> list[str]:
    """The list as people read it, in the timecodes of both films."""
    lines = []
    for change in changes.changes:
        before = labels(change.old_start, change.old_end, changes.rate, old)
        after = labels(change.new_start, change.new_end, changes.rate, new)
        lines.append(f"{change.kind:7} {before:26} {after:26} {change.frames:+6d} frames{_more(change)}")
    if changes.speed != 1:
        lines.insert(0, words(changes.speed))
    if not lines:
        return ["The cuts are the same."]
    total = changes.new_frames - changes.old_frames
    heading = f"{'':7} {'old cut':26} {'new cut':26}"
    return [heading.rstrip(), *lines, f"The new cut is {abs(total)} frames {'longer' if total >= 0 else 'shorter'}."]


def _more(change: Change) -> str:
    return f", at {100 * float(change.speed):.1f} % speed" if change.kind == "retime" else ""


def labels(start: int | None, end: int | None, rate: Fraction, film: Film) -> str:
    """From and to in the film's timecode; "-" where it is not in that film."""
    if start is None or end is None:
        return "-"
    return f"{_label(start, rate, film)} - {_label(end, rate, film)}"


def _label(frame: int, rate: Fraction, film: Film) -> Timecode:
    return film.timecode_at(float(frame / rate) + 1e-6)


_LEGEND: Final = "blue stays · orange moved · red at another speed · green new · black lifted · violet again"


def _colour(span: Span) -> str:
    if span.repeated:
        return "#b07aa1"
    return "#f28e2b" if span.moved else "#e15759" if span.is_retimed else "#4e79a7"


def draw(changes: ChangeList, path: str | os.PathLike[str], titles: tuple[str, str] = ("old cut", "new cut")) -> None:
    """The old cut above, the new one below, and what went where.  Raises UserError without matplotlib."""
    from engine.music.extras import need_extra
    from engine.music.files import written_aside

    need_extra("plot", "A picture of the changes")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.2), dpi=110)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.01, 0.12, 0.98, 0.78))
    rate = float(changes.rate)
    longest = max(changes.old_frames, changes.new_frames) / rate
    axes.set_xlim(0, longest)
    axes.set_ylim(-0.1, 3.1)
    axes.set_yticks([])
    axes.set_xlabel("seconds", fontsize=7)
    axes.tick_params(labelsize=7)
    for span in changes.spans:
        a, b = span.new_start / rate, span.new_end / rate
        if span.old_start is None or span.old_end is None:
            axes.fill([a, b, b, a], [0, 0, 1, 1], color="#59a14f", lw=0)
            continue
        c, d = span.old_start / rate, span.old_end / rate
        colour = _colour(span)
        axes.fill([a, b, b, a], [0, 0, 1, 1], color=colour, lw=0.4, ec="white")
        axes.fill([a, b, d, c], [1, 1, 2, 2], color=colour, alpha=0.25, lw=0)
        axes.fill([c, d, d, c], [2, 2, 3, 3], color=colour, lw=0.4, ec="white")
    for start, end in changes.lifts:
        a, b = start / rate, end / rate
        axes.fill([a, b, b, a], [2, 2, 3, 3], color="black", lw=0)
    axes.text(0, 3.02, titles[0], fontsize=7)
    axes.text(0, -0.02, titles[1], fontsize=7, va="top")
    axes.set_title(_LEGEND, fontsize=7)
    try:
        with written_aside(path) as aside:
            figure.savefig(aside)
    except (OSError, ValueError) as error:
        raise UserError(f"{shown(path)} cannot be written: {error}.") from None
