"""Shapes of the two networks; shared by their definitions in torch and by models.runtime, which runs them in numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from models.film import MAX_SLOTS

LEVEL_SHARE: Final = 0.5  # of the regressor's ridge in a film's mean
FARTHEST: Final = 3.0  # standard deviations that a column of a film's mean row may lie from the training films'
KINDS: Final = ("fc", "lstm", "bilstm", "gru", "bigru")


def check_sizes(config: Any, bounds: Mapping[str, tuple[int, int]]) -> None:
    """Raises ValueError for a size that is no whole number within its bounds, a share that is none, a switch that is
    neither true nor false.

    A damaged file shall not ask for more memory than there is.
    """
    for name, (low, high) in bounds.items():
        value = getattr(config, name)
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"{name} is {str(value)[:20]!r}, not {low} to {high}")
    for each in fields(config):
        if each.type == "bool" and not isinstance(getattr(config, each.name), bool):
            raise ValueError(f"{each.name} is {str(getattr(config, each.name))[:20]!r}, not true or false")
    for name in ("dropout", "attention_dropout"):
        value = getattr(config, name, 0.0)
        if not isinstance(value, (int, float)) or not 0 <= value < 1:
            raise ValueError(f"{name} is {str(value)[:20]!r}, not a share below 1")


@dataclass(frozen=True, slots=True)
class AmtConfig:
    """Shape of the chord network.  The defaults are the published one (32.5 M parameters)."""

    width: int = 512
    heads: int = 8
    encoder_layers: int = 6
    decoder_layers: int = 6
    feedforward: int = 1024
    dropout: float = 0.1
    attention_dropout: float = 0.1  # on attention weights
    see: bool = True  # cross-attention to the film
    relative: bool = True  # relative positions in decoder self-attention
    masked: bool = False  # hide padded film rows; the authors pad with zeros to 300 and attend to them
    scaled: bool = False  # bring the columns to like ranges and add flags for what is missing
    run_buckets: int = 0  # embedding of how long the chord has lasted, in slots; 0 = off
    recall_heads: int = 0  # kernels of models.recall; 0 = off
    recall_roots: bool = False  # recall listens to roots and phase, too
    echo_heads: int = 0  # kernels of models.echo; 0 = off
    condition_width: int = 0  # hidden width of the slot-aligned conditioning; 0 = off
    section_width: int = 0  # the same of the section columns behind it; 0 = off
    max_slots: int = MAX_SLOTS

    def __post_init__(self) -> None:
        check_sizes(self, {"width": (2, 8192), "heads": (1, 256), "encoder_layers": (0, 64), "decoder_layers": (1, 64),
                           "feedforward": (0, 65536), "run_buckets": (0, 1024), "recall_heads": (0, 256),
                           "echo_heads": (0, 256), "condition_width": (0, 8192), "section_width": (0, 8192),
                           "max_slots": (1, 65536)})  # fmt: skip
        if self.width % self.heads or self.width % 2:
            raise ValueError(f"width {self.width} must be even and divide by heads {self.heads}")
        if self.section_width and not self.condition_width:
            raise ValueError("section_width needs condition_width")


@dataclass(frozen=True, slots=True)
class RegressorConfig:
    """Shape of the regressor; the defaults are the paper's."""

    kind: str = "bigru"
    width: int = 64  # of each direction; ignored by fc
    layers: int = 2
    dropout: float = 0.1  # on the inputs
    scaled: bool = False
    bottleneck: int = 0  # scaled only: semantics are brought to this width first; 0 = off
    levels: bool = False  # scaled only: ridge for the film's mean, gains around it, the map for `spread`
    chord_width: int = 0  # scaled recurrent kinds: width of the part that reads the chords sounding so far; 0 = off

    def __post_init__(self) -> None:
        check_sizes(self, {"width": (1, 8192), "layers": (1, 64), "bottleneck": (0, 8192), "chord_width": (0, 8192)})
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {self.kind!r}")
        if self.levels and not self.scaled:
            raise ValueError("levels needs scaled")
        if self.chord_width and (not self.scaled or self.kind == "fc"):
            raise ValueError("chord_width needs scaled inputs and a recurrent kind")
