"""How far a composition lies from what its score should be: the rows of `engine.commands.score_music` as one number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from engine.arrange import arrange
from engine.arrange.rhythm import merge_runs
from engine.commands.score_metrics import Sounding
from engine.commands.score_music import music_rows
from engine.midifile import MidiScore
from engine.music import Composition

# row: lowest and highest that is as it should be, and by how much a row is one worse.
AIMS: Final[Mapping[str, tuple[float, float, float]]] = {
    "second inversions": (0.0, 0.0, 0.1),
    "m7 to IV7": (0.0, 0.0, 1.0),
    "dim7 held over 2 beats": (0.0, 0.0, 1.0),
    "V-I moves": (0.0, 0.15, 0.15),
    "theme statements": (1.0, math.inf, 2.0),
    "leaps turned back": (0.6, 1.0, 0.3),
    "thirds in the tune": (0.07, 0.29, 0.15),
    "bar rhythms heard before": (0.2, 0.8, 0.2),
    "pad under the tune": (0.95, 1.0, 0.2),
    "literal repeats": (0.0, 0.1, 0.1),
    "arp doubles the pad": (0.0, 0.25, 0.25),
    "parallels in the pad": (0.0, 0.01, 0.15),
    "upper voices, semitones": (0.0, 2.0, 1.0),
    "accented dissonances": (0.25, 1.0, 0.25),
    "notes after the end": (0.0, 0.0, 1.0),
    "picture, slow": (0.5, 0.8, 0.5),
    "picture, fast": (-1.0, 0.25, 0.5),
}


def distance(rows: Mapping[str, float]) -> float:
    """0 where every row is within its aims; what is not known does not count."""
    total = 0.0
    for name, (low, high, scale) in AIMS.items():
        value = rows.get(name, math.nan)
        if not math.isnan(value):
            total += max(low - value, value - high, 0.0) / scale
    return total


def judged(composition: Composition, motion: tuple[float, ...]) -> float:
    """The distance of a composition as it is arranged.  motion: of the picture, per second."""
    arrangement = arrange(composition)
    chords = [
        Sounding(run.chord, run.start_s, run.end_s, run.start_beats, run.end_beats)
        for run in merge_runs(composition.slots)
    ]
    if not arrangement.notes:
        return math.inf
    score = MidiScore(arrangement.notes, arrangement.controllers, composition.tempo_map)
    starts_s = composition.picture_starts_at_s
    return distance(music_rows(score, chords, motion, composition.film.duration_s, starts_s))
