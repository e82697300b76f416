"""JACK loses a period and what was written into it: a note-off in it is owed still."""

from __future__ import annotations

from bridge.player.messages import NOTE, PlayerOptions, PortOptions
from bridge.player.performer import XRUN_REPEATS_S, Performer
from tests.bridge.player.stage import PARTS, Port


class Played:
    """A performer that has played one short note, 10.0 to 10.25 s, on a port that remembers."""

    def __init__(self, again_beats: float | None = None) -> None:
        self.port = Port(0.01)
        self.performer = Performer(PlayerOptions(parts=PARTS, ports=PortOptions()), lambda: self.port, 9.9)
        self.performer.begin_plan(1, "beats", 0.0)
        for start in (0.0, again_beats):
            if start is not None:
                self.performer.plan_event(NOTE, 1, 1, 64, 90, start, 0.5)
        self.performer.commit_plan(1, 9.9)
        self.performer.play(9.99)
        self.to(10.2, 0.005, 9.99)
        assert self.keys == [(0x91, 64)]
        self.to(10.26, 0.005, 10.2)
        assert self.keys == [(0x91, 64), (0x81, 64)]
        self.port.got.clear()

    @property
    def keys(self) -> list[tuple[int, int]]:
        return [(due.status, due.data1) for due in self.port.got]

    def to(self, end_s: float, step_s: float, now_s: float) -> None:
        while now_s < end_s:
            self.performer.step(now_s)
            now_s += step_s


def test_offs_are_sent_again_until_the_loss_is_over() -> None:
    """JACK tells of the first lost period of several: what is sent again at once may be lost like the first."""
    played = Played()
    played.port.xruns += 1
    told_s = 10.3
    for count, after_s in enumerate(XRUN_REPEATS_S):
        wake_s = played.performer.next_wake()
        assert not count or (wake_s is not None and wake_s <= told_s + after_s + 1e-9)
        played.performer.step(told_s + after_s - 0.002 if count else told_s)
        assert played.keys == [(0x81, 64)] * (count or 1)
        played.performer.step(told_s + after_s)
        assert played.keys == [(0x81, 64)] * (count + 1)
    played.to(12.0, 0.01, told_s + 0.31)
    assert played.keys == [(0x81, 64)] * len(XRUN_REPEATS_S)


def test_an_off_after_jack_told_is_sent_again_too() -> None:
    played = Played(again_beats=0.55)
    played.port.xruns += 1
    played.to(10.3, 0.005, 10.26)
    assert played.keys == [(0x81, 64), (0x91, 64)]
    played.to(10.53, 0.005, 10.3)  # struck again at 10.275, till 10.525: no off comes into the middle of it
    assert played.keys == [(0x81, 64), (0x91, 64), (0x81, 64)]
    played.to(11.0, 0.005, 10.53)
    assert played.keys == [(0x81, 64), (0x91, 64), (0x81, 64), (0x81, 64)]


def test_without_a_lost_period_nothing_is_sent_twice() -> None:
    played = Played()
    played.to(11.0, 0.005, 10.26)
    assert played.keys == []
