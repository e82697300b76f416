from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.arrange.rhythm import best_tempo, build_grid, merge_runs, slot_lengths
from engine.music import Chord, Cut, FrameRate, MusicError, Slot, TempoMap, TimeSignature

F = Fraction


def lengths(grid):
    return [round(slot.end_beats - slot.start_beats, 9) for slot in grid]


@pytest.mark.parametrize(
    ("meter", "expected"),
    [
        ("4/4", [(1, 1, 1, 1), (2, 2), (4,)]),
        ("3/4", [(1, 1, 1), (3,)]),
        ("6/8", [(F(3, 2), F(3, 2)), (3,)]),
        ("7/8", [(1, 1, F(3, 2)), (F(7, 2),)]),
        ("5/4", [(1,) * 5, (5,)]),
        ("12/8", [(F(3, 2),) * 4, (3, 3), (6,)]),
        ("2/2", [(1, 1, 1, 1), (2, 2), (4,)]),
        ("1/8", [(F(1, 2),)]),
    ],
)
def test_divisions_of_the_bar(meter, expected):
    assert list(slot_lengths(TimeSignature.parse(meter))) == expected


def test_seconds_grid_is_the_papers():
    grid = build_grid("seconds", TempoMap.constant(120), 30.0)
    assert len(grid) == 30
    assert all(slot.end_s - slot.start_s == 1 and slot.end_beats - slot.start_beats == 2 for slot in grid)


def test_seconds_grid_from_an_hour_of_timecode_and_a_rest_at_the_end():
    grid = build_grid("seconds", TempoMap.constant(120, origin_s=3600), 10.75, picture_starts_at_s=3600.0)
    assert [slot.start_s for slot in grid] == list(range(11))
    assert grid[-1].end_s == 10.75
    assert build_grid("seconds", TempoMap.constant(120), 10.25)[-1].end_s == 10.25
    assert len(build_grid("seconds", TempoMap.constant(120), 10.25)) == 10  # a quarter second is no slot of its own


def test_seconds_grid_refuses_another_tempo():
    with pytest.raises(MusicError, match="120 bpm"):
        build_grid("seconds", TempoMap.constant(97), 10)
    with pytest.raises(MusicError, match="not a grid"):
        build_grid("bars", TempoMap.constant(97), 10)
    with pytest.raises(MusicError, match="no grid"):
        build_grid("beats", TempoMap.constant(97), 0)


def test_beats_grid_takes_the_division_nearest_to_a_second():
    assert set(lengths(build_grid("beats", TempoMap.constant(97), 30))[:-1]) == {2.0}
    assert set(lengths(build_grid("beats", TempoMap.constant(60), 30))[:-1]) == {1.0}
    assert set(lengths(build_grid("beats", TempoMap.constant(240), 30))[:-1]) == {4.0}
    assert set(lengths(build_grid("beats", TempoMap.constant(180, TimeSignature(3, 4)), 30))[:-1]) == {3.0}
    assert set(lengths(build_grid("beats", TempoMap.constant(90, TimeSignature(6, 8)), 30))[:-1]) == {1.5}
    assert lengths(build_grid("beats", TempoMap.constant(80, TimeSignature(7, 8)), 30))[:4] == [1, 1, 1.5, 1]


def test_beats_grid_follows_tempo_and_meter_changes():
    tempo_map = TempoMap.of([(0, 120), (8, 60)], [(0, TimeSignature(4, 4)), (16, TimeSignature(3, 4))])
    grid = build_grid("beats", tempo_map, 20)
    assert lengths(grid) == [2, 2, 2, 2] + [1] * 16
    assert [slot.start_s for slot in grid[:6]] == [0, 1, 2, 3, 4, 5]


def test_a_picture_before_bar_1_and_inside_a_bar():
    grid = build_grid("beats", TempoMap.constant(120, origin_s=2), 5.0)  # bar 1 at two seconds: beats -4 .. 6
    assert [slot.start_beats for slot in grid] == [-4, -2, 0, 2, 4]
    inside = build_grid("beats", TempoMap.constant(120), 5.0, picture_starts_at_s=0.3)
    assert inside[0].start_s == 0 and inside[0].start_beats == pytest.approx(0.6)
    assert inside[1].start_beats == 2
    late = build_grid("beats", TempoMap.constant(120), 5.0, picture_starts_at_s=0.9)
    assert late[0].end_beats == 4  # a tenth of a second would be no slot: the next one begins early


meters = st.sampled_from(["4/4", "3/4", "2/4", "5/4", "6/8", "7/8", "9/8", "5/8", "12/8", "2/2"]).map(
    TimeSignature.parse
)


@st.composite
def tempo_maps(draw):
    tempos, beat = [], 0
    for _ in range(draw(st.integers(1, 4))):
        tempos.append((beat, draw(st.integers(300, 2400)) / 10))
        beat += draw(st.integers(1, 40))
    changes, beat = [], F(0)
    for _ in range(draw(st.integers(1, 3))):
        changes.append((beat, draw(meters)))
        beat += draw(st.integers(1, 60)) * F(1, 2)
    return TempoMap.of(tempos, changes, origin_s=draw(st.integers(-20, 20)))


@given(
    tempo_maps(), st.integers(100, 60_000).map(lambda ms: ms / 1000), st.integers(0, 9_000).map(lambda ms: ms / 1000)
)
def test_the_grid_covers_the_picture_without_gaps(tempo_map, duration_s, starts_s):
    grid = build_grid("beats", tempo_map, duration_s, starts_s)
    assert grid[0].start_s == 0 and grid[-1].end_s == duration_s
    assert [slot.index for slot in grid] == list(range(len(grid)))
    for a, b in pairwise(grid):
        assert a.end_s == b.start_s and a.end_beats == b.start_beats
    for slot in grid:
        assert slot.end_s > slot.start_s and slot.end_beats > slot.start_beats
        assert tempo_map.seconds_at(slot.start_beats) - starts_s == pytest.approx(slot.start_s, abs=1e-6)
    for slot in grid[1:]:  # every inner boundary stands on the sixteenth grid of its bar
        beat = F(slot.start_beats).limit_denominator(64)
        offset = beat - tempo_map.bar_start(tempo_map.bar_at(beat))
        assert (offset * 4).denominator == 1


def test_runs():
    chords = [Chord.parse(text) for text in ["C", "C", "Am", "Am", "Am", "N", "C"]]
    slots = [Slot(i, float(i), i + 1.0, 2.0 * i, 2.0 * i + 2, chord) for i, chord in enumerate(chords)]
    runs = merge_runs(slots)
    assert [(str(run.chord), run.first, run.last) for run in runs] == [
        ("C", 0, 1),
        ("Am", 2, 4),
        ("N.C.", 5, 5),
        ("C", 6, 6),
    ]
    assert (runs[1].start_beats, runs[1].end_beats, runs[1].start_s, runs[1].end_s) == (4, 10, 2, 5)
    assert merge_runs([]) == ()


@pytest.mark.parametrize("bpm", [72.5, 84.0, 96.3, 108.0])
def test_best_tempo_finds_the_tempo_cuts_were_made_in(bpm):
    beats = [3, 8, 12, 17, 24, 31, 40, 44, 57]
    cuts = [Cut(beat * 60 / bpm) for beat in beats]
    fit = best_tempo(cuts, rate=FrameRate(F(24)))
    assert fit.bpm == pytest.approx(bpm, abs=0.05)
    assert (fit.met, fit.of) == (9, 9)
    assert all(abs(miss.miss_frames) < 0.5 for miss in fit.misses)
    assert "9 of the 9 cuts" in fit.reason


def test_best_tempo_signs_and_edges():
    fit = best_tempo([Cut(1.0)], 100, 100)
    assert fit.misses[0].miss_s == pytest.approx(2 * 0.6 - 1.0)  # the beat comes after the picture
    assert best_tempo([]).bpm == 90 and "no cuts" in best_tempo([]).reason
    with pytest.raises(MusicError):
        best_tempo([], 120, 70)


def test_best_tempo_prefers_strong_cuts():
    strong = [Cut(beat * 60 / 81.3, 1.0) for beat in (4, 9, 16, 22, 31)]
    weak = [Cut(beat * 60 / 103.7, 0.1) for beat in (3, 11, 19, 27, 35)]
    assert best_tempo([*strong, *weak]).bpm == pytest.approx(81.3, abs=0.15)


@st.composite
def odd_maps(draw):
    beats = lambda: [0, *sorted(draw(st.sets(st.integers(1, 120), max_size=4)))]  # noqa: E731
    bpm = st.decimals(30, 240, places=2).map(float)
    meter = st.sampled_from(["4/4", "3/4", "7/8", "6/8", "5/4", "2/2"]).map(TimeSignature.parse)
    tempos = [(F(beat) + F(draw(st.integers(0, 3)), 4) * (beat > 0), draw(bpm)) for beat in beats()]
    return TempoMap.of(tempos, [(beat, draw(meter)) for beat in beats()], draw(st.integers(-500, 500)) / 100)


@given(odd_maps(), st.integers(100, 9000), st.integers(-300, 900))
def test_every_line_lies_where_the_tempo_map_says(tempo_map, hundredths, start_hundredths):
    """What is reckoned once for equal bars is what each bar alone would give, exactly."""
    start = F(start_hundredths, 100)
    grid = build_grid("beats", tempo_map, hundredths / 100, float(start))
    for slot in grid[1:]:
        beat = F(slot.start_beats).limit_denominator(1000)  # bars and changes lie on sixteenths
        assert slot.start_s == float(tempo_map.seconds_at_exact(beat) - start)
