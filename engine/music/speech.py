"""Lines of speech as they are written: `12.3-15.2 20-24.5`, picture seconds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final

from engine.music.errors import MusicError

HEARD: Final = "auto"  # in place of lines: those that are heard in the film
LONGEST_S: Final = 360_000
MAX_TEXT: Final = 4000  # characters of the lines as text
_LINE: Final = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)-(\d{1,6}(?:\.\d{1,6})?)")

Lines = tuple[tuple[float, float], ...]


@lru_cache(maxsize=8)
def parse_speech(text: str) -> Lines:
    """Reads `12.3-15.2 20-24.5` (picture seconds), in order and without overlaps.  Raises MusicError."""
    found = []
    for word in text.replace(",", " ").split():
        match = _LINE.fullmatch(word)
        if match is None:
            raise MusicError(f"'{word[:40]}' is not a line of speech; write from-to in seconds: 12.3-15.2.")
        start, end = float(match[1]), float(match[2])
        if not start < end <= LONGEST_S:
            raise MusicError(f"the line of speech '{word}' ends before it begins.")
        found.append((start, end))
    return merged(found)


def merged(lines: Iterable[tuple[float, float]], gap_s: float = 0.0) -> Lines:
    """Lines in order; those that overlap, or follow within gap_s, as one."""
    made: list[tuple[float, float]] = []
    for start, end in sorted(lines):
        if made and start <= made[-1][1] + gap_s:
            made[-1] = (made[-1][0], max(made[-1][1], end))
        else:
            made.append((start, end))
    return tuple(made)


def speech_text(lines: Sequence[tuple[float, float]]) -> str:
    """The lines as `parse_speech` reads them; where they are too many for a setting, the shortest pauses are closed."""
    made = merged(lines)
    while True:
        text = " ".join(f"{start:.2f}-{end:.2f}".replace(".00", "") for start, end in made)
        if len(text) <= MAX_TEXT or len(made) < 2:
            return text
        gaps = sorted(after[0] - before[1] for before, after in pairwise(made))
        made = merged(made, gaps[len(gaps) // 10])
