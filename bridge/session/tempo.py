"""Which tempo map and grid a cue runs on, and how composed chords move to another one.

Positions are picture seconds unless they say timeline.  A tempo change keeps every chord at its picture time: the new
grid's slots take what the old slots held there, and nothing is composed anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from engine.arrange.rhythm import grid_points
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
    # A turn of the session is short and a long film has ten thousand slots, so each is made once, without `replace`.
    fitted: list[Slot] = []
    index, last, reached_s = 0, len(slots) - 1, slots[-1].end_s
    for number, (begin, end) in enumerate(pairwise(grid_points(grid, tempo_map, duration_s, starts_s))):
        middle_s = (begin[0] + end[0]) / 2
        if middle_s >= reached_s:
            break
        while index < last and slots[index + 1].start_s <= middle_s:
            index += 1
        old = slots[index]
        fitted.append(
            Slot(
                number,
                begin[0],
                end[0],
                begin[1],
                end[1],
                old.chord,
                old.density,
                old.loudness,
                old.affect,
                old.motion,
                old.tension,
                old.pinned,
                old.given,
                old.provisional,
            )
        )
    return tuple(fitted)


__all__ = ["GRIDS", "brief_of", "choose_tempo", "refit"]
