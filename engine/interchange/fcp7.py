"""Final Cut Pro 7 XML (xmeml), which Premiere and Resolve write too: the markers of a sequence and of its clips.

A marker's `in` counts frames from the sequence's first frame, or of the clip's own media; `out` is -1 for a moment.
"""

from __future__ import annotations

from collections.abc import Iterator
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
from engine.interchange.text import parse_xml, text_of
from engine.music.errors import MusicError, shown
from engine.music.timecode import FrameRate

_LONGEST: Final = 100_000_000  # frames


def read_fcp7(data: bytes, name: str) -> MarkerFile:
    """Raises MarkerError."""
    root = parse_xml(data, name)
    sequences = [each for each in root.iter("sequence") if each.find("rate") is not None]
    inner = {id(each) for sequence in sequences for each in sequence.iter("sequence") if each is not sequence}
    top = [each for each in sequences if id(each) not in inner]
    wanted = [each for each in top if next(each.iter("marker"), None) is not None]
    if not wanted:
        raise MarkerError(f"{shown(name)} holds no sequence with markers.")
    if len(wanted) > 1:
        names = ", ".join(clean(text_of(each, "name")) or "without a name" for each in wanted[:6])
        raise MarkerError(f"{shown(name)} holds {len(wanted)} sequences with markers ({names}): export one of them.")
    return _sequence(wanted[0], name)


def _sequence(sequence: Element, name: str) -> MarkerFile:
    rate = _rate(sequence, name)
    refused = Refusals(name)
    markers: list[RawMarker] = []
    hidden = number = 0
    owners: dict[int, tuple[int, int, int] | None] = {}
    for clip, place in _clips(sequence):
        for marker in clip.findall("marker"):
            owners[id(marker)] = place
    mine = {id(marker) for marker in sequence.findall("marker")}
    for marker in sequence.iter("marker"):
        if id(marker) not in mine and id(marker) not in owners:
            continue  # of a nested sequence or of the media: not on this timeline
        number += 1
        check_count(number, name)
        start, end = _frames(marker, "in"), _frames(marker, "out")
        if start is None:
            refused.add(number, "this marker has no whole number of frames as its in")
            continue
        place = owners.get(id(marker))
        if id(marker) not in mine:
            if place is None or not place[1] <= start < place[2]:
                hidden += 1
                continue
            begin = place[0] - place[1]
            start, end = start + begin, None if end is None else min(end, place[2]) + begin
        if start < 0:
            refused.add(number, "it lies before the sequence")
            continue
        if end is not None and end < start:
            refused.add(number, "it ends before it begins")
            continue
        markers.append(
            RawMarker(number, clean(text_of(marker, "name")), start, end, _colour(marker),
                      clean(text_of(marker, "comment")))
        )  # fmt: skip
    refused.check()
    drop = text_of(sequence, "timecode/displayformat").upper() == "DF"
    rate = FrameRate(rate.fps, drop and rate.fps.denominator == 1001 and rate.nominal in (30, 60))
    kept, repeated = once(markers)
    return MarkerFile(
        name, kept, rate, drop, text_of(sequence, "timecode/string"), notes=(*hidden_note(hidden), *repeated)
    )


def _rate(sequence: Element, name: str) -> FrameRate:
    timebase = text_of(sequence, "rate/timebase")
    ntsc = text_of(sequence, "rate/ntsc").upper() == "TRUE"
    if not timebase.isascii() or not timebase.isdigit() or not 0 < int(timebase[:6]) <= 240:
        raise MarkerError(f"{shown(name)}: the sequence states no frame rate.")
    fps = Fraction(int(timebase)) * (Fraction(1000, 1001) if ntsc else 1)
    try:
        return FrameRate.nearest(fps)
    except MusicError as error:
        raise MarkerError(f"{shown(name)}: {error}") from None


def _frames(element: Element, path: str) -> int | None:
    """None where there is no number, or -1."""
    text = text_of(element, path)
    if not text.lstrip("-").isdigit() or not text.isascii() or len(text) > 10 or text.count("-") > 1:
        return None
    value = int(text)
    return value if 0 <= value <= _LONGEST else None


def _clips(sequence: Element) -> Iterator[tuple[Element, tuple[int, int, int] | None]]:
    """The clips of a sequence, not those of sequences in it, each with its place."""
    for track in sequence.findall("media/*/track"):
        items = list(track)
        for index, item in enumerate(items):
            if item.tag == "clipitem":
                before = items[index - 1] if index else None
                yield item, _clip_place(item, before if before is not None and before.tag == "transitionitem" else None)


def _clip_place(clip: Element, transition: Element | None) -> tuple[int, int, int] | None:
    """Where a clip begins in the sequence, and the in and out of what it plays of its media; frames.

    A clip that a transition leads into has no start of its own (-1): it is seen from where the transition begins.
    """
    start, begin, end = (_frames(clip, path) for path in ("start", "in", "out"))
    if start is None and transition is not None:
        start = _frames(transition, "start")
    return None if start is None or begin is None or end is None else (start, begin, end)


def _colour(marker: Element) -> str:
    named = text_of(marker, "color/name")
    if named:
        return clean(named).lower()
    channels = [text_of(marker, f"color/{each}") for each in ("red", "green", "blue")]
    if all(each.isdigit() and each.isascii() and len(each) < 4 for each in channels):
        red, green, blue = map(int, channels)
        return next(
            (word for word, fits in (
                ("red", red > 160 and green < 110 and blue < 110), ("green", green > 120 and red < 120 and blue < 140),
                ("blue", blue > 140 and red < 120), ("yellow", red > 160 and green > 140 and blue < 120),
            ) if fits), "",
        )  # fmt: skip
    return ""
