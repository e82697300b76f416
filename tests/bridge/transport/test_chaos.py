"""Six thousand random events over all sources with the profile `full` (tests/bench/sync.py: a hundred thousand), as a
state machine; a fault prints the fewest events that lead to it (found in seconds: a run is nothing but its numbers)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, seed
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from profiles import count, examples

from bridge.player.scheduler import Scheduler
from bridge.transport.estimator import TRAITS, Follower
from tests.bridge.transport.chaos import SOURCES, Chaos

seen = {"events": 0, "played": 0, "steady": 0}


class DawAndPlayer(RuleBasedStateMachine):
    """Every rule is an event of `Chaos`, whose ear checks each message that the player sends."""

    source = ""

    @initialize(number=st.integers(0, 10_000))
    def begin(self, number: int) -> None:
        self.chaos = Chaos(number, self.source)

    @rule(times=st.integers(1, 6), from_stop=st.booleans())
    def roll(self, times: int, from_stop: bool) -> None:
        if from_stop:
            self.chaos.act(self.chaos.start)
        for _ in range(times):
            self.chaos.act(self.chaos.roll)

    @precondition(lambda self: not self.chaos.rolling)
    @rule()
    def start(self) -> None:
        self.chaos.act(self.chaos.start)

    @precondition(lambda self: self.chaos.rolling)
    @rule()
    def stop(self) -> None:
        self.chaos.act(self.chaos.stop)

    @rule()
    def locate(self) -> None:
        self.chaos.act(self.chaos.locate)

    @rule()
    def loop(self) -> None:
        self.chaos.act(self.chaos.set_loop)

    @rule()
    def replan(self) -> None:
        self.chaos.act(self.chaos.replan)

    @rule()
    def tempo(self) -> None:
        self.chaos.act(self.chaos.retempo)

    @rule()
    def source_lost_or_back(self) -> None:
        self.chaos.act(self.chaos.loss)

    @rule()
    def port_lost_or_back(self) -> None:
        self.chaos.act(self.chaos.pull)

    @rule()
    def player_killed(self) -> None:
        self.chaos.act(self.chaos.die)

    @rule()
    def panic(self) -> None:
        self.chaos.act(self.chaos.panic)

    @rule()
    def rubbish(self) -> None:
        self.chaos.act(self.chaos.rubbish)

    def teardown(self) -> None:
        chaos = getattr(self, "chaos", None)
        if chaos is not None:
            chaos.finish()
            seen["events"] += chaos.events
            seen["played"] += chaos.played
            seen["steady"] += chaos.steady_notes


@pytest.mark.parametrize("source", SOURCES)
def test_any_event_of_any_source(source: str) -> None:
    seen.update(events=0, played=0, steady=0)
    machine = type(f"DawBy{source.capitalize()}", (DawAndPlayer,), {"source": source})
    stories = count(25)
    rules = examples(
        25, stateful_step_count=50, database=None, print_blob=False,
        phases=(Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(seed(5)(machine), settings=rules)
    assert seen["events"] >= 50 * stories
    assert seen["played"] > 5 * stories, "too little was played for the test to mean anything"


def test_notes_are_judged_where_all_is_steady() -> None:
    """Long undisturbed stretches, so that the place of notes is judged and not only their pairs."""
    played = steady = 0
    for number in range(20):
        chaos = Chaos(number)
        chaos.run(60)
        played, steady = played + chaos.played, steady + chaos.steady_notes
    assert played > 200
    assert steady > 20


def test_the_ear_notices_a_player_that_ignores_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Follower, "_standing", lambda self, said, at: None)
    monkeypatch.setattr(Follower, "decide", lambda self, now, at: None)
    monkeypatch.setattr(Follower, "next_decision", lambda self: None)
    with pytest.raises(AssertionError):
        for seed in range(20):
            Chaos(seed).run(100)


def test_the_ear_notices_notes_off_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Scheduler._host_of
    monkeypatch.setattr(Scheduler, "_host_of", lambda self, native, lane: real(self, native, lane) + 0.2)
    with pytest.raises(AssertionError):
        for seed in range(20):
            Chaos(seed).run(100)


def _loop_by_jack() -> int:
    """Long undisturbed loops of the JACK transport, known to the player; how many passes there were."""
    gaps = 0
    for number in range(30):
        chaos = Chaos(number, "jack")
        while not chaos.told_loop:
            chaos.act(chaos.set_loop)
        chaos.act(chaos.start)
        for _ in range(25):
            chaos.act(chaos.roll)
            gaps += chaos.silent_from < chaos.stands_until
    return gaps


def test_nothing_begins_between_two_passes_of_a_jack_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _loop_by_jack() > 10
    monkeypatch.setitem(TRAITS, "jack", replace(TRAITS["jack"], gap=False))  # the ear notices a start that is foreseen
    with pytest.raises(AssertionError, match=r"between two passes|from its place"):
        _loop_by_jack()
