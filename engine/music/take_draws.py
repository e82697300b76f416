"""Of which takes a take has the layers of its plan.

A plan is drawn in layers: form, players, palettes (with how long chords last), keys, theme.  Each layer hangs on the
number of a take: its own, or that of a take whose layer is kept.  Written `form=3 players=5 -palettes=E1,T2`: with a
minus the values that the take's own draws shall not come to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from engine.music.errors import MusicError

LAYERS: Final = ("form", "players", "palettes", "keys", "theme")
AVOIDED: Final = 0.04  # what is left of the weight of a value that shall not be drawn
_MOST_TAKE: Final = 999_999
_LAYER_OF: Final[Mapping[str, str]] = MappingProxyType(
    {
        "form": "form", "transition": "form", "stop": "form",
        "ensemble": "players",
        "variant": "palettes", "again": "palettes", "unit": "palettes", "ostinato": "palettes", "tempo": "palettes",
        "meter": "palettes",
        "tonic": "keys", "contrast key": "keys", "lift key": "keys", "relation": "keys",
        "theme": "theme", "turn": "theme",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TakeDraws:
    """takes: by layer, the take that it is drawn as; absent: the take's own.  avoided: by layer, values that its own
    draws shall not come to."""

    takes: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    avoided: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))

    def take_for(self, word: object, own: int) -> int:
        """The take that a draw hangs on.  word: the first of the words by which it is named."""
        return self.takes.get(_LAYER_OF.get(str(word), ""), own)

    def weight(self, layer: str, value: str) -> float:
        """By what the weight of a value is multiplied."""
        return AVOIDED if value in self.avoided.get(layer, ()) else 1.0

    def __bool__(self) -> bool:
        return bool(self.takes or self.avoided)


OWN: Final = TakeDraws()


def parse_draws(text: str) -> TakeDraws:
    """Raises MusicError."""
    takes: dict[str, int] = {}
    avoided: dict[str, tuple[str, ...]] = {}
    for word in text.split():
        name, equals, value = word.removeprefix("-").partition("=")
        if name not in LAYERS or not equals or not value:
            raise MusicError(
                f"'{word}' is not a layer of a take; write form=3 or -players=pop, of {', '.join(LAYERS)}."
            )
        if word.startswith("-"):
            avoided[name] = tuple(part.replace("_", " ") for part in value.split(",") if part)
        elif not value.isdecimal() or not 1 <= int(value) <= _MOST_TAKE:
            raise MusicError(f"'{value}' is not a take number.")
        else:
            takes[name] = int(value)
    return TakeDraws(MappingProxyType(takes), MappingProxyType(avoided))


def draws_text(draws: TakeDraws) -> str:
    """As `parse_draws` reads it."""
    words = [f"{layer}={draws.takes[layer]}" for layer in LAYERS if layer in draws.takes]
    words += [
        f"-{layer}={','.join(value.replace(' ', '_') for value in draws.avoided[layer])}"
        for layer in LAYERS
        if draws.avoided.get(layer)
    ]
    return " ".join(words)
