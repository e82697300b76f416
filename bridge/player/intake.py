"""A plan on its way in: its packets are gathered in lanes of their own and taken over whole, or not at all."""

from __future__ import annotations

from typing import NamedTuple

from bridge.player.messages import NOTE
from bridge.player.scheduler import NEVER_SENT
from bridge.player.score import Lane, PlannedNote, Score


class Staged(NamedTuple):
    """from_position and the lanes' times are in `unit`, "beats" or "seconds"."""

    revision: int
    unit: str
    from_position: float
    lanes: list[Lane]


class PlanIntake:
    """`begin`, many `event`s, `take`."""

    def __init__(self) -> None:
        self._staged: Staged | None = None

    def begin(self, revision: int, unit: str, from_position: float, score: Score) -> None:
        self._staged = Staged(revision, unit, from_position, score.blank())

    # size: the seven numbers of a packed event; no object is made for each in the player's loop.
    def event(self, kind: int, part: int, channel: int, data1: int, data2: int, start: float, length: float) -> None:
        """Events of parts that nobody announced, and controllers that are never sent, are left out."""
        if self._staged is None or part >= len(self._staged.lanes):
            return
        lane = self._staged.lanes[part]
        if kind == NOTE:
            lane.add(PlannedNote(start, start + length, data1, data2, channel))
        elif data1 not in NEVER_SENT:
            lane.add_control(start, channel, data1, data2)

    def take(self, revision: int, in_force: int) -> Staged | None:
        """The plan; None for one whose packets did not all come, or that is older than the one in force."""
        staged, self._staged = self._staged, None
        if staged is None or staged.revision != revision or revision < in_force:
            return None
        return staged
