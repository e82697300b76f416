"""Weights files without torch: reading tensors, model cards, checksums.

A file is safetensors; its metadata say which network it is of and its configuration.  Beside it lies a model card
(`.json`): data, split, seed, command, metrics, licence, sha256 of the file.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors import SafetensorError, safe_open

from models.config import AmtConfig, RegressorConfig
from models.errors import CheckpointError

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


def write_card(path: Path, card: Mapping[str, Any]) -> None:
    """Writes the card of a weights file, with its size and sha256."""
    full = {**card, "file": path.name, "bytes": path.stat().st_size, "sha256": sha256(path)}
    aside = card_path(path).with_suffix(".tmp")
    aside.write_text(json.dumps(full, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(aside, card_path(path))


def read_card(path: Path) -> dict[str, Any]:
    """The card of a weights file; empty where it has none."""
    card = card_path(path)
    return json.loads(card.read_text(encoding="utf-8")) if card.is_file() else {}
