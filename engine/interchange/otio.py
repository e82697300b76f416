"""OpenTimelineIO: the markers of a timeline and of what lies on it.  Needs the extra `otio`."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

from engine.interchange.markers import MarkerError, MarkerFile, RawMarker, Refusals, check_count, clean
from engine.interchange.text import decode
from engine.music.errors import MusicError, shown
from engine.music.extras import need_extra
from engine.music.timecode import FrameRate, TimecodeClock, timecode_rate


def read_otio(data: bytes, name: str) -> MarkerFile:
    """Raises MarkerError; UserError where the extra is not installed."""
    need_extra("otio", "Reading OTIO")
    import opentimelineio as otio

    text = decode(data, name)
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise MarkerError(
            f"{shown(name)} is no OTIO file that can be read: line {error.lineno}: it is broken JSON.", [error.lineno]
        ) from None
    except (ValueError, RecursionError):
        raise MarkerError(f"{shown(name)} is no OTIO file that can be read.") from None
    try:
        found = otio.adapters.read_from_string(text, "otio_json")
    except Exception as error:  # its C++ core raises several kinds
        if isinstance(error, MarkerError):
            raise
        raise MarkerError(f"{shown(name)} is no OTIO file that can be read.") from None
    timeline = _timeline(otio, found, name)
    refused = Refusals(name)
    markers: list[RawMarker] = []
    rates: list[float] = []
    for number, (owner, marker) in enumerate(_all_markers(otio, timeline), start=1):
        check_count(number, name)
        try:
            where = marker.marked_range
            start = where.start_time
            if owner is not timeline.tracks:
                start = owner.transformed_time(start, timeline.tracks)
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
                      length=length)
        )  # fmt: skip
    refused.check()
    if not markers:
        raise MarkerError(f"{shown(name)} holds no markers.")
    begin = timeline.global_start_time
    try:
        rate = FrameRate.nearest(begin.rate if begin is not None else max(rates))
        start_label = "" if begin is None else str(TimecodeClock(timecode_rate(rate.fps)).label_at(_seconds(begin)))
    except (MusicError, ValueError) as error:
        raise MarkerError(f"{shown(name)}: {error}") from None
    return MarkerFile(name, tuple(markers), rate, None, start_label)


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
        visible = owner.trimmed_range() if owner.markers else None
        for marker in owner.markers:
            if visible is None or visible.contains(marker.marked_range.start_time):
                found.append((owner, marker))
    return found


def _seconds(time: Any) -> Fraction:
    """Exact: a rate of 23.976… is 24000/1001.  Raises MusicError for a rate that is none, ValueError for NaN."""
    return Fraction(time.value).limit_denominator(1_000_000) / FrameRate.nearest(time.rate).fps
