"""What has to follow an edit, found by comparing the document with the one before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.document import OUTPUT_SETTINGS, Document
from engine.music import PARTS, controls
from engine.process.requests import NETWORK_ONLY, recipe

PARTS_ON: Final = frozenset(controls.of_part(part, "on") for part in PARTS)
UNHEARD: Final = NETWORK_ONLY | OUTPUT_SETTINGS  # no note differs by these until the engine has answered


@dataclass(frozen=True, slots=True)
class Effects:
    """compose: the document's result is not its own.  arrange: notes differ before the engine has answered.
    output: mutes, ports, clocks or nudges differ."""

    compose: bool
    arrange: bool
    output: bool


def effects(before: Document, after: Document) -> Effects:
    names = {name for name, _ in before.settings.items() ^ after.settings.items()}
    return Effects(
        compose=not after.result.complete or recipe(after) != after.result.recipe,
        arrange=_sounds_different(before, after, names),
        output=bool(names & (OUTPUT_SETTINGS | PARTS_ON)),
    )


def _sounds_different(before: Document, after: Document, names: set[str]) -> bool:
    if before.pins != after.pins or before.hits != after.hits or before.sections != after.sections:
        return True
    if before.other_cues != after.other_cues or before.printed != after.printed or before.result != after.result:
        return True
    if before.locks != after.locks:
        return True
    # Of several cues each key is known to the arranger at once.
    return bool(names - (UNHEARD if after.other_cues else UNHEARD | {controls.KEY}))
