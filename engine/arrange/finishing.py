"""From what parts strike on the grid to notes: swing, note length, looseness, the held breath before a hit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.arrange.chance import noise
from engine.arrange.options import ArrangeOptions, PartOptions
from engine.arrange.parts import Strike
from engine.arrange.timeline import STEP, Bars, Segment
from engine.music import Note, TempoMap

_EPSILON: Final = 1e-9
SHORTEST: Final = STEP / 8


@dataclass(frozen=True, slots=True)
class Played:
    """A note with the place on the grid that it belongs to."""

    grid_beats: float
    note: Note


@dataclass(frozen=True, slots=True)
class Finisher:
    """Finishes strikes of any segment of one arrangement."""

    options: ArrangeOptions
    bars: Bars
    tempo_map: TempoMap

    def finish(self, part: str, options: PartOptions, segment: Segment, strikes: list[Strike]) -> list[Played]:
        bars, swing = self.bars, self.options.swing
        if part == "pad":
            length = min(options.note_length or 100.0, 100.0) / 100
        else:
            length = (self.options.note_length if options.note_length is None else options.note_length) / 100
        if segment.ending:
            length = 1.0
        played = []
        next_start: dict[int, float] = {}
        for strike in reversed(strikes):
            start = self._loosened(part, strike, bars.swung(strike.start, swing), segment)
            end = bars.swung(strike.end, swing) if strike.end < segment.end - _EPSILON else strike.end
            if segment.breath and part != "drums" and segment.next_accent is not None:
                hush = segment.next_accent - STEP
                if strike.start > hush - _EPSILON:
                    continue
                end = min(end, hush)
            held = strike.end > segment.end  # into the next chord, where its pitch may be struck again, a little early
            early = self._reach(strike.end) if part == "melody" else 0.0
            limit = next_start.get(strike.pitch, strike.end - early if held else segment.end)
            # Played loosely, but never past what follows, nor into what sounded before the chord: two strikes nearer to
            # each other than the shortest note would push the first of them there.
            first = min(strike.start, segment.start)
            if limit - first < _EPSILON:
                continue
            start = max(min(start, limit - SHORTEST), first)
            end = min(start + (end - start) * length, limit)
            end = max(end, min(start + SHORTEST, limit))
            next_start[strike.pitch] = start
            note = Note(strike.pitch, strike.velocity, start, end - start, options.channel, part)
            played.append(Played(strike.start, note))
        return played

    def _loosened(self, part: str, strike: Strike, start: float, segment: Segment) -> float:
        if self.options.looseness_ms == 0:
            return start
        # The same place is always moved by the same amount, whichever way it was reached.
        moved = 2 * noise(part, strike.pitch, f"{strike.start:.4f}") - 1
        return max(start + moved * self._reach(strike.start), segment.start)

    def _reach(self, at_beats: float) -> float:
        """How far, in beats, looseness moves a strike at most: less than half the way to the nearest neighbour, so that
        the order of notes stays."""
        beats = self.options.looseness_ms / 1000 * self.tempo_map.bpm_at(at_beats) / 60
        return min(beats, (STEP * (2 - self.options.swing / 50) - 1.1 * SHORTEST) / 2)
