"""The undo history: a list of documents."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bridge.session.history import History
from engine.document import Document, Result
from engine.music import Chord, Slot

SLOTS = tuple(Slot(index, index, index + 1.0, index * 2, index * 2 + 2.0, Chord.parse("C")) for index in range(12))


@given(st.lists(st.tuples(st.sampled_from(["edit", "undo", "redo"]), st.integers(0, 100)), max_size=120))
def test_undo_and_redo_walk_over_the_very_same_documents(moves) -> None:
    history = History()
    row, index = [history.document], 0
    for number, (move, value) in enumerate(moves):
        if move == "edit":
            document = Document(take=value + 2, progression_from_s=float(number))
            history.push(document, f"edit {number}", float(number))
            row = [*row[: index + 1], document]
            index += 1
        elif move == "undo":
            assert (history.undo() is None) == (index == 0)
            index = max(index - 1, 0)
        else:
            assert (history.redo() is None) == (index == len(row) - 1)
            index = min(index + 1, len(row) - 1)
        assert history.document is row[index]
        assert (history.undo_count, history.redo_count) == (index, len(row) - 1 - index)


def test_the_moves_of_one_fader_are_one_step() -> None:
    history = History()
    for step in range(200):
        history.push(Document(take=step + 2), "swing", step * 0.01, merge=True)
    history.push(Document(take=900), "swing", 60.0, merge=True)
    assert history.undo_count == 2
    history.undo()
    assert history.document.take == 201


def test_at_least_two_hundred_steps_are_kept() -> None:
    history = History(limit=200)
    for step in range(500):
        history.push(Document(take=step + 2), f"{step}", float(step))
    assert history.undo_count == 200
    while history.undo() is not None:
        pass
    assert history.document.take == 301


def test_a_result_that_arrives_late_is_no_edit() -> None:
    history = History()
    history.push(Document(take=2), "take B", 0.0)
    history.amend(replace(history.document, result=Result(slots=SLOTS)))
    assert history.undo_count == 1 and history.document.result.slots == SLOTS


def test_an_answer_finds_the_document_it_was_asked_for_wherever_undo_stands() -> None:
    history = History()
    history.push(Document(take=2), "take B", 0.0)
    asked_for = history.id
    history.undo()
    history.amend(replace(history.document_of(asked_for), result=Result(slots=SLOTS)), asked_for)
    assert history.document.result.slots == () and history.redo().result.slots == SLOTS
    history.undo()
    history.push(Document(take=3), "take C", 1.0)
    assert history.document_of(asked_for) is None


def test_steps_that_come_back_keep_their_id() -> None:
    history = History()
    history.push(Document(take=2), "take B", 0.0)
    steps, index, known = history.steps, history.undo_count, history.id
    history.push(Document(take=3), "take C", 5.0)
    history.restore(steps, index)
    assert history.id == known
    history.push(Document(take=4), "take D", 9.0)
    assert history.document_of(known).take == 2
