from __future__ import annotations

import sys
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from profiles import examples

sys.path.insert(0, str(Path(__file__).parent))
from pieces import compose, compositions

from engine.arrange.changes import ChangeOptions, place_changes
from engine.arrange.rhythm import merge_runs
from engine.music import Chord, Cut, Hit, MusicError, TempoMap

CHORDS = "C Am Dm G7 Em7 Am F G C F Dm7 G7 Am Em F G7"
# Found by eye in a film: nothing regular about them.
CUTS = (1.75, 3.29, 4.71, 7.46, 9.62, 16.33, 16.96, 19.62, 22.08, 25.75, 28.29)


def film(chords_on, bpm=97, **extra):
    composition = compose(CHORDS, tempo_map=TempoMap.constant(bpm), seconds=30.0, cuts=tuple(map(Cut, CUTS)), **extra)
    return place_changes(composition, ChangeOptions(chords_on=chords_on))


def changes_s(composition):
    return [run.start_s for run in merge_runs(composition.slots)][1:]


def test_without_cuts_chords_change_on_strong_beats():
    runs = merge_runs(film("off").slots)
    assert all(run.start_beats % 2 == 0 for run in runs)
    lengths = [run.end_beats - run.start_beats for run in runs[:-1]]
    assert 3 <= sum(lengths) / len(lengths) <= 6  # about a bar, at 97 bpm
    slow = merge_runs(film("off", bpm=80).slots)
    assert sum(run.end_beats - run.start_beats for run in slow) / len(slow) <= 3.5  # about half a bar


@pytest.mark.parametrize("weight", ["must", "should"])
def test_hits_get_their_chord_to_the_sixteenth(weight):
    times = (4.71, 9.62, 16.33, 22.08)
    composition = film("hits", hits=tuple(Hit(time, weight) for time in times))
    sixteenth = 15 / 97
    for time in times:
        assert min(abs(change - time) for change in changes_s(composition)) <= sixteenth / 2 + 1e-6
    off = film("off", hits=tuple(Hit(time, weight) for time in times))
    assert any(min(abs(change - time) for change in changes_s(off)) > sixteenth / 2 for time in times)


def test_all_cuts_get_their_chords_and_little_else():
    found = changes_s(film("all"))
    met = [cut for cut in CUTS if min(abs(change - cut) for change in found) <= 0.08]
    assert len(met) >= 10  # two cuts lie 0.63 s apart
    precision = sum(min(abs(change - cut) for cut in CUTS) <= 0.08 for change in found) / len(found)
    assert precision >= 0.7
    runs = merge_runs(film("all").slots)
    assert all(run.end_beats - run.start_beats >= 1 - 1e-9 for run in runs)


def test_strong_cuts_only():
    composition = compose(
        CHORDS,
        tempo_map=TempoMap.constant(97),
        seconds=30.0,
        cuts=tuple(Cut(time, 1.0 if index % 2 else 0.2) for index, time in enumerate(CUTS)),
    )
    found = changes_s(place_changes(composition, ChangeOptions(chords_on="strong")))
    assert sum(min(abs(change - cut) for change in found) <= 0.08 for cut in CUTS[1::2]) >= 4


def test_given_and_pinned_chords_stay_but_lean_to_a_near_hit():
    composition = compose("C F G Am", seconds=16.0, hits=(Hit(4.2), Hit(9.0)))
    slots = tuple(replace(slot, given=True) for slot in composition.slots)
    placed = place_changes(replace(composition, slots=slots))
    runs = merge_runs(placed.slots)
    assert [str(run.chord) for run in runs] == ["C", "F", "G", "Am"] * 4
    starts = [run.start_beats for run in runs]
    assert 8.5 in starts  # the hit at 4.2 s: the change at beat 8 moved half a beat
    assert starts.count(18.0) == 1


def test_rests_stay_rests():
    composition = compose("C C N N Am Am", seconds=12.0)
    placed = place_changes(composition)
    silent = lambda work: [(s.start_beats, s.end_beats) for s in work.slots if s.chord == Chord.parse("N")]  # noqa: E731
    assert silent(placed) == silent(composition)


@given(
    compositions(), st.sampled_from(["off", "hits", "strong", "all"]), st.sampled_from(["auto", "half", "1", "2", "4"])
)
@examples(60)
def test_slots_still_cover_the_film_and_nothing_is_invented(composition, chords_on, harmonic_rhythm):
    placed = place_changes(composition, ChangeOptions(harmonic_rhythm, chords_on))
    assert placed.slots[0].start_s == composition.slots[0].start_s
    assert placed.slots[-1].end_s == composition.slots[-1].end_s
    for a, b in pairwise(placed.slots):
        assert a.end_beats == b.start_beats and a.end_s == b.start_s and b.index == a.index + 1
    assert all(slot.end_beats > slot.start_beats for slot in placed.slots)
    assert {slot.chord for slot in placed.slots} <= {slot.chord for slot in composition.slots}
    assert place_changes(composition, ChangeOptions(harmonic_rhythm, chords_on)) == placed
    borders = {slot.start_beats for slot in composition.slots}
    for run in merge_runs(placed.slots):
        beats = Fraction(run.start_beats).limit_denominator(1000)
        offset = (beats - composition.tempo_map.bar_start(composition.tempo_map.bar_at(beats))) * 4
        assert offset.denominator == 1 or run.start_beats in borders


def test_a_hit_moves_no_chord_far_from_it():
    plain = compose(CHORDS, tempo_map=TempoMap.constant(97), seconds=60.0)
    placed = place_changes(replace(plain, hits=(Hit(30.1, "must"),)))
    bar_s = 4 * 60 / 97

    def far(work):
        return [(run.chord, run.start_s) for run in merge_runs(work.slots) if abs(run.start_s - 30.1) > 2 * bar_s]

    assert far(placed) == far(plain)
    assert min(abs(run.start_s - 30.1) for run in merge_runs(placed.slots)) <= 15 / 97 / 2
    assert place_changes(plain) == plain


def test_unknown_words():
    with pytest.raises(MusicError):
        ChangeOptions(chords_on="sometimes")
    with pytest.raises(MusicError):
        ChangeOptions("3")
