"""The queue between the OSC thread and the session: order, turns, bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.osc.codec import Message
from bridge.osc.fair_queue import FairQueue
from bridge.osc.server import Datagram


def datagram(sender: int, number: int) -> Datagram:
    return Datagram((Message(f"/{number}"),), ("127.0.0.1", sender), 0.0)


def test_who_comes_late_is_heard_before_the_rest_of_a_flood() -> None:
    queue = FairQueue(limit=100, limit_of_one=60)
    assert sum(queue.put(datagram(1, number)) for number in range(1000)) == 60
    assert sum(queue.put(datagram(2, number)) for number in range(1000)) == 50  # half of the room for each of two
    assert queue.put(datagram(3, 0))  # full: the longest row gives way
    assert len(queue) == 100
    first = [queue.get() for _ in range(3)]
    assert [each.sender[1] for each in first if each is not None] == [1, 2, 3]


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=300))
def test_each_senders_datagrams_stay_in_order_and_none_is_made_up(moves: list[tuple[int, bool]]) -> None:
    queue = FairQueue(limit=20, limit_of_one=8)
    put: dict[int, list[str]] = {}
    got: dict[int, list[str]] = {}
    for number, (sender, in_) in enumerate(moves):
        if in_:
            if queue.put(datagram(sender, number)):
                put.setdefault(sender, []).append(f"/{number}")
        elif (found := queue.get()) is not None:
            got.setdefault(found.sender[1], []).append(found.messages[0].address)
        assert len(queue) <= 20
    while (found := queue.get()) is not None:
        got.setdefault(found.sender[1], []).append(found.messages[0].address)
    assert len(queue) == 0
    for sender, addresses in got.items():
        remaining = iter(put[sender])
        assert all(address in remaining for address in addresses)  # in the order in which they came
