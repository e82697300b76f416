"""A change list from the edit decision lists of the old and of the new cut."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from engine.conform.changes import ChangeList, Span, mark_moves
from engine.interchange.edl import Edl, EdlEvent
from engine.interchange.markers import MarkerError, Refusals
from engine.music import FrameRate, MusicError, TimecodeClock


def from_edls(
    old: Edl, new: Edl, rate: FrameRate, names: tuple[str, str] = ("the old EDL", "the new EDL")
) -> ChangeList:
    """Events of the picture whose source both cuts show; frames of `rate` from the first record timecode of each.

    Raises MarkerError, with the numbers of the lines, for labels that the rate does not have.
    """
    before, after = _pieces(old, rate, names[0]), _pieces(new, rate, names[1])
    spans: list[Span] = []
    at = 0
    for piece in after:
        if piece.record > at:
            spans.append(Span(at, piece.record))
        spans += _shown(piece, before)
        at = max(at, piece.record + piece.length)
    return ChangeList(rate.fps, max(p.record + p.length for p in before), at, mark_moves(_joined(spans)))


class _Piece:
    """record: first frame in the cut; source: first frame of what it plays; speed: source frames a frame."""

    __slots__ = ("key", "length", "record", "source", "speed")

    def __init__(self, key: str, record: int, length: int, source: int, speed: Fraction) -> None:
        self.key, self.record, self.length, self.source, self.speed = key, record, length, source, speed


def _pieces(edl: Edl, rate: FrameRate, name: str) -> list[_Piece]:
    clock = TimecodeClock(FrameRate(rate.fps, bool(edl.drop) or rate.drop))
    refused = Refusals(name)
    found: list[tuple[int, EdlEvent, int, int, int]] = []
    for event in edl.events:
        if not event.track.startswith(("V", "B")):
            continue
        try:
            labels = (event.record_in, event.record_out, event.source_in, event.source_out)
            start, stop, source, until = (clock.parse(label).frames for label in labels)
        except MusicError as error:
            refused.add(event.line, str(error))
            continue
        if stop < start or until < source:
            refused.add(event.line, "it ends before it begins")
        elif stop > start:
            found.append((start, event, stop - start, source, until - source))
    refused.check()
    if not found:
        raise MarkerError(f"{name} holds no events of the picture.")
    found.sort(key=lambda row: row[0])
    for (start, before, length, *_), (follows, event, *_) in pairwise(found):
        if follows < start + length:
            refused.add(event.line, f"it begins before what line {before.line} holds ends: export one picture track")
    refused.check()
    first = found[0][0]
    made = []
    for start, event, length, source, played in found:
        is_black = event.reel.upper() in ("BL", "BLACK")
        key = "" if is_black else f"{event.reel.lower()} {event.clip.lower()}"
        speed = Fraction(played, length) if played and played != length else Fraction(1)
        made.append(_Piece(key, start - first, length, source, speed))
    return made


def _shown(piece: _Piece, before: list[_Piece]) -> list[Span]:
    """A piece of the new cut as spans: what the old cut shows of the same source, and what it does not."""
    end = piece.record + piece.length
    spans: list[Span] = []
    if not piece.key:
        return [Span(piece.record, end)]
    low, high = piece.source, piece.source + piece.length * piece.speed
    same = [each for each in before if each.key == piece.key]
    same.sort(key=lambda each: each.source)
    at = piece.record
    for each in same:
        start, stop = max(low, each.source), min(high, each.source + each.length * each.speed)
        if start >= stop:
            continue
        new_start = piece.record + round((start - piece.source) / piece.speed)
        new_end = piece.record + round((stop - piece.source) / piece.speed)
        new_start = max(new_start, at)
        if new_end <= new_start:
            continue
        if new_start > at:
            spans.append(Span(at, new_start))
        old_start = each.record + round((start - each.source) / each.speed)
        old_end = each.record + round((stop - each.source) / each.speed)
        spans.append(Span(new_start, new_end, old_start, max(old_end, old_start + 1)))
        at = new_end
    if at < end:
        spans.append(Span(at, end))
    return spans


def _joined(spans: list[Span]) -> list[Span]:
    """Neighbours that are neighbours in the old cut too, as one."""
    made: list[Span] = []
    for span in spans:
        last = made[-1] if made else None
        if last is not None and last.new_end == span.new_start:
            if last.old_start is None and span.old_start is None:
                made[-1] = Span(last.new_start, span.new_end)
                continue
            plain = not (last.is_retimed or span.is_retimed)
            if plain and last.old_end is not None and last.old_end == span.old_start:
                made[-1] = Span(last.new_start, span.new_end, last.old_start, span.old_end)
                continue
        made.append(span)
    return made
