"""What two takes have in common, found by intervals, as if it were looked at every quarter of a second."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from engine.document import Document, Pin, Result
from engine.document.compare import STEP_S, chords_alike
from engine.music import Chord, Slot

SLOTS = st.lists(st.tuples(st.sampled_from([0.1, 0.5, 0.7, 1.0, 1.3]), st.sampled_from("CGF")), max_size=20)


def document_of(rows, pinned: bool) -> Document:
    slots, at_s = [], 0.0
    for index, (length_s, name) in enumerate(rows):
        slots.append(Slot(index, at_s, at_s + length_s, at_s * 2, (at_s + length_s) * 2, Chord.parse(name)))
        at_s += length_s
    pins = (Pin(1.0, 2.0, Chord.parse("E")),) if pinned else ()
    return Document(result=Result(slots=tuple(slots)), pins=pins)


@given(SLOTS, SLOTS, st.booleans(), st.sampled_from([-math.inf, 0.0, 1.7]), st.sampled_from([math.inf, 3.3, 12.0]))
def test_the_share_is_that_of_the_places(first, second, pinned: bool, low_s: float, high_s: float) -> None:
    one, two = document_of(first, pinned), document_of(second, False)
    equal = count = 0
    at_s = max(low_s, 0.0)
    while at_s < high_s:
        mine, theirs = one.slot_at(at_s), two.slot_at(at_s)
        if mine is None and theirs is None:
            break
        equal += mine is not None and theirs is not None and mine.chord == theirs.chord
        count += 1
        at_s += STEP_S
    assert chords_alike(one, two, low_s, high_s) == (equal / count if count else 1.0)
    assert chords_alike(one, one, low_s, high_s) == 1.0
