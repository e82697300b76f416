"""Which General MIDI program plays each part of an ensemble, and how loud: data in `data/programs.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from engine.music import PARTS, Composition
from engine.sound.soundfont import DRUM_BANK

DEFAULT_ENSEMBLE: Final = "pop"


@dataclass(frozen=True, slots=True)
class Program:
    """program counts from 0.  bank 128: a drum kit.  level_db: of the part in the mix."""

    program: int
    bank: int = 0
    level_db: float = 0.0


@cache
def _data() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    return tomllib.loads(resources.files("engine.sound").joinpath("data/programs.toml").read_text("utf-8"))


@cache
def program_of(ensemble: str, part: str) -> Program:
    """What plays a part of an ensemble.  An unknown ensemble plays as the default one, an unknown part as its pad."""
    default = _data()[DEFAULT_ENSEMBLE]
    row = _data().get(ensemble, default).get(part) or default.get(part) or default["pad"]
    bank = DRUM_BANK if part == "drums" else int(row.get("bank", 0))
    return Program(int(row["program"]), bank, float(row.get("level_db", 0.0)))


def programs_of(composition: Composition) -> list[tuple[float, str, int]]:
    """Program changes where a cue's ensemble begins to play: (beat, part, General MIDI program from 0)."""
    found: list[tuple[float, str, int]] = []
    playing: dict[str, int] = {}
    begins = [(plan.sections[0].start_s, plan.ensemble) for plan in composition.plans] or [(0.0, DEFAULT_ENSEMBLE)]
    for number, (start_s, ensemble) in enumerate(begins):
        beat = composition.beats_at_picture(start_s) if number else 0.0
        for part in PARTS:
            program = program_of(ensemble, part).program
            if playing.get(part) != program:
                playing[part] = program
                found.append((beat, part, program))
    return found
