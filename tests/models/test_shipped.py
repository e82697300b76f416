"""The shipped files: what the cards say of them is true, on a slice of three test songs of MuVi-Sync."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.music.chord import VOCABULARY_SIZE
from models.amt import AffectiveMultimodalTransformer
from models.checkpoint import load_default
from models.files import WEIGHTS, read_card, sha256
from models.regressor import DynamicsRegressor
from models.training.dataset import MuViSync, Song, make_batch
from models.training.evaluate import ARMS, chord_rows, dynamics_metrics, predict_dynamics
from models.training.report import CHORD_COLUMNS, DYNAMICS_COLUMNS, FREE_COLUMNS
from models.training.train import run_network

ROOT = Path(__file__).parents[2]
SLICE = Path(__file__).parent / "fixtures" / "muvi-sync-slice"


@pytest.fixture(scope="module")
def songs() -> list[Song]:
    return MuViSync(SLICE).split("test")


def test_slice_is_at_most_five_test_songs(songs: list[Song]) -> None:
    assert 1 <= len(songs) <= 5
    assert all(song.semantic is not None for song in songs)


@pytest.mark.parametrize("name", ["amt", "regressor"])
def test_card_belongs_to_the_file(name: str) -> None:
    path = WEIGHTS / f"{name}.safetensors"
    card = read_card(path)
    assert card["sha256"] == sha256(path)
    assert card["bytes"] == path.stat().st_size
    for entry in ("data", "licence", "command", "seed", "recipe", "limits", "evaluation", "parameters"):
        assert card[entry] not in (None, "", {}) or entry == "seed", entry


@pytest.mark.parametrize("name", ["amt", "regressor"])
def test_the_page_of_figures_says_what_the_card_says(name: str) -> None:
    lines = (ROOT / "docs" / "models-evaluation.md").read_text(encoding="utf-8").splitlines()
    found = read_card(WEIGHTS / f"{name}.safetensors")["evaluation"]["test"]
    for row, figures in {**found["rows"], **found.get("free running", {})}.items():
        said = " ".join(line for line in lines if line.startswith(f"| {row} |"))
        for column in figures.keys() & {*CHORD_COLUMNS, *DYNAMICS_COLUMNS, *FREE_COLUMNS}:
            figure = figures[column]
            if figure["videos"]:
                assert f"{figure['mean']:.4f} ({figure['low']:.4f} … {figure['high']:.4f})" in said, (row, column)


def test_together_at_most_forty_megabytes() -> None:
    assert sum(path.stat().st_size for path in WEIGHTS.iterdir()) <= 40_000_000


def test_loading_is_quick() -> None:
    load_default("regressor")
    began = time.thread_time()
    load_default("amt")
    assert time.thread_time() - began < 2.0  # gross; the aim of half a second is measured by the bench


@torch.no_grad()
def test_chord_figures_of_the_slice(songs: list[Song]) -> None:
    expected = read_card(WEIGHTS / "amt.safetensors")["slice"]
    model = load_default("amt")
    assert isinstance(model, AffectiveMultimodalTransformer)
    for arm in ARMS[:3]:
        rows, _ = chord_rows(model, songs, smooth=True, arm=arm)
        for metric in ("hits1", "hits3", "hits5", "nll"):
            found = float(np.mean([row[metric] for row in rows]))
            assert found == pytest.approx(expected[arm.name or "all features"][metric], abs=2e-3), (arm.name, metric)


@torch.no_grad()
def test_no_chord_is_known_before_it_is_foretold(songs: list[Song]) -> None:
    """Recall, echo, run lengths and attention of the shipped file: what is said of the chords up to t does not change
    by one bit with what comes at t and later, so the figures hold no answer that leaked."""
    model = load_default("amt")
    batch = make_batch(songs[:1], smooth=True)
    told = run_network(model, batch)
    length = int(batch.valid.sum())
    for t in (1, 2, 37, length // 2, length - 1):
        changed = batch.inputs.clone()
        changed[:, t:] = (changed[:, t:] + 1 + torch.arange(changed.shape[1] - t)) % VOCABULARY_SIZE
        again = run_network(model, replace(batch, inputs=changed))
        assert torch.equal(told[:, :t], again[:, :t]), t
        assert not torch.equal(told[:, t], again[:, t]), t


@torch.no_grad()
def test_cached_decoding_says_what_the_whole_pass_says(songs: list[Song]) -> None:
    """With the shipped weights, over one whole song and the beginnings of the others: what is composed with is what was
    evaluated."""
    model = load_default("amt")
    for song in songs:
        batch = make_batch([song], smooth=True)
        flags = batch.semantic_present, batch.emotion_present
        whole = run_network(model, batch)
        memory = model.encode(batch.features, batch.valid, *flags)
        cache = model.new_cache(memory, batch.minor, batch.valid)
        rows = whole.shape[1] if song is songs[0] else 80
        steps = torch.stack([model.decode_step(batch.inputs[:, t], cache) for t in range(rows)], dim=1)
        torch.testing.assert_close(steps, whole[:, :rows], atol=2e-3, rtol=1e-4)


@torch.no_grad()
def test_dynamics_figures_of_the_slice(songs: list[Song]) -> None:
    expected = read_card(WEIGHTS / "regressor.safetensors")["slice"]
    model = load_default("regressor")
    assert isinstance(model, DynamicsRegressor)
    for arm in ARMS[:3]:
        predicted = predict_dynamics(model, songs, smooth=True, arm=arm)
        rows = [dynamics_metrics(p, song) for p, song in zip(predicted, songs, strict=True)]
        for metric in ("density_rmse", "loudness_rmse", "density_pearson", "loudness_pearson"):
            found = float(np.mean([row[metric] for row in rows]))
            assert found == pytest.approx(expected[arm.name or "all features"][metric], abs=2e-3), (arm.name, metric)
