"""Tempo and bar lines that cues and sections ask for, put into a tempo map.

A cue may begin its own bar 1 and its own tempo, a section another tempo; both say where by the picture, so the beat of
each depends on the tempi before it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from engine.music.composition import Section
from engine.music.meter import MeterChange, TempoChange, TempoMap, TimeSignature

GRAIN: Final = 960  # marks stand on this part of a beat: half a millisecond, and a whole tick of a MIDI file


@dataclass(frozen=True, slots=True)
class TempoMark:
    """At a picture second: bpm (None: as before), whether a bar begins there, and in which meter (None: as before)."""

    time_s: float
    bpm: float | None = None
    bar_line: bool = False
    meter: TimeSignature | None = None


def section_marks(sections: Iterable[Section]) -> tuple[TempoMark, ...]:
    """The tempi and bar lines that sections ask for.  Raises MusicError for a meter that is none."""
    marks = []
    for section in sections:
        changes = dict(section.changes)
        tempo, meter = changes.get("bpm", changes.get("tempo")), changes.get("meter")
        if tempo is not None or meter is not None:
            own = None if meter is None else TimeSignature.parse(meter)
            marks.append(TempoMark(section.start_s, None if tempo is None else float(tempo), own is not None, own))
    return tuple(marks)


def marked(base: TempoMap, marks: Iterable[TempoMark], picture_starts_at_s: float) -> TempoMap:
    """The map with the marks in it; without any the map itself.  Raises MusicError for an impossible tempo."""
    result = base
    for mark in sorted(marks, key=lambda mark: (mark.time_s, not mark.bar_line)):
        exact = result.beats_at_exact(Fraction(mark.time_s + picture_starts_at_s).limit_denominator(1_000_000))
        beat = Fraction(round(exact * GRAIN), GRAIN)
        if beat < 0:
            continue
        meter = mark.meter or result.meter_at(beat)
        if mark.bar_line and (result.next_bar(beat) != beat or meter != result.meter_at(beat)):
            meters = [change for change in result.meters if change.beat < beat]
            later = [change for change in result.meters if change.beat > beat]
            here = MeterChange(beat, meter)
            result = replace(result, meters=(*meters, here, *later))
        if mark.bpm is not None and abs(result.bpm_at(float(beat)) - mark.bpm) > 1e-9:
            tempos = [change for change in result.tempos if change.beat < beat]
            here_too = TempoChange(beat, Fraction(repr(float(mark.bpm))))
            # A tempo holds until the next mark that has one: what the map says later of itself stays.
            after = [change for change in result.tempos if change.beat > beat]
            result = replace(result, tempos=(*tempos, here_too, *after))
    return result
