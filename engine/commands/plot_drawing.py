"""Draws a composed film: piano roll with chords and cuts, and under it motion, mood and loudness over picture seconds.

Needs matplotlib (extra `plot`), imported here only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from engine.arrange import Arrangement
from engine.arrange.rhythm import merge_runs
from engine.commands.picture_link import per_second
from engine.music import EMOTIONS, Composition, UserError
from engine.music.files import written_aside
from engine.music.note import pitch_name
from engine.video import VideoFeatures

MOOD_COLOURS: Final = {
    "exciting": "#e6842a",
    "fearful": "#5b3a8c",
    "tense": "#b5322f",
    "sad": "#3a6ea5",
    "relaxing": "#5aa469",
    "neutral": "#b8b8b8",
}
PART_COLOURS: Final = {"pad": "#8fb8de", "arp": "#d1495b", "bass": "#30638e", "melody": "#edae49", "drums": "#777777"}
_MOST_CHORD_NAMES: Final = 64


class PlotError(UserError):
    """Nothing could be drawn."""


def plot_score(
    features: VideoFeatures, composition: Composition, arrangement: Arrangement, title: str, path: Path
) -> None:
    """Writes a PNG.  Raises PlotError without matplotlib, or where it cannot be written."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise PlotError("Plotting needs matplotlib (pip install 'cuebridge[plot]').") from None
    length = composition.film.duration_s
    figure = Figure(figsize=(15, 9.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(4, 1, sharex=True, gridspec_kw={"height_ratios": [3.2, 1.1, 1.1, 1.2]})
    roll, motion, notes, mood = axes
    figure.suptitle(title, fontsize=11)
    _draw_roll(roll, composition, arrangement)
    _draw_motion(motion, features)
    _draw_notes(notes, features, composition, arrangement)
    _draw_mood(mood, features)
    for axis in axes:
        for cut in composition.cuts:
            axis.axvline(cut.time_s, color="black", alpha=0.2 + 0.4 * cut.strength, lw=0.8, ls=":")
    roll.set_xlim(0, length)
    try:
        with written_aside(path) as aside:
            figure.savefig(aside, dpi=100, format="png")
    except OSError as error:
        raise PlotError(f"{path} cannot be written: {error.strerror or error}.") from error


def _draw_roll(axis: Any, composition: Composition, arrangement: Arrangement) -> None:
    for part, colour in PART_COLOURS.items():
        found = [note for note in arrangement.notes if note.part == part]
        if not found:
            continue
        starts = [composition.picture_at_beats(note.start_beats) for note in found]
        ends = [composition.picture_at_beats(note.end_beats) for note in found]
        opacity = 0.35 if part == "pad" else 0.95
        axis.barh(
            [note.pitch for note in found],
            [end - start for start, end in zip(starts, ends, strict=True)],
            left=starts,
            height=0.9,
            color=colour,
            alpha=opacity,
            lw=0,
            label=f"{part} ({len(found)})",
        )
    pitches = [note.pitch for note in arrangement.notes] or [60]
    low, high = min(pitches) - 2, max(pitches) + 2
    axis.set_ylim(low, high + 5)
    ticks = [pitch for pitch in range(low, high + 1) if pitch % 12 == 0]
    axis.set_yticks(ticks, [pitch_name(pitch) for pitch in ticks])
    axis.grid(axis="y", alpha=0.2)
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    runs = merge_runs(composition.slots)
    step = 1 + (len(runs) - 1) // _MOST_CHORD_NAMES
    for run in [*runs[:-1:step], runs[-1]] if runs else []:  # the last chord always
        name = composition.spell(run.chord)
        axis.text(run.start_s, high + 1.5, name, fontsize=7, rotation=60, ha="left", va="bottom")
    axis.set_ylabel("pitch")


def _draw_motion(axis: Any, features: VideoFeatures) -> None:
    axis.bar(np.arange(features.seconds), features.motion, width=1.0, align="edge", color="#444444")
    # A cut between the two frames that are compared stands out tenfold; on a plain scale nothing else is seen.
    axis.set_yscale("symlog", linthresh=2.0)
    ticks = [tick for tick in (0, 1, 2, 5, 10, 20, 50, 100, 200) if tick <= max(features.motion.max(), 2.0)]
    axis.set_yticks(ticks, [str(tick) for tick in ticks])
    axis.minorticks_off()
    axis.set_ylim(0, max(features.motion.max() * 1.1, 2.0))
    axis.set_ylabel("motion\n0–255")


def _draw_notes(axis: Any, features: VideoFeatures, composition: Composition, arrangement: Arrangement) -> None:
    count, velocity = per_second(composition, arrangement, features.seconds)
    seconds = np.arange(features.seconds)
    axis.bar(seconds, count, width=1.0, align="edge", color="#d1495b", alpha=0.7)
    axis.set_ylabel("notes\na second", color="#d1495b")
    other = axis.twinx()
    sounding = count > 0
    other.plot(seconds[sounding] + 0.5, velocity[sounding], color="#30638e", lw=1.4)
    loud = [slot.loudness for slot in composition.slots]
    span = max(loud) - min(loud) or 1.0
    low, high = (velocity[sounding].min(), velocity[sounding].max()) if sounding.any() else (0.0, 1.0)
    scaled = [low + (high - low) * (value - min(loud)) / span for value in loud]
    middle = [0.5 * (slot.start_s + slot.end_s) for slot in composition.slots]
    other.plot(middle, scaled, color="#30638e", lw=0.8, ls="--")
    other.set_ylabel("velocity (mean)\ndashed: loudness", color="#30638e")


def _draw_mood(axis: Any, features: VideoFeatures) -> None:
    edges = np.append(np.arange(features.seconds), features.film.duration_s)
    rows = np.vstack([features.emotion, features.emotion[-1:]]).T
    colours = [MOOD_COLOURS[name] for name in EMOTIONS]
    axis.stackplot(edges, rows, step="post", labels=EMOTIONS, colors=colours)
    axis.set_ylim(0, 1)
    axis.set_ylabel("mood\n(5 s mean)")
    axis.set_xlabel("picture seconds (dotted: cuts)")
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
