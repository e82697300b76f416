"""Documents: values that never change in place."""

from __future__ import annotations

from engine.document import OUTPUT_SETTINGS, SETTINGS, Document, Pin, Result
from engine.music import Chord, Slot
from engine.music.controls import BY_ADDRESS
from engine.music.controls import SETTINGS as TABLE

SLOTS = tuple(Slot(index, index, index + 1.0, index * 2, index * 2 + 2.0, Chord.parse("C")) for index in range(12))


def test_the_settings_are_those_of_the_table_of_controls() -> None:
    assert dict(SETTINGS) == TABLE
    assert {address for address in SETTINGS if BY_ADDRESS[address].effect == "output"} == OUTPUT_SETTINGS


def test_a_value_set_back_to_its_default_leaves_no_trace() -> None:
    document = Document().with_value("/cue/swing", 60.0)
    assert document.number_of("/cue/swing") == 60.0
    assert document.with_value("/cue/swing", 50.0) == Document()
    assert all(Document().value(address) == default for address, default in SETTINGS.items())


def test_pins_replace_what_they_overlap_and_touch_only_their_slots() -> None:
    document = (
        Document(result=Result(slots=SLOTS))
        .with_pin(Pin(2, 4, Chord.parse("Dm")))
        .with_pin(Pin(3, 6, Chord.parse("E7")))
    )
    assert [pin.chord.lead_sheet() for pin in document.pins] == ["E7"]
    changed = [slot.index for slot, old in zip(document.slots, SLOTS, strict=True) if slot != old]
    assert changed == [3, 4, 5]
    assert all(slot.pinned for slot in document.slots[3:6])
    assert document.without_pin(3.5).slots == SLOTS
