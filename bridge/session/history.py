"""Undo and redo: a list of documents, of which one is in force."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from engine.document import Document, Step

UNDO_STEPS: Final = 400
MERGE_S: Final = 1.0  # moves of one fader within this time are one step


class History:
    """Undo and redo: a row of steps and which of them is in force."""

    def __init__(self, document: Document | None = None, limit: int = UNDO_STEPS) -> None:
        self._steps = [Step(Document() if document is None else document)]
        self._index = 0
        self._limit = limit

    @property
    def document(self) -> Document:
        return self._steps[self._index].document

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

    def edit(self, document: Document, label: str, at_s: float, *, merge: bool = False) -> None:
        """A new step; with `merge` it takes the place of the last one if that has the same label and is fresh."""
        del self._steps[self._index + 1 :]
        last = self._steps[-1]
        if merge and self._index and last.label == label and at_s - last.at_s < MERGE_S:
            self._steps[-1] = Step(document, label, at_s)
            return
        self._steps.append(Step(document, label, at_s))
        del self._steps[: max(len(self._steps) - self._limit - 1, 0)]
        self._index = len(self._steps) - 1

    def amend(self, document: Document, back: int = 0) -> None:
        """The step in force (or one `back` from it) gets its result: no edit of the composer's."""
        index = self._index - back
        self._steps[index] = replace(self._steps[index], document=document)

    def undo(self) -> Document | None:
        """The document before; None at the beginning."""
        if not self._index:
            return None
        self._index -= 1
        return self.document

    def redo(self) -> Document | None:
        if not self.redo_count:
            return None
        self._index += 1
        return self.document

    def restore(self, steps: tuple[Step, ...], index: int) -> None:
        """A row kept in a session file.  Raises ValueError on an index outside it."""
        if not steps or not 0 <= index < len(steps):
            raise ValueError("the history of the session is damaged")
        self._steps, self._index = list(steps), index
