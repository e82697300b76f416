"""The palettes of the moods: cells of chords, how they close, and the numbers that go with them.

The data is in data/palettes.toml, sources there.  `chord` reads its numerals.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from engine.music import EMOTIONS, Chord, MusicError
from engine.music.draws import RULES

DEGREES: Final = {"1": 0, "2": 2, "3": 4, "4": 5, "5": 7, "6": 9, "7": 11}  # of the major scale
_NUMERAL: Final = re.compile(
    r"(?P<flat>[b#]?)(?P<degree>VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)(?P<type>[^/]*?|6/9)(?:/(?P<bass>[b#]?[1-7]))?"
)
_STEPS: Final = {"i": 0, "ii": 2, "iii": 4, "iv": 5, "v": 7, "vi": 9, "vii": 11}
# What stands after a small numeral, as a lead sheet writes it after the root; anything else gets an m before it.
_SMALL: Final = {
    "": "m", "5": "5", "o": "dim", "o7": "dim7", "ø": "m7b5", "add9": "madd9", "maj7": "mMaj7", "q": "7sus4no5",
    "m6": "m6", "m7": "m7", "m11": "m11", "7": "m7", "9": "m9",
}  # fmt: skip
_LARGE: Final = {"+": "aug", "o7": "dim7", "q": "7sus4no5"}

Entry = tuple[Chord, ...]  # what sounds in one unit of harmonic rhythm: one chord, or two that share it
Cell = tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Palette:
    """One variant of a mood; chords stand in C (tonic = 0).  See data/palettes.toml for the fields."""

    variant: str
    name: str
    mood: str
    mode: str
    bpm: tuple[float, float]
    units: tuple[float, ...]
    centre: int
    note_length: float
    velocity: tuple[int, int]
    network: float
    cells: tuple[Cell, ...]
    lift: tuple[Cell, ...]
    closes: tuple[Cell, ...]
    open: tuple[Cell, ...] = ()
    rest: tuple[Cell, ...] = ()
    pedal: str = ""
    meter: str = ""
    ostinato: tuple[str, ...] = ()
    shapes: tuple[str, ...] = ()
    rhythms: tuple[str, ...] = ()
    planing: bool = False

    def closes_of(self, ending: str) -> tuple[Cell, ...]:
        """How a cue with an ending closes: one of engine.music.cueplan.CUE_ENDINGS, "" for a theme inside it."""
        if ending == "unresolved":
            return self.open or self.closes
        if ending in ("ring-off", "button"):
            return self.rest or self.closes
        return self.closes

    @property
    def chords(self) -> tuple[Chord, ...]:
        """Every chord of its cells, once, in order."""
        return tuple(dict.fromkeys(each for cell in self.cells for entry in cell for each in entry))


def chord(numeral: str, tonic: int = 0) -> Chord:
    """The chord of a numeral such as `bVII/1` or `iv`.  Raises MusicError."""
    match = _NUMERAL.fullmatch(numeral)
    if match is None:
        raise MusicError(f"'{numeral}' is not a numeral of a palette.")
    degree, kind = match["degree"], match["type"]
    small = degree.islower()
    root = (tonic + _STEPS[degree.lower()] + {"b": -1, "#": 1, "": 0}[match["flat"]]) % 12
    suffix = _SMALL.get(kind, kind if kind.startswith("m") else "m" + kind) if small else _LARGE.get(kind, kind)
    found = Chord.parse("C" + suffix).transpose(root)
    if match["bass"]:
        bass = match["bass"]
        step = DEGREES[bass[-1]] + {"b": -1, "#": 1}.get(bass[0], 0)
        found = replace(found, bass=(tonic + step) % 12)
    return found


def cell(text: str) -> Cell:
    """The chords of a row of numerals in C; `x.y` share a unit."""
    return tuple(tuple(chord(each) for each in word.split(".")) for word in text.split())


@lru_cache(maxsize=RULES)
def palettes(rules: int = RULES) -> dict[str, Palette]:
    """All palettes by variant.  rules: see `engine.music.draws.RULES`; earlier ones have fewer cells."""
    data = tomllib.loads(files("engine.harmony").joinpath("data/palettes.toml").read_text("utf-8"))
    return {variant: _palette(variant, row, rules) for variant, row in data.items()}


def of_mood(mood: str, rules: int = RULES) -> tuple[Palette, ...]:
    """The variants of a mood."""
    return tuple(palette for palette in palettes(rules).values() if palette.mood == mood)


def _more_cells(row: dict[str, Any], rules: int) -> tuple[str, ...]:
    """The cells besides `cells` by which sessions of such rules are composed."""
    if rules < 4:
        return ()
    return tuple(row.get("more_cells6", row["more_cells"]) if rules > 5 else row["more_cells"])


def _palette(variant: str, row: dict[str, Any], rules: int) -> Palette:
    if row["mood"] not in EMOTIONS:
        raise MusicError(f"palette {variant}: '{row['mood']}' is not a mood.")
    low, high = row["bpm"]
    soft, loud = row["velocity"]
    return Palette(
        variant=variant,
        name=row["name"],
        mood=row["mood"],
        mode=row["mode"],
        bpm=(float(low), float(high)),
        units=tuple(float(unit) for unit in row["units"]),
        centre=row["centre"],
        note_length=float(row["note_length"]),
        velocity=(soft, loud),
        network=float(row["network"]),
        cells=tuple(cell(text) for text in (*row["cells"], *_more_cells(row, rules))),
        lift=tuple(cell(text) for text in row.get("lift", ())),
        closes=tuple(cell(text) for text in row["closes"]),
        open=tuple(cell(text) for text in row.get("open", ())),
        rest=tuple(cell(text) for text in row.get("rest", ())),
        pedal=row.get("pedal", ""),
        meter=row.get("meter", ""),
        ostinato=tuple(row.get("ostinato", ())),
        shapes=tuple(row["shapes"]),
        rhythms=tuple(row["rhythms"]),
        planing=row.get("planing", False),
    )
