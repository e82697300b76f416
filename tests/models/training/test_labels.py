"""Inverse labels: what songs say of mood and form by their own chords, and the probes that ask for it back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.music.chord import VOCABULARY_SIZE, Chord
from models.checkpoint import build
from models.conditioning import (
    BOUNDARY_PRESENT,
    CONDITION_WIDTH,
    LETTERS,
    MOOD_PRESENT,
    SECTION_PLACE,
    SECTION_PRESENT,
    SECTION_RETURN,
    SHARPNESS,
    condition_rows,
    film_rows,
    section_rows,
    sharpened,
    smoothed,
)
from models.config import AmtConfig
from models.decoding import DecodingOptions
from models.errors import ModelError
from models.runtime import ChordNetwork, from_torch
from models.training import course
from models.training.composed import film_inputs
from models.training.dataset import Labelling, MuViSync, make_batch
from models.training.evaluate import ARMS, chord_rows, position_only
from models.training.labels import MOODS, MoodLabels, boundaries, evidence, sections
from models.training.variation import LabelVariation
from models.vocabulary import EMOTIONS, TABLE_1, transpose_ids

SLICE = Path(__file__).parent.parent / "fixtures" / "muvi-sync-slice"
ALWAYS = LabelVariation(drop_all=0.0, drop_mood=0.0, drop_boundaries=0.0, noise=0.0, decided=(4.0, 4.0))
SMALL = AmtConfig(16, 2, 1, 1, 24, masked=True, scaled=True, run_buckets=4, condition_width=8)


@pytest.fixture(scope="module")
def songs():
    return MuViSync(SLICE).split("test")


@pytest.fixture(scope="module")
def labels(songs) -> MoodLabels:
    return MoodLabels([(song.chords, song.minor) for song in songs])


def loop(*names: str, slots: int = 60, each: int = 2) -> np.ndarray:
    ids = [Chord.parse(name).id for name in names]
    return np.repeat(np.resize(ids, slots // each), each)


def scored(labels: MoodLabels, chords: np.ndarray, minor: bool = False) -> np.ndarray:
    return labels.scores(chords, minor, np.arange(8.0, 52.0, 4.0), 8.0).mean(axis=0)


def test_chords_state_the_mood_that_a_musician_would_name(labels) -> None:
    major = {
        "exciting": loop("G", "D", "A", "G"),
        "fearful": loop("Dm7", "Gm7", "Cm", "Ab"),
        "tense": loop("G7", "C7", "Gsus4", "D7"),
        "sad": loop("Am", "Em", "Dm", "Am"),
        "relaxing": loop("C", "Fmaj7", "C", "F"),
    }
    for place, mood in enumerate(MOODS):
        others = [scored(labels, chords)[place] for name, chords in major.items() if name != mood]
        assert scored(labels, major[mood])[place] > max(others), mood


def test_the_harmonic_rhythm_is_not_in_the_labels(labels) -> None:
    for names in (("C", "G", "Am", "F"), ("Am", "E7", "Dm", "F")):
        np.testing.assert_allclose(
            labels.scores(loop(*names, each=2), False, np.array([28.0]), 16.0),
            labels.scores(loop(*names, slots=120, each=4), False, np.array([56.0]), 32.0),
            atol=0.15,
        )


def test_evidence_is_no_copy_of_table_1() -> None:
    table = evidence(False)
    assert table.shape == (VOCABULARY_SIZE, 5) and not table[0].any()
    for place, mood in enumerate(MOODS):
        qualities = {Chord.from_id(k).quality for k in np.flatnonzero(table[:, place] == table[:, place].max())}
        roots = table[1:, place].reshape(12, -1)
        assert (roots.max(axis=0) - roots.min(axis=0) > 0.3).any(), "the root counts, not only the type"
        assert qualities and mood in TABLE_1


def test_a_course_is_a_distribution_over_six(labels, songs) -> None:
    rng = np.random.default_rng(1)
    for song in songs:
        rows = labels.course(song.chords, song.minor, LabelVariation(), rng)
        assert rows.shape == (song.length, len(EMOTIONS))
        np.testing.assert_allclose(rows.sum(axis=1), 1.0)


def test_boundaries_lie_at_chord_changes_but_for_the_jitter(songs) -> None:
    rng = np.random.default_rng(3)
    found = kept = 0
    for song in songs * 20:
        places = np.flatnonzero(boundaries(song.chords, ALWAYS, rng))
        changed = np.r_[True, song.chords[1:] != song.chords[:-1]]
        found, kept = found + len(places), kept + int(changed[places].sum())
    assert found > 100 and 0.8 < kept / found < 0.98
    flat = boundaries(np.full(50, 1), ALWAYS, rng)
    assert flat.sum() <= 1


FORM = LabelVariation(section_s=(40.0, 40.0))
VERSE, CHORUS = loop("C", "Em", "Am", "F", slots=32, each=4), loop("Dm", "Gsus4", "Bb", "A7", slots=32, each=4)


@pytest.mark.parametrize(
    ("semitones", "late", "most"), [(0, 0, 12), (0, 1, 12), (3, 0, 6), (2, 1, 6)], ids=["same", "late", "key", "both"]
)
def test_a_form_is_found_in_its_chords(semitones: int, late: int, most: int) -> None:
    """A B A B by the roots: with rests, a slot late and, in most draws of the cuts, in another key."""
    again = transpose_ids(np.r_[np.repeat(VERSE[:1], late), VERSE], semitones)
    again[6:9] = Chord.parse("N").id
    right = 0
    for seed in range(12):
        found = sections(np.r_[VERSE, CHORUS, again, CHORUS], FORM, np.random.default_rng(seed))
        starts = [start for start, _ in found]
        assert abs(starts[1] - 32) <= 4 and starts[2] == 64 + late, "a return begins where its first time began"
        right += found[1:] == [(starts[1], 1), (64 + late, 0), (starts[1] + 64 + late, 1)]
    assert right >= most


def test_what_never_comes_back_has_letters_of_its_own() -> None:
    other = loop("B", "C", "F#m", "G#m", slots=32, each=4)
    for seed in range(4):
        found = sections(np.r_[VERSE, CHORUS, other], FORM, np.random.default_rng(seed))
        assert [letter for _, letter in found] == [0, 1, 2]
    assert sections(VERSE[:9], FORM, np.random.default_rng(0)) == [(0, 0)], "too short for two"


@given(st.lists(st.tuples(st.integers(0, VOCABULARY_SIZE - 1), st.integers(1, 9)), min_size=1, max_size=60),
       st.integers(0, 2**32), st.integers(0, 11))  # fmt: skip
def test_sections_of_any_song(runs: list[tuple[int, int]], seed: int, semitones: int) -> None:
    chords = np.repeat(*np.array(runs).T)
    before = chords.copy()
    found = sections(chords, LabelVariation(), np.random.default_rng(seed))
    assert np.array_equal(chords, before)
    assert found == sections(transpose_ids(chords, semitones), LabelVariation(), np.random.default_rng(seed))
    starts, letters = [start for start, _ in found], [letter for _, letter in found]
    assert starts[0] == 0 and starts == sorted(set(starts)) and starts[-1] < len(chords)
    assert all(letter <= max(letters[:k], default=-1) + 1 for k, letter in enumerate(letters))
    rows = section_rows(len(chords), found)
    assert (rows[:, :LETTERS].sum(axis=1) == 1).all() and rows[:, SECTION_PRESENT].all()
    ends = [*starts[1:], len(chords)]
    for k, (start, end) in enumerate(zip(starts, ends, strict=True)):
        assert (rows[start:end, SECTION_RETURN] == (letters[k] in letters[:k])).all()
        assert (rows[start:end, :LETTERS].argmax(axis=1) == min(letters[k], LETTERS - 1)).all()
        same = min(end - start, ends[0])
        assert np.array_equal(rows[start : start + same, SECTION_PLACE], rows[:same, SECTION_PLACE]), "by place alone"


def test_sections_change_nothing_else_and_begin_anew_in_every_passage(labels, songs) -> None:
    def shown(drop_sections: float) -> np.ndarray:
        labelling = Labelling(labels, LabelVariation(drop_sections=drop_sections))
        rngs = [np.random.default_rng([4, k]) for k in range(12)]
        return make_batch(songs * 4, labelling=labelling, rng=rngs, excerpt=60).conditions.numpy()

    none, some, every = (shown(share) for share in (1.0, 0.5, 0.0))
    for rows in (some, every):
        np.testing.assert_array_equal(rows[..., :CONDITION_WIDTH], none[..., :CONDITION_WIDTH])
    there = [rows[..., CONDITION_WIDTH:][..., SECTION_PRESENT] for rows in (none, some, every)]
    assert not none[..., CONDITION_WIDTH:].any() and 0 < there[1].mean() < 1 and there[2].all()
    assert np.array_equal(there[1].min(axis=1), there[1].max(axis=1)), "there or not for a whole passage"
    first = every[:, 0, CONDITION_WIDTH:]
    assert first[:, 0].all() and not first[:, SECTION_RETURN].any()


def test_columns_are_dropped_whole(labels, songs) -> None:
    labelling = Labelling(labels, LabelVariation())
    rng = np.random.default_rng(5)
    seen = set()
    for _ in range(40):
        rows = make_batch(songs, labelling=labelling, rng=rng).conditions.numpy()
        for k, song in enumerate(songs):
            own = rows[k, : song.length]
            assert own[:, MOOD_PRESENT].min() == own[:, MOOD_PRESENT].max()
            seen.add((bool(own[0, MOOD_PRESENT]), bool(own[0, BOUNDARY_PRESENT])))
            assert not rows[k, song.length :].any()
    assert seen == {(a, b) for a in (False, True) for b in (False, True)}


def test_excerpts_are_passages_of_their_songs(songs) -> None:
    rng = np.random.default_rng(6)
    for _ in range(10):
        batch = make_batch(songs, rng=rng, excerpt=40)
        assert batch.inputs.shape == (3, 40) and batch.valid.all()
        for k, song in enumerate(songs):
            passage = batch.inputs[k].numpy()
            places = [i for i in range(song.length - 39) if np.array_equal(song.chords[i : i + 40], passage)]
            assert places
            ended = song.length - 40 in places and song.length < 300
            assert bool(batch.ends[k]) <= ended


def test_rows_refuse_what_does_not_fit() -> None:
    with pytest.raises(ModelError, match="mood has shape"):
        condition_rows(5, np.ones((4, 6)))
    with pytest.raises(ModelError, match="boundaries have shape"):
        condition_rows(5, None, np.ones(6))
    assert not condition_rows(5).any()
    rows = film_rows(np.full((9, 6), 1 / 6))
    assert rows[:, MOOD_PRESENT].all() and not rows[:, BOUNDARY_PRESENT].any()


def test_smoothing_keeps_sums_and_sharpening_keeps_order() -> None:
    rng = np.random.default_rng(8)
    mood = rng.dirichlet(np.ones(6), 50)
    np.testing.assert_allclose(smoothed(mood).sum(axis=1), 1.0)
    assert smoothed(mood).std(axis=0).max() < mood.std(axis=0).min()
    assert np.array_equal(sharpened(mood).argmax(axis=1), mood.argmax(axis=1))
    np.testing.assert_allclose(smoothed(mood[:1]), mood[:1])


@pytest.mark.parametrize("strength", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_a_film_s_mood_is_as_sharp_as_labels_up_to_the_half_and_sharper_beyond(strength: float) -> None:
    mood = np.random.default_rng(8).dirichlet(np.ones(6), 50)
    as_labels = mood**SHARPNESS / (mood**SHARPNESS).sum(axis=1, keepdims=True)
    found = sharpened(mood, strength)
    assert np.array_equal(found, as_labels) == (strength <= 0.5)
    assert (found.max(axis=1) >= as_labels.max(axis=1)).all()
    assert np.array_equal(film_rows(mood, strength), film_rows(mood)) == (strength <= 0.5)


def test_the_judge_tells_apart_what_is_different_and_not_what_is_alike() -> None:
    rng = np.random.default_rng(9)
    tables = rng.dirichlet(np.full(40, 0.2), 5)
    minor = [False] * 30

    def pieces(table: np.ndarray) -> list[list[list[int]]]:
        return [[(1 + rng.choice(40, 30, p=row)).tolist() for _ in minor] for row in table]

    judge = course.Judge(pieces(tables), minor, roots_only=False)
    named = [[judge.posterior(chords, False).argmax() for chords in films] for films in pieces(tables)]
    assert np.mean([np.mean(np.array(row) == mood) for mood, row in enumerate(named)]) > 0.9
    same = np.tile(tables[:1], (5, 1))
    judge = course.Judge(pieces(same), minor, roots_only=False)
    named = [[judge.posterior(chords, False).argmax() for chords in films] for films in pieces(same)]
    assert np.mean([np.mean(np.array(row) == mood) for mood, row in enumerate(named)]) < 0.4


def test_a_network_without_an_answer_gets_chance(songs) -> None:
    torch.manual_seed(0)
    network = from_torch(build(SMALL))  # its conditioning still adds nothing
    assert isinstance(network, ChordNetwork)
    films = [film_inputs(song, song, smooth=True) for song in songs] * 2
    found = course.probe(network, films, DecodingOptions(seed=2, guidance=0.0))
    assert all(found.constant[0] == other for other in found.constant[1:])
    figures = course.figures(found, found)
    assert figures["accuracy_16_chords"].mean == pytest.approx(0.2)
    assert abs(figures["cut_response_constant"].mean) < 0.35
    assert course.confusion(found, found).sum() == pytest.approx(5.0)


def test_film_absent_is_a_film_without_columns(songs) -> None:
    torch.manual_seed(1)
    model = build(SMALL).eval()
    arm = next(arm for arm in ARMS if arm.name == "film absent")
    first, _ = chord_rows(model, songs, smooth=True, arm=arm)
    other, _ = chord_rows(model, songs[1:] + songs[:1], smooth=True, arm=arm)
    assert [row["nll"] for row in first] == pytest.approx([row["nll"] for row in other[-1:] + other[:-1]], abs=1e-5)


def test_position_only_knows_fades_and_nothing_else(songs) -> None:
    first, *_ = position_only(songs, songs)
    assert first.shape == (songs[0].length, 2)
    alike = position_only(songs, [songs[0], songs[0]])
    np.testing.assert_array_equal(alike[0], alike[1])
