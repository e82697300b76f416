"""Decoding: options, pins, rests, the repetition rule, guidance, rewinding, windows."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from engine.music.chord import QUALITIES
from models.amt import AffectiveMultimodalTransformer
from models.config import AmtConfig
from models.decoding import (
    TONIC,
    ChordStream,
    DecodingOptions,
    affect_pull,
    choose,
    uniforms,
    windows,
)
from models.errors import ModelError
from models.film import FilmInputs
from models.runtime import ChordNetwork, from_torch
from models.training.metrics import affect_agreement
from models.vocabulary import AFFECT_SETS, EMOTIONS


@pytest.fixture(scope="module")
def model() -> ChordNetwork:
    torch.manual_seed(4)
    config = AmtConfig(32, 2, 1, 2, 48, masked=True, scaled=True, run_buckets=8, recall_heads=2, recall_roots=True)
    return from_torch(AffectiveMultimodalTransformer(config))


def film(slots: int = 60, minor: bool = False, emotion: np.ndarray | None = None) -> FilmInputs:
    rng = np.random.default_rng(2)
    felt = rng.dirichlet(np.ones(6), slots) if emotion is None else emotion
    return FilmInputs.from_arrays(
        scene_offset=np.arange(slots) % 7, motion=rng.random(slots) * 40, emotion=felt, minor=minor
    )


def test_same_seed_same_chords_other_seed_other_chords(model) -> None:
    a, b, c = (list(ChordStream(model, film(), DecodingOptions(seed=seed))) for seed in (5, 5, 6))
    assert a == b != c
    assert len(a) == 60 and all(0 <= chord < 157 for chord in a)


@pytest.mark.parametrize("minor", [False, True])
def test_without_a_primer_music_starts_on_the_tonic(model, minor: bool) -> None:
    assert next(iter(ChordStream(model, film(minor=minor)))) == TONIC[minor]
    assert ChordStream(model, film(minor=minor), primer=[66, 92]).chords == (66, 92)


def test_primer_and_pins_sound_where_they_were_put(model) -> None:
    pins = {2: 40, 17: 0, 59: 7}
    stream = ChordStream(model, film(), primer=[1, 92, 66, 92], pins=pins)
    chords = [*stream.chords, *stream]
    assert chords[:4] == [1, 92, 40, 92]
    assert all(chords[slot] == chord for slot, chord in pins.items())


def test_a_pin_changes_nothing_before_it(model) -> None:
    free = list(ChordStream(model, film()))
    pinned = list(ChordStream(model, film(), pins={30: (free[30] + 13) % 157}))
    assert pinned[:30] == free[:30] and pinned[30] != free[30]


def test_rewinding_and_going_on_repeats(model) -> None:
    stream = ChordStream(model, film(), DecodingOptions(seed=9))
    first = [*stream]
    for slot in (59, 31, 1, 0):
        stream.rewind(slot)
        assert [*stream.chords, *stream.advance()] == first


def test_rewinding_gives_what_a_fresh_start_gives(model) -> None:
    stream = ChordStream(model, film(), DecodingOptions(seed=9))
    stream.advance(40)
    kept = stream.chords[:25]
    stream.rewind(25)
    stream.configure(pins={25: 33})
    fresh = ChordStream(model, film(), DecodingOptions(seed=9), primer=[*kept, 33])
    assert [*stream.chords, *stream.advance()] == [*fresh.chords, *fresh]


def test_draws_belong_to_the_absolute_slot(model) -> None:
    """A window that starts later draws what the whole would draw at the same slots."""
    assert not np.array_equal(uniforms(3, 10), uniforms(3, 11))
    assert np.array_equal(uniforms(3, 10), uniforms(3, 10))
    logits = np.random.default_rng(0).standard_normal(159)
    assert choose(logits, DecodingOptions(seed=3), [], 10) == choose(logits, DecodingOptions(seed=3), [4, 4], 10)


def test_samples_follow_the_probabilities() -> None:
    logits = np.full(159, -30.0)
    logits[[5, 9]] = np.log([0.7, 0.3])
    drawn = [choose(logits, DecodingOptions(seed=1, guidance=0), [], slot) for slot in range(4000)]
    assert set(drawn) == {5, 9}
    assert np.mean(np.asarray(drawn) == 5) == pytest.approx(0.7, abs=0.03)


def test_temperature_zero_takes_the_likeliest_and_top_p_cuts() -> None:
    logits = np.zeros(159)
    logits[[3, 4, 5]] = [6.0, 5.9, 5.0]
    assert {choose(logits, DecodingOptions(temperature=0), [], slot) for slot in range(20)} == {3}
    few = {choose(logits, DecodingOptions(top_p=0.2), [], slot) for slot in range(300)}
    assert few == {3}
    more = {choose(logits, DecodingOptions(top_p=0.6), [], slot) for slot in range(300)}
    assert {3, 4} <= more <= {3, 4, 5}


def test_end_and_padding_are_never_drawn() -> None:
    logits = np.zeros(159)
    logits[157:] = 100
    assert all(choose(logits, DecodingOptions(), [], slot) < 157 for slot in range(200))


def test_paper_rule_takes_the_second_best() -> None:
    logits = np.zeros(159)
    logits[20], logits[21] = 50, 40
    rule = DecodingOptions(temperature=0, max_repeats=2, max_rests=2)
    assert choose(logits, rule, [20], 0) == 20
    assert choose(logits, rule, [20, 20], 0) == 21
    assert choose(logits, DecodingOptions(temperature=0), [20, 20, 20], 0) == 20
    logits[0] = 60
    assert choose(logits, rule, [3, 0], 0) == 0
    assert choose(logits, rule, [0, 0], 0) == 20
    assert choose(logits, DecodingOptions(temperature=0, allow_rests=False), [3], 0) == 20


def test_paper_rule_holds_over_a_whole_window(model) -> None:
    chords = list(ChordStream(model, film(200), DecodingOptions(max_repeats=2, max_rests=2, temperature=0.5)))
    assert all(len(set(chords[i : i + 3])) > 1 for i in range(198))


def test_pull_is_where_table_1_says() -> None:
    one_hot = np.eye(6)
    pull = affect_pull(one_hot)
    assert np.array_equal(pull > 0.5, AFFECT_SETS[:, :157])
    sad = pull[EMOTIONS.index("sad")]
    minor, minor7 = 1 + QUALITIES.index("min"), 1 + QUALITIES.index("min7")
    assert sad[minor] == 1.0 and sad[minor7] == pytest.approx(3**-0.25)  # min7 is fearful and tense as well
    assert pull[:5].max(axis=1).tolist() == [1.0] * 5
    assert affect_pull(np.zeros((2, 6))).max() == 0
    assert affect_pull(np.full((1, 6), 1 / 6)).max() < 0.6


@pytest.mark.parametrize("kept", [0, 40])
def test_guidance_leaves_rests_and_harmonic_rhythm_alone(kept: int) -> None:
    logits = np.random.default_rng(0).standard_normal(159)
    logits[kept] = 3.5
    pull = affect_pull(np.eye(6)[1])
    shares = [
        np.mean([choose(logits, DecodingOptions(guidance=g, seed=2), [40], s, pull) == kept for s in range(3000)])
        for g in (0.0, 1.0)
    ]
    assert shares[0] == pytest.approx(shares[1], abs=0.03) and 0.05 < shares[0] < 0.4


@pytest.mark.parametrize("emotion", [0, 1, 2, 3, 4])
def test_guidance_moves_chords_towards_the_set(model, emotion: int) -> None:
    felt = np.full((60, 6), 0.02)
    felt[:, emotion] = 0.9
    ids = np.full(60, emotion)
    shares = [
        affect_agreement(np.asarray(list(ChordStream(model, film(60, emotion=felt), options))), ids)
        for options in (DecodingOptions(guidance=strength, seed=3) for strength in (0.0, 1.0))
    ]
    assert shares[0] < shares[1], EMOTIONS[emotion]


def test_affect_can_be_bent_by_the_user(model) -> None:
    bent = np.zeros((60, 6))
    bent[:, 1] = 1.0
    stream = ChordStream(model, film(), DecodingOptions(guidance=1.0), affect=bent)
    assert affect_agreement(np.asarray(stream.advance()), np.full(60, 1)) > 0.5


def test_windows_cover_all_and_overlap() -> None:
    assert windows(10) == ((0, 10),)
    assert windows(300) == ((0, 300),)
    parts = windows(7200)
    assert parts[0] == (0, 300) and parts[-1][1] == 7200
    assert all(b - a <= 300 for a, b in parts)
    assert all(later[0] == earlier[1] - 60 for earlier, later in pairwise(parts))


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": -1.0},
        {"temperature": float("nan")},
        {"top_p": 0.0},
        {"guidance": 1.5},
        {"seed": -1},
        {"max_repeats": 0},
        {"condition_scale": -1.0},
        {"stay_scale": float("nan")},
    ],
)
def test_options_out_of_range_get_a_sentence(wrong) -> None:
    with pytest.raises(ModelError, match=r"must be .*\.$"):
        DecodingOptions(**wrong)


def test_impossible_requests_get_a_sentence(model) -> None:
    with pytest.raises(ModelError, match="not a chord id"):
        ChordStream(model, film(), primer=[157])
    with pytest.raises(ModelError, match="outside the window"):
        ChordStream(model, film(), pins={60: 1})
    with pytest.raises(ModelError, match="does not fit"):
        ChordStream(model, film(), length=61)
    with pytest.raises(ModelError, match="affect has shape"):
        ChordStream(model, film(), affect=np.zeros((60, 5)))
    stream = ChordStream(model, film(3))
    stream.advance()
    with pytest.raises(ModelError, match="are decided"):
        stream.next()
    with pytest.raises(ModelError, match="Cannot rewind"):
        stream.rewind(4)


def test_strange_features_get_a_sentence() -> None:
    with pytest.raises(ModelError, match="at least one row"):
        FilmInputs.from_arrays(scene_offset=np.zeros(0), motion=np.zeros(0))
    with pytest.raises(ModelError, match="motion has shape"):
        FilmInputs.from_arrays(scene_offset=np.zeros(5), motion=np.zeros(4))
    with pytest.raises(ModelError, match="not finite"):
        FilmInputs.from_arrays(scene_offset=np.zeros(5), motion=np.full(5, np.nan))


def test_a_film_of_unreadable_rows_still_gets_chords(model) -> None:
    blind = FilmInputs.from_arrays(scene_offset=np.zeros(8), motion=np.zeros(8), valid=np.zeros(8, dtype=bool))
    assert len(list(ChordStream(model, blind))) == 8
