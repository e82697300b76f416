"""Pictures of a set: chords and keys as the paper's Figures 4 and 5, the curves, and one film second by second."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from engine.dataset.errors import DatasetError
from engine.dataset.statistics import statistics
from engine.dataset.table import Table
from engine.music.chord import CHORD_LABELS


def draw_set(table: Table, path: Path) -> None:
    """Writes one picture of the whole set."""
    from matplotlib.figure import Figure

    found = statistics(table)
    figure = Figure(figsize=(12, 10), layout="constrained")
    axes = figure.subplots(3, 2)
    _bars(axes[0, 0], found["top_chords"], "seconds", "chords, in C major or A minor")
    _bars(axes[0, 1], found["top_keys"], "pieces", "keys, before normalisation")
    for place, name, unit in (
        (axes[1, 0], "note_density", f"{found['density']} in a second"),
        (axes[1, 1], "loudness", "loudness, 0 to 1"),
        (axes[2, 0], "motion", "motion, 0 to 255"),
    ):
        place.hist(table.arrays[name], bins=40, color="tab:blue")
        place.set(xlabel=unit, ylabel="seconds")
    names = list(found["splits"])
    axes[2, 1].bar(names, [found["splits"][name]["seconds"] for name in names], color="tab:green")
    axes[2, 1].set(ylabel="seconds", title=f"{found['films']} films")
    figure.savefig(path, dpi=110)


def draw_piece(table: Table, name: str, path: Path) -> None:
    """Writes one piece second by second.  Raises DatasetError where there is none of that id or file name."""
    from matplotlib.figure import Figure

    arrays = table.arrays
    found = np.flatnonzero((arrays["ids"] == name) | (arrays["names"] == name))
    if not len(found):
        raise DatasetError(f"No piece of this set is called '{name}'; idlist.txt has them all.")
    index = int(found[0])
    span = table.rows_of(index)
    figure = Figure(figsize=(14, 7), layout="constrained")
    axes = figure.subplots(4, 1, sharex=True)
    at = 0
    for chord, run in groupby(arrays["chord"][span].tolist()):
        length = sum(1 for _ in run)
        axes[0].broken_barh([(at, length)], (0, 1), facecolors=f"C{chord % 10}", edgecolor="white")
        if length > 1:
            axes[0].text(at + length / 2, 0.5, CHORD_LABELS[chord], ha="center", va="center", fontsize=7)
        at += length
    axes[0].set(yticks=[], title=f"{arrays['names'][index]}: {arrays['key'][index]}, {arrays['split'][index]}")
    for axis, curve in zip(axes[1:], ("note_density", "loudness", "motion"), strict=True):
        axis.step(range(at), arrays[curve][span], where="post")
        axis.set(ylabel=curve.replace("_", " "), ylim=(0, None))
    for second in np.flatnonzero(arrays["scene_offset"][span] == 0)[1:]:
        axes[3].axvline(second, color="tab:red", linewidth=0.6)
    axes[3].set(xlabel="seconds (red: cuts)")
    figure.savefig(path, dpi=110)


def _bars(axes: Any, pairs: list[tuple[str, int]], unit: str, title: str) -> None:
    axes.bar([name for name, _ in pairs], [count for _, count in pairs], color="tab:orange")
    axes.tick_params(axis="x", rotation=80, labelsize=7)
    axes.set(ylabel=unit, title=title)
