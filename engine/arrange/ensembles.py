"""The ensembles: who plays, in which range, and which parts sound at each intensity.  Data: data/ensembles.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from engine.music import PARTS, MusicError
from engine.music.cueplan import ENSEMBLES
from engine.music.draws import RULES


@dataclass(frozen=True, slots=True)
class PartRole:
    """How a part is played.  low, high: inclusive range.  voices: of the pad.  octave: intensity from which the part is
    doubled in octaves (5: never).  cc: controllers that shape it.  shares: voices that the pad gives to the second
    voice where that plays.  under: its range in sections that have the tune, so that it lies under it.  beside,
    between: its range where pad and second voice both sound, in sections without and with the tune."""

    low: int
    high: int
    style: str
    voices: int
    velocity: tuple[int, int]
    cc: tuple[int, ...]
    octave: int
    shares: int = 0
    under: tuple[int, int] | None = None
    beside: tuple[int, int] | None = None
    between: tuple[int, int] | None = None


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


@lru_cache(maxsize=RULES)
def ensembles(rules: int = RULES) -> dict[str, Ensemble]:
    """All ensembles by name.  rules: see `engine.music.draws.RULES`; by the first, all share a register."""
    data = tomllib.loads(files("engine.arrange").joinpath("data/ensembles.toml").read_text("utf-8"))
    if set(data) != set(ENSEMBLES):
        raise MusicError(f"ensembles.toml does not hold {', '.join(ENSEMBLES)}.")
    return {name: _ensemble(name, row, rules) for name, row in data.items()}


def _levels(row: dict[str, Any], name: str, rules: int) -> list[list[str]]:
    """The parts at each intensity, by the latest rules up to these that changed them."""
    return next((row[f"{name}{since}"] for since in (6, 4) if rules >= since and f"{name}{since}" in row), row[name])


def _ensemble(name: str, row: dict[str, Any], rules: int) -> Ensemble:
    parts = {}
    for part in PARTS:
        role = row.get("bass_part" if part == "bass" else part)
        if role is not None:
            soft, loud = role["velocity"]
            low, high = role.get("low", 35), role.get("high", 81)
            if rules > 1:
                low, high = role.get("over", (low, high))
            under = tuple(role["under"]) if rules > 1 and "under" in role else None
            beside, between = (
                tuple(role[name]) if rules > 3 and name in role else None for name in ("beside", "between")
            )
            parts[part] = PartRole(
                low, high, role["style"], role.get("voices", 4), (soft, loud), tuple(role.get("cc", ())),
                role.get("octave", 5), role.get("shares", 0), under, beside, between,
            )  # fmt: skip
    layers, theme = (tuple(tuple(level) for level in _levels(row, name, rules)) for name in ("layers", "theme"))
    for level in (*layers, *theme):
        for part in level:
            if part not in parts:
                raise MusicError(f"ensemble {name}: nobody plays '{part}'.")
    return Ensemble(
        name, dict(row["moods"]), float(row["lively"]), tuple(row["keys"]), row["bass"], row.get("strict", False),
        layers, theme, parts,
    )  # fmt: skip
