"""A tune over the chords: phrases of four bars that state a motif, repeat it, vary it and breathe.

The rhythm of a bar follows from its place in the phrase, the take and the activity of the picture; where a note stands
in the bar decides what it may be: chord tones on strong places and for long notes, steps of the key between.  All but
the last pitch follows from the position, so that a tune is the same wherever one begins to play it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from engine.arrange.chance import noise
from engine.music import Chord, Key

PHRASE_BARS: Final = 4
# Semitones that the four bars of a phrase lie above its middle: statement, repeat, climax, fall.
_ARCH: Final = (0, 2, 5, -2)
_LONG_STEPS: Final = 4
_MAX_LEAP: Final = 9
_DIMINISHED: Final = ("dim", "dim7", "hdim7")


@lru_cache(maxsize=2048)
def bar_rhythm(seed: int, bar: int, groups: tuple[int, ...], level: int) -> tuple[tuple[int, int], ...]:
    """(step, length in steps) of the notes of a bar; what is not covered is rest.

    groups: lengths of the bar's groups in sixteenths (4 4 4 4 for 4/4).  level: activity 1..5.  The third bar of a
    phrase varies the first two, the fourth comes to rest and leaves its last group silent.
    """
    place = bar % PHRASE_BARS
    motif = (seed, bar // (2 * PHRASE_BARS), "varied" if place == 2 else "stated")
    total = sum(groups)
    starts = [sum(groups[:index]) for index in range(len(groups))]
    rest_from = total
    if place == PHRASE_BARS - 1 and len(groups) > 1:
        rest_from = starts[-1]
    if level == 1:
        # One long note every second bar.
        return ((0, starts[-1] if len(groups) > 1 else total),) if place % 2 == 0 else ()
    onsets: list[int] = []
    for index, (start, length) in enumerate(zip(starts, groups, strict=True)):
        cell: Iterable[int]
        if level == 2:
            cell = (0,) if index in (0, (len(groups) + 1) // 2) else ()
        else:
            cell = _cell(level, length, noise(*motif, index), first=index == 0)
        if place == PHRASE_BARS - 1 and index >= (len(groups) + 1) // 2:
            cell = (0,) if index == (len(groups) + 1) // 2 else ()  # the last note of the phrase is long
        onsets += [start + offset for offset in cell if start + offset < rest_from]
    ends = [*onsets[1:], rest_from]
    return tuple((onset, end - onset) for onset, end in zip(onsets, ends, strict=True))


def _cell(level: int, length: int, draw: float, first: bool) -> tuple[int, ...]:
    """Onsets in a group of `length` sixteenths (4 a quarter, 6 a dotted one)."""
    half = length // 2 - (length // 2) % 2 or length // 2
    late = length - 1 if level > 3 else length - 2
    choices: dict[int, tuple[tuple[int, ...], ...]] = {
        3: ((0,), (0, half), (0, late), ()),
        4: ((0, half), (0, half, late), (0, late), (0,)),
        5: ((0, half, late), tuple(range(length)), (0, half), (0, 1, half)),
    }
    chosen = choices[level][min(int(draw * 4), 3)]
    if first and not chosen:
        chosen = (0,)
    return tuple(sorted({offset for offset in chosen if 0 <= offset < length}))


def bar_target(seed: int, bar: int, step: int, middle: float) -> float:
    """Where the contour lies: the arch of the phrase and the motif's own shape, the same in bars that repeat it."""
    place = bar % PHRASE_BARS
    shape = noise(seed, bar // (2 * PHRASE_BARS), "varied" if place == 2 else "stated", "shape", step)
    return middle + _ARCH[place] + (shape - 0.5) * 9


@lru_cache(maxsize=1024)
def scale_for(chord: Chord, key: Key) -> frozenset[int]:
    """Pitch classes that may pass over a chord: its own, and those of the key that it does not alter."""
    tones = set(chord.pitch_classes())
    scale = set(key.scale())
    altered = set()
    for tone, step in zip(chord.pitch_classes(), chord.intervals(), strict=True):
        if tone not in scale:
            # A major third, fifth or seventh that the key has not is a raised tone (G# in E7 stands for G), a minor one
            # a lowered tone (Ab in F minor stands for A).
            raised = step in (4, 8, 11) or (step in (0, 2, 5, 7) and chord.quality in _DIMINISHED)
            altered.add((tone - 1 if raised else tone + 1) % 12)
    return frozenset((scale - altered) | tones)


def choose_pitch(chord: Chord, key: Key, span: tuple[int, int], before: int | None, target: float, strong: bool) -> int:
    """The next pitch of the tune in the inclusive range `span`."""
    low, high = span
    tones = chord.pitch_classes()
    if strong or before is None:
        candidates = [pitch for pitch in range(low, high + 1) if pitch % 12 in tones]
        if before is not None:
            near = [pitch for pitch in candidates if abs(pitch - before) <= _MAX_LEAP]
            candidates = near or candidates

        def cost(pitch: int) -> tuple[float, int]:
            move = 0 if before is None else abs(pitch - before)
            still = 2.5 if pitch == before else 0.0
            return abs(pitch - target) + 0.4 * move + still, pitch

        return min(candidates, key=cost)
    scale = scale_for(chord, key)
    steps = [p for p in range(max(low, before - 4), min(high, before + 4) + 1) if p % 12 in scale and p != before]
    if not steps:
        return before
    return min(steps, key=lambda pitch: (abs(pitch - target) + 0.9 * abs(pitch - before), pitch))


def is_strong(weight: int, length_steps: int) -> bool:
    """Whether a note must be a chord tone: on a beat, or long."""
    return weight >= 2 or length_steps >= _LONG_STEPS
