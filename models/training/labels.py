"""Inverse labels: the mood course that a song's own chords state, and the boundaries and sections of its form.

MuVi-Sync cannot teach picture -> harmony, since its chords do not follow their film; it can teach mood course ->
harmony.  So in training the conditioning columns hold what the chords themselves say, computed here; in use the film's
mood and cuts stand in the same columns.

Evidence.  Every chord is described by what listeners respond to, not by the paper's Table 1 (which the judges of the
result use): third and seventh, sensory dissonance of its intervals (dyad consonance, Huron 1994), tritones, notes
outside the key, and the place of its root on the line of fifths seen from the tonic (Temperley 2001: flat-side harmony
is heard as darker, sharp-side as brighter; Lerdahl 2001: distance from the tonic as tension).  Five moods are
directions in that space; the weights are ours.  Each chord counts once however long it lasts, so nothing of the
harmonic rhythm is in the labels.

Scale.  Windowed means of evidence are rank-normalised per mode over the training songs and decorrelated (ZCA), so
every mood is stated about equally often, by its own chords.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import NormalDist
from typing import Final

import numpy as np

from engine.music.chord import QUALITIES, QUALITY_INTERVALS, VOCABULARY_SIZE
from models.training.variation import LabelVariation
from models.vocabulary import EMOTIONS, NEUTRAL, ROOT_OF

MOODS: Final = EMOTIONS[:NEUTRAL]  # five; neutral is what states none of them
_KNOTS: Final = 129  # of the table that maps evidence to normal scores
# Added to the variances before decorrelating.  Without it, moods that exclude each other (tense and relaxing) would be
# told apart by what they share; with it, those that go together (fearful and tense) still come apart.
_SHRINK: Final = 0.6
_NOVELTY: Final = 12  # slots before and after a place that are compared
_SHIFT: Final = 6  # slots that a return may begin off its cut, earlier or later
_ALIKE: Final = 0.65  # likeness from which two sections have one letter
# Consonance of dyads by interval class 0..6 (Huron 1994, table 2), unison left at 0.
_CONSONANCE: Final = (0.0, -1.428, -0.582, 0.594, 0.386, 1.240, -0.453)
# Place of each pitch class on the line of fifths, C = 0, spelled as it mostly is in C major and A minor.
_FIFTHS: Final = (0, -5, 2, -3, 4, -1, 6, 1, -4, 3, -2, 5)


def _features(minor: bool) -> dict[str, np.ndarray]:
    """name -> (157,) of every chord seen from C major or A minor; N is 0 throughout."""
    tonic = 9 if minor else 0
    scale = {0, 2, 4, 5, 7, 9, 11}
    leading = (tonic - 1) % 12
    names = (
        "major", "minor", "sus4", "sus2", "dissonance", "tritone", "flat7", "dark7", "major7", "sixth", "augmented",
        "chromatic", "flat", "sharp", "away", "dominant", "subdominant", "tonic", "relative",
    )  # fmt: skip
    table = {name: np.zeros(VOCABULARY_SIZE) for name in names}
    for chord in range(1, VOCABULARY_SIZE):
        root, quality = divmod(chord - 1, len(QUALITIES))
        intervals = QUALITY_INTERVALS[QUALITIES[quality]]
        tones = [(root + interval) % 12 for interval in intervals]
        pairs = [abs(a - b) % 12 for k, a in enumerate(intervals) for b in intervals[:k]]
        classes = [min(pair, 12 - pair) for pair in pairs]
        place = _FIFTHS[root] - _FIFTHS[tonic]
        function = (root - tonic) % 12
        table["major"][chord] = 4 in intervals
        table["minor"][chord] = 3 in intervals
        table["sus4"][chord] = 5 in intervals
        table["sus2"][chord] = 2 in intervals
        table["dissonance"][chord] = -float(np.mean([_CONSONANCE[k] for k in classes]))
        table["tritone"][chord] = classes.count(6) > 0
        table["flat7"][chord] = 10 in intervals
        table["dark7"][chord] = 3 in intervals and (10 in intervals or 6 in intervals)
        table["major7"][chord] = 11 in intervals
        table["sixth"][chord] = 9 in intervals and 6 not in intervals
        table["augmented"][chord] = 8 in intervals
        outside = [tone for tone in tones if tone not in scale and not (minor and tone == leading)]
        table["chromatic"][chord] = len(outside)
        table["flat"][chord] = max(0, -place) / 3.0
        table["sharp"][chord] = max(0, place) / 3.0
        table["away"][chord] = abs(place) / 3.0
        table["dominant"][chord] = function in (7, 11) or (leading in tones and function != 0)
        table["subdominant"][chord] = function in (5, 2)
        table["tonic"][chord] = function == 0
        table["relative"][chord] = function in ((3, 8) if minor else (9, 4))
    return table


# Weight of each feature for each mood.  Where two moods are near in type (bright major, dark minor), roots part them.
_WEIGHTS: Final[dict[str, dict[str, float]]] = {
    "exciting": {"major": 1.0, "sus4": 0.5, "sharp": 0.6, "dominant": 0.4, "minor": -1.0, "dissonance": -0.3,
                 "tonic": -0.3, "flat7": 0.3, "major7": -0.6},
    "fearful": {"dark7": 1.6, "minor": 0.6, "dissonance": 0.4, "tritone": 0.8, "chromatic": 0.6, "flat": 0.8,
                "major": -0.8, "augmented": 1.2, "dominant": -0.3, "tonic": -0.2, "relative": -0.3, "major7": -0.6},
    "tense": {"flat7": 1.6, "dark7": -0.9, "sus4": 1.8, "dominant": 1.0, "tritone": 0.8, "away": 0.3, "chromatic": 0.4,
              "major7": -1.0, "sixth": -0.6, "sus2": -0.4, "tonic": -0.8, "subdominant": -0.3, "minor": -0.2},
    "sad": {"minor": 1.2, "relative": 0.8, "dissonance": -0.7, "flat7": -0.6, "dominant": -0.5, "major": -0.4,
            "subdominant": 0.2, "tritone": -0.8, "sus2": 0.8},
    "relaxing": {"major": 0.7, "major7": 1.2, "sixth": 0.8, "tonic": 0.9, "subdominant": 0.7, "dominant": -0.9,
                 "tritone": -1.0, "away": -0.3, "minor": -0.4, "chromatic": -0.5},
}  # fmt: skip


def evidence(minor: bool) -> np.ndarray:
    """(157, 5) what each chord says for each mood, in units of its own spread over the chords of a key."""
    features = _features(minor)
    columns = [sum(weight * features[name] for name, weight in _WEIGHTS[mood].items()) for mood in MOODS]
    return np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1)


class MoodLabels:
    """Normal scores of evidence, fitted on training songs: see the module docstring."""

    def __init__(self, songs: Sequence[tuple[np.ndarray, bool]]) -> None:
        """songs: (chords (T,) in C major / A minor, minor)."""
        self._evidence = {minor: evidence(minor) for minor in (False, True)}
        self._tables: dict[bool, list[tuple[np.ndarray, np.ndarray]]] = {}
        self._decorrelate: dict[bool, np.ndarray] = {}
        for minor in (False, True):
            found = [self._windowed(chords, minor, np.arange(2.0, len(chords), 4.0), 8.0)
                     for chords, mode in songs if mode == minor]  # fmt: skip
            rows = np.concatenate(found) if found else np.zeros((2, len(MOODS)))
            self._tables[minor] = [_normal_table(rows[:, k]) for k in range(len(MOODS))]
            scores = self._ranked(rows, minor)
            values, vectors = np.linalg.eigh(np.cov(scores.T) + _SHRINK * np.eye(len(MOODS)))
            whiten = vectors @ np.diag(values**-0.5) @ vectors.T  # ZCA: stays as near to the moods as can be
            self._decorrelate[minor] = whiten / (scores @ whiten).std(axis=0).clip(min=1e-6)

    def _windowed(self, chords: np.ndarray, minor: bool, at: np.ndarray, window_s: float) -> np.ndarray:
        """(K, 5) mean evidence of the chords that begin within the window around each time of `at` (K,)."""
        starts = np.flatnonzero(np.r_[True, chords[1:] != chords[:-1]])
        starts = starts[chords[starts] > 0]
        if len(starts) == 0:
            return np.zeros((len(at), len(MOODS)))
        sums = np.concatenate([np.zeros((1, len(MOODS))), np.cumsum(self._evidence[minor][chords[starts]], axis=0)])
        first = np.searchsorted(starts, at - window_s / 2)
        last = np.searchsorted(starts, at + window_s / 2)
        empty = first == last  # the chord that began before goes on
        first = np.where(empty, np.maximum(first - 1, 0), first)
        last = np.maximum(last, first + 1)
        return np.asarray((sums[last] - sums[first]) / (last - first)[:, None])

    def _ranked(self, rows: np.ndarray, minor: bool) -> np.ndarray:
        columns = [np.interp(rows[:, k], *self._tables[minor][k]) for k in range(len(MOODS))]
        return np.stack(columns, axis=1)

    def scores(self, chords: np.ndarray, minor: bool, at: np.ndarray, window_s: float) -> np.ndarray:
        """(K, 5) decorrelated normal scores around the times `at` (K,) in slots."""
        return self._ranked(self._windowed(chords, minor, at, window_s), minor) @ self._decorrelate[minor]

    def course(
        self, chords: np.ndarray, minor: bool, variation: LabelVariation, rng: np.random.Generator
    ) -> np.ndarray:
        """(T, 6) the mood that the chords state, as a film's mood would stand there."""
        length = len(chords)
        steps = rng.uniform(*variation.knots_s, size=int(length / variation.knots_s[0]) + 3)
        knots = np.concatenate([[0.0], np.cumsum(steps)])
        scores = self.scores(chords, minor, knots, float(rng.uniform(*variation.window_s)))
        scores = scores + variation.noise * rng.standard_normal(scores.shape)
        slots = np.arange(length) + 0.5
        course = np.stack([np.interp(slots, knots, scores[:, k]) for k in range(len(MOODS))], axis=1)
        decided = rng.uniform(*variation.decided)
        logits = np.concatenate([decided * course, np.full((length, 1), 0.5 * decided)], axis=1)
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _normal_table(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Knots (K,) of evidence, ascending, and their normal scores (K,); ties have the middle of their ranks."""
    unique, counts = np.unique(values.round(9), return_counts=True)
    rank = (np.cumsum(counts) - counts / 2) / counts.sum()
    chosen = np.unique(np.searchsorted(rank, np.linspace(0, 1, _KNOTS)).clip(max=len(unique) - 1))
    normal = NormalDist()
    return unique[chosen], np.array([normal.inv_cdf(min(max(p, 0.002), 0.998)) for p in rank[chosen]])


def novelty(chords: np.ndarray) -> np.ndarray:
    """(T,) 0..1: how much the roots of the twelve slots from here on differ from those before (histograms)."""
    roots = ROOT_OF[chords]
    length = len(chords)
    counts = np.zeros((length + 1, int(ROOT_OF.max()) + 1))
    counts[1:] = np.cumsum(np.eye(counts.shape[1])[roots], axis=0)
    here = np.arange(length)
    before = counts[here] - counts[np.maximum(here - _NOVELTY, 0)]
    after = counts[np.minimum(here + _NOVELTY, length)] - counts[here]
    norms = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    alike = np.divide((before * after).sum(axis=1), norms, out=np.zeros(length), where=norms > 0)
    return np.asarray(1.0 - alike)


def _newest(chords: np.ndarray, between: tuple[float, float], rng: np.random.Generator, margin: int = 0) -> list[int]:
    """Changes of chord, those before the newest passages first, at a spacing drawn from `between`.

    margin: slots at both ends without any; there all is new, since there is nothing to compare it with.
    """
    changed = np.r_[True, chords[1:] != chords[:-1]]
    changed[:margin] = changed[max(0, len(chords) - margin) :] = False
    places = np.flatnonzero(changed)
    low, high = np.log(between[0]), np.log(between[1])
    spacing = float(np.exp(rng.uniform(low, high)))
    wanted = max(1, int(len(chords) / spacing))
    rank = novelty(chords)[places] + 0.3 * rng.random(len(places))
    chosen: list[int] = []
    for place in places[np.argsort(-rank)]:
        if all(abs(place - other) >= spacing / 2 for other in chosen):
            chosen.append(int(place))
            if len(chosen) >= wanted:
                break
    return chosen


def boundaries(chords: np.ndarray, variation: LabelVariation, rng: np.random.Generator) -> np.ndarray:
    """(T,) of 0 and 1: places of the song's form where a film might cut.

    Changes of chord, the newest passages first, at a spacing drawn for the song; some are missing and some come a
    slot early or late, as cuts do.
    """
    length = len(chords)
    found = np.zeros(length)
    for place in _newest(chords, variation.spacing_s, rng):
        if rng.random() < variation.drop_boundary:
            continue
        if rng.random() < variation.jitter:
            place += int(rng.choice((-1, 1)))
        if 0 <= place < length:
            found[place] = 1.0
    return found


def sections(chords: np.ndarray, variation: LabelVariation, rng: np.random.Generator) -> list[tuple[int, int]]:
    """(first slot, letter from 0) of the song's sections, A B A …, letters numbered by first appearance.

    The song is cut before its newest passages.  A section whose roots are those of an earlier one, in whatever key,
    has its letter and begins where that one's beginning comes back, which may be a few slots off the cut.
    """
    roots = ROOT_OF[chords]
    cuts = sorted(_newest(chords, variation.section_s, rng, _NOVELTY))
    found = [(0, 0)]
    firsts = [roots[: cuts[0]] if cuts else roots]  # of each letter
    for start, stop in pairwise([*cuts, len(chords)]):
        likeness, _, letter, shift = max(
            (_likeness(roots[start + shift : stop + shift], first), -abs(shift), letter, shift)
            for letter, first in enumerate(firsts)
            for shift in range(-_SHIFT, _SHIFT + 1)
        )
        if likeness < _ALIKE:
            letter, shift = len(firsts), 0
            firsts.append(roots[start:stop])
        found.append((max(start + shift, found[-1][0] + 1), letter))
    return found


def _likeness(roots: np.ndarray, other: np.ndarray) -> float:
    """Share of slots whose roots agree, transposed as fits best; half of it is of those a slot early or late, too."""
    length = min(len(roots), len(other))
    if length < _SHIFT:
        return 0.0
    here, there = roots[:length], np.pad(other[:length], 1, mode="edge")
    near = np.stack([there[1:-1], there[:-2], there[2:]])
    apart = (here - near) % 12 == np.arange(12)[:, None, None]
    agree = np.where((here > 0) & (near > 0), apart, here == near)
    return float((0.5 * agree[:, 0].mean(axis=1) + 0.5 * agree.any(axis=1).mean(axis=1)).max())
