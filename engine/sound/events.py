"""Notes and controllers in samples of the film's soundtrack: what the renderer plays.

Sample 0 is the picture's first frame.  Made from an arrangement, which is what the player sends as MIDI too.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from engine.arrange import Arrangement
from engine.arrange.timeline import effective_cues
from engine.music import PARTS, Composition, Controller, Note, TempoMap
from engine.sound.programs import DEFAULT_ENSEMBLE, Program, program_of
from engine.sound.voice import SAMPLE_RATE

_SUSTAIN, _PEDAL_DOWN = 64, 64


@dataclass(frozen=True, slots=True, order=True)
class SoundNote:
    """start, length: samples."""

    start: int
    pitch: int
    velocity: int
    length: int


@dataclass(frozen=True, slots=True)
class PartEvents:
    """One part: notes in order of time, and control changes as (sample, number, value)."""

    notes: tuple[SoundNote, ...] = ()
    changes: tuple[tuple[int, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class SoundEvents:
    """What sounds.

    length: of the soundtrack, samples.  ensembles: who plays from a sample on, in order; the first plays before it too.
    """

    length: int
    parts: Mapping[str, PartEvents] = field(default_factory=dict)
    ensembles: tuple[tuple[int, str], ...] = ((0, DEFAULT_ENSEMBLE),)

    def programs(self, part: str) -> tuple[tuple[int, Program], ...]:
        """(sample, program of the part from there on), in order."""
        return tuple((sample, program_of(name, part)) for sample, name in self.ensembles)


def sample_at(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)


def composition_events(composition: Composition, arrangement: Arrangement) -> SoundEvents:
    """Events of an arrangement, each cue played by the ensemble of its plan."""
    cues = effective_cues(composition)
    ensembles = sorted((sample_at(cues[plan.cue].in_s), plan.ensemble) for plan in composition.plans)
    return sound_events(
        arrangement.notes,
        arrangement.controllers,
        composition.tempo_map,
        composition.picture_starts_at_s,
        composition.film.duration_s,
        tuple(ensembles),
    )


def sound_events(
    notes: Iterable[Note],
    controllers: Iterable[Controller],
    tempo_map: TempoMap,
    picture_starts_at_s: float,
    duration_s: float,
    ensembles: tuple[tuple[int, str], ...] = (),
) -> SoundEvents:
    """Events of a film of `duration_s` seconds.  Notes that begin after it, or end before it begins, are left out."""
    length = sample_at(duration_s)

    def sample(beats: float) -> int:
        return sample_at(tempo_map.seconds_at(beats) - picture_starts_at_s)

    found: dict[str, list[SoundNote]] = {}
    changes: dict[str, list[tuple[int, int, int]]] = {}
    for note in notes:
        start, end = sample(note.start_beats), sample(note.end_beats)
        if start < length and end > 0:
            found.setdefault(note.part, []).append(SoundNote(start, note.pitch, note.velocity, max(end - start, 1)))
    for change in controllers:
        changes.setdefault(change.part, []).append((sample(change.time_beats), change.number, change.value))
    parts = {}
    for part in sorted({*found, *changes}, key=lambda name: (PARTS.index(name) if name in PARTS else 99, name)):
        curve = tuple(sorted(changes.get(part, ())))
        parts[part] = PartEvents(_pedalled(tuple(sorted(found.get(part, ()))), curve), curve)
    return SoundEvents(length, parts, ensembles or ((0, DEFAULT_ENSEMBLE),))


def _pedalled(notes: tuple[SoundNote, ...], changes: Iterable[tuple[int, int, int]]) -> tuple[SoundNote, ...]:
    """Notes that end while the sustain pedal (CC 64) is down last until it comes up, or until their key is struck."""
    pedal = [(sample, value >= _PEDAL_DOWN) for sample, number, value in changes if number == _SUSTAIN]
    if not any(down for _, down in pedal):
        return notes
    places = [sample for sample, _ in pedal]
    starts: dict[int, list[int]] = {}
    for note in notes:
        starts.setdefault(note.pitch, []).append(note.start)
    held = []
    for note in notes:
        end = note.start + note.length
        at = bisect_right(places, end) - 1
        if at >= 0 and pedal[at][1]:
            up = next((sample for sample, down in pedal[at + 1 :] if not down), end)
            following = starts[note.pitch]
            struck = bisect_left(following, end)
            end = min(up, following[struck]) if struck < len(following) else up
            note = replace(note, length=max(end - note.start, note.length))
        held.append(note)
    return tuple(held)
