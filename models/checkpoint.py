"""Weights on disk: our safetensors files, the shipped ones, and import of the authors' pickles.

models.files says what a file and its card are and reads them without torch; here they become networks in torch.  No
pickle of ours is ever read; the authors' checkpoints are read with `weights_only=True` and checked name by name and
shape by shape.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Literal, overload

import torch
from safetensors.torch import save as as_bytes
from torch import nn

from models.amt import AffectiveMultimodalTransformer
from models.config import AmtConfig, RegressorConfig
from models.errors import CheckpointError
from models.files import FORMAT, LARGEST, WEIGHTS, check_weights_path, read, write_card, written
from models.film import FEATURE_WIDTH
from models.regressor import DynamicsRegressor
from models.vocabulary import ATTRIBUTES, ROOTS, TOKENS

_UNUSED: Final = ("embedding.", "condition_linear.", "Wout_root.", "Wout_attr.", "positional_encoding")
Network = AffectiveMultimodalTransformer | DynamicsRegressor


# --- ours -----------------------------------------------------------------------------------------------------------


def save(model: Network, path: Path, card: Mapping[str, Any] | None = None, *, half: bool = False) -> None:
    """Writes weights and, where given, the card beside them (with the file's sha256); aside first, then renamed.

    half: 16-bit floats on disk (networks compute in 32 bits after loading).  Raises ModelError.
    """
    kind = "amt" if isinstance(model, AffectiveMultimodalTransformer) else "regressor"
    metadata = {"format": FORMAT, "network": kind, "config": json.dumps(asdict(model.config), sort_keys=True)}
    dtype = torch.float16 if half else torch.float32
    tensors = {name: value.detach().cpu().to(dtype).contiguous() for name, value in model.state_dict().items()}
    check_weights_path(path)
    with written(path) as aside:
        aside.write_bytes(as_bytes(tensors, metadata))
    if card is not None:
        write_card(path, card)


def load(path: Path) -> Network:
    """Reads one of our files; the network comes in eval mode.  Raises CheckpointError with one sentence."""
    found = read(path)
    with torch.device("meta"):  # names and shapes alone: nothing is asked for that the file does not hold
        wanted = {name: tuple(value.shape) for name, value in build(found.config).state_dict().items()}
    shapes = {name: array.shape for name, array in found.tensors.items()}
    wrong = next((name for name in sorted({*wanted, *shapes}) if wanted.get(name) != shapes.get(name)), None)
    if wrong is not None:
        what = f"{wrong} is {shapes.get(wrong, 'missing')}, not {wanted.get(wrong, 'expected at all')}"
        raise CheckpointError(f"{path} does not fit its own configuration: {what}.")
    model = build(found.config)
    model.load_state_dict({name: torch.from_numpy(array) for name, array in found.tensors.items()})
    if isinstance(model, AffectiveMultimodalTransformer):
        model.lay_out_for_decoding()
    return model.eval()


def build(config: AmtConfig | RegressorConfig) -> Network:
    """The network of a configuration, freshly initialised."""
    return AffectiveMultimodalTransformer(config) if isinstance(config, AmtConfig) else DynamicsRegressor(config)


@overload
def load_default(name: Literal["amt"]) -> AffectiveMultimodalTransformer: ...
@overload
def load_default(name: Literal["regressor"]) -> DynamicsRegressor: ...
def load_default(name: Literal["amt", "regressor"]) -> Network:
    """The shipped network of that name, in eval mode."""
    path = WEIGHTS / f"{name}.safetensors"
    model = load(path)
    expected = AffectiveMultimodalTransformer if name == "amt" else DynamicsRegressor
    if not isinstance(model, expected):
        raise CheckpointError(f"{path} holds another network than its name says.")
    return model


# --- the authors' ---------------------------------------------------------------------------------------------------

_AMT_RENAMES: Final = (
    ("transformer.encoder.layers.", "encoder."),
    ("transformer.decoder.layers.", "decoder."),
    ("transformer.encoder.norm", "encoder_norm"),
    ("transformer.decoder.norm", "decoder_norm"),
    ("self_attn", "attention"),
    ("multihead_attn", "cross"),
    ("embedding_root", "root_embedding"),
    ("embedding_attr", "quality_embedding"),
    ("Linear_vis", "film_in"),
    ("Linear_chord", "chord_in"),
    ("Wout.", "out."),
)


def _our_amt_name(name: str) -> str:
    for theirs, ours in _AMT_RENAMES:
        name = name.replace(theirs, ours)
    if name.startswith("decoder."):  # their norm2 follows cross-attention, their norm3 the feed-forward
        name = name.replace("norm2", "norm_cross").replace("norm3", "norm2")
    return name


def authors_amt_names(config: AmtConfig) -> dict[str, tuple[int, ...]]:
    """Every name and shape that the authors' AMT checkpoint of this size has, unused tensors included."""
    width, slots = config.width, config.max_slots
    unused: dict[str, tuple[int, ...]] = {
        "embedding.weight": (TOKENS, width),
        "condition_linear.weight": (width, 1),
        "condition_linear.bias": (width,),
        "Wout_root.weight": (ROOTS, width),
        "Wout_root.bias": (ROOTS,),
        "Wout_attr.weight": (ATTRIBUTES, width),
        "Wout_attr.bias": (ATTRIBUTES,),
        "positional_encoding.pe": (slots, 1, width),
        "positional_encoding_video.pe": (slots, 1, width),
    }
    with torch.device("meta"):
        ours = {name: tuple(v.shape) for name, v in AffectiveMultimodalTransformer(config).state_dict().items()}
    back = {}
    for name, shape in ours.items():
        if name.startswith("decoder."):
            name = name.replace("norm2", "norm3").replace("norm_cross", "norm2")
        for theirs, mine in _AMT_RENAMES:
            if name.startswith(mine) or f".{mine}." in f".{name}":
                name = name.replace(mine, theirs)
        back[name] = shape
    return {**unused, **back}


_REGRESSOR_KINDS: Final = ("bilstm", "bigru", "lstm", "gru")
_AUTHORS_WIDTH: Final = 64


def authors_regressor_names() -> dict[str, tuple[int, ...]]:
    """Every name and shape of the authors' regressor checkpoint; it holds all recurrent kinds at once."""
    out: dict[str, tuple[int, ...]] = {}
    for kind in _REGRESSOR_KINDS:
        both = kind.startswith("bi")
        cell = nn.LSTM if kind.endswith("lstm") else nn.GRU
        with torch.device("meta"):
            rnn = cell(FEATURE_WIDTH, _AUTHORS_WIDTH, 2, bidirectional=both)
        out |= {f"{kind}.{name}": tuple(v.shape) for name, v in rnn.state_dict().items()}
    heads: dict[str, tuple[int, ...]] = {"bifc.weight": (2, 2 * _AUTHORS_WIDTH), "bifc.bias": (2,)}
    return {**out, **heads, "fc.weight": (2, _AUTHORS_WIDTH), "fc.bias": (2,)}


def _compare(path: Path, found: Mapping[str, torch.Tensor], expected: Mapping[str, tuple[int, ...]]) -> None:
    missing = sorted(set(expected) - set(found))
    surplus = sorted(set(found) - set(expected))
    if missing or surplus:
        what = f"lacks {missing[0]}" if missing else f"has an unknown {surplus[0]}"
        more = len(missing) + len(surplus) - 1
        raise CheckpointError(f"{path} is not a Video2Music checkpoint: it {what} (and {more} other names differ).")
    for name, shape in expected.items():
        if tuple(found[name].shape) != shape:
            raise CheckpointError(f"{path}: {name} has shape {tuple(found[name].shape)}, expected {shape}.")


def read_authors(path: Path) -> dict[str, torch.Tensor]:
    """The state dict of a pickle, read with weights_only.  Raises CheckpointError for anything else."""
    if not path.is_file():
        raise CheckpointError(f"No weights: {path} does not exist.")
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what a damaged pickle or archive runs into has no common type
        reason = str(error).splitlines()[0][:120].rstrip(".") if str(error) else type(error).__name__
        raise CheckpointError(f"{path} is not a checkpoint that can be read safely ({reason}).") from error
    if not isinstance(found, dict) or not all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in found.items()
    ):
        raise CheckpointError(f"{path} does not hold a plain table of tensors.")
    for name, value in found.items():
        plain = value.is_floating_point() and value.layout == torch.strided and value.device.type == "cpu"
        if not plain or not value.isfinite().all() or (value.abs() > LARGEST).any():
            raise CheckpointError(f"{path} is damaged: {name[:80]} holds what no training gives.")
    return found


def import_authors(path: Path, kind: str = "bigru") -> Network:
    """The network of the authors' `best_loss_weights.pickle` (AMT) or `best_rmse_weights.pickle` (regressor).

    kind: which of the recurrent networks to take from a regressor file.  Raises CheckpointError for wrong files.
    """
    found = read_authors(path)
    if any(name.startswith(("bigru.", "lstm.")) for name in found):
        return _import_regressor(path, found, kind)
    for needed in ("Linear_vis.weight", "transformer.decoder.layers.0.self_attn.Er"):
        if needed not in found:
            raise CheckpointError(f"{path} is not a Video2Music checkpoint: it lacks {needed}.")
    relative, seen = found["transformer.decoder.layers.0.self_attn.Er"], found["Linear_vis.weight"]
    if relative.dim() != 2 or seen.dim() != 2 or not relative.numel() or not seen.numel():
        raise CheckpointError(f"{path} is not a Video2Music checkpoint: its tensors have other shapes.")
    (slots, head_width), width = relative.shape, seen.shape[0]
    if width % head_width:
        raise CheckpointError(f"{path}: heads of {head_width} do not divide the width {width}.")

    def layers(side: str) -> int:
        return len({name.split(".")[3] for name in found if name.startswith(f"transformer.{side}.layers.")})

    linear1 = found.get("transformer.encoder.layers.0.linear1.weight")
    try:
        config = AmtConfig(
            width=width,
            heads=width // head_width,
            encoder_layers=layers("encoder"),
            decoder_layers=layers("decoder"),
            feedforward=0 if linear1 is None else linear1.shape[0],
            max_slots=slots,
        )
    except ValueError as error:
        raise CheckpointError(f"{path} is not a Video2Music checkpoint: {error}.") from None
    _compare(path, found, authors_amt_names(config))
    model = AffectiveMultimodalTransformer(config)
    model.load_state_dict({_our_amt_name(n): v for n, v in found.items() if not n.startswith(_UNUSED)})
    model.lay_out_for_decoding()
    return model.eval()


def _import_regressor(path: Path, found: Mapping[str, torch.Tensor], kind: str) -> DynamicsRegressor:
    if kind not in _REGRESSOR_KINDS:
        raise CheckpointError(f"The authors' regressor file holds {', '.join(_REGRESSOR_KINDS)}, not {kind!r}.")
    _compare(path, found, authors_regressor_names())
    model = DynamicsRegressor(RegressorConfig(kind=kind))
    head = "bifc" if kind.startswith("bi") else "fc"
    tensors = {f"rnn.{name[len(kind) + 1 :]}": v for name, v in found.items() if name.startswith(f"{kind}.")}
    model.load_state_dict({**tensors, "out.weight": found[f"{head}.weight"], "out.bias": found[f"{head}.bias"]})
    return model.eval()
