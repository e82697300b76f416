"""The key of a progression that was typed.

What sounds is held against the published key profiles, as in `engine.harmony.form`; where a progression begins and
ends, and dominants that resolve, say more than how long a tone sounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from engine.harmony.form import key_correlations
from engine.music import Chord, Key, Progression

FIRST: Final = 0.16  # what a chord on the tonic, of its mode, adds where the progression begins
LAST: Final = 0.12
CADENCE: Final = 0.18  # a dominant seventh (or a major dominant of a minor key) that goes to the tonic
FOREIGN: Final = 1.2  # what it costs if no tone belongs to the key
HALF_CADENCE: Final = 0.10  # the dominant at the end
SMALL_MARGIN: Final = 0.06


@dataclass(frozen=True, slots=True)
class FoundKey:
    """key: the likeliest.  other: the next.  margin: by how much it stands above that one."""

    key: Key
    other: Key
    margin: float

    @property
    def is_close(self) -> bool:
        return self.margin < SMALL_MARGIN

    @property
    def sentence(self) -> str:
        if self.is_close:
            return f"{self.key.name}: from the progression, which may be {self.other.name} too (--key settles it)"
        return f"{self.key.name}: from the progression"


def key_of(progression: Progression) -> FoundKey:
    """The key that a progression is in."""
    items = [item for item in progression.items if not item.chord.is_silence]
    sounded = np.zeros(12)
    for item in items:
        for tone in item.chord.pitch_classes():
            sounded[tone] += float(item.bars)
        sounded[item.chord.bass_pitch_class or 0] += 0.5 * float(item.bars)
        sounded[item.chord.root or 0] += float(item.bars)
    scores = {
        key: float(value) + _signs(key, [item.chord for item in items])
        for key, value in key_correlations(sounded).items()
    }
    first, second = sorted(scores, key=lambda key: -scores[key])[:2]
    return FoundKey(first, second, scores[first] - scores[second])


def _signs(key: Key, chords: list[Chord]) -> float:
    if not chords:
        return 0.0
    dominant = (key.tonic + 7) % 12
    total = FIRST * _is_tonic(chords[0], key) + LAST * _is_tonic(chords[-1], key)
    # Minor raises its seventh, pop lowers that of major.
    scale = {*key.scale(), (key.tonic + (11 if key.is_minor else 10)) % 12}
    tones = [tone in scale for chord in chords for tone in chord.pitch_classes()]
    total -= FOREIGN * (1 - sum(tones) / len(tones))
    for before, after in [*pairwise(chords), (chords[-1], chords[0])]:
        strong = before.quality == "7" or (key.is_minor and before.quality == "maj")
        if before.root == dominant and strong and _is_tonic(after, key):
            total += CADENCE
            break
    last = chords[-1]
    if last.root == dominant and last.quality in ("7", "maj"):
        total += HALF_CADENCE
    return total


def _is_tonic(chord: Chord, key: Key) -> bool:
    minor = chord.quality in ("min", "min7", "min6")
    major = chord.quality in ("maj", "maj7", "maj6", "7")
    return chord.root == key.tonic and (minor if key.is_minor else major)
