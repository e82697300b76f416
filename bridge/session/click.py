"""A knock on every cut: a woodblock at the picture's cuts, so that sync is proven by eye and ear.

Knocks ride on the plan to the player and nowhere else: they are not part of the music, so they are neither exported,
printed nor kept with a take.  Times in `_s` are picture seconds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from engine.music import Note
from engine.music.controls import CLICK_CHANNEL, CLICK_PITCH

if TYPE_CHECKING:
    from bridge.session.arranging import Load
    from bridge.session.session import Session

PART: Final = "knock"  # a part of the player's own; with one port per part it goes out on the last of them, the drums'
LENGTH_S: Final = 0.08
VELOCITY: Final = 110
FADE_VELOCITY: Final = 70  # a dissolve has no frame that is the cut: its middle knocks softly


class SessionKnock:
    """Of one session.  channel 1..16; pitch 76 is the high woodblock of General MIDI."""

    def __init__(self, session: Session, on: bool = False, channel: int = CLICK_CHANNEL) -> None:
        self._session = session
        self.on = on
        self.channel = channel
        self.pitch = CLICK_PITCH

    def set(self, on: bool, channel: int | None = None, pitch: int | None = None) -> float:
        """Returns the picture second from which it is heard."""
        session = self._session
        wanted = (on, self.channel if channel is None else channel, self.pitch if pitch is None else pitch)
        heard_s = session.transport.soon_s()
        if wanted != (self.on, self.channel, self.pitch):
            self.on, self.channel, self.pitch = wanted
            session.plan.hand_over_again(session.beats_at(heard_s) if session.rolling else None)
        return heard_s

    def added(self, load: Load) -> Load:
        """A load with the knocks that belong to what it replaces."""
        session = self._session
        if not self.on or session.analysed is None:
            return load
        tempo_map, starts_s = session.document.result.tempo_map, session.starts_s
        knocks = []
        for cut in session.analysed.cuts:
            at_s = cut.time_s + starts_s
            beats = tempo_map.beats_at(at_s)
            if beats >= load.from_beats - 1e-9:
                length = tempo_map.beats_at(at_s + LENGTH_S) - beats
                velocity = VELOCITY if cut.kind == "cut" else FADE_VELOCITY
                knocks.append(Note(self.pitch, velocity, beats, length, self.channel, PART))
        return replace(load, notes=(*load.notes, *knocks))
