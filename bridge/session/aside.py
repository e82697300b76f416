"""Takes that are composed beside the one that plays, one after the other, while the engine has nothing else to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.document import Document

MOST: Final = 64  # at a time


@dataclass(frozen=True, slots=True)
class _Flying:
    revision: int
    document: Document


class TakesAside:
    """wanted: how many are still to be composed.  One that the engine had to leave for an edit is asked for again."""

    def __init__(self) -> None:
        self.wanted = 0
        self._flying: _Flying | None = None

    @property
    def due(self) -> bool:
        """Whether the next one may be asked for."""
        return self.wanted > 0 and self._flying is None

    def add(self, count: int) -> None:
        """So many more, up to MOST; 0: no more."""
        self.wanted = min(self.wanted + count, MOST) if count else 0
        if not count:
            self._flying = None

    def sent(self, revision: int, document: Document) -> None:
        self._flying = _Flying(revision, document)

    def set_back(self) -> None:
        """The engine has left it."""
        self._flying = None

    def answered(self, revision: int) -> Document | None:
        """The document that an answer or a failure belongs to; None where it is none of these."""
        flying = self._flying
        if flying is None or flying.revision != revision:
            return None
        self._flying = None
        self.wanted = max(self.wanted - 1, 0)
        return flying.document
