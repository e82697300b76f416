"""The settings of a document: by address of the controls table, with their defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.music.arguments import Value
from engine.music.controls import BY_ADDRESS, SETTINGS, with_scope

CUE_CONTROLS: Final = with_scope("cue")  # what each cue has of its own
TAKE_CONTROLS: Final = with_scope("take")  # what a take brings with it; where its cue is and its name stay
# How notes are sent and positions are shown; no note differs because of them.
OUTPUT_SETTINGS: Final = frozenset(address for address in SETTINGS if BY_ADDRESS[address].effect == "output")


class Settings:
    """What has `settings`, of which those that are not held there have their default."""

    __slots__ = ()
    settings: Mapping[str, Value]

    def value(self, address: str) -> Value:
        return self.settings.get(address, SETTINGS[address])

    def number_of(self, address: str) -> float:
        """Of a numeric control.  Raises TypeError for others."""
        value = self.value(address)
        if isinstance(value, str) or value is None:
            raise TypeError(f"{address} holds {value!r}")
        return float(value)

    def text(self, address: str) -> str:
        return str(self.value(address))


__all__ = ["CUE_CONTROLS", "OUTPUT_SETTINGS", "SETTINGS", "TAKE_CONTROLS", "Settings", "Value"]
