"""A clock's tempo as the DAW means it, from streams with the jitter of an audio period and a known truth."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from bridge.player.messages import PlayerStatus
from bridge.player.tempo import TempoLine
from bridge.session.clock_tempo import ClockTempo, simplest
from bridge.transport.midi_clock import song_position
from engine.music import TempoMap, TimeSignature
from engine.music.timecode import FRAME_RATES
from tests.bridge.transport.streams import Desk, bunched, clocks, quarter_frames

PERIOD_S = 1024 / 48_000


def followed(bpm: float, ours: float, from_s: float, meter: str = "4/4", seconds: float = 12.0, apart_s: float = 0.0):
    """The map in force after some seconds of timecode with clock, and what was said.

    from_s: timeline second where the DAW starts to play; apart_s: how much later the clock is than the timecode.
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
    stream = bunched(sorted(sent, key=lambda item: item[0]), PERIOD_S)
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


@pytest.mark.parametrize("apart_s", [-0.008, 0.008])
def test_a_clock_that_is_a_little_off_the_timecode_is_still_the_same_grid(apart_s: float) -> None:
    tempo_map, said = followed(97.0, 93.3, 0.0, apart_s=apart_s)
    assert tempo_map.bpm_at(0.0) == 97.0 and tempo_map.origin_s == 0 and not said


def test_the_roundest_number_is_what_people_set() -> None:
    assert simplest(142.93, 0.2) == 143
    assert simplest(120.46, 0.1) == 120.5
    assert simplest(93.33, 0.1) == 93.3
    assert simplest(93.334, 0.01) == 93.33
