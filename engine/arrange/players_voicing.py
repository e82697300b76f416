"""Voicings for the players of an ensemble: as many pad voices as they have, within their ranges, by the laws of the
project's reference: lowest places of each interval, gaps, voices that stay, no fifths or octaves in succession.

Deterministic: equal input gives equal output.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise
from typing import Final

from engine.arrange.voicing import Voicing, is_consecutive, nearest_bass
from engine.music import Chord, Key

# The lowest pitch that may be the lower tone of an interval; smaller intervals growl below.
LOWEST: Final = {1: 52, 2: 51, 3: 48, 4: 46, 5: 46, 6: 46, 7: 34, 8: 43, 9: 41, 10: 41, 11: 41}
WIDEST_GAP: Final = 12  # between neighbours above this pitch:
GAP_FROM: Final = 55
RUB: Final = 2.5  # against neighbours a semitone apart
_CLEAR_FROM: Final = 57  # pitch from which sevenths and ninths are clear in a figure
_LOOKED_AT: Final = 40  # candidates that are examined for faults


@dataclass(frozen=True, slots=True)
class Players:
    """pad, arp, bass: inclusive ranges.  voices: of the pad.  strict: no successions of perfect intervals between any
    two voices.  centre: middle of the pad.  key: for its leading tone.  has_bass: a bass part sounds.  rub: what
    neighbours a semitone apart cost.  apart: what a tone of the second voice costs that lies a step beside one that is
    held.  clear: the second voice has pitches of its own, on one side of the pad.  room: what each tone, squared, costs
    that it lacks there.  open_chords: it is a left hand, which has tenths rather than seconds.  drone: where no bass
    plays a pedal is the pad's lowest voice."""

    pad: tuple[int, int]
    arp: tuple[int, int]
    bass: tuple[int, int]
    voices: int
    strict: bool
    centre: float
    key: Key
    has_bass: bool = True
    rub: float = RUB
    apart: float = 0.0
    clear: bool = False
    room: float = 0.0
    open_chords: bool = False
    drone: bool = False


def voice_players(chord: Chord, players: Players, before: Voicing | None, after: Voicing | None = None) -> Voicing:
    """The voicing that follows `before` best.  Raises ValueError for silence."""
    if chord.is_silence:
        raise ValueError("silence has no voicing.")
    bass = nearest_bass(chord, players.bass, 0.35, 0.6, (before, after))
    pad = _pad(chord, players, bass, before, after)
    return Voicing(bass, pad, _arp(chord, players, before, pad, bass))


def is_low(lower: int, upper: int) -> bool:
    """Whether an interval lies too low to be clear."""
    interval = upper - lower
    return interval < 12 and lower < LOWEST.get(interval, 0)


def is_beside(pitch: int, held: tuple[int, ...]) -> bool:
    """Whether a pitch lies a step from one that is held, in its octave: where it is struck again and again it rubs."""
    return any(1 <= abs(pitch - each) <= 2 for each in held)


def pad_tones(chord: Chord, voices: int, has_bass: bool) -> tuple[int, ...]:
    """Pitch classes that the pad must sound.

    Where voices are fewer than tones and the bass has the root, the root is left to it; else what
    `Chord.sounding_intervals` gives up first.
    """
    assert chord.root is not None
    intervals = chord.intervals()
    if len(intervals) <= voices:
        kept = intervals
    elif has_bass and len(intervals) == voices + 1 and chord.bass is None:
        kept = tuple(step for step in intervals if step % 12)
    else:
        kept = chord.sounding_intervals(max(voices, 3))[-voices:]
    return tuple((chord.root + step) % 12 for step in kept)


@lru_cache(maxsize=2048)
def _candidates(chord: Chord, players: Players, bass: int) -> tuple[tuple[float, tuple[int, ...]], ...]:
    """All pads of a chord over a bass note as (cost of the sound itself, pitches), best first."""
    low, high = players.pad
    own = set(pad_tones(chord, players.voices, players.has_bass))
    # What the bass has of a chord that is not its root need not be in the pad too.
    lowest = chord.bass_pitch_class if players.clear and players.has_bass and chord.bass is not None else None
    fewer = own - {lowest} if len(own) > 2 and lowest != chord.root else own
    leading = (players.key.tonic - 1) % 12
    pitches = [pitch for pitch in range(low, high + 1) if pitch % 12 in own]
    # Only what lies near the middle can be chosen in the end; a wide range has thousands of stacks.
    pitches = sorted(pitches, key=lambda pitch: abs(pitch - players.centre))[: 3 * players.voices]
    found, free = [], _free(chord, players, bass) if players.room else []
    for stack in combinations(sorted(pitches), players.voices):
        classes = {pitch % 12 for pitch in stack}
        if classes not in (own, fewer) and len(own) <= players.voices:
            continue
        cost = _sound_cost(stack, bass, players, leading, chord)
        if players.room and cost < 90:
            under, over = bisect_right(free, stack[0] - 3), len(free) - bisect_left(free, stack[-1] + 3)
            cost += players.room * max(4 - max(under, over), 0) ** 2
        if cost < 90:
            found.append((cost, stack))
    if not found:  # a narrow range: what fits, whatever is missing
        found = [(50.0, stack) for stack in combinations(sorted(pitches), min(players.voices, len(pitches)))]
    return tuple(sorted(found)[:160])


def _sound_cost(stack: tuple[int, ...], bass: int, players: Players, leading: int, chord: Chord) -> float:
    cost = 0.4 * abs(sum(stack) / len(stack) - players.centre)
    if stack[0] <= bass:
        return 99.0
    if players.has_bass and is_low(bass, stack[0]):
        cost += 12.0
    for lower, upper in pairwise(stack):
        if is_low(lower, upper):
            return 99.0
        gap = upper - lower
        if gap > WIDEST_GAP:
            if lower > GAP_FROM:
                return 99.0
            cost += 2.0
        cost += players.rub if gap == 1 else 0.5 if gap == 2 else 0.0
        cost += 0.25 * max(gap - 7, 0) if lower >= GAP_FROM else 0.0
    if stack[-1] - stack[-2] == 1:
        cost += 3.0
    if chord.root is not None and chord.extension != "5":
        lowest = (stack[0] - chord.root) % 12
        if not players.has_bass and stack[0] % 12 != chord.bass_pitch_class:
            fifth = 30.0 if players.clear else 10.0
            cost += (
                fifth if lowest == 7 or (players.drone and chord.bass is not None) else 3.0
            )  # the pad is its own bass
    doubled = [pitch % 12 for pitch in stack]
    if doubled.count(leading) > 1 or (leading in doubled and bass % 12 == leading):
        cost += 8.0
    third = (
        None if chord.root is None else next(((chord.root + s) % 12 for s in chord.intervals() if s in (3, 4)), None)
    )
    if third is not None and doubled.count(third) > 1:
        cost += 2.0
    return cost


def has_parallels(a: Voicing, b: Voicing) -> bool:
    """Fifths or octaves in succession between any two voices, the bass among them."""
    if len(a.pad) != len(b.pad):
        return False
    first, second = (a.bass, *a.pad), (b.bass, *b.pad)
    for low in range(len(first)):
        for high in range(low + 1, len(first)):
            if is_consecutive(first[low], first[high], second[low], second[high]):
                return True
    return False


def _pad(chord: Chord, players: Players, bass: int, before: Voicing | None, after: Voicing | None) -> tuple[int, ...]:
    candidates = _candidates(chord, players, bass)
    others = [other for other in (before, after) if other is not None and other.pad]
    if not others:
        return candidates[0][1]
    ranked = []
    for own, stack in candidates:
        cost = own
        for other in others:
            # Where a voice joins or leaves it is the lowest.
            moves = [abs(a - b) for a, b in zip(stack[::-1], other.pad[::-1], strict=False)][::-1]
            cost += sum(moves) + 0.8 * sum(move > 0 for move in moves) + 0.6 * moves[-1] + 2.0 * max(max(moves) - 5, 0)
        ranked.append((cost, stack))
    ranked.sort()
    if not players.strict:
        return ranked[0][1]
    for _, stack in ranked if players.clear else ranked[:_LOOKED_AT]:
        this = Voicing(bass, stack, ())
        faulty = (before is not None and has_parallels(before, this)) or (
            after is not None and has_parallels(this, after)
        )
        if not faulty:
            return stack
    return ranked[0][1]


def _has_third_in_bass(chord: Chord) -> bool:
    """Whether a chord stands on its third, which nobody doubles then."""
    return chord.bass is not None and chord.root is not None and (chord.bass - chord.root) % 12 in (3, 4)


def _opened(chord: Chord, tones: list[int]) -> list[int]:
    """Tones of a chord of four or more in the order of a left hand: root, fifth, what is added, third; so none lies a
    step beside another low down."""
    assert chord.root is not None
    steps = [(tone - chord.root) % 12 for tone in tones]
    third, fifth = (next((s for s in steps if s in own), None) for own in ((3, 4), (6, 7, 8)))
    added = [step for step in steps if step not in (0, third, fifth)]
    if third is None or fifth is None or len(added) != 1 or 0 not in steps:
        return tones
    return [(chord.root + step) % 12 for step in (0, fifth, added[0], third)]


def _free(chord: Chord, players: Players, bass: int) -> list[int]:
    """The pitches of a chord that a second voice reaches over the bass: low ones of its triad alone, where what is
    added is not clear."""
    assert chord.root is not None
    tones = {(chord.root + step) % 12 for step in chord.sounding_intervals(4)}
    triad = {(chord.root + step) % 12 for step in chord.intervals()[:3] if step < 9}
    low, high = players.arp
    if players.has_bass and _has_third_in_bass(chord):
        tones, triad = tones - {chord.bass}, triad - {chord.bass}
    return [
        pitch
        for pitch in range(max(low, bass) if players.has_bass else low, high + 1)
        if pitch % 12 in (triad if pitch < _CLEAR_FROM and len(triad) > 1 else tones)
    ]


def _own_pitches(
    chord: Chord, players: Players, before: Voicing | None, pad: tuple[int, ...], bass: int
) -> tuple[int, ...] | None:
    """Four tones in a row on one side of the pad; None where there is no room for three."""
    free = _free(chord, players, bass)
    sides = ([p for p in free if p <= pad[0] - 3], [p for p in free if p >= pad[-1] + 3])
    stacks = [side[first : first + 4] for side in sides for first in range(len(side) - 3)]
    # Where three have room the lowest is heard twice, as accompaniments on three strings have it.
    stacks = stacks or [[*side, side[0]] for side in sides if len(side) == 3]
    if not stacks:
        return None
    low, high = players.arp
    centre = low + 0.45 * (high - low)
    beside = before.arp if before is not None and len(before.arp) == 4 else None

    def cost(stack: Sequence[int]) -> tuple[float, tuple[int, ...]]:
        moved = 0 if beside is None else sum(abs(a - b) for a, b in zip(stack, beside, strict=True))
        growls = players.has_bass and is_low(bass, stack[0])
        return 0.4 * abs(sum(stack) / 4 - centre) + 0.5 * moved + 12.0 * growls, tuple(stack)

    return min((tuple(stack) for stack in stacks), key=cost)


def _arp(chord: Chord, players: Players, before: Voicing | None, pad: tuple[int, ...], bass: int) -> tuple[int, ...]:
    """Four chord tones from low to high for the second voice, beside the pad's own pitches where there is room."""
    low, high = players.arp
    assert chord.root is not None
    tones = [(chord.root + step) % 12 for step in chord.sounding_intervals(4)]
    if players.open_chords:
        tones = _opened(chord, tones)
    if (players.open_chords or players.clear) and players.has_bass and _has_third_in_bass(chord):
        tones = [tone for tone in tones if tone != chord.bass]
    if players.clear and pad:
        own = _own_pitches(chord, players, before, pad, bass)
        if own is not None:
            return own
    best: tuple[float, tuple[int, ...]] | None = None
    for shift in range(len(tones)):
        order = (tones[shift:] + tones[:shift]) * 4
        for first in range(low + (order[0] - low) % 12, high + 1, 12):
            stack = [first]
            for tone in order[1:4]:
                stack.append(stack[-1] + ((tone - stack[-1]) % 12 or 12))
            cost = 0.4 * abs(sum(stack) / 4 - (low + 0.45 * (high - low))) + 6.0 * max(stack[-1] - high, 0)
            if before is not None and len(before.arp) == 4:
                cost += sum(abs(a - b) for a, b in zip(stack, before.arp, strict=True)) * 0.5
            if (
                not players.has_bass
                and low < players.pad[0]
                and (stack[0] - chord.root) % 12 == 7
                and chord.bass is None
            ):
                cost += 12.0  # it is the bass
            if players.has_bass and stack[0] > bass and is_low(bass, stack[0]):
                cost += 60.0  # both growl
            cost += 0.6 * (shift != 0) + (6.0 if players.apart else 4.0) * sum(pitch in pad for pitch in stack)
            if players.apart:
                cost += players.apart * sum(is_beside(pitch, pad) for pitch in stack)
            if best is None or (cost, tuple(stack)) < best:
                best = (cost, tuple(stack))
    if best is None:
        return tuple(low + (tone - low) % 12 for tone in tones[:1]) * 4
    return tuple(min(pitch, 127) for pitch in best[1])
