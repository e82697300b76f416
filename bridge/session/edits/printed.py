"""Muting the live part where the DAW plays it from its own items, and letting it play again.

Ranges that come in are picture seconds, None: from the beginning, to the end; a document keeps them in beats.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from bridge.session.edits import Edit
from bridge.session.now import Now
from engine.document import Document, PrintedRange
from engine.document.printed import printed_with, printed_without, ranges_s
from engine.music import PARTS
from engine.music.arguments import ControlError

ALL: Final = "all"


def printed(
    document: Document, now: Now, parts: Iterable[str], start_beats: float, end_beats: float, label: str
) -> Edit:
    """A range that was just printed into the DAW, in beats of the timeline."""
    return _edit(document, printed_with(document.printed, parts, start_beats, end_beats), label)


def mute(document: Document, now: Now, part: str = ALL, from_s: float | None = None, to_s: float | None = None) -> Edit:
    """As printing does, for notes that were brought into the DAW in another way.  part: one of PARTS or `all`."""
    ranges = printed_with(document.printed, _parts(part), *_beats(document, now, from_s, to_s))
    return _edit(document, ranges, f"mute {part}")


def unmute(
    document: Document, now: Now, part: str = ALL, from_s: float | None = None, to_s: float | None = None
) -> Edit:
    """Lets the live part play again."""
    left = printed_without(document.printed, _parts(part), *_beats(document, now, from_s, to_s))
    if left == document.printed:
        raise ControlError("bad_value", f"nothing of {'any part' if part == ALL else part} is printed there.")
    return _edit(document, left, f"unmute {part}")


def as_words(document: Document) -> str:
    """`pad, bass 4.0–12.0 s; drums 0.0–30.0 s`; empty where nothing is printed."""
    by_range: dict[tuple[float, float], list[str]] = {}
    for part, from_s, to_s in ranges_s(document):
        by_range.setdefault((from_s, to_s), []).append(part)
    return "; ".join(f"{', '.join(parts)} {low:.1f}–{high:.1f} s" for (low, high), parts in by_range.items())


def _beats(document: Document, now: Now, from_s: float | None, to_s: float | None) -> tuple[float, float]:
    if from_s is not None and to_s is not None and to_s <= from_s:
        raise ControlError("bad_value", f"a range from {from_s:g} s to {to_s:g} s has no length.")
    beats_at, starts_s = document.result.tempo_map.beats_at, document.result.starts_s
    low_s, high_s = 0.0 if from_s is None else from_s, max(now.end_s, 0.0) if to_s is None else to_s
    return beats_at(low_s + starts_s), beats_at(high_s + starts_s)


def _parts(part: str) -> tuple[str, ...]:
    return PARTS if part == ALL else (part,)


def _edit(document: Document, ranges: tuple[PrintedRange, ...], label: str) -> Edit:
    changed = replace(document, printed=ranges)
    return Edit(document if changed == document else changed, label)
