"""Which tempo map and grid a cue runs on, and how composed chords move to another one.

Positions are picture seconds unless they say timeline.  A tempo change keeps every chord at its picture time: the new
grid's slots take what the old slots held there, and nothing is composed anew.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace

from engine.arrange.rhythm import GridSlot, build_grid
from engine.brief import Brief, settle
from engine.document import Document, TempoChoice
from engine.music import Cut, Film, FrameRate, Slot, TempoMap, controls
from engine.music.controls import GRID_CHOICES as GRIDS


def brief_of(document: Document, started: Brief) -> Brief:
    """What is asked of time: as the program was started, with what the document says of the picture's start.

    Raises MusicError where that cannot be read.
    """
    rate = document.text(controls.FRAME_RATE)
    stated = started.frame_rate if controls.FRAME_RATE not in document.settings else None
    return replace(
        started,
        picture_starts_at=document.text(controls.PICTURE_STARTS_AT),
        frame_rate=stated if rate == "film" else FrameRate.parse(rate),
    )


def choose_tempo(asked: Brief, film: Film, cuts: Sequence[Cut]) -> TempoChoice:
    """What `engine.brief.settle` decides of time, as a session keeps it.  Raises MusicError."""
    return settle(asked, film, cuts).choice


def refit(
    slots: Sequence[Slot], grid: str, tempo_map: TempoMap, duration_s: float, starts_s: float
) -> tuple[Slot, ...]:
    """The slots on another grid: each new slot takes the content of the old one under its middle.

    Slots that the old composition does not reach are left out, so that a composition under way stays a beginning.
    """
    if not slots:
        return ()
    starts = [slot.start_s for slot in slots]
    fitted: list[Slot] = []
    for place in build_grid(grid, tempo_map, duration_s, starts_s):
        middle_s = (place.start_s + place.end_s) / 2
        if middle_s >= slots[-1].end_s:
            break
        old = slots[max(bisect_right(starts, middle_s) - 1, 0)]
        fitted.append(_moved(old, place))
    return tuple(fitted)


def _moved(slot: Slot, place: GridSlot) -> Slot:
    """A slot in another place of the grid.  Spelled out: `replace` would take three times as long, and a long film has
    ten thousand of them."""
    return Slot(
        place.index,
        place.start_s,
        place.end_s,
        place.start_beats,
        place.end_beats,
        slot.chord,
        slot.density,
        slot.loudness,
        slot.affect,
        slot.motion,
        slot.tension,
        slot.pinned,
        slot.given,
        slot.provisional,
    )


__all__ = ["GRIDS", "brief_of", "choose_tempo", "refit"]
