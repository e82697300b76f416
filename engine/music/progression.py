"""Chord progressions as a composer types them.

`C Am F G`                       one bar each
`Cm:2 Ab:1`                      bars per chord after a colon (`1/2` and `0.5` too)
`| Cm | Ab | Eb Bb/D | G7 |`     bars; chords within a bar share it equally; an empty bar repeats the last chord
"""

from __future__ import annotations

import re
from dataclasses import dataclass
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
_LENGTH: Final = re.compile(r"\d{1,4}(?:\.\d{1,4})?|\d{1,4}/\d{1,4}")
_NUMBER: Final = re.compile(r"[-+]?(?:\d+(?:\.\d*)?(?:e\d+)?|inf|nan)", re.IGNORECASE)  # meant as bars, surely
_TOKEN: Final = re.compile(r"\||[^\s|,;]+")


@dataclass(frozen=True, slots=True)
class ProgressionItem:
    """A chord and how many bars it lasts (> 0)."""

    chord: Chord
    bars: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        if self.bars <= 0:
            raise MusicError(f"{self.chord} lasts {self.bars} bars; a chord lasts more than none.")


@dataclass(frozen=True, slots=True)
class Progression:
    """Chords with lengths in bars.  mode: "start" (the net goes on), "loop", or "exact"."""

    items: tuple[ProgressionItem, ...]
    mode: str = "start"

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


def parse_progression(text: str, mode: str = "start") -> Progression:
    """Reads a progression in any of the three notations.  Raises MusicError naming the offending token."""
    tokens = _TOKEN.findall(text)
    if len(tokens) > 2 * MAX_CHORDS:
        raise MusicError(f"the progression has more than {MAX_CHORDS} chords.")
    items = _parse_bars(tokens) if "|" in tokens else [_parse_item(token) for token in tokens]
    if not items:
        raise MusicError(f"'{text}' holds no chord; write for example 'C Am F G'.")
    if len(items) > MAX_CHORDS:
        raise MusicError(f"the progression has more than {MAX_CHORDS} chords.")
    return Progression(tuple(items), mode)


def _parse_item(token: str) -> ProgressionItem:
    head, colon, tail = token.rpartition(":")
    # `A:7` is Harte's dominant seventh and `A:6` its sixth, but `Cm:7` can only be seven bars: a colon length is a
    # length unless what stands before it is a bare root and what stands after it a chord type.
    if colon and _LENGTH.fullmatch(tail):
        bare_root = re.fullmatch(r"[A-G](?:bb|##|b|#|♭|♯)?", head) is not None
        if not (bare_root and tail in ("6", "7")):
            try:
                bars = Fraction(tail)
            except ZeroDivisionError:
                raise MusicError(f"'{token}': a chord cannot last {tail} bars.") from None
            if not 0 < bars <= 999:
                raise MusicError(f"'{token}': a chord lasts more than 0 and at most 999 bars.")
            return ProgressionItem(Chord.parse(head), bars)
    try:
        return ProgressionItem(Chord.parse(token))
    except MusicError:
        if not colon or _NUMBER.fullmatch(tail) is None:
            raise
        raise MusicError(f"'{token}': '{tail}' is not a number of bars; a chord lasts at most 999.") from None


def _parse_bars(tokens: list[str]) -> list[ProgressionItem]:
    bars: list[list[Chord]] = [[]]
    for token in tokens:
        if token == "|":
            bars.append([])
        elif token == "%":
            bars[-1].append(_last_chord(bars, token))
        else:
            bars[-1].append(Chord.parse(token))
    # What stands outside the outer bar lines counts as a bar only when it holds chords.
    if bars and not bars[0]:
        bars.pop(0)
    if bars and not bars[-1]:
        bars.pop()
    items: list[ProgressionItem] = []
    for bar in bars:
        if bar:
            share = Fraction(1, len(bar))
            for chord in bar:
                items.append(ProgressionItem(chord, share))
        elif items:
            last = items.pop()
            items.append(ProgressionItem(last.chord, last.bars + 1))
        else:
            raise MusicError("'| |': the first bar of a progression is empty.")
    return items


def _last_chord(bars: list[list[Chord]], token: str) -> Chord:
    for bar in reversed(bars):
        if bar:
            return bar[-1]
    raise MusicError(f"'{token}': there is no chord before it to repeat.")


def format_progression(progression: Progression) -> str:
    """Writes it so that `parse_progression` reads the same: `C Am:2 F:1/2`."""
    words = []
    for item in progression.items:
        # A bare root before `:6` or `:7` would read as Harte; `maj` makes it plain.
        text = item.chord.lead_sheet() if not item.chord.is_silence else "N"
        if item.bars in (6, 7) and re.fullmatch(r"[A-G]#?", text):
            text += "maj"
        words.append(text if item.bars == 1 else f"{text}:{item.bars}")
    return " ".join(words)
