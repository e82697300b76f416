"""Locking a part over a range, so that its notes stay whatever is composed or set, and letting it go.

Positions are picture seconds; None: from the beginning, to the end.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Final, TypeVar

from bridge.session.edits import Edit
from bridge.session.now import Now
from engine.document import Document, Lock
from engine.music import PARTS, Controller, Note
from engine.music.arguments import ControlError

Timed = TypeVar("Timed", Note, Controller)
_start: Final = attrgetter("start_beats")
_time: Final = attrgetter("time_beats")
ALL: Final = "all"
MOST: Final = 200


# size: document and now as every edit, the music, and the three arguments of its address.
@dataclass(frozen=True, slots=True)
class Gathered:
    """What begins in a range of the parts that are to be locked, gathered in pieces: two hours have a hundred thousand
    notes.  low, high: the range, in beats of the document's tempo map."""

    document: Document
    part: str
    low: float
    high: float
    notes: dict[str, list[Note]] = field(default_factory=dict)
    controllers: dict[str, list[Controller]] = field(default_factory=dict)

    def add(self, notes: Sequence[Note], controllers: Sequence[Controller]) -> None:
        """Of the music as it is heard now, the next piece."""
        low, high = self.low, self.high
        for note in notes:
            if low <= note.start_beats < high and note.part in self.notes:
                _append(self.notes[note.part], note, _start)
        for each in controllers:
            if low <= each.time_beats < high and each.part in self.controllers:
                _append(self.controllers[each.part], each, _time)


def gather(
    document: Document, now: Now, part: str = ALL, from_s: float | None = None, to_s: float | None = None
) -> Gathered:
    """To be filled with the music, for `lock`.  Raises ControlError."""
    names = _parts(part)
    low, high = _beats(document, now, from_s, to_s)
    return Gathered(document, part, low, high, {name: [] for name in names}, {name: [] for name in names})


def lock(document: Document, now: Now, gathered: Gathered) -> Edit:
    """gathered: of this document.  Nothing sounds different."""
    low, high, part = gathered.low, gathered.high, gathered.part
    seconds_at, starts_s = document.result.tempo_map.seconds_at, document.result.starts_s
    made = [
        Lock(
            name, low, high, seconds_at(low) - starts_s, seconds_at(high) - starts_s,
            tuple(gathered.notes[name]), tuple(gathered.controllers[name]),
        )
        for name in _parts(part)
    ]  # fmt: skip
    kept = [each for each in document.locks if each.part not in _parts(part) or not _meets(each, low, high)]
    covered = [each for each in document.locks if each not in kept]
    kept += [piece for each in covered for piece in _rest(document, each, low, high)]
    locks = tuple(sorted((*kept, *made), key=lambda each: (each.start_beats, each.part)))
    if len(locks) > MOST:
        raise ControlError("bad_value", f"there are more than {MOST} locks.")
    return Edit(replace(document, locks=locks), f"lock {part}")


def unlock(
    document: Document, now: Now, part: str = ALL, from_s: float | None = None, to_s: float | None = None
) -> Edit:
    """Lets the notes of a part in a range be composed and arranged again."""
    names = _parts(part)
    own = [each for each in document.locks if each.part in names]
    # What was locked may reach beyond the music as it is now: it rings out earlier, or another tempo has moved it.
    last_s = max((now.end_s, *(each.end_s for each in own)))
    low, high = _beats(document, now, from_s, last_s if to_s is None else to_s)
    low = min((low, *(each.start_beats for each in own))) if from_s is None else low
    high = max((high, *(each.end_beats for each in own))) if to_s is None else high
    touched = [each for each in own if _meets(each, low, high)]
    if not touched:
        raise ControlError("bad_value", f"nothing of {'any part' if part == ALL else part} is locked there.")
    kept = [each for each in document.locks if each not in touched]
    kept += [piece for each in touched for piece in _rest(document, each, low, high)]
    return Edit(replace(document, locks=tuple(sorted(kept, key=lambda each: (each.start_beats, each.part)))),
                f"unlock {part}")  # fmt: skip


def _meets(each: Lock, low: float, high: float) -> bool:
    return each.start_beats < high - 1e-9 and each.end_beats > low + 1e-9


def _rest(document: Document, each: Lock, low: float, high: float) -> list[Lock]:
    """What is left of a lock outside a range."""
    seconds_at, starts_s = document.result.tempo_map.seconds_at, document.result.starts_s
    found = []
    for start, end in ((each.start_beats, min(low, each.end_beats)), (max(high, each.start_beats), each.end_beats)):
        if end - start > 1e-9:
            found.append(
                replace(
                    each, start_beats=start, end_beats=end,
                    # An edge that was there keeps its second: by it is seen whether the tempo has moved the lock.
                    start_s=each.start_s if start == each.start_beats else seconds_at(start) - starts_s,
                    end_s=each.end_s if end == each.end_beats else seconds_at(end) - starts_s,
                    notes=_between(each.notes, start, end, _start),
                    controllers=_between(each.controllers, start, end, _time),
                )
            )  # fmt: skip
    return found


def _append(found: list[Timed], each: Timed, at: Callable[[Timed], float]) -> None:
    """Keeps them in order of time; a note of the next piece of music may begin a little before the last of this one."""
    if found and at(each) < at(found[-1]):
        insort(found, each, key=at)
    else:
        found.append(each)


def _between(found: tuple[Timed, ...], start: float, end: float, at: Callable[[Timed], float]) -> tuple[Timed, ...]:
    return found[bisect_left(found, start, key=at) : bisect_left(found, end, key=at)]


def _beats(document: Document, now: Now, from_s: float | None, to_s: float | None) -> tuple[float, float]:
    """The range from sixteenth to sixteenth."""
    low_s, high_s = 0.0 if from_s is None else from_s, max(now.end_s, 0.0) if to_s is None else to_s
    low, high = document.sixteenth(low_s)[1], document.sixteenth(high_s)[1]
    if high <= low:
        raise ControlError("bad_value", f"a range from {low_s:g} s to {high_s:g} s has no length.")
    return low, high


def _parts(part: str) -> tuple[str, ...]:
    return PARTS if part == ALL else (part,)
