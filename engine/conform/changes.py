"""A change list: what became of the old cut in the new one, in frames of the old cut's rate.

Spans of the new cut are pieces of the old one (kept, moved or repeated, some at another speed) or new; spans of the old
cut that no piece shows were lifted.  Names: a *trim* is a lift of a few frames at an edge of a shot that stays.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Final

import numpy as np

# tests/bench/conform.py shows what these are worth: trims of 3 frames, shots at 80 and 125 per cent.
TRIM_S: Final = 2.0  # a longer lift is a lift; a name alone, nothing moves by it
SHORTEST: Final = 3  # frames of a piece; less is a picture that happens to look alike
STAIRS: Final = 5  # steps of a speed: four may be a picture that stands still
_STAIR_GAP: Final = 30  # frames between two of them: speeds from 97 to 103 per cent are taken for none
_MOST_PARTS: Final = 1500
_STEADY: Final = 0.006  # a speed nearer to 1 is none
_PULLED: Final = 0.0005  # but one that makes out frames: 24 played at 23.976


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of the new cut, frames [new_start, new_end).  old_start None: new material, else what it shows of the
    old cut, [old_start, old_end).  moved: it stands elsewhere among its neighbours; repeated: shown before already."""

    new_start: int
    new_end: int
    old_start: int | None = None
    old_end: int | None = None
    moved: bool = False
    repeated: bool = False

    @property
    def length(self) -> int:
        return self.new_end - self.new_start

    @property
    def speed(self) -> Fraction:
        """Old frames shown in one new frame: 5/4 is faster."""
        if self.old_start is None or self.old_end is None:
            return Fraction(1)
        return Fraction(self.old_end - self.old_start, self.length)

    @property
    def is_retimed(self) -> bool:
        if self.old_start is None or self.old_end is None:
            return False
        off = abs(float(self.speed) - 1)
        return off > _STEADY or (off > _PULLED and abs(self.old_end - self.old_start - self.length) >= SHORTEST)


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the change list.  kind: lift, trim, insert, move, repeat or retime.  Frames; None: not in that cut."""

    kind: str
    old_start: int | None
    old_end: int | None
    new_start: int | None
    new_end: int | None
    speed: Fraction = Fraction(1)

    @property
    def frames(self) -> int:
        """How many frames it takes away (below 0) or adds."""
        if self.kind in ("lift", "trim"):
            return -((self.old_end or 0) - (self.old_start or 0))
        new = (self.new_end or 0) - (self.new_start or 0)
        if self.kind == "retime":
            return new - ((self.old_end or 0) - (self.old_start or 0))
        return 0 if self.kind == "move" else new


@dataclass(frozen=True, slots=True)
class ChangeList:
    """rate: frames a second of all its frames.  spans: the whole new cut, in order.  speed: of most of the new cut,
    where it runs at another than the old one throughout."""

    rate: Fraction
    old_frames: int
    new_frames: int
    spans: tuple[Span, ...]
    speed: Fraction = Fraction(1)

    @property
    def lifts(self) -> tuple[tuple[int, int], ...]:
        """Spans of the old cut that the new one does not show."""
        shown = sorted((span.old_start, span.old_end) for span in self.spans
                       if span.old_start is not None and span.old_end is not None)  # fmt: skip
        found, at = [], 0
        for start, end in shown:
            if start > at:
                found.append((at, start))
            at = max(at, end)
        if at < self.old_frames:
            found.append((at, self.old_frames))
        return tuple(found)

    @property
    def changes(self) -> tuple[Change, ...]:
        """The list as people read it, in order of the new cut; lifts where they were."""
        rows: list[tuple[float, Change]] = []
        for span in self.spans:
            if span.old_start is None:
                rows.append((span.new_start, Change("insert", None, None, span.new_start, span.new_end)))
                continue
            ends = (span.old_start, span.old_end, span.new_start, span.new_end)
            if span.is_retimed:
                rows.append((span.new_start, Change("retime", *ends, span.speed)))
            if span.repeated or span.moved:
                rows.append((span.new_start, Change("repeat" if span.repeated else "move", *ends)))
        for start, end in self.lifts:
            kind = "trim" if (end - start) / self.rate <= TRIM_S and self._is_edge(start, end) else "lift"
            rows.append((self._gap_after(start) - 0.5, Change(kind, start, end, None, None)))
        return tuple(change for _, change in sorted(rows, key=lambda row: row[0]))

    def _is_edge(self, start: int, end: int) -> bool:
        """Whether what stood before or after a lift stays."""
        return any(span.old_end == start or span.old_start == end for span in self.spans if span.old_start is not None)

    def _gap_after(self, old: int) -> int:
        """New frame at which what stood before an old frame ends."""
        before = [span for span in self.spans if span.old_end is not None and span.old_end <= old]
        return max(before, key=lambda span: span.old_end or 0).new_end if before else 0

    @property
    def first_change(self) -> int | None:
        """New frame up to which both cuts are the same; None: they are the same."""
        at = 0
        for span in self.spans:
            if span.old_start != at or span.is_retimed or span.repeated:
                return span.new_start
            at = span.new_end
        return None if self.new_frames == self.old_frames else min(self.new_frames, at)

    def place(self, old_s: float) -> float | None:
        """Where a moment of the old cut is in the new one (seconds); None: it was lifted.

        Exact for a frame's beginning; the first showing where it is repeated.
        """
        frame = old_s * float(self.rate)
        inside = [s for s in self.spans if s.old_start is not None and s.old_start - 1e-6 <= frame < (s.old_end or 0)]
        for span in sorted(inside, key=lambda span: (span.repeated, span.new_start)):
            assert span.old_start is not None
            new = span.new_start + (frame - span.old_start) / float(span.speed)
            return max(new, 0.0) / float(self.rate)
        return None

    def place_near(self, old_s: float) -> float:
        """The same, for a lifted moment where the picture goes on after it."""
        found = self.place(old_s)
        if found is not None:
            return found
        frame = old_s * float(self.rate)
        after = [s for s in self.spans if s.old_start is not None and s.old_start >= frame]
        if after:
            return min(after, key=lambda s: s.old_start or 0).new_start / float(self.rate)
        before = [s for s in self.spans if s.old_end is not None and s.old_end <= frame]
        return (max(before, key=lambda s: s.old_end or 0).new_end if before else 0) / float(self.rate)

    def source(self, new_s: float) -> float | None:
        """Which moment of the old cut is seen at a moment of the new one; None: it is new."""
        frame = new_s * float(self.rate)
        index = bisect_right(self.spans, frame + 1e-6, key=lambda span: span.new_start) - 1
        if index < 0 or frame >= self.spans[index].new_end + 1e-6:
            return None
        span = self.spans[index]
        if span.old_start is None:
            return None
        return (span.old_start + (frame - span.new_start) * float(span.speed)) / float(self.rate)


def from_path(path: np.ndarray, old_frames: int, rate: Fraction) -> ChangeList:
    """The change list of an alignment: the old frame of each new one, -1: none."""
    return ChangeList(rate, old_frames, len(path), mark_moves(_spans(path, old_frames)))


def _spans(path: np.ndarray, old_frames: int) -> list[Span]:
    runs: list[Span] = []
    first = 0
    for index in range(1, len(path) + 1):
        if index < len(path):
            a, b = int(path[index - 1]), int(path[index])
            if (a < 0 and b < 0) or (a >= 0 and b >= 0 and 0 <= b - a <= 2):
                continue
        runs += _straight(path[first:index], first)
        first = index
    merged: list[Span] = []
    for span in runs:
        before = merged[-1] if merged else None
        if span.length < SHORTEST and span.old_start is not None:
            if before is not None and before.old_end is not None and before.old_end + span.length <= old_frames:
                merged[-1] = replace(before, new_end=span.new_end, old_end=before.old_end + span.length)
                continue
            span = Span(span.new_start, span.new_end)
        if merged and merged[-1].old_start is None and span.old_start is None:
            merged[-1] = replace(merged[-1], new_end=span.new_end)
        else:
            merged.append(span)
    return merged


def _straight(path: np.ndarray, first: int) -> list[Span]:
    """A run without jumps as spans of even speed.

    Steps other than 1 that come again and again in one direction are a speed; some that cancel each other are frames
    that were taken one early; any other is a frame that was dropped or doubled, where a new span begins.
    """
    if path[0] < 0:
        return [Span(first, first + len(path))]
    steps = np.diff(path) - 1
    edges = {0, len(path)}
    for group in _groups(np.flatnonzero(steps)):
        net = int(steps[group].sum())
        if len(group) >= STAIRS and abs(net) >= 0.75 * len(group):
            half = (group[-1] - group[0]) / (len(group) - 1) / 2
            edges |= {max(round(group[0] + 1 - half), 0), min(round(group[-1] + 1 + half), len(path))}
        elif net:
            edges.add(int(group[-1]) + 1)
    made = []
    for a, b in pairwise(sorted(edges)):
        end = int(path[b - 1]) + 1
        slow = abs((end - int(path[a])) / (b - a) - 1) > _STEADY
        even = slow and b - a > _STAIR_GAP
        made.append(Span(first + a, first + b, int(path[a]), end if even else int(path[a]) + b - a))
    return made


def _groups(odd: np.ndarray) -> list[np.ndarray]:
    """Places that are near each other."""
    if not len(odd):
        return []
    return np.split(odd, np.flatnonzero(np.diff(odd) > _STAIR_GAP) + 1)


def mark_moves(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Which pieces stay in order: those of the longest ascending row; others were moved, or shown before.

    A piece that shows what another shows too is judged in parts: a scene twice runs on into what followed it.
    """
    spans = _in_parts(spans)
    pieces = [(index, span) for index, span in enumerate(spans) if span.old_start is not None]
    best: list[tuple[int, int | None]] = []  # length of the best row ending here, and the one before
    for place, (_, span) in enumerate(pieces):
        weight, link = span.length, None
        for earlier in range(place):
            other = pieces[earlier][1]
            ascends = (other.old_end or 0) <= (span.old_start or 0) + 2
            if ascends and best[earlier][0] + span.length > weight:
                weight, link = best[earlier][0] + span.length, earlier
        best.append((weight, link))
    stays: set[int] = set()
    at: int | None = max(range(len(best)), key=lambda place: best[place][0]) if best else None
    while at is not None:
        stays.add(pieces[at][0])
        at = best[at][1]
    result = list(spans)
    shown: list[tuple[int, int]] = [(spans[i].old_start or 0, spans[i].old_end or 0) for i in sorted(stays)]
    for index, span in pieces:
        if index in stays:
            continue
        low, high = span.old_start or 0, span.old_end or 0
        covered = sum(max(0, min(high, b) - max(low, a)) for a, b in shown)
        repeated = covered > (high - low) / 2
        result[index] = replace(span, moved=not repeated, repeated=repeated)
        if not repeated:
            shown.append((low, high))
    return _rejoined(result)


def _in_parts(spans: Sequence[Span]) -> list[Span]:
    """The pieces at their own speed, divided where another piece of the old cut begins or ends."""
    edges = sorted({edge for span in spans for edge in (span.old_start, span.old_end) if edge is not None})
    made: list[Span] = []
    for span in spans:
        low, high = span.old_start, span.old_end
        if low is None or high is None or span.speed != 1:
            made.append(span)
            continue
        at = low
        for edge in (*(e for e in edges if low + SHORTEST <= e <= high - SHORTEST), high):
            if edge - at >= SHORTEST or edge == high:
                made.append(Span(span.new_start + at - low, span.new_start + edge - low, at, edge))
                at = edge
    # Thousands of parts are one shot again and again, in which nobody can say what is the first showing.
    return made if len(made) <= _MOST_PARTS else list(spans)


def _rejoined(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Neighbours at their own speed that go on in both cuts and were judged alike, as one piece."""
    made: list[Span] = []
    for span in spans:
        last = made[-1] if made else None
        if (
            last is not None and last.old_end is not None and last.old_end == span.old_start
            and last.speed == span.speed == 1 and (last.moved, last.repeated) == (span.moved, span.repeated)
        ):  # fmt: skip
            made[-1] = replace(last, new_end=span.new_end, old_end=span.old_end)
        else:
            made.append(span)
    return tuple(made)
