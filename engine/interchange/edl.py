"""Edit decision lists (CMX 3600): the events of a cut, and the markers that editors hang on them.

DaVinci Resolve writes each marker as an event and a comment ` |C:ResolveColorBlue |M:name |D:120` (D: its length in
frames), before which the marker's note may stand.  Avid and others write `* LOC: 01:00:08:12 RED name`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.interchange.markers import MarkerError, MarkerFile, RawMarker, Refusals, check_count, clean
from engine.music.errors import shown

_LABEL: Final = r"\d{1,2}[:;.]\d{1,2}[:;.]\d{1,2}[:;.,]\d{1,3}"
_EVENT: Final = re.compile(
    rf"\s*(?P<number>\d{{1,6}}[A-Z]?)\s+(?P<reel>\S+)\s+(?P<track>\S+)\s+(?P<what>[A-Z]\S*)(?:\s+\d+)?\s+"
    rf"(?P<places>{_LABEL}(?:\s+{_LABEL}){{1,3}})\s*",
    re.IGNORECASE,
)
_RESOLVE: Final = re.compile(
    r"(?P<note>.*?)\s*\|C:\s*(?P<colour>\w*)\s*\|M:(?P<name>.*?)\s*\|D:\s*(?P<length>-?\d+)\s*"
)
_LOCATOR: Final = re.compile(rf"\s*\*\s*LOC:\s*(?P<label>{_LABEL})(?:\s+(?P<colour>[A-Z]+))?\s*(?P<name>.*)", re.I)
_FRAME_CODE: Final = re.compile(r"\s*FCM:\s*(?P<what>.*?)\s*", re.I)
_SPEED: Final = re.compile(rf"\s*M2\s+(?P<reel>\S.*?)\s+(?P<fps>-?\d+(?:\.\d+)?)\s+(?P<at>{_LABEL})\s*", re.I)
_BROKEN: Final = re.compile(r"\s*\d{1,6}\s+\S+\s+\S+\s+\S+\s")  # an event, with places that cannot be read
_BROKEN_SURELY: Final = re.compile(r"\s*\d{1,6}\s+\S+\s+(?:[AV]\d{0,2}|AA|B|NONE|A+/?V)\s+(?:C|D|W\d+|K\S?)\s", re.I)
MAX_EVENTS: Final = 50_000


@dataclass(frozen=True, slots=True)
class EdlEvent:
    """One event; labels as written.  clip: its clip's name, "" where none is said.  speed: frames a second of the
    source that it plays (M2), None: as shot."""

    line: int
    reel: str
    track: str
    what: str
    source_in: str
    source_out: str
    record_in: str
    record_out: str
    clip: str = ""
    speed: float | None = None


@dataclass(frozen=True, slots=True)
class Edl:
    """drop: as the file says, None: it does not."""

    events: tuple[EdlEvent, ...]
    drop: bool | None = None


def drop_of(text: str) -> bool | None:
    """Whether a list drops frames, by its `FCM:` line; None: it does not say."""
    for line in text.split("\n"):
        match = _FRAME_CODE.fullmatch(line)
        if match is not None:
            what = " ".join(match["what"].upper().replace("-", " ").split())
            return True if what.startswith("DROP") else False if what.startswith("NON") else None
    return None


def read_marker_edl(text: str, name: str) -> MarkerFile:
    """The markers of a list.  Raises MarkerError."""
    refused = Refusals(name)
    markers: list[RawMarker] = []
    event: re.Match[str] | None = None
    waiting: tuple[int, list[str]] | None = None  # an event whose marker has not come, and lines of its note
    bare: list[int] = []  # events that no marker hangs on
    for number, line in enumerate(text.split("\n"), start=1):
        locator = _LOCATOR.fullmatch(line)
        found = _EVENT.fullmatch(line)
        if locator is not None:
            if event is not None and _counts_source(locator["label"], event):
                refused.add(number, "this locator counts its clip's own timecode, not the timeline's")
                continue
            markers.append(_located(number, locator))
        elif found is not None:
            if waiting is not None:
                bare.append(waiting[0])
            event, waiting = found, (number, [])
        elif "|M:" in line or "|C:" in line:
            match = _RESOLVE.fullmatch(line)
            if event is None or waiting is None:
                refused.add(number, "this marker follows no event with its place")
            elif match is None:
                refused.add(number, "a marker reads |C:colour |M:name |D:frames")
            elif int(match["length"]) < 0:
                refused.add(number, "its length is below zero")
            else:
                markers.append(_resolve_marker(waiting[0], event, match, waiting[1]))
            waiting = None
        elif (_BROKEN if waiting is None else _BROKEN_SURELY).match(line) and re.search(r"\d[:;]\d", line):
            refused.add(number, "an event has four timecodes, hours:minutes:seconds:frames each")
            event = waiting = None
        elif waiting is not None and not line.lstrip().startswith("*"):
            waiting[1].append(line)
        check_count(len(markers), name)
    if waiting is not None:
        bare.append(waiting[0])
    refused.check()
    if not markers:
        what = "a list of cuts without markers" if bare else "not a list of edits"
        raise MarkerError(f"{shown(name)} is {what}: export the timeline's markers as EDL.")
    located = any(isinstance(each, RawMarker) and each.kind == "locator" for each in markers)
    notes: tuple[str, ...] = ()
    if bare and not located:
        notes = (f"{len(bare)} events without a marker were left out (line {', '.join(map(str, bare[:8]))}).",)
    return MarkerFile(name, tuple(markers), drop=drop_of(text), notes=notes)


def _located(number: int, match: re.Match[str]) -> RawMarker:
    return RawMarker(number, clean(match["name"]), match["label"], None, (match["colour"] or "").lower(), "", "locator")


def _counts_source(label: str, event: re.Match[str]) -> bool:
    """Whether a locator lies in what its event plays of the source and not where that lies on the timeline."""
    labels = [_fields(each) for each in event["places"].split()]
    if len(labels) != 4:
        return False
    at = _fields(label)
    return labels[0] <= at < labels[1] and not labels[2] <= at < labels[3]


def _fields(label: str) -> tuple[int, ...]:
    return tuple(map(int, re.split(r"[:;.,]", label)))


def _resolve_marker(line: int, event: re.Match[str], match: re.Match[str], before: Sequence[str]) -> RawMarker:
    """before: the lines of its note that stand before the one with the marker."""
    labels = event["places"].split()
    record_in = labels[2] if len(labels) == 4 else labels[0]
    colour = match["colour"].removeprefix("ResolveColor").lower()
    note = clean(" ".join((*before, match["note"].lstrip("* "))))
    return RawMarker(line, clean(match["name"]), record_in, None, colour, note, length=int(match["length"]))


def read_edl(text: str, name: str) -> Edl:
    """The events of a cut, in order of the file.  Raises MarkerError and names each line that cannot be read."""
    refused = Refusals(name)
    events: list[EdlEvent] = []
    for number, line in enumerate(text.split("\n"), start=1):
        found, speed = _EVENT.fullmatch(line), _SPEED.fullmatch(line)
        if found is not None:
            labels = found["places"].split()
            if len(labels) != 4:
                refused.add(number, "an event has four timecodes")
                continue
            events.append(EdlEvent(number, found["reel"], found["track"].upper(), found["what"].upper(), *labels))
        elif speed is not None and events:
            events[-1] = _with(events[-1], speed=float(speed["fps"]))
        elif (clip := re.match(r"\s*\*\s*(?:FROM|TO) CLIP NAME:\s*(.*)", line, re.I)) and events:
            events[-1] = _with(events[-1], clip=clean(clip[1]))
        elif re.match(r"\s*\d{1,6}\s+\S+\s+\S+\s+\S+\s", line) and re.search(r"\d[:;]\d", line):
            refused.add(number, "an event has four timecodes, hours:minutes:seconds:frames each")
        if len(events) > MAX_EVENTS:
            raise MarkerError(f"{shown(name)} has more than {MAX_EVENTS:,} events.")
    refused.check()
    if not events:
        raise MarkerError(f"{shown(name)} holds no events.")
    return Edl(tuple(events), drop_of(text))


def _with(event: EdlEvent, *, clip: str | None = None, speed: float | None = None) -> EdlEvent:
    return EdlEvent(
        event.line, event.reel, event.track, event.what, event.source_in, event.source_out, event.record_in,
        event.record_out, event.clip if clip is None else clip, event.speed if speed is None else speed,
    )  # fmt: skip
