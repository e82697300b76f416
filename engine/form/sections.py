"""Sections of a cue as the picture has them, and the form that they are given.

`passages` divides a long stretch, `choose_form` draws one of the nine forms, `lay_out` puts its parts where the picture
changes.  Boundaries lie on cuts; a part lasts at least eight seconds unless its form says otherwise.
"""

from __future__ import annotations

import math
import tomllib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.resources import files
from itertools import pairwise
from typing import Final

import numpy as np

from engine.form.picture import PictureCurves
from engine.music import EMOTIONS

LEAST_S: Final = 8.0
LONGEST_PASSAGE_S: Final = 120.0
_CONTRAST: Final = 2.5  # how much a section's difference from the cue's mean mood counts beside the mood itself
PICTURE: Final = 0.65  # of a section's intensity that is the picture's; the rest is the form's
LEAD: Final = 0.15  # a new mood leads the one before it by so much
LEAD_S: Final = 6.0  # for so long
SILENT_ROLES: Final = ("gap", "stop")  # nothing plays there
SAME_LETTER: Final = 1.1  # distance of two sections' means in standard deviations below which they are alike


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a form: role, letter, share of the cue in per cent, intensity 0..4, what the theme does there."""

    role: str
    letter: str
    share: float
    intensity: int
    theme: str


@dataclass(frozen=True, slots=True)
class Form:
    """One of P2's forms.  moods: how well it suits each; short: roles that may last less than eight seconds; lively: of
    the picture that it suits, see PictureCurves.lively."""

    name: str
    parts: tuple[Part, ...]
    moods: dict[str, float]
    short: frozenset[str]
    lively: float = 0.0


@dataclass(frozen=True, slots=True)
class FormSection:
    """A section of the picture with its part of the form.

    mood: one of engine.music.mood.EMOTIONS.  energy: mean, in the film's standard deviations.  likeness: sections of
    the picture that are alike share this letter.
    """

    start_s: float
    end_s: float
    part: Part
    mood: str
    intensity: int
    energy: float
    likeness: str
    form: str


@lru_cache(maxsize=1)
def forms() -> dict[str, Form]:
    """The forms by name, from data/forms.toml."""
    data = tomllib.loads(files("engine.form").joinpath("data/forms.toml").read_text("utf-8"))
    found = {}
    for name, row in data.items():
        parts = tuple(
            Part(role, letter, float(share), intensity, theme) for role, letter, share, intensity, theme in row["parts"]
        )
        found[name] = Form(name, parts, dict(row["moods"]), frozenset(row.get("short", ())), row.get("lively", 0.0))
    return found


def boundary_weights(curves: PictureCurves, start_s: float, end_s: float) -> list[tuple[float, float]]:
    """Places inside a stretch where a section may begin, with how much the picture asks for one there, 0..1.

    Cuts, and where there is none within two seconds of a peak of novelty that peak.
    """
    first = bisect_right(curves.places, start_s + 2.0, key=lambda place: place[0])
    stop = bisect_left(curves.places, end_s - 2.0, key=lambda place: place[0])
    return list(curves.places[first:stop]) or [(0.5 * (start_s + end_s), 0.1)]


def passages(curves: PictureCurves, start_s: float, end_s: float) -> list[tuple[float, float]]:
    """A stretch in passages of at most two minutes, each of which gets a form of its own."""
    count = int(np.ceil((end_s - start_s) / LONGEST_PASSAGE_S))
    if count <= 1:
        return [(start_s, end_s)]
    places = boundary_weights(curves, start_s, end_s)
    times, weights = np.array([place for place, _ in places]), np.array([weight for _, weight in places])
    edges = [start_s]
    length = (end_s - start_s) / count
    for number in range(1, count):
        wanted = start_s + number * length
        near = np.abs(times - wanted) < 0.4 * length
        if near.any():
            worth = np.where(near, weights - np.abs(times - wanted) / length, -np.inf)
            wanted = float(times[int(worth.argmax())])
        edges.append(wanted)
    edges.append(end_s)
    return list(pairwise(edges))


def mean_mood(curves: PictureCurves, start_s: float, end_s: float) -> np.ndarray:
    """(6,) mean weights of a stretch; what has no picture does not count."""
    rows = slice(int(start_s), max(int(np.ceil(end_s)), int(start_s) + 1))
    mood, valid = curves.mood[rows], curves.valid[rows]
    if not len(mood):
        return np.eye(len(EMOTIONS))[EMOTIONS.index("neutral")]
    return np.asarray((mood[valid] if valid.any() else mood).mean(axis=0))


def choose_form(
    mood: np.ndarray,
    length_s: float,
    lively: float,
    draw: Callable[[str], float],
    weight: Callable[[str], float] = lambda name: 1.0,
) -> Form:
    """Draws a form that suits a cue's mean mood, length and how lively its picture is.

    draw(name) -> 0..1, always the same for a name.  weight(name): how welcome a form is, beside how it suits.
    """
    weights = {}
    for form in forms().values():
        suits = sum(form.moods.get(name, 0.0) * float(mood[index]) for index, name in enumerate(EMOTIONS))
        needed = sum(LEAST_S for part in form.parts if part.role not in form.short)
        # A short cue cannot hold many parts; a form of few parts is thin over two minutes.
        fits = 1.0 if needed <= length_s else (length_s / needed) ** 2
        weights[form.name] = weight(form.name) * suits**2 * fits * math.exp(-((lively - form.lively) ** 2) / 2.0)
    # Gumbel: the likeliest form wins most often, every take draws anew.
    best = max(weights, key=lambda name: np.log(max(weights[name], 1e-9)) - np.log(-np.log(_inside(draw(name)))))
    return forms()[best]


def _inside(value: float) -> float:
    return min(max(value, 1e-9), 1 - 1e-9)


def lay_out(curves: PictureCurves, form: Form, start_s: float, end_s: float) -> list[tuple[Part, float, float]]:
    """The form's parts over a stretch, boundaries where the picture changes near their proportions.

    Parts that would last less than `LEAST_S` are left out, the least telling first.
    """
    length_s = end_s - start_s
    parts = _that_fit(form, length_s)
    total = sum(part.share for part in parts)
    wanted = [float(start_s + length_s * share / total) for share in np.cumsum([part.share for part in parts])[:-1]]
    places = boundary_weights(curves, start_s, end_s)
    edges = _best_edges(places, wanted, parts, form, start_s, end_s)
    bounds = [start_s, *edges, end_s]
    return [(part, bounds[index], bounds[index + 1]) for index, part in enumerate(parts)]


def _that_fit(form: Form, length_s: float) -> list[Part]:
    parts = list(form.parts)
    keep = {"hint": 1, "": 0, "statement": 3, "variant": 1, "full": 2, "memory": 2}
    while len(parts) > 1:
        total = sum(part.share for part in parts)
        needed = [LEAST_S if part.role not in form.short else 0.5 for part in parts]
        too_short = sum(needed) > length_s or any(
            length_s * part.share / total < 0.7 * need for part, need in zip(parts, needed, strict=True)
        )
        if not too_short:
            break
        worth = [(keep[part.theme], part.share) for part in parts]
        parts.pop(min(range(len(parts)), key=lambda index: worth[index]))
    return parts


def _best_edges(
    places: Sequence[tuple[float, float]],
    wanted: Sequence[float],
    parts: Sequence[Part],
    form: Form,
    start_s: float,
    end_s: float,
) -> list[float]:
    """Boundaries by dynamic programming: near the proportions, where the picture changes, no part too short."""
    if not wanted:
        return []
    length_s = end_s - start_s
    # Where the picture offers nothing the proportion itself is a place, at a price.
    offered = sorted({*places, *((time_s, -0.3) for time_s in wanted)})
    least = [0.5 if part.role in form.short else LEAST_S for part in parts]
    tables: list[dict[int, tuple[float, int]]] = []
    for number, time_s in enumerate(wanted):
        table: dict[int, tuple[float, int]] = {}
        for index, (place, weight) in enumerate(offered):
            own = 1.6 * weight - 8.0 * abs(place - time_s) / length_s
            if end_s - place < min(sum(least[number + 1 :]), 0.9 * (end_s - time_s)):
                continue
            if number == 0:
                if place - start_s >= 0.8 * min(least[0], time_s - start_s):
                    table[index] = (own, -1)
                continue
            need = 0.8 * min(least[number], time_s - wanted[number - 1])
            before = [
                (value, other)
                for other, (value, _) in tables[-1].items()
                if place - offered[other][0] >= need and other < index
            ]
            if before:
                value, other = max(before)
                table[index] = (value + own, other)
        if not table:
            return list(wanted)
        tables.append(table)
    index = max(tables[-1], key=lambda found: tables[-1][found][0])
    chosen = []
    for table in reversed(tables):
        chosen.append(offered[index][0])
        index = table[index][1]
    return chosen[::-1]


def name_mood(mood: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """(6,) how strongly a section would be called each mood: its own weights, and what sets it apart from the cue."""
    return np.asarray(mood + _CONTRAST * (mood - whole))


def sections(
    curves: PictureCurves,
    start_s: float,
    end_s: float,
    draw: Callable[..., float],
    form: str | None = None,
    weight: Callable[[str], float] = lambda name: 1.0,
) -> tuple[FormSection, ...]:
    """The sections of a cue.  draw(*words) -> 0..1 for the take; form: one of forms(), None to draw.  weight: see
    `choose_form`.

    A long cue is divided into passages with a form each.  A mood holds until another leads it by `LEAD` for `LEAD_S`.
    """
    found: list[FormSection] = []
    whole = mean_mood(curves, start_s, end_s)
    spread = _energy_levels(curves, start_s, end_s)
    before: str | None = None
    means: list[tuple[np.ndarray, str]] = []
    for number, (first_s, last_s) in enumerate(passages(curves, start_s, end_s)):
        mood = mean_mood(curves, first_s, last_s)
        chosen = forms()[form] if form else choose_form(
            mood, last_s - first_s, curves.lively(first_s, last_s), partial(draw, "form", number), weight
        )  # fmt: skip
        for part, a, b in lay_out(curves, chosen, first_s, last_s):
            scores = name_mood(mean_mood(curves, a, b), whole)
            called = EMOTIONS[int(scores.argmax())]
            if part.role in SILENT_ROLES and before is not None:
                called = before
            if before is not None and called != before and not _leads(curves, a, b, whole, called, before):
                called = before
            before = called
            rows = curves.rows[int(a) : max(int(np.ceil(b)), int(a) + 1)]
            likeness = _letter(rows.mean(axis=0), means)
            lively = _mean(curves.energy, a, b)
            level = float(np.interp(lively, spread, (0, 1, 2, 3, 4)))
            intensity = int(min(max(round((1 - PICTURE) * part.intensity + PICTURE * level), 0), 4))
            if part.role in SILENT_ROLES:
                intensity = 0
            found.append(FormSection(a, b, part, called, intensity, lively, likeness, chosen.name))
    return tuple(found)


def _leads(curves: PictureCurves, a: float, b: float, whole: np.ndarray, called: str, before: str) -> bool:
    rows = curves.mood[int(a) : max(int(np.ceil(b)), int(a) + 1)]
    named = rows + _CONTRAST * (rows - whole)
    ahead = named[:, EMOTIONS.index(called)] - named[:, EMOTIONS.index(before)] >= LEAD
    return bool(ahead.sum() >= min(LEAD_S, 0.6 * len(rows)))


def _energy_levels(curves: PictureCurves, start_s: float, end_s: float) -> list[float]:
    values = curves.energy[int(start_s) : max(int(np.ceil(end_s)), int(start_s) + 1)]
    marks = [float(np.quantile(values, share)) for share in (0.08, 0.3, 0.5, 0.7, 0.92)]
    if marks[-1] - marks[0] < 0.6:  # a picture without contrast says nothing
        middle = float(np.mean(marks))
        marks = [middle + step for step in (-1.2, -0.6, 0.0, 0.6, 1.2)]
    return [mark + 1e-6 * index for index, mark in enumerate(marks)]


def _letter(mean: np.ndarray, known: list[tuple[np.ndarray, str]]) -> str:
    near = [(float(np.linalg.norm(mean - other)) / np.sqrt(len(mean)), letter) for other, letter in known]
    if near and min(near)[0] < SAME_LETTER / 2:
        return min(near)[1]
    letter = chr(ord("A") + min(len({each for _, each in known}), 25))
    known.append((mean, letter))
    return letter


def _mean(values: np.ndarray, a: float, b: float) -> float:
    return float(values[int(a) : max(int(np.ceil(b)), int(a) + 1)].mean()) if len(values) else 0.0
