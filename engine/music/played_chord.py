"""Which chord somebody holds on a keyboard."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from engine.music.chord import Chord
from engine.music.chord_type import read_chord_type
from engine.music.errors import MusicError

# In order: of two readings that fit alike the first is meant.
_TYPES: Final = (
    "", "m", "7", "maj7", "m7", "m7b5", "dim7", "dim", "aug", "sus4", "sus2", "6", "m6", "7sus4", "add9", "madd9", "9",
    "maj9", "m9", "69", "mMaj7", "7b9", "7#9", "7#5", "maj7#11", "7#11", "11", "m11", "13", "maj13", "9sus4", "5",
)  # fmt: skip
LEAST: Final = 3  # pitch classes of a chord


@lru_cache(maxsize=1)
def _kinds() -> tuple[tuple[str, str, frozenset[int]], ...]:
    """Quality, extension and pitch classes above the root, of each type."""
    found = []
    for name in _TYPES:
        kind = read_chord_type(name)
        assert kind is not None, name
        found.append((kind.quality, kind.spelling, frozenset(step % 12 for step in kind.intervals)))
    return tuple(found)


def played_chord(pitches: Sequence[int]) -> Chord:
    """The chord of MIDI pitches that sound together: the reading with the fewest tones too many or missing, before
    that one whose root is the lowest tone, before that the plainest.

    Raises MusicError for fewer than three different tones.
    """
    tones = {pitch % 12 for pitch in pitches}
    if len(tones) < LEAST:
        raise MusicError("a chord has at least three different tones.")
    bass = min(pitches) % 12
    best: tuple[tuple[int, int, int], Chord] | None = None
    for root in sorted(tones, key=lambda tone: (tone - bass) % 12):
        for place, (quality, extension, steps) in enumerate(_kinds()):
            kind = {(root + step) % 12 for step in steps}
            # A tone under a chord that it does not belong to is that chord's bass.
            under = bass not in kind and len(tones) > LEAST
            wrong = len((tones - ({bass} if under else set())) ^ kind)
            cost = (2 * wrong + under, int(root != bass), place)
            if best is None or cost < best[0]:
                best = cost, Chord(root, quality, None if root == bass else bass, extension)
    assert best is not None
    return best[1]
