"""The follower with sources that are no MIDI: script ticks, JACK periods; and the synchronizer's choice of source."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from bridge.player.errors import SyncError
from bridge.player.messages import SyncOptions
from bridge.player.sync import Synchronizer
from bridge.player.tempo import TempoLine
from bridge.transport.estimator import Follower
from bridge.transport.state import Loop, TransportObservation
from engine.music.timecode import FRAME_RATES
from tests.bridge.transport.streams import Desk, quarter_frames


def script(host_s: float, position_s: float, rolling: bool = True, **more: object) -> TransportObservation:
    return TransportObservation("script", host_s, position_s=position_s, rolling=rolling, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("tick_s", [0.033, 0.1])
def test_between_script_ticks_the_playhead_is_within_five_milliseconds(tick_s: float) -> None:
    """Ticks of REAPER and of Live, each up to 8 ms late."""
    noise = random.Random(3)
    follower = Follower("script")
    host, errors = 0.0, []
    for _ in range(200):
        follower.observe(script(host + noise.uniform(0, 0.008), 10.0 + host), host + 0.008)
        if host > 1.0:
            errors += [
                abs(follower.motion.position_at(host + step * tick_s / 8) - 10.0 - host - step * tick_s / 8)
                for step in range(8)
            ]
        host += tick_s
    errors.sort()
    assert errors[int(len(errors) * 0.99)] < 0.0085
    assert errors[len(errors) // 2] < 0.005
    assert follower.jumps == 0


def test_one_late_word_is_not_a_jump_and_two_that_agree_are() -> None:
    follower = Follower("script")
    for index in range(30):
        follower.observe(script(index * 0.1, index * 0.1), index * 0.1)
    assert follower.observe(script(3.0, 2.6), 3.0) is None
    assert follower.observe(script(3.1, 3.1), 3.1) is None
    assert follower.jumps == 0
    assert follower.observe(script(3.2, 50.0), 3.2) is None
    change = follower.observe(script(3.3, 50.1), 3.3)
    assert change is not None and change.jump
    assert follower.motion.position_at(3.4) == pytest.approx(50.2)


def test_stop_holds_where_the_source_says() -> None:
    follower = Follower("script")
    for index in range(30):
        follower.observe(script(index * 0.1, index * 0.1), index * 0.1)
    change = follower.observe(script(3.0, 2.95, rolling=False), 3.0)
    assert change is not None and change.jump and not change.motion.audible
    assert follower.motion.position_at(9.0) == 2.95
    assert follower.state == "stopped"


def test_shuttle_is_silent_and_varispeed_is_not() -> None:
    follower = Follower("script")
    for index in range(20):
        follower.observe(script(index * 0.1, index * 0.4, rate=4.0), index * 0.1)
    assert not follower.motion.audible
    follower = Follower("script")
    for index in range(20):
        follower.observe(script(index * 0.1, index * 0.05, rate=0.5), index * 0.1)
    assert follower.motion.audible
    assert follower.motion.rate == pytest.approx(0.5)


def test_jack_periods_are_followed_to_the_sample() -> None:
    follower = Follower("jack")
    for index in range(100):
        follower.observe(
            TransportObservation("jack", 5.0 + index * 0.1, position_s=index * 0.1, rolling=True, rate=1.0), 5.0
        )
    assert follower.motion.position_at(16.0) == pytest.approx(11.0, abs=1e-6)
    assert follower.state == "locked"


def jack(host_s: float, position_s: float, rolling: bool = True, locate: bool = False) -> TransportObservation:
    rate = 1.0 if rolling else 0.0
    return TransportObservation("jack", host_s, position_s=position_s, rolling=rolling, rate=rate, locate=locate)


@pytest.mark.parametrize("gap_s", [0.0, 0.021, 0.064, 0.5])
def test_a_jack_loop_ends_on_time_and_begins_when_jack_says_so(gap_s: float) -> None:
    """The transport stands for as long as its slowest client needs: a start that was foreseen would be struck twice."""
    follower = Follower("jack")
    follower.set_loop(Loop(4.0, 6.0), 0.0)
    for index in range(21):
        follower.observe(jack(index * 0.1, 4.0 + index * 0.1 - 0.005), index * 0.1)
    end = follower.next_wrap()
    assert end == pytest.approx(2.005)
    change = follower.wrap(2.005)
    assert change.jump and not change.motion.audible and change.motion.position_at(2.1) == 6.0
    assert follower.next_wrap() is None
    assert follower.observe(jack(2.006, 6.001), 2.006) is None  # the rest of its period
    if gap_s:
        assert follower.observe(jack(2.02, 4.0, rolling=False, locate=True), 2.02) is None
    rolls = 2.02 + gap_s
    while (due := follower.next_decision()) is not None and due < rolls:
        follower.decide(due, due)
        assert not follower.motion.audible
    change = follower.observe(jack(rolls, 4.0, locate=not gap_s), rolls + 0.01)
    assert change is not None and change.jump and change.motion.audible
    assert change.motion.position_at(rolls) == pytest.approx(4.0)
    assert follower.next_wrap() == pytest.approx(rolls + 2.0)


def test_a_jack_transport_that_goes_on_beyond_the_loop_is_followed() -> None:
    follower = Follower("jack")
    follower.set_loop(Loop(4.0, 6.0), 0.0)
    follower.observe(jack(0.0, 5.0), 0.0)
    follower.wrap(1.0)
    assert follower.observe(jack(1.05, 6.05), 1.05) is None
    due = follower.next_decision()
    assert due is not None and due < 1.2
    change = follower.decide(due, due + 0.01)
    assert change is not None and change.jump and change.motion.audible
    assert follower.motion.position_at(2.0) == pytest.approx(7.0)


def test_a_wrap_that_is_not_confirmed_is_taken_back() -> None:
    """The loop was switched off in the DAW without a word: the source goes on beyond the end."""
    follower = Follower("script")
    follower.set_loop(Loop(0.0, 2.0), 0.0)
    for index in range(60):
        host = index * 0.1
        wrap = follower.next_wrap()
        if wrap is not None and wrap <= host and host < 2.05:
            follower.wrap(wrap)
        follower.observe(script(host, host), host)
    assert follower.motion.position_at(6.0) == pytest.approx(6.0, abs=0.01)


def synchronizer(position: str = "auto", tempo: str = "auto", **more: object) -> Synchronizer:
    line = TempoLine.constant(120)
    return Synchronizer(SyncOptions(position, tempo, **more), lambda: line)  # type: ignore[arg-type]


def test_auto_takes_the_first_source_that_rolls_and_says_so() -> None:
    made = synchronizer()
    assert made.observe(script(0.0, 1.0, rolling=False), 0.0) is None
    assert made.follower is None
    made.observe(script(0.1, 1.0), 0.1)
    assert made.follower is not None and made.follower.source == "script"
    assert made.notes == ["Following the DAW script."]
    # While it rolls, another source is not listened to.
    made.observe(TransportObservation("mtc", 0.2, position_s=99.0, rolling=True), 0.2)
    assert made.follower.source == "script"


def test_position_and_tempo_are_two_roles() -> None:
    made = synchronizer("mtc", "clock")
    for index in range(60):
        made.hear(index / 48, b"\xf8", index / 48)
    assert made.tempo_source() == "clock"
    assert made.measured_bpm() == pytest.approx(120, rel=1e-3)
    assert made.follower is not None and not made.follower.rolling
    assert synchronizer("mtc", "map").measured_bpm() is None


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"position": "ltc"}, "'ltc'"),
        ({"tempo": "tap"}, "'tap'"),
        ({"frame_rate": "fast"}, "fast"),
        ({"freewheel_s": 9.0}, "0 to 5"),
    ],
)
def test_bad_options_are_one_sentence(options: dict[str, object], word: str) -> None:
    with pytest.raises(SyncError, match=word):
        synchronizer(**options)  # type: ignore[arg-type]


def test_the_loop_that_a_script_tells_is_foreseen_by_timecode_too() -> None:
    """The usual pair: timecode for the place, the DAW's script beside it.  Nothing behind the loop's end is struck."""
    synchronizer = Desk("mtc")
    told = script(0.5, 0.5, loop=(1.0, 3.0))
    synchronizer.synchronizer.observe(told, 0.5)
    assert synchronizer.follower.source == "mtc" and synchronizer.follower.loop == Loop(1.0, 3.0)
    for host_s, frame in ((0.0, 0), (3.0, 25)):
        synchronizer.feed(quarter_frames(FRAME_RATES["25"], "25", frame, 3.0 - host_s / 3, host_s=host_s))
    jumps = [host_s for host_s, _, jump in synchronizer.changes if jump and host_s > 1]
    assert jumps == [pytest.approx(3.0, abs=0.001)]  # to the moment, and once
    synchronizer.synchronizer.observe(replace(told, loop=None), 5.0)
    assert synchronizer.follower.loop is None


def test_a_script_without_a_loop_does_not_undo_one_that_was_set_here() -> None:
    synchronizer = Desk("mtc")
    synchronizer.synchronizer.set_loop(Loop(1.0, 3.0), 0.0)
    synchronizer.synchronizer.observe(script(0.0, 0.0), 0.0)
    assert synchronizer.follower.loop == Loop(1.0, 3.0)
