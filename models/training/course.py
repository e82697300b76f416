"""Does the harmony express what it is asked to?  Probes of the conditioning, judged by what shares no table with it.

Every film of a split is composed freely, from the tonic, under mood courses and cuts that are made up here:

* *constant*: each of the five moods in turn.  A judge is fitted on the validation split's compositions (how often each
  chord occurs under each mood: naive Bayes, counts alone) and asked on the test split's which mood a passage was
  composed for, from sixteen chords, from sixteen slots, and from chords whose quality is hidden.
* *switching*: another mood every eight to sixteen slots.  The judge names each passage; the course of its
  valence is correlated with the course that was asked for.
* *cuts*: boundaries six to fourteen slots apart, under a constant and under a switching mood: how much more often
  does the chord change there than elsewhere?

The judge knows neither Table 1 nor the labels' evidence; it knows only what the network itself tends to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from engine.music.chord import VOCABULARY_SIZE
from engine.music.mood import EMOTION_CIRCUMPLEX
from models.amt import AffectiveMultimodalTransformer
from models.conditioning import condition_rows, smoothed
from models.decoding import DecodingOptions
from models.film import FilmInputs
from models.runtime import ChordNetwork, from_torch
from models.training import metrics
from models.training.composed import compose_all, film_inputs, options_at
from models.training.dataset import MuViSync, Split
from models.training.metrics import Estimate
from models.vocabulary import ATTRIBUTE_OF, EMOTIONS, NEUTRAL, ROOT_OF

MOODS: Final = EMOTIONS[:NEUTRAL]
SLOTS: Final = 72  # of each probe
PASSAGE: Final = 16  # chords or slots that the judge is given
_SMOOTHING: Final = 0.5  # added to the judge's counts
_VALENCE: Final = np.array([EMOTION_CIRCUMPLEX[name][0] for name in MOODS])


def mood_rows(mood: int, length: int) -> np.ndarray:
    """(length, 6): one mood throughout, as decided as a film's sharpened mood is (a tenth is neutral)."""
    rows = np.zeros((length, len(EMOTIONS)))
    rows[:, mood], rows[:, NEUTRAL] = 0.9, 0.1
    return rows


class Judge:
    """Naive Bayes over chords, per mode: which mood was this composed for?"""

    def __init__(self, pieces: Sequence[Sequence[Sequence[int]]], minor: Sequence[bool], *, roots_only: bool) -> None:
        """pieces: mood -> film -> chords.  minor: of each film."""
        self._of = ROOT_OF if roots_only else np.arange(VOCABULARY_SIZE)
        size = int(self._of[:VOCABULARY_SIZE].max()) + 1
        self._log = np.zeros((2, len(pieces), size))
        for mode in (0, 1):
            counts = np.full((len(pieces), size), _SMOOTHING)
            for mood, films in enumerate(pieces):
                for chords, is_minor in zip(films, minor, strict=True):
                    if int(is_minor) == mode:
                        np.add.at(counts[mood], self._of[changes(chords)], 1)
            self._log[mode] = np.log(counts / counts.sum(axis=1, keepdims=True))

    def posterior(self, chords: Sequence[int] | np.ndarray, minor: bool) -> np.ndarray:
        """(5,) probability of each mood; chords that only go on count once."""
        scores = self._log[int(minor)][:, self._of[changes(chords)]].sum(axis=1)
        weights = np.exp(scores - scores.max())
        return np.asarray(weights / weights.sum())


def changes(chords: Sequence[int] | np.ndarray) -> np.ndarray:
    """The chords without repetitions and rests."""
    ids = np.asarray(chords)
    kept = ids[np.r_[True, ids[1:] != ids[:-1]]]
    return kept[kept > 0]


@dataclass(frozen=True, slots=True)
class Probe:
    """What one split's films were made to express, and what came out."""

    minor: list[bool]
    constant: list[list[list[int]]]  # mood -> film -> chords
    asked: list[np.ndarray]  # (SLOTS,) the mood of each slot, switching
    switching: list[list[int]]
    cuts: list[np.ndarray]  # (SLOTS,) bool
    cut_constant: list[list[int]]
    cut_switching: list[list[int]]


def probe(network: ChordNetwork, films: Sequence[FilmInputs], options: DecodingOptions, seed: int = 0) -> Probe:
    """Composes all probes for films of one split; film and draws are the same in each."""
    rng = np.random.default_rng(seed)
    short = [_first(film, SLOTS) for film in films]
    used = [_seeded(options, seed + k) for k in range(len(short))]

    def composed(moods: Sequence[np.ndarray], cuts: Sequence[np.ndarray] | None) -> list[list[int]]:
        rows = [
            condition_rows(film.length, mood[: film.length], None if cuts is None else cuts[k][: film.length])
            for k, (film, mood) in enumerate(zip(short, moods, strict=True))
        ]
        return compose_all(network, short, used, rows)

    one_of = rng.integers(0, len(MOODS), len(short))
    asked = [_switching(rng) for _ in short]
    courses = [smoothed(np.stack([mood_rows(m, 1)[0] for m in row]), 1.5) for row in asked]
    cuts = [_cuts(rng) for _ in short]
    return Probe(
        minor=[bool(film.minor[0]) for film in short],
        constant=[composed([mood_rows(mood, SLOTS)] * len(short), None) for mood in range(len(MOODS))],
        asked=asked,
        switching=composed(courses, None),
        cuts=cuts,
        cut_constant=composed([mood_rows(int(mood), SLOTS) for mood in one_of], cuts),
        cut_switching=composed(courses, cuts),
    )


def _first(film: FilmInputs, rows: int) -> FilmInputs:
    kept = min(rows, film.length)
    return FilmInputs(
        film.features[:, :kept],
        film.valid[:, :kept],
        film.semantic_present,
        film.emotion_present,
        film.minor,
        ends=False,
    )


def _seeded(options: DecodingOptions, seed: int) -> DecodingOptions:
    return replace(options, seed=options.seed + 1000 * seed)


def _switching(rng: np.random.Generator) -> np.ndarray:
    found: list[int] = []
    while len(found) < SLOTS:
        others = [mood for mood in range(len(MOODS)) if not found or mood != found[-1]]
        found += [int(rng.choice(others))] * int(rng.integers(8, 17))
    return np.array(found[:SLOTS])


def _cuts(rng: np.random.Generator) -> np.ndarray:
    places = np.cumsum(rng.integers(6, 15, SLOTS // 6 + 1))
    found = np.zeros(SLOTS, dtype=bool)
    found[places[places < SLOTS]] = True
    return found


def figures(fitted: Probe, read: Probe) -> dict[str, Estimate]:
    """fitted: the probe the judge learns from (validation); read: the one that is judged (test).

    accuracy_* are macro means of how often the right mood of five is named; chance is .2.
    """
    whole = Judge(fitted.constant, fitted.minor, roots_only=False)
    roots = Judge(fitted.constant, fitted.minor, roots_only=True)
    per_film: list[dict[str, float]] = []
    for k, minor in enumerate(read.minor):
        pieces = [read.constant[mood][k] for mood in range(len(MOODS))]
        row: dict[str, float] = {}
        first_chords: list[np.ndarray] = [changes(chords)[:PASSAGE] for chords in pieces]
        first_slots = [np.asarray(chords[:PASSAGE]) for chords in pieces]
        for name, judge, passages in (
            ("accuracy_16_chords", whole, first_chords),
            ("accuracy_16_slots", whole, first_slots),
            ("accuracy_16_chords_without_qualities", roots, first_chords),
        ):
            named = [int(judge.posterior(passage, minor).argmax()) for passage in passages]
            row[name] = float(np.mean(np.array(named) == np.arange(len(MOODS))))
        row["distinct_chords_in_16_slots"] = float(np.min([len(set(passage.tolist())) for passage in first_slots]))
        row["entropy"] = float(np.mean([metrics.chord_entropy(np.asarray(chords)) for chords in pieces]))
        row["diatonic"] = float(np.nanmean([metrics.diatonic_rate(np.asarray(chords)) for chords in pieces]))
        row["change_rate"] = float(np.mean([metrics.change_rate(np.asarray(chords)) for chords in pieces]))
        row["valence_r"] = _valence_course(whole, read.switching[k], read.asked[k], minor)
        for name, chords in (("constant", read.cut_constant[k]), ("switching", read.cut_switching[k])):
            row[f"cut_response_{name}"] = _cut_response(chords, read.cuts[k])
        per_film.append(row)
    out = {name: metrics.summarise(values) for name, values in metrics.collect(per_film).items()}
    shares = [_largest_type(films) for films in read.constant]
    out["largest_type_share"] = metrics.summarise([max(shares)])
    return out


def confusion(fitted: Probe, read: Probe) -> np.ndarray:
    """(5, 5) shares: mood asked for, mood named from sixteen chords."""
    judge = Judge(fitted.constant, fitted.minor, roots_only=False)
    table = np.zeros((len(MOODS), len(MOODS)))
    for mood, films in enumerate(read.constant):
        for chords, minor in zip(films, read.minor, strict=True):
            named = int(judge.posterior(changes(chords)[:PASSAGE], minor).argmax())
            table[mood, named] += 1
    return table / table.sum(axis=1, keepdims=True)


def _valence_course(judge: Judge, chords: Sequence[int], asked: np.ndarray, minor: bool) -> float:
    """Correlation over passages of nine slots of the valence that is heard with the one that was asked for."""
    heard, wanted = [], []
    for middle in range(4, len(chords) - 4, 3):
        passage = chords[middle - 4 : middle + 5]
        if len(changes(passage)) == 0:
            continue
        heard.append(float(judge.posterior(passage, minor) @ _VALENCE))
        wanted.append(float(_VALENCE[asked[middle - 4 : middle + 5]].mean()))
    return metrics.pearson(np.array(heard), np.array(wanted))


def _cut_response(chords: Sequence[int], cuts: np.ndarray) -> float:
    """P(the chord changes at a cut) minus P(it changes elsewhere)."""
    ids = np.asarray(chords)
    changed, at = ids[1:] != ids[:-1], cuts[1 : len(ids)]
    if not at.any() or at.all():
        return float("nan")
    return float(changed[at].mean() - changed[~at].mean())


def _largest_type(films: Sequence[Sequence[int]]) -> float:
    """Share of the commonest chord type among all chords of one mood."""
    ids = np.concatenate([changes(chords) for chords in films])
    counts = np.bincount(ATTRIBUTE_OF[ids])
    return float(counts.max() / counts.sum())


def judged(
    model: AffectiveMultimodalTransformer, data: MuViSync, split: Split, smooth: bool
) -> tuple[dict[str, Estimate], np.ndarray]:
    """Figures and confusion of a split under the default strength; the judge is fitted on validation films."""
    network = from_torch(model)
    assert isinstance(network, ChordNetwork)
    options = options_at(DecodingOptions(seed=1), 0.5, conditioned=True)

    def probed(name: Split) -> Probe:
        return probe(network, [film_inputs(song, song, smooth=smooth) for song in data.split(name)], options)

    fitted, read = probed("val"), probed(split)
    return figures(fitted, read), confusion(fitted, read)
