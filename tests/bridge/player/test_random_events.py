"""Ten thousand random events: nothing hangs, nothing is sent twice, nothing comes before its time, nothing is
left out.

The last test breaks the player in ways that have happened to others and asks that the stage notices: these
checks can fail.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from profiles import count

from bridge.player import scheduler
from bridge.player.ledger import Ledger
from bridge.player.performer import Performer
from bridge.player.scheduler import Scheduler
from bridge.player.score import Lane, Score
from tests.bridge.player.stage import Stage

SEEDS, EVENTS = range(100), 100


@pytest.mark.parametrize("first", range(0, count(100), 25))
def test_random_events(first: int) -> None:
    """Runs of 100 events, each from another seed: 100 of them in the profile `full`."""
    played = 0
    for seed in range(first, first + 25):
        stage = Stage(seed)
        try:
            stage.run(EVENTS)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, event {stage.events}: {error}") from error
        played += stage.played
    assert played > 1000, "too little was played for the test to mean anything"


def _no_offs_at_stop(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Scheduler, "release_all", lambda self, host_s: None)


def _struck_again(patch: pytest.MonkeyPatch) -> None:
    real = Scheduler._seek

    def seek(self: Scheduler, host_s: float) -> None:
        real(self, host_s)
        for lane in self.score.lanes:
            lane.cursor = max(lane.cursor - 1, 0)

    patch.setattr(Scheduler, "_seek", seek)


def _too_early(patch: pytest.MonkeyPatch) -> None:
    real = Scheduler._host_of

    def host_of(self: Scheduler, native: float, lane: Lane) -> float:
        return real(self, native, lane) - 0.001

    patch.setattr(Scheduler, "_host_of", host_of)


def _no_restrike_rule(patch: pytest.MonkeyPatch) -> None:
    def strike(self: Scheduler, due: float, port: int, note: object, lane: Lane) -> None:
        if self.connected:
            key = (port, note.channel, note.pitch)  # type: ignore[attr-defined]
            self.ledger.sounding.pop(key, None)
            self.ledger.strike(key, note, lane)  # type: ignore[arg-type]
            self._emit(due, port, 0x90 | key[1], key[2], note.velocity)  # type: ignore[attr-defined]

    patch.setattr(Scheduler, "_strike", strike)


def _takeover_leaves_old_ends(patch: pytest.MonkeyPatch) -> None:
    real = Lane.replace

    def replace(self: Lane, time: float, new: Lane, ended: Callable[..., None]) -> None:
        old = [(note, note.end) for note in self.spanning(time)]
        real(self, time, new, ended)
        for note, end in old:
            note.end = end

    patch.setattr(Lane, "replace", replace)


def _never_settled(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Score, "settle", lambda self: self._pending.clear())


def _debts_forgotten(patch: pytest.MonkeyPatch) -> None:
    real = Scheduler.port_lost

    def lost(self: Scheduler) -> list[tuple[int, int, int]]:
        real(self)
        return []

    patch.setattr(Scheduler, "port_lost", lost)


def _failed_batch_forgotten(patch: pytest.MonkeyPatch) -> None:
    real = Performer._lose

    def lose(self: Performer, now: float, why: str) -> None:
        self._owed.clear()
        real(self, now, why)

    patch.setattr(Performer, "_lose", lose)


def _commits_nothing(patch: pytest.MonkeyPatch) -> None:
    real = Scheduler.load

    def load(self: Scheduler, *args: object) -> float:
        rules, self.rules = self.rules, type(self.rules)(commit_s=0.0)
        try:
            return real(self, *args)  # type: ignore[arg-type]
        finally:
            self.rules = rules

    patch.setattr(Scheduler, "load", load)


def _first_note_skipped(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(scheduler, "_first_at", lambda lane, native: lane.cursor + 1)


def _offs_forgotten_now_and_then(patch: pytest.MonkeyPatch) -> None:
    real = Ledger.strike

    def strike(self: Ledger, key: tuple[int, int, int], note: object, lane: Lane) -> None:
        if key[2] != 64:
            real(self, key, note, lane)  # type: ignore[arg-type]

    patch.setattr(Ledger, "strike", strike)


@pytest.mark.parametrize(
    "breaks",
    [
        _no_offs_at_stop,
        _struck_again,
        _too_early,
        _no_restrike_rule,
        _takeover_leaves_old_ends,
        _never_settled,
        _debts_forgotten,
        _failed_batch_forgotten,
        _commits_nothing,
        _first_note_skipped,
        _offs_forgotten_now_and_then,
    ],
)
def test_the_stage_notices(breaks: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    breaks(monkeypatch)
    with pytest.raises((AssertionError, LookupError)):
        for seed in SEEDS:
            Stage(seed).run(EVENTS)
