"""Weights files: ours round-trip, the authors' are checked by name and shape, wrong files get one sentence."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from models import files
from models.amt import AffectiveMultimodalTransformer
from models.checkpoint import authors_amt_names, authors_regressor_names, import_authors, load, save
from models.config import AmtConfig, RegressorConfig
from models.errors import CheckpointError
from models.files import read_card, sha256
from models.regressor import DynamicsRegressor

FIXTURES = Path(__file__).parent / "fixtures"
SMALL = AmtConfig(32, 2, 1, 2, 48, masked=True, scaled=True, run_buckets=8, recall_heads=2)


def shapes(file: str) -> dict[str, tuple[int, ...]]:
    return {name: tuple(shape) for name, shape in json.loads((FIXTURES / file).read_text()).items()}


@pytest.mark.parametrize("config", [SMALL, RegressorConfig(scaled=True), RegressorConfig(kind="fc")])
def test_round_trip(tmp_path: Path, config) -> None:
    torch.manual_seed(0)
    amt = isinstance(config, AmtConfig)
    model = AffectiveMultimodalTransformer(config) if amt else DynamicsRegressor(config)
    path = tmp_path / "net.safetensors"
    save(model, path, {"name": "net"})
    back = load(path)
    assert back.config == config and not back.training
    assert model.state_dict().keys() == back.state_dict().keys()
    assert all(torch.equal(v, back.state_dict()[k]) for k, v in model.state_dict().items())
    assert read_card(path)["sha256"] == sha256(path)
    assert [p.name for p in tmp_path.glob("*.tmp")] == []


def test_expected_names_are_those_of_the_published_files() -> None:
    assert authors_amt_names(AmtConfig()) == shapes("amt_full_keys.json")
    assert authors_regressor_names() == shapes("regression_keys.json")


def test_full_size_checkpoint_is_imported(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(3)
    tensors = {n: torch.randn(s, generator=generator) * 0.05 for n, s in shapes("amt_full_keys.json").items()}
    path = tmp_path / "best_loss_weights.pickle"
    torch.save(tensors, path)
    model = import_authors(path)
    assert isinstance(model, AffectiveMultimodalTransformer)
    assert model.config == AmtConfig()
    assert torch.equal(model.decoder[5].norm2.weight, tensors["transformer.decoder.layers.5.norm3.weight"])


@pytest.mark.parametrize("kind", ["bigru", "bilstm", "gru", "lstm"])
def test_regressor_checkpoint_is_imported(tmp_path: Path, kind: str) -> None:
    tensors = {name: torch.full(shape, 0.01) for name, shape in shapes("regression_keys.json").items()}
    tensors[f"{kind}.weight_hh_l1"] = torch.randn(tensors[f"{kind}.weight_hh_l1"].shape)
    path = tmp_path / "best_rmse_weights.pickle"
    torch.save(tensors, path)
    model = import_authors(path, kind)
    assert isinstance(model, DynamicsRegressor)
    assert model.config.kind == kind
    assert torch.equal(model.rnn.weight_hh_l1, tensors[f"{kind}.weight_hh_l1"])


def _wrong_files(folder: Path) -> list[tuple[Path, str]]:
    small = torch.load(FIXTURES / "amt_small.pt", weights_only=True)
    text = folder / "text.pickle"
    text.write_text("not weights")
    evil = folder / "evil.pickle"
    evil.write_bytes(pickle.dumps(print))
    objects = folder / "objects.pickle"
    torch.save({"a": 1}, objects)
    less = folder / "less.pickle"
    torch.save({k: v for k, v in small.items() if k != "Wout.bias"}, less)
    more = folder / "more.pickle"
    torch.save({**small, "extra": torch.zeros(1)}, more)
    shape = folder / "shape.pickle"
    torch.save({**small, "Wout.bias": torch.zeros(158)}, shape)
    nan, whole, wide = folder / "nan.pickle", folder / "whole.pickle", folder / "wide.pickle"
    torch.save({**small, "Wout.bias": small["Wout.bias"] * float("nan")}, nan)
    torch.save({**small, "Wout.bias": small["Wout.bias"].int()}, whole)
    torch.save({**small, "Wout.bias": small["Wout.bias"] * 0 + 1e9}, wide)
    sparse, numbered = folder / "sparse.pickle", folder / "numbered.pickle"
    torch.save({**small, "Wout.weight": small["Wout.weight"].to_sparse()}, sparse)
    torch.save({1: torch.zeros(1)}, numbered)
    part = folder / "part.pickle"
    part.write_bytes((FIXTURES / "amt_small.pt").read_bytes()[:50_000])
    return [
        (folder / "absent.pickle", "does not exist"),
        (text, "can be read safely"),
        (evil, "can be read safely"),
        (part, "can be read safely"),
        (objects, "plain table of tensors"),
        (less, "lacks Wout.bias"),
        (more, "unknown extra"),
        *((path, "what no training gives") for path in (nan, whole, wide, sparse)),
        (numbered, "plain table of tensors"),
        (shape, r"Wout.bias has shape \(158,\), expected \(159,\)"),
        (FIXTURES / "regression_bigru.pt", "lacks"),
    ]


def test_wrong_files_of_the_authors_get_a_sentence(tmp_path: Path) -> None:
    for path, words in _wrong_files(tmp_path):
        with pytest.raises(CheckpointError, match=words) as caught:
            import_authors(path)
        assert "\n" not in str(caught.value), path


def test_wrong_files_of_ours_get_a_sentence(tmp_path: Path) -> None:
    model = AffectiveMultimodalTransformer(SMALL)
    good = tmp_path / "good.safetensors"
    save(model, good)
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(good.read_bytes()[:1000])
    foreign = tmp_path / "foreign.safetensors"
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(1)}, foreign)
    strange = tmp_path / "strange.safetensors"
    config = json.dumps({"width": 32, "wings": 2})
    save_file({"a": torch.zeros(1)}, strange, {"format": "cuebridge-1", "network": "amt", "config": config})
    for path, words in [
        (tmp_path / "absent.safetensors", "does not exist"),
        (cut, "not a safetensors file"),
        (foreign, "not written by this program"),
        (strange, "does not know"),
    ]:
        with pytest.raises(CheckpointError, match=words):
            load(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [("width", 10**9), ("heads", 0), ("decoder_layers", 2**31), ("width", 1.5), ("max_slots", -1), ("dropout", "x"),
     ("heads", None), ("feedforward", True), ("masked", "no"), ("see", 2), ("relative", None)],
)  # fmt: skip
def test_absurd_sizes_are_refused_before_any_memory_is_asked_for(tmp_path, name, value) -> None:
    from safetensors.numpy import save_file

    from models import runtime

    path = tmp_path / "amt.safetensors"
    metadata = {"format": "cuebridge-1", "network": "amt", "config": json.dumps({name: value})}
    save_file({"x": np.zeros(1, np.float32)}, path, metadata=metadata)
    for reader in (load, runtime.load):
        with pytest.raises(CheckpointError, match="configuration") as caught:
            reader(path)
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_weights_without_a_number_in_them_are_refused(tmp_path) -> None:
    """Each in turn: what norms divide by is their length."""
    from safetensors.numpy import load_file, save_file

    from models import runtime

    source = files.WEIGHTS / "amt.safetensors"
    whole, path = load_file(source), tmp_path / "amt.safetensors"
    with safe_open(source, "numpy") as opened:
        metadata = opened.metadata()
    for name in [each for each in whole if each.startswith("decoder.0.")]:
        save_file({**whole, name: whole[name].reshape(-1)[:0]}, path, metadata=metadata)
        for reader in (load, runtime.load):
            with pytest.raises(CheckpointError, match="holds nothing"):
                reader(path)


def test_numbers_that_are_none_are_refused(tmp_path) -> None:
    path = tmp_path / "regressor.safetensors"
    model = DynamicsRegressor(RegressorConfig(width=8))
    next(model.parameters()).data[0] = float("nan")
    save(model, path)
    with pytest.raises(CheckpointError, match="not numbers"):
        load(path)
