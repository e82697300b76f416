"""What a request fixes: given chords in bars, pins, harmonic rhythm, cues, what was kept."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from profiles import examples

from engine.harmony.plan import plan
from engine.music import (
    NO_CHORD,
    Chord,
    Cue,
    Hit,
    Key,
    MusicError,
    Section,
    Slot,
    TempoMap,
    TimeSignature,
    parse_progression,
)
from engine.process.messages import ComposeOptions, ComposeRequest


def request(bpm=120, progression=None, mode="start", meter="4/4", **more) -> ComposeRequest:
    given_chords = None if progression is None else parse_progression(progression, mode)
    tempo_map = TempoMap.constant(bpm, TimeSignature.parse(meter))
    return ComposeRequest(1, tempo_map, progression=given_chords, **more)


def names(slots) -> list[str]:
    return ["-" if slot.fixed is None else slot.fixed.lead_sheet() for slot in slots]


def test_start_with_lays_each_chord_a_bar_and_leaves_the_rest_to_the_network():
    slots = plan(request(progression="C Am:2 F"), 16.0)  # slots of two beats
    assert names(slots) == ["C", "C", "Am", "Am", "Am", "Am", "F", "F"] + ["-"] * 8
    assert all(slot.given == (slot.fixed is not None) for slot in slots)
    assert slots[8].change  # the network's first chord is its own


def test_loop_fills_the_film_and_exact_is_silent_after():
    assert names(plan(request(progression="C G", mode="loop"), 12.0)) == ["C", "C", "G", "G"] * 3
    assert names(plan(request(progression="C G", mode="exact"), 6.0)) == ["C", "C", "G", "G", "N.C.", "N.C."]


def test_a_chord_that_changes_inside_a_slot_splits_it():
    slots = plan(request(progression="| C | C F G C |"), 8.0)
    second_bar = [(slot.fixed.lead_sheet(), slot.start_beats, slot.end_beats) for slot in slots if slot.given][2:]
    assert second_bar == [("C", 4, 5), ("F", 5, 6), ("G", 6, 7), ("C", 7, 8)]
    assert slots[-1].end_s == 8.0
    assert all(a.end_s == b.start_s and a.end_beats == b.start_beats for a, b in pairwise(slots))


def test_slash_chords_keep_their_bass():
    assert plan(request(progression="| C/E |"), 4.0)[0].fixed == Chord.parse("C/E")


def test_a_progression_set_while_rolling_begins_where_it_was_set():
    slots = plan(request(progression="Dm G", progression_from_s=4.0), 10.0)
    assert names(slots)[:9] == ["-"] * 4 + ["Dm", "Dm", "G", "G", "-"]


def test_a_progression_set_inside_a_bar_changes_on_bar_lines():
    slots = plan(request(progression="Dm G", progression_from_s=5.5), 12.0)  # beat 11, bar 3 beat 4
    dm = [slot for slot in slots if slot.fixed == Chord.parse("Dm")]
    assert dm[0].start_beats == 11 and dm[-1].end_beats == 16  # the rest of the bar and its own bar


def test_the_picture_may_start_anywhere():
    slots = plan(request(progression="C G", picture_starts_at_s=3.0), 6.0)  # bar 2, beat 3
    assert [(slot.fixed.lead_sheet(), slot.start_beats) for slot in slots if slot.given] == [
        ("C", 6.0),
        ("C", 8.0),
        ("C", 10.0),
        ("G", 12.0),
        ("G", 14.0),
    ]


@pytest.mark.parametrize(
    ("rhythm", "bpm", "beats"),
    [("auto", 120, 4), ("auto", 90, 2), ("half", 120, 2), ("1", 80, 4), ("2", 120, 8), ("4", 100, 16)],
)
def test_harmonic_rhythm(rhythm, bpm, beats):
    slots = plan(request(bpm, options=ComposeOptions(harmonic_rhythm=rhythm)), 60.0)
    assert [slot.start_beats for slot in slots if slot.change] == pytest.approx(
        [i * beats for i in range(sum(slot.change for slot in slots))]
    )


@examples(40)
@given(
    st.sampled_from(["4/4", "3/4", "2/4", "6/8", "7/8", "5/4", "12/8", "1/4"]),
    st.integers(40, 240),
    st.sampled_from(["auto", "half", "1", "2", "4"]),
    st.floats(0.0, 20.0),
)
def test_no_network_chord_is_shorter_than_a_beat(meter, bpm, rhythm, starts_s):
    asked = request(bpm, meter=meter, picture_starts_at_s=starts_s, options=ComposeOptions(harmonic_rhythm=rhythm))
    slots = plan(asked, 47.3)
    changes = [slot.start_beats for slot in slots if slot.change][1:]  # the first bar may be cut by the picture
    assert all(b - a > 1 - 1e-6 for a, b in pairwise(changes))
    assert slots[0].start_s == 0.0 and slots[-1].end_s == pytest.approx(47.3)


def test_auto_is_freer_at_hits_only():
    slots = plan(request(120, hits=(Hit(5.1),)), 12.0)
    free = [slot for slot in slots if slot.free]
    assert [slot.start_s for slot in free] == [5.0] and all(slot.change for slot in free)


def test_a_pin_takes_its_chord_and_no_other():
    pinned = plan(request(pins=((5.2, Chord.parse("E7")),)), 12.0)
    assert [slot.start_s for slot in pinned if slot.pinned] == [4.0, 5.0]
    over_given = plan(request(progression="C Am F G", pins=((2.0, Chord.parse("E7")),)), 12.0)
    assert names(over_given)[:6] == ["C", "C", "E7", "E7", "F", "F"]
    assert not over_given[2].given and over_given[2].pinned


def test_pins_outside_the_film_and_in_the_kept_past_are_left():
    kept = tuple(Slot(i, i, i + 1, 2 * i, 2 * i + 2, Chord.parse("C")) for i in range(6))
    slots = plan(request(keep=kept, pins=((1.0, Chord.parse("E7")), (99.0, Chord.parse("E7")))), 12.0)
    assert names(slots) == ["C"] * 6 + ["-"] * 6


def test_kept_slots_stay_as_they_are_and_the_cut_slot_is_shortened():
    kept = (Slot(0, 0.0, 1.0, 0.0, 2.0, Chord.parse("C")), Slot(1, 1.0, 2.4, 2.0, 4.8, Chord.parse("G/B")))
    slots = plan(request(keep=kept), 6.0)
    assert names(slots)[:3] == ["C", "G/B", "-"]
    assert (slots[2].start_s, slots[2].start_beats, slots[2].end_s) == (2.4, 4.8, 3.0)


def test_music_without_cues_begins_with_the_action():
    slots = plan(request(progression="Dm G"), 12.0, begins_s=4.0)
    assert names(slots) == ["N.C."] * 4 + ["Dm", "Dm", "G", "G"] + ["-"] * 4
    with_cue = plan(request(cues=(Cue("1m1", 2.0, None),)), 12.0, begins_s=4.0)
    assert [slot.cue for slot in with_cue] == [-1] * 2 + [0] * 10  # a composer who set a cue knows better


def test_outside_cues_nothing_sounds_and_each_cue_has_its_own_key_and_chords():
    cues = (
        Cue("1m1", 4.0, 8.0, bar_1_s=4.0, key=Key.parse("D"), progression=parse_progression("D A")),
        Cue("1m2", 12.0, None, bar_1_s=12.0, key=Key.parse("Em")),
    )
    slots = plan(request(cues=cues), 16.0)
    assert names(slots) == ["N.C."] * 4 + ["D", "D", "A", "A"] + ["N.C."] * 4 + ["-"] * 4
    assert [slot.cue for slot in slots] == [-1] * 4 + [0] * 4 + [-1] * 4 + [1] * 4
    assert slots[5].key == Key.parse("D") and slots[13].key == Key.parse("Em")


def test_sections_change_key_activity_and_dynamics_from_their_second_on():
    sections = (
        Section(4.0, (("key", "Fm"), ("activity", "80"))),
        Section(8.0, (("activity", "picture"), ("dynamics", "10"), ("pattern", "up"))),
    )
    slots = plan(request(cues=(Cue("1m1", 0.0, None, sections=sections, key=Key.parse("C")),)), 12.0)
    assert [slot.key.name for slot in slots[3:5]] == ["C major", "F minor"]
    assert [(slot.activity, slot.dynamics) for slot in slots[::4]] == [(None, None), (80.0, None), (None, 10.0)]


@pytest.mark.parametrize("change", [("activity", "loud"), ("dynamics", "101"), ("key", "X")])
def test_a_section_that_makes_no_sense_is_refused(change):
    cue = Cue("1m1", 0.0, None, sections=(Section(2.0, (change,)),))
    with pytest.raises(MusicError):
        plan(request(cues=(cue,)), 12.0)


def test_an_unknown_harmonic_rhythm_is_refused():
    with pytest.raises(MusicError, match="harmonic rhythm"):
        plan(request(options=ComposeOptions(harmonic_rhythm="3")), 12.0)


CHORD_TEXTS = st.lists(
    st.tuples(
        st.sampled_from(["C", "Am7", "F#m7b5", "Bb", "G/B", "N"]), st.fractions(Fraction(1, 4), 5, max_denominator=4)
    ),
    min_size=1,
    max_size=6,
)


@examples(40)
@given(
    CHORD_TEXTS,
    st.sampled_from(["start", "loop", "exact"]),
    st.integers(50, 180),
    st.sampled_from(["4/4", "3/4", "7/8"]),
)
def test_every_progression_lies_in_bars_and_the_film_stays_covered(chords, mode, bpm, meter):
    text = " ".join(f"{name}:{bars}" for name, bars in chords)
    asked = request(bpm, text, mode, meter)
    slots = plan(asked, 61.7)
    assert slots[0].start_s == 0.0 and slots[-1].end_s == pytest.approx(61.7)
    assert all(a.end_s == b.start_s and a.start_s < a.end_s for a, b in pairwise(slots))
    for slot in slots:
        # The middle of a slot lies at least a sixteenth from where a change may have been rounded to.
        if slot.end_beats - slot.start_beats < 0.5:
            continue
        position = asked.tempo_map.bar_position((slot.start_beats + slot.end_beats) / 2)
        chord = asked.progression.chord_at(position)
        if chord is None:
            assert slot.fixed == (NO_CHORD if mode == "exact" else None)
        else:
            assert slot.fixed == chord and slot.given


def test_keeping_a_part_of_a_plan_leaves_the_rest_as_it_was():
    asked = request(progression="C Am:1/2 F", pins=((9.0, Chord.parse("E7")),), hits=(Hit(13.2),))
    whole = plan(asked, 20.0)
    for count in range(1, len(whole)):
        kept = tuple(
            Slot(
                i,
                s.start_s,
                s.end_s,
                s.start_beats,
                s.end_beats,
                s.fixed or Chord.parse("Dm"),
                pinned=s.pinned,
                given=s.given,
            )
            for i, s in enumerate(whole[:count])
        )
        again = plan(replace(asked, keep=kept), 20.0)
        assert again[count:] == whole[count:], count


def test_a_slot_that_in_or_out_cuts_belongs_to_the_cue() -> None:
    slots = plan(request(cues=(Cue("1m1", 2.7, 6.3),)), 10.0)
    inside = [slot for slot in slots if slot.cue == 0]
    assert inside[0].start_s <= 2.7 < inside[0].end_s and inside[-1].start_s < 6.3 <= inside[-1].end_s
