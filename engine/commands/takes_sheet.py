"""Takes of one film side by side on one sheet: each a small piano roll over its sections, chords and keys.

Needs matplotlib (extra `plot`), imported here only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from engine.arrange import Arrangement
from engine.arrange.rhythm import merge_runs
from engine.commands.plot_drawing import MOOD_COLOURS, PART_COLOURS, PlotError
from engine.music import Composition
from engine.music.cueplan import CuePlan
from engine.music.files import written_aside
from engine.music.note import pitch_name

MOST: Final = 24
_COLUMNS: Final = 3
_PANEL: Final = (5.4, 2.7)  # inches
_NAME_S: Final = 0.042  # of the film: a chord name has at least so much room


class TakeShown(NamedTuple):
    """A take, and its notes."""

    composition: Composition
    arrangement: Arrangement


def draw_takes(shown: Sequence[TakeShown], title: str, path: Path) -> None:
    """Writes a PNG.  All takes share time and pitch axes.  Raises PlotError."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise PlotError("Plotting needs matplotlib (pip install 'cuebridge[plot]').") from None
    columns = min(_COLUMNS, len(shown))
    rows = math.ceil(len(shown) / columns)
    figure = Figure(figsize=(_PANEL[0] * columns, _PANEL[1] * rows + 0.7), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=12)
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    pitches = [note.pitch for take in shown for note in take.arrangement.notes if note.part != "drums"] or [60]
    low, high = min(pitches) - 2, max(pitches) + 2
    for place, axis in enumerate(axes.flat):
        if place >= len(shown):
            axis.set_axis_off()
            continue
        _draw_take(axis, shown[place], low, high)
        if place % columns == 0:
            ticks = [pitch for pitch in range(low, high + 1) if pitch % 12 == 0]
            axis.set_yticks(ticks, [pitch_name(pitch) for pitch in ticks], fontsize=7)
        if place + columns >= len(shown):
            axis.set_xlabel("picture seconds", fontsize=8)
    _draw_legend(figure)
    try:
        with written_aside(path) as aside:
            figure.savefig(aside, dpi=110, format="png")
    except OSError as error:
        raise PlotError(f"{path} cannot be written: {error.strerror or error}.") from error


def heading(composition: Composition) -> str:
    """`B · strings · suspense · F# minor · 84 bpm`, as far as there is a plan."""
    plans = composition.plans
    bpm = composition.tempo_map.bpm_at(composition.beats_at_picture(plans[0].sections[0].start_s if plans else 0.0))
    words = [composition.take.name]
    if plans:
        words += [" + ".join(dict.fromkeys(plan.ensemble for plan in plans)), plans[0].form]
        key = plans[0].sections[0].key
    else:
        key = composition.key
    return " · ".join([*words, key.name, f"{bpm:g} bpm"])


def _draw_take(axis: Any, take: TakeShown, low: int, high: int) -> None:
    composition, arrangement = take
    axis.set_xlim(0, composition.film.duration_s)
    axis.set_ylim(low - 7, high + 9)
    axis.set_title(heading(composition), fontsize=9, loc="left")
    axis.tick_params(labelsize=7)
    for plan in composition.plans:
        _draw_sections(axis, plan, high)
    for part, colour in PART_COLOURS.items():
        found = [note for note in arrangement.notes if note.part == part]
        if not found:
            continue
        starts = [composition.picture_at_beats(note.start_beats) for note in found]
        ends = [composition.picture_at_beats(note.end_beats) for note in found]
        axis.barh(
            # Drums have no pitch to compare: a row of their own under the others.
            [low - 4 if part == "drums" else note.pitch for note in found],
            [max(end - start, 0.08) for start, end in zip(starts, ends, strict=True)],
            left=starts, height=1.6 if part == "drums" else 1.0, color=colour, lw=0,
            alpha=0.5 if part == "pad" else 1.0,
        )  # fmt: skip
    _draw_chords(axis, composition, high)


def _draw_sections(axis: Any, plan: CuePlan, high: int) -> None:
    for index, section in enumerate(plan.sections):
        colour = MOOD_COLOURS[section.mood]
        axis.axvspan(section.start_s, section.end_s, color=colour, alpha=0.06 + 0.06 * section.intensity, lw=0)
        if index:
            axis.axvline(section.start_s, color=colour, lw=1.0)
        axis.text(
            section.start_s, high + 8.4, f" {section.letter} {section.variant} {section.intensity}", fontsize=6.5,
            va="top", ha="left", clip_on=True,
        )  # fmt: skip


def _draw_chords(axis: Any, composition: Composition, high: int) -> None:
    """Names where there is room for one; the others are what the roll shows."""
    free_s, room_s = 0.0, _NAME_S * composition.film.duration_s
    for run in merge_runs(composition.slots):
        if run.chord.is_silence or run.start_s < free_s:
            continue
        name = composition.spell(run.chord)
        axis.text(run.start_s, high + 1.2, name, fontsize=6, va="bottom", ha="left", clip_on=True)
        free_s = run.start_s + room_s * max(len(name), 2) / 3


def _draw_legend(figure: Any) -> None:
    from matplotlib.patches import Patch

    parts = [Patch(color=colour, label=part) for part, colour in PART_COLOURS.items()]
    moods = [Patch(color=colour, alpha=0.3, label=mood) for mood, colour in MOOD_COLOURS.items()]
    figure.legend(handles=[*parts, *moods], loc="outside lower center", ncols=len(parts) + len(moods), fontsize=8,
                  frameon=False)  # fmt: skip
