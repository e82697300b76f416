"""What `/cue/markers/load` answers: the file in short, then each marker and what it becomes."""

from __future__ import annotations

from typing import Final

from bridge.osc.codec import Argument, Double
from engine.interchange.rules import Mapping
from engine.music.composition import Film
from engine.music.controls import MARKERS_LOAD as LOAD
from engine.music.controls import MARKERS_ROW as ROW

MAX_ROWS: Final = 500  # that are answered; all are taken


def marker_messages(mapping: Mapping, film: Film, file: str) -> list[tuple[str, tuple[Argument, ...]]]:
    """The answer where the markers are only shown; where they are taken, its first message goes on with from when."""
    more = len(mapping.rows) - MAX_ROWS
    rest = f"; listed are the first {MAX_ROWS}, the other {more} are taken too" if more > 0 else ""
    head: tuple[Argument, ...] = (file, f"{mapping.counts}; {mapping.reading}{rest}")
    rows: list[tuple[str, tuple[Argument, ...]]] = []
    for number, row in enumerate(mapping.rows[:MAX_ROWS], start=1):
        label = str(film.timecode_at(row.start_s + 1e-6)) if row.marker.inside else ""
        rows.append((ROW, (number, Double(row.start_s), label, row.kind, row.weight, row.name, row.why)))
    return [(LOAD, head), *rows]
