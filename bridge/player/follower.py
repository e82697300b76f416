"""The plan that the player has, kept by somebody else from the player's own messages."""

from __future__ import annotations

from bridge.player import messages as m
from bridge.player.score import Lane, PlannedNote, Score
from bridge.player.tempo import TempoLine


class PlanFollower:
    """Take each message of the player with `take`.  Subclasses say what of it concerns them."""

    def __init__(self) -> None:
        self._line = TempoLine.constant(120)
        self._score = Score(m.DEFAULT_PARTS)
        self._loading: tuple[int, str, float] | None = None
        self._lanes: list[Lane] = []

    def take(self, message: bytes) -> bool:
        """Whether something has changed for the subclass."""
        kind, payload = message[:1], message[1:]
        if kind == m.TEMPO:
            self._line = TempoLine.unpack(payload[4:])
            return self._tempo_changed()
        if kind == m.PARTS:
            for part in m.unpack_json(payload)[len(self._score.lanes) :]:
                self._score.add_part(part)
        elif kind == m.BEGIN:
            self._loading, self._lanes = m.unpack_begin(payload), self._score.blank()
        elif kind == m.EVENTS and self._loading is not None:
            for event in m.unpack_events(payload):
                self._add(*event)
        elif kind == m.COMMIT and self._loading is not None:
            revision, unit, begins = self._loading
            self._loading = None
            self._score.convert(unit, self._line.seconds_at, self._line.beats_at)
            return self._load(revision, begins)
        return False

    # size: the seven numbers of a packed event.
    def _add(self, kind: int, part: int, channel: int, data1: int, data2: int, start: float, length: float) -> None:
        if part >= len(self._lanes):
            return
        if kind == m.NOTE:
            self._lanes[part].add(PlannedNote(start, start + length, data1, data2, channel))
        else:
            self._lanes[part].add_control(start, channel, data1, data2)

    def _tempo_changed(self) -> bool:
        return True

    def _load(self, revision: int, begins: float) -> bool:
        """The gathered lanes replace the score from `begins` on, which is in its unit."""
        self._score.load(revision, self._lanes, begins, begins)
        return True
