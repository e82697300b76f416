from __future__ import annotations

import random
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from profiles import examples

from engine.arrange.tempofit import MET_FRAMES, TempoFitOptions, fit_tempos
from engine.commands.tempo import write_plan
from engine.midifile import read_tempo_map
from engine.music import Film, FrameRate, Hit, MusicError, TimeSignature

RATE = FrameRate(Fraction(24))


def at(bpm, beats, weight="should"):
    """Hits on the frames nearest to beats of a tempo."""
    return [Hit(round(beat * 60 / bpm * 24) / 24, weight, f"{beat}") for beat in beats]


def test_a_fixed_tempo_is_found_and_its_misses_are_signed_frames():
    hits = at(97, (8, 15, 22, 31, 40, 52), "must")
    report = fit_tempos(hits, RATE)
    best = report.fixed[0]
    assert best.bpm == pytest.approx(97, abs=0.3) and best.met == 6 and not report.refusals
    for miss in best.misses:
        second = float(best.tempo_map.seconds_at(miss.beats))
        assert miss.miss_frames == pytest.approx((second - miss.hit.time_s) * 24, abs=1e-6)
        assert abs(miss.miss_frames) <= MET_FRAMES
    early = fit_tempos([Hit(0.9)], RATE, TempoFitOptions(60, 60))
    assert early.fixed[0].misses[0].miss_frames == pytest.approx(0.1 * 24)  # the beat comes after the picture


def test_plans_are_in_order_and_not_neighbours():
    report = fit_tempos(at(97, (8, 15, 22, 31, 40, 52)), RATE)
    worth = [plan.met + plan.near / 2 for plan in report.fixed]
    assert worth == sorted(worth, reverse=True) and report.fixed[0].met == 6
    tempi = [plan.bpm for plan in report.fixed]
    assert all(abs(a - b) >= 0.5 for i, a in enumerate(tempi) for b in tempi[:i])


def test_must_hits_that_cannot_be_met_are_refused_with_reasons():
    hits = [Hit(2.0, "must", "door"), Hit(3.3, "must", "shot"), Hit(4.87, "must", "fall"), Hit(6.11, "must", "run")]
    hits += [Hit(7.77, "must", "wake"), Hit(9.03, "must", "end")]
    report = fit_tempos(hits, RATE, TempoFitOptions(80, 100, curve_percent=0))
    assert report.fixed[0].refused and report.refusals
    assert all("frames" in sentence and "refused" in sentence for sentence in report.refusals)
    assert any(miss.hit.name in report.refusals[0] for miss in report.fixed[0].refused)


def test_a_curve_meets_every_hit_within_its_limit():
    random_ = random.Random(5)
    hits = [Hit(round(time * 24) / 24, "must") for time in sorted(random_.uniform(2, 60) for _ in range(8))]
    hits = [hit for a, hit in zip([Hit(0.0), *hits[:-1]], hits, strict=True) if hit.time_s - a.time_s > 1.5]
    report = fit_tempos(hits, RATE, TempoFitOptions(70, 140, curve_percent=12))
    assert report.ramps and report.steps
    for plan in (*report.ramps, *report.steps):
        assert plan.met == len(hits) and plan.bend_percent <= 12
        for miss in plan.misses:
            second = float(plan.tempo_map.seconds_at(miss.beats))
            assert abs(second - miss.hit.time_s) * 24 <= MET_FRAMES
            assert miss.miss_frames == pytest.approx((second - miss.hit.time_s) * 24, abs=1e-4)
        for change in plan.tempo_map.tempos:
            assert abs(float(change.bpm) / plan.bpm - 1) * 100 <= 12.001
    for plans in (report.ramps, report.steps):
        bends = [plan.bend_percent for plan in plans]
        assert bends == sorted(bends)


def test_a_ramp_changes_a_little_each_beat_where_steps_jump():
    hits = [Hit(second, "must") for second in (4.0, 9.5, 14.0, 21.5, 26.0)]
    report = fit_tempos(hits, RATE, TempoFitOptions(90, 100, curve_percent=10))
    ramp, steps = report.ramps[0], report.steps[0]

    def largest_jump(plan):
        tempi = [float(change.bpm) for change in plan.tempo_map.tempos]
        return max((abs(b / a - 1) * 100 for a, b in pairwise(tempi)), default=0.0)

    assert largest_jump(ramp) < 0.5 * largest_jump(steps)
    assert len(ramp.tempo_map.tempos) > 30 and len(steps.tempo_map.tempos) <= 5
    assert all(abs(miss.miss_frames) < 0.01 for miss in ramp.misses)
    assert ramp.tempo_map.tempos[-1].beat < ramp.misses[-1].beats  # it stays in the tempo that it has reached


@given(
    st.lists(st.floats(0.6, 9.0), min_size=1, max_size=12),
    st.sampled_from([0.25, 0.5, 1.0]),
    st.sampled_from(["23.976", "24", "25", "29.97"]),
)
@examples(30)
def test_whatever_is_met_is_met_within_half_a_frame_in_the_map_and_in_the_file(tmp_path_factory, gaps, unit, rate):
    rate = FrameRate.parse(rate)
    frames, hits = 0, []
    for gap in gaps:
        frames += round(gap * float(rate.fps))
        hits.append(Hit(frames / float(rate.fps)))
    report = fit_tempos(hits, rate, TempoFitOptions(80, 110, 1.0, unit_beats=unit, curve_percent=15, count=2))
    for plan in (*report.ramps, *report.steps, *report.bars):
        path = tmp_path_factory.mktemp("plan") / "plan.mid"
        write_plan(path, plan, Film("f.mp4", 200.0, rate))
        read = read_tempo_map(path)
        for miss in plan.misses:
            for tempo_map in (plan.tempo_map, read):
                off = (tempo_map.seconds_at(miss.beats) - miss.hit.time_s) * float(rate.fps)
                assert off == pytest.approx(miss.miss_frames, abs=0.05)
        assert read.meters == plan.tempo_map.meters


def test_with_bars_every_hit_that_is_met_opens_a_bar():
    random_ = random.Random(3)
    hits = [Hit(round(time * 24) / 24) for time in sorted(random_.uniform(1, 60) for _ in range(14))]
    report = fit_tempos(hits, RATE, TempoFitOptions(80, 110, curve_percent=15))
    plan = report.bars[0]
    assert plan.met >= 10
    for miss in plan.misses:
        place = plan.tempo_map.bar_beat_at(Fraction(miss.beats))
        assert not miss.met or (place.beat, place.fraction) == (1, 0)
    assert all(meter.bar_beats >= 2 for _, meter in plan.odd_bars)


def test_a_must_hit_is_never_left_out_of_a_curve():
    hits = [Hit(2.0, "must"), Hit(2.3, "must"), Hit(6.0)]
    report = fit_tempos(hits, RATE, TempoFitOptions(80, 110, curve_percent=5))
    assert not report.ramps and not report.bars
    softer = fit_tempos([Hit(2.0, "must"), Hit(2.3), Hit(6.0)], RATE, TempoFitOptions(80, 110, curve_percent=5))
    assert softer.ramps[0].misses[0].met and not softer.ramps[0].misses[1].met


@pytest.mark.parametrize(("beats", "meter"), [(10.0, "2/4"), (11.5, "7/8"), (13.0, "5/4")])
def test_an_odd_bar_brings_the_hit_to_a_bar_line(beats, meter):
    report = fit_tempos([Hit(beats * 60 / 97, "must")], RATE, TempoFitOptions(96.9, 97.1))
    plan = min(report.odd_bars, key=lambda plan: abs(plan.bpm - 97))
    assert [str(found) for _, found in plan.odd_bars] == [meter]
    assert plan.met == 1 and plan.tempo_map.bar_beat_at(plan.misses[0].beats).beat == 1
    assert plan.tempo_map.bar_beat_at(Fraction(beats)).fraction == 0


def test_after_an_odd_bar_hits_are_counted_from_the_new_bar_lines():
    report = fit_tempos([Hit(beat * 60 / 90, "must") for beat in (10, 18, 22)], RATE, TempoFitOptions(90, 90))
    plan = report.odd_bars[0]
    assert plan.odd_bars == ((8.0, TimeSignature(2, 4)),)
    assert [plan.tempo_map.bar_beat_at(miss.beats).beat for miss in plan.misses] == [1, 1, 1]


def test_bar_1_anywhere_and_eighths():
    hits = [Hit(5.0 + beat * 60 / 100) for beat in (3.5, 7.5, 12)]
    report = fit_tempos(hits, RATE, TempoFitOptions(99, 101, bar_1_s=5.0, unit_beats=0.5))
    assert report.fixed[0].met == 3
    assert float(report.fixed[0].tempo_map.seconds_at(0)) == 5.0


def test_faults_are_sentences():
    with pytest.raises(MusicError, match="no hit"):
        fit_tempos([], RATE)
    with pytest.raises(MusicError):
        TempoFitOptions(140, 70)
    with pytest.raises(MusicError):
        TempoFitOptions(unit_beats=0.3)
