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

PIECE_SLOTS: Final = 250  # that are made without a pause


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


Grid = tuple[str, TempoMap, float, float]  # its kind, tempo map, duration_s, starts_s


@dataclass(frozen=True, slots=True)
class _Refitted:
    """Slots that were put on another grid."""

    slots: Sequence[Slot]
    grid: Grid
    made: tuple[Slot, ...]


class NotRefittedError(Exception):
    """Slots of a long film have to be put on another grid, and nobody has done that yet."""

    def __init__(self, slots: Sequence[Slot], grid: Grid) -> None:
        super().__init__(f"{len(slots)} slots are not on the grid yet.")
        self.slots, self.grid = slots, grid


class Refits:
    """What was put on other grids beforehand, for an edit that is made in pieces: `bridge.session.pieces`."""

    def __init__(self) -> None:
        self._made: list[_Refitted] = []

    def refit(
        self, slots: Sequence[Slot], grid: str, tempo_map: TempoMap, duration_s: float, starts_s: float
    ) -> tuple[Slot, ...]:
        """As the function.  Raises NotRefittedError for a long film's slots that `make` was not called for."""
        wanted = (grid, tempo_map, duration_s, starts_s)
        for each in self._made:
            if each.slots is slots and each.grid == wanted:
                return each.made
        if len(slots) > PIECE_SLOTS:
            raise NotRefittedError(slots, wanted)
        return refit(slots, *wanted)

    def make(self, wanted: NotRefittedError) -> Iterator[None]:
        """Does what was wanting, with a pause after every few hundred slots."""
        made: list[Slot] = []
        yield from refit_in_pieces(made, wanted.slots, *wanted.grid)
        self._made.append(_Refitted(wanted.slots, wanted.grid, tuple(made)))


__all__ = ["GRIDS", "NotRefittedError", "Refits", "brief_of", "choose_tempo", "refit", "refit_in_pieces"]
