"""What an alignment leaves open in pictures that stand still, decided as an editor would have cut: changes at the edges
of shots, whole shots at another speed."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np

from engine.conform.align import NOWHERE
from engine.conform.prints import distances

CUT: Final = 8.0  # luma levels between two frames of different shots
_OVER_MOTION: Final = 3.0  # times what the frames around differ
SHORTEST: Final = 3  # frames of new material; less is a frame of a neighbour that was encoded badly
SLIDE: Final = 96  # frames that a change may be moved to an edge
_AS_GOOD: Final = 0.35  # luma levels a frame that a cleaner reading may cost
_RATHER_STRAIGHT: Final = 0.05
_CLEARLY: Final = 0.7
_SMALL: Final = 0.05  # luma levels: less is how a picture was encoded
_TEXT: Final = 2.0
_NEAR_EDGE: Final = 3  # frames
_SPEEDS: Final = (0.25, 4.0)


def shot_starts(prints: np.ndarray) -> np.ndarray:
    """First frames of the shots, 0 among them."""
    if len(prints) < 2:
        return np.zeros(1, np.int64)
    apart = np.array([distances(prints[i], prints[i - 1 : i])[0] for i in range(1, len(prints))])
    padded = np.pad(apart, 3, mode="edge")
    around = np.median(np.stack([padded[k : k + len(apart)] for k in (0, 1, 2, 4, 5, 6)]), axis=0)
    return np.concatenate([[0], np.flatnonzero((apart > CUT) & (apart > _OVER_MOTION * around)) + 1])


def refine(path: np.ndarray, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The same alignment, with changes at edges and shots at even speed where that fits the pictures as well."""
    if not len(path) or not len(old):
        return path
    result = path.copy()
    old_shots, new_shots = shot_starts(old), shot_starts(new)
    edges = set(map(int, new_shots)) - {0}
    _drop_stumbles(result)
    _fill_gaps(result, len(old))
    _to_edges(result, len(old), edges)
    _straighten(result, old, new, old_shots, new_shots)
    _slide(result, old, new, edges, {*map(int, old_shots), len(old)})
    _drop_stumbles(result)
    _fill_gaps(result, len(old))
    return result


def _drop_stumbles(path: np.ndarray) -> None:
    """A frame or two between two jumps look like what they are not."""
    jumps = [0, *(int(i) + 1 for i in np.flatnonzero((np.diff(path) < 0) | (np.diff(path) > 2))), len(path)]
    for first, last in pairwise(jumps):
        if last - first < SHORTEST:
            path[first:last] = NOWHERE


def _to_edges(path: np.ndarray, old_frames: int, edges: set[int]) -> None:
    """New material begins and ends where a shot does: its first and last frames may look like anything."""
    for cut in [int(i) + 1 for i in np.flatnonzero((path[1:] == NOWHERE) != (path[:-1] == NOWHERE))]:
        edge = min((e for e in edges if 0 < abs(e - cut) <= _NEAR_EDGE), key=lambda e: abs(e - cut), default=None)
        if edge is None or cut in edges:
            continue
        opens = path[cut] == NOWHERE  # a piece ends here
        for index in (
            range(min(edge, cut), max(edge, cut)) if opens else reversed(range(min(edge, cut), max(edge, cut)))
        ):
            if opens:
                path[index] = path[index - 1] + 1 if edge > cut and path[index - 1] < old_frames - 1 else NOWHERE
            else:
                path[index] = path[index + 1] - 1 if edge < cut and path[index + 1] > 0 else NOWHERE


def _fill_gaps(path: np.ndarray, old_frames: int) -> None:
    """A frame or two of new material between pieces belongs to one of them."""
    at = 0
    while at < len(path):
        if path[at] != NOWHERE:
            at += 1
            continue
        stop = at
        while stop < len(path) and path[stop] == NOWHERE:
            stop += 1
        if stop - at < SHORTEST:
            for index in range(stop - 1, at - 1, -1):
                if stop < len(path) and path[index + 1] > 0:
                    path[index] = path[index + 1] - 1
            for index in range(at, stop):
                if path[index] == NOWHERE and index and 0 <= path[index - 1] < old_frames - 1:
                    path[index] = path[index - 1] + 1
        at = stop


def _straighten(
    path: np.ndarray, old: np.ndarray, new: np.ndarray, old_shots: np.ndarray, new_shots: np.ndarray
) -> None:
    """Shots in which the path stumbles: played straight on from one of its pieces, or an old shot from edge to edge at
    the speed that this makes, whichever the pictures bear out; straight on where both do."""
    old_edges = [*map(int, old_shots), len(old)]
    for start, stop in pairwise([*map(int, new_shots), len(new)]):
        part = path[start:stop]
        known = part[part != NOWHERE]
        if len(known) < 0.8 * len(part) or len(part) < 8 or not np.any(np.diff(part) != 1):
            continue
        found = [(_cost(part, new, old, start) + _AS_GOOD, part)]
        count = np.arange(stop - start)
        for base in sorted({int(k) - i for i, k in enumerate(part) if k != NOWHERE}):
            if base >= 0 and base + len(part) <= len(old):
                found.append((_cost(base + count, new, old, start), base + count))
        place = int(np.searchsorted(old_shots, np.median(known), side="right")) - 1
        low, high = old_edges[place], old_edges[place + 1]
        speed = (high - low) / (stop - start)
        inside = np.mean((known >= low - 2) & (known < high + 2)) >= 0.9
        if inside and abs(high - low - len(part)) >= 2 and _SPEEDS[0] <= speed <= _SPEEDS[1]:
            line = np.minimum(low + ((count + 0.5) * speed).astype(np.int64), high - 1)
            found.append((_cost(line, new, old, start) + _RATHER_STRAIGHT, line))
        path[start:stop] = min(found, key=lambda each: each[0])[1]


def _cost(part: np.ndarray, new: np.ndarray, old: np.ndarray, start: int) -> float:
    """Mean distance of the frames from `start` on and the old ones that they are said to be."""
    found = [float(distances(new[start + i], old[k : k + 1])[0]) for i, k in enumerate(part) if k != NOWHERE]
    return float(np.mean(found)) if found else float("inf")


def _slide(path: np.ndarray, old: np.ndarray, new: np.ndarray, edges: set[int], old_edges: set[int]) -> None:
    """Moves each jump to where an editor would have cut: a shot begins in the new cut, or the jump goes from the end of
    an old shot or to the beginning of one; where the frames between fit either piece.  Of two places that are as good,
    that which the small movements in the picture bear out."""
    for cut in [int(i) + 1 for i in np.flatnonzero(np.diff(path) != 1)]:
        before, after = int(path[cut - 1]), int(path[cut])
        if before == NOWHERE or after == NOWHERE:
            continue
        ends, begins = before - (cut - 1), after - cut  # old frame less new frame, on either side

        def worth(place: int, ends: int = ends, begins: int = begins) -> int:
            return 2 * (place in edges) + (place + ends in old_edges) + (place + begins in old_edges)

        places = {edge - side for edge in old_edges for side in (ends, begins)} | edges
        near = [place for place in places if 0 < abs(place - cut) <= SLIDE and worth(place) >= worth(cut)]
        for place in sorted(near, key=lambda place: (-worth(place), abs(place - cut))):
            first, last = (place, cut) if place < cut else (cut, place)
            wanted = np.arange(first, last) + (begins if place < cut else ends)
            if first < 0 or last > len(path) or wanted.min() < 0 or wanted.max() >= len(old):
                continue
            here = path[first:last]
            if np.any(np.diff(here) != 1):
                continue
            if worth(place) > worth(cut):
                better = _cost(wanted, new, old, first) <= _cost(here, new, old, first) + _AS_GOOD
            else:
                better = _moves_less(wanted, here, new[first:last], old)
            if better:
                path[first:last] = wanted
                break


def _moves_less(wanted: np.ndarray, here: np.ndarray, new: np.ndarray, old: np.ndarray) -> bool:
    """Whether frames that are alike but for something small, an eye that blinks, are clearly those of `wanted`.  All
    fields count but those that fit neither, which are changed text."""
    ours, theirs = (np.abs(new - old[part]).mean(axis=0) for part in (wanted, here))
    fits = np.minimum(ours, theirs) < _TEXT
    if not fits.any():
        return False
    better, worse = float(ours[fits].mean()), float(theirs[fits].mean())
    return better < _CLEARLY * worse and worse - better > _SMALL
