"""The takes of the running session."""

from __future__ import annotations

from collections.abc import Iterator

from engine.arrange import Arrangement
from engine.document import Document
from engine.document.takes import KeptRange, KeptTake, in_order, kept_ranges, kept_take, remembered


class Takes:
    """The takes of a session, by number of the cue and number of the take."""

    def __init__(self) -> None:
        self._takes: dict[tuple[int, int], KeptTake] = {}
        self.revision = object()  # another one with every change

    def __len__(self) -> int:
        return len(self._takes)

    def __iter__(self) -> Iterator[tuple[int, int, KeptTake]]:
        """Cue, number and take, in order."""
        for (cue, number), take in sorted(self._takes.items()):
            yield cue, number, take

    def put(self, cue: int, number: int, take: KeptTake) -> None:
        self._takes[cue, number] = in_order(take)
        self.revision = object()

    @property
    def state(self) -> dict[tuple[int, int], KeptTake]:
        """For `restore`."""
        return dict(self._takes)

    def restore(self, state: dict[tuple[int, int], KeptTake]) -> None:
        if state != self._takes:
            self._takes = dict(state)
            self.revision = object()

    def get(self, cue: int, number: int) -> KeptTake | None:
        return self._takes.get((cue, number))

    def of_cue(self, cue: int) -> dict[int, KeptTake]:
        """The takes of one cue by their number, in order."""
        return {number: take for (known, number), take in sorted(self._takes.items()) if known == cue}

    @property
    def any_kept(self) -> bool:
        return any(take.kept for take in self._takes.values())

    def remember(self, document: Document) -> None:
        """Remembers what was just composed, of every cue; kept takes stay what they are."""
        self.restore(remembered(self._takes, document))

    def keep(self, document: Document, made: Arrangement | None, name: str | None) -> KeptTake:
        """Keeps the take of the selected cue with its notes."""
        notes, controllers = (None, None) if made is None else (made.notes, made.controllers)
        self.put(document.cue, document.take, kept_take(self._takes, document, notes, controllers, name))
        return self._takes[document.cue, document.take]

    def kept_ranges(self, document: Document) -> tuple[KeptRange, ...]:
        """The notes of the kept takes that the document has not changed since."""
        return kept_ranges(self._takes, document)
