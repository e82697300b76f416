"""What a document's settings mean to the arranger and the ports."""

from __future__ import annotations

from engine.arrange import ArrangeOptions, FilmLevels
from engine.arrange.options import from_settings
from engine.document import Document
from engine.music import PARTS
from engine.music.controls import of_part


def arrange_options(document: Document, levels: FilmLevels | None) -> ArrangeOptions:
    """Raises MusicError where the values do not go together."""
    return from_settings(document.settings, levels)


def channels(document: Document) -> dict[str, int]:
    """MIDI channel by part."""
    return {part: int(document.number_of(of_part(part, "channel"))) for part in PARTS}
