"""Weights files without torch: reading tensors, model cards, checksums.

A file is safetensors; its metadata say which network it is of and its configuration.  Beside it lies a model card
(`.json`): data, split, seed, command, metrics, licence, sha256 of the file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors import SafetensorError, safe_open

from engine.music.errors import shown
from engine.music.files import check_writes_a_file, written_aside
from models.config import AmtConfig, RegressorConfig
from models.errors import CheckpointError, ModelError

WEIGHTS: Final = Path(__file__).parent / "weights"
FORMAT: Final = "cuebridge-1"
LARGEST: Final = 1e4  # of a weight; those that are shipped reach 41


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """What a file holds: a configuration, which says the kind of network, and float32 arrays by name."""

    path: Path
    config: AmtConfig | RegressorConfig
    tensors: dict[str, np.ndarray]

    @property
    def network(self) -> str:
        """Which network it is of, by the name of its definition in torch."""
        return "AffectiveMultimodalTransformer" if isinstance(self.config, AmtConfig) else "DynamicsRegressor"


def read(path: Path) -> WeightsFile:
    """Reads one of our files.  Raises CheckpointError with one sentence."""
    if not path.is_file():
        raise CheckpointError(f"No weights: {path} does not exist.")
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}  # noqa: SIM118
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (SafetensorError, MemoryError, TypeError, ValueError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0][:120].rstrip(".")
        raise CheckpointError(f"{path} is not a safetensors file: {reason}.") from error
    if metadata.get("format") != FORMAT:
        raise CheckpointError(f"{path} was not written by this program (format {metadata.get('format')!r}).")
    try:
        config = json.loads(metadata["config"])
        kind = AmtConfig if metadata["network"] == "amt" else RegressorConfig
        found = WeightsFile(path, kind(**config), tensors)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0][:120].rstrip(".")
        raise CheckpointError(f"{path} has a configuration that this version does not know: {reason}.") from error
    for name, array in tensors.items():
        if not array.size:
            raise CheckpointError(f"{path} is damaged: {name[:80]} holds nothing.")
        if not np.isfinite(array).all():
            raise CheckpointError(f"{path} is damaged: {name[:80]} holds values that are not numbers.")
        if array.size and np.abs(array).max() > LARGEST:
            raise CheckpointError(
                f"{path} is damaged: {name[:80]} holds {np.abs(array).max():.0e}, which no training gives."
            )
    return found


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def card_path(path: Path) -> Path:
    """The model card beside a weights file."""
    return path.with_suffix(".json")


def check_weights_path(path: Path) -> None:
    """Raises ModelError for a name that would be the card's, too, UserError for what is no file."""
    check_writes_a_file(path)
    if card_path(path) == path:
        raise ModelError(f"{shown(path)} would be the model card's name; call the weights {path.stem}.safetensors.")


def make_folder(path: Path) -> None:
    """Makes a folder that is not there yet, and those above it.  Raises ModelError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(f"The folder {shown(path)} cannot be made: {error.strerror or error}.") from error


@contextlib.contextmanager
def written(path: Path) -> Iterator[Path]:
    """A path to write to, which takes the place of `path` at the end; the folder is made.  Raises ModelError."""
    make_folder(path.parent)
    try:
        with written_aside(path) as aside:
            yield aside
    except (OSError, RuntimeError) as error:  # torch.save says the latter of a full disk
        why = (error.strerror or error) if isinstance(error, OSError) else "the disk may be full"
        raise ModelError(f"{shown(path)} cannot be written: {why}.") from error


def to_json(value: Any, indent: int | None = None) -> str:
    """As every reader takes it: a figure that is none becomes null."""
    return json.dumps(_with_null(value), indent=indent, ensure_ascii=False, allow_nan=False)


def _with_null(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _with_null(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_with_null(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_card(path: Path, card: Mapping[str, Any]) -> None:
    """Writes the card of a weights file, with its size and sha256.  Raises ModelError."""
    full = {**card, "file": path.name, "bytes": path.stat().st_size, "sha256": sha256(path)}
    with written(card_path(path)) as aside:
        aside.write_text(to_json(full, indent=2) + "\n", encoding="utf-8")


def read_card(path: Path) -> dict[str, Any]:
    """The card of a weights file; empty where it has none.  Raises CheckpointError for what is no card."""
    card = card_path(path)
    if not card.is_file():
        return {}
    try:
        found = json.loads(card.read_text(encoding="utf-8"))
        if all(isinstance(each, dict) for each in (found, found.get("recipe", {}), found.get("evaluation", {}))):
            return found
    except (OSError, ValueError, AttributeError, RecursionError):
        pass
    raise CheckpointError(f"{shown(card)} is damaged; remove it, or put the one that belongs to the weights there.")
