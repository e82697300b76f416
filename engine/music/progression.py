"""Chord progressions as a composer types or pastes them.

`C Am F G`                       one bar each
`Cm:2 Ab:1`                      bars per chord after a colon (`1/2` and `0.5` too)
`| Cm | Ab | Eb Bb/D | G7 |`     bars; chords within a bar share it equally; an empty bar repeats the last chord
`|: C | Am :| x3`, `C / G /`     and all else that lead sheets have: see engine.music.lead_sheet
`ii7 V7 I`, `1 6- 4 5`           degrees of the key: see engine.music.numerals
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from engine.music.chord import Chord
from engine.music.errors import MusicError

MODES: Final = (
    "start",
    "loop",
    "exact",
)  # then the net goes on / from its beginning again / nothing else sounds
MAX_CHORDS: Final = 512


@dataclass(frozen=True, slots=True)
class ProgressionItem:
    """A chord and how many bars it lasts (> 0).  typed: as the person wrote the chord, "" where it was not written."""

    chord: Chord
    bars: Fraction = Fraction(1)
    typed: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if self.bars <= 0:
            raise MusicError(f"{self.chord} lasts {self.bars} bars; a chord lasts more than none.")


@dataclass(frozen=True, slots=True)
class Progression:
    """Chords with lengths in bars.  mode: "start" (the net goes on), "loop", or "exact".

    readings: a sentence for each place where what was written can be read in two ways, saying which was taken.
    """

    items: tuple[ProgressionItem, ...]
    mode: str = "start"
    readings: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise MusicError(f"'{self.mode}' is not a progression mode; modes are {', '.join(MODES)}.")
        if not self.items:
            raise MusicError("a progression needs at least one chord.")

    @property
    def bars(self) -> Fraction:
        """Its whole length."""
        return sum((item.bars for item in self.items), Fraction(0))

    @property
    def typed(self) -> tuple[tuple[Chord, str], ...]:
        """The chords with the words that somebody wrote for them."""
        return tuple((item.chord, item.typed) for item in self.items if item.typed)

    @property
    def chords(self) -> tuple[Chord, ...]:
        return tuple(item.chord for item in self.items)

    def transpose(self, semitones: int) -> Progression:
        moved = tuple(ProgressionItem(item.chord.transpose(semitones), item.bars) for item in self.items)
        return Progression(moved, self.mode)

    def chord_at(self, bar: Fraction) -> Chord | None:
        """The chord that sounds `bar` bars after the beginning; beyond the end None, in loop mode from anew."""
        if bar < 0:
            return None
        if self.mode == "loop":
            bar %= self.bars
        end = Fraction(0)
        for item in self.items:
            end += item.bars
            if bar < end:
                return item.chord
        return None

    def __str__(self) -> str:
        return format_progression(self)


def format_progression(progression: Progression) -> str:
    """Writes it so that `lead_sheet.parse_progression` reads the same: `C Am:2 F:1/2`."""
    words = []
    for item in progression.items:
        # A bare root before `:6` or `:7` would read as Harte; `maj` makes it plain.
        text = item.chord.lead_sheet() if not item.chord.is_silence else "N"
        if item.bars in (6, 7) and re.fullmatch(r"[A-G]#?", text):
            text += "maj"
        words.append(text if item.bars == 1 else f"{text}:{item.bars}")
    return " ".join(words)
