"""MIDI clock and song position: Start, Continue, Stop, jumps, tempo, and what cannot be known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.player.tempo import TempoLine
from bridge.transport.midi_clock import ClockReader, song_position
from tests.bridge.transport.streams import Desk, bunched, clocks


def spp(sixteenths: int) -> bytes:
    return bytes([0xF2, sixteenths % 128, sixteenths // 128])


@given(st.integers(0, 16383))
def test_song_position_is_written_as_it_is_read(sixteenths: int) -> None:
    assert song_position(sixteenths / 4) == spp(sixteenths)


def test_song_position_ends_where_it_ends() -> None:
    assert song_position(1e6) == spp(16383)
    assert song_position(-3) == spp(0)


def test_start_is_beat_zero_on_the_next_clock() -> None:
    line = TempoLine.constant(97)
    synchronizer = Desk("clock", tempo=line)
    heard = synchronizer.feed([(0.99, b"\xfa"), *clocks(line, 0.0, 8.0, host_s=1.0)])
    errors = [abs(position - (host - 1.0)) for host, position, state in heard if state == "locked"]
    assert len(errors) > 250
    assert max(errors) < 0.001
    assert synchronizer.synchronizer.measured_bpm() == pytest.approx(97, rel=1e-4)


@pytest.mark.parametrize("sixteenth", [1, 16, 63, 400, 16000])
def test_continue_goes_on_from_the_stated_position(sixteenth: int) -> None:
    line = TempoLine.constant(120)
    synchronizer = Desk("clock", tempo=line)
    synchronizer.feed([(0.0, spp(sixteenth))])
    synchronizer.until(0.5)
    begin = sixteenth / 8
    assert synchronizer.follower.motion.position_s == pytest.approx(begin)
    heard = synchronizer.feed([(1.0, b"\xfb"), *clocks(line, sixteenth / 4, 3.0, host_s=1.01)])
    assert all(abs(p - begin - (host - 1.01)) < 0.001 for host, p, s in heard if s == "locked")


def test_stop_and_continue_without_a_position_goes_on_from_its_sixteenth() -> None:
    line = TempoLine.constant(120)
    synchronizer = Desk("clock", tempo=line)
    synchronizer.feed([(0.0, b"\xfa"), *clocks(line, 0.0, 2.1)])
    synchronizer.feed([(2.11, b"\xfc")])
    assert not synchronizer.follower.rolling
    synchronizer.feed([(3.0, b"\xfb"), *clocks(line, 4.0, 1.0, host_s=3.0)])
    # 2.1 s are 4.2 beats: the sixteenth begins at 4.0.
    assert synchronizer.follower.motion.position_at(4.0) == pytest.approx(3.0, abs=0.01)


def test_ardours_loop_stop_position_continue_is_a_jump() -> None:
    line = TempoLine.constant(120)
    synchronizer = Desk("clock", tempo=line)
    synchronizer.feed([(0.0, b"\xfa"), *clocks(line, 0.0, 2.0)])
    synchronizer.feed([(2.0, b"\xfc"), (2.0, spp(0)), (2.0, b"\xfb"), *clocks(line, 0.0, 1.0, host_s=2.001)])
    assert synchronizer.follower.motion.position_at(3.0) == pytest.approx(0.999, abs=0.003)


def test_clocks_while_stopped_tell_the_tempo_only() -> None:
    line = TempoLine.constant(133)
    synchronizer = Desk("clock", tempo=line)
    synchronizer.feed(clocks(line, 0.0, 3.0))
    assert synchronizer.synchronizer.measured_bpm() == pytest.approx(133, rel=1e-4)
    assert not synchronizer.follower.rolling


@pytest.mark.parametrize("period_s", [256 / 48000, 1024 / 48000])
def test_tempo_through_bunched_arrivals(period_s: float) -> None:
    line = TempoLine.constant(120)
    synchronizer = Desk("clock", tempo=line)
    heard = synchronizer.feed(bunched([(0.0, b"\xfa"), *clocks(line, 0.0, 10.0)], period_s))
    assert synchronizer.synchronizer.measured_bpm() == pytest.approx(120, rel=0.004)
    late = [host - position for host, position, state in heard if state == "locked" and host > 2]
    assert max(late) - min(late) < 0.01
    assert synchronizer.follower.jumps == 0


def test_a_tempo_map_with_changes_is_followed_when_it_is_known() -> None:
    line = TempoLine([(0.0, 0.0, 0.5), (8.0, 4.0, 60 / 97), (16.0, 4.0 + 8 * 60 / 97, 60 / 150)])
    synchronizer = Desk("clock", tempo=line)
    heard = synchronizer.feed([(0.0, b"\xfa"), *clocks(line, 0.0, 14.0)])
    assert max(abs(position - host) for host, position, state in heard if state == "locked") < 0.01


def test_a_clock_at_another_tempo_than_the_map_keeps_the_beat() -> None:
    """The map says 120, the DAW plays 97: seconds of the map run slower, beats agree."""
    map_line, daw = TempoLine.constant(120), TempoLine.constant(97)
    synchronizer = Desk("clock", tempo=map_line)
    heard = synchronizer.feed([(0.0, b"\xfa"), *clocks(daw, 0.0, 10.0)])
    assert synchronizer.synchronizer.measured_bpm() == pytest.approx(97, rel=1e-3)
    beats = [abs(map_line.beats_at(p) - daw.beats_at(host)) for host, p, s in heard if host > 2.5]
    assert max(beats) < 0.02


def test_a_position_sent_again_while_running_changes_nothing_and_another_one_is_a_jump() -> None:
    line = TempoLine.constant(120)
    synchronizer = Desk("clock", tempo=line)
    synchronizer.feed([(0.0, b"\xfa"), *clocks(line, 0.0, 1.0)])
    synchronizer.feed([(1.005, spp(8))])
    assert synchronizer.follower.jumps == 0
    synchronizer.feed([(1.01, spp(100)), *clocks(line, 25.0, 1.0, host_s=1.02)])
    assert synchronizer.follower.motion.position_at(2.02) == pytest.approx(13.5, abs=0.002)


def test_missing_clocks_are_said() -> None:
    line = TempoLine.constant(120)
    synchronizer = Desk("clock", tempo=line)
    synchronizer.feed([(0.0, b"\xfa"), *clocks(line, 0.0, 1.0), *clocks(line, 0.0, 1.0, host_s=2.0)])
    assert len(synchronizer.synchronizer.notes) == 1
    assert "missing" in synchronizer.synchronizer.notes[0]


def test_the_end_of_song_position_is_said() -> None:
    reader = ClockReader()
    reader.feed(spp(16383), 0.0)
    reader.feed(spp(16383), 1.0)
    assert len(reader.notes) == 1


def test_no_clock_for_a_quarter_of_a_second_freewheels_then_stops() -> None:
    line = TempoLine.constant(120)
    synchronizer = Desk("clock", tempo=line, freewheel_s=0.2)
    synchronizer.feed([(0.0, b"\xfa"), *clocks(line, 0.0, 2.0)])
    synchronizer.until(2.26)
    assert synchronizer.follower.state == "freewheel"
    synchronizer.until(2.5)
    assert synchronizer.follower.state == "lost"


@given(
    st.lists(
        st.tuples(st.floats(-1, 1), st.sampled_from([b"\xf8", b"\xfa", b"\xfb", b"\xfc", spp(3), spp(16383), b"\xf2"]))
    )
)
def test_any_order_of_messages_is_survived(stream: list[tuple[float, bytes]]) -> None:
    synchronizer = Desk("clock")
    host = 0.0
    for step, data in stream:
        host += step
        synchronizer.feed([(host, data)])
    synchronizer.until(host + 100)
    assert not synchronizer.follower.rolling


def test_continue_while_it_runs_costs_no_clock() -> None:
    reader, at, beats = ClockReader(), 0.0, []
    reader.feed(b"\xfa", at)
    for number in range(240):
        if number % 50 == 49:
            reader.feed(b"\xfb", at)
        at += 60 / 120 / 24
        beats += [said.position_beats for said in reader.feed(b"\xf8", at) if said.position_beats is not None]
    assert beats == [number / 24 for number in range(240)]
