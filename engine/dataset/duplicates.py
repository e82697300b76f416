"""Recordings that are nearly the same: found by loudness and chords, so that they stay on one side of a split.

Two copies of a recording have the same loudness up to a gain and the same chords up to what a recogniser got wrong,
with a lag.  Ten-second words of both (does it get louder, does the chord change) name candidates: pairs that share
several words at one lag.  Each candidate is then compared second by second at that lag.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

WORD_S: Final = 10
FEWEST_WORDS: Final = 3  # shared at one lag
MOST_SHARING: Final = 200  # a word that more recordings have says nothing (silence, a held chord)
SAME_LOUDNESS: Final = 0.9  # correlation of the overlap
SAME_CHORDS: Final = 0.75  # share of its seconds
SHORTEST_S: Final = 15  # overlap


@dataclass(frozen=True, slots=True)
class Recording:
    """chord: (T,) ids in the key that sounds or in any one key.  loudness: (T,)."""

    id: str
    chord: np.ndarray
    loudness: np.ndarray


@dataclass(frozen=True, slots=True)
class Pair:
    """lag_s: seconds that the second one is ahead.  loudness: correlation, chords: share of equal seconds."""

    first: str
    second: str
    lag_s: int
    overlap_s: int
    loudness: float
    chords: float


def near_duplicates(recordings: Sequence[Recording]) -> list[Pair]:
    """All pairs, in order of their ids; the result does not depend on the order of the recordings."""
    ordered = sorted(recordings, key=lambda each: each.id)
    found: dict[tuple[int, int], Pair] = {}
    for (a, b), lag in _candidates(ordered):
        pair = _compared(ordered[a], ordered[b], lag)
        if pair is not None and ((a, b) not in found or pair.overlap_s > found[a, b].overlap_s):
            found[a, b] = pair
    return [found[key] for key in sorted(found)]


def groups(ids: Sequence[str], pairs: Sequence[Pair]) -> list[list[str]]:
    """Ids that hang together through pairs, each group and all groups in order of ids."""
    parent = {each: each for each in ids}

    def root(each: str) -> str:
        while parent[each] != each:
            parent[each] = parent[parent[each]]
            each = parent[each]
        return each

    for pair in pairs:
        first, second = sorted((root(pair.first), root(pair.second)))
        parent[second] = first
    out: dict[str, list[str]] = defaultdict(list)
    for each in sorted(ids):
        out[root(each)].append(each)
    return [out[key] for key in sorted(out)]


def _words(recording: Recording) -> Iterator[tuple[int, int]]:
    """(second, word); a word without any change is left out."""
    if len(recording.chord) <= WORD_S:
        return
    louder = np.diff(recording.loudness) > 0
    changed = np.diff(recording.chord.astype(np.int64)) != 0
    weights = 1 << np.arange(WORD_S)
    for second in range(len(louder) - WORD_S + 1):
        here = changed[second : second + WORD_S]
        if here.any():
            yield second, int(louder[second : second + WORD_S] @ weights) << WORD_S | int(here @ weights)


def _candidates(ordered: Sequence[Recording]) -> Iterator[tuple[tuple[int, int], int]]:
    index: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for which, recording in enumerate(ordered):
        for second, word in _words(recording):
            index[word].append((which, second))
    shared: dict[tuple[int, int, int], int] = defaultdict(int)
    for places in index.values():
        if len(places) > MOST_SHARING:
            continue
        for k, (a, at) in enumerate(places):
            for b, other in places[k + 1 :]:
                if a != b:
                    shared[a, b, at - other] += 1
    for (a, b, lag), count in sorted(shared.items()):
        if count >= FEWEST_WORDS:
            yield (a, b), lag


def _compared(first: Recording, second: Recording, lag: int) -> Pair | None:
    """The pair at a lag: second of `first` = second of `second` + lag."""
    begin, end = max(0, lag), min(len(first.chord), len(second.chord) + lag)
    if end - begin < SHORTEST_S:
        return None
    chords = first.chord[begin:end], second.chord[begin - lag : end - lag]
    louds = first.loudness[begin:end].astype(float), second.loudness[begin - lag : end - lag].astype(float)
    if min(np.ptp(loud) for loud in louds) < 1e-4:
        return None
    alike, same = float(np.corrcoef(*louds)[0, 1]), float((chords[0] == chords[1]).mean())
    if alike < SAME_LOUDNESS or same < SAME_CHORDS:
        return None
    return Pair(first.id, second.id, lag, end - begin, round(alike, 4), round(same, 4))
