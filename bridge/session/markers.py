"""What `/cue/markers/load` answers: the file in short, then each marker and what it becomes."""

from __future__ import annotations

from typing import Final

from bridge.osc.codec import Argument, Double
from engine.interchange.rules import Mapping
from engine.music.composition import Film
from engine.music.controls import MARKERS_LOAD as LOAD
from engine.music.controls import MARKERS_ROW as ROW

MAX_ROWS: Final = 500  # that are answered; all are taken


def marker_messages(
    mapping: Mapping, film: Film, file: str, heard_s: float | None
) -> list[tuple[str, tuple[Argument, ...]]]:
    """heard_s: None where the markers were only shown."""
    words = f"{mapping.counts}; {mapping.reading}"
    head: tuple[Argument, ...] = (file, words) if heard_s is None else (file, words, Double(heard_s))
    rows: list[tuple[str, tuple[Argument, ...]]] = []
    for number, row in enumerate(mapping.rows[:MAX_ROWS], start=1):
        label = str(film.timecode_at(row.start_s + 1e-6)) if row.marker.inside else ""
        rows.append((ROW, (number, Double(row.start_s), label, row.kind, row.weight, row.name, row.why)))
    return [(LOAD, head), *rows]
