"""Voicings: which pitches a chord gets, found by search so that voices move little and without faults.

Three layers are voiced together: the bass note, four pad voices, four arpeggio tones.  Rules for bass and pad (the
textbook's, e.g. Aldwell & Schachter, "Harmony and Voice Leading", ch. 4-6): every chord tone sounds; the outer voices
make no fifths or octaves in succession; the leading tone is not doubled; a third or seventh is doubled only last.
Deterministic: equal input gives equal output.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Final

from engine.music import C_MAJOR, Chord, Key

PAD_VOICES: Final = 4
_PERFECT: Final = (0, 7)
_DIMINISHED: Final = ("dim", "dim7", "hdim7")
# "wide" and "sparse" are not offered: they are where to look when a style leaves no way without a fault.
_SPANS: Final = {"close": (0, 16), "open": (14, 26), "root": (0, 16), "wide": (0, 28), "sparse": (0, 28)}
_GAPS: Final = {"close": 9, "open": 12, "root": 9, "wide": 16, "sparse": 16}


@dataclass(frozen=True, slots=True)
class Space:
    """Where the voices live: inclusive pitch ranges, style, key (for its leading tone).

    has_bass: a bass part sounds, so the pad need not carry the lowest note.  has_melody: a tune sounds, so the arpeggio
    keeps lower.  lift: semitones by which mood moves the
    middle of the pad's range.
    """

    pad: tuple[int, int] = (48, 76)
    arp: tuple[int, int] = (52, 84)
    bass: tuple[int, int] = (36, 55)
    style: str = "close"
    key: Key = C_MAJOR
    has_bass: bool = True
    has_melody: bool = False
    lift: int = 0

    def leading_tone(self, chord: Chord) -> int | None:
        """The pitch class that must not be doubled in a chord, if any: the key's seventh degree where it strives up.

        As the root of a chord without a diminished fifth it is at rest (B minor in C major), and the root position
        style is a plain stack that knows no rules.
        """
        tone = (self.key.tonic - 1) % 12
        if self.style == "root" or tone not in chord.pitch_classes():
            return None
        return None if tone == chord.root and chord.quality not in _DIMINISHED else tone


@dataclass(frozen=True, slots=True)
class Voicing:
    """bass: one pitch; pad: four from low to high (three in a narrow range); arp: four from low to high."""

    bass: int
    pad: tuple[int, ...]
    arp: tuple[int, ...]


def voice(chord: Chord, space: Space, before: Voicing | None = None, after: Voicing | None = None) -> Voicing:
    """The voicing of a sounding chord that follows `before` best (and leads into `after`, where that is fixed).

    Raises ValueError for silence.
    """
    if chord.is_silence:
        raise ValueError("silence has no voicing.")
    bass = nearest_bass(chord, space.bass, 0.4, 0.3, (before, after))
    pad = _pad(chord, space, bass, before, after)
    return Voicing(bass, pad, _arp(chord, space, before, after))


def is_consecutive(low_a: int, high_a: int, low_b: int, high_b: int) -> bool:
    """Fifths or octaves in succession between two voices that both move."""
    if low_a == low_b or high_a == high_b:
        return False
    interval = (high_a - low_a) % 12
    return interval in _PERFECT and (high_b - low_b) % 12 == interval


def has_fault(a: Voicing, b: Voicing) -> bool:
    """Whether a step from a to b has consecutive perfect intervals between bass, or pad's lowest, and top."""
    return is_consecutive(a.bass, a.pad[-1], b.bass, b.pad[-1]) or is_consecutive(
        a.pad[0], a.pad[-1], b.pad[0], b.pad[-1]
    )


def movement(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    """Semitones that the voices move in all."""
    total = 0
    for x, y in zip(a, b, strict=False):
        total += x - y if x > y else y - x
    return total


# bass --------------------------------------------------------------------------------------------------------------
def nearest_bass(
    chord: Chord, register: tuple[int, int], home: float, pull: float, near: Sequence[Voicing | None]
) -> int:
    """The pitch of the chord's bass that leads best from and to its neighbours.

    register: lowest and highest pitch.  home: where a bass lies best, as a share of the register from below.  pull: the
    cost of a semitone away from there, where one away from a neighbour costs 1.
    """
    low, high = register
    assert chord.bass_pitch_class is not None
    pitches = range(low + (chord.bass_pitch_class - low) % 12, high + 1, 12)
    middle = low + (high - low) * home

    def cost(pitch: int) -> tuple[float, int]:
        total = pull * abs(pitch - middle)
        for other in near:
            if other is not None:
                total += abs(pitch - other.bass)
        return total, pitch

    return min(pitches, key=cost)


# pad ---------------------------------------------------------------------------------------------------------------
@lru_cache(maxsize=1024)
def _pad_candidates(chord: Chord, space: Space) -> tuple[tuple[float, tuple[int, ...]], ...]:
    """All pads of a chord as (cost of the sound itself, pitches), best first."""
    low, high = space.pad
    steps = chord.sounding_intervals(PAD_VOICES)
    tones = [(chord.pitch_classes()[0] + step) % 12 for step in steps]
    leading_tone = space.leading_tone(chord)
    weights = _doubling_costs(chord, leading_tone)
    lowest: int | None = None
    if not space.has_bass:
        lowest = chord.bass_pitch_class
        if lowest not in tones:
            if len(tones) == PAD_VOICES:  # a foreign bass takes the fifth's voice
                fifth = next((step for step in steps if step in (6, 7, 8)), steps[2])
                tones.remove((chord.pitch_classes()[0] + fifth) % 12)
            tones.append(lowest)  # type: ignore[arg-type]
    elif leading_tone is not None and chord.bass_pitch_class == leading_tone:
        # The bass part has the leading tone; the pad would double it.
        tones = [tone for tone in tones if tone != leading_tone]
    if space.style == "root":
        lowest = tones[0] if lowest is None else lowest
    middle = (low + high) / 2 + space.lift
    span_low, span_high = _SPANS[space.style]
    found: dict[tuple[int, ...], float] = {}
    # Without doublings where four voices do not fit into the range.
    voices = [tuple(sorted(tones))] if space.style == "sparse" else _multisets(tuple(tones), weights)
    for total_tones in voices:
        extra = sum(weights.get(tone, 3.0) * (count - 1) for tone, count in Counter(total_tones).items())
        for pitches in _stacks(total_tones, low, high, _GAPS[space.style], span_high):
            if pitches[-1] - pitches[0] < span_low or (lowest is not None and pitches[0] % 12 != lowest):
                continue
            cost = extra + 0.5 * abs(sum(pitches) / len(pitches) - middle) + _spacing_cost(pitches)
            if cost < found.get(pitches, float("inf")):
                found[pitches] = cost
    return tuple(sorted((cost, pitches) for pitches, cost in found.items()))


def _doubling_costs(chord: Chord, leading_tone: int | None) -> dict[int, float]:
    """What it costs to double each chord tone; the leading tone is not offered."""
    costs = {}
    root = chord.pitch_classes()[0]
    for position, step in enumerate(chord.sounding_intervals(PAD_VOICES)):
        tone = (root + step) % 12
        if tone == leading_tone:
            continue
        if position == 0:
            costs[tone] = 1.5 if chord.quality in _DIMINISHED else 0.0
        elif step == 7:
            costs[tone] = 1.0
        elif step in (3, 4):
            costs[tone] = 0.5 if chord.quality == "dim" else 2.0
        else:
            costs[tone] = 4.0
    return costs


def _multisets(tones: tuple[int, ...], weights: dict[int, float]) -> list[tuple[int, ...]]:
    """The tones filled up to four by doubling those that may be doubled."""
    sets = [tones[:PAD_VOICES]]
    while len(sets[0]) < PAD_VOICES:
        sets = [(*chosen, tone) for chosen in sets for tone in tones if tone in weights]
    return sorted({tuple(sorted(chosen)) for chosen in sets})


@lru_cache(maxsize=1024)
def _stacks(tones: tuple[int, ...], low: int, high: int, gap: int, span: int) -> tuple[tuple[int, ...], ...]:
    """Ascending pitches in range that use each of the pitch classes once, with gaps of at most `gap`."""
    results: set[tuple[int, ...]] = set()

    def extend(pitches: tuple[int, ...], rest: tuple[int, ...]) -> None:
        if not rest:
            results.add(pitches)
            return
        for index, tone in enumerate(rest):
            if index and rest[index - 1] == tone:
                continue
            step = (tone - pitches[-1]) % 12 or 12
            pitch = pitches[-1] + step
            if step <= gap and pitch <= high and pitch - pitches[0] <= span:
                extend((*pitches, pitch), rest[:index] + rest[index + 1 :])

    for index, tone in enumerate(tones):
        if index and tones[index - 1] == tone:
            continue
        for first in range(low + (tone - low) % 12, high + 1, 12):
            extend((first,), tones[:index] + tones[index + 1 :])
    return tuple(sorted(results))


def _spacing_cost(pitches: tuple[int, ...]) -> float:
    cost = 0.0
    for lower, upper in pairwise(pitches):
        step = upper - lower
        if step == 1:
            cost += 2.5
        elif step == 2:
            cost += 0.8
        if lower < 52 and step < 5:  # close intervals growl down there
            cost += (52 - lower) * 0.4
    if pitches[-1] - pitches[-2] == 1:
        cost += 3.0  # the top voice is heard as the tune: no semitone rub under it
    return cost


def _pad(chord: Chord, space: Space, bass: int, before: Voicing | None, after: Voicing | None) -> tuple[int, ...]:
    if space.style == "root" and (stacked := _pad_candidates(chord, space)):
        return stacked[0][1]
    found: tuple[int, ...] = ()
    for style in (space.style, "wide", "sparse"):
        faulty, pitches = _search(_pad_candidates(chord, replace(space, style=style)), bass, before, after)
        if not faulty:
            return pitches
        found = found or pitches
    if not found and not space.has_bass:
        # The lowest note lies too high in the range for the others to fit above it: it need not be the lowest.
        return _pad(chord, replace(space, has_bass=True), bass, before, after)
    if not found:
        raise ValueError(f"no voicing of {chord} fits into {space.pad}.")
    return found


def _search(
    candidates: tuple[tuple[float, tuple[int, ...]], ...], bass: int, before: Voicing | None, after: Voicing | None
) -> tuple[bool, tuple[int, ...]]:
    """The cheapest candidate, one without a fault first; whether it has one.  Empty (and faulty) for no candidates."""
    best: tuple[int, ...] = ()
    best_cost = float("inf")
    faults_of_best = True
    for own, pitches in candidates:
        if own >= best_cost and not faults_of_best:
            break  # sorted by own cost: nothing better follows
        this = Voicing(bass, pitches, ())
        faults = (before is not None and has_fault(before, this)) or (after is not None and has_fault(this, after))
        cost = own
        for other in (before, after):
            if other is not None:
                cost += movement(pitches, other.pad) + 0.5 * abs(pitches[-1] - other.pad[-1])
        if (faults, cost) < (faults_of_best, best_cost):
            best, best_cost, faults_of_best = pitches, cost, faults
    return faults_of_best, best


# arpeggio ----------------------------------------------------------------------------------------------------------
@lru_cache(maxsize=1024)
def _arp_candidates(chord: Chord, space: Space) -> tuple[tuple[float, tuple[int, ...]], ...]:
    tones = tuple((chord.pitch_classes()[0] + step) % 12 for step in chord.sounding_intervals(4))
    rotations = [tones[k:] + tones[:k] for k in range(len(tones))]
    # Tone 4 of a triad is tone 1 an octave higher, so that a leading tone at the bottom would be doubled.
    leading_tone = space.leading_tone(chord)
    wanted = [rotation for rotation in rotations if len(tones) > 3 or rotation[0] != leading_tone]
    if space.style == "root":
        wanted = rotations[:1]
    return _placed(wanted, space) or _placed(rotations, space)


def _placed(rotations: list[tuple[int, ...]], space: Space) -> tuple[tuple[float, tuple[int, ...]], ...]:
    """Rotations of a chord at every place in the arpeggio's range, the nearest to its middle first."""
    low, high = space.arp
    middle = low + (high - low) * (0.3 if space.has_melody else 0.4) + space.lift
    found = []
    for rotation in rotations:
        tones = (rotation * 4)[:4]  # an octave higher from the beginning where the chord has fewer than four
        for first in range(low + (tones[0] - low) % 12, high + 1, 12):
            pitches = [first]
            for tone in tones[1:]:
                pitches.append(pitches[-1] + ((tone - pitches[-1]) % 12 or 12))
            if pitches[-1] <= high:
                found.append((0.5 * abs(sum(pitches) / 4 - middle), tuple(pitches)))
    return tuple(sorted(found))


def _arp(chord: Chord, space: Space, before: Voicing | None, after: Voicing | None) -> tuple[int, ...]:
    candidates = _arp_candidates(chord, space)
    if space.style == "root":
        return candidates[0][1]

    def cost(candidate: tuple[float, tuple[int, ...]]) -> tuple[float, tuple[int, ...]]:
        own, pitches = candidate
        moves = sum(movement(pitches, other.arp) for other in (before, after) if other is not None)
        return own + moves, pitches

    return min(candidates, key=cost)[1]
