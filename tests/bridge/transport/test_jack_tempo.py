"""What a JACK timebase master's tempo counts: quarter notes (Ardour) or beats of the meter (klick, JACK's own text)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.transport.jack import SPEAK_S, TempoUnit

METERS = [(4, 4), (7, 8), (6, 8), (5, 16), (2, 2), (3, 4)]


def said(unit: TempoUnit, bpm: float, meter: tuple[int, int], quarters: bool, from_s: float, seconds: float):
    """Quarter tempi of the looks of some seconds, with beats in ticks as masters give them."""
    stated = bpm if quarters else bpm * meter[1] / 4
    found = []
    for look in range(int(seconds / SPEAK_S) + 1):
        at_s = from_s + look * SPEAK_S
        beats = int(at_s * bpm / 60 * meter[1] / 4 * 1920) / 1920
        found.append(unit.quarter_bpm(at_s, beats, stated, (float(meter[0]), float(meter[1]))))
    return found


@given(
    bpm=st.floats(30, 300),
    meter=st.sampled_from(METERS),
    quarters=st.booleans(),
    from_s=st.floats(0, 7200),
)
def test_quarter_notes_are_told_from_beats_of_the_meter(bpm, meter, quarters, from_s) -> None:
    first, *later = said(TempoUnit(), bpm, meter, quarters, from_s, 0.5)
    assert first is None or first == pytest.approx(bpm)
    assert later and all(one == pytest.approx(bpm) for one in later)


def test_what_was_told_holds_over_stops_locates_and_changes_of_meter() -> None:
    unit = TempoUnit()
    said(unit, 97.3, (7, 8), True, 10.0, 0.5)
    assert said(unit, 97.3, (7, 8), True, 300.0, 0.0) == [97.3]  # the first look after a locate
    assert said(unit, 120.0, (6, 8), True, 301.0, 0.31) == [120.0] * 4
    assert said(unit, 97.3, (7, 8), True, 2.0, 0.31) == [97.3] * 4
