"""What somebody plays on the control port, as music: a chord that is held, a bass note that is held, a phrase.

A chord that is held for a moment is the chord of the bar that plays; a low note that is held by itself is a pedal under
it; notes one after another, then a rest, are a theme.  Only this decides which of them it is:

* three or more different tones that were held together, unchanged, for HELD_S are a chord;
* one tone below LOW, alone and held for LONG_S, is a pedal;
* four or more notes, never three of them together, and REST_S without one more are a phrase.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bridge.controls.theme_recorder import ThemeRecorder
from bridge.player.messages import Touch
from bridge.session.state import SessionState
from engine.music import Note
from engine.music.played_chord import LEAST

HELD_S: Final = 0.2
LONG_S: Final = 0.6
REST_S: Final = 1.5
LOW: Final = 48  # C3 where middle C is C4
PHRASE: Final = 4
_ON: Final = 0x90
_OFF: Final = 0x80


@dataclass(frozen=True, slots=True)
class Played:
    """kind: "chord", "pedal" or "phrase".  pitches: from low to high.  at_s: picture second where it began.  notes: of
    a phrase, in beats."""

    kind: str
    pitches: tuple[int, ...] = ()
    at_s: float = 0.0
    notes: tuple[Note, ...] = ()


class Capture:
    """Listens from `begin` to `end`."""

    def __init__(self) -> None:
        self.on = False
        self._phrase = ThemeRecorder()
        self._held: dict[int, float] = {}  # pitch -> picture second where it was struck
        self._changed_s = 0.0  # host
        self._count = 0
        self._together = 0
        self._given = False

    def begin(self) -> None:
        self.on, self._held, self._given = True, {}, False
        self._begin_phrase()

    def end(self) -> None:
        self.on = self._phrase.on = False

    def _begin_phrase(self) -> None:
        self._phrase.begin()
        self._count = self._together = 0

    def take(self, session: SessionState, messages: Sequence[Touch]) -> list[Touch]:
        """Takes the notes out of what came in; returns the rest."""
        if not self.on:
            return list(messages)
        for touch in messages:
            kind, pitch, velocity = touch.data[0] & 0xF0, touch.data[1], touch.data[2]
            if kind not in (_ON, _OFF):
                continue
            self._changed_s = touch.host_s
            if kind == _ON and velocity:
                if not self._held:
                    self._given = False  # another hold
                self._held[pitch] = session.position_s() - (
                    session.clock.now() - touch.host_s if session.rolling else 0.0
                )
                self._count += 1
                self._together = max(self._together, len(self._held))
            else:
                self._held.pop(pitch, None)
        return self._phrase.take(session, messages)

    def heard(self, session: SessionState, host_s: float) -> Played | None:
        """What was played, once; to be asked with every tick."""
        if not self.on:
            return None
        rest_s = host_s - self._changed_s
        pitches = tuple(sorted(self._held))
        tones = {pitch % 12 for pitch in pitches}
        if not self._given and len(tones) >= LEAST and rest_s >= HELD_S:
            return self._give(Played("chord", pitches, min(self._held.values())))
        alone = self._count == 1 and len(pitches) == 1 and pitches[0] < LOW
        if not self._given and alone and rest_s >= LONG_S:
            return self._give(Played("pedal", pitches, self._held[pitches[0]]))
        if not self._held and self._count and rest_s >= REST_S:
            phrase = self._count >= PHRASE and self._together < LEAST and not self._given
            notes = tuple(self._phrase.end(session)) if phrase else ()
            self._begin_phrase()
            if phrase:
                return Played("phrase", notes=notes)
        return None

    def _give(self, played: Played) -> Played:
        self._given = True
        self._begin_phrase()
        return played
