from __future__ import annotations

import pickle
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
from pieces import compose, compositions, stored_states

from engine.arrange import ArrangeOptions, Arranger, arrange, film_levels, paper_options
from engine.arrange.drums import TOMS
from engine.arrange.timeline import effective_cues
from engine.music import Chord, Cue, Hit, MusicError, Progression, ProgressionItem, TempoMap, TimeSignature

options = st.builds(
    ArrangeOptions,
    velocity_map=st.sampled_from(["stretched", "paper"]),
    density_map=st.sampled_from(["stretched", "rolling", "paper"]),
    activity=st.one_of(st.none(), st.floats(0, 100)),
    dynamics=st.one_of(st.none(), st.floats(0, 100)),
    pattern=st.sampled_from(["auto", "3", "up", "octaves", "1 * 2 * 3 2 4 *", "* 1 *", "1 1 1"]),
    swing=st.sampled_from([50.0, 58.0, 66.7, 75.0]),
    note_length=st.sampled_from([5.0, 90.0, 100.0, 110.0]),
    looseness_ms=st.sampled_from([0.0, 10.0, 25.0]),
    transpose=st.integers(-24, 24),
    voicing=st.sampled_from(["close", "open", "root"]),
    cc11=st.sampled_from(["fixed", "curve", "off"]),
)


@given(compositions(), options, st.lists(st.floats(-10, 60), min_size=1, max_size=6))
@examples(60)
def test_pieces_equal_the_whole(composition, chosen, borders):
    arranger = Arranger(composition, chosen)
    whole = arranger.arrange()
    notes, controllers, voicings, state = [], [], [], None
    borders = sorted(borders)
    for start, end in pairwise([None, *borders, None]):
        piece = arranger.arrange(start, end, state)
        state = pickle.loads(pickle.dumps(piece.state))
        assert state == piece.state
        notes += piece.notes
        controllers += piece.controllers
        voicings += piece.voicings
    assert sorted(notes, key=repr) == sorted(whole.notes, key=repr)
    assert sorted(controllers, key=repr) == sorted(whole.controllers, key=repr)
    assert tuple(voicings) == whole.voicings


@given(compositions(), st.floats(0, 30))
@examples(30)
def test_any_earlier_state_will_do(composition, start):
    arranger = Arranger(composition)
    expected = arranger.arrange(start, start + 4)
    for state in stored_states(arranger, 3.0):
        if state.position_beats <= start:
            found = arranger.arrange(start, start + 4, state)
            assert (found.notes, found.controllers) == (expected.notes, expected.controllers)
    assert len(pickle.dumps(arranger.arrange().state)) < 2500


@given(compositions(), options)
@examples(60)
def test_what_every_arrangement_keeps_to(composition, chosen):
    arranger = Arranger(composition, chosen)
    result = arranger.arrange()
    tempo_map, starts_s = composition.tempo_map, composition.picture_starts_at_s
    # One pitch of a channel never sounds twice at once.
    last_end = {}
    for note in sorted(result.notes, key=lambda note: note.start_beats):
        place = (note.channel, note.pitch)
        assert note.start_beats >= last_end.get(place, -1e9) - 1e-6, (place, note)
        last_end[place] = note.end_beats
    # Silence outside the cues and their tails (to the sixteenth).
    spans = []
    for cue in effective_cues(composition):
        out_s = min(composition.film.duration_s if cue.out_s is None else cue.out_s, composition.film.duration_s)
        spans.append((cue.in_s, out_s, 0.0 if cue.ending == "cut" else cue.tail_s))
    for note in result.notes:
        start_s = tempo_map.seconds_at(note.start_beats) - starts_s
        end_s = tempo_map.seconds_at(note.end_beats) - starts_s
        step_s = 15 / tempo_map.bpm_at(note.start_beats) + 0.026
        assert any(a - step_s <= start_s and end_s <= b + tail + 2 * step_s for a, b, tail in spans), (note, spans)
    # Rests are silent: whatever begins, begins while a chord stands.
    for note in result.notes:
        if chosen.looseness_ms == 0 and note.part != "melody":
            picture_s = tempo_map.seconds_at(note.start_beats) - starts_s
            near = [s for s in composition.slots if s.start_s - 0.4 <= picture_s <= s.end_s + 0.4]
            assert not near or any(not slot.chord.is_silence for slot in near)
    # Ranges and channels.
    shift = 12 * round(chosen.transpose / 12)
    for note in result.notes:
        part = chosen.parts[note.part]
        assert note.channel == part.channel
        if note.part != "drums":
            assert part.low + shift - 24 * (shift > 0) <= note.pitch <= part.high + shift + 24 * (shift < 0)
            if -24 < chosen.transpose < 24 and part.low + shift >= 12:
                assert part.low + shift <= note.pitch <= part.high + shift
    # Controllers: on change only, at most twenty a second and number and channel, never another number.  Each cue is a
    # piece of its own and states them anew.
    values, times = {}, {}
    segments = arranger._timeline.segments
    cue_starts = [b.start for a, b in pairwise(segments) if a.cue != b.cue]
    for change in result.controllers:
        while cue_starts and change.time_beats >= cue_starts[0] - 1e-9:
            values, cue_starts = {}, cue_starts[1:]
        place = (change.channel, change.number)
        assert change.number in (1, 11) and change.value != values.get(place)
        if place in times:
            apart = tempo_map.seconds_at(change.time_beats) - times[place]
            assert apart >= 0.05 - 1e-6
        values[place], times[place] = change.value, tempo_map.seconds_at(change.time_beats)


@given(compositions(), st.sampled_from(["auto", "up", "1 * 2 * 3 2 4 *"]))
@examples(40)
def test_every_onset_stands_on_the_sixteenth_grid(composition, pattern):
    tempo_map = composition.tempo_map
    for note in arrange(composition, ArrangeOptions(pattern=pattern)).notes:
        beats = Fraction(note.start_beats).limit_denominator(1000)
        offset = beats - tempo_map.bar_start(tempo_map.bar_at(beats))
        assert (offset * 4).denominator == 1, note


@given(compositions(), options, st.dictionaries(st.sampled_from(["pad", "arp", "bass", "melody"]), st.integers(0, 109)))
@examples(60)
def test_any_range_and_transposition_can_be_played(composition, chosen, lows):
    for part, low in lows.items():
        chosen = chosen.with_part(part, low=low, high=low + 18)
    for note in arrange(composition, chosen).notes:
        if note.part in lows and -12 < chosen.transpose < 12 and 12 <= lows[note.part] <= 97:
            shift = 12 * round(chosen.transpose / 12)
            assert lows[note.part] + shift <= note.pitch <= lows[note.part] + 18 + shift


def test_equal_input_gives_equal_output():
    assert arrange(compose(seed=3)) == arrange(compose(seed=3))


# the paper --------------------------------------------------------------------------------------------------------
def paper_composition(densities, text="C C G G", loudness=0.25):
    composition = compose(text, seconds=float(len(densities)), grid="seconds")
    slots = [
        replace(slot, density=density, loudness=loudness)
        for slot, density in zip(composition.slots, densities, strict=True)
    ]
    return replace(composition, slots=tuple(slots), cues=(Cue(ending="cut"),))


def test_the_papers_rendering():
    """Table 3: the first half of the row in a chord's first second, the second half where the chord is repeated."""
    result = arrange(paper_composition([8, 8, 13, 22]), paper_options())
    assert {note.part for note in result.notes} == {"arp"} and not result.controllers
    assert {note.velocity for note in result.notes} == {round(49 + 63 * 0.25)}
    c, g = (60, 64, 67, 72), (67, 71, 74, 79)
    found = [(note.start_beats / 2 * 8, note.pitch) for note in result.notes]
    rows = {
        0: "1 * 2 * 3 * * *",  # level 2, first half
        1: "4 * 2 * 3 * * *",  # level 2, second half
        2: "1 * 2 * 3 * 4 *",  # level 3, first half
        3: "2 1 2 3 4 3 2 3",  # level 5, second half
    }
    expected = []
    for second, row in rows.items():
        tones = c if second < 2 else g
        for step, token in enumerate(row.split()):
            if token != "*":
                expected.append((second * 8 + step, tones[int(token) - 1]))
    assert [(round(place), pitch % 12) for place, pitch in found] == [(place, pitch % 12) for place, pitch in expected]
    assert [b - a for (_, a), (_, b) in pairwise(found[:6])] == [b - a for (_, a), (_, b) in pairwise(expected[:6])]


@pytest.mark.parametrize(
    ("density", "per_slot"), [(0, 2), (5, 2), (6, 3), (10, 3), (11, 4), (15, 4), (16, 6), (20, 6), (21, 8), (40, 8)]
)
def test_the_papers_thresholds(density, per_slot):
    notes = arrange(paper_composition([density] * 4), paper_options()).notes
    assert len([note for note in notes if note.start_beats < 2]) == per_slot


def test_stretched_levels_all_occur():
    composition = compose(seconds=60.0, seed=5)
    slots = tuple(replace(slot, density=8 + slot.density / 10) for slot in composition.slots)  # 8..10.5: one paper row
    composition = replace(composition, slots=slots)
    bars = {len([n for n in arrange(composition).notes if n.part == "arp" and a <= n.start_beats < a + 2])
            for a in range(0, 118, 2)}  # fmt: skip
    assert len(bars) >= 5
    paper = arrange(composition, ArrangeOptions(density_map="paper")).notes
    assert (
        len({len([n for n in paper if n.part == "arp" and a <= n.start_beats < a + 4]) for a in range(0, 116, 4)}) == 1
    )


def test_rolling_levels_occur_where_the_films_own_do_not():
    """A film that is calm for a minute and wild after it: by its own quantiles the calm half has two levels."""
    composition = compose(seconds=120.0, seed=5)
    slots = tuple(
        replace(slot, density=slot.density / 5 + (20 if slot.start_s >= 60 else 0)) for slot in composition.slots
    )
    composition = replace(composition, slots=slots)
    arrangers = {name: Arranger(composition, ArrangeOptions(density_map=name)) for name in ("stretched", "rolling")}

    def levels(name, start_s, end_s):
        segments = [s for s in arrangers[name]._timeline.segments if start_s <= s.slot.start_s < end_s]
        return {arrangers[name]._level(segment) for segment in segments}

    assert levels("stretched", 20, 60) <= {1, 2, 3}
    assert levels("rolling", 20, 60) == {1, 2, 3, 4, 5} == levels("rolling", 95, 120)
    # Only what lies behind counts: the first half is the same without the second.
    half = replace(composition, slots=slots[: len(slots) // 2])
    frozen = film_levels(slots)  # as a session has them
    early = Arranger(half, ArrangeOptions(density_map="rolling", levels=frozen), complete=False)
    known = [s for s in early._timeline.segments if s.slot.start_s < 58]
    assert [early._level(s) for s in known] == [
        arrangers["rolling"]._level(s) for s in arrangers["rolling"]._timeline.segments[: len(known)]
    ]


def test_rolling_levels_of_a_still_film_are_the_films_own():
    composition = compose(seconds=40.0, density=8.0)
    plain, rolling = (arrange(composition, ArrangeOptions(density_map=name)).notes for name in ("stretched", "rolling"))
    assert [n for n in plain if n.part == "arp"] == [n for n in rolling if n.part == "arp"]


def test_velocities_follow_loudness():
    composition = compose("C", seconds=20.0)
    slots = tuple(replace(slot, loudness=0.1 + 0.01 * slot.index) for slot in composition.slots)
    composition = replace(composition, slots=slots)
    pads = [n.velocity for n in arrange(composition).notes if n.part == "arp" and n.start_beats % 4 == 0]
    assert pads == sorted(pads) and pads[0] <= 58 and pads[-1] >= 109
    paper = [n.velocity for n in arrange(composition, ArrangeOptions(velocity_map="paper")).notes if n.part == "arp"]
    assert paper[0] == round(49 + 63 * 0.1) and max(paper) == round(49 + 63 * 0.29)
    cc1 = [c.value for c in arrange(composition).controllers if c.number == 1 and c.part == "pad"]
    assert cc1 == sorted(cc1) and cc1[0] == 25 and cc1[-1] == 105
    assert {c.value for c in arrange(composition).controllers if c.number == 11} == {100}


def test_dynamics_and_activity_by_hand():
    soft, loud = (arrange(compose(), ArrangeOptions(dynamics=value)).notes for value in (0, 100))
    assert max(n.velocity for n in soft if n.part == "pad") < min(n.velocity for n in loud if n.part == "pad")
    calm, busy = (arrange(compose(), ArrangeOptions(activity=value)).notes for value in (0, 100))
    assert len([n for n in busy if n.part == "arp"]) == 4 * len([n for n in calm if n.part == "arp"]) - 3


# cues -------------------------------------------------------------------------------------------------------------
def last_chord(result, at):
    return {note.pitch % 12 for note in result.notes if note.start_beats == at and note.part in ("pad", "bass")}


def test_the_last_chord_lands_on_out_and_rings():
    composition = compose("C Am F G", cues=(Cue("1m1", 2.0, 8.0, tail_s=3.0),))
    result = arrange(composition)
    assert min(note.start_beats for note in result.notes) == 4
    assert last_chord(result, 16.0) == {0, 4, 7}
    assert max(note.end_beats for note in result.notes) == 22
    assert all(note.end_beats <= 16 or note.start_beats >= 16 for note in result.notes)
    open_end = arrange(replace(composition, cues=(Cue("1m1", 2.0, 8.0, ending="open"),)))
    assert last_chord(open_end, 16.0) == {7, 11, 2}
    cut = arrange(replace(composition, cues=(Cue("1m1", 2.0, 8.0, ending="cut"),)))
    assert max(note.end_beats for note in cut.notes) <= 16
    assert not [note for note in cut.notes if note.start_beats >= 16]


def test_a_minor_cue_ends_on_its_own_tonic_and_a_given_chord_stays():
    composition = compose("Am F C G", key="Am", seconds=8.0)
    assert last_chord(arrange(composition), 16.0) == {9, 0, 4}
    given_slots = tuple(replace(slot, given=True) for slot in composition.slots)
    assert last_chord(arrange(replace(composition, slots=given_slots)), 16.0) == {7, 11, 2}


def test_the_landing_moves_to_a_late_hit():
    composition = compose("C Am F G", cues=(Cue("1m1", 0.0, 8.0, hits=(Hit(7.25),)),))
    result = arrange(composition)
    assert last_chord(result, 14.5) == {0, 4, 7}
    assert not [note for note in result.notes if note.start_beats > 14.5]


def before_the_landing(weight, ending="tonic"):
    """Whether there is breath, a fill and growth (against the film without it) before a hit on beat 46 of 48."""
    composition = compose("C C Am Am F F G G", seconds=24.0, density=12.0, loudness=0.2, cues=(Cue(ending=ending),))
    with_hit = arrange(replace(composition, hits=(Hit(23.0, weight),)))
    plain = arrange(composition)
    sounding = {n.part for n in with_hit.notes if n.part != "drums" and n.start_beats < 46 and n.end_beats > 45.75}
    toms = [n for n in with_hit.notes if n.part == "drums" and n.pitch in TOMS and 45 <= n.start_beats < 46]
    loudest = [
        max((n.velocity for n in result.notes if n.part == "arp" and 44 <= n.start_beats < 46), default=0)
        for result in (plain, with_hit)
    ]
    return not sounding, bool(toms), loudest[1] > loudest[0]


def test_a_hit_that_the_ending_lands_on_is_led_into_as_any_other():
    assert before_the_landing("must") == (True, True, True)
    assert before_the_landing("should") == (True, True, True)
    assert before_the_landing("must", "open") == (True, True, True)
    assert before_the_landing("nice") == (False, True, True)  # no breath before one of these
    assert before_the_landing("must", "cut") == (False, False, False)  # nothing lands


@given(compositions(), st.data())
@examples(40)
def test_what_is_settled_while_slots_arrive_stays(composition, data):
    """Hits to come are known before their slots: what leads into them is played before they have arrived."""
    count = data.draw(st.integers(1, len(composition.slots)))
    kept = ArrangeOptions(levels=film_levels(composition.slots), cc1=False, cc11="off")
    early = Arranger(replace(composition, slots=composition.slots[:count]), kept, complete=False)
    settled = early.final_to_beats
    assert early.arrange(None, settled).notes == Arranger(composition, kept).arrange(None, settled).notes


def test_nothing_is_settled_of_a_cue_whose_slots_are_still_to_come():
    whole = compose("C", seconds=4.0, cues=(Cue("1m1", 1.9, 2.3, tail_s=0.0),))
    kept = ArrangeOptions(levels=film_levels(whole.slots))
    for count in range(1, len(whole.slots) + 1):
        early = Arranger(replace(whole, slots=whole.slots[:count]), kept, complete=False)
        settled = early.final_to_beats
        assert early.arrange(None, settled).notes == Arranger(whole, kept).arrange(None, settled).notes


@pytest.mark.parametrize("hit_s", [21.5, 23.0])
def test_growth_begins_before_the_slots_of_its_hit_arrive(hit_s):
    composition = compose("C Am", seconds=24.0, density=12.0, loudness=0.2, hits=(Hit(hit_s, "must"),))
    kept = ArrangeOptions(levels=film_levels(composition.slots))
    early = Arranger(replace(composition, slots=composition.slots[:21]), kept, complete=False)
    assert early.final_to_beats == 40
    found = early.arrange(None, 40.0).notes
    assert found == Arranger(composition, kept).arrange(None, 40.0).notes
    assert found != Arranger(replace(composition, hits=()), kept).arrange(None, 40.0).notes


def test_a_tail_gives_way_to_the_next_cue_and_silence_stays_between():
    cues = (Cue("1m1", 0.0, 4.0, tail_s=9.0), Cue("1m2", 6.0, 9.0, tail_s=1.0))
    result = arrange(compose(cues=cues))
    first = [note for note in result.notes if note.start_beats < 12]
    assert max(note.end_beats for note in first) <= 12
    assert not [note for note in result.notes if 8 < note.start_beats < 12]


def test_streaming_never_plays_an_ending_too_early():
    composition = compose("C C Am Am F F G G", seconds=16.0)
    part = replace(composition, slots=composition.slots[:7])
    streaming = Arranger(part, complete=False)
    assert streaming.final_to_beats == 12
    levels = film_levels(composition.slots)
    kept = ArrangeOptions(levels=levels)
    early = Arranger(part, kept, complete=False).arrange(None, 12.0)
    assert early.notes == Arranger(composition, kept).arrange(None, 12.0).notes


def test_a_fixed_voicing_keeps_everything_but_the_changed_chord():
    composition = compose("C C Am Am F F G G C C F F Dm Dm G G", density=12.0, loudness=0.2)
    before = arrange(composition)
    slots = list(composition.slots)
    for index in (6, 7):
        slots[index] = replace(slots[index], chord=Chord.parse("Bb"), pinned=True)
    after = arrange(replace(composition, slots=tuple(slots)), ArrangeOptions(fixed_voicings=before.voicings))
    changed = {note.start_beats for note in set(before.notes) ^ set(after.notes)}
    # the chord itself, and the approach to it in the last beat of the bass before
    assert changed and all(11 <= beats < 16 for beats in changed)


def test_rests_are_silent_and_slash_chords_have_their_bass():
    result = arrange(compose("C N C/E C/E", density=12.0, cues=(Cue(ending="cut"),), seconds=8.0))
    assert not [note for note in result.notes if 2 <= note.start_beats < 4]
    assert all(note.end_beats <= 2 for note in result.notes if note.start_beats < 2)
    bass = [note for note in result.notes if note.part == "bass" and note.start_beats == 4.0]
    assert bass[0].pitch % 12 == 4


def test_meters_and_tempo_changes():
    tempo_map = TempoMap.of([(0, 90), (7, 140)], [(0, TimeSignature(7, 8)), (14, TimeSignature(6, 8))])
    result = arrange(compose(tempo_map=tempo_map, seconds=12.0))
    assert {note.part for note in result.notes} >= {"pad", "arp", "bass"}


def test_swing_gate_and_looseness():
    composition = compose("C", density=30.0)
    busy = ArrangeOptions(activity=100)
    straight = [n for n in arrange(composition, busy).notes if n.part == "arp"]
    swung = [n for n in arrange(composition, replace(busy, swing=66.0)).notes if n.part == "arp"]
    moved = [b.start_beats - a.start_beats for a, b in zip(straight[:-1], swung[:-1], strict=True)]
    assert moved[:4] == pytest.approx([0, 0.08, 0, 0.08])
    short = [n for n in arrange(composition, replace(busy, note_length=20.0)).notes if n.part == "arp"]
    assert short[0].length_beats == pytest.approx(0.05) and straight[0].length_beats == pytest.approx(0.225)
    legato = [n for n in arrange(composition, replace(busy, note_length=110.0)).notes if n.part == "arp"]
    assert legato[0].end_beats > legato[1].start_beats
    loose = [n for n in arrange(composition, replace(busy, looseness_ms=20.0)).notes if n.part == "arp"]
    shifts = {round(b.start_beats - a.start_beats, 4) for a, b in zip(straight[:-1], loose[:-1], strict=True)}
    assert len(shifts) > 5 and max(map(abs, shifts)) <= 0.040001


def test_transposing_keeps_the_ranges_or_moves_by_octaves():
    up = arrange(compose("C"), ArrangeOptions(transpose=3))
    assert {note.pitch % 12 for note in up.notes if note.part == "pad"} == {3, 7, 10}
    octave = arrange(compose("C"), ArrangeOptions(transpose=12))
    plain = arrange(compose("C"))
    pads = lambda result: [note.pitch for note in result.notes if note.part == "pad"]  # noqa: E731
    assert pads(octave) == [pitch + 12 for pitch in pads(plain)]


def test_parts_are_switched_without_moving_the_others():
    composition = compose()
    without = arrange(composition, ArrangeOptions().with_part("arp", enabled=False))
    assert set(without.notes) == {note for note in arrange(composition).notes if note.part != "arp"}


def test_bad_options_are_sentences():
    for make in (
        lambda: ArrangeOptions(swing=80),
        lambda: ArrangeOptions(note_length=0),
        lambda: ArrangeOptions(pattern="1 x"),
        lambda: ArrangeOptions(velocity_map="other"),
        lambda: ArrangeOptions(transpose=99),
        lambda: ArrangeOptions().with_part("tuba", enabled=True),
        lambda: ArrangeOptions().with_part("pad", low=60, high=62),
        lambda: ArrangeOptions(activity=101),
    ):
        with pytest.raises(MusicError):
            make()


def test_nothing_to_arrange():
    empty = replace(compose(), slots=())
    assert arrange(empty).notes == ()
    assert Arranger(empty).end_beats == 0.0
    assert Progression((ProgressionItem(Chord.parse("C")),)).bars == 1
