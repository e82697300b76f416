"""OpenTimelineIO: the markers of a timeline and of what lies on it.  Needs the extra `otio`."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

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
from engine.interchange.text import decode
from engine.music.errors import MusicError, shown
from engine.music.extras import need_extra
from engine.music.timecode import FRAME_RATES, FrameRate


def read_otio(data: bytes, name: str) -> MarkerFile:
    """Raises MarkerError; UserError where the extra is not installed."""
    need_extra("otio", "Reading OTIO")
    import opentimelineio as otio

    text = decode(data, name)
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise MarkerError(
            f"{shown(name)} is not an OTIO file that can be read: line {error.lineno}: it is broken JSON.",
            [error.lineno],
        ) from None
    except (ValueError, RecursionError):
        raise MarkerError(f"{shown(name)} is not an OTIO file that can be read.") from None
    try:
        found = otio.adapters.read_from_string(text, "otio_json")
    except Exception as error:  # its C++ core raises several kinds
        if isinstance(error, MarkerError):
            raise
        raise MarkerError(f"{shown(name)} is not an OTIO file that can be read.") from None
    timeline = _timeline(otio, found, name)
    refused = Refusals(name)
    markers: list[RawMarker] = []
    rates: list[float] = []
    hidden = 0
    for number, (owner, marker) in enumerate(_all_markers(otio, timeline), start=1):
        check_count(number, name)
        try:
            where = marker.marked_range
            start = where.start_time
            start = _on_timeline(owner, start, timeline.tracks)
            if start is None:
                hidden += 1
                continue
            rates.append(start.rate)
            place = _seconds(start)
            length = _seconds(where.duration)
        except (ValueError, OverflowError, MusicError, otio.exceptions.OTIOError) as error:
            refused.add(number, str(error) or "its place cannot be read")
            continue
        if place < 0 or length < 0:
            refused.add(number, "it lies before the timeline")
            continue
        comment = clean(getattr(marker, "comment", "") or str(marker.metadata.get("comment", "")))
        markers.append(
            RawMarker(number, clean(marker.name or ""), place, None, (marker.color or "").lower(), comment,
                      _own_kind(marker), length=length)
        )  # fmt: skip
    refused.check()
    if not markers:
        raise MarkerError(f"{shown(name)} holds no markers" + (" that its timeline shows." if hidden else "."))
    begin = timeline.global_start_time
    try:
        starts: Fraction | str = "" if begin is None else _seconds(begin)
    except (MusicError, ValueError) as error:
        raise MarkerError(f"{shown(name)}: {error}") from None
    known = [rate for rate in FRAME_RATES.values() if rate.fps == _rate(begin.rate if begin else max(rates))]
    kept, repeated = once(markers)
    return MarkerFile(name, kept, known[0] if known else None, None, starts, notes=(*hidden_note(hidden), *repeated))


def _own_kind(marker: Any) -> str:
    """What a marker that CueBridge wrote was there: cuts, chords …"""
    own = marker.metadata.get("cuebridge")
    return clean(str(own.get("kind", ""))).lower() if hasattr(own, "get") else ""


def _timeline(otio: Any, found: Any, name: str) -> Any:
    if isinstance(found, otio.schema.SerializableCollection):
        timelines = [each for each in found if isinstance(each, otio.schema.Timeline)]
        if len(timelines) != 1:
            raise MarkerError(f"{shown(name)} holds {len(timelines)} timelines; export one of them.")
        return timelines[0]
    if not isinstance(found, otio.schema.Timeline):
        raise MarkerError(f"{shown(name)} holds no timeline.")
    return found


def _all_markers(otio: Any, timeline: Any) -> list[tuple[Any, Any]]:
    found = [(timeline.tracks, marker) for marker in timeline.tracks.markers]
    for owner in timeline.tracks.find_children(descended_from_type=otio.core.Item):
        found += [(owner, marker) for marker in owner.markers]
    return found


def _on_timeline(owner: Any, time: Any, tracks: Any) -> Any | None:
    """A time of an owner's own on the timeline; None: it lies outside what is seen of the owner or what holds it."""
    while owner is not tracks:
        if not owner.trimmed_range().contains(time):
            return None
        parent = owner.parent()
        time, owner = owner.transformed_time(time, parent), parent
    return time


def _seconds(time: Any) -> Fraction:
    """Exact: a rate of 23.976… is 24000/1001.  Raises MusicError for a rate that is none, ValueError for NaN."""
    return Fraction(time.value).limit_denominator(1_000_000) / _rate(time.rate)


def _rate(rate: float) -> Fraction:
    """Frames a second, or samples, as sound counts.  Raises MusicError."""
    return Fraction(rate).limit_denominator(1001) if 1000 < rate <= 1e6 else FrameRate.nearest(rate).fps
