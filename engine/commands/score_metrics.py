"""Measures of a score: its harmony, its voices, and how it meets the picture.

Harmony rows follow Yeh et al. 2021 ("Automatic melody harmonization with triad chords", arXiv 2001.02360) with the
conventions stated at each function, since published code differs in them.  Times are seconds of the picture.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from engine.arrange.timeline import Bars
from engine.music import Chord, Key, Note, TempoMap

# Radii and steps of the circles of fifths, minor thirds and major thirds (Harte, Sandler & Gasser 2006).
_CIRCLES: Final = ((1.0, 7 * math.pi / 6), (1.0, 3 * math.pi / 2), (0.5, 2 * math.pi / 3))


@dataclass(frozen=True, slots=True)
class Sounding:
    """A chord and when it sounds, in picture seconds and in beats."""

    chord: Chord
    start_s: float
    end_s: float
    start_beats: float
    end_beats: float


# harmony -----------------------------------------------------------------------------------------------------------
def each_second(chords: Sequence[Sounding]) -> list[Chord]:
    """The chord in the middle of each second, as MuVi-Sync has them; silence is left out."""
    found = []
    for second in range(math.ceil(max((chord.end_s for chord in chords), default=0.0))):
        sounding = [chord for chord in chords if chord.start_s <= second + 0.5 < chord.end_s]
        if sounding and not sounding[0].chord.is_silence:
            found.append(sounding[0].chord)
    return found


def without_repeats(chords: Sequence[Chord]) -> list[Chord]:
    """Each chord once per run; silence is left out."""
    kept = [chord for chord in chords if not chord.is_silence]
    return [chord for index, chord in enumerate(kept) if index == 0 or chord.id != kept[index - 1].id]


def histogram_entropy(chords: Sequence[Chord]) -> float:
    """CHE in nats over the chord of each second."""
    counts = Counter(chord.id for chord in chords)
    total = sum(counts.values())
    return -sum(n / total * math.log(n / total) for n in counts.values()) if total else math.nan


def coverage(chords: Sequence[Chord]) -> int:
    """CC: how many different chords."""
    return len({chord.id for chord in chords})


def tonal_centroid(chord: Chord) -> np.ndarray:
    """(6,) place of a chord's tones in the tonal space, tones weighted alike."""
    tones = np.array(chord.pitch_classes(), float)
    return np.array([f(tones * step).mean() * radius for radius, step in _CIRCLES for f in (np.sin, np.cos)])


def tonal_distance(chords: Sequence[Chord]) -> float:
    """CTD: mean distance of successive different chords in the tonal space."""
    steps = [float(np.linalg.norm(tonal_centroid(a) - tonal_centroid(b))) for a, b in pairwise(chords)]
    return float(np.mean(steps)) if steps else math.nan


def irregularity(chords: Sequence[Chord]) -> float:
    """CPI: different trigrams over all trigrams of successive different chords."""
    trigrams = [tuple(chord.id for chord in chords[index : index + 3]) for index in range(len(chords) - 2)]
    return len(set(trigrams)) / len(trigrams) if trigrams else math.nan


def diatonic_rate(notes: Sequence[Note], key: Key) -> float:
    """Share of sounding time whose pitches belong to the key (natural minor); drums are left out."""
    scale = set(key.scale())
    pitched = [note for note in notes if note.channel != 10]
    total = sum(note.length_beats for note in pitched)
    return sum(note.length_beats for note in pitched if note.pitch % 12 in scale) / total if total else math.nan


def chord_diatonic_rate(chords: Sequence[Chord], key: Key) -> float:
    """Share of chord tones that belong to the key, over the chord of each second."""
    scale = set(key.scale())
    tones = [tone in scale for chord in chords for tone in chord.pitch_classes()]
    return float(np.mean(tones)) if tones else math.nan


def strong_share(chords: Sequence[Sounding], tempo_map: TempoMap) -> tuple[float, float]:
    """Shares of the chord changes that stand on a bar line or half bar, and on any beat (group) of the bar."""
    places = [after.start_beats for before, after in pairwise(chords) if before.chord != after.chord]
    if not places:
        return math.nan, math.nan
    bars = Bars(tempo_map, min(places), max(places))
    strong = beat = 0
    for place in places:
        if abs(bars.snap(place) - place) > 0.01:
            continue
        line, next_line = bars.start(place), bars.next(place)
        weight = bars.weight(place)
        beat += weight >= 2
        strong += weight == 3 or (weight == 2 and abs(2 * (place - line) - (next_line - line)) < 0.01)
    return strong / len(places), beat / len(places)


# voices ------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class VoiceLeading:
    """motion: mean semitones that a voice moves at a chord change.  faults: consecutive fifths and octaves between the
    lowest and the highest voice.  steps: how many changes were looked at."""

    motion: float
    faults: int
    steps: int


def voice_leading(notes: Sequence[Note], chords: Sequence[Sounding]) -> VoiceLeading:
    """From chord to chord: the pad's pitches, or without a pad the pitches of all pitched parts while a chord lasts.

    The lowest voice is the bass part's first note where there is one.
    """
    pitched = sorted((note for note in notes if note.channel != 10), key=lambda note: note.start_beats)
    parts = {note.part for note in pitched}
    voices = [note for note in pitched if note.part == "pad" or "pad" not in parts]
    bass = [note for note in pitched if note.part == "bass"]
    stacks: list[tuple[int, tuple[int, ...]]] = []
    for chord in chords:
        pitches = _beginning(voices, chord)
        if "pad" in parts:  # a pad struck again inside the chord is no other chord
            pitches = _beginning(voices, chord, at_once=True) or pitches
        if not pitches:
            continue
        low = _beginning(bass, chord, at_once=True)
        stacks.append((min(low) if low else min(pitches), tuple(sorted(set(pitches)))))
    moves, faults = [], 0
    for (low_a, a), (low_b, b) in pairwise(stacks):
        if a == b:
            continue
        moves.append(float(np.mean([min(abs(x - y) for y in b) for x in a])))
        if low_a != low_b and a[-1] != b[-1]:
            interval = (a[-1] - low_a) % 12
            faults += interval in (0, 7) and interval == (b[-1] - low_b) % 12
    return VoiceLeading(float(np.mean(moves)) if moves else math.nan, faults, len(moves))


def _beginning(notes: Sequence[Note], chord: Sounding, at_once: bool = False) -> list[int]:
    """Pitches of the notes (in order of time) that begin with a chord, or while it lasts."""
    first = bisect_left(notes, chord.start_beats - 0.05, key=lambda note: note.start_beats)
    end = chord.start_beats + 0.05 if at_once else chord.end_beats - 0.05
    found = []
    for note in notes[first:]:
        if note.start_beats > end:
            break
        found.append(note.pitch)
    return found


# picture -----------------------------------------------------------------------------------------------------------
def match(cuts: Sequence[float], changes: Sequence[float], tolerance_s: float) -> list[tuple[float, float]]:
    """Pairs (cut, change) within the tolerance, one to one, nearest first."""
    pairs = []
    for cut in cuts:
        first, last = bisect_left(changes, cut - tolerance_s - 1e-9), bisect_right(changes, cut + tolerance_s + 1e-9)
        pairs += [(abs(change - cut), cut, change) for change in changes[first:last]]
    pairs.sort()
    used_cuts: set[float] = set()
    used_changes: set[float] = set()
    found = []
    for _, cut, change in pairs:
        if cut not in used_cuts and change not in used_changes:
            used_cuts.add(cut)
            used_changes.add(change)
            found.append((cut, change))
    return found


def f1(cuts: Sequence[float], changes: Sequence[float], tolerance_s: float) -> float:
    """Of chord changes as a detector of cuts (the convention of shot boundary detection)."""
    if not cuts or not changes:
        return math.nan
    return 2 * len(match(cuts, sorted(changes), tolerance_s)) / (len(cuts) + len(changes))


def recall(cuts: Sequence[float], changes: Sequence[float], tolerance_s: float) -> float:
    """Share of cuts with a chord change of their own within the tolerance."""
    return len(match(cuts, sorted(changes), tolerance_s)) / len(cuts) if cuts and changes else math.nan


def mean_offset(cuts: Sequence[float], changes: Sequence[float]) -> float:
    """Mean seconds from a cut to the nearest chord change."""
    if not cuts or not changes:
        return math.nan
    return float(np.mean([min(abs(change - cut) for change in changes) for cut in cuts]))


def onset_strength(cuts: Sequence[float], onsets: Sequence[tuple[float, int]]) -> float:
    """S_sync: mean over cuts of the strongest onset within 80 ms; onsets (second, velocity) are summed in bins of
    20 ms and divided by their 95 % quantile, at most 1."""
    if not cuts or not onsets:
        return math.nan
    bins: Counter[int] = Counter()
    for second, velocity in onsets:
        bins[math.floor(second / 0.02)] += velocity
    scale = float(np.quantile(np.array(list(bins.values()), float), 0.95))
    reach = 4
    values = []
    for cut in cuts:
        middle = math.floor(cut / 0.02)
        values.append(min(1.0, max(bins[middle + k] for k in range(-reach, reach + 1)) / scale))
    return float(np.mean(values))


def rank_correlation(a: Sequence[float] | np.ndarray, b: Sequence[float] | np.ndarray) -> float:
    """Spearman's, ties at their mean rank; NaN for less than three values or where one side does not change."""

    def ranks(values: np.ndarray) -> np.ndarray:
        _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
        return (np.cumsum(counts) - (counts - 1) / 2)[inverse]

    x, y = ranks(np.asarray(a, float)), ranks(np.asarray(b, float))
    if len(x) < 3 or x.std() == 0 or y.std() == 0:
        return math.nan
    return float(np.corrcoef(x, y)[0, 1])


def bootstrap(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and its 95 % interval over the values that are numbers, from 2,000 draws."""
    known = np.array([value for value in values if not math.isnan(value)], float)
    if not len(known):
        return math.nan, math.nan, math.nan
    random = np.random.default_rng(1)
    means = random.choice(known, (2000, len(known))).mean(axis=1)
    return float(known.mean()), float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))
