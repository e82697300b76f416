"""What the guidance of "Follow the picture" does on the validation split, a row for each configuration.

    python tests/bench/guidance.py --data DATA [--songs 75] MOVES,STAYS,POWER[,TEMPERATURE] ...

MOVES and STAYS are `condition_scale` and `stay_scale` of models.decoding, POWER is what the film's mood is raised to:
4.5,1.5,4 is the default, 7,2,8 is 100 %.  Columns: agreement with the own film's smoothed mood less that with
another's; NLL without conditions; entropy; diatonic roots; changes a slot; different chords in 16 slots; r of the
valence that is heard with the one that is asked for, and how much more often the chord changes at a cut than elsewhere,
both where moods switch and with a judge fitted on the other half of the films.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import torch

from models.checkpoint import load_default
from models.conditioning import SHARPNESS, film_rows
from models.decoding import DecodingOptions
from models.film import EMOTION_COLUMNS, FilmInputs
from models.runtime import ChordNetwork, from_torch, single_threaded
from models.training import course, metrics
from models.training.composed import compose_all, film_inputs
from models.training.dataset import MuViSync
from models.training.evaluate import wrong_films
from models.training.freerun import judge


def part(whole: course.Probe, films: range) -> course.Probe:
    """The probe of some films."""
    kept = {field.name: getattr(whole, field.name) for field in fields(whole)}
    kept = {name: [rows[k] for k in films] for name, rows in kept.items() if name != "constant"}
    return course.Probe(constant=[[rows[k] for k in films] for rows in whole.constant], **kept)


def different(chords: list[int]) -> float:
    """Different chords in 16 slots, the mean."""
    return float(np.mean([len(set(chords[k : k + 16])) for k in range(0, max(1, len(chords) - 15), 8)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configurations", nargs="+")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--songs", type=int, default=75)
    arguments = parser.parse_args()
    single_threaded()
    torch.set_num_threads(1)
    songs = MuViSync(arguments.data).split("val")[: arguments.songs]
    model = load_default("amt")
    network = from_torch(model)
    assert isinstance(network, ChordNetwork)
    own = [film_inputs(song, song, smooth=True) for song in songs]
    other = [film_inputs(film, song, smooth=True) for song, film in zip(songs, wrong_films(songs), strict=True)]
    half = len(songs) // 2
    sys.stdout.write("configuration: own - other, NLL, entropy, diatonic, changes, different, valence r, cuts\n")
    for text in arguments.configurations:
        moves, stays, power, temperature = (*map(float, text.split(",")), 1.0)[:4]
        options = DecodingOptions(temperature, seed=1, guidance=0.0, condition_scale=moves, stay_scale=stays)

        def composed(
            films: list[FilmInputs], power: float = power, options: DecodingOptions = options
        ) -> list[list[int]]:
            rows = [film_rows(film.features[0, :, EMOTION_COLUMNS], 0.5 * power / SHARPNESS) for film in films]
            return compose_all(network, films, [replace(options, seed=1 + k) for k in range(len(films))], rows)

        found = []
        for song, film, mine, foreign in zip(songs, own, composed(own), composed(other), strict=True):
            row = judge(model, song, film, mine, smooth=True)
            felt = song.emotion_smooth.argmax(1)
            gap = row["agreement_smoothed"] - metrics.affect_agreement(np.asarray(foreign), felt)
            found.append([gap, *(row[name] for name in ("nll", "entropy", "diatonic", "change_rate")), different(mine)])
        probe = course.probe(network, own, options)
        folds = part(probe, range(half)), part(probe, range(half, len(songs)))
        read = [course.figures(*pair) for pair in (folds, folds[::-1])]
        ends = [np.mean([each[name].mean for each in read]) for name in ("valence_r", "cut_response_switching")]
        cells = ", ".join(f"{value:.3f}" for value in (*np.nanmean(found, axis=0), *ends))
        sys.stdout.write(f"{text}: {cells}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
