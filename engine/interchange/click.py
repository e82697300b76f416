"""A click with count-in bars, as MIDI notes and as sound; and a guide part of block chords.

Beats are quarter notes of the composition's tempo map; the count-in lies before the bar in which the music begins.
"""

from __future__ import annotations

import io
import math
import wave
from fractions import Fraction
from typing import Final

import numpy as np

from engine.interchange.piece import Piece
from engine.music import Note
from engine.music.controls import CLICK_CHANNEL

ACCENT, BEAT = 76, 77  # General MIDI percussion: high and low woodblock
GUIDE_CHANNEL: Final = 5
GUIDE_VELOCITY: Final = 80
SAMPLE_RATE: Final = 48_000
_CLICK_S: Final = 0.03
_TONES: Final = {ACCENT: 1760.0, BEAT: 1174.7}


def click_notes(piece: Piece, count_in_bars: int = 1) -> tuple[Note, ...]:
    """A note on each beat (a dotted quarter where the meter groups by three eighths), high on bar lines."""
    tempo_map = piece.tempo_map
    first = tempo_map.bar_at(piece.composition.beats_at_picture(piece.start_s) + 1e-9) - count_in_bars
    end = Fraction(piece.composition.beats_at_picture(piece.end_s)).limit_denominator(960)
    notes = []
    bar = first
    while (line := tempo_map.bar_start(bar)) < end:
        beat = line
        following = tempo_map.bar_start(bar + 1)
        for index, length in enumerate(tempo_map.meter_at(line).groups):
            if beat >= min(following, end):
                break
            pitch, velocity = (ACCENT, 120) if index == 0 else (BEAT, 90)
            notes.append(Note(pitch, velocity, float(beat), 0.125, CLICK_CHANNEL, "click"))
            beat += length
        bar += 1
    return tuple(notes)


def click_start_s(piece: Piece, count_in_bars: int = 1) -> float:
    """The picture second of the sound's first sample."""
    notes = click_notes(piece, count_in_bars)
    return piece.composition.picture_at_beats(notes[0].start_beats) if notes else piece.start_s


def click_sound(piece: Piece, count_in_bars: int = 1) -> bytes:
    """The click as a .wav file (mono, 48 kHz, 16 bit), from `click_start_s` on."""
    notes = click_notes(piece, count_in_bars)
    composition, begin_s = piece.composition, click_start_s(piece, count_in_bars)
    length = max(math.ceil((piece.end_s - begin_s) * SAMPLE_RATE), 1)
    samples = np.zeros(length + SAMPLE_RATE // 10, np.float32)
    ticks = np.arange(round(_CLICK_S * SAMPLE_RATE)) / SAMPLE_RATE
    shapes = {
        pitch: (np.sin(2 * np.pi * hertz * ticks) * np.exp(-ticks * 120)).astype(np.float32)
        for pitch, hertz in _TONES.items()
    }
    for note in notes:
        at = round((composition.picture_at_beats(note.start_beats) - begin_s) * SAMPLE_RATE)
        shape = shapes[note.pitch]
        samples[at : at + len(shape)] += shape[: max(len(samples) - at, 0)] * (note.velocity / 160)
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((np.clip(samples[:length], -1, 1) * 32767).astype("<i2").tobytes())
    return data.getvalue()


def guide_notes(piece: Piece) -> tuple[Note, ...]:
    """Root-position block chords on each change, which name the chords for a DAW's own players on its chord track.

    Roots lie from C3 to B3 (MIDI 48 to 59), a foreign bass an octave lower, extensions above: 36 to 81 in all.
    """
    from engine.arrange.rhythm import merge_runs

    notes = []
    low, high = piece.span_beats
    for run in merge_runs(piece.composition.slots):
        if run.chord.root is None or not low <= run.start_beats < high:
            continue
        root = 48 + run.chord.root
        pitches = [root + interval for interval in run.chord.intervals()]
        if run.chord.bass is not None:
            bass = 36 + run.chord.bass
            pitches = [bass, *pitches]
        length = run.end_beats - run.start_beats
        notes += [Note(pitch, GUIDE_VELOCITY, run.start_beats, length, GUIDE_CHANNEL, "guide") for pitch in pitches]
    return tuple(notes)
