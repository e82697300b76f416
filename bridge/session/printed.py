"""Printed ranges: the DAW plays them from its own items, so the stream of those parts is mute there until thawed.

A range is kept in beats of the timeline, as the DAW keeps its MIDI items: a new tempo there moves both alike.  It is
part of the draft, so freezing and thawing are steps of the undo history and are kept in the session file.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bridge.session.arranging import EVER, Load
from bridge.session.history import Frozen
from engine.music import PARTS, Controller
from engine.music.arguments import ControlError

if TYPE_CHECKING:
    from bridge.session.session import Session

ALL: Final = "all"


class Freezer:
    """Of one session; ranges in and out are picture seconds, None: from the beginning, to the end."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._in_force: tuple[Frozen, ...] = ()  # as the player has it

    def freeze_printed(self, parts: Iterable[str], start_beats: float, end_beats: float, label: str) -> float:
        """What a DAW has just been given; returns the picture second from which the stream is mute."""
        return self._edit(frozen_with(self._session.draft.frozen, parts, start_beats, end_beats), label)

    def freeze(self, part: str, from_s: float | None = None, to_s: float | None = None) -> float:
        """As printing does, for notes that were brought into the DAW by hand.  part: one of PARTS or "all"."""
        low, high = self._range(from_s, to_s)
        return self._edit(frozen_with(self._session.draft.frozen, _parts(part), low, high), f"freeze {part}")

    def thaw(self, part: str = ALL, from_s: float | None = None, to_s: float | None = None) -> float:
        """The stream is heard again.  Raises ControlError where nothing of it is frozen."""
        frozen = self._session.draft.frozen
        left = frozen_without(frozen, _parts(part), *self._range(from_s, to_s))
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
        return without_frozen(load, self._frozen)

    def renew(self, takeover_beats: float | None) -> None:
        """After a change of the draft: the player gets the plan again where other ranges are frozen now."""
        if self._frozen != self._in_force:
            self._in_force = self._frozen
            self._session.plan.hand_over_again(takeover_beats)

    @property
    def _frozen(self) -> tuple[Frozen, ...]:
        return self._session.draft.frozen

    def _range(self, from_s: float | None, to_s: float | None) -> tuple[float, float]:
        if from_s is not None and to_s is not None and to_s <= from_s:
            raise ControlError("bad_value", f"a range from {from_s:g} s to {to_s:g} s has no length.")
        session = self._session
        low = session.beats_at(0.0 if from_s is None else from_s)
        return low, session.beats_at(max(session.end_s, 0.0) if to_s is None else to_s)

    def _edit(self, frozen: tuple[Frozen, ...], label: str) -> float:
        session = self._session
        draft = replace(session.draft, frozen=frozen)
        if draft != session.draft:
            session.history.edit(draft, label, time.perf_counter())
            return session.follow_draft(None)
        return session.transport.soon_s()


def _parts(part: str) -> tuple[str, ...]:
    return PARTS if part == ALL else (part,)


def frozen_without(frozen: Sequence[Frozen], parts: Iterable[str], low: float, high: float) -> tuple[Frozen, ...]:
    """The ranges with [low, high) beats of these parts taken out."""
    parts, left = set(parts), []
    for each in frozen:
        if each.part not in parts or each.end_beats <= low or high <= each.start_beats:
            left.append(each)
            continue
        if each.start_beats < low:
            left.append(replace(each, end_beats=low))
        if high < each.end_beats:
            left.append(replace(each, start_beats=high))
    return tuple(left)


def frozen_with(frozen: Sequence[Frozen], parts: Iterable[str], low: float, high: float) -> tuple[Frozen, ...]:
    """The ranges with [low, high) beats of these parts among them; ranges that touch become one."""
    made = list(frozen)
    for part in parts:
        touching = [each for each in made if each.part == part and each.start_beats <= high and low <= each.end_beats]
        start = min([low, *(each.start_beats for each in touching)])
        end = max([high, *(each.end_beats for each in touching)])
        made = [each for each in made if each not in touching] + [Frozen(part, start, end)]
    return tuple(sorted(made, key=lambda each: (PARTS.index(each.part), each.start_beats)))


def without_frozen(load: Load, frozen: Sequence[Frozen]) -> Load:
    """A load without what is frozen.

    A note belongs to the range it begins in, as in a print.  Where a range ends, each curve of the part gets the value
    that it has by then: the notes after it would else sound with the one from before it.
    """
    if not frozen:
        return load
    by_part: dict[str, list[Frozen]] = {}
    for each in frozen:
        by_part.setdefault(each.part, []).append(each)

    def end_of(part: str, beats: float) -> float | None:
        for each in by_part.get(part, ()):
            if each.start_beats <= beats < each.end_beats:
                return each.end_beats
        return None

    notes = tuple(note for note in load.notes if end_of(note.part, note.start_beats) is None)
    curves: list[Controller] = []
    last: dict[tuple[str, int, int, float], Controller] = {}
    for control in sorted(load.controllers, key=lambda control: control.time_beats):
        end = end_of(control.part, control.time_beats)
        if end is None:
            curves.append(control)
        else:
            last[control.part, control.channel, control.number, end] = control
    there = {(control.part, control.channel, control.number, control.time_beats) for control in curves}
    curves += [
        replace(control, time_beats=end)
        for (part, channel, number, end), control in last.items()
        if end < EVER and (part, channel, number, end) not in there
    ]
    return Load(load.from_beats, notes, tuple(sorted(curves, key=lambda control: control.time_beats)))


__all__ = ["ALL", "Freezer", "frozen_with", "frozen_without", "without_frozen"]
