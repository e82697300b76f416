"""The biGRU computes what the authors' computes; padding, absent columns and every kind behave."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from models.config import KINDS, RegressorConfig
from models.film import FilmInputs
from models.regressor import DynamicsRegressor
from models.training.metrics import density_histogram

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="module")
def features() -> torch.Tensor:
    with np.load(FIXTURES / "input_001.npz") as item:
        columns = [item["semantic"], item["scene_offset"][..., None], item["motion"][..., None], item["emotion"]]
        return torch.from_numpy(np.concatenate(columns, axis=-1))


@torch.no_grad()
def test_bigru_equals_the_reference(features: torch.Tensor) -> None:
    model = DynamicsRegressor(RegressorConfig()).eval()
    tensors = torch.load(FIXTURES / "regression_bigru.pt", weights_only=True)
    model.load_state_dict(
        {name.replace("bigru.", "rnn.").replace("bifc.", "out."): value for name, value in tensors.items()}
    )
    with np.load(FIXTURES / "regression_out.npz") as expected:
        np.testing.assert_allclose(model(features).numpy(), expected["bigru"], atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scaled", [False, True])
@torch.no_grad()
def test_padding_is_never_read(features: torch.Tensor, kind: str, scaled: bool) -> None:
    torch.manual_seed(0)
    model = DynamicsRegressor(RegressorConfig(kind=kind, scaled=scaled)).eval()
    short = features[:, :120]
    valid = torch.zeros(1, 300, dtype=torch.bool)
    valid[:, :120] = True
    alone = model(short, torch.ones(1, 120, dtype=torch.bool))
    padded = model(features, valid)[:, :120]
    torch.testing.assert_close(alone, padded, atol=1e-5, rtol=1e-5)
    assert alone.shape == (1, 120, 2)


def test_prediction_has_units_and_any_length(features: torch.Tensor) -> None:
    torch.manual_seed(0)
    model = DynamicsRegressor(RegressorConfig(scaled=True)).eval()
    rows = np.tile(features[0].numpy(), (3, 1))
    film = FilmInputs.from_arrays(scene_offset=rows[:, 768], motion=rows[:, 769], emotion=rows[:, 770:])
    density, loudness = model.predict(film)
    assert density.shape == loudness.shape == (900,)
    assert (density >= 0).all() and (loudness >= 0).all() and (loudness <= 1).all()


@torch.no_grad()
def test_absent_semantics_do_not_matter(features: torch.Tensor) -> None:
    torch.manual_seed(0)
    model = DynamicsRegressor(RegressorConfig(scaled=True, bottleneck=16)).eval()
    other = features.clone()
    other[..., :768] = 7
    absent = torch.tensor([False])
    torch.testing.assert_close(
        model(features, None, absent, None), model(other, None, absent, None), atol=1e-6, rtol=1e-6
    )


def _levelled(seed: int = 0) -> DynamicsRegressor:
    torch.manual_seed(seed)
    model = DynamicsRegressor(RegressorConfig(width=8, layers=1, scaled=True, levels=True)).eval()
    model.target_scale.copy_(torch.tensor([5.0, 0.1]))
    model.level_weight.normal_(std=0.01)
    model.level_bias.copy_(torch.arange(8.0).reshape(4, 2))
    model.shape_gain.copy_(torch.tensor([[1.0, 1.0], [2.0, 0.5], [1.0, 1.0], [3.0, 1.0]]))
    return model


@torch.no_grad()
def test_level_moves_the_mean_and_gain_the_deviations(features: torch.Tensor) -> None:
    model = _levelled()
    absent, there = torch.tensor([False]), torch.tensor([True])
    hidden = features.clone()
    hidden[..., :768] = 0
    out = model(hidden, None, absent, there)
    level = model.level(hidden, None, absent, there)
    model.train()  # training sees the recurrent network alone
    model.input_dropout.p = 0.0
    raw = model(hidden, None, absent, there)
    mean = raw.mean(1, keepdim=True)
    torch.testing.assert_close(
        out, mean + 0.5 * (level[:, None] - mean) + torch.tensor([2.0, 0.5]) * (raw - mean), atol=1e-4, rtol=1e-4
    )


@torch.no_grad()
def test_level_reads_no_padding_and_nothing_absent(features: torch.Tensor) -> None:
    model = _levelled()
    model.level_weight[1, :768] = 0  # as fitted: no weight on what is missing
    valid = torch.zeros(1, 300, dtype=torch.bool)
    valid[:, :120] = True
    ones = torch.ones(1, 120, dtype=torch.bool)
    torch.testing.assert_close(model(features, valid)[:, :120], model(features[:, :120], ones), atol=1e-4, rtol=1e-4)
    other = features.clone()
    other[..., :768] = 9.0
    absent = torch.tensor([False])
    torch.testing.assert_close(model(features, None, absent), model(other, None, absent), atol=1e-4, rtol=1e-4)


def test_spread_keeps_the_order_and_gives_the_histogram() -> None:
    model = _levelled()
    rng = np.random.default_rng(0)
    shares = np.linspace(0, 1, 33)
    narrow, wide = rng.normal(10, 1, 5000), rng.gamma(3, 4, 5000)
    for table, values in ((model.quantiles_predicted, narrow), (model.quantiles_true, wide)):
        table[:, 0] = torch.from_numpy(np.quantile(values, shares))
        table[:, 1] = table[:, 0] / 100
    density, loudness = model.spread(narrow, narrow / 100)
    assert (np.argsort(density, kind="stable") == np.argsort(narrow, kind="stable")).all()
    np.testing.assert_allclose(density_histogram(density), density_histogram(wide), atol=0.02)
    assert np.array_equal(model.spread(narrow, narrow, 0.0)[0], narrow)
    np.testing.assert_allclose(density, 100 * loudness, atol=1e-4)


def test_levels_need_scaled_inputs() -> None:
    with pytest.raises(ValueError, match="scaled"):
        RegressorConfig(levels=True)
