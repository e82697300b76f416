"""Chords for a regressor to read: composed ones are songs of their own, spoiled ones stay near the song."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.checkpoint import load_default
from models.training.composed import ComposedChords, chords_to_read, compose_for, spoiled
from models.training.dataset import MuViSync, Song, make_batch
from models.training.variation import ChordVariation, Variation
from models.vocabulary import VOCABULARY_SIZE, transpose_ids

SLICE = Path(__file__).parents[1] / "fixtures" / "muvi-sync-slice"


@pytest.fixture(scope="module")
def songs() -> list[Song]:
    names = [
        "chords",
        "density",
        "loudness",
        "motion",
        "scene_offset",
        "emotion",
        "emotion_smooth",
        "semantic",
        "semantic_scale",
    ]
    return [replace(song, **{name: getattr(song, name)[:40] for name in names}) for song in MuViSync(SLICE).songs]


@pytest.fixture(scope="module")
def composed(songs: list[Song]) -> ComposedChords:
    network = load_default("amt")
    kinds = [compose_for(network, songs[:2]), compose_for(network, songs, kind="resampled")]
    return ComposedChords({kind: found for each in kinds for kind, found in each.rows.items()})


def test_composed_chords_last_as_long_as_their_songs_and_differ_from_them(
    songs: list[Song], composed: ComposedChords, tmp_path: Path
) -> None:
    for kind, found in composed.rows.items():
        for song in songs[: len(found)]:
            ids = found[song.id]
            assert len(ids) == song.length and ((ids >= 0) & (ids < VOCABULARY_SIZE)).all(), kind
            assert (ids != song.chords).any(), kind
    shared = {
        kind: np.mean([np.mean(composed.of(song, kind) == song.chords) for song in songs[:2]]) for kind in composed.rows
    }
    assert shared["resampled"] > shared["film"]  # drawn after the song's own chords
    composed.save(tmp_path / "composed.npz")
    again = ComposedChords.load(tmp_path / "composed.npz")
    assert all((again.of(song, "film") == composed.of(song, "film")).all() for song in songs[:2])


def test_each_kind_is_read_as_often_as_asked(songs: list[Song], composed: ComposedChords) -> None:
    vary = ChordVariation(true=0.4, resampled=0.2, film=0.2, noise=0.0)
    counts = {"true": 0, "film": 0, "resampled": 0, "none": 0}
    for number in range(600):
        ids = chords_to_read(songs[0], vary, composed, np.random.default_rng(number))
        kinds = {"true": songs[0].chords, **{kind: composed.of(songs[0], kind) for kind in composed.rows}}
        counts["none" if ids is None else next(kind for kind, rows in kinds.items() if ids is rows)] += 1
    assert np.array(list(counts.values())) / 600 == pytest.approx([0.4, 0.2, 0.2, 0.2], abs=0.06)
    for number in range(50):  # nothing was composed for the third song's film
        ids = chords_to_read(songs[2], replace(vary, true=0.0, resampled=0.0, film=1.0), composed,
                             np.random.default_rng(number))  # fmt: skip
        assert ids is composed.of(songs[2], "resampled")


def test_spoiled_chords_are_of_the_song_and_mostly_in_place(songs: list[Song]) -> None:
    ids, kept = songs[1].chords, []
    before = ids.copy()
    for number in range(200):
        found = spoiled(ids, np.random.default_rng(number))
        assert len(found) == len(ids) and set(found) <= set(ids)
        kept.append(np.mean(found == ids))
    assert 0.5 < np.mean(kept) < 0.97 and min(kept) < 1.0
    assert (ids == before).all()


def test_a_batch_holds_the_chords_to_read_transposed_with_the_song(songs: list[Song]) -> None:
    batch = make_batch(songs, read_chords=[songs[0].chords, None, songs[1].chords])
    assert (batch.read_chords[0].numpy() == songs[0].chords).all()
    assert (batch.read_chords[1] == VOCABULARY_SIZE + 1).all()
    assert (batch.read_chords[2].numpy() == songs[1].chords).all()
    vary = Variation(transpose=1.0, drop_film=1.0)
    moved = make_batch(songs[:1], variation=vary, rng=np.random.default_rng(0))
    by = next(n for n in range(12) if (transpose_ids(songs[0].chords, n)[1:] == moved.targets[0, :39].numpy()).all())
    assert by and (moved.read_chords[0].numpy() == transpose_ids(songs[0].chords, by)).all()
    assert not moved.features.any() and not moved.semantic_present.any() and not moved.emotion_present.any()
