"""Composing with the real (small, untrained) network: repeatable, independent of chunks, keys in and out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.composer import Composer
from engine.harmony.plan import plan
from engine.harmony.stream import stretches
from engine.music import NO_CHORD, Chord, Cue, Key, Section, Take, TempoMap, parse_progression
from engine.process.messages import Composed, ComposeOptions, ComposeRequest, SlotsComposed

C_MAJOR, A_MINOR = Key(0), Key(9, "minor")


def request(bpm=120, **more) -> ComposeRequest:
    return ComposeRequest(1, TempoMap.constant(bpm), **more)


def compose(composer, features, asked, **more):
    messages = list(composer.stream(features, asked, **more))
    assert isinstance(messages[-1], Composed)
    slots = [slot for message in messages if isinstance(message, SlotsComposed) for slot in message.slots]
    composition = messages[-1].composition
    assert tuple(slots) == composition.slots[len(asked.keep) :]
    assert [slot.index for slot in composition.slots] == list(range(len(composition.slots)))
    return composition


def chords(composition):
    return [slot.chord for slot in composition.slots]


def test_a_numbered_take_repeats_and_another_differs(composer, small_weights, make_features):
    features = make_features(60.0)
    first = compose(composer, features, request(key=C_MAJOR))
    again = compose(Composer(small_weights), features, request(key=C_MAJOR))
    other = compose(composer, features, request(key=C_MAJOR, take=Take(2)))
    assert first.slots == again.slots
    changed = sum(a != b for a, b in zip(chords(first), chords(other), strict=True))
    assert changed > 20


@pytest.mark.parametrize(
    ("duration_s", "kept_slots"), [(45.0, (1, 7, 8, 13, 40)), (400.0, (13, 239, 240, 241, 300, 301))]
)
def test_neither_chunks_nor_where_it_was_taken_up_again_change_a_chord(
    composer, small_weights, make_features, duration_s, kept_slots
):
    features = make_features(duration_s)
    asked = request(progression=parse_progression("C Am F G"), key=C_MAJOR)
    whole = compose(composer, features, asked)
    assert compose(composer, features, asked, first_chunk=1, chunk=5).slots == whole.slots
    for kept in kept_slots:
        assert kept < len(whole.slots)
        taken_up = replace(asked, keep=whole.slots[:kept])
        assert compose(composer, features, taken_up).slots == whole.slots, kept
        if kept in (13, 301):  # with nothing remembered
            assert compose(Composer(small_weights), features, taken_up).slots == whole.slots, kept


def test_going_on_costs_only_what_is_new(composer, make_features):
    features = make_features(120.0)
    whole = compose(composer, features, request(key=C_MAJOR))
    before = composer.decoded
    brighter = request(key=C_MAJOR, keep=whole.slots[:100], options=ComposeOptions(dark_light=80))
    compose(composer, features, brighter)
    assert composer.decoded - before == 20  # the hundred kept slots came from the cache


def test_the_network_is_asked_in_its_own_key(composer, make_features):
    features = make_features(60.0)
    in_c = compose(composer, features, request(progression=parse_progression("C Am F G"), key=C_MAJOR))
    in_eb = compose(composer, features, request(progression=parse_progression("Eb Cm Ab Bb"), key=Key.parse("Eb")))
    assert [chord.transpose(3) for chord in chords(in_c)] == chords(in_eb)
    in_am = compose(composer, features, request(progression=parse_progression("Am F"), key=A_MINOR))
    in_dm = compose(composer, features, request(progression=parse_progression("Dm Bb"), key=Key.parse("Dm")))
    assert [chord.transpose(5) for chord in chords(in_am)] == chords(in_dm)


@pytest.mark.parametrize("key", ["C", "F#", "Am", "Ebm"])
def test_without_a_progression_it_starts_on_the_tonic(composer, make_features, key):
    wanted = Key.parse(key)
    first = compose(composer, make_features(20.0), request(key=wanted)).slots[0].chord
    assert (first.root, first.quality) == (wanted.tonic, "min" if wanted.is_minor else "maj")


def test_given_chords_sound_as_written_and_only_they_are_marked(composer, make_features):
    asked = request(progression=parse_progression("| Cm | G/B Ab | N |"), key=Key.parse("Cm"))
    slots = compose(composer, make_features(30.0), asked).slots
    assert [slot.chord.lead_sheet() for slot in slots[:6]] == ["Cm", "Cm", "G/B", "G#", "N.C.", "N.C."]
    assert [slot.given for slot in slots] == [True] * 6 + [False] * 24
    assert NO_CHORD not in chords_of(slots[6:])


def chords_of(slots):
    return [slot.chord for slot in slots]


def test_the_networks_chord_lasts_as_long_as_asked_and_then_changes(composer, make_features):
    for rhythm, length in (("half", 1), ("1", 2), ("2", 4), ("4", 8)):
        asked = request(key=C_MAJOR, options=ComposeOptions(harmonic_rhythm=rhythm))
        found = chords(compose(composer, make_features(64.0), asked))
        for index in range(1, len(found)):
            assert (found[index] != found[index - 1]) == (index % length == 0), (rhythm, index)


def test_a_pin_is_met_and_moves_nothing_before_it(composer, make_features):
    features = make_features(60.0)
    free = compose(composer, features, request(key=C_MAJOR))
    pinned = compose(composer, features, request(key=C_MAJOR, pins=((30.5, Chord.parse("F#m7b5")),)))
    assert chords(pinned)[:30] == chords(free)[:30]
    assert [chord.lead_sheet() for chord in chords(pinned)[30:32]] == ["F#m7b5"] * 2
    assert [slot.index for slot in pinned.slots if slot.pinned] == [30, 31]


def test_a_kept_past_is_context(make_features):
    composer = Composer()  # the shipped networks: an untrained one hardly hears its past
    features = make_features(60.0)
    whole = compose(composer, features, request(key=C_MAJOR))
    loop = [Chord.parse(name) for name in ("Ab7", "Dm", "F#dim", "Bb")]
    other_past = tuple(replace(slot, chord=loop[slot.index // 2 % 4]) for slot in whole.slots[:20])
    again = compose(composer, features, request(key=C_MAJOR, keep=other_past))
    assert again.slots[:20] == other_past
    assert chords(again)[20:] != chords(whole)[20:]


def test_a_film_of_two_hours_is_composed_by_windows(composer, make_features):
    composition = compose(composer, make_features(1500.0), request(key=C_MAJOR))
    assert len(composition.slots) == 1500
    assert len(set(chords(composition)[1200:])) > 10  # it has not got stuck


def test_stretches_follow_cues_windows_and_keys():
    sections = (Section(40.0, (("key", "Dm"),)),)
    cues = (Cue("a", 10.0, 80.0, key=Key.parse("F"), sections=sections), Cue("b", 90.0, None, key=Key.parse("G")))
    slots = plan(request(cues=cues), 450.0)
    keys = [slot.key or C_MAJOR for slot in slots]
    found = [(part.start, part.stop, part.begin, part.end, part.key.name, part.ends) for part in stretches(slots, keys)]
    assert found == [
        (10, 80, 10, 40, "F major", True),
        (10, 80, 40, 80, "D minor", True),
        (90, 390, 90, 390, "G major", False),
        (330, 450, 390, 450, "G major", True),
    ]
    later = [(part.start, part.begin, part.end) for part in stretches(slots, keys, 60)]
    assert later == [(10, 60, 80), (90, 90, 390), (330, 390, 450)]


def test_a_section_in_another_key_goes_on_from_what_was_played(composer, make_features):
    cue = Cue("1m1", 0.0, None, key=C_MAJOR, sections=(Section(20.0, (("key", "E"),)),))
    features = make_features(40.0)
    moved = compose(composer, features, request(cues=(cue,)))
    plain = compose(composer, features, request(cues=(replace(cue, sections=()),)))
    assert chords(moved)[:20] == chords(plain)[:20]
    assert chords(moved)[20:] != chords(plain)[20:]


def test_cues_are_silent_between_and_do_not_disturb_each_other(composer, make_features):
    features = make_features(60.0)
    one = Cue("1m1", 0.0, 20.0, key=C_MAJOR)
    two = Cue("1m2", 30.0, None, bar_1_s=30.0, key=A_MINOR)
    both = compose(composer, features, request(cues=(one, two)))
    assert chords(both)[20:30] == [NO_CHORD] * 10
    assert chords(both)[30].lead_sheet() == "Am"
    other = compose(composer, features, request(cues=(replace(one, key=Key.parse("D")), two)))
    assert chords(other)[30:] == chords(both)[30:]


def test_leader_is_silent_and_black_between_scenes_is_not(composer, make_features):
    valid = np.ones(40, bool)
    valid[:8] = valid[20:23] = False
    slots = compose(composer, make_features(40.0, valid=valid), request(key=C_MAJOR)).slots
    assert chords_of(slots[:8]) == [NO_CHORD] * 8
    assert slots[8].chord.lead_sheet() == "C" and NO_CHORD not in chords_of(slots[8:])
