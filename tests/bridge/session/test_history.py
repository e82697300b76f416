"""Drafts and their history: values that never change in place."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bridge.session.history import Draft, History, Pin, Result
from engine.music import Chord, Slot
from engine.music.controls import SETTINGS

SLOTS = tuple(Slot(index, index, index + 1.0, index * 2, index * 2 + 2.0, Chord.parse("C")) for index in range(12))


def test_a_value_set_back_to_its_default_leaves_no_trace() -> None:
    draft = Draft().with_value("/cue/swing", 60.0)
    assert draft.number("/cue/swing") == 60.0
    assert draft.with_value("/cue/swing", 50.0) == Draft()
    assert all(Draft().value(address) == default for address, default in SETTINGS.items())


def test_pins_replace_what_they_overlap_and_touch_only_their_slots() -> None:
    draft = (
        Draft(result=Result(slots=SLOTS)).with_pin(Pin(2, 4, Chord.parse("Dm"))).with_pin(Pin(3, 6, Chord.parse("E7")))
    )
    assert [pin.chord.lead_sheet() for pin in draft.pins] == ["E7"]
    changed = [slot.index for slot, old in zip(draft.slots, SLOTS, strict=True) if slot != old]
    assert changed == [3, 4, 5]
    assert all(slot.pinned for slot in draft.slots[3:6])
    assert draft.without_pin(3.5).slots == SLOTS


@given(st.lists(st.tuples(st.sampled_from(["edit", "undo", "redo"]), st.integers(0, 100)), max_size=120))
def test_undo_and_redo_walk_over_the_very_same_drafts(moves) -> None:
    history = History()
    row, index = [history.draft], 0
    for number, (move, value) in enumerate(moves):
        if move == "edit":
            draft = Draft(take=value + 2, progression_from_s=float(number))
            history.edit(draft, f"edit {number}", float(number))
            row = [*row[: index + 1], draft]
            index += 1
        elif move == "undo":
            assert (history.undo() is None) == (index == 0)
            index = max(index - 1, 0)
        else:
            assert (history.redo() is None) == (index == len(row) - 1)
            index = min(index + 1, len(row) - 1)
        assert history.draft is row[index]
        assert (history.undo_count, history.redo_count) == (index, len(row) - 1 - index)


def test_the_moves_of_one_fader_are_one_step() -> None:
    history = History()
    for step in range(200):
        history.edit(Draft(take=step + 2), "swing", step * 0.01, merge=True)
    history.edit(Draft(take=900), "swing", 60.0, merge=True)
    assert history.undo_count == 2
    history.undo()
    assert history.draft.take == 201


def test_at_least_two_hundred_steps_are_kept() -> None:
    history = History(limit=200)
    for step in range(500):
        history.edit(Draft(take=step + 2), f"{step}", float(step))
    assert history.undo_count == 200
    while history.undo() is not None:
        pass
    assert history.draft.take == 301


def test_a_result_that_arrives_late_is_no_edit() -> None:
    history = History()
    history.edit(Draft(take=2), "take B", 0.0)
    history.amend(replace(history.draft, result=Result(slots=SLOTS)))
    assert history.undo_count == 1 and history.draft.result.slots == SLOTS
