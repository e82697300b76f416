"""The settings of a document: by address of the controls table, with their defaults."""

from __future__ import annotations

from typing import Final

from engine.music.arguments import Value
from engine.music.controls import BY_ADDRESS, SETTINGS, with_scope

CUE_CONTROLS: Final = with_scope("cue")  # what each cue has of its own
TAKE_CONTROLS: Final = with_scope("take")  # what a take brings with it; where its cue is and its name stay
# How notes are sent and positions are shown; no note differs because of them.
OUTPUT_SETTINGS: Final = frozenset(address for address in SETTINGS if BY_ADDRESS[address].effect == "output")

__all__ = ["CUE_CONTROLS", "OUTPUT_SETTINGS", "SETTINGS", "TAKE_CONTROLS", "Value"]
