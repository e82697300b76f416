"""The ensembles: who plays, in which range, and which parts sound at each intensity.  Data: data/ensembles.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from engine.music import PARTS, MusicError
from engine.music.cueplan import ENSEMBLES


@dataclass(frozen=True, slots=True)
class PartRole:
    """How a part is played.  low, high: inclusive range.  voices: of the pad.  octave: intensity from which the part is
    doubled in octaves (5: never).  cc: controllers that shape it.  shares: voices that the pad gives to the second
    voice where that plays."""

    low: int
    high: int
    style: str
    voices: int
    velocity: tuple[int, int]
    cc: tuple[int, ...]
    octave: int
    shares: int = 0


@dataclass(frozen=True, slots=True)
class Ensemble:
    """See data/ensembles.toml.  layers, theme: parts by intensity 0..4, without and with the theme."""

    name: str
    moods: dict[str, float]
    lively: float
    keys: tuple[int, ...]
    bass: str
    strict: bool
    layers: tuple[tuple[str, ...], ...]
    theme: tuple[tuple[str, ...], ...]
    parts: dict[str, PartRole]


@lru_cache(maxsize=1)
def ensembles() -> dict[str, Ensemble]:
    """All ensembles by name."""
    data = tomllib.loads(files("engine.arrange").joinpath("data/ensembles.toml").read_text("utf-8"))
    if set(data) != set(ENSEMBLES):
        raise MusicError(f"ensembles.toml does not hold {', '.join(ENSEMBLES)}.")
    return {name: _ensemble(name, row) for name, row in data.items()}


def _ensemble(name: str, row: dict[str, Any]) -> Ensemble:
    parts = {}
    for part in PARTS:
        role = row.get("bass_part" if part == "bass" else part)
        if role is not None:
            soft, loud = role["velocity"]
            parts[part] = PartRole(
                role.get("low", 35), role.get("high", 81), role["style"], role.get("voices", 4), (soft, loud),
                tuple(role.get("cc", ())), role.get("octave", 5), role.get("shares", 0),
            )  # fmt: skip
    layers = tuple(tuple(level) for level in row["layers"])
    theme = tuple(tuple(level) for level in row["theme"])
    for level in (*layers, *theme):
        for part in level:
            if part not in parts:
                raise MusicError(f"ensemble {name}: nobody plays '{part}'.")
    return Ensemble(
        name, dict(row["moods"]), float(row["lively"]), tuple(row["keys"]), row["bass"], row.get("strict", False),
        layers, theme, parts,
    )  # fmt: skip
