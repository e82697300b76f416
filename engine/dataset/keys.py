"""The key of a passage of chords: the vote of music21's three key finders (paper 3.1.4).

Krumhansl–Schmuckler (Krumhansl 2001), Temperley–Kostka–Payne (Temperley 2007) and Bellman–Budge (Bellman 2006), each on
the chords written out as notes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import numpy as np

from engine.music.chord import SHARP_NAMES, Chord, parse_pitch_class
from engine.music.extras import need_extra

FINDERS: Final = ("KrumhanslSchmuckler", "TemperleyKostkaPayne", "BellmanBudge")
_MIDDLE_C: Final = 60
UNKNOWN: Final = "C major"  # of a passage without a chord


@dataclass(frozen=True, slots=True)
class KeyVote:
    """Keys as MuVi-Sync writes them ("F# minor").  each: what the three found, in the order of FINDERS."""

    key: str
    each: tuple[str, ...]

    @property
    def minor(self) -> bool:
        return self.key.endswith("minor")

    @property
    def to_reference(self) -> int:
        """Semitones up that bring the chords to C major or A minor, 0..11."""
        return ((9 if self.minor else 0) - parse_pitch_class(self.key.split()[0])) % 12


def check_keys() -> None:
    """Raises UserError where music21 is not installed."""
    need_extra("score", "Finding keys")


def vote(chords: np.ndarray) -> KeyVote:
    """chords: (T,) ids, one a second.  Two that agree win; where all three differ, the key that they like best
    together, by the sum of their correlations.
    """
    if not (chords > 0).any():
        return KeyVote(UNKNOWN, (UNKNOWN,) * len(FINDERS))
    scores = [_scores(finder, chords) for finder in FINDERS]
    each = tuple(max(found, key=lambda key: (found[key], key)) for found in scores)
    first, count = Counter(each).most_common(1)[0]
    if count == 1:
        first = max(sorted(set(each)), key=lambda key: sum(found.get(key, -1.0) for found in scores))
    return KeyVote(first, each)


def _scores(finder: str, chords: np.ndarray) -> dict[str, float]:
    """key -> correlation, by one of music21's classes."""
    from music21.analysis import discrete

    processor: Any = getattr(discrete, finder)()
    best, _ = processor.process(_stream(chords), storeAlternatives=True)
    found: dict[str, float] = {}
    for tonic, mode, score in (best, *processor.alternativeSolutions):
        found.setdefault(_name(tonic.pitchClass, mode), float(score))
    return found


def _name(pitch_class: int, mode: str) -> str:
    return f"{SHARP_NAMES[pitch_class]} {mode}"


def _stream(chords: np.ndarray) -> Any:
    """Chords as music21 reads them: close position above middle C, a quarter note a second."""
    from music21 import chord as chord21
    from music21 import note, stream

    out: Any = stream.Stream()
    for identity, run in groupby(chords.tolist()):
        length = sum(1 for _ in run)
        chord = Chord.from_id(identity)
        if chord.is_silence:
            out.append(note.Rest(quarterLength=length))
        else:
            pitches = [_MIDDLE_C + (chord.root or 0) + interval for interval in chord.intervals()]
            out.append(chord21.Chord(pitches, quarterLength=length))
    return out
