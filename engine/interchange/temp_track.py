"""What a temp track asks for: its tempo, its key, how often its chords change, and where it is loud.

Never its melody or its chords.  A MIDI file is read by `temp_analysis`, sound by `engine.sound.temp_track`; neither is
loaded here, since `compose` and `live` import this whether there is a temp track or not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from engine.music import Key, Section, UserError
from engine.music.errors import shown

ASPECTS: Final = ("tempo", "key", "rhythm", "energy")
MIDI_ENDINGS: Final = (".mid", ".midi")
# Bars per chord, as `/cue/harmonic_rhythm` names them.
RHYTHMS: Final = {"half": 0.5, "1": 1.0, "2": 2.0, "4": 4.0}


@dataclass(frozen=True, slots=True)
class TempTrack:
    """bpm: of quarter notes, None where no pulse is found.  has_map: its file holds tempo changes of its own.

    bars_per_chord: a word of RHYTHMS.  energy: (from second, 0 to 100), ascending.  notes: sentences.
    """

    name: str
    bpm: float | None = None
    has_map: bool = False
    key: Key | None = None
    bars_per_chord: str = "auto"
    energy: tuple[tuple[float, float], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """What is taken, in words, one line for each of ASPECTS."""
        levels = ", ".join(f"{start:.0f} s: {level:.0f}" for start, level in self.energy)
        tempo = "no pulse was found" if self.bpm is None else f"{self.bpm:g} bpm"
        return (
            f"tempo    {'the tempo map of ' + shown(self.name) if self.has_map else tempo}",
            f"key      {'none was found' if self.key is None else self.key.name}",
            f"rhythm   {'not found' if self.bars_per_chord == 'auto' else self.bars_per_chord + ' bars a chord'}",
            f"energy   {levels or 'even'}",
        )

    def without(self, refused: Sequence[str]) -> TempTrack:
        """The same without what is refused, words of ASPECTS.  Raises UserError."""
        for word in refused:
            if word not in ASPECTS:
                raise UserError(
                    f"'{word[:40]}' is not something that a temp track gives; it gives {', '.join(ASPECTS)}."
                )
        made = self
        if "tempo" in refused:
            made = replace(made, bpm=None, has_map=False)
        if "key" in refused:
            made = replace(made, key=None)
        if "rhythm" in refused:
            made = replace(made, bars_per_chord="auto")
        if "energy" in refused:
            made = replace(made, energy=())
        return made

    def sections(self, duration_s: float = math.inf) -> tuple[Section, ...]:
        """The energy course as sections; one even level is none."""
        if len(self.energy) < 2:
            return ()
        return tuple(
            Section(start, (("activity", f"{level:g}"), ("dynamics", f"{level:g}")), "temp")
            for start, level in self.energy
            if start < duration_s
        )

    def facts(self) -> dict[str, Any]:
        return {
            "name": self.name, "bpm": self.bpm, "has_map": self.has_map,
            "key": None if self.key is None else self.key.name, "bars_per_chord": self.bars_per_chord,
            "energy": [list(row) for row in self.energy], "notes": list(self.notes),
        }  # fmt: skip


def from_facts(facts: Mapping[str, Any]) -> TempTrack:
    """What `facts` has written."""
    key = facts["key"]
    return TempTrack(
        facts["name"], facts["bpm"], facts["has_map"], None if key is None else Key.parse(key),
        facts["bars_per_chord"], tuple((row[0], row[1]) for row in facts["energy"]), tuple(facts["notes"]),
    )  # fmt: skip
