"""A tune on five lines, drawn on matplotlib axes.

Notes stand where they sound within the bar, and a thin line goes as far as each one lasts: rhythm is to be seen even
where no single note value says it.  Silence has rests, and what lasts over a bar's line is tied.  There is no key
signature; an accidental holds for its own note alone.
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
_WIDE: Final = 0.034  # between two lines, in bars: as wide as GAP is high
HEAD_ROOM: Final = 0.24  # bars before the first one, for clef and meter
# A treble clef's middle line, spaces from the line of g': the curl, up and over, the stem and its hook.
_CLEF: Final = (
    (0.1, -0.5), (-0.3, -0.35), (-0.42, 0.15), (-0.1, 0.62), (0.45, 0.6), (0.82, 0.1), (0.65, -0.6), (0.1, -1.0),
    (-0.65, -0.85), (-1.1, -0.2), (-1.0, 0.75), (-0.4, 1.65), (0.3, 2.5), (0.62, 3.5), (0.5, 4.5), (0.2, 4.8),
    (-0.08, 4.2), (-0.1, 3.2), (0.12, 1.2), (0.36, -1.0), (0.36, -2.0), (0.05, -2.5), (-0.35, -2.35),
)  # fmt: skip
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
    """The five lines from the clef on; bars begin at start.  octaves: by how many it sounds higher."""
    left = start - HEAD_ROOM
    for line in range(LINES):
        axes.plot([left, end], [bottom + GAP * line] * 2, color="0.55", lw=0.5, zorder=1)
    _clef(axes, left + 0.07, bottom + GAP)
    if octaves:
        axes.text(
            left + 0.07, bottom + GAP * (LINES + 1.4 if octaves > 0 else -3.2), _OCTAVES[octaves], fontsize=5.5,
            ha="center", style="italic", color="0.3",
        )  # fmt: skip


def draw_meter(axes: Any, start: float, bottom: float, beats: int, unit: int) -> None:
    """A time signature before the bar that begins at start."""
    for number, line in ((beats, 3), (unit, 1)):
        axes.text(
            start - 0.06, bottom + GAP * line, f"{number}", fontsize=10, fontweight="bold", va="center_baseline",
            ha="center", family="serif", color="0.15",
        )  # fmt: skip


def draw_rests(axes: Any, tune: Tune, x: float, beats: float, bottom: float) -> None:
    """Rests where a bar of so many beats that begins at x is silent."""
    if not tune:
        axes.fill_between([x + 0.47, x + 0.53], bottom + GAP * 2.5, bottom + GAP * 3, color=_INK, lw=0)
        return
    at = 0.0
    for beat, length in (*((beat, length) for beat, _, length in sorted(tune)), (beats, 0.0)):
        while (left := beat - at) > 0.2:
            value = next((v for v in (2.0, 1.0, 0.5) if v <= left + 0.02 and abs(at / v - round(at / v)) < 0.02), 0.25)
            _rest(axes, x + 0.06 + 0.915 * at / beats, bottom, value)
            at += value
        at = max(at, beat + length)


def _rest(axes: Any, at: float, bottom: float, value: float) -> None:
    if value >= 2:
        axes.fill_between([at - 0.02, at + 0.03], bottom + GAP * 2, bottom + GAP * 2.5, color=_INK, lw=0)
        return
    if value >= 1:
        spaces = ((-0.3, 3.3), (0.25, 2.5), (-0.25, 1.9), (0.35, 1.1), (-0.2, 1.2), (-0.15, 0.8), (0.2, 0.45))
        _stroke(axes, at, bottom, spaces, 1.1)
        return
    for flag in range(1 if value >= 0.5 else 2):
        y = 2.6 - 1.0 * flag
        axes.plot([at - 0.4 * _WIDE], [bottom + GAP * y], marker=".", markersize=2.6, color=_INK, zorder=3)
        _stroke(axes, at, bottom, ((-0.4, y), (0.1, y - 0.25), (0.5, y + 0.1)), 0.8)
    _stroke(axes, at, bottom, ((0.5, 2.7), (-0.05, 0.6 if value >= 0.5 else 0.0)), 0.8)


def _stroke(axes: Any, at: float, bottom: float, spaces: Sequence[tuple[float, float]], width: float) -> None:
    axes.plot([at + x * _WIDE for x, _ in spaces], [bottom + y * GAP for _, y in spaces], color=_INK, lw=width)


def _clef(axes: Any, at: float, line: float) -> None:
    """A smooth curve (Catmull and Rom 1974) through the points of a treble clef; line: y of g'."""
    points = (_CLEF[0], *_CLEF, _CLEF[-1])
    xs: list[float] = []
    ys: list[float] = []
    for a, b, c, d in zip(points, points[1:], points[2:], points[3:], strict=False):
        for step in range(8):
            t = step / 8
            for axis, found in ((0, xs), (1, ys)):
                bend = 2 * a[axis] - 5 * b[axis] + 4 * c[axis] - d[axis]
                lean = 3 * (b[axis] - c[axis]) + d[axis] - a[axis]
                found.append(b[axis] + 0.5 * ((c[axis] - a[axis]) * t + bend * t**2 + lean * t**3))
    axes.plot([at + x * _WIDE for x in xs], [line + y * GAP for y in ys], color="0.15", lw=1.1, zorder=2)
    axes.plot([at - 0.35 * _WIDE], [line - 2.2 * GAP], marker=".", markersize=4.5, color="0.15", zorder=2)


def tied(tunes: Sequence[Tune], beats: Sequence[float]) -> list[tuple[Tune, frozenset[int]]]:
    """The tune of each bar of so many beats with what goes on from the bar before, and which of it does."""
    made: list[tuple[Tune, frozenset[int]]] = []
    over: list[tuple[float, str, float]] = []
    for tune, length in zip(tunes, beats, strict=True):
        first = min((beat for beat, _, _ in tune), default=length)
        over = [(beat, name, min(lasts, first)) for beat, name, lasts in over if min(lasts, first) > 0.2]
        whole = [*over, *tune]
        made.append((whole, frozenset(range(len(over)))))
        over = [(0.0, name, beat + lasts - length) for beat, name, lasts in whole if beat + lasts - length > 0.2]
    return made


# size: ties are a keyword that one caller gives.
def draw_tune(
    axes: Any, tune: Tune, x: float, beats: float, bottom: float, octaves: int, ties: frozenset[int] = frozenset()
) -> None:
    """The notes of one bar of so many beats that begins at x; bottom: y of the lowest line.  ties: numbers of those
    that go on from the bar before."""
    for number, (beat, name, length) in enumerate(tune):
        step, accidental = step_of(name)
        step -= 7 * octaves
        at = x + 0.06 + 0.915 * beat / beats
        end = x + 0.035 + 0.915 * min(beat + length, beats) / beats
        y = bottom + GAP / 2 * (step - _BOTTOM)
        _ledgers(axes, at, step, bottom)
        axes.plot([at, end], [y, y], color=_INK, lw=0.6, alpha=0.45, zorder=2)
        _head(axes, at, y, step, min(length, beats - beat))
        if number in ties:
            low = y - GAP * (0.9 if step < _MIDDLE else -0.9)
            axes.plot([at - 0.075, at - 0.035, at - 0.005], [(y + low) / 2, low, (y + low) / 2], color=_INK, lw=0.8)
            continue
        if accidental:
            axes.text(at - 0.032, y, {"b": "♭", "#": "♯"}[accidental[0]] * len(accidental), fontsize=7, color=_INK,
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
