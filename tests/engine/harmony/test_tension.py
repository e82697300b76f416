"""How far chords lie from a key on the spiral array, and that planned harmony goes further where a cue is intense."""

from __future__ import annotations

from itertools import pairwise

import pytest

from engine.harmony.tension import strain
from engine.music import Chord, Key


@pytest.mark.parametrize("tonic", range(12))
@pytest.mark.parametrize("mode", ["major", "minor"])
def test_the_order_of_chords_by_their_distance(tonic, mode):
    key = Key(tonic, mode)
    own = "C" if mode == "major" else "Cm"
    far = [strain(Chord.parse(name).transpose(tonic), key) for name in (own, "F", "Db", "F#")]
    assert all(a < b for a, b in pairwise(far))


def test_silence_lies_nowhere():
    assert strain(Chord.parse("N"), Key(0)) == 0.0
