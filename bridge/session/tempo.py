"""Which tempo map and grid a cue runs on, and how composed chords move to another one.

Positions are picture seconds unless they say timeline.  A tempo change keeps every chord at its picture time: the new
grid's slots take what the old slots held there, and nothing is composed anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from engine.arrange.rhythm import grid_points
from engine.brief import Brief, settle
from engine.document import Document, TempoChoice
from engine.music import Cut, Film, FrameRate, Slot, TempoMap, controls
from engine.music.controls import GRID_CHOICES as GRIDS

PIECE_SLOTS: Final = 500  # that are made without a pause


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
    fitted: list[Slot] = []
    for _ in refit_in_pieces(fitted, slots, grid, tempo_map, duration_s, starts_s):
        pass
    return tuple(fitted)


def refit_in_pieces(
    fitted: list[Slot], slots: Sequence[Slot], grid: str, tempo_map: TempoMap, duration_s: float, starts_s: float
) -> Iterator[None]:
    """Appends what `refit` gives, with a pause after every few hundred: a turn of the session is short."""
    if not slots:
        return
    points = grid_points(grid, tempo_map, duration_s, starts_s)
    yield
    # A long film has ten thousand slots, so each is made once, without `replace`.
    index, last, reached_s = 0, len(slots) - 1, slots[-1].end_s
    for number, (begin, end) in enumerate(pairwise(points)):
        middle_s = (begin[0] + end[0]) / 2
        if middle_s >= reached_s:
            break
        while index < last and slots[index + 1].start_s <= middle_s:
            index += 1
        old = slots[index]
        fitted.append(
            Slot(
                number, begin[0], end[0], begin[1], end[1], old.chord, old.density, old.loudness, old.affect,
                old.motion, old.tension, old.pinned, old.given, old.provisional,
            )
        )  # fmt: skip
        if number % PIECE_SLOTS == PIECE_SLOTS - 1:
            yield


@dataclass(frozen=True, slots=True)
class Fitted:
    """Slots that were put on another grid, for whoever asks for just that."""

    slots: Sequence[Slot]
    grid: str
    tempo_map: TempoMap
    duration_s: float
    starts_s: float
    made: tuple[Slot, ...]

    def refit(
        self, slots: Sequence[Slot], grid: str, tempo_map: TempoMap, duration_s: float, starts_s: float
    ) -> tuple[Slot, ...]:
        """As the function, which is called where this is of other slots or another grid."""
        wanted = (grid, tempo_map, duration_s, starts_s)
        if slots is self.slots and wanted == (self.grid, self.tempo_map, self.duration_s, self.starts_s):
            return self.made
        return refit(slots, *wanted)


__all__ = ["GRIDS", "Fitted", "brief_of", "choose_tempo", "refit", "refit_in_pieces"]
