"""Forty progressions as people type them: the key that is found is one that a musician accepts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.harmony.key_finding import key_of
from engine.music import Key, Take, TempoMap, parse_progression
from engine.process.messages import ComposeOptions, ComposeRequest

ROWS = json.loads((Path(__file__).parent / "fixtures" / "progressions.json").read_text("utf-8"))["rows"]


def test_there_are_forty():
    assert len(ROWS) == 40 == len({text for text, _ in ROWS})


@pytest.mark.parametrize(("text", "accepted"), ROWS)
def test_the_key_is_one_that_a_musician_accepts(text, accepted):
    assert key_of(parse_progression(text)).key in [Key.parse(name) for name in accepted]


@pytest.mark.parametrize("semitones", [1, 6, 11])
def test_it_is_the_same_in_every_transposition(semitones):
    for text, accepted in ROWS[::3]:
        moved = key_of(parse_progression(text).transpose(semitones)).key
        assert moved in [Key.parse(name).transpose(semitones) for name in accepted], text


def test_where_two_keys_are_near_a_sentence_says_so():
    found = {text: key_of(parse_progression(text)) for text, _ in ROWS}
    close = [text for text, each in found.items() if each.is_close]
    assert 1 <= len(close) <= 16
    assert all("may be" in found[text].sentence for text in close)
    assert "may be" not in found["Em7b5 A7 Dm"].sentence


@pytest.mark.parametrize(
    ("text", "key"), [("| Cm | Ab | Eb Bb/D | G7 |", "Cm"), ("D A Bm G", "D"), ("Am Dm E7 Am", "Am")]
)
def test_a_planned_cue_goes_on_in_the_key_of_what_was_typed(composer, make_features, text, key):
    typed = parse_progression(text)
    for take in (1, 2, 3):
        asked = ComposeRequest(
            1, TempoMap.constant(96), progression=typed, take=Take(take), options=ComposeOptions(form="auto")
        )
        composition = composer.compose(make_features(60.0), asked).composition
        wanted = Key.parse(key)
        assert composition.plans[0].sections[0].key.tonic == wanted.tonic
        given = [slot for slot in composition.slots if slot.given]
        assert next(slot.chord for slot in given) == typed.chords[0]
        after = [slot.chord for slot in composition.slots if not slot.given]
        scale = set(wanted.scale()) | {(wanted.tonic - 1) % 12}
        roots = [chord.root in scale for chord in dict.fromkeys(after)]
        assert sum(roots) / len(roots) >= 0.5
