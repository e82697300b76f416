"""Whether ratings bring the next takes nearer to what was liked: `tests/bench/ratings.py [FILM …] [--composers N]`.

A simulated composer has a plan in mind (that of a take of the film that is never shown), is shown five takes and rates
them 5 to 1 by how near their plans are to it.  Then twelve takes are drawn: steered by these ratings, by the same
ratings in random order, and without any.  Printed are the mean distances of the twelve to the plan in mind and to the
takes that were rated 4 and 5, and the differences with 95 % intervals (bootstrap over composers).

Nothing is composed: the draws alone are looked at.  Without a film the stored reading of the bundled clip is used.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

from golden import stored
from plan_distance import layer_distances, plan_distance

from bridge.session.steering import steered
from engine.document import Document, KeptTake, Result, TakeRating
from engine.music import Draws, Take, TempoMap, controls
from engine.music.cueplan import CuePlan
from engine.music.take_draws import LAYERS
from engine.planning import plans_of
from engine.process.messages import ComposeOptions, ComposeRequest
from engine.video import VideoFeatures

SHOWN, NEXT = 5, 12
BOOTSTRAPS = 4000


class Film:
    """Plans of one film by take and draws."""

    def __init__(self, name: str, features: VideoFeatures) -> None:
        self.name, self._features = name, features
        self._kept: dict[tuple[int, int, str], CuePlan] = {}

    def plan(self, seed: int, take: int, draws: str = "") -> CuePlan:
        if (seed, take, draws) not in self._kept:
            request = ComposeRequest(
                1, TempoMap.constant(96.0), take=Take(take), film_seed=seed, options=ComposeOptions(form="auto"),
                draws=draws,
            )  # fmt: skip
            self._kept[seed, take, draws] = plans_of(self._features, request, 0.0).plans[0]
        return self._kept[seed, take, draws]


def document(plan: CuePlan, seed: int, take: int, draws: str = "") -> Document:
    made = Document(take=take, result=Result(plans=(plan,), complete=True), draws=Draws(seed))
    return made.with_value(controls.FORM, "auto").with_value(controls.DRAWS, draws)


def next_takes(film: Film, seed: int, ratings: dict[int, int]) -> list[CuePlan]:
    """The takes after those that were shown."""
    table = {
        (0, take): KeptTake(document(film.plan(seed, take), seed, take), Take(take).name)
        for take in range(1, SHOWN + 1)
    }
    rated = replace(
        document(film.plan(seed, 1), seed, 1), ratings=tuple(TakeRating(0, *each) for each in ratings.items())
    )
    numbers = range(SHOWN + 1, SHOWN + 1 + NEXT)
    return [film.plan(seed, number, steered(rated, table, number)) for number in numbers]


def one(film: Film, composer: int) -> dict[str, np.ndarray]:
    """(2,) mean distance to the plan in mind and to what was liked, for each way; of layers, to the plan in mind."""
    seed = 1 + composer  # each composer meets the film with draws of its own
    rng = np.random.default_rng(composer)
    goal = film.plan(seed, int(rng.integers(10_000, 900_000)))
    shown = {take: plan_distance(film.plan(seed, take), goal) for take in range(1, SHOWN + 1)}
    order = sorted(shown, key=shown.__getitem__)
    true = {take: SHOWN - place for place, take in enumerate(order)}
    random = dict(zip(true, rng.permutation(list(true.values())).tolist(), strict=True))
    liked = [film.plan(seed, take) for take in order[:2]]
    found = {}
    for way, ratings in (("steered", true), ("random", random), ("none", {})):
        plans = next_takes(film, seed, ratings)
        to_goal = np.mean([plan_distance(plan, goal) for plan in plans])
        to_liked = np.mean([min(plan_distance(plan, each) for each in liked) for plan in plans])
        among = [plan_distance(a, b) for index, a in enumerate(plans) for b in plans[:index]]
        found[way] = np.array([to_goal, to_liked, np.mean(among)])
        layers = [layer_distances(plan, goal) for plan in plans]
        found[f"{way} layers"] = np.array([np.mean([each[layer] for each in layers]) for layer in LAYERS])
    return found


def interval(values: np.ndarray) -> str:
    """Mean and 95 % interval."""
    rng = np.random.default_rng(0)
    means = values[rng.integers(0, len(values), (BOOTSTRAPS, len(values)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return f"{values.mean():+.3f} [{low:+.3f}, {high:+.3f}]"


def films(paths: list[str]) -> list[Film]:
    if not paths:
        return [Film("bundled clip", stored.features())]
    from engine.video import AnalysisOptions, FeatureCache, analyze

    quick = AnalysisOptions(reading="quick")
    return [Film(Path(path).name, analyze(Path(path), quick, None, FeatureCache())) for path in paths]


def main() -> None:
    parser = argparse.ArgumentParser(description="Whether ratings bring the next takes nearer to what was liked.")
    parser.add_argument("films", nargs="*")
    parser.add_argument("--composers", type=int, default=60)
    given = parser.parse_args()
    rows: list[dict[str, np.ndarray]] = []
    for film in films(given.films):
        own = [one(film, composer) for composer in range(given.composers)]
        rows += own
        words = " ".join(f"{way} {np.mean([row[way][0] for row in own]):.3f}" for way in ("steered", "random", "none"))
        print(f"{film.name}: distance of the next {NEXT} to the plan in mind: {words}")
    for index, what in enumerate(("the plan in mind", "the nearer of the two liked takes", "each other")):
        for other in ("random", "none"):
            apart = np.array([row["steered"][index] - row[other][index] for row in rows])
            print(f"{what}: steered - {other} {interval(apart)}, nearer for {np.mean(apart < 0):.0%} of composers")
    for place, layer in enumerate(LAYERS):
        apart = np.array([row["steered layers"][place] - row["random layers"][place] for row in rows])
        print(f"{layer}: steered - random {interval(apart)}")


if __name__ == "__main__":
    main()
