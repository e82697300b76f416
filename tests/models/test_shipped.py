"""The shipped files: what the cards say of them is true, on a slice of three test songs of MuVi-Sync."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import torch

from models.amt import AffectiveMultimodalTransformer
from models.checkpoint import WEIGHTS, load_default, read_card, sha256
from models.regressor import DynamicsRegressor
from models.training.dataset import MuViSync, Song
from models.training.evaluate import ARMS, chord_rows, dynamics_metrics, predict_dynamics

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
