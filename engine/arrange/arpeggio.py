"""Patterns: which chord tone sounds at which sixteenth.

Tone 1 is the lowest of four; 5 to 8 are tones 1 to 4 an octave higher; None is silence.  Source: paper Table 3.  There
a pattern's sixteen steps are eighths of a second; the first eight belong to a chord's first second and the others to
its second where the chord is repeated.  At 120 bpm a step is a sixteenth note, which is how they are used on any grid.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from engine.music import MusicError

Pattern = tuple[int | None, ...]
MAX_STEPS: Final = 256


def _steps(text: str) -> Pattern:
    return tuple(None if token == "*" else int(token) for token in text.split())


# Rows by note density: at most 5, 6-10, 11-15, 16-20, at least 21 notes a second.
TABLE_3: Final[tuple[Pattern, ...]] = (
    _steps("1 * * * 2 * * * 3 * * * 4 * * *"),
    _steps("1 * 2 * 3 * * * 4 * 2 * 3 * * *"),
    _steps("1 * 2 * 3 * 4 * 3 * 2 * 3 * 4 *"),
    _steps("1 2 3 2 4 * 3 * 2 1 2 3 4 * 3 *"),
    _steps("1 2 3 2 4 3 2 3 2 1 2 3 4 3 2 3"),
)
# Named orders of tones; they are played in the rhythm of the Table 3 row that activity asks for.
ORDERS: Final[dict[str, tuple[int, ...]]] = {
    "up": (1, 2, 3, 4),
    "down": (4, 3, 2, 1),
    "alberti": (1, 3, 2, 3),
    "octaves": (1, 5, 2, 6, 3, 7, 2, 6),
}


@lru_cache(maxsize=256)
def parse_pattern(text: str) -> Pattern:
    """Reads a pattern such as `1 * 2 * 3 2 4 *`: tones 1 to 8 and * for silence.  Raises MusicError."""
    tokens = text.split()
    if not tokens:
        raise MusicError("a pattern needs at least one step; write for example '1 * 2 * 3 2 4 *'.")
    if len(tokens) > MAX_STEPS:
        raise MusicError(f"a pattern has at most {MAX_STEPS} steps.")
    for token in tokens:
        if token != "*" and token not in "12345678":
            raise MusicError(f"'{token}' is not a pattern step; steps are 1 to 8 and * for silence.")
        if len(token) > 1:
            raise MusicError(f"'{token}' is not a pattern step; put a space between the steps.")
    if all(token == "*" for token in tokens):
        raise MusicError("the pattern holds no note; switch the part off instead.")
    return _steps(text)


def check_pattern(name: str) -> None:
    """Raises MusicError unless `name` is a pattern that `pattern_for` understands."""
    if name != "auto" and name not in ORDERS and name not in ("1", "2", "3", "4", "5"):
        parse_pattern(name)


@lru_cache(maxsize=256)
def pattern_for(name: str, level: int, octaves: int = 1) -> Pattern:
    """Steps to repeat.  name: "auto", "1".."5" (rows of Table 3), a named order, or text; level 1..5.

    octaves: how far `up` and `down` run, 1 or 2.
    """
    row = TABLE_3[level - 1]
    if name == "auto":
        return row
    if name in ("1", "2", "3", "4", "5"):
        return TABLE_3[int(name) - 1]
    order = ORDERS.get(name)
    if order is None:
        return parse_pattern(name)
    if octaves > 1 and name in ("up", "down"):
        order = tuple(sorted((*order, *(tone + 4 for tone in order)), reverse=name == "down"))
    # The order runs on over the rhythm and begins again with the row, so that each run of chords begins on its first.
    steps: list[int | None] = []
    count = 0
    for step in row:
        if step is None:
            steps.append(None)
        else:
            steps.append(order[count % len(order)])
            count += 1
    return tuple(steps)


def onsets(pattern: Pattern, phase: int, count: int) -> list[tuple[int, int, int]]:
    """What sounds in `count` steps from step `phase` of the repeated pattern: (step, steps to the next onset, tone).

    The last one lasts to the end of the count.
    """
    length = len(pattern)
    starts = [(k, pattern[(phase + k) % length]) for k in range(count)]
    sounding = [(k, tone) for k, tone in starts if tone is not None]
    if not sounding:
        return []
    ends = [k for k, _ in sounding[1:]] + [count]
    return [(k, end - k, tone) for (k, tone), end in zip(sounding, ends, strict=True)]


def tone_pitch(tones: tuple[int, ...], tone: int, high: int) -> int:
    """Pitch of tone 1..8 over four chord tones; an octave lower where it would pass `high`."""
    octave, index = divmod(tone - 1, len(tones))
    pitch = tones[index] + 12 * octave
    while pitch > high and pitch - 12 >= tones[0]:
        pitch -= 12
    return pitch
