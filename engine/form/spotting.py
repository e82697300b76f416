"""Spotting: where a film wants music, and first where it does not.

Films over two minutes get proposed cues that cover about half of them, each 20 to 120 s long, beginning and ending on
cuts.  Proposals only: the composer accepts, moves or refuses them.  The picture alone is looked at: scenes of talk show
themselves by cuts to and fro over little motion, and are left alone.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.form.picture import PictureCurves
from engine.form.sections import boundary_weights
from engine.music import EMOTIONS

LEAST_FILM_S: Final = 120.0
SHORTEST_S, LONGEST_S = 20.0, 120.0
WANTED_SHARE: Final = 0.48  # of the film that is scored
LEAST_SHARE, MOST_SHARE = 0.35, 0.60
GAP_S: Final = 12.0  # silence shorter than this is not heard as one
_BLOCK_S: Final = 14.0  # shortest stretch that is judged by itself


@dataclass(frozen=True, slots=True)
class ProposedCue:
    """Picture seconds, and a sentence that says why there."""

    in_s: float
    out_s: float
    reason: str


def propose_cues(curves: PictureCurves, duration_s: float) -> tuple[ProposedCue, ...]:
    """Cues for a film, in order; one over the whole of a film up to two minutes long."""
    if duration_s <= LEAST_FILM_S:
        return (ProposedCue(0.0, duration_s, "the film is short: one cue"),)
    edges = _edges(curves, duration_s)
    wants = [_want(curves, a, b, duration_s) for a, b in itertools.pairwise(edges)]
    chosen = _choose(edges, wants, duration_s)
    return tuple(ProposedCue(edges[a], edges[b], _reason(curves, edges[a], edges[b])) for a, b in chosen)


def _edges(curves: PictureCurves, duration_s: float) -> list[float]:
    """The film in blocks of at least `_BLOCK_S`, divided where the picture changes most."""
    places = sorted(boundary_weights(curves, 0.0, duration_s), key=lambda place: -place[1])
    edges = [0.0, duration_s]
    for time_s, _ in places:
        if all(abs(time_s - edge) >= _BLOCK_S for edge in edges):
            edges.append(time_s)
    edges.sort()
    # A block longer than half a cue is divided by time where the picture offers nothing.
    result = [edges[0]]
    for edge in edges[1:]:
        while edge - result[-1] > LONGEST_S / 2:
            result.append(result[-1] + LONGEST_S / 3)
        result.append(edge)
    return result


def _want(curves: PictureCurves, a: float, b: float, duration_s: float) -> float:
    """How much a stretch wants music: strong moods, motion or great stillness; less where people seem to talk."""
    rows = slice(int(a), max(int(np.ceil(b)), int(a) + 1))
    mood = curves.mood[rows].mean(axis=0)
    strong = 1.0 - float(mood[EMOTIONS.index("neutral")])
    apart = float(np.abs(mood - curves.mood.mean(axis=0)).sum())
    energy = float(curves.energy[rows].mean())
    rate, motion = float(curves.rate[rows].mean()), float(curves.motion[rows].mean())
    talk = np.exp(-(((rate - 2.5) / 1.5) ** 2)) * np.exp(-max(motion - 1.2, 0.0))
    want = 0.8 * strong + 1.2 * apart + 0.35 * abs(energy) + 0.2 * energy - 0.8 * float(talk)
    if not curves.valid[rows].any():
        want -= 1.0
    if a == 0.0:
        want += 0.15  # an opening
    if b >= duration_s - 1.0:
        want += 0.3  # an end
    return float(want)


def _choose(edges: list[float], wants: list[float], duration_s: float) -> list[tuple[int, int]]:
    """Blocks by their want until enough is scored, joined to cues that are long enough, first and last edge of each."""
    scored = [False] * len(wants)
    for index in sorted(range(len(wants)), key=lambda block: -wants[block]):
        share = _share(edges, scored, duration_s)
        if share >= WANTED_SHARE:
            break
        if share + (edges[index + 1] - edges[index]) / duration_s <= MOST_SHARE - 0.02:
            scored[index] = True
    runs = _runs(scored)
    found = []
    for first, stop in runs:
        if edges[stop] - edges[first] < SHORTEST_S:
            # Too short to say much: it takes in its better neighbour, unless too much would be scored.
            sides = [(wants[k], k) for k in (first - 1, stop) if 0 <= k < len(wants) and not scored[k]]
            for _, side in sorted(sides, reverse=True):
                more = (edges[side + 1] - edges[side]) / duration_s
                if _share(edges, scored, duration_s) + more <= MOST_SHARE:
                    scored[side] = True
                    first, stop = min(first, side), max(stop, side + 1)
                    break
        found.append((first, stop))
    joined: list[tuple[int, int]] = []
    for first, stop in found:
        if joined and (first <= joined[-1][1] or edges[first] - edges[joined[-1][1]] < GAP_S):
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((first, stop))
    result: list[tuple[int, int]] = []
    for first, stop in joined:
        while edges[stop] - edges[first] > LONGEST_S and stop - first > 1:
            part = first + 1
            while part + 1 < stop and edges[part + 1] - edges[first] <= LONGEST_S:
                part += 1
            result.append((first, part))
            first = part
        result.append((first, stop))
    return result


def _share(edges: list[float], scored: list[bool], duration_s: float) -> float:
    return sum(edges[k + 1] - edges[k] for k in range(len(scored)) if scored[k]) / duration_s


def _runs(scored: list[bool]) -> list[tuple[int, int]]:
    found, first = [], None
    for index, each in enumerate([*scored, False]):
        if each and first is None:
            first = index
        elif not each and first is not None:
            found.append((first, index))
            first = None
    return found


def _reason(curves: PictureCurves, a: float, b: float) -> str:
    rows = slice(int(a), max(int(np.ceil(b)), int(a) + 1))
    apart = curves.mood[rows].mean(axis=0) - curves.mood.mean(axis=0)
    energy = float(curves.energy[rows].mean())
    pace = "livelier than the film" if energy > 0.25 else "stiller than the film" if energy < -0.25 else "at its pace"
    return f"more {EMOTIONS[int(apart.argmax())]} than the rest, {pace}"
