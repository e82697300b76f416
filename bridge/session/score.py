"""A document as the arranger takes it."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from bridge.session.arranging import Score
from bridge.session.options import arrange_options, part_shifts
from engine.arrange import FilmLevels
from engine.arrange.changes import ChangeOptions, place_changes
from engine.document import Document
from engine.music import Composition, Slot, Take, controls
from engine.music.controls import BY_ADDRESS
from engine.process.messages import FilmAnalysed


def build_score(
    document: Document, analysed: FilmAnalysed, starts_s: float, levels: FilmLevels, *, settled: bool = False
) -> Score:
    """A document as the arranger takes it.

    settled: its slots are a stretch of a complete film, so that chords are put on hits and cuts in it already.
    """
    result = document.result

    def composition(slots: tuple[Slot, ...]) -> Composition:
        return Composition(
            revision=0,
            film=analysed.film,
            tempo_map=result.tempo_map,
            slots=slots,
            key=result.key,
            grid=result.grid,
            picture_starts_at_s=starts_s,
            cues=document.cues,
            cuts=analysed.cuts,
            hits=document.hits,
            take=Take(document.take),
            key_reason=result.key_reason,
        )

    composed = composition(result.slots)
    where = document.text(controls.CHORDS_ON_CUTS)
    if (result.complete or settled) and (where in ("strong", "all") or (where == "hits" and document.hits)):
        composed = _with_chords_on(composed, ChangeOptions(document.text(controls.HARMONIC_RHYTHM), where))
    pinned = replace(composed, slots=tuple(map(document.pinned, composed.slots))) if document.pins else composed
    return Score(composed, pinned, arrange_options(document, levels), part_shifts(document), result.complete)


@lru_cache(maxsize=4)
def _with_chords_on(composition: Composition, options: ChangeOptions) -> Composition:
    """The composition whose chords change on the sixteenths nearest to hits, or cuts too.

    Placed before pins are put in, so that a pin moves no other chord; remembered, since a long film takes a second and
    every move of a fader asks again.
    """
    return place_changes(composition, options)


def label_of(address: str) -> str:
    """An address in words, for the undo history: `part pad transpose`."""
    return BY_ADDRESS[address].name.replace("/", " ").replace("_", " ")
