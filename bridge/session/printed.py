"""Printed ranges: the DAW plays them from its own items, so the stream of those parts is mute there until thawed.

A range is kept in beats of the timeline, as the DAW keeps its MIDI items: a new tempo there moves both alike.  It is
part of the document, so freezing and thawing are steps of the undo history and are kept in the session file.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bridge.session.arranging import Load
from engine.document import PrintedRange
from engine.document.printed import muted, printed_with, printed_without
from engine.music import PARTS
from engine.music.arguments import ControlError

if TYPE_CHECKING:
    from bridge.session.session import Session

ALL: Final = "all"


class Freezer:
    """Of one session; ranges in and out are picture seconds, None: from the beginning, to the end."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._in_force: tuple[PrintedRange, ...] = ()  # as the player has it

    def freeze_printed(self, parts: Iterable[str], start_beats: float, end_beats: float, label: str) -> float:
        """What a DAW has just been given; returns the picture second from which the stream is mute."""
        return self._edit(printed_with(self._session.document.printed, parts, start_beats, end_beats), label)

    def freeze(self, part: str, from_s: float | None = None, to_s: float | None = None) -> float:
        """As printing does, for notes that were brought into the DAW by hand.  part: one of PARTS or "all"."""
        low, high = self._range(from_s, to_s)
        return self._edit(printed_with(self._session.document.printed, _parts(part), low, high), f"freeze {part}")

    def thaw(self, part: str = ALL, from_s: float | None = None, to_s: float | None = None) -> float:
        """The stream is heard again.  Raises ControlError where nothing of it is frozen."""
        frozen = self._session.document.printed
        left = printed_without(frozen, _parts(part), *self._range(from_s, to_s))
        if left == frozen:
            raise ControlError("bad_value", f"nothing of {'any part' if part == ALL else part} is frozen there.")
        return self._edit(left, f"thaw {part}")

    @property
    def ranges(self) -> tuple[tuple[str, float, float], ...]:
        """(part, from, to) in picture seconds, by part and time."""
        picture_at = self._session.picture_at
        return tuple((each.part, picture_at(each.start_beats), picture_at(each.end_beats)) for each in self._frozen)

    @property
    def words(self) -> str:
        """`pad, bass 4.0–12.0 s; drums 0.0–30.0 s`; empty where nothing is frozen."""
        by_range: dict[tuple[float, float], list[str]] = {}
        for part, from_s, to_s in self.ranges:
            by_range.setdefault((from_s, to_s), []).append(part)
        return "; ".join(f"{', '.join(parts)} {low:.1f}–{high:.1f} s" for (low, high), parts in by_range.items())

    def heard(self, load: Load) -> Load:
        """What of a load the player gets."""
        return Load(load.from_beats, *muted(load.notes, load.controllers, self._frozen))

    def renew(self, takeover_beats: float | None) -> None:
        """After a change of the document: the player gets the plan again where other ranges are frozen now."""
        if self._frozen != self._in_force:
            self._in_force = self._frozen
            self._session.plan.hand_over_again(takeover_beats)

    @property
    def _frozen(self) -> tuple[PrintedRange, ...]:
        return self._session.document.printed

    def _range(self, from_s: float | None, to_s: float | None) -> tuple[float, float]:
        if from_s is not None and to_s is not None and to_s <= from_s:
            raise ControlError("bad_value", f"a range from {from_s:g} s to {to_s:g} s has no length.")
        session = self._session
        low = session.beats_at(0.0 if from_s is None else from_s)
        return low, session.beats_at(max(session.end_s, 0.0) if to_s is None else to_s)

    def _edit(self, frozen: tuple[PrintedRange, ...], label: str) -> float:
        session = self._session
        document = replace(session.document, printed=frozen)
        if document != session.document:
            session.history.edit(document, label, time.perf_counter())
            return session.follow_document(None)
        return session.transport.soon_s()


def _parts(part: str) -> tuple[str, ...]:
    return PARTS if part == ALL else (part,)


__all__ = ["ALL", "Freezer"]
