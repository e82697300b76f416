"""Why a chord stands where it does: who chose it, what else was on offer and how likely each was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.music import Chord, Key
from engine.process.messages import Alternative

MOST: Final = 4  # the chosen chord and three others


@dataclass(frozen=True, slots=True)
class Reason:
    """One choice.

    by: "network", "cell" or "cadence".  words: which cell of which palette, "" for the network.  weight: 0..1, how much
    of the choice is the network's.  options: chords with their probability and the network's own, likeliest first.
    """

    by: str
    words: str
    weight: float
    options: tuple[Alternative, ...]


Trace = Callable[[int, Reason], None]  # number of the slot, and why


def of_network(log_probs: np.ndarray, key: Key) -> Reason:
    """The network decided alone.  log_probs: (157,) in C major / A minor."""
    chances = np.exp(log_probs - np.max(log_probs))
    chances /= chances.sum()
    shift = key.semitones_from_reference
    best = np.argsort(-chances)[:MOST]
    options = tuple(
        Alternative(Chord.from_id(int(each)).transpose(shift), float(chances[each]), float(chances[each]))
        for each in best
    )
    return Reason("network", "", 1.0, options)


# size: a reason's facts, each from another place.
def of_cells(
    by: str,
    words: str,
    weight: float,
    scores: Mapping[Chord, float],
    spread: float,
    ranked: np.ndarray | None,
    key: Key,
) -> Reason:
    """A palette offered chords of these scores (nats), of which one was drawn with Gumbel noise `spread` nats wide."""
    chords = list(scores)
    values = np.array([scores[chord] for chord in chords]) / max(spread, 1e-6)
    chances = np.exp(values - values.max())
    chances /= chances.sum()
    shift = key.semitones_from_reference

    def own(chord: Chord) -> float:
        return 0.0 if ranked is None else float(np.exp(ranked[chord.plain.transpose(-shift).id]))

    best = np.argsort(-chances, kind="stable")[:MOST]
    options = tuple(Alternative(chords[each], float(chances[each]), own(chords[each])) for each in best)
    return Reason(by, words, weight if ranked is not None else 0.0, options)
