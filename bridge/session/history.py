"""Undo and redo: a list of documents, of which one is in force.

Every step has an id that it keeps, so that an answer of the engine finds the document that it was asked for, wherever
undo stands by then.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from engine.document import Document, FilmReading, Step

UNDO_STEPS: Final = 400
MERGE_S: Final = 1.0  # moves of one fader within this time are one step


class History:
    """Documents in the order in which they were made; those after the one in force can be redone."""

    def __init__(self, document: Document | None = None, limit: int = UNDO_STEPS) -> None:
        self._steps = [Step(document or Document())]
        self._ids = [0]
        self._newest = 0
        self._index = 0
        self._limit = limit

    @property
    def document(self) -> Document:
        return self._steps[self._index].document

    @property
    def id(self) -> int:
        """Of the step in force."""
        return self._ids[self._index]

    @property
    def undo_label(self) -> str:
        return self._steps[self._index].label if self._index else ""

    @property
    def redo_label(self) -> str:
        return self._steps[self._index + 1].label if self._index + 1 < len(self._steps) else ""

    @property
    def undo_count(self) -> int:
        return self._index

    @property
    def redo_count(self) -> int:
        return len(self._steps) - 1 - self._index

    @property
    def steps(self) -> tuple[Step, ...]:
        return tuple(self._steps)

    @property
    def film(self) -> FilmReading | None:
        """Of the step in force; None where the history has had one film alone."""
        return self.film_at(self._index)

    def film_at(self, index: int) -> FilmReading | None:
        """Of a step; None outside the history too."""
        if not 0 <= index < len(self._steps):
            return None
        return next((step.film for step in reversed(self._steps[: index + 1]) if step.film is not None), None)

    def push_film(
        self, document: Document, label: str, at_s: float, before: FilmReading, after: FilmReading, who: str = ""
    ) -> None:
        """Adds a step from which on the picture is another one."""
        if self.film is None:
            self._steps[0] = replace(self._steps[0], film=before)
        self.push(document, label, at_s, who=who)
        self._steps[-1] = replace(self._steps[-1], film=after)

    def push(
        self, document: Document, label: str, at_s: float, *, merge: bool = False, who: str = "", gesture: str = ""
    ) -> None:
        """Adds a step after the one in force and deletes those that could be redone.

        merge: takes the place of the last step if that has the same label and maker and is fresh.  gesture: takes the
        place of the last step if that belongs to the same gesture.  at_s: host time.
        """
        del self._steps[self._index + 1 :], self._ids[self._index + 1 :]
        step, last = Step(document, label, at_s, who, gesture), self._steps[-1]
        if self._index and last.gesture == gesture and last.who == who:
            fresh = merge and last.label == label and at_s - last.at_s < MERGE_S
            if gesture or fresh:
                self._steps[-1] = replace(step, film=last.film)
                return
        self._newest += 1
        self._steps.append(step)
        self._ids.append(self._newest)
        surplus = len(self._steps) - self._limit - 1
        if surplus > 0:  # the first step that is left has to say its film itself
            self._steps[surplus] = replace(self._steps[surplus], film=self.film_at(surplus))
            del self._steps[:surplus], self._ids[:surplus]
        self._index = len(self._steps) - 1

    def document_of(self, step_id: int) -> Document | None:
        """None where the step is gone."""
        return self._steps[self._ids.index(step_id)].document if step_id in self._ids else None

    def amend(self, document: Document, step_id: int | None = None) -> None:
        """Replaces the document of a step (default: the one in force) by what became of it without an edit.

        Raises ValueError where the step is gone.
        """
        index = self._index if step_id is None else self._ids.index(step_id)
        self._steps[index] = replace(self._steps[index], document=document)

    def undo(self) -> Document | None:
        """Goes one step back; None at the beginning."""
        if not self._index:
            return None
        self._index -= 1
        return self.document

    def redo(self) -> Document | None:
        """Goes one step on; None at the end."""
        if not self.redo_count:
            return None
        self._index += 1
        return self.document

    def restore(self, steps: tuple[Step, ...], index: int) -> None:
        """Takes over other steps; those that are here already keep their ids.  Raises ValueError for an index outside
        them."""
        if not steps or not 0 <= index < len(steps):
            raise ValueError("the history of the session is damaged")
        known = {id(step): number for step, number in zip(self._steps, self._ids, strict=True)}
        ids = []
        for step in steps:
            if id(step) not in known:
                self._newest += 1
            ids.append(known.get(id(step), self._newest))
        self._steps, self._ids, self._index = list(steps), ids, index
