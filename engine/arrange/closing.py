"""How the tune of a cue comes to rest on its last chord."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.music import Chord

LATEST: Final = 0.6  # of the time that the chord rings, by which the tune has come to rest
_EPSILON: Final = 1e-6
_REACH: Final = 9  # semitones that a tune goes to its last tone, at most
_RESTS_ON: Final = {0: 0.0, 3: 0.6, 4: 0.6, 7: 1.2}  # what it would rather not rest on costs more


@dataclass(frozen=True, slots=True)
class Sung:
    """A tone of the tune: beats, pitch."""

    start: float
    end: float
    pitch: int


def rest_of_tune(
    before: Sung | None, after: Sequence[Sung], ring: float, out: float, chord: Chord, over: int
) -> tuple[Sung, ...]:
    """What a tune sounds over a last chord that is struck at `ring` and held until `out`.

    before: its last tone that began earlier, which may last into the chord; None where it paused.  after: what it would
    have sung.  It comes to rest on a tone of the chord: the one that it reaches, on the chord or from the step beside
    it, else the nearest that ends well.  over: it stays above this pitch.  () where it has nothing to end.
    """
    own = chord.pitch_classes()
    wanted = list(after)
    if before is not None and before.end > ring + _EPSILON:
        wanted.insert(0, Sung(ring, before.end, before.pitch))
    if wanted and wanted[0].start <= ring + 1.0 + _EPSILON and wanted[0].pitch > over:
        first, *later = wanted
        if first.pitch % 12 in own:
            return (Sung(first.start, out, first.pitch),)
        latest = ring + LATEST * (out - ring)
        resolves = later and 1 <= abs(later[0].pitch - first.pitch) <= 2 and later[0].pitch % 12 in own
        if resolves and over < later[0].pitch and later[0].start <= latest:
            return (Sung(first.start, later[0].start, first.pitch), Sung(later[0].start, out, later[0].pitch))
    if before is None and (not wanted or wanted[0].start > ring + 1.0 + _EPSILON):
        return ()  # too late to begin anything
    last = before.pitch if before is not None else wanted[0].pitch
    root = chord.root or 0

    def cost(pitch: int) -> tuple[float, int]:
        move = abs(pitch - last)
        way = 1.5 if move == 0 else 0.5 if move <= 2 else 0.6 * move
        return way + _RESTS_ON.get((pitch - root) % 12, 4.0), pitch

    reach = [pitch for pitch in range(last - _REACH, last + _REACH + 1) if pitch % 12 in own and pitch > over]
    return (Sung(ring, out, min(reach, key=cost)),) if reach else ()
