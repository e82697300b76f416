"""Composition + grid -> notes and controllers.  Pure: the standard library and engine.music only (a test checks it)."""

from engine.arrange.arranger import Arranger, arrange
from engine.arrange.expression import film_levels
from engine.arrange.options import (
    Arrangement,
    ArrangeOptions,
    ArrangeState,
    FixedVoicing,
    PartOptions,
    default_parts,
    paper_options,
)
from engine.music import FilmLevels

__all__ = [
    "ArrangeOptions",
    "ArrangeState",
    "Arrangement",
    "Arranger",
    "FilmLevels",
    "FixedVoicing",
    "PartOptions",
    "arrange",
    "default_parts",
    "film_levels",
    "paper_options",
]
