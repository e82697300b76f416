"""What the answers say: means, differences with intervals, paired Wilcoxon signed-rank tests, effect sizes.

Each listener counts once: the mean of their ratings of a condition over all films, so that a pair is one listener's two
means.  Two-sided Wilcoxon signed-rank tests (zeros by Pratt's method, as ratings tie), adjusted by Holm over all
questions and pairs of conditions; the interval of the mean difference is a bootstrap over listeners; the effect size is
the matched-pairs rank-biserial correlation (Kerby 2014), -1 to 1.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine.listening.answers import HEADPHONE_PASS, Listener
from engine.listening.study import QUESTIONS, ListeningError, Study, trials

LEVEL: Final = 0.05
FEWEST: Final = 6  # listeners: below that no two-sided signed-rank test can reach LEVEL
_DRAWS: Final = 4000
_MOST_MISSED: Final = 1  # answers of an attention check that may be off by one each


@dataclass(frozen=True, slots=True)
class Mean:
    """of: condition and question; low, high: 95 % bootstrap interval over listeners."""

    condition: str
    question: str
    mean: float
    low: float
    high: float
    listeners: int


@dataclass(frozen=True, slots=True)
class Difference:
    """second minus first.  p: as tested; adjusted: by Holm.  effect: rank-biserial, -1..1."""

    question: str
    first: str
    second: str
    difference: float
    low: float
    high: float
    p: float
    adjusted: float
    effect: float
    listeners: int

    @property
    def significant(self) -> bool:
        return self.adjusted < LEVEL


@dataclass(frozen=True, slots=True)
class Analysis:
    """excluded: listener -> why."""

    means: tuple[Mean, ...]
    differences: tuple[Difference, ...]
    listeners: int
    excluded: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def analyse(study: Study, listeners: Sequence[Listener], *, keep_all: bool = False, seed: int = 0) -> Analysis:
    """keep_all: without regard to attention and headphone checks.  Raises ListeningError where too few are left."""
    excluded = {} if keep_all else {each.name: why for each in listeners if (why := why_excluded(study, each))}
    kept = [each for each in listeners if each.name not in excluded]
    if len(kept) < FEWEST:
        why = f", {len(excluded)} were excluded" if excluded else ""
        raise ListeningError(f"{len(kept)} listeners are too few to analyse ({FEWEST} at least{why}).")
    table = ratings(study, kept)  # (L, conditions, questions)
    rng = np.random.default_rng(seed)
    means = []
    for c, condition in enumerate(study.conditions):
        for q, question in enumerate(QUESTIONS):
            values = table[:, c, q][~np.isnan(table[:, c, q])]
            if len(values):
                means.append(Mean(condition, question, float(values.mean()), *_interval(values, rng), len(values)))
    raw = []
    for q, question in enumerate(QUESTIONS):
        for a, b in itertools.combinations(range(len(study.conditions)), 2):
            steps = table[:, b, q] - table[:, a, q]
            steps = steps[~np.isnan(steps)]
            if len(steps) >= FEWEST:
                raw.append((question, study.conditions[a], study.conditions[b], steps, _p(steps)))
    adjusted = holm([each[-1] for each in raw])
    differences = tuple(
        Difference(
            question, first, second, float(steps.mean()), *_interval(steps, rng), p, fair, _effect(steps), len(steps)
        )
        for (question, first, second, steps, p), fair in zip(raw, adjusted, strict=True)
    )  # fmt: skip
    return Analysis(tuple(means), differences, len(kept), excluded)


def why_excluded(study: Study, listener: Listener) -> str:
    """Why a listener does not count; "" where they do."""
    if listener.headphones is not None and listener.headphones < HEADPHONE_PASS:
        return f"headphone check: {listener.headphones} right"
    for trial in trials(study, listener.number):
        if trial.demanded:
            given = [listener.ratings.get((trial.id, question)) for question in QUESTIONS]
            if sum(value is not None and value != trial.demanded for value in given) > _MOST_MISSED:
                return "attention check"
    if not listener.ratings:
        return "no answers"
    return ""


def ratings(study: Study, listeners: Sequence[Listener]) -> np.ndarray:
    """(L, conditions, questions): each listener's mean over films, NaN where nothing was answered."""
    where = {clip.token: study.conditions.index(clip.condition) for clip in study.clips}
    out = np.full((len(listeners), len(study.conditions), len(QUESTIONS)), np.nan)
    for row, listener in enumerate(listeners):
        plan = {trial.id: trial for trial in trials(study, listener.number)}
        heard: dict[tuple[int, int], list[int]] = {}
        for (trial, question), value in listener.ratings.items():
            if trial in plan and not plan[trial].demanded:
                place = (where[plan[trial].token], list(QUESTIONS).index(question))
                heard.setdefault(place, []).append(value)
        for (condition, question_index), values in heard.items():
            out[row, condition, question_index] = np.mean(values)
    return out


def _p(steps: np.ndarray) -> float:
    from scipy.stats import wilcoxon

    if not steps.any():
        return 1.0
    return float(wilcoxon(steps, zero_method="pratt", method="auto").pvalue)


def _effect(steps: np.ndarray) -> float:
    """Kerby's simple difference: (favourable - unfavourable rank sum) / all ranks, zeros left out."""
    from scipy.stats import rankdata

    moved = steps[steps != 0]
    if not len(moved):
        return 0.0
    ranks = rankdata(np.abs(moved))
    return float((ranks[moved > 0].sum() - ranks[moved < 0].sum()) / ranks.sum())


def _interval(values: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    drawn = values[rng.integers(0, len(values), (_DRAWS, len(values)))].mean(axis=1)
    low, high = np.quantile(drawn, (LEVEL / 2, 1 - LEVEL / 2))
    return float(low), float(high)


def holm(values: Sequence[float]) -> list[float]:
    """p values adjusted for how many there are (Holm 1979)."""
    out = [0.0] * len(values)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(values)), key=lambda k: values[k])):
        highest = max(highest, min(1.0, (len(values) - rank) * values[index]))
        out[index] = highest
    return out


def to_markdown(found: Analysis, study: Study) -> str:
    """The paper's Table 5, then the differences."""
    cells = {(mean.condition, mean.question): mean for mean in found.means}
    lines = [f"{found.listeners} listeners, {len(study.films)} films; {len(found.excluded)} listeners excluded.", ""]
    lines += ["| condition | " + " | ".join(QUESTIONS) + " |", "|---" * (len(QUESTIONS) + 1) + "|"]
    for condition in study.conditions:
        row = [cells.get((condition, question)) for question in QUESTIONS]
        words = ["" if mean is None else f"{mean.mean:.2f} [{mean.low:.2f}, {mean.high:.2f}]" for mean in row]
        lines.append(f"| {condition} | " + " | ".join(words) + " |")
    lines += ["", "| question | difference | mean [95 %] | p | p, Holm | effect | |", "|---|---|---|---|---|---|---|"]
    for each in found.differences:
        lines.append(
            f"| {each.question} | {each.second} - {each.first} "
            f"| {each.difference:+.2f} [{each.low:+.2f}, {each.high:+.2f}] "
            f"| {each.p:.2g} | {each.adjusted:.2g} | {each.effect:+.2f} | {'*' if each.significant else ''} |"
        )
    return "\n".join(lines) + "\n"


def to_csv(study: Study, listeners: Sequence[Listener]) -> str:
    """Every rating, a line each: listener, number, film, condition, block, question, rating, attention check."""
    clips = {clip.token: clip for clip in study.clips}
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ("listener", "number", "headphones", "film", "condition", "block", "question", "rating", "demanded")
    )
    for listener in listeners:
        for trial in trials(study, listener.number):
            for question in QUESTIONS:
                value = listener.ratings.get((trial.id, question))
                if value is not None:
                    clip = clips[trial.token]
                    writer.writerow(
                        (listener.name, listener.number, listener.headphones, clip.film, clip.condition, trial.block,
                         question, value, trial.demanded or "")
                    )  # fmt: skip
    return out.getvalue()


def draw(found: Analysis, study: Study, path: Path) -> None:
    """Means with their intervals, a group a question."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.5), layout="constrained")
    axes = figure.add_subplot()
    width = 0.8 / len(study.conditions)
    for c, condition in enumerate(study.conditions):
        rows = [mean for mean in found.means if mean.condition == condition]
        at = [list(QUESTIONS).index(mean.question) + (c - (len(study.conditions) - 1) / 2) * width for mean in rows]
        spread = np.array([[mean.mean - mean.low for mean in rows], [mean.high - mean.mean for mean in rows]])
        axes.errorbar(at, [mean.mean for mean in rows], yerr=spread.clip(min=0), fmt="o", capsize=3, label=condition)
    axes.set(xticks=range(len(QUESTIONS)), xticklabels=list(QUESTIONS), ylim=(1, 7), ylabel="rating, 95 % interval")
    axes.legend()
    figure.savefig(path, dpi=120)
