"""Rows of a regressor that reads chords: true, composed and none, with the film and without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.checkpoint import build
from models.config import AmtConfig, RegressorConfig
from models.regressor import DynamicsRegressor
from models.training import evaluate as evaluation
from models.training.dataset import MuViSync
from models.training.evaluate import ARMS, evaluate, predict_dynamics

SLICE = Path(__file__).parents[1] / "fixtures" / "muvi-sync-slice"


@pytest.fixture(scope="module")
def data() -> MuViSync:
    """The slice's three songs, 80 s of each: one to train on, two to test."""
    found = MuViSync(SLICE)
    columns = ("density", "loudness", "motion", "scene_offset", "emotion", "emotion_smooth", "semantic")
    names = ("chords", "semantic_scale", *columns)
    cut = [replace(song, **{name: getattr(song, name)[:80] for name in names}) for song in found.songs]
    found.songs = (replace(cut[0], split="train"), *(replace(song, split="test") for song in cut[1:]))
    return found


def reading() -> DynamicsRegressor:
    torch.manual_seed(0)
    model = build(RegressorConfig(width=8, layers=1, scaled=True, levels=True, chord_width=8)).eval()
    assert isinstance(model, DynamicsRegressor)
    with torch.no_grad():
        model.chord_out.weight.normal_()
        model.target_mean.copy_(torch.tensor([12.0, 0.2]))
        model.target_scale.copy_(torch.tensor([4.0, 0.1]))
    return model


def test_what_a_regressor_reads_has_a_row_each(data: MuViSync, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(evaluation.DUPLICATES, data.songs[2].id, "elsewhere")
    rows = evaluate({"r": (reading(), True)}, data).dynamics.rows
    shown = {name: columns["density_rmse"] for name, columns in rows.items() if name.split(",")[0] == "r"}
    read = {"r", "r, picture only", "r, picture and true chords", "r, composed chords only", "r, true chords only"}
    assert read < set(shown)
    figures = [tuple(shown[name]) for name in read]
    assert len(set(figures)) == len(read), "what is read makes no difference"
    assert len(shown["r, without the song that is in training too"]) == 1
    assert {"position only", "training mean"} <= set(rows)
    table = evaluate({"r": (reading(), True)}, data).dynamics.estimates()["r, composed chords only"]
    assert table["density_rmse"].low <= table["density_rmse"].mean <= table["density_rmse"].high
    assert np.isfinite(table["loudness_inner"].mean)


def test_composed_chords_have_to_be_given(data: MuViSync) -> None:
    with pytest.raises(ValueError, match="composed chords"):
        predict_dynamics(reading(), data.songs[1:], smooth=True, arm=ARMS[0])


def test_a_network_that_reads_sections_has_rows_of_them(data: MuViSync) -> None:
    torch.manual_seed(0)
    network = AmtConfig(16, 2, 1, 1, 24, masked=True, scaled=True, condition_width=8)
    shown = {"told its own sections alone", "told mood, boundaries and sections"}
    for config in (network, replace(network, section_width=8)):
        model = build(config)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
        rows = evaluate({"n": (model, True)}, data).chords.rows
        assert {f"n, {arm}" in rows for arm in shown} == {config.section_width > 0}
    nll = {tuple(rows[name]["nll"]) for name in ("n", *(f"n, {arm}" for arm in shown))}
    assert len(nll) == 3, "what it is told makes no difference"
