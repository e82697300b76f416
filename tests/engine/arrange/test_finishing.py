"""From strikes on the grid to notes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.arrange.finishing import Finisher
from engine.arrange.options import ArrangeOptions, PartOptions
from engine.arrange.parts import Strike
from engine.arrange.timeline import Bars, Segment
from engine.music import C_MAJOR, Chord, Slot, TempoMap

TEMPO = TempoMap.constant(97)


def segment(start: float, end: float) -> Segment:
    slot = Slot(0, 0.0, 1.0, start, end, Chord.parse("C"), density=1.0, loudness=0.1)
    return Segment(slot, slot.chord, C_MAJOR, start, end, start, end, None, None, 0)


@given(
    st.floats(0.0, 4.0),
    st.lists(st.tuples(st.floats(0.0, 1.9), st.floats(0.05, 1.0)), min_size=1, max_size=8),
    st.sampled_from([0.0, 5.0, 25.0]),
    st.sampled_from([20.0, 90.0, 110.0]),
)
def test_one_pitch_never_sounds_twice_and_nothing_begins_before_its_chord(start, strikes, looseness, length):
    """Chords begin anywhere, so a strike of the grid may come right behind that of the chord's own beginning."""
    here = segment(start, start + 2.0)
    made = sorted({round(start + at, 6): round(start + min(at + hold, 2.0), 6) for at, hold in strikes}.items())
    finisher = Finisher(ArrangeOptions(looseness_ms=looseness, note_length=length), Bars(TEMPO, 0.0, 16.0), TEMPO)
    played = finisher.finish("arp", PartOptions(), here, [Strike(at, end, 60, 80) for at, end in made])
    notes = sorted((each.note for each in played), key=lambda note: note.start_beats)
    assert notes
    for note in notes:
        assert start - 1e-5 <= note.start_beats < note.end_beats <= start + 2.0 + 1e-5
    for before, after in pairwise(notes):
        assert after.start_beats >= before.end_beats - 1e-9


@pytest.mark.parametrize("looseness", [0.0, 10.0, 25.0])
def test_a_strike_right_behind_the_chord_does_not_push_the_first_into_the_chord_before(looseness):
    here = segment(17.49, 18.5)
    finisher = Finisher(ArrangeOptions(looseness_ms=looseness, note_length=100.0), Bars(TEMPO, 0.0, 32.0), TEMPO)
    strikes = [Strike(17.49, 17.5, 60, 80), Strike(17.5, 17.75, 60, 80)]
    for each in finisher.finish("arp", PartOptions(), here, strikes):
        assert each.note.start_beats >= 17.49
