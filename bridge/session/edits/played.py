"""What was played becomes chords: a chord that was held, a bass note that was held.  Positions are picture seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bridge.session.edits import Edit
from bridge.session.now import Now
from engine.document import ChordBlock, Document, Pin
from engine.document.compare import plan_of
from engine.music import Chord
from engine.music.arguments import ControlError
from engine.music.played_chord import played_chord

EARLY_BEATS: Final = 0.5  # what is struck this much before a bar line while it rolls is meant for the bar
MOST_PITCHES: Final = 10


def hold_chord(document: Document, now: Now, pitches: Sequence[int], at_s: float | None = None) -> Edit:
    """Pins the chord of these pitches over the bar that a picture second (default: the playhead) lies in; the pad plays
    just these.  Raises MusicError for fewer than three tones."""
    voicing = tuple(sorted(set(pitches)))
    if len(voicing) > MOST_PITCHES or any(not 0 <= pitch <= 127 for pitch in voicing):
        raise ControlError("bad_value", f"a chord is up to {MOST_PITCHES} notes from 0 to 127.")
    chord = played_chord(voicing)
    low_s, high_s = _bar(document, now.position_s if at_s is None else at_s, EARLY_BEATS if now.rolling else 0.0)
    made = document.with_pin(Pin(low_s, high_s, chord, "", True, voicing))
    return Edit(made, f"play {document.chord_name(chord)}", heard_s=low_s)


def pedal(document: Document, now: Now, pitch_class: int, at_s: float | None = None) -> Edit:
    """Puts a bass under all chords of the loop; without one of the section that plays at a picture second (default: the
    playhead), of a cue without sections of the bar.  One edit."""
    place_s = now.position_s if at_s is None else at_s
    if now.loop is not None and now.loop[0] <= place_s < now.loop[1]:
        low_s, high_s = now.loop
    else:
        plan = plan_of(document, document.cue)
        section = None if plan is None else plan.section_at(place_s)
        inside = section is not None and section.start_s <= place_s < section.end_s
        low_s, high_s = (section.start_s, section.end_s) if section and inside else _bar(document, place_s)
    changed = document
    for block in document.blocks(low_s + 1e-3, high_s - 1e-3):
        if not block.chord.is_silence:
            changed = changed.with_pin(_over(document, block, pitch_class, low_s, high_s))
    if changed is document:
        raise ControlError("bad_value", f"no chord plays at {place_s:.2f} s.")
    first = min(max(each.start_s, low_s) for each in document.blocks(low_s + 1e-3, high_s - 1e-3))
    return Edit(changed, f"pedal {Chord(pitch_class, 'maj')}", heard_s=first)


def _over(document: Document, block: ChordBlock, bass: int, low_s: float, high_s: float) -> Pin:
    start_s, end_s = max(block.start_s, document.sixteenth(low_s)[0]), min(block.end_s, document.sixteenth(high_s)[0])
    voicing = block.pin.voicing if block.pin is not None else ()
    return Pin(start_s, end_s, replace(block.chord, bass=bass), "", True, voicing)


def _bar(document: Document, at_s: float, early_beats: float = 0.0) -> tuple[float, float]:
    """From when to when the bar lasts that a picture second is meant for, as far as there is music.

    Raises ControlError.
    """
    result = document.result
    if not result.slots or not result.slots[0].start_s - 1.0 <= at_s < result.slots[-1].end_s:
        raise ControlError("bad_value", f"there is no music at {at_s:.2f} s.")
    tempo_map, starts_s = result.tempo_map, result.starts_s
    bar = tempo_map.bar_at(tempo_map.beats_at(at_s + starts_s) + max(early_beats, 1e-6))
    edges = (tempo_map.seconds_at(float(tempo_map.bar_start(each))) - starts_s for each in (bar, bar + 1))
    low_s, high_s = (document.sixteenth(edge)[0] for edge in edges)
    low_s, high_s = max(low_s, result.slots[0].start_s), min(high_s, result.slots[-1].end_s)
    if high_s - low_s < 1e-3:
        raise ControlError("bad_value", f"there is no music at {at_s:.2f} s.")
    return low_s, high_s
