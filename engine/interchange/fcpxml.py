"""FCPXML (Final Cut Pro, Resolve): markers and chapters of the one project in a file.

Times are rational seconds (`1001/30000s`).  A marker's `start` counts on its owner's own timeline; the owner's `offset`
is its place on its parent's, whose first moment is that parent's `start`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Final
from xml.etree.ElementTree import Element

from engine.interchange.markers import (
    MarkerError,
    MarkerFile,
    RawMarker,
    Refusals,
    check_count,
    clean,
    hidden_note,
    once,
)
from engine.interchange.text import parse_xml
from engine.music.errors import MusicError, shown
from engine.music.timecode import FrameRate, TimecodeClock

Absolute = Callable[[Fraction], Fraction]  # from an owner's own time to seconds of the sequence
_MARKERS: Final = ("marker", "chapter-marker", "analysis-marker")
_CLIPS: Final = ("gap", "clip", "asset-clip", "video", "audio", "ref-clip", "sync-clip", "mc-clip", "title")
_TIME: Final = re.compile(r"\s*(-?\d{1,18})(?:/(\d{1,12}))?s\s*|\s*(-?\d{1,9}\.\d{1,9})s\s*")


def read_fcpxml(data: bytes, name: str) -> MarkerFile:
    """Raises MarkerError."""
    root = parse_xml(data, name)
    projects = [each for each in root.iter("project") if each.find("sequence") is not None]
    owners = projects or ([root] if root.find(".//sequence") is not None else [])
    wanted = [each for each in owners if any(next(each.iter(tag), None) is not None for tag in _MARKERS)]
    if not wanted:
        raise MarkerError(f"{shown(name)} holds no project with markers.")
    if len(wanted) > 1:
        names = ", ".join(clean(each.get("name", "")) or "without a name" for each in wanted[:6])
        raise MarkerError(f"{shown(name)} holds {len(wanted)} projects with markers ({names}): export one of them.")
    sequence = next(wanted[0].iter("sequence"))
    return _Reader(root, sequence, name).read()


class _Reader:
    def __init__(self, root: Element, sequence: Element, name: str) -> None:
        self._name = name
        self._sequence = sequence
        self._resources = {each.get("id", ""): each for group in root.iter("resources") for each in group}
        self._markers: list[RawMarker] = []
        self._refused = Refusals(name)
        self._number = self._hidden = 0

    def read(self) -> MarkerFile:
        rate = self._rate()
        begin = self._time(self._sequence, "tcStart") or Fraction(0)
        frames = begin * rate.fps
        drop = self._sequence.get("tcFormat", "NDF").upper() == "DF"
        rate = FrameRate(rate.fps, drop and rate.fps.denominator == 1001 and rate.nominal in (30, 60))
        self._walk(self._sequence, lambda local: local - begin, None)
        self._refused.check()
        if not self._markers:
            raise MarkerError(f"{shown(self._name)} holds no markers that can be seen on its timeline.")
        try:
            start = str(TimecodeClock(rate).label_at(0) + round(frames))
        except MusicError as error:
            raise MarkerError(f"{shown(self._name)}: {error}") from None
        kept, repeated = once(self._markers)
        return MarkerFile(self._name, kept, rate, drop, start, notes=(*hidden_note(self._hidden), *repeated))

    def _rate(self) -> FrameRate:
        wanted = self._resources.get(self._sequence.get("format", ""))
        frame = None if wanted is None else self._time(wanted, "frameDuration")
        if not frame:
            raise MarkerError(f"{shown(self._name)}: the sequence's format states no frame duration.")
        try:
            return FrameRate.nearest(1 / frame)
        except MusicError as error:
            raise MarkerError(f"{shown(self._name)}: {error}") from None

    def _time(self, element: Element, attribute: str) -> Fraction | None:
        """Seconds; None where the attribute is absent.  Raises MarkerError."""
        text = element.get(attribute)
        if not text:
            return None
        match = _TIME.fullmatch(text)
        if match is None or match[2] == "0" or (match[2] is not None and int(match[2]) == 0):
            raise MarkerError(f"{shown(self._name)}: '{text[:40]}' is not an FCPXML time.")
        return Fraction(match[3]) if match[3] else Fraction(int(match[1]), int(match[2] or 1))

    def _walk(self, owner: Element, absolute: Absolute, seen: tuple[Fraction, Fraction] | None) -> None:
        """seen: what of the owner's own time is visible."""
        # Where a storyline's next clip lies if it says no offset.
        first = owner is self._sequence.find("spine")
        after = (first and self._time(self._sequence, "tcStart")) or Fraction(0)
        for child in owner:
            if child.tag in _MARKERS:
                self._marker(child, absolute, seen)
            elif child.tag == "spine":
                offset = self._time(child, "offset")
                # A storyline on a clip begins at its offset there and counts from zero.
                inner = absolute if offset is None else _moved(absolute, offset)
                self._walk(child, inner, None)
                continue
            clip = child
            offset = self._time(child, "offset")
            if child.tag == "audition":  # its first clip is the one that is played
                clip = next((each for each in child if each.tag in _CLIPS), child)
                offset = self._time(clip, "offset") if offset is None else offset
            if clip.tag not in _CLIPS and offset is None:
                continue
            if offset is None:
                offset = after if owner.tag == "spine" else Fraction(0)
            start, length = self._start(clip), self._length(clip)
            self._walk(clip, _moved(absolute, offset - start), None if length is None else (start, start + length))
            if clip.tag != "transition" and child.get("lane") is None:
                after = offset + (length or 0)

    def _start(self, clip: Element) -> Fraction:
        start = self._time(clip, "start")
        if start is not None:
            return start
        media = self._resources.get(clip.get("ref", ""))
        if media is not None and media.tag == "asset":
            return self._time(media, "start") or Fraction(0)
        return Fraction(0)

    def _length(self, clip: Element) -> Fraction | None:
        """None where neither the clip nor its media says it."""
        length = self._time(clip, "duration")
        media = self._resources.get(clip.get("ref", ""))
        return self._time(media, "duration") if length is None and media is not None else length

    def _marker(self, marker: Element, absolute: Absolute, seen: tuple[Fraction, Fraction] | None) -> None:
        self._number += 1
        check_count(self._number, self._name)
        start = self._time(marker, "start")
        if start is None:
            self._refused.add(self._number, "this marker has no start")
            return
        if seen is not None and not seen[0] <= start < seen[1]:
            self._hidden += 1
            return
        length = self._time(marker, "duration")
        kind = {"marker": "", "chapter-marker": "chapter"}.get(marker.tag, marker.tag)
        if marker.get("completed") is not None:
            kind = "to-do"
        place = absolute(start)
        if place < 0 or (length is not None and length < 0):
            self._refused.add(self._number, "it lies before the sequence")
            return
        self._markers.append(
            RawMarker(self._number, clean(marker.get("value", "")), place, None, "", clean(marker.get("note", "")),
                      kind, length)
        )  # fmt: skip


def _moved(absolute: Absolute, by: Fraction) -> Absolute:
    return lambda local: absolute(local + by)
