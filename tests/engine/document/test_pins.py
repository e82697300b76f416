"""Pins in a row of slots: found by search, as if each slot asked for its own."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from engine.arrange.rhythm import merge_runs
from engine.document import Document, Pin, Result
from engine.music import Chord, Slot

LENGTHS_S = st.lists(st.sampled_from([0.5, 0.7, 1.0, 1.5]), min_size=1, max_size=40)
PIN = st.tuples(st.floats(-1.0, 50.0), st.floats(0.01, 8.0), st.sampled_from("FG"))
PINS = st.lists(PIN, max_size=5, unique_by=lambda pin: pin[0])


@given(LENGTHS_S, PINS)
def test_every_slot_gets_the_first_pin_over_its_middle(lengths_s: list[float], pins: list) -> None:
    slots, at_s = [], 0.0
    for index, length_s in enumerate(lengths_s):
        slots.append(Slot(index, at_s, at_s + length_s, at_s * 2, (at_s + length_s) * 2, Chord.parse("C")))
        at_s += length_s
    placed = tuple(Pin(from_s, from_s + length_s, Chord.parse(name)) for from_s, length_s, name in sorted(pins))
    document = Document(pins=placed, result=Result(slots=tuple(slots)))
    assert document.with_pins(tuple(slots)) == tuple(map(document.pinned, slots))


def test_a_pin_that_another_only_grazes_is_cut_not_lost() -> None:
    """After a tempo change chords are found on other sixteenths than the pins that were set before."""
    first, second = Pin(1.0, 2.5, Chord.parse("F"), "F", True), Pin(2.5, 4.0, Chord.parse("Am"), "Am", True)
    document = Document(pins=(first, second)).with_pin(Pin(1.0, 2.522, Chord.parse("Dm"), "Dm", True))
    assert [(pin.typed, pin.start_s, pin.end_s) for pin in document.pins] == [("Dm", 1.0, 2.522), ("Am", 2.522, 4.0)]
    document = Document(pins=(first, second)).with_pin(Pin(2.478, 4.0, Chord.parse("Dm"), "Dm", True))
    assert [(pin.typed, pin.start_s, pin.end_s) for pin in document.pins] == [("F", 1.0, 2.478), ("Dm", 2.478, 4.0)]
    assert [
        pin.typed for pin in Document(pins=(first, second)).with_pin(Pin(0.0, 4.0, Chord.parse("G"), "G")).pins
    ] == ["G"]


pins_of = st.builds(
    lambda start, length, exact: Pin(start / 7, (start + length) / 7, Chord.parse("E7"), exact=exact),
    st.integers(0, 300), st.integers(1, 40), st.booleans(),
)  # fmt: skip


@given(st.lists(pins_of, min_size=1, max_size=12))
def test_a_row_that_is_cut_pin_by_pin_is_the_row_that_is_cut_at_once(wanted: list[Pin]) -> None:
    document = Document(
        result=Result(
            slots=tuple(Slot(n, n * 1.0, n + 1.0, n * 2.0, n * 2.0 + 2.0, Chord.parse("C")) for n in range(40)),
            complete=True,
        )
    )
    for pin in wanted:
        document = document.with_pin(pin)
        _ = document.slots  # from now on a row is there to be cut further
        again = Document(result=document.result, pins=document.pins)
        assert document.slots == again.slots == tuple(cut_simply(again))
        runs = [(run.chord, run.start_s) for run in merge_runs(document.slots)]
        assert list(document.each_run()) == runs
        assert [each.start_s for each in document.pins] == sorted(each.start_s for each in document.pins)


def cut_simply(document: Document) -> list[Slot]:
    """One edge after the other, each looked for from the beginning."""
    row = list(document.result.slots)
    for pin in document.pins:
        for edge_s in (pin.start_s, pin.end_s) if pin.exact else ():
            at_s, beats = document.sixteenth(edge_s)
            for index, slot in enumerate(row):
                if slot.start_s + 1e-3 < at_s < slot.end_s - 1e-3:
                    row[index : index + 1] = [
                        replace(slot, end_s=at_s, end_beats=beats),
                        replace(slot, start_s=at_s, start_beats=beats),
                    ]
                    break
    return [document.pinned(slot) for slot in row]
