"""Which tempo map and grid a cue runs on, and how composed chords move to another one.

Positions are picture seconds unless they say timeline.  A tempo change keeps every chord at its picture time: the new
grid's slots take what the old slots held there, and nothing is composed anew.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from engine.arrange.rhythm import GridSlot, best_tempo, build_grid
from engine.document import TempoChoice
from engine.music import BarBeat, Cut, Film, MusicError, Slot, TempoMap, Timecode, TimeSignature

GRIDS: Final = ("auto", "beats", "seconds")
SECONDS_GRID_BPM: Final = 120  # the paper's: a slot of two beats lasts one second


@dataclass(frozen=True, slots=True)
class TempoWish:
    """What the composer said about time.  bpm None: unknown.  picture_starts_at: seconds, timecode or bar|beat."""

    bpm: float | None = None
    meter: TimeSignature = TimeSignature()  # noqa: RUF009 (frozen)
    tempo_map: TempoMap | None = None
    grid: str = "auto"
    picture_starts_at: str = "0"


def choose_tempo(wish: TempoWish, film: Film, cuts: Sequence[Cut]) -> TempoChoice:
    """The order of the product: a given map, a given tempo, the best tempo for the cuts.  Raises MusicError.

    Bar 1 of the timeline is at second 0; with a timecode as the picture's start it is at the first frame.
    """
    text = wish.picture_starts_at
    timecoded = ":" in text
    starts_s = _starts_at(text, film, TempoMap()) if "|" not in text else 0.0
    origin_s = Timecode.parse(text, film.rate).seconds if timecoded else Fraction(0)
    if wish.grid == "seconds":
        if wish.tempo_map is not None or wish.bpm is not None:
            raise MusicError("the seconds grid has no tempo: leave --bpm and --tempo-map away, or use --grid beats.")
        tempo_map = TempoMap.constant(SECONDS_GRID_BPM, wish.meter, origin_s)
        reason = "seconds grid: one chord step a second, written at 120 bpm."
    elif wish.tempo_map is not None:
        tempo_map, reason = wish.tempo_map, "tempo map as given."
        if timecoded:
            tempo_map = replace(tempo_map, origin_s=origin_s)
    elif wish.bpm is not None:
        tempo_map, reason = TempoMap.constant(wish.bpm, wish.meter, origin_s), f"tempo {wish.bpm:g} as given."
    else:
        bar_1_s = 0.0 if timecoded or "|" in text else -starts_s
        fit = best_tempo(cuts, meter=wish.meter, bar_1_s=bar_1_s, rate=film.rate)
        tempo_map, reason = TempoMap.constant(fit.bpm, wish.meter, origin_s), fit.reason
    if "|" in text:
        starts_s = _starts_at(text, film, tempo_map)
    grid = "seconds" if wish.grid == "seconds" else "beats"
    return TempoChoice(tempo_map, grid, starts_s, reason)


def _starts_at(text: str, film: Film, tempo_map: TempoMap) -> float:
    """Timeline second of the first frame from `3.5`, `01:00:00:00` or `5|1`.  Raises MusicError."""
    text = text.strip()
    if bars := re.fullmatch(r"(\d{1,5})\|(\d{1,2})", text):
        beats = tempo_map.beats_of(BarBeat(int(bars[1]), int(bars[2])))
        return float(tempo_map.seconds_at_exact(beats))
    if text.count(":") == 3 or ";" in text:
        return float(Timecode.parse(text, film.rate).seconds)
    if re.fullmatch(r"\d{1,6}(\.\d{1,9})?", text):
        return float(text)
    raise MusicError(f"'{text}' is not a position; write seconds, hours:minutes:seconds:frames or bar|beat.")


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
