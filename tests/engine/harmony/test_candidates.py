"""Candidates: composed in one batch by the same rules as one alone, judged, and the best one's seed kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.harmony.candidates import candidates
from engine.harmony.plan import plan
from engine.harmony.slots import resample
from engine.harmony.stream import Harmony
from engine.music import Chord, Cue, Hit, Key, Section, Take, TempoMap, parse_progression
from engine.process.messages import Composed, ComposeOptions, ComposeRequest
from models.runtime import load

KEY = Key.parse("D")
MAP = TempoMap.constant(120)
PLAIN = ComposeRequest(1, MAP, key=KEY)
CUES = (
    Cue("1m1", 2.0, 30.0, key=KEY, sections=(Section(12.0, (("key", "Em"),)),), hits=(Hit(7.1),)),
    Cue("1m2", 36.0, None, bar_1_s=36.0, key=Key.parse("Am"), progression=parse_progression("Am F")),
)


@pytest.mark.parametrize(
    ("request_", "duration_s"),
    [
        (PLAIN, 50.0),
        (replace(PLAIN, pins=((9.0, Chord.parse("Bb7")),), progression=parse_progression("D A:1/2 G")), 50.0),
        (replace(PLAIN, cues=CUES), 60.0),
        (PLAIN, 330.0),
    ],
)
def test_a_candidate_in_the_batch_is_what_its_seed_composes_alone(small_weights, make_features, request_, duration_s):
    model = load(small_weights / "amt.safetensors")
    features = make_features(duration_s)
    slots = plan(request_, duration_s)
    keys = [slot.key or KEY for slot in slots]
    rows = resample(features, [slot.start_s for slot in slots], [slot.end_s for slot in slots])
    found = candidates(model, slots, rows, keys, request_.options, 5, 4)
    assert len({candidate.seed for candidate in found}) == 4
    assert [candidate.score for candidate in found] == sorted((candidate.score for candidate in found), reverse=True)
    for candidate in found:
        alone = list(Harmony(model).compose(slots, rows, keys, request_.options, candidate.seed))
        ids = [chord.transpose(-key.semitones_from_reference).id for chord, key in zip(alone, keys, strict=True)]
        # A batch multiplies in another order, so a draw on the very edge may fall otherwise: one in a thousand at most.
        assert sum(a != b for a, b in zip(ids, candidate.chords, strict=True)) <= len(ids) // 50


def test_the_best_candidate_is_kept_while_the_take_is_taken_up_again(composer, make_features):
    features = make_features(60.0)
    asked = replace(PLAIN, options=ComposeOptions(candidates=6), take=Take(3))
    whole = composer.compose(features, asked)
    assert isinstance(whole, Composed)
    slots = whole.composition.slots
    for kept in (1, 20, 41):
        again = composer.compose(features, replace(asked, keep=slots[:kept]))
        assert again.composition.slots == slots
    single = composer.compose(features, replace(asked, options=ComposeOptions()))
    assert [slot.start_s for slot in single.composition.slots] == [slot.start_s for slot in slots]


def test_a_take_can_be_asked_to_differ(small_weights, make_features):
    model = load(small_weights / "amt.safetensors")
    features = make_features(40.0)
    slots = plan(PLAIN, 40.0)
    keys = [KEY] * len(slots)
    rows = resample(features, [slot.start_s for slot in slots], [slot.end_s for slot in slots])
    first = list(Harmony(model).compose(slots, rows, keys, PLAIN.options, 9))
    found = candidates(model, slots, rows, keys, PLAIN.options, 9, 4, differ_from=[first])
    itself = next(candidate for candidate in found if candidate.seed == 9)
    assert itself.likeness > 0.97 and found[0].likeness < 0.9
