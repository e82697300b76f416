"""A click on every cut: a woodblock at the picture's cuts, so that sync is proven by eye and ear.

Clicks ride on the plan to the player and nowhere else: they are not part of the music, so they are neither exported,
printed nor kept with a take.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.music import Cut, Note, TempoMap
from engine.music.controls import CLICK_CHANNEL, CLICK_PITCH

PART: Final = "click"  # a part of the player's own; with one port per part it is sent on the last of them, the drums'
LENGTH_S: Final = 0.08
VELOCITY: Final = 110
FADE_VELOCITY: Final = 70  # a dissolve has no frame that is the cut: its middle clicks softly


@dataclass(frozen=True, slots=True)
class Click:
    """channel 1..16; pitch 76 is the high woodblock of General MIDI."""

    on: bool = False
    channel: int = CLICK_CHANNEL
    pitch: int = CLICK_PITCH

    def notes(self, cuts: Sequence[Cut], tempo_map: TempoMap, starts_s: float, from_beats: float) -> list[Note]:
        """The clicks from a beat on.  starts_s: timeline second of the film's first frame."""
        if not self.on:
            return []
        notes = []
        for cut in cuts:
            at_s = cut.time_s + starts_s
            beats = tempo_map.beats_at(at_s)
            if beats >= from_beats - 1e-9:
                length = tempo_map.beats_at(at_s + LENGTH_S) - beats
                velocity = VELOCITY if cut.kind == "cut" else FADE_VELOCITY
                notes.append(Note(self.pitch, velocity, beats, length, self.channel, PART))
        return notes
