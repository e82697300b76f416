"""What a draft's settings mean to the arranger and the ports."""

from __future__ import annotations

from bridge.session.history import Draft
from engine.arrange import ArrangeOptions, FilmLevels
from engine.arrange.options import from_settings
from engine.music import PARTS
from engine.music.controls import of_part


def arrange_options(draft: Draft, levels: FilmLevels | None) -> ArrangeOptions:
    """Raises MusicError where the values do not go together."""
    return from_settings(draft.settings, levels)


def part_shifts(draft: Draft) -> dict[str, int]:
    """Semitones by part; drums stay."""
    return {part: int(draft.number(of_part(part, "transpose"))) for part in PARTS if part != "drums"}


def channels(draft: Draft) -> dict[str, int]:
    """MIDI channel by part."""
    return {part: int(draft.number(of_part(part, "channel"))) for part in PARTS}
