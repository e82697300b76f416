from __future__ import annotations

import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from pieces import compose

from engine.arrange import ArrangeOptions, arrange
from engine.arrange.drums import CRASH, KICK, SIDE_STICK, SNARE, TOMS
from engine.arrange.melody import bar_rhythm, choose_pitch, scale_for
from engine.music import Chord, Hit, Key, Take, TempoMap, TimeSignature

CHORDS = "C Am F G7 Dm7 E7 Am F"


def part(result, name):
    return [note for note in result.notes if note.part == name]


# melody ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("groups", [(4, 4, 4, 4), (4, 4, 4), (6, 6), (4, 4, 6), (4, 6), (2,)])
@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_a_bar_is_never_overfull_and_the_phrase_breathes(groups, level):
    for seed in range(30):
        for bar in range(-4, 12):
            notes = bar_rhythm(seed, bar, groups, level)
            for (a, length), (b, _) in pairwise(notes):
                assert a + length <= b
            assert all(length > 0 and start >= 0 and start + length <= sum(groups) for start, length in notes)
            if bar % 4 == 3 and len(groups) > 1:  # the last bar of a phrase ends in silence
                assert all(start + length <= sum(groups) - groups[-1] for start, length in notes)


def test_the_motif_is_repeated_and_varied():
    groups = (4, 4, 4, 4)
    phrases = [[bar_rhythm(seed, bar, groups, 4) for bar in range(8)] for seed in range(40)]
    assert all(bars[0] == bars[1] == bars[4] == bars[5] for bars in phrases)
    assert sum(bars[2] != bars[0] for bars in phrases) > 30
    assert len({bars[0] for bars in phrases}) > 20


def test_phrases_go_in_pairs_of_question_and_answer():
    groups = (4, 4, 4, 4)
    for seed in range(20):
        for level in range(2, 6):
            question, answer = bar_rhythm(seed, 3, groups, level), bar_rhythm(seed, 7, groups, level)
            assert max(start + length for start, length in question) == 12
            assert answer == ((0, 8),)  # one note on the bar line, then silence for half a bar


def test_an_answer_ends_on_the_tonic_where_the_chord_has_it():
    composition = compose("Am C F Am", seconds=160.0, key="Am", tempo_map=TempoMap.constant(96), density=12.0)
    last = [n for n in part(arrange(composition), "melody") if n.start_beats % 32 == 28]
    assert len(last) >= 6
    slots = [composition.slot_at(composition.picture_at_beats(n.start_beats) + 1e-6) for n in last]
    home = [note.pitch % 12 == 9 for note, slot in zip(last, slots, strict=True) if 9 in slot.chord.pitch_classes()]
    assert home and all(home)


def test_a_bar_keeps_its_motif_while_activity_changes_inside_it():
    composition = compose("C", seconds=64.0, tempo_map=TempoMap.constant(120), seed=3)
    # Strong and weak seconds in turn: two levels in every bar of two seconds.
    slots = tuple(
        replace(slot, density=4.0 if int(slot.start_s) % 2 else 20.0, motion=0.0) for slot in composition.slots
    )
    tune = part(arrange(replace(composition, slots=slots)), "melody")
    rhythms = [[n.start_beats % 4 for n in tune if n.start_beats // 4 == bar] for bar in range(30)]
    pairs = [(rhythms[bar], rhythms[bar + 1]) for bar in range(0, 28, 4)]
    assert sum(a == b for a, b in pairs) >= 6


def test_the_tune_lies_above_pad_and_arpeggio():
    for seed in range(4):
        composition = compose(CHORDS, seconds=90.0, seed=seed)
        result = arrange(composition)
        below = total = 0
        for note in part(result, "melody"):
            others = [o for o in result.notes if o.part in ("pad", "arp") and o.start_beats < note.end_beats]
            others = [o for o in others if o.end_beats > note.start_beats]
            total += 1
            below += any(other.pitch > note.pitch for other in others)
        assert below < 0.12 * total


def test_more_activity_means_more_notes():
    counts = [
        sum(len(bar_rhythm(seed, bar, (4, 4, 4, 4), level)) for seed in range(20) for bar in range(8))
        for level in range(1, 6)
    ]
    assert counts == sorted(counts) and counts[-1] > 4 * counts[0]


def test_strong_and_long_notes_are_chord_tones_and_the_rest_of_the_scale():
    composition = compose(CHORDS, seconds=120.0, seed=4)
    tune = part(arrange(composition), "melody")
    assert len(tune) > 100
    steps = []
    for note in tune:
        slot = next((s for s in composition.slots if s.start_beats <= note.start_beats < s.end_beats), None)
        chord = slot.chord if slot else Chord.parse("C")
        if note.start_beats % 1 == 0 or note.length_beats > 0.9:
            assert note.pitch % 12 in chord.pitch_classes(), note
        assert note.pitch % 12 in scale_for(chord, Key(0)), note
        assert 60 <= note.pitch <= 86
    for a, b in pairwise(tune):
        assert a.end_beats <= b.start_beats + 1e-9
        steps.append(abs(b.pitch - a.pitch))
    assert max(steps) <= 12 and sum(step <= 4 for step in steps) > 0.6 * len(steps)
    assert sum(step == 0 for step in steps) < 0.25 * len(steps)


def test_another_take_is_another_tune_and_the_same_take_the_same():
    composition = compose(CHORDS, seconds=30.0)
    other = replace(composition, take=Take(2))
    assert part(arrange(composition), "melody") == part(arrange(replace(composition)), "melody")
    assert part(arrange(composition), "melody") != part(arrange(other), "melody")
    assert part(arrange(composition), "pad") == part(arrange(other), "pad")


def test_an_altered_chord_alters_the_scale():
    assert scale_for(Chord.parse("D"), Key(0)) == {0, 2, 4, 6, 7, 9, 11}
    assert scale_for(Chord.parse("E7"), Key(9, "minor")) == {9, 11, 0, 2, 4, 5, 8}  # harmonic minor
    assert scale_for(Chord.parse("Fm"), Key(0)) == {0, 2, 4, 5, 7, 8, 11}
    assert scale_for(Chord.parse("G7"), Key(0)) == frozenset(Key(0).scale())
    assert choose_pitch(Chord.parse("C"), Key(0), (60, 86), 72, 73.0, strong=False) in (71, 74)


# drums -----------------------------------------------------------------------------------------------------------
def drums_at(motion, meter="4/4", seconds=32.0):
    composition = compose("C", tempo_map=TempoMap.constant(120, TimeSignature.parse(meter)), seconds=seconds)
    slots = tuple(
        replace(slot, motion=motion if 8 <= slot.start_s < 24 else 40.0 * (slot.index % 5) / 4)
        for slot in composition.slots
    )
    result = arrange(replace(composition, slots=slots))
    return [note for note in part(result, "drums") if 20 <= note.start_beats < 44]


def test_energy_follows_the_motion():
    still, moving, wild = drums_at(0.0), drums_at(20.0), drums_at(60.0)
    assert not still
    assert 0 < len(moving) < len(wild)
    assert {note.channel for note in wild} == {10}
    beat = part(arrange(compose("C"), ArrangeOptions(activity=50)), "drums")
    kicks = {note.start_beats % 4 for note in beat if note.pitch == KICK}
    snares = {note.start_beats % 4 for note in beat if note.pitch in (SNARE, SIDE_STICK)}
    assert kicks == {0.0, 2.0} and snares == {1.0, 3.0}


@pytest.mark.parametrize("meter", ["3/4", "6/8", "7/8", "5/4", "12/8"])
def test_any_meter_has_its_kick_on_one(meter):
    bar = float(TimeSignature.parse(meter).bar_beats)
    found = drums_at(60.0, meter)
    lines = {note.start_beats for note in found if note.pitch == KICK}
    bars = [k * bar for k in range(100) if 20 <= k * bar < 43]
    assert set(bars) <= lines


def test_hits_have_an_accent_a_fill_and_a_breath():
    composition = compose("C C C C Am Am Am Am", seconds=24.0, density=12.0, hits=(Hit(9.5, "must"),))
    plain = arrange(replace(composition, hits=()))
    result = arrange(composition)
    hit = 19.0
    at_hit = [note for note in result.notes if note.start_beats == hit]
    assert {note.part for note in at_hit} >= {"pad", "bass", "drums", "arp"}
    assert {KICK, CRASH} <= {note.pitch for note in at_hit if note.part == "drums"}
    # the breath: nothing but drums sounds in the sixteenth before
    held = [note for note in result.notes if note.part != "drums" and note.start_beats < hit < note.end_beats + 0.25]
    assert not held, held
    assert any(note.part != "drums" and note.start_beats < hit < note.end_beats for note in plain.notes)
    fill = [n for n in result.notes if n.part == "drums" and n.pitch in TOMS and hit - 1 <= n.start_beats < hit]
    assert len(fill) >= 2 and [n.pitch for n in fill] == sorted((n.pitch for n in fill), reverse=True)
    loud = next(n.velocity for n in at_hit if n.part == "bass")
    before = [n.velocity for n in plain.notes if n.part == "bass" and n.start_beats <= hit][-1]
    assert loud > before
    # the same chord goes on, but its voices have moved
    pads = [n.pitch for n in at_hit if n.part == "pad"]
    earlier = [n.pitch for n in result.notes if n.part == "pad" and n.start_beats == 16.0]
    assert pads != earlier and {p % 12 for p in pads} == {p % 12 for p in earlier}


def test_music_grows_towards_a_hit():
    composition = compose("C", seconds=20.0, density=12.0, loudness=0.1, hits=(Hit(15.0),))
    cc1 = [c.value for c in arrange(composition).controllers if c.number == 1 and c.part == "pad"]
    assert len(cc1) > 5 and cc1[1:-1] == sorted(cc1[1:-1])
    flat = arrange(composition, ArrangeOptions(crescendo=0))
    assert len([c for c in flat.controllers if c.number == 1 and c.part == "pad"]) <= 2


def test_a_hit_nearby_leaves_the_rest_alone():
    composition = compose(CHORDS, seconds=40.0, density=12.0)
    with_hit = replace(composition, hits=(Hit(20.0),))
    a, b = arrange(composition, ArrangeOptions(crescendo=0)), arrange(with_hit, ArrangeOptions(crescendo=0))
    early = lambda result: [n for n in result.notes if n.end_beats < 38]  # noqa: E731
    assert early(a) == early(b)
