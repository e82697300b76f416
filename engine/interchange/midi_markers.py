"""Markers and cue points of a Standard MIDI File: seconds of the DAW's timeline."""

from __future__ import annotations

from fractions import Fraction

from engine.interchange.markers import MarkerError, MarkerFile, RawMarker, check_count, clean
from engine.midi_scrub import is_whole
from engine.midifile import read_midi_bytes
from engine.music.errors import MusicError, shown


def read_midi_markers(data: bytes, name: str) -> MarkerFile:
    """Raises MarkerError."""
    try:
        score = read_midi_bytes(data, name)
    except MusicError as error:
        raise MarkerError(str(error)) from None
    if not is_whole(data):
        raise MarkerError(f"{shown(name)} is cut short or damaged, and nothing was taken from it: export it again.")
    check_count(len(score.markers), name)
    if not score.markers:
        raise MarkerError(f"{shown(name)} holds no markers.")
    made = []
    for number, each in enumerate(score.markers, start=1):
        beats = Fraction(each.beats).limit_denominator(32_767)  # the most ticks that a beat may have
        made.append(RawMarker(number, clean(each.text), score.tempo_map.seconds_at_exact(beats)))
    return MarkerFile(name, tuple(made), on_timeline=True)
