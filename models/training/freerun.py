"""Does what is composed freely follow the film?  Own film against another, same seeds, same options.

Every song of a split is composed twice from the tonic, once on its own film and once on another video's features
(everything else equal); both are judged by the song's *own* film.  A net that ignores the picture scores the
same twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import torch

from models.amt import AffectiveMultimodalTransformer
from models.conditioning import film_rows
from models.decoding import DecodingOptions
from models.film import EMOTION_COLUMNS, FilmInputs
from models.runtime import ChordNetwork, from_torch
from models.training import metrics
from models.training.composed import compose_all, film_inputs, options_at
from models.training.dataset import Song
from models.training.evaluate import wrong_films
from models.training.metrics import Estimate

GUIDANCE: Final = (0.5, 1.0)


@torch.no_grad()
def nll_per_slot(model: AffectiveMultimodalTransformer, film: FilmInputs, chords: Sequence[int]) -> float:
    """Mean NLL in nats of composed chords under the net without guidance, END and PAD excluded."""
    tokens = torch.tensor([list(chords)])
    given = (film.features, film.minor, film.valid, film.semantic_present, film.emotion_present)
    features, minor, valid, semantic, emotion = (torch.from_numpy(array) for array in given)
    logits = model(
        features,
        tokens[:, :-1],
        minor,
        valid=valid,
        semantic_present=semantic,
        emotion_present=emotion,
        ends=film.ends,
    )[..., : metrics.VOCABULARY_SIZE]
    picked = torch.log_softmax(logits, -1).gather(-1, tokens[:, 1:, None])
    return float(-picked.mean())


def judge(
    model: AffectiveMultimodalTransformer, song: Song, own: FilmInputs, chords: Sequence[int], *, smooth: bool
) -> dict[str, float]:
    """Metrics of composed chords against the song's own film; agreement with the raw and the smoothed emotion."""
    array = np.asarray(chords)
    return {
        "agreement": metrics.affect_agreement(array, song.emotion.argmax(1)),
        "agreement_smoothed": metrics.affect_agreement(array, song.emotion_smooth.argmax(1)),
        "nll": nll_per_slot(model, own, chords),
        "entropy": metrics.chord_entropy(array),
        "diatonic": metrics.diatonic_rate(array),
        "change_rate": metrics.change_rate(array),
        "rests": float((array == 0).mean()),
    }


def _same(first: Sequence[int], second: Sequence[int]) -> float:
    return float(np.mean(np.asarray(first) == np.asarray(second)))


def compare(
    model: AffectiveMultimodalTransformer,
    songs: Sequence[Song],
    *,
    smooth: bool,
    strengths: Sequence[float] = GUIDANCE,
    options: DecodingOptions | None = None,
    say: Callable[[str], None] | None = None,
) -> dict[str, dict[str, Estimate]]:
    """Rows by strength: metrics on the own film, `…_gap` = own minus other film, `divergence` = share of slots at which
    the two films got different chords, `same_in_two_takes` = share that two takes of one film have in common,
    `nll_rise` = relative rise of NLL against strength 0.  NLL is that of the network shown no conditions.

    The row "truth" holds the real chords' figures.
    """
    base = options or DecodingOptions(seed=1)
    others = wrong_films(songs)
    table: dict[float, list[dict[str, float]]] = {strength: [] for strength in (0.0, *strengths)}
    own_films = [film_inputs(song, song, smooth=smooth) for song in songs]
    other_films = [film_inputs(other, song, smooth=smooth) for song, other in zip(songs, others, strict=True)]
    composed, misled, again = {}, {}, {}
    network = from_torch(model)
    assert isinstance(network, ChordNetwork)
    conditioned = network.config.condition_width > 0
    for strength in table:
        own_rows, other_rows = (
            [film_rows(film.features[0, :, EMOTION_COLUMNS], strength) for film in films] if conditioned else None
            for films in (own_films, other_films)
        )
        if say is not None:
            say(f"guidance {strength:.0%}")
        at = options_at(base, strength, conditioned)
        used = [replace(at, seed=base.seed + index) for index in range(len(songs))]
        composed[strength] = compose_all(network, own_films, used, own_rows)
        misled[strength] = compose_all(network, other_films, used, other_rows)
        other_draws = [replace(option, seed=option.seed + 10_000) for option in used]
        again[strength] = compose_all(network, own_films, other_draws, own_rows)
    truth = []
    for index, (song, own) in enumerate(zip(songs, own_films, strict=True)):
        truth.append(judge(model, song, own, song.chords.tolist(), smooth=smooth))
        for strength, rows in table.items():
            right_chords, wrong_chords = composed[strength][index], misled[strength][index]
            right = judge(model, song, own, right_chords, smooth=smooth)
            shown_wrong = judge(model, song, own, wrong_chords, smooth=smooth)
            row = dict(right)
            row |= {f"{name}_gap": right[name] - shown_wrong[name] for name in ("agreement", "agreement_smoothed")}
            row["divergence"] = 1.0 - _same(right_chords, wrong_chords)
            row["same_in_two_takes"] = _same(right_chords, again[strength][index])
            row["nll_rise"] = right["nll"] / table[0.0][index]["nll"] - 1 if strength else 0.0
            rows.append(row)
    out = {
        f"guidance {strength:.0%}": {name: metrics.summarise(values) for name, values in metrics.collect(rows).items()}
        for strength, rows in table.items()
    }
    unguided = np.mean([row["nll"] for row in table[0.0]])
    for strength, rows in table.items():  # the ratio of means, beside the mean of ratios
        ratio = float(np.mean([row["nll"] for row in rows]) / unguided - 1)
        out[f"guidance {strength:.0%}"]["nll_rise_of_means"] = Estimate(ratio, ratio, ratio, len(rows))
    out["truth"] = {name: metrics.summarise(values) for name, values in metrics.collect(truth).items()}
    return out
