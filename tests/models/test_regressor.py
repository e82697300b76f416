"""The biGRU computes what the authors' computes; padding, absent columns and every kind behave."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from models.film import FilmInputs
from models.regressor import KINDS, DynamicsRegressor, RegressorConfig

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
