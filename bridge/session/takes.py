"""The takes of the running session."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace

from engine.arrange import Arrangement
from engine.document import Document
from engine.document.takes import KeptTake, TakeTable, in_order, kept_take, remembered
from engine.music.arguments import ControlError


class Takes:
    """The takes of a session, by number of the cue and number of the take.

    table: all of them; another one after every change, so that a thread may read it.
    """

    def __init__(self) -> None:
        self.table: TakeTable = {}
        self._aside: dict[str, TakeTable] = {}
        self._coming: list[Future[KeptTake]] = []  # notes of kept takes that a thread arranges

    def __len__(self) -> int:
        return len(self.table)

    def __iter__(self) -> Iterator[tuple[int, int, KeptTake]]:
        """Cue, number and take, in order."""
        for (cue, number), take in sorted(self.table.items()):
            yield cue, number, take

    def put(self, cue: int, number: int, take: KeptTake) -> None:
        self.table = {**self.table, (cue, number): in_order(take)}

    def restore(self, table: TakeTable) -> None:
        self.table = table

    # other cuts of the film -------------------------------------------------------------------------------------------
    def change_cut(self, before: str, after: str) -> None:
        """Another cut is shown: its own takes are here, those of the one before are put aside.  By fingerprint."""
        self._aside[before] = self.table
        self.table = self._aside.pop(after, {})

    def put_aside(self, cut: str, cue: int, number: int, take: KeptTake) -> None:
        """A take of a cut that is not shown."""
        self._aside[cut] = {**self._aside.get(cut, {}), (cue, number): in_order(take)}

    @property
    def aside(self) -> Iterator[tuple[str, int, int, KeptTake]]:
        """Cut, cue, number and take, of the cuts that are not shown."""
        for cut, table in sorted(self._aside.items()):
            for (cue, number), take in sorted(table.items()):
                yield cut, cue, number, take

    def get(self, cue: int, number: int) -> KeptTake | None:
        return self.table.get((cue, number))

    def of_cue(self, cue: int) -> dict[int, KeptTake]:
        """The takes of one cue by their number, in order."""
        return {number: take for (known, number), take in sorted(self.table.items()) if known == cue}

    @property
    def any_kept(self) -> bool:
        return any(take.kept for take in self.table.values())

    def remember(self, document: Document) -> None:
        """Remembers what was just composed, of every cue; kept takes stay what they are."""
        self.table = remembered(self.table, document)

    def keep(self, document: Document, made: Arrangement | None, name: str | None) -> KeptTake:
        """Keeps the take of the selected cue with its notes; without any they can be put in later."""
        notes, controllers = (None, None) if made is None else (made.notes, made.controllers)
        return self._put_kept(kept_take(self.table, document, notes, controllers, name))

    def add_later(self, take: Future[KeptTake]) -> None:
        """A take that is kept already; its notes follow."""
        self._coming.append(take)

    def collect(self, *, wait: bool = False) -> list[str]:
        """Puts in the notes that have come since the last call, in order; a sentence for each fault."""
        faults = []
        while self._coming and (wait or self._coming[0].done()):
            try:
                self._add_notes(self._coming.pop(0).result())
            except Exception as error:  # the performance goes on, and the take can be kept again
                faults.append(
                    f"the notes of a kept take are not there ({type(error).__name__}: {error}): keep it again."
                )
        return faults

    def rename(self, cue: int, number: int, name: str) -> None:
        """Raises ControlError where there is no such take."""
        known = self.get(cue, number)
        if known is None:
            raise ControlError("bad_value", f"there is no take {number}.")
        self.put(cue, number, replace(known, name=name))

    def _add_notes(self, take: KeptTake) -> None:
        """The notes of a take that was kept without them; what was said of it by now stays."""
        key = (take.document.cue, take.document.take)
        known = self.table.get(key)
        if known is not None and known.document is take.document:
            self._put_kept(replace(take, name=known.name))
        for cut, table in self._aside.items():
            known = table.get(key)
            if known is not None and known.document is take.document:
                self._aside[cut] = {**table, key: replace(take, name=known.name)}

    def _put_kept(self, take: KeptTake) -> KeptTake:
        self.table = {**self.table, (take.document.cue, take.document.take): take}
        return take
