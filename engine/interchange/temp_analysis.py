"""What is counted of a temp track: of a MIDI file here, of sound by `engine.sound.temp_track` with the same counts.

Of what sounds only twelve sums a beat are looked at, and of these only the key and how often they change.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from engine.harmony.form import key_correlations
from engine.interchange.temp_track import RHYTHMS, TempTrack
from engine.midifile import read_midi
from engine.music import Key, Note, UserError
from engine.music.errors import shown

CHANGED: Final = 0.3  # cosine distance of two beats' sums; above it the chord is another one
CHANGE_COST: Final = 0.3  # of a triad for another, as a share of a beat that fits wholly (tests/bench/temp_track.py)
EVEN_DB: Final = 4.0  # between the softest and the loudest tenth: music that is nearer than this is even
SMOOTH_S: Final = 4  # the energy course is looked at through a window of so many seconds
SHORTEST_S: Final = 6  # of a stretch of equal energy
STAYS_S: Final = 2  # that a new level lasts before it is one


def temp_of_midi(path: Path) -> TempTrack:
    """What a MIDI file asks for.  Raises UserError."""
    score = read_midi(path)
    notes = [note for note in score.notes if note.part != "drums" and note.channel != 10]
    if not notes:
        raise UserError(f"{shown(path.name)} has no notes.")
    bars = score.tempo_map
    last = max(note.end_beats for note in notes)
    sums = beat_sums(notes, math.ceil(last))
    seconds = np.zeros(max(math.ceil(bars.seconds_at(last)), 1))
    for note in score.notes:
        start, end = max(bars.seconds_at(note.start_beats), 0.0), bars.seconds_at(note.end_beats)
        for second in range(int(start), min(math.ceil(end), len(seconds))):
            seconds[second] += note.velocity**2 * max(min(end, second + 1) - max(start, second), 0.0)
    several = len({change.bpm for change in bars.tempos}) > 1
    beats_a_bar = float(bars.meter_at(0).bar_beats)
    key, doubt = (score.key, "") if score.key is not None else sure_key(sums.sum(axis=0), sums)
    return TempTrack(
        path.name, round(bars.bpm_at(0), 2), several, key, bars_per_chord(sums, beats_a_bar),
        energy_course(np.sqrt(seconds)), (doubt,) if doubt else (),
    )  # fmt: skip


def beat_sums(notes: Sequence[Note], beats: int) -> np.ndarray:
    """(beats, 12): how long each pitch class sounds in each beat, low tones twice."""
    sums = np.zeros((max(beats, 1), 12))
    for note in notes:
        weight = 2.0 if note.pitch < 52 else 1.0
        for beat in range(max(int(note.start_beats), 0), min(math.ceil(note.end_beats), beats)):
            inside = min(note.end_beats, beat + 1) - max(note.start_beats, beat)
            sums[beat, note.pitch % 12] += weight * max(inside, 0.0)
    return sums


def key_of_sums(sums: np.ndarray) -> Key | None:
    """The key that twelve sums fit best; None where nothing sounds."""
    if not np.any(sums > 0):
        return None
    scores = key_correlations(sums)
    return max(scores, key=lambda key: scores[key])


# How much a triad speaks for a key, by semitones of its root over the tonic and whether it is minor; others: against.
_DEGREES: Final = {
    "major": {(0, 0): 1.0, (7, 0): 0.6, (5, 0): 0.5, (9, 1): 0.35, (2, 1): 0.35, (4, 1): 0.15},
    "minor": {(0, 1): 1.0, (7, 0): 0.6, (5, 1): 0.5, (8, 0): 0.4, (3, 0): 0.3, (10, 0): 0.3, (7, 1): 0.2},
}
_FOREIGN: Final = -0.5
_FIRST: Final = 0.15  # music begins with its tonic more often than with another chord


def key_of_chords(sums: np.ndarray) -> Key | None:
    """The key in which the triads of (times, 12) sums have the plainest places; None where nothing sounds."""
    sums = sums[np.linalg.norm(sums, axis=1) > 1e-9]
    if not len(sums):
        return None
    course = _steady(sums / np.linalg.norm(sums, axis=1)[:, None] @ _TRIADS.T)
    shares = np.bincount(course, minlength=24) / len(course)

    def worth(key: Key) -> float:
        degrees = _DEGREES[key.mode]
        own = sum(
            share * degrees.get(((triad - key.tonic) % 12, triad // 12), _FOREIGN) for triad, share in enumerate(shares)
        )
        return own + _FIRST * (course[0] == key.tonic + (12 if key.mode == "minor" else 0))

    return max((Key(tonic, mode) for mode in ("major", "minor") for tonic in range(12)), key=worth)


def sure_key(whole: np.ndarray, times: np.ndarray) -> tuple[Key | None, str]:
    """The key of recorded music, where what sounds in all (12,) and its triads in (times, 12) agree; else None and a
    sentence with both."""
    by_sums, by_chords = key_of_sums(whole), key_of_chords(times)
    if by_sums == by_chords or by_sums is None or by_chords is None:
        return by_sums, ""
    return None, (
        f"its key may be {by_sums.name} (by its tones) or {by_chords.name} (by its chords), so none is taken: give one "
        "with --key."
    )


def bars_per_chord(sums: np.ndarray, beats_a_bar: float = 4.0) -> str:
    """How many bars a chord lasts in the middle, as a word of RHYTHMS; "auto" where nothing changes."""
    lengths = np.linalg.norm(sums, axis=1)
    sounding = sums[lengths > 1e-9] / lengths[lengths > 1e-9, None]
    if len(sounding) < 2 * beats_a_bar:
        return "auto"
    apart = 1 - (sounding[1:] * sounding[:-1]).sum(axis=1)
    changes = np.flatnonzero(apart > CHANGED)
    return _word_of(changes, beats_a_bar)


def bars_per_chord_heard(sums: np.ndarray) -> str:
    """The same of recorded music, where a tune and overtones lie over the chords: (beats, 12) sums, each beat as the
    triad that fits it where it does not cost more to change (Viterbi).  Bars of three fall on the nearest word."""
    lengths = np.linalg.norm(sums, axis=1)
    if len(sums) < 8 or not (lengths > 1e-9).any():
        return "auto"
    fits = (sums / np.maximum(lengths, 1e-9)[:, None]) @ _TRIADS.T
    course = _steady(fits)
    changes = np.flatnonzero(np.diff(course)) + 1
    return _word_of(changes)


def _word_of(changes: np.ndarray, beats_a_bar: float = 4.0) -> str:
    if len(changes) < 2:
        return "auto"
    beats = float(np.median(np.diff(changes)))
    return min(RHYTHMS, key=lambda word: abs(math.log(RHYTHMS[word] * beats_a_bar / beats)))


def _triads() -> np.ndarray:
    """(24, 12): major and minor triads, of length 1."""
    rows = np.zeros((24, 12))
    for root in range(12):
        for row, third in ((root, 4), (root + 12, 3)):
            rows[row, [root, (root + third) % 12, (root + 7) % 12]] = 1 / math.sqrt(3)
    return rows


_TRIADS: Final = _triads()


def _steady(fits: np.ndarray) -> np.ndarray:
    """(beats,) the state of each beat on the best path: the sum of its fits less CHANGE_COST for each change."""
    totals, backs = fits[0].copy(), []
    for row in fits[1:]:
        best = int(np.argmax(totals))
        leaves = totals[best] - CHANGE_COST > totals
        backs.append(np.where(leaves, best, np.arange(len(totals))))
        totals = np.where(leaves, totals[best] - CHANGE_COST, totals) + row
    path = [int(np.argmax(totals))]
    for back in reversed(backs):
        path.append(int(back[path[-1]]))
    return np.array(path[::-1])


def energy_course(loudness: np.ndarray) -> tuple[tuple[float, float], ...]:
    """(from second, 0 to 100) of stretches of equal energy.  loudness: (seconds,) amplitudes, of any unit.

    A stretch is one of five levels between the softest and the loudest tenth; what is shorter than SHORTEST_S belongs
    to what came before.
    """
    if not len(loudness):
        return ()
    window = np.ones(min(SMOOTH_S, len(loudness)))
    smooth = np.convolve(
        np.pad(loudness, (len(window) // 2, len(window) - 1 - len(window) // 2), "edge"), window, "valid"
    )
    low, high = np.percentile(smooth, [10, 90])
    if high <= 0 or 20 * math.log10(high / max(low, 1e-9 * high)) < EVEN_DB:
        return ((0.0, 50.0),)
    places = np.clip((smooth - low) / (high - low), 0, 1)
    steps = np.clip(np.round(places * 4), 0, 4)
    rows: list[tuple[float, float]] = []
    for second, step in enumerate(steps):
        level = 10.0 + 20.0 * float(step)
        if rows and step != steps[min(second + STAYS_S, len(steps) - 1)]:
            continue  # on its way from one level to another
        if not rows or (level != rows[-1][1] and second - rows[-1][0] >= SHORTEST_S):
            rows.append((float(second), level))
    merged = rows[:1]
    for row in rows[1:]:
        if row[1] != merged[-1][1]:
            merged.append(row)
    return tuple(merged)
