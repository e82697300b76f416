"""MIDI timecode against generated streams with known truth: every rate, both directions, losses, full frames,
rubbish."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from profiles import examples

from bridge.transport.midi_stream import MidiSplitter
from bridge.transport.mmc import read_mmc
from bridge.transport.mtc import MtcReader, full_frame, quarter_frame, rate_code
from engine.music.errors import MusicError
from engine.music.timecode import FRAME_RATES, FrameRate, Timecode
from tests.bridge.transport import streams
from tests.bridge.transport.streams import Desk, backwards, bunched, quarter_frames

RATES = ("23.976", "24", "25", "29.97", "29.97 DF", "30")


def rate_of(name: str) -> FrameRate:
    return FRAME_RATES[name]


def rolling(heard: list[tuple[float, float, str]]) -> list[tuple[float, float, str]]:
    return [said for said in heard if said[2] in ("locking", "locked")]


@pytest.mark.parametrize("name", RATES)
def test_our_writer_writes_what_the_standard_says(name: str) -> None:
    for frame in (0, 17, 1799, 1800, 17982, 107892, 200_001):
        code = Timecode(frame, rate_of(name))
        assert [quarter_frame(piece, code) for piece in range(8)] == streams.pieces(code, name)
        assert full_frame(code) == streams.full_frame(code, name)


def test_a_rate_that_timecode_cannot_carry() -> None:
    with pytest.raises(MusicError, match="cannot carry"):
        rate_code(FRAME_RATES["60"])


@pytest.mark.parametrize("name", RATES)
@pytest.mark.parametrize("parity", [0, 1])
def test_every_rate_is_exact_after_lock_and_does_not_drift(name: str, parity: int) -> None:
    """Over a minute boundary (where drop frame drops) and a ten-minute one (where it does not)."""
    for minute in (1, 10):
        rate = rate_of(name)
        first = Timecode.from_fields(1, minute - 1, 50, 0, rate).frames + parity
        synchronizer = Desk("mtc", name)
        heard = synchronizer.feed(quarter_frames(rate, name, first, 15.0))
        assert heard
        begin = float(first / rate.fps)
        errors = [abs(position - begin - host) for host, position, state in heard if state == "locked"]
        assert len(errors) > 1000
        assert max(errors) * float(rate.fps) < 0.01, "hundredths of a frame"
        assert not [jump for host, state, jump in synchronizer.changes[1:] if jump]
        assert heard[0][0] < 16 / 4 / float(rate.fps)  # two complete groups at the latest


def test_the_rate_measured_at_a_wrongly_stated_one_is_a_thousandth_off() -> None:
    synchronizer = Desk("mtc", "24")
    synchronizer.feed(quarter_frames(rate_of("23.976"), "24", 0, 20.0))
    assert abs(synchronizer.follower.motion.rate - 1 / 1.001) < 1e-4


def test_a_stated_rate_that_contradicts_what_arrives_is_said_once() -> None:
    reader = MtcReader(rate_of("25"))
    for host, data in quarter_frames(rate_of("24"), "24", 0, 1.0):
        reader.feed(data, host)
    assert len(reader.notes) == 1
    assert "25" in reader.notes[0]
    assert reader.rate == rate_of("24")


@pytest.mark.parametrize(
    ("film", "sent", "counted"),
    [
        ("23.976", "24", "23.976"),
        ("29.97", "30", "29.97"),
        ("59.94", "30", "29.97"),
        ("24", "24", "24"),
        ("24", "30", "30"),
        ("23.976", "25", "25"),
        ("29.97", "29.97 DF", "29.97 DF"),
    ],
)
def test_without_a_stated_rate_the_film_tells_the_ntsc_rates(film: str, sent: str, counted: str) -> None:
    reader = MtcReader(film=rate_of(film))
    for host, data in quarter_frames(rate_of(sent), sent, 0, 1.0):
        reader.feed(data, host)
    assert reader.rate == rate_of(counted)
    assert len(reader.notes) == (counted != sent)  # and it is said, once
    stated = MtcReader(rate_of(sent), film=rate_of(film))
    for host, data in quarter_frames(rate_of(sent), sent, 0, 1.0):
        stated.feed(data, host)
    assert stated.rate == rate_of(sent)  # what a person states goes before


@pytest.mark.parametrize("period_s", [0.0, 1024 / 48000])
@pytest.mark.parametrize(
    ("runs", "counted", "said"),
    [("23.976", "24", "23.976"), ("29.97", "30", "29.97"), ("24", "23.976", "24"), ("30", "29.97", "30"),
     ("24", "24", None), ("23.976", "23.976", None), ("25", "25", None), ("29.97 DF", "29.97 DF", None)],
)  # fmt: skip
def test_a_rate_that_is_a_thousandth_off_is_said_after_ten_seconds(runs, counted, said, period_s) -> None:
    label = counted if "DF" in counted else str(rate_of(counted).nominal)
    stream = quarter_frames(rate_of(runs), label, 240, 14.0)
    synchronizer = Desk("mtc", counted)
    synchronizer.feed(bunched(stream, period_s) if period_s else stream)
    told = [note for note in synchronizer.synchronizer.notes if "runs at" in note]
    assert len(told) == (said is not None)
    assert said is None or f"--frame-rate {said}." in told[0]


@pytest.mark.parametrize("first_piece", range(1, 8))
def test_a_stream_that_is_joined_in_the_middle(first_piece: int) -> None:
    rate = rate_of("30")
    heard = rolling(Desk("mtc").feed(quarter_frames(rate, "30", 301, 1.0, first_piece=first_piece)))
    assert heard[0][0] <= 15 / 120 + 1e-9
    for host, position, _ in heard:
        assert abs(position - 301 / 30 - host) < 1e-9


def test_backwards_is_followed_and_silent() -> None:
    rate = rate_of("25")
    synchronizer = Desk("mtc")
    heard = synchronizer.feed(backwards(rate, "25", 2500, 2.0))
    assert heard
    for host, position, _ in heard[20:]:
        assert abs(position - (100.0 - host)) < 1e-6
    assert not synchronizer.follower.motion.audible
    assert synchronizer.follower.motion.rate == -1.0


@pytest.mark.parametrize("name", ["24", "29.97 DF"])
def test_lost_repeated_and_swapped_pieces_do_not_move_the_playhead(name: str) -> None:
    rate = rate_of(name)
    pick = random.Random(5)
    stream = list(quarter_frames(rate, name, 1000, 20.0))
    damaged = []
    index = 0
    while index < len(stream):
        kind = pick.random() if index > 40 else 1.0
        if kind < 0.01:
            pass  # lost
        elif kind < 0.02:
            damaged += [stream[index], stream[index]]
        elif kind < 0.03 and index + 1 < len(stream):
            (early, first), (late, second) = stream[index : index + 2]
            damaged += [(early, second), (late, first)]
            index += 1
        else:
            damaged.append(stream[index])
        index += 1
    synchronizer = Desk("mtc", name)
    heard = rolling(synchronizer.feed(damaged))
    errors = [abs(position - float(1000 / rate.fps) - host) for host, position, _ in heard]
    assert max(errors) * float(rate.fps) < 0.5
    assert synchronizer.follower.jumps == 0


def test_a_full_frame_stands_and_play_from_it_is_followed_from_the_first_piece() -> None:
    rate = rate_of("30")
    synchronizer = Desk("mtc")
    synchronizer.feed([(0.0, full_frame(Timecode(301, rate)))])
    synchronizer.until(1.0)
    assert synchronizer.follower.state == "stopped"
    assert synchronizer.follower.motion.position_s == pytest.approx(301 / 30)
    # Ardour begins with the next even frame.
    heard = synchronizer.feed(quarter_frames(rate, "30", 302, 1.0, host_s=2.0))
    assert heard[0][0] == 2.0
    assert heard[0][1] == pytest.approx(302 / 30)
    assert not [jump for _, _, jump in synchronizer.changes[2:] if jump]


def test_a_stated_position_that_does_not_fit_is_not_believed() -> None:
    rate = rate_of("30")
    synchronizer = Desk("mtc")
    synchronizer.feed([(0.0, full_frame(Timecode(301, rate)))])
    heard = synchronizer.feed(quarter_frames(rate, "30", 5000, 1.0, host_s=2.0))
    heard = rolling(heard)
    assert heard[0][0] > 2.05
    assert all(abs(position - 5000 / 30 - (host - 2.0)) < 1e-6 for host, position, _ in heard)


def test_a_jump_while_rolling_is_followed_within_four_frames() -> None:
    rate = rate_of("25")
    synchronizer = Desk("mtc")
    synchronizer.feed(quarter_frames(rate, "25", 0, 3.0))
    heard = synchronizer.feed(quarter_frames(rate, "25", 5000, 1.0, host_s=3.0))
    right = [host for host, position, _ in heard if abs(position - 200 - (host - 3.0)) < 0.001]
    assert right[0] - 3.0 <= 16 / 100
    assert len(right) == len(heard) - heard.index(next(h for h in heard if h[0] == right[0]))


@pytest.mark.parametrize("period_s", [256 / 48000, 1024 / 48000])
def test_bunched_arrivals_give_a_straight_line(period_s: float) -> None:
    """python-rtmidi on JACK: pieces arrive together at the end of a period, up to a period late."""
    synchronizer = Desk("mtc")
    rate = rate_of("30")
    heard = synchronizer.feed(bunched(quarter_frames(rate, "30", 0, 10.0), period_s))
    late = [host - position for host, position, state in heard if state == "locked" and host > 2.0]
    assert min(late) > 0 and max(late) < period_s + 0.001  # half a period of delay, which nudge takes away
    assert max(late) - min(late) < 0.005
    assert synchronizer.follower.jumps == 0
    assert abs(synchronizer.follower.motion.rate - 1) < 1e-4


@pytest.mark.parametrize("speed", [0.5, 0.9, 1.1, 2.0])
def test_varispeed(speed: float) -> None:
    synchronizer = Desk("mtc")
    heard = synchronizer.feed(quarter_frames(rate_of("25"), "25", 0, 6.0, speed=speed))
    assert synchronizer.follower.motion.audible
    assert abs(synchronizer.follower.motion.rate - speed) < 0.002
    assert all(abs(position - speed * host) < 0.02 for host, position, _ in heard if host > 1.5)


def test_silence_freewheels_and_then_stops_at_the_stated_times() -> None:
    synchronizer = Desk("mtc", freewheel_s=0.5)
    heard = synchronizer.feed(quarter_frames(rate_of("25"), "25", 0, 2.0))
    last = heard[-1][0]
    synchronizer.until(last + 0.2)
    assert synchronizer.follower.state == "freewheel"
    assert synchronizer.follower.motion.audible
    synchronizer.until(last + 0.64)
    assert synchronizer.follower.state == "freewheel"
    synchronizer.until(last + 0.66)
    assert synchronizer.follower.state == "lost"
    assert not synchronizer.follower.motion.audible
    again = synchronizer.feed(quarter_frames(rate_of("25"), "25", 500, 1.0, host_s=last + 3))
    assert again[-1][2] == "locked"


def test_machine_control_locates_at_standstill_and_tells_recording() -> None:
    synchronizer = Desk("mtc")
    locate = bytes([0xF0, 0x7F, 0x7F, 6, 0x44, 6, 1, 0x61, 2, 3, 4, 0, 0xF7])  # 01:02:03:04 at 30
    synchronizer.feed([(0.0, locate)])
    synchronizer.until(0.2)
    assert synchronizer.follower.motion.position_s == pytest.approx(3723 + 4 / 30)
    synchronizer.feed([(1.0, bytes([0xF0, 0x7F, 0x7F, 6, 6, 0xF7]))])
    assert synchronizer.synchronizer.recording is True
    synchronizer.feed([(1.0, bytes([0xF0, 0x7F, 0x7F, 6, 7, 0xF7]))])
    assert synchronizer.synchronizer.recording is False


def test_a_dragged_playhead_counts_only_where_it_rests() -> None:
    synchronizer = Desk("mtc")
    rate = rate_of("24")
    synchronizer.feed([(index * 0.02, full_frame(Timecode(index * 100, rate))) for index in range(40)])
    synchronizer.until(5.0)
    assert len(synchronizer.changes) == 1
    assert synchronizer.follower.motion.position_s == pytest.approx(3900 / 24)


def test_a_foreseen_loop_wraps_on_time_and_the_sources_own_word_changes_nothing() -> None:
    from bridge.transport.state import Loop

    rate = rate_of("25")
    synchronizer = Desk("mtc")
    synchronizer.synchronizer.set_loop(Loop(2.0, 4.0), 0.0)
    stream = list(quarter_frames(rate, "25", 50, 2.0))
    for turn in range(1, 4):  # as Ardour does at every wrap: a full frame, then pieces from the start
        stream.append((turn * 2.0 + 0.003, full_frame(Timecode(50, rate))))
        stream += quarter_frames(rate, "25", 50, 2.0, host_s=turn * 2.0 + 0.004)
    heard = synchronizer.feed(stream)
    jumps = [round(host, 3) for host, _, jump in synchronizer.changes if jump and host > 0.2]
    assert jumps == pytest.approx([2.0, 4.0, 6.0], abs=0.005)  # the source's start is 4 ms late at each turn
    for host, position, _ in heard:
        if host > 0.3 and 0.01 < host % 2.0 < 1.99:
            assert abs(position - 2.0 - host % 2.0) < 0.006


# rubbish ------------------------------------------------------------------------------------------------------------
@examples(300)
@given(st.lists(st.binary(max_size=40), max_size=30), st.lists(st.floats(-10, 10), max_size=30))
def test_any_bytes_are_survived(chunks: list[bytes], steps: list[float]) -> None:
    synchronizer = Desk("mtc")
    host = 0.0
    for index, chunk in enumerate(chunks):
        host += abs(steps[index]) if index < len(steps) else 0.01
        synchronizer.feed([(host, chunk)])
        synchronizer.until(host)
    synchronizer.until(host + 100)
    assert synchronizer.follower.state in ("stopped", "lost")


def test_a_hundred_thousand_random_bytes_raise_nothing() -> None:
    """The bench runs ten million."""
    pick = random.Random(1)
    splitter, mtc = MidiSplitter(), MtcReader()
    for index in range(1000):
        for message in splitter.feed(pick.randbytes(100)):
            mtc.feed(message, index * 0.01)
            read_mmc(message, index * 0.01, mtc)


@given(
    st.lists(st.sampled_from([b"\x90\x3c\x40", b"\xf8", b"\xf1\x23", b"\xf0\x7f\x01\x06\x01\xf7", b"\xc5\x07"])),
    st.integers(1, 7),
)
def test_messages_survive_being_cut_up(messages: list[bytes], size: int) -> None:
    data = b"".join(messages)
    splitter = MidiSplitter()
    found = [m for start in range(0, len(data), size) for m in splitter.feed(data[start : start + size])]
    assert found == messages


def test_running_status_and_clocks_inside_messages() -> None:
    found = MidiSplitter().feed(bytes([0x90, 60, 0xF8, 64, 62, 64, 0xF0, 1, 0xFA, 2, 0xF7, 5, 0x80, 1, 0xF7]))
    assert found == [b"\xf8", b"\x90\x3c\x40", b"\x90\x3e\x40", b"\xfa", b"\xf0\x01\x02\xf7"]


def test_machine_control_that_calls_every_rate_24_changes_no_rate() -> None:
    """As Ardour does at 30: a full frame, a locate whose rate says 24, then play: its first note is the place's own."""
    from bridge.transport.mmc import read_mmc

    rate = rate_of("30")
    reader = MtcReader()
    reader.feed(streams.full_frame(Timecode.from_fields(0, 0, 10, 0, rate), "30"), 0.0)
    found = read_mmc(bytes([0xF0, 0x7F, 0x7F, 6, 0x44, 6, 1, 0, 0, 10, 28, 0, 0xF7]), 0.1, reader)
    assert [one.position_s for one in found] == [pytest.approx(10 + 28 / 30)]
    assert reader.rate == rate
    heard = []
    for host, data in quarter_frames(rate, "30", 300, 0.5, host_s=1.0):
        heard += reader.feed(data, host)
    assert heard[0].position_s == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("stated", "film", "counted"), [("30", None, 30.0), ("25", "24", 25.0), (None, "23.976", 24000 / 1001)]
)
def test_machine_control_alone_neither_contradicts_the_stated_rate_nor_uses_up_its_warning(
    stated, film, counted
) -> None:
    """Ardour's first word is a locate at "24", before any timecode."""
    from bridge.transport.mmc import read_mmc

    reader = MtcReader(stated and rate_of(stated), film and rate_of(film))
    found = read_mmc(bytes([0xF0, 0x7F, 0x7F, 6, 0x44, 6, 1, 0, 0, 10, 20, 0, 0xF7]), 0.0, reader)
    nominal = round(counted)
    assert [one.position_s for one in found] == [pytest.approx((10 * nominal + 20) / counted)]
    assert reader.notes == []
    reader.feed(streams.full_frame(Timecode.from_fields(0, 0, 10, 0, rate_of("24")), "24"), 0.5)
    assert len(reader.notes) == 1  # timecode itself that really is another, or is counted as another, is said


@pytest.mark.parametrize("name", RATES)
@pytest.mark.parametrize("boundary", [(0, 1, 0), (1, 0, 0), (0, 0, 5), (0, 10, 0)])
@pytest.mark.parametrize("parity", [0, 1])
def test_pieces_filled_from_a_running_counter_move_nothing(
    name: str, boundary: tuple[int, int, int], parity: int
) -> None:
    """Such senders mix the fields of two times where one of them carries: a minute too much for one group."""
    rate = rate_of(name)
    hours, minutes, seconds = boundary
    dropped = rate.drop and seconds == 0 and minutes % 10 != 0
    label = Timecode.from_fields(hours, minutes, seconds, 2 if dropped else 0, rate)
    first = label.frames - 101 + parity
    step = 1.0 / (4 * float(rate.fps))
    stream = [(k * step, streams.pieces(Timecode(first + k // 4, rate), name)[k % 8]) for k in range(1600)]
    synchronizer = Desk("mtc", name)
    heard = synchronizer.feed(stream)
    begin = float(first / rate.fps)
    errors = [abs(position - begin - host) for host, position, state in heard if state == "locked"]
    assert len(errors) > 800
    assert max(errors) * float(rate.fps) < 1.0
    assert not [jump for _, _, jump in synchronizer.changes[1:] if jump]


def test_a_real_jump_by_a_minute_is_followed_with_the_next_time() -> None:
    rate = rate_of("25")
    before = list(quarter_frames(rate, "25", 1000, 4.0))
    host_s = before[-1][0] + 0.01
    after = list(quarter_frames(rate, "25", 1100 + 60 * 25, 4.0, host_s=host_s))
    heard = Desk("mtc", "25").feed(before + after)
    host, position, state = heard[-1]
    assert state == "locked" and position == pytest.approx((1100 + 1500) / 25 + host - host_s, abs=0.01)


@pytest.mark.parametrize("name", RATES)
@pytest.mark.parametrize("late_s", [0.0, 0.001, 0.006])
def test_timecode_that_arrives_twice_is_followed(name: str, late_s: float) -> None:
    rate = rate_of(name)
    once = list(quarter_frames(rate, name, 1000, 3.0))
    stream = sorted([*once, *((host + late_s, message) for host, message in once)], key=lambda item: item[0])
    heard = Desk("mtc", name).feed(stream)
    begin = float(1000 / rate.fps)
    errors = [abs(position - begin - host) for host, position, state in heard if state == "locked"]
    assert len(errors) > 100 and max(errors) * float(rate.fps) < 0.5


@pytest.mark.parametrize("name", RATES)
def test_no_hour_24_is_ever_written(name: str) -> None:
    rate = rate_of(name)
    last = Timecode.from_fields(23, 59, 59, rate.nominal - 1, rate)
    for ahead in range(4):
        code = last + ahead
        hours = quarter_frame(6, code)[1] & 15 | (quarter_frame(7, code)[1] & 1) << 4
        assert hours == full_frame(code)[5] & 31 == (23 if ahead == 0 else 0)
