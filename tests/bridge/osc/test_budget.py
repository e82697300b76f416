"""What a sender may use: messages a second, and time of the thread that does what they ask."""

from __future__ import annotations

from bridge.osc.budget import MAX_REMEMBERED, Budget, WorkBudget

ME, YOU = ("127.0.0.1", 5000), ("127.0.0.1", 5001)


def test_a_burst_then_a_steady_rate_for_each_sender_alone() -> None:
    budget = Budget(10.0, 5.0)
    assert [budget.take(ME, 0.0) for _ in range(7)] == [True] * 5 + [False] * 2
    assert budget.take(YOU, 0.0)
    assert [budget.take(ME, 0.25) for _ in range(4)] == [True, True, False, False]
    assert sum(budget.take(ME, 100.0) for _ in range(9)) == 5


def test_many_senders_cost_no_memory() -> None:
    budget = Budget(1.0, 1.0)
    for port in range(10 * MAX_REMEMBERED):
        budget.take(("127.0.0.1", port), 0.0)
    assert len(budget._left) <= MAX_REMEMBERED


def test_work_counts_not_messages() -> None:
    work = WorkBudget()
    for _ in range(1000):  # a thousand messages of 0.1 ms
        assert work.may(ME, 0.0)
        work.spend(ME, 0.0, 0.0001)
    work.spend(ME, 0.0, 24.0)  # one that took 24 s
    assert not work.may(ME, 0.0) and work.may(YOU, 0.0)
    assert not work.may(ME, 50.0) and work.may(ME, 120.0)  # a quarter of the thread is its own


def test_a_refusal_is_said_once_a_second() -> None:
    work = WorkBudget()
    assert [work.to_be_said(ME, at / 10) for at in range(11)] == [True, *[False] * 9, True]
