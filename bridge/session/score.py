"""A document of the running session as the arranger takes it."""

from __future__ import annotations

from engine.arrange import FilmLevels
from engine.arrange import score as shared
from engine.arrange.score import Score
from engine.document import Document
from engine.music.controls import BY_ADDRESS
from engine.process.messages import FilmAnalysed


def build_score(
    document: Document, analysed: FilmAnalysed, starts_s: float, levels: FilmLevels, *, settled: bool = False
) -> Score:
    """See `engine.arrange.score.build_score`."""
    return shared.build_score(document, analysed.film, analysed.cuts, levels, starts_s=starts_s, settled=settled)


def label_of(address: str) -> str:
    """An address in words, for the undo history: `part pad transpose`."""
    return BY_ADDRESS[address].name.replace("/", " ").replace("_", " ")
