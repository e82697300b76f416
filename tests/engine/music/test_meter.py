"""Tempo maps: exact both ways, monotone in floats, bars over meter changes."""

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.music import BarBeat, MusicError, TempoMap, TimeSignature

meters = st.builds(TimeSignature, st.integers(1, 13), st.sampled_from([2, 4, 8, 16]))
bpms = st.one_of(st.integers(20, 400).map(Fraction), st.floats(20, 400).map(lambda x: Fraction(repr(round(x, 3)))))


@st.composite
def tempo_maps(draw):
    steps = draw(st.lists(st.builds(Fraction, st.integers(1, 200), st.integers(1, 4)), max_size=6))
    beats = [Fraction(0)]
    for step in steps:
        beats.append(beats[-1] + step)
    bars = draw(st.lists(st.integers(1, 9), max_size=4))
    changes, position = [], Fraction(0)
    for index in range(len(bars) + 1):
        meter = draw(meters)
        changes.append((position, meter))
        if index < len(bars):
            position += bars[index] * meter.bar_beats
    origin = draw(st.integers(-5000, 5000)) * Fraction(1, 1000)
    return TempoMap.of([(beat, draw(bpms)) for beat in beats], changes, origin)


positions = st.builds(Fraction, st.integers(-4000, 400_000), st.sampled_from([1, 3, 7, 480, 960]))


@given(tempo_maps(), positions)
def test_beats_to_seconds_and_back_is_exact(tempo_map, beats):
    assert tempo_map.beats_at_exact(tempo_map.seconds_at_exact(beats)) == beats


@given(tempo_maps(), positions)
def test_floats_agree_with_the_exact_map(tempo_map, beats):
    exact = tempo_map.seconds_at_exact(beats)
    assert tempo_map.seconds_at(float(beats)) == pytest.approx(float(exact), rel=1e-12, abs=1e-9)
    assert tempo_map.beats_at(float(exact)) == pytest.approx(float(beats), rel=1e-12, abs=1e-8)


@given(tempo_maps(), st.lists(st.floats(-100, 3000), min_size=2, max_size=20))
def test_maps_are_monotone(tempo_map, beats):
    ordered = sorted(beats)
    seconds = [tempo_map.seconds_at(beat) for beat in ordered]
    assert seconds == sorted(seconds)
    back = [tempo_map.beats_at(second) for second in seconds]
    assert back == sorted(back)


@given(tempo_maps())
def test_monotone_across_every_change(tempo_map):
    for tempo in tempo_map.tempos:
        beat = float(tempo.beat)
        around = [beat - 1e-9, beat - 1e-12, beat, beat + 1e-12, beat + 1e-9]
        seconds = [tempo_map.seconds_at(position) for position in around]
        assert seconds == sorted(seconds)


@given(tempo_maps(), st.integers(-5, 300))
def test_bar_lines_are_numbered_without_gaps(tempo_map, bar):
    start = tempo_map.bar_start(bar)
    assert tempo_map.bar_at(start) == bar
    assert tempo_map.bar_beat_at(start) == BarBeat(bar, 1, 0.0)
    assert tempo_map.next_bar(start) == start
    assert tempo_map.bar_start(bar + 1) > start
    assert tempo_map.next_bar(start + Fraction(1, 960)) == tempo_map.bar_start(bar + 1)


@given(tempo_maps(), st.integers(-1000, 100_000))
def test_bar_beat_round_trip(tempo_map, ticks):
    # 64ths: their fraction of a beat is a binary fraction for every denominator drawn, so no rounding hides an error.
    beats = Fraction(ticks, 16)
    assert tempo_map.beats_of(tempo_map.bar_beat_at(beats)) == beats


@given(tempo_maps(), positions)
def test_positions_in_bars_are_shares_of_the_bars_that_they_lie_in(tempo_map, beats):
    bar = tempo_map.bar_at(beats)
    start, end = tempo_map.bar_start(bar), tempo_map.bar_start(bar + 1)
    assert tempo_map.bar_position(beats) == bar - 1 + (beats - start) / (end - start)


def test_a_bar_that_another_meter_cuts_short_is_a_whole_one():
    four, three = TimeSignature(4, 4), TimeSignature(3, 4)
    cut = TempoMap.of([(Fraction(0), Fraction(120))], [(Fraction(0), four), (Fraction(6), three)])
    for beats, bars in (
        (3, Fraction(3, 4)),
        (4, 1),
        (5, Fraction(3, 2)),
        (6, 2),
        (9, 3),
        (Fraction(21, 2), Fraction(7, 2)),
    ):
        assert cut.bar_position(beats) == bars


def test_known_positions():
    tempo_map = TempoMap.of([(0, 120), (8, 60)], [(0, TimeSignature(4, 4)), (8, TimeSignature(7, 8))], origin_s=10)
    assert tempo_map.seconds_at(0) == 10
    assert tempo_map.seconds_at(8) == 14
    assert tempo_map.seconds_at(9) == 15
    assert tempo_map.beats_at(16) == 10
    assert tempo_map.bar_at(8) == 3
    assert tempo_map.bar_start(4) == Fraction(23, 2)
    assert str(tempo_map.bar_beat_at(Fraction(21, 2))) == "3|6.00"
    assert tempo_map.bar_position(Fraction(4)) == 1


def test_a_float_tempo_means_what_it_says():
    assert TempoMap.constant(97.3).tempos[0].bpm == Fraction(973, 10)


@pytest.mark.parametrize(
    ("meter", "groups"),
    [("4/4", "1 1 1 1"), ("3/4", "1 1 1"), ("6/8", "3/2 3/2"), ("7/8", "1 1 3/2"), ("5/8", "1 3/2"),
     ("12/8", "3/2 3/2 3/2 3/2"), ("2/2", "2 2")],
)  # fmt: skip
def test_groups_of_a_bar(meter, groups):
    assert TimeSignature.parse(meter).groups == tuple(Fraction(word) for word in groups.split())


@given(meters)
def test_groups_fill_the_bar(meter):
    assert sum(meter.groups) == meter.bar_beats


@pytest.mark.parametrize("bad", ["4", "4/3", "0/4", "x/4", "4/0", "99/4"])
def test_bad_meters_are_one_sentence(bad):
    with pytest.raises(MusicError):
        TimeSignature.parse(bad)


@pytest.mark.parametrize("bpm", [0, -3, 1000, float("nan"), float("inf")])
def test_bad_tempi_are_refused(bpm):
    with pytest.raises(MusicError):
        TempoMap.constant(bpm)


def test_changes_out_of_order_are_refused():
    with pytest.raises(MusicError, match="ascending"):
        TempoMap.of([(0, 120), (0, 90)])
    with pytest.raises(MusicError, match="after bar 1"):
        TempoMap.of([(4, 120)])


@given(tempo_maps(), st.lists(st.floats(-100, 5000), max_size=30))
def test_the_seconds_of_many_beats_are_those_of_each(tempo_map, beats):
    assert tempo_map.all_seconds_at(beats) == [tempo_map.seconds_at(each) for each in beats]
    constant = TempoMap.constant(97.3, origin_s=Fraction(7, 3))
    assert constant.all_seconds_at(beats) == [constant.seconds_at(each) for each in beats]


@st.composite
def cut_maps(draw, grain):
    """Time signatures that begin anywhere on parts of a beat, so that they cut bars short."""
    steps = draw(st.lists(st.integers(1, 12 * grain), max_size=5))
    changes = [(Fraction(0), draw(meters))]
    for step in steps:
        changes.append((changes[-1][0] + Fraction(step, grain), draw(meters)))
    return TempoMap.of([(Fraction(0), Fraction(120))], changes)


@given(cut_maps(4))
def test_signed_meters_say_the_length_of_every_bar(tempo_map):
    signed = TempoMap(tempo_map.tempos, tempo_map.signed_meters, tempo_map.origin_s)
    for bar in range(1, tempo_map.bar_at(80) + 1):
        line, length = tempo_map.bar_start(bar), tempo_map.bar_start(bar + 1) - tempo_map.bar_start(bar)
        assert (signed.bar_start(bar), signed.meter_at(line).bar_beats) == (line, length)


@given(cut_maps(7))
@example(TempoMap.of([(0, 120)], [(0, TimeSignature(2, 2)), (3, TimeSignature(1, 2))]))  # bar 1 itself is cut
def test_signed_meters_move_no_bar_line(tempo_map):
    """Also where sixteenths cannot say the length of the bar that is cut."""
    signed = TempoMap(tempo_map.tempos, tempo_map.signed_meters, tempo_map.origin_s)
    assert [signed.bar_start(bar) for bar in range(-2, 60)] == [tempo_map.bar_start(bar) for bar in range(-2, 60)]
    assert all(signed.meter_at(change.beat) == change.meter for change in tempo_map.meters[-1:])
