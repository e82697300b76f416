"""Listeners who are made up, to see what an analysis finds: with a difference that is known, or with none."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.listening.answers import HEADPHONE_TRIALS, Listener
from engine.listening.study import HIGHEST, LOWEST, QUESTIONS, Study, Trial, trials


def rated(
    study: Study, trial: Trial, effects: Mapping[str, float], rng: np.random.Generator, taste: float
) -> dict[str, int]:
    """One trial's five ratings: a middle of 4, the listener's taste, the film's and the condition's share, chance."""
    if trial.demanded:
        return dict.fromkeys(QUESTIONS, trial.demanded)
    clip = next(each for each in study.clips if each.token == trial.token)
    film = np.random.default_rng([study.seed, 2, study.films.index(clip.film)]).normal(0, 0.5)
    level = 4 + taste + film + effects.get(clip.condition, 0.0)
    drawn = np.rint(level + rng.normal(0, 1.0, len(QUESTIONS)))
    return dict(zip(QUESTIONS, np.clip(drawn, LOWEST, HIGHEST).astype(int).tolist(), strict=True))


def panel(
    study: Study, listeners: int, effects: Mapping[str, float], seed: int, *, careless: int = 0
) -> list[Listener]:
    """effects: points of the scale that a condition is better.  careless: so many answer by chance, checks too."""
    out = []
    for number in range(listeners):
        rng = np.random.default_rng([seed, number])
        listener = Listener(f"{seed:08x}{number:08x}", number, headphones=HEADPHONE_TRIALS, finished=True)
        taste = rng.normal(0, 0.8)
        for trial in trials(study, number):
            given = rated(study, trial, effects, rng, taste)
            if number < careless:
                given = {question: int(rng.integers(LOWEST, HIGHEST + 1)) for question in QUESTIONS}
            listener.ratings |= {(trial.id, question): value for question, value in given.items()}
        out.append(listener)
    return out
