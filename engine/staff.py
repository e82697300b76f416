"""A tune on five lines, drawn on matplotlib axes.

Notes stand where they sound within the bar, and a thin line goes as far as each one lasts: rhythm is to be seen even
where no single note value says it.  There is no key signature; an accidental holds for its own note alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

GAP: Final = 0.06  # between two lines, in the axes' y; rows are 1 apart
LINES: Final = 5
_BOTTOM: Final = 4 * 7 + 2  # E4, in steps of the scale from C0
_MIDDLE: Final = _BOTTOM + 4
_HEAD: Final = (0.03, 0.058)  # width and height of a note's head; bars are 1 wide
_STEM: Final = 3.2 * GAP
_VALUES: Final = (4.0, 2.0, 1.0, 0.5, 0.25)
_INK: Final = "#7a1f16"
_OCTAVES: Final = {0: "", 1: "8va", 2: "15ma", -1: "8vb", -2: "15mb"}

Tune = Sequence[tuple[float, str, float]]  # (beat from the bar's line, pitch name, beats)


def step_of(name: str) -> tuple[int, str]:
    """Steps of the scale from C0, and the accidental: "", "#" or "b"."""
    return "CDEFGAB".index(name[0]) + 7 * int(name[1:].strip("b#")), name[1:].rstrip("-0123456789")


def octaves_of(tunes: Iterable[Tune]) -> int:
    """By how many octaves a tune sounds higher than it is best written: its middle belongs on the lines."""
    steps = sorted(step_of(name)[0] for tune in tunes for _, name, _ in tune)
    if not steps:
        return 0
    octaves = round((steps[len(steps) // 2] - (_MIDDLE + 0.5)) / 7)
    return max(min(octaves, 2), -2)


def draw_lines(axes: Any, start: float, end: float, bottom: float, octaves: int) -> None:
    """The five lines; a G on the line of g', and how many octaves higher it sounds."""
    for line in range(LINES):
        axes.plot([start, end], [bottom + GAP * line] * 2, color="0.55", lw=0.5, zorder=1)
    axes.text(start - 0.045, bottom + GAP, "G", fontsize=11, va="center", ha="center", color="0.3", family="serif")
    if octaves:
        axes.text(
            start - 0.045, bottom + GAP * (LINES + 0.6 if octaves > 0 else -2.2), _OCTAVES[octaves], fontsize=5.5,
            ha="center", style="italic", color="0.3",
        )  # fmt: skip


def draw_tune(axes: Any, tune: Tune, x: float, beats: float, bottom: float, octaves: int) -> None:
    """The notes of one bar of so many beats that begins at x; bottom: y of the lowest line."""
    for beat, name, length in tune:
        step, accidental = step_of(name)
        step -= 7 * octaves
        at = x + 0.045 + 0.93 * beat / beats
        end = x + 0.02 + 0.93 * min(beat + length, beats) / beats
        y = bottom + GAP / 2 * (step - _BOTTOM)
        _ledgers(axes, at, step, bottom)
        axes.plot([at, end], [y, y], color=_INK, lw=0.6, alpha=0.45, zorder=2)
        _head(axes, at, y, step, length)
        if accidental:
            axes.text(at - 0.03, y, {"b": "♭", "#": "♯"}[accidental[0]] * len(accidental), fontsize=7, color=_INK,
                      va="center", ha="center")  # fmt: skip


def _ledgers(axes: Any, at: float, step: int, bottom: float) -> None:
    over = range(_BOTTOM + 2 * LINES, step + 1, 2)
    under = range(_BOTTOM - 2, step - 1, -2)
    for each in (*over, *under):
        y = bottom + GAP / 2 * (each - _BOTTOM)
        axes.plot([at - 0.026, at + 0.026], [y, y], color="0.35", lw=0.6, zorder=1)


def _head(axes: Any, at: float, y: float, step: int, length: float) -> None:
    """Head, stem, flags and dot of the longest value that the note fills."""
    from matplotlib.patches import Ellipse

    value = next((each for each in _VALUES if each <= length + 0.02), _VALUES[-1])
    is_open = value >= 2
    axes.add_patch(
        Ellipse((at, y), *_HEAD, angle=0, facecolor="white" if is_open else _INK, edgecolor=_INK, lw=0.9, zorder=3)
    )
    if length >= 1.5 * value - 0.02:
        axes.plot([at + 0.027], [y + GAP / 4], marker=".", markersize=2.2, color=_INK, zorder=3)
    if value >= 4:
        return
    up = step < _MIDDLE
    side, tip = (at + _HEAD[0] / 2, y + _STEM) if up else (at - _HEAD[0] / 2, y - _STEM)
    axes.plot([side, side], [y, tip], color=_INK, lw=0.8, zorder=2)
    for flag in range({0.5: 1, 0.25: 2}.get(value, 0)):
        top = tip - flag * GAP * (0.8 if up else -0.8)
        axes.plot([side, side + 0.022], [top, top - GAP * (1.3 if up else -1.3)], color=_INK, lw=1.1, zorder=2)
