"""A tune over the chords: phrases of four bars that state a motif, repeat it, vary it and breathe.

Phrases go in pairs: the first ends on the half bar and leaves its last beat silent, the second comes to rest on its
last bar line, on the tonic where the chord has it, and is silent for half a bar.

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
_UNDER: Final = 1.2  # cost of each semitone below the other parts
_DIMINISHED: Final = ("dim", "dim7", "hdim7")


@lru_cache(maxsize=2048)
def bar_rhythm(seed: int, bar: int, groups: tuple[int, ...], level: int) -> tuple[tuple[int, int], ...]:
    """(step, length in steps) of the notes of a bar; what is not covered is rest.

    bar: from 0, so that phrases begin with bar 1.  groups: lengths of the bar's groups in sixteenths (4 4 4 4 for
    4/4).  level: activity 1..5.  The third bar of a phrase varies the first two, the fourth comes to rest and is silent
    at its end.
    """
    place = bar % PHRASE_BARS
    motif = (seed, bar // (2 * PHRASE_BARS), "varied" if place == 2 else "stated")
    total = sum(groups)
    starts = [sum(groups[:index]) for index in range(len(groups))]
    rest_from = total
    last = _last_group(bar, groups)
    if last is not None and len(groups) > 1:
        rest_from = starts[(len(groups) + 1) // 2] if last == 0 else starts[-1]
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
        if last is not None and index >= last:
            cell = (0,) if index == last else ()  # the last note of the phrase is long
        onsets += [start + offset for offset in cell if start + offset < rest_from]
    ends = [*onsets[1:], rest_from]
    return tuple((onset, end - onset) for onset, end in zip(onsets, ends, strict=True))


def _last_group(bar: int, groups: tuple[int, ...]) -> int | None:
    """The group of the bar that the last note of its phrase begins on; None in bars that end no phrase."""
    if bar % PHRASE_BARS != PHRASE_BARS - 1:
        return None
    return 0 if bar // PHRASE_BARS % 2 else (len(groups) + 1) // 2


def is_last(bar: int, step: int, groups: tuple[int, ...]) -> bool:
    """Whether a note at a sixteenth of a bar closes a pair of phrases."""
    return step == 0 and _last_group(bar, groups) == 0


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


# size: one choice weighs them all.
def choose_pitch(
    chord: Chord,
    key: Key,
    span: tuple[int, int],
    before: int | None,
    target: float,
    strong: bool,
    floor: int | None = None,
    rest: int | None = None,
) -> int:
    """The next pitch of the tune in the inclusive range `span`.

    floor: it should not lie lower, since other parts play there.  rest: pitch class that it should come to rest on.
    """
    low, high = span
    tones = chord.pitch_classes()

    def under(pitch: int) -> float:
        return 0.0 if floor is None else _UNDER * max(floor - pitch, 0)

    if strong or before is None:
        candidates = [pitch for pitch in range(low, high + 1) if pitch % 12 in tones]
        if before is not None:
            near = [pitch for pitch in candidates if abs(pitch - before) <= _MAX_LEAP]
            candidates = near or candidates

        def cost(pitch: int) -> tuple[float, int]:
            move = 0 if before is None else abs(pitch - before)
            still = 2.5 if pitch == before else 0.0
            home = 8.0 if pitch % 12 == rest else 0.0
            return abs(pitch - target) + 0.4 * move + still + under(pitch) - home, pitch

        return min(candidates, key=cost)
    scale = scale_for(chord, key)
    steps = [p for p in range(max(low, before - 4), min(high, before + 4) + 1) if p % 12 in scale and p != before]
    if not steps:
        return before
    return min(steps, key=lambda pitch: (abs(pitch - target) + 0.9 * abs(pitch - before) + under(pitch), pitch))


def is_strong(weight: int, length_steps: int) -> bool:
    """Whether a note must be a chord tone: on a beat, or long."""
    return weight >= 2 or length_steps >= _LONG_STEPS
