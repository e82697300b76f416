"""A theme from what somebody plays on the control port, against the beat where the transport rolls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bridge.player.messages import Touch
from bridge.session.state import SessionState
from engine.music import Note
from engine.music.arguments import ControlError

MOST: Final = 512
_ON, _OFF = 0x90, 0x80
_SHORTEST_BEATS: Final = 0.1


class ThemeRecorder:
    """Collects notes from `begin` to `end`, in beats of the timeline while it rolls, else from the first note on."""

    def __init__(self) -> None:
        self.on = False
        self._notes: list[Note] = []
        self._open: dict[int, tuple[float, int]] = {}
        self._first_s: float | None = None

    def begin(self) -> None:
        self.on, self._notes, self._open, self._first_s = True, [], {}, None

    def end(self, session: SessionState) -> list[Note]:
        """The notes that were played, in order of time; those still held end now.  Raises ControlError for none."""
        self.on = False
        for pitch in list(self._open):
            self._close(pitch, self._beats(session, session.clock.now()))
        if not self._notes:
            raise ControlError("bad_value", "no note was played on the control port.")
        return sorted(self._notes, key=lambda note: (note.start_beats, note.pitch))

    def take(self, session: SessionState, messages: Sequence[Touch]) -> list[Touch]:
        """Takes the notes out of what came in; returns the rest."""
        if not self.on:
            return list(messages)
        rest = []
        for touch in messages:
            kind, pitch, velocity = touch.data[0] & 0xF0, touch.data[1], touch.data[2]
            if kind not in (_ON, _OFF):
                rest.append(touch)
                continue
            self._first_s = touch.host_s if self._first_s is None else self._first_s
            beats = self._beats(session, touch.host_s)
            self._close(pitch, beats)
            if kind == _ON and velocity and len(self._notes) < MOST:
                self._open[pitch] = (beats, velocity)
        return rest

    def _close(self, pitch: int, beats: float) -> None:
        began = self._open.pop(pitch, None)
        if began is not None:
            length = max(beats - began[0], _SHORTEST_BEATS)
            self._notes.append(Note(pitch, began[1], began[0], length, 1, "melody"))

    def _beats(self, session: SessionState, host_s: float) -> float:
        if session.rolling:
            return session.beats_at(session.position_s() - (session.clock.now() - host_s))
        bpm = session.tempo_map.bpm_at(session.beats_at(session.position_s()))
        return (host_s - (self._first_s or host_s)) * float(bpm) / 60
