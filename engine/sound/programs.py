"""Which General MIDI program plays each part of an ensemble, and how loud: data in `programs.json`.

Programs count from 0 (48 is "String Ensemble 1"); for drums they name the kit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from engine.music import PARTS
from engine.sound.errors import SoundError
from engine.sound.soundfont import DRUM_BANK

DEFAULT_ENSEMBLE: Final = "pop"


@dataclass(frozen=True, slots=True)
class Program:
    """bank 128: a drum kit.  level_db: of the part in the mix."""

    program: int
    bank: int = 0
    level_db: float = 0.0


@cache
def _data() -> Mapping[str, Mapping[str, Mapping[str, float]]]:
    text = resources.files("engine.sound").joinpath("programs.json").read_text("utf-8")
    return json.loads(text)


def ensembles() -> tuple[str, ...]:
    return tuple(_data())


def programs(ensemble: str = DEFAULT_ENSEMBLE) -> dict[str, Program]:
    """Part -> program.  A part that the ensemble leaves out plays as in the default one.  Raises SoundError."""
    data = _data()
    if ensemble not in data:
        raise SoundError(f"'{ensemble}' is not an ensemble; ensembles are {', '.join(data)}.")
    found = {}
    for part in PARTS:
        row = data[ensemble].get(part) or data[DEFAULT_ENSEMBLE][part]
        bank = DRUM_BANK if part == "drums" else int(row.get("bank", 0))
        found[part] = Program(int(row["program"]), bank, float(row.get("level_db", 0.0)))
    return found
