"""What holds harmony together over a cue: that its key is heard, and that it does not go round the same few chords.

The network decides chord by chord; asked for D minor it may well settle in F major, and on a calm film it comes back to
three chords for minutes.  Both are put right by a pull, in nats, on what it draws next:

* `KeyHearing` listens as key-finding programs do: it adds up how long each pitch class has sounded, and compares that
  with the key profiles of Krumhansl & Kessler (1982) and of Aarden (2003) as given by music21, for all 24 keys.  Where
  another key comes near the one that is asked for, chords that make the asked one clearer are pulled.  A key that is
  clear is left alone, so borrowed chords and other dominants stay possible.
* `weariness` pushes away chords that have had much of the cue's latest changes; what comes instead stays in the key.

Chords are ids in C major / A minor, as the network knows them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from engine.music import Chord, Key
from engine.music.chord import VOCABULARY_SIZE

CLEAR: Final = 0.15  # of correlation by which the asked key should stand above every other
KEY_NATS: Final = 22.0  # pull for one unit of that margin
KEY_MEMORY: Final = 24.0  # chord changes after which a sound counts half
WEAR_NATS: Final = 3.5
FOREIGN_NATS: Final = 1.0  # push for each tone outside the key, so that what is weary does not make way for anything
WEAR_MEMORY: Final = 10.0
HALF: Final = 0.5

# Mean fit of each scale degree from the tonic, major and minor.
_PROFILES: Final = (
    (  # Krumhansl & Kessler 1982
        (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
        (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
    ),
    (  # Aarden 2003 (major), Essen folk songs (minor)
        (17.7661, 0.145624, 14.9265, 0.160186, 19.8049, 11.3587, 0.291248, 22.062, 0.145624, 8.15494, 0.232998,
         4.95122),
        (18.2648, 0.737619, 14.0499, 16.8599, 0.702494, 14.4362, 0.702494, 18.6161, 4.56621, 1.93186, 7.37619, 1.75623),
    ),
)  # fmt: skip


@lru_cache(maxsize=1)
def _profiles() -> np.ndarray:
    """(2, 24, 12) profile sets with mean 0 and length 1: C, Db, … B major, then C … B minor."""
    rows = [
        [np.roll(np.array(profile), tonic) for profile in pair for tonic in range(12)] for pair in _PROFILES
    ]  # fmt: skip
    table = np.array(rows, dtype=np.float64)
    table -= table.mean(axis=-1, keepdims=True)
    return np.asarray(table / np.linalg.norm(table, axis=-1, keepdims=True))


@lru_cache(maxsize=1)
def _sound() -> np.ndarray:
    """(157, 12) how much each pitch class sounds while a chord lasts: the root most, since the bass has it too."""
    table = np.zeros((VOCABULARY_SIZE, 12))
    for chord_id in range(1, VOCABULARY_SIZE):
        chord = Chord.from_id(chord_id)
        for tone in chord.pitch_classes():
            table[chord_id, tone] += 1.0
        assert chord.root is not None
        table[chord_id, chord.root] += 1.5
    return table


def margins(sounded: np.ndarray, minor: bool) -> np.ndarray:
    """(..., 12) sounding time per pitch class -> (...) by how much correlation C major (A minor) stands above the next.

    The mean of the two profile sets; negative where another key is heard.
    """
    centred = sounded - sounded.mean(axis=-1, keepdims=True)
    length = np.linalg.norm(centred, axis=-1, keepdims=True)
    centred = np.divide(centred, length, out=np.zeros_like(centred), where=length > 1e-9)
    found = np.einsum("...p,skp->...sk", centred, _profiles())  # (..., 2, 24)
    asked = 12 + 9 if minor else 0
    own = found[..., asked].copy()
    found[..., asked] = -np.inf
    return np.asarray((own - found.max(axis=-1)).mean(axis=-1))


def key_correlations(sounded: np.ndarray) -> dict[Key, float]:
    """(12,) sounding time per pitch class -> correlation with each of the 24 keys, the mean of the two profile sets."""
    centred = sounded - sounded.mean()
    length = float(np.linalg.norm(centred))
    if length < 1e-9:
        return {Key(tonic, mode): 0.0 for mode in ("major", "minor") for tonic in range(12)}
    found = np.einsum("p,skp->sk", centred / length, _profiles()).mean(axis=0)
    return {Key(index % 12, "minor" if index >= 12 else "major"): float(value) for index, value in enumerate(found)}


def key_pull(chords: Sequence[int], lengths: Sequence[float], minor: bool) -> np.ndarray:
    """(157,) nats <= 0 on the next chord.  chords: ids, one per change; lengths: how long each sounded, in slots."""
    ages = np.arange(len(chords) - 1, -1, -1)
    weights = np.asarray(lengths, dtype=np.float64) * HALF ** (ages / KEY_MEMORY)
    table = _sound()
    heard = weights @ table[list(chords)] if len(chords) else np.zeros(12)
    typical = float(np.mean(lengths)) if len(lengths) else 1.0
    reached = margins(heard + typical * table, minor)
    return np.asarray(-KEY_NATS * np.maximum(CLEAR - reached, 0.0))


def weariness(chords: Sequence[int]) -> np.ndarray:
    """(157,) nats <= 0: how much each chord, and half as much each other chord of its root, has had of late."""
    share = np.zeros(VOCABULARY_SIZE)
    ages = np.arange(len(chords) - 1, -1, -1)
    weights = HALF ** (ages / WEAR_MEMORY)
    for chord_id, weight in zip(chords, weights, strict=True):
        share[chord_id] += weight
    roots = share[1:].reshape(12, -1)  # ids go root by root
    roots += 0.5 * (roots.sum(axis=1, keepdims=True) - roots)
    if len(chords):
        share /= max(float(weights.sum()), 4.0)
    return np.asarray(-WEAR_NATS * share)


@lru_cache(maxsize=2)
def _foreign(minor: bool) -> np.ndarray:
    """(157,) tones outside the key; in minor the leading tone belongs to it."""
    scale = {0, 2, 4, 5, 7, 9, 11} | ({8} if minor else set())
    return np.array(
        [0] + [sum(tone not in scale for tone in Chord.from_id(k).pitch_classes()) for k in range(1, VOCABULARY_SIZE)],
        dtype=np.float64,
    )


def form_pull(chords: Sequence[int], lengths: Sequence[float], minor: bool, adventurous: float) -> np.ndarray:
    """(157,) nats on the next chord.  adventurous 0..10: at 10 the key is held with a third of the strength and
    chords wear out twice as fast."""
    loose = min(max(adventurous, 0.0), 10.0) / 10.0
    held = 1.0 - 2.0 / 3.0 * max(loose - 0.4, 0.0) / 0.6
    foreign = -FOREIGN_NATS * (1.0 - loose) * _foreign(minor)
    return held * (key_pull(chords, lengths, minor) + foreign) + (0.6 + loose) * weariness(chords)
