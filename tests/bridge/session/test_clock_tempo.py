"""A clock's tempo as the DAW means it, from streams with the jitter of an audio period and a known truth."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from random import Random

import pytest

from bridge.player.messages import PlayerStatus
from bridge.player.tempo import TempoLine
from bridge.session.clock_tempo import ClockTempo, simplest
from bridge.transport.midi_clock import song_position
from engine.music import TempoMap, TimeSignature
from engine.music.timecode import FRAME_RATES
from tests.bridge.transport.streams import Desk, bunched, clocks, quarter_frames

PERIOD_S = 1024 / 48_000


def followed(bpm: float, ours: float, from_s: float, meter: str = "4/4", seconds: float = 12.0, apart_s: float = 0.0,
             period_s: float = PERIOD_S):  # fmt: skip
    """The map in force after some seconds of timecode with clock, and what was said.

    from_s: timeline second where the DAW starts to play; apart_s: how much later the clock is than the timecode;
    period_s: words come bunched in such periods.
    """
    rate = FRAME_RATES["25"]
    line = TempoLine.constant(bpm)
    frame = round(from_s * 25)
    start_s = frame / 25
    desk = Desk("mtc", "25")
    first_clock = -(-round(line.beats_at(start_s) * 4, 6) // 1) / 4  # Continue comes with the next sixteenth
    wait_s = line.seconds_at(first_clock) - start_s
    sent = [(wait_s, song_position(first_clock)), (wait_s, b"\xfb")]
    sent += [(wait_s + host + apart_s, data) for host, data in clocks(line, first_clock, seconds)]
    sent += list(quarter_frames(rate, "25", frame, seconds))
    stream = bunched(sorted(sent, key=lambda item: item[0]), period_s)
    first = TempoMap.constant(ours, TimeSignature.parse(meter))
    tempo_map, watch, said, next_s = first, ClockTempo(), [], 0.5
    for host_s, data in stream:
        desk.feed([(host_s, data)])
        if host_s < next_s or desk.synchronizer.follower is None:
            continue
        next_s += 0.05
        motion = desk.follower.motion
        position_s = motion.position_at(host_s)
        phase = desk.synchronizer.beat_phase(host_s)
        measured = desk.synchronizer.measured_bpm()
        beats = tempo_map.beats_at(position_s)
        status = replace(
            PlayerStatus.NONE, host_s=host_s, position_s=position_s, position_beats=beats, rate=1.0, state="locked",
            rolling=motion.audible, position_source="mtc", tempo_source="clock",
            tempo_bpm=tempo_map.bpm_at(beats) if measured is None else measured, beat_phase=phase,
            clock_beats=desk.synchronizer.clock_beats,
        )  # fmt: skip
        heard = watch.watch(status, tempo_map, lambda: 0.0, host_s)
        if heard is not None:
            tempo_map = heard.tempo_map
            said.append(heard.warning)
    return tempo_map, [word for word in said if word]


@pytest.mark.parametrize(
    ("bpm", "apart", "from_s"), list(product((60.0, 97.0, 120.5, 143.0, 93.3), (1, -5, 30), (0.0, 37.2)))
)
def test_bars_are_the_daws_whatever_the_films_own_tempo_is(bpm: float, apart: float, from_s: float) -> None:
    tempo_map, said = followed(bpm, bpm + apart, from_s)
    assert tempo_map.bpm_at(0.0) == bpm and tempo_map.origin_s == 0 and not said


@pytest.mark.parametrize("bpm", [88.0, 104.0, 133.5])
@pytest.mark.parametrize(("from_s", "meter"), [(100.4, "9/8"), (1100.04, "5/4"), (1799.96, "12/8")])
def test_far_from_bar_1_the_clocks_own_count_says_the_tempo(bpm: float, from_s: float, meter: str) -> None:
    """An hour from bar 1 a sixtieth of a bpm is a beat: the place within the beat fits many tempi."""
    for apart in (-6.0, 1.0):
        tempo_map, said = followed(bpm, bpm + apart, from_s, meter, seconds=7.0)
        assert tempo_map == TempoMap.constant(bpm, TimeSignature.parse(meter)) and not said


@pytest.mark.parametrize(("bpm", "from_s"), [(128.0, 2400.0), (160.0, 3600.0), (111.0, 2400.0)])
def test_behind_the_last_song_position_no_place_is_believed(bpm: float, from_s: float) -> None:
    """Beat 4,095.75 is the last that a clock can state; it said 127.77 for 128, with a sentence, for ever."""
    tempo_map, said = followed(bpm, bpm + 8, from_s, seconds=30.0)
    assert abs(tempo_map.bpm_at(0.0) - bpm) < 0.15 and tempo_map.origin_s == 0 and not said


@pytest.mark.parametrize("from_s", [0.0, 37.2, 300.0])
def test_the_films_own_tempo_in_the_daw_changes_nothing(from_s: float) -> None:
    tempo_map, said = followed(97.0, 97.0, from_s)
    assert tempo_map == TempoMap.constant(97.0) and not said


@pytest.mark.parametrize("meter", ["7/8", "6/8"])
def test_bars_of_other_meters_stay_where_they_are(meter: str) -> None:
    tempo_map, _ = followed(97.0, 93.3, 12.0, meter)
    assert tempo_map == TempoMap.constant(97.0, TimeSignature.parse(meter))


@pytest.mark.parametrize("bpm", [97.13, 88.27, 142.61])
def test_hundredths_are_found_where_play_is_long_enough_under_way_to_tell_them(bpm: float) -> None:
    tempo_map, said = followed(bpm, 97.0 if bpm > 100 else 120.0, 0.0, seconds=90.0)
    assert abs(tempo_map.bpm_at(0.0) - bpm) <= 0.02 and not said
    # By then no beat is further off than such a clock can be read.
    assert abs(tempo_map.seconds_at(tempo_map.beats_at(90.0)) - 90.0) < 1e-6
    true_beats = 90.0 * bpm / 60
    assert abs(tempo_map.beats_at(90.0) - true_beats) * 60 / bpm < 0.02


@pytest.mark.parametrize(("bpm", "ours"), [(88.27, 81.0), (88.27, 88.3), (97.01, 97.0), (143.98, 120.0)])
@pytest.mark.parametrize("from_s", [0.0, 37.2])
def test_hundredths_are_found_within_seconds_where_words_come_on_time(bpm: float, ours: float, from_s: float) -> None:
    tempo_map, said = followed(bpm, ours, from_s, seconds=14.0, period_s=0.0005)
    assert tempo_map == TempoMap.constant(bpm) and not said


@pytest.mark.parametrize("apart_s", [-0.008, 0.008])
def test_a_clock_that_is_a_little_off_the_timecode_is_still_the_same_grid(apart_s: float) -> None:
    tempo_map, said = followed(97.0, 93.3, 0.0, apart_s=apart_s)
    assert tempo_map.bpm_at(0.0) == 97.0 and tempo_map.origin_s == 0 and not said


def test_the_roundest_number_is_what_people_set() -> None:
    assert simplest(142.93, 0.2) == 143
    assert simplest(120.46, 0.1) == 120.5
    assert simplest(93.33, 0.1) == 93.3
    assert simplest(93.334, 0.01) == 93.33


def told(true: TempoMap, ours: TempoMap, from_s: float, seconds: float = 8.0, moved_s: float = 0.0):
    """The map in force after some seconds of JACK's transport with its bars and beats, and what was said.

    moved_s: how far JACK's beats lie off its frames by its own fault, a period for example.
    """
    watch, said, host_s = ClockTempo(), [], 0.0
    while host_s < seconds:
        position_s = from_s + host_s
        beats, theirs = ours.beats_at(position_s), true.beats_at(position_s + moved_s)
        status = replace(
            PlayerStatus.NONE, host_s=host_s, position_s=position_s, position_beats=beats, rate=1.0, state="locked",
            rolling=True, position_source="jack", tempo_source="jack", tempo_bpm=true.bpm_at(theirs),
            stated_beats=theirs,
        )  # fmt: skip
        heard = watch.watch(status, ours, lambda: 0.0, host_s)
        if heard is not None:
            ours = heard.tempo_map
            said.append(heard.warning)
        host_s += 0.05
    return ours, [word for word in said if word]


@pytest.mark.parametrize("bpm", [97.0, 97.3, 88.27, 120.01, 142.61])
@pytest.mark.parametrize(("apart", "from_s"), [(1, 0.0), (-7.5, 37.2), (30, 300.0), (0, 12.5)])
def test_a_tempo_that_jack_states_is_taken_to_the_hundredth(bpm: float, apart: float, from_s: float) -> None:
    tempo_map, said = told(TempoMap.constant(bpm), TempoMap.constant(bpm + apart), from_s)
    assert tempo_map == TempoMap.constant(bpm) and not said


@pytest.mark.parametrize("moved_s", [0.0, 0.004])
@pytest.mark.parametrize("from_s", [0.0, 8.0, 30.0])
def test_behind_a_change_of_tempo_bars_are_those_of_jack(from_s: float, moved_s: float) -> None:
    """Also where play begins behind it, or passes it: whole beats are right, not only the place within one."""
    true = TempoMap.of([(0, 97.5), (16, 132.25)])
    tempo_map, said = told(true, TempoMap.constant(110.0), from_s, 8.0, moved_s)
    at_s = from_s + 8.0
    passed = true.beats_at(at_s) > 16
    assert tempo_map.bpm_at(tempo_map.beats_at(at_s)) == (132.25 if passed else 97.5)
    assert tempo_map.beats_at(at_s) == pytest.approx(true.beats_at(at_s), abs=0.02)
    assert bool(said) == passed and all("bars are those of JACK" in word for word in said)


@pytest.mark.parametrize(("bpm", "ours"), [(88.27, 81.0), (97.3, 97.3), (120.01, 120.0), (142.61, 143.0)])
def test_by_clock_alone_the_tempo_is_right_to_the_hundredth_after_seconds(bpm: float, ours: float) -> None:
    """Its beats are the position; what they take of our time tells the tempo far more finely than eight of them."""
    tempo_map, watch, random = TempoMap.constant(ours), ClockTempo(), Random(1)
    for look in range(1, 300):
        host_s = look * 0.1
        beats = host_s * bpm / 60 + random.gauss(0, 0.0004)
        status = replace(
            PlayerStatus.NONE, host_s=host_s, position_s=tempo_map.seconds_at(beats), position_beats=beats, rate=1.0,
            state="locked", rolling=True, position_source="clock", tempo_source="clock",
            tempo_bpm=bpm + random.gauss(0, 0.03), beat_phase=beats % 1.0,
        )  # fmt: skip
        heard = watch.watch(status, tempo_map, lambda: 0.0, host_s)
        if heard is not None:
            tempo_map = heard.tempo_map
            assert not heard.warning
    assert tempo_map == TempoMap.constant(bpm)


def followed_by_clock(bpm: float, ours: float, seconds: float) -> tuple[list[float], TempoMap]:
    """The tempi adopted one after the other from a clock alone, each clock heard at the end of a host's period."""
    line = TempoLine.constant(120.0)  # the desk's own: beats are what counts here
    desk = Desk("clock", "25", tempo=line)
    stream = bunched([(0.0, b"\xfa"), *clocks(TempoLine.constant(bpm), 0.0, seconds)], PERIOD_S)
    tempo_map, watch, adopted, next_s = TempoMap.constant(ours), ClockTempo(), [], 0.5
    for host_s, data in stream:
        desk.feed([(host_s, data)])
        if host_s < next_s or desk.synchronizer.follower is None:
            continue
        next_s += 0.02
        motion, measured = desk.follower.motion, desk.synchronizer.measured_bpm()
        beats = line.beats_at(motion.position_at(host_s))
        status = replace(
            PlayerStatus.NONE, host_s=host_s, position_s=tempo_map.seconds_at(beats), position_beats=beats, rate=1.0,
            state="locked", rolling=motion.audible, position_source="clock", tempo_source="clock",
            tempo_bpm=measured or ours, beat_phase=desk.synchronizer.beat_phase(host_s),
        )  # fmt: skip
        heard = watch.watch(status, tempo_map, lambda: 0.0, host_s)
        if heard is not None:
            assert not heard.warning
            tempo_map = heard.tempo_map
            adopted.append(tempo_map.bpm_at(0.0))
    return adopted, tempo_map


@pytest.mark.parametrize("bpm", [88.27, 131.63, 120.02, 105.49, 97.0])
def test_by_a_clock_in_a_hosts_periods_alone_the_tempo_is_right_to_the_hundredth_within_a_minute(bpm: float) -> None:
    adopted, tempo_map = followed_by_clock(bpm, bpm + 1.0, 45.0)
    assert tempo_map == TempoMap.constant(bpm) and len(adopted) <= 4


def test_a_clock_nearly_in_step_with_the_hosts_periods_is_right_to_two_hundredths_and_does_not_flutter() -> None:
    """At 117.1875 a clock comes each period: it takes minutes until 117.18 has slipped out of step by one of them."""
    adopted, tempo_map = followed_by_clock(117.18, 118.0, 80.0)
    assert abs(tempo_map.bpm_at(0.0) - 117.18) < 0.021 and len(adopted) <= 3
