"""Composed chords on another grid of slots."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.session.tempo import refit
from engine.arrange.rhythm import build_grid
from engine.music import Chord, Slot, TempoMap

LENGTHS_S = st.lists(st.sampled_from([0.5, 0.7, 1.0, 1.5]), min_size=1, max_size=40)


@given(LENGTHS_S, st.sampled_from([60.0, 90.0, 92.0, 140.0]))
def test_chords_keep_their_place_in_the_picture_on_another_grid(lengths_s: list[float], bpm: float) -> None:
    slots, at_s = [], 0.0
    for index, length_s in enumerate(lengths_s):
        chord = Chord.parse(("C", "F", "G", "Am")[index % 4])
        slots.append(Slot(index, at_s, at_s + length_s, at_s * 2, (at_s + length_s) * 2, chord, loudness=index / 100))
        at_s += length_s
    fitted = refit(slots, "beats", TempoMap.constant(bpm), at_s, 0.0)
    grid = build_grid("beats", TempoMap.constant(bpm), at_s)
    assert [(slot.index, slot.start_s, slot.end_s) for slot in fitted] == [
        (place.index, place.start_s, place.end_s) for place in grid
    ]
    for slot in fitted:
        middle_s = (slot.start_s + slot.end_s) / 2
        old = next(each for each in reversed(slots) if each.start_s <= middle_s)
        assert (slot.chord, slot.loudness) == (old.chord, old.loudness)
