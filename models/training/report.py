"""Tables and pictures of an evaluation: terminal text, Markdown, JSON, PNG."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine.music.chord import CHORD_LABELS, QUALITIES, SHARP_NAMES
from models.files import to_json, written
from models.training.evaluate import (
    PUBLISHED_CHORDS,
    PUBLISHED_DYNAMICS,
    REFERENCE_ROW,
    Result,
    Table,
    film_gaps,
)
from models.training.metrics import Estimate
from models.vocabulary import EMOTIONS

CHORD_COLUMNS: Final = {
    "hits1": "Hits@1",
    "hits3": "Hits@3",
    "hits5": "Hits@5",
    "nll": "NLL, nats",
    "hits1_changes": "Hits@1 at changes",
    "hits3_changes": "Hits@3 at changes",
    "hits1_changes_open": "change foreseen and right",
    "matching_loss": "matching loss",
}
DYNAMICS_COLUMNS: Final = {
    "density_rmse_paper": "density RMSE, paper",
    "loudness_rmse_paper": "loudness RMSE, paper",
    "density_rmse": "density RMSE, frames",
    "loudness_rmse": "loudness RMSE, frames",
    "density_pearson": "density r",
    "loudness_pearson": "loudness r",
    "density_inner": "density r, inner",
    "loudness_inner": "loudness r, inner",
    "density_motion": "density ~ motion",
    "loudness_motion": "loudness ~ motion",
}

FREE_COLUMNS: Final = {
    "agreement": "affect agreement",
    "agreement_gap": "own − other film",
    "agreement_smoothed_gap": "the same, smoothed emotion",
    "nll": "NLL under the net, nats",
    "nll_rise_of_means": "rise of NLL",
    "divergence": "slots that differ between films",
    "same_in_two_takes": "slots that two takes share",
    "entropy": "chord entropy, nats",
    "diatonic": "diatonic roots",
    "change_rate": "changes per slot",
    "rests": "rests",
}


COURSE_ROWS: Final = {
    "accuracy_16_chords": "five moods told apart from 16 chords",
    "accuracy_16_slots": "from 16 slots",
    "accuracy_16_chords_without_qualities": "from the roots of 16 chords",
    "distinct_chords_in_16_slots": "different chords in 16 slots, the mood with the fewest",
    "entropy": "chord entropy under a constant mood, nats",
    "diatonic": "diatonic roots under a constant mood",
    "change_rate": "changes per slot under a constant mood",
    "valence_r": "r of the valence heard with the valence asked for, switching moods",
    "cut_response_constant": "P(change at a cut) − elsewhere, constant mood",
    "cut_response_switching": "the same, switching moods",
    "largest_type_share": "largest share of one chord type within a mood",
}


def _cell(value: Estimate | float | None) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4f}"
    if value.videos == 0:
        return "–"
    return f"{value.mean:.4f} ({value.low:.4f} … {value.high:.4f})"


def markdown_table(rows: Mapping[str, Mapping[str, Any]], columns: Mapping[str, str]) -> str:
    """A Markdown table; missing cells are dashes."""
    shown = {key: title for key, title in columns.items() if any(key in row for row in rows.values())}
    lines = ["| | " + " | ".join(shown.values()) + " |", "|---" * (len(shown) + 1) + "|"]
    for name, row in rows.items():
        lines.append(f"| {name} | " + " | ".join(_cell(row.get(key)) for key in shown) + " |")
    return "\n".join(lines)


def to_markdown(result: Result, command: str) -> str:
    """The whole evaluation as one page."""
    parts = [f"# Evaluation on the {result.split} split, {result.videos} videos", f"`{command}`"]
    parts.append("Means over videos with 95 % bootstrap intervals; dashes where a row has no such figure.")
    if result.chords.rows:
        parts += _section(result.chords, CHORD_COLUMNS, PUBLISHED_CHORDS, REFERENCE_ROW, "Chords")
    if result.dynamics.rows:
        parts += _section(result.dynamics, DYNAMICS_COLUMNS, PUBLISHED_DYNAMICS, "training mean", "Dynamics")
        lines = [
            "## Shares of the five density levels",
            "| | 0–5 | 6–10 | 11–15 | 16–20 | 21– |",
            "|---|---|---|---|---|---|",
        ]
        lines += [f"| {n} | " + " | ".join(f"{v:.3f}" for v in h) + " |" for n, h in result.histograms.items()]
        parts.append("\n".join(lines))
    for name, rows in result.free.items():
        parts += [f"## Composing freely: {name}", markdown_table(rows, FREE_COLUMNS)]
    for name, row in result.course.items():
        lines = [f"| {COURSE_ROWS[key]} | {_cell(value)} |" for key, value in row.items()]
        parts += [f"## Does the harmony express what it is asked to: {name}", "\n".join(["| | |", "|---|---|", *lines])]
        heads = " | ".join(EMOTIONS[:5])
        rows_ = [
            f"| {EMOTIONS[k]} | " + " | ".join(f"{v:.2f}" for v in line) + " |"
            for k, line in enumerate(result.moods[name])
        ]
        parts.append(
            "\n".join([f"| asked for, in columns: named from 16 chords | {heads} |", "|---" * 6 + "|", *rows_])
        )
    return "\n\n".join(parts) + "\n"


def _section(
    table: Table, columns: Mapping[str, str], published: Mapping[str, Any], reference: str, title: str
) -> list[str]:
    gaps = film_gaps(table)
    parts = [
        f"## {title}",
        markdown_table({**published, **table.estimates()}, columns),
        f"### Paired difference to {reference}",
        markdown_table(table.differences(reference), columns),
    ]
    if gaps:
        parts += ["### Own film minus another film", markdown_table(gaps, columns)]
    return parts


def write(result: Result, folder: Path, command: str) -> list[Path]:
    """Writes evaluation.json, evaluation.md and confusion pictures; returns what was written.  Raises ModelError."""
    made = []
    texts = {
        "evaluation.json": to_json({"command": command, **result.to_json()}, indent=1),
        "evaluation.md": to_markdown(result, command),
    }
    for name, text in texts.items():
        made.append(folder / name)
        with written(made[-1]) as aside:
            aside.write_text(text, encoding="utf-8")
    if find_spec("matplotlib") is None:
        return made
    for name, matrices in result.confusions.items():
        made.append(folder / f"confusion-{re.sub('[^A-Za-z0-9._-]', '-', name)}.png")
        with written(made[-1]) as aside:
            draw_confusions(matrices, aside, name)
    return made


def _most(matrix: np.ndarray, count: int) -> np.ndarray:
    return np.sort(np.argsort(-matrix.sum(1), kind="stable")[:count])


def draw_confusions(matrices: Mapping[str, np.ndarray], path: Path, title: str) -> None:
    """Chord (the 24 most frequent), root, quality, and quality under the film's emotion; rows sum to 1."""
    from matplotlib.figure import Figure

    labels = [*CHORD_LABELS, "END", "PAD"]
    roots = ["N", *SHARP_NAMES, "END", "PAD"]
    qualities = ["N", *QUALITIES, "END", "PAD"]
    chords = _most(matrices["chord"], 24)
    panels: list[tuple[str, np.ndarray, Sequence[str], Sequence[str]]] = [
        ("chord", matrices["chord"][np.ix_(chords, chords)], [labels[i] for i in chords], [labels[i] for i in chords]),
        ("root", matrices["root"][:14, :14], roots[:14], roots[:14]),
        ("quality", matrices["quality"][:15, :15], qualities[:15], qualities[:15]),
        ("quality under emotion", matrices["affect"][:, :14], list(EMOTIONS), qualities[:14]),
    ]
    figure = Figure(figsize=(15, 13), layout="constrained")
    figure.suptitle(f"{title}: truth in rows, prediction in columns, rows sum to 1")
    for axes, (name, counts, rows, columns) in zip(figure.subplots(2, 2).flat, panels, strict=True):
        share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes.imshow(share, cmap="viridis", vmin=0, vmax=1)
        axes.set_title(name)
        axes.set_xticks(range(len(columns)), columns, rotation=90, fontsize=7)
        axes.set_yticks(range(len(rows)), rows, fontsize=7)
    figure.savefig(path, dpi=80)
