"""Changes in a picture that stands still: where they are decided by what little moves in it."""

import numpy as np
import pytest

from engine.conform.align import align
from engine.conform.prints import FIELDS
from engine.conform.refine import refine

BLINK, TEXT = (30, 31), (100, 101, 102, 103)  # fields of the print


def a_film(blinks, text: bool) -> np.ndarray:
    """(160, FIELDS): a shot that moves, one of 60 frames that stands still but for a blink, another that moves."""
    draw = np.random.default_rng(3)
    shots = []
    for length in (50, 60, 50):
        still = draw.uniform(30, 220, FIELDS)
        moves = np.cumsum(draw.normal(0, 2.0, (length, FIELDS)), axis=0) if length == 50 else 0.0
        shots.append(np.broadcast_to(still + moves, (length, FIELDS)).copy())
    film = np.concatenate(shots).astype(np.float32)
    for first, last in blinks:
        film[50 + first : 50 + last, BLINK] += 25.0
    if text:
        film[:, TEXT] = draw.uniform(0, 255, (len(film), 1))
    return film


@pytest.mark.parametrize("text", [False, True], ids=["clean", "burn-in changed"])
@pytest.mark.parametrize("cut", [(50, 64), (96, 110)], ids=["at its head", "at its tail"])
def test_a_trim_of_a_still_shot_is_where_its_small_movements_say(cut, text):
    old = a_film([(30, 38), (44, 46)], text)
    order = np.array([i for i in range(len(old)) if not cut[0] <= i < cut[1]])
    new = old[order].copy()
    if text:
        new[:, TEXT] = np.random.default_rng(8).uniform(0, 255, (len(new), 1))
    path = refine(align(old, new), old, new)
    assert (path == order).all(), (path - order).tolist()


def test_a_shot_in_which_nothing_moves_is_cut_at_one_of_its_edges_whatever_the_text_does():
    old = a_film([], True)
    order = np.array([i for i in range(len(old)) if not 50 <= i < 64])
    new = old[order].copy()
    new[:, TEXT] = np.random.default_rng(8).uniform(0, 255, (len(new), 1))
    path = refine(align(old, new), old, new)
    jumps = np.flatnonzero(np.diff(path) != 1) + 1
    assert len(jumps) == 1 and (path[jumps[0] - 1], path[jumps[0]]) in {(49, 64), (95, 110)}
