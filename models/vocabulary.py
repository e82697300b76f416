"""Chord tokens as the networks see them: root and quality indices, and the affect sets of the paper's Table 1.

Token ids are those of `engine.music.chord`: 0 = N (silence), 1 + 13 * root + quality, 157 = END, 158 = PAD.
Roots: 0 = N, 1..12 = C..B, 13 = END, 14 = PAD.  Qualities: 0 = N, 1..13 in vocabulary order, 14 = END, 15 = PAD.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from engine.music.chord import CHORD_END, CHORD_PAD, QUALITIES, VOCABULARY_SIZE

TOKENS: Final = VOCABULARY_SIZE + 2  # 159: the chords, END and PAD
ROOTS: Final = 15
ATTRIBUTES: Final = 16
EMOTIONS: Final = ("exciting", "fearful", "tense", "sad", "relaxing", "neutral")
NEUTRAL: Final = EMOTIONS.index("neutral")

# Paper section 4.1.4, Table 1.  aug and min6 belong to no emotion; neutral has no set.
TABLE_1: Final[dict[str, tuple[str, ...]]] = {
    "exciting": ("maj", "sus4", "7"),
    "fearful": ("dim", "min7", "dim7", "hdim7"),
    "tense": ("dim", "sus4", "min7", "7"),
    "sad": ("min7", "min", "sus2"),
    "relaxing": ("maj", "maj6", "maj7"),
    "neutral": (),
}


def _roots() -> np.ndarray:
    out = np.zeros(TOKENS, dtype=np.int64)
    ids = np.arange(1, VOCABULARY_SIZE)
    out[1:VOCABULARY_SIZE] = (ids - 1) // len(QUALITIES) + 1
    out[CHORD_END], out[CHORD_PAD] = ROOTS - 2, ROOTS - 1
    return out


def _attributes() -> np.ndarray:
    out = np.zeros(TOKENS, dtype=np.int64)
    ids = np.arange(1, VOCABULARY_SIZE)
    out[1:VOCABULARY_SIZE] = (ids - 1) % len(QUALITIES) + 1
    out[CHORD_END], out[CHORD_PAD] = ATTRIBUTES - 2, ATTRIBUTES - 1
    return out


def _affect_sets() -> np.ndarray:
    out = np.zeros((len(EMOTIONS), TOKENS), dtype=bool)
    attributes = _attributes()
    for row, emotion in enumerate(EMOTIONS):
        for quality in TABLE_1[emotion]:
            out[row] |= attributes == QUALITIES.index(quality) + 1
    return out


ROOT_OF: Final = _roots()  # (159,) int64
ATTRIBUTE_OF: Final = _attributes()  # (159,) int64
AFFECT_SETS: Final = _affect_sets()  # (6, 159) bool: is this chord's quality in that emotion's set
for _table in (ROOT_OF, ATTRIBUTE_OF, AFFECT_SETS):
    _table.flags.writeable = False


def transpose_ids(ids: np.ndarray, semitones: int) -> np.ndarray:
    """Transposes token ids (any shape); N, END and PAD stay."""
    ids = np.asarray(ids)
    chords = (ids >= 1) & (ids < VOCABULARY_SIZE)
    width = len(QUALITIES)
    root, quality = np.divmod(np.where(chords, ids - 1, 0), width)
    return np.where(chords, 1 + (root + semitones) % 12 * width + quality, ids).astype(ids.dtype)


CHORD_FACTS: Final = 4  # columns of `chord_facts`


def chord_facts(chords: np.ndarray, minor: bool | np.ndarray) -> np.ndarray:
    """(T,) chord ids, one a second -> (T, 4) float32: there, changed in this second, log of seconds held, minor mode.

    minor: of all or (T,).  PAD stands for a second whose chord is not known: its row is zeros.  Row t hangs on chords
    0 to t alone.
    """
    ids = np.asarray(chords)
    count = len(ids)
    out = np.zeros((count, CHORD_FACTS), dtype=np.float32)
    if count == 0:
        return out
    changed = np.ones(count, dtype=bool)
    changed[1:] = ids[1:] != ids[:-1]
    at = np.arange(count)
    held = at - np.maximum.accumulate(np.where(changed, at, 0))
    out[:, 0], out[:, 1], out[:, 2], out[:, 3] = 1.0, changed, np.log1p(held) / 3.0, minor
    out[ids == CHORD_PAD] = 0.0
    return out
