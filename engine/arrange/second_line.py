"""A second line under a tune: what a chamber ensemble's second voice plays in a bar that has the tune.

It lies about a sixth under the tune, goes against it, rises and falls over four bars, and moves by step where the tune
holds a tone or rests.  All of a bar follows from the bar itself, so that nothing hangs on where arranging began.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.music import Chord
from engine.music.tune import TuneNote

SIXTH: Final = 8.5  # semitones that the line lies under the middle of the tune
CLEAR: Final = 3  # semitones that it stays under each of the tune's tones
LONG: Final = 2.0  # beats: where the line stays so long, or leaps, it has a tone of the chord; so long the tune holds
_AGAINST: Final = 0.4  # of what the tune lies over its middle, by which the line goes down
_COURSE: Final = (0.0, 2.5, 0.0, -2.5)  # semitones by which it rises and falls over four bars
_EPSILON: Final = 1e-6

Figure = Sequence[Sequence[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class LineBar:
    """A bar, or what of it has one chord, with the tune over it.

    start, end: beats.  line: beat of the bar line.  chord: as it sounds.  scale: pitch classes.  guides: those of the
    chord's that the line would rather begin on.  span: lowest and highest pitch of the part.  held: pitches of a pad.
    tune: the tune's notes that sound there, at the pitch at which they sound.  mean: the middle of their statement.
    number: of the bar in its section.  figure: (beat, steps of the scale) of four bars.
    """

    start: float
    end: float
    line: float
    chord: Chord
    scale: frozenset[int]
    guides: frozenset[int]
    span: tuple[int, int]
    held: tuple[int, ...]
    tune: tuple[TuneNote, ...]
    mean: float
    number: int
    figure: Figure


def second_line(bar: LineBar) -> list[tuple[float, float, int]]:
    """(start, end, pitch) of what the line plays in a bar; [] where it has no room under the tune."""
    low, high = bar.span
    high = min([high, *(note.pitch - CLEAR for note in bar.tune)])
    own = set(bar.chord.pitch_classes())
    tones = [pitch for pitch in range(low, high + 1) if pitch % 12 in own]
    if not tones:
        return []
    here = min(tones, key=lambda pitch: _cost(bar, pitch))
    ladder = sorted({here, *(pitch for pitch in range(low, high + 1) if pitch % 12 in bar.scale)})
    found = [(bar.start, here)]
    for beat, steps in _moves(bar):
        index = ladder.index(here) + steps
        if not 0 <= index < len(ladder):
            index -= 2 * steps  # what has no room above goes below
        pitch = ladder[min(max(index, 0), len(ladder) - 1)]
        if abs(pitch - found[-1][1]) > 2 or any(abs(pitch - each) == 1 for each in bar.held):
            pitch = _onto_chord(tones, pitch, pitch > here)
        if pitch != found[-1][1]:
            found.append((bar.line + beat, pitch))
    return _resting_on_chords(bar, found, tones)


def _resting_on_chords(
    bar: LineBar, found: list[tuple[float, int]], tones: list[int]
) -> list[tuple[float, float, int]]:
    """What is found, (start, pitch) each, with tones of the chord where it stays."""
    line: list[tuple[float, float, int]] = []
    end = bar.end
    for number in range(len(found) - 1, -1, -1):
        start, pitch = found[number]
        if end - start >= LONG - _EPSILON or (line and line[0][2] not in tones and abs(line[0][2] - pitch) > 2):
            pitch = _onto_chord(tones, pitch, number > 0 and pitch > found[number - 1][1])
        if number and pitch == found[number - 1][1]:
            continue  # the tone before lasts as long
        line.insert(0, (start, end, pitch))
        end = start
    return line


def _cost(bar: LineBar, pitch: int) -> tuple[bool, float, int]:
    """How badly a tone of the chord begins a bar: what a pad holds is nothing new, what doubles the tune no line."""
    sung = next((note.pitch for note in bar.tune if _sounds(note, bar.start)), bar.tune[0].pitch)
    target = bar.mean - SIXTH + _COURSE[bar.number % len(_COURSE)] - _AGAINST * (sung - bar.mean)
    guide, doubles = pitch % 12 in bar.guides, (pitch - sung) % 12 == 0
    return pitch in bar.held, abs(pitch - target) + (0.0 if guide else 1.5) + (3.0 if doubles else 0.0), pitch


def _moves(bar: LineBar) -> list[tuple[int, int]]:
    """Where the line moves, and by how many steps from its first tone: as its figure does in this bar, or in the first
    after it that moves where the tune lets it."""
    if bar.start > bar.line + _EPSILON:
        return []
    for more in range(len(bar.figure)):
        row = bar.figure[(bar.number + more) % len(bar.figure)]
        found = [
            (beat, steps - row[0][1])
            for beat, steps in row[1:]
            if bar.line + beat < bar.end - _EPSILON and holds(bar.tune, bar.line + beat)
        ]
        if any(steps for _, steps in found):
            return found
    return []


def holds(tune: Sequence[TuneNote], beats: float) -> bool:
    """Whether another line may move at a position: the tune rests there, or lasts."""
    note = next((note for note in tune if _sounds(note, beats)), None)
    return note is None or (note.length_beats >= LONG and note.start_beats < beats - _EPSILON)


def _sounds(note: TuneNote, beats: float) -> bool:
    return note.start_beats <= beats + _EPSILON < note.start_beats + note.length_beats


def _onto_chord(tones: list[int], pitch: int, up: bool) -> int:
    """The tone of the chord that is the nearest to a pitch, of two as near the one on that side."""
    return min(tones, key=lambda tone: (abs(tone - pitch), (tone > pitch) != up))
