"""What training varies at random."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Variation:
    """What training varies at random; probabilities per song.  The defaults vary nothing."""

    transpose: float = 0.0  # to any of the other eleven keys
    drop_semantic: float = 0.0
    drop_emotion: float = 0.0
    drop_film: float = 0.0  # all columns at once
    noise_emotion: float = 0.0  # mixed with a random distribution that stays for the song
    permute_emotion: float = 0.0  # the rows of the emotion columns in random order
    other_film: float = 0.0  # the picture of another song: keeps the net from knowing songs by their pictures
    noise_features: float = 0.0  # relative noise on semantic and motion columns, standard deviation


@dataclass(frozen=True, slots=True)
class LabelVariation:
    """What training varies.  Times in slots (seconds); shares are probabilities per song or per boundary."""

    drop_all: float = 0.25  # neither mood nor boundaries
    drop_mood: float = 0.1  # besides
    drop_boundaries: float = 0.2  # besides
    window_s: tuple[float, float] = (5.0, 12.0)
    knots_s: tuple[float, float] = (3.0, 6.0)
    noise: float = 0.35  # of the normal scores, standard deviation, a fresh one at each knot
    decided: tuple[float, float] = (1.0, 4.0)  # factor of the scores before the softmax
    spacing_s: tuple[float, float] = (4.0, 24.0)  # of boundaries
    drop_boundary: float = 1 / 3
    jitter: float = 0.2  # of boundaries, one slot early or late
    drop_sections: float = 1.0  # whatever else is dropped; 1 = never there
    section_s: tuple[float, float] = (16.0, 48.0)  # of the cuts between sections


@dataclass(frozen=True, slots=True)
class ChordVariation:
    """Which chords a regressor reads in training; shares of songs, the rest reads none.

    true: the song's own.  resampled: drawn anew slot by slot by the chord network, each after the song's own chords.
    film: composed freely by it with the film's mood; it is done for every `film_every`-th song, the others' are
    resampled.  noise: share of songs in which runs of chords are spoiled besides.
    """

    true: float = 0.3
    resampled: float = 0.25
    film: float = 0.35
    film_every: int = 4
    noise: float = 0.4
