"""What is done with a theme, from what is recognised most easily to what is recognised least.

Sequence (another step), augmentation and diminution, the head alone, inversion, retrograde.  Sources: Schoenberg,
"Fundamentals of Musical Composition" (1967), chapters III and VI; Dowling (1972) for how well inversion and retrograde
are recognised.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from engine.music.cueplan import Theme, ThemeNote
from engine.music.errors import MusicError

LONGEST_BARS: Final = 64


def sequence(theme: Theme, steps: int) -> Theme:
    """The same tune so many steps of the scale higher."""
    return replace(theme, notes=tuple(replace(note, step=note.step + steps) for note in theme.notes))


def augmented(theme: Theme) -> Theme:
    """Twice as slow."""
    return _stretched(theme, Fraction(2))


def diminished(theme: Theme) -> Theme:
    """Twice as fast."""
    return _stretched(theme, Fraction(1, 2))


def head(theme: Theme) -> Theme:
    """Its first two bars, or the first half of a shorter one."""
    bars = min(2, max(theme.bars // 2, 1))
    end = bars * theme.bar_beats
    notes = tuple(
        replace(note, length_beats=min(note.length_beats, end - note.start_beats))
        for note in theme.notes
        if note.start_beats < end - 1e-9
    )
    return _made(theme, notes, bars)


def inverted(theme: Theme) -> Theme:
    """Upside down around its first note, by steps of the scale."""
    axis = theme.notes[0].step
    return replace(
        theme, notes=tuple(replace(note, step=2 * axis - note.step, alter=-note.alter) for note in theme.notes)
    )


def retrograde(theme: Theme) -> Theme:
    """Backwards: the last note first, within the same bars."""
    end = theme.bars * theme.bar_beats
    turned = [replace(note, start_beats=end - note.start_beats - note.length_beats) for note in theme.notes]
    return _made(theme, tuple(sorted(turned, key=lambda note: note.start_beats)), theme.bars)


OPERATIONS: Final = MappingProxyType(
    {
        "up": lambda theme: sequence(theme, 1),
        "down": lambda theme: sequence(theme, -1),
        "augment": augmented,
        "diminish": diminished,
        "head": head,
        "invert": inverted,
        "retrograde": retrograde,
    }
)


def operated(theme: Theme, name: str) -> Theme:
    """The theme after an operation.  Raises MusicError."""
    found: Callable[[Theme], Theme] | None = OPERATIONS.get(name)
    if found is None:
        raise MusicError(f"'{name}' is not an operation; there are {', '.join(OPERATIONS)}.")
    return found(theme)


def _stretched(theme: Theme, factor: Fraction) -> Theme:
    notes = tuple(
        ThemeNote(
            float(note.start_beats * factor), float(note.length_beats * factor), note.step, note.alter
        )
        for note in theme.notes
    )  # fmt: skip
    bars = math.ceil(theme.bars * factor)
    if bars > LONGEST_BARS:
        raise MusicError(f"a theme of {bars} bars is too long; {LONGEST_BARS} are the most.")
    return _made(theme, notes, bars)


def _made(theme: Theme, notes: tuple[ThemeNote, ...], bars: int) -> Theme:
    return replace(theme, notes=notes, bars=bars, shape="", rhythm="", form="")
