"""The cues of a film: pieces of it that get music, each with its own key, progression, tempo and take.

A document holds the values of the selected cue among its settings, where the controls set them, and the other cues as
`CueState`.  Times are picture seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from engine.document.settings import CUE_CONTROLS, Settings, Value
from engine.music import controls

MAX_CUES: Final = 100


@dataclass(frozen=True, slots=True)
class CueState(Settings):
    """One cue: its settings that differ from the default, its take, and where its progression begins.

    number: identifies it for good; the first cue of a film is 0 and numbers are not used again.
    """

    number: int = 0
    settings: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))
    take: int = 1
    progression_from_s: float = 0.0

    @property
    def name(self) -> str:
        return self.text(controls.NAME)

    @property
    def in_s(self) -> float:
        return self.number_of(controls.IN)

    @property
    def out_s(self) -> float | None:
        """None: where the next cue begins, or the film ends."""
        value = self.value(controls.OUT)
        return None if isinstance(value, str) or value is None else float(value)

    @property
    def bar_1_s(self) -> float | None:
        """None: its bars are those of the timeline."""
        value = self.value(controls.BAR_1)
        if value == "in":
            return self.in_s
        return None if isinstance(value, str) or value is None else float(value)

    @property
    def is_default(self) -> bool:
        """No name, range or bar 1 set."""
        return not any(
            address in self.settings for address in (controls.NAME, controls.IN, controls.OUT, controls.BAR_1)
        )


def cue_settings(settings: Mapping[str, Value]) -> Mapping[str, Value]:
    """Those of the settings that a cue has of its own."""
    return MappingProxyType({address: settings[address] for address in CUE_CONTROLS if address in settings})


def ends(cues: Sequence[CueState]) -> list[float | None]:
    """The Out of each cue, for cues in order of their In; None: the end of the film."""
    nexts: list[float | None] = [*(cue.in_s for cue in cues[1:]), None]
    return [
        following if cue.out_s is None else cue.out_s if following is None else min(cue.out_s, following)
        for cue, following in zip(cues, nexts, strict=True)
    ]


def free_name(cues: Sequence[CueState]) -> str:
    """`1m2` after `1m1`: the first name of the reel that no cue has."""
    names = {cue.name for cue in cues}
    number = 1
    while f"1m{number}" in names:
        number += 1
    return f"1m{number}"


def overlapping(cues: Sequence[CueState]) -> tuple[CueState, CueState] | None:
    """The first two cues, in order of their In, of which one begins inside the other; None: there are none."""
    for first, second in pairwise(cues):
        if second.in_s <= first.in_s or (first.out_s is not None and first.out_s > second.in_s):
            return first, second
    return None
