"""Tables: Premiere's marker CSV, spotting sheets as CSV or TSV, and Avid's marker lists.

A column is known by its heading in any of the usual words; times are `hh:mm:ss:ff` (`;` where labels drop frames),
seconds, or hours, minutes and seconds with three decimals.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Final

from engine.interchange.markers import (
    MarkerError,
    MarkerFile,
    Place,
    RawMarker,
    Refusals,
    check_count,
    clean,
    finite_fraction,
)
from engine.music.errors import shown

# What a column may be called, in lower case without punctuation.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "name": ("name", "marker name", "marker", "title", "action", "event", "hit", "what", "label", "cue name",
             "cue title", "scene description"),
    "number": ("cue", "cue number", "cue no", "cue id", "m number", "number", "no", "slate"),
    "in": ("in", "start", "time", "timecode", "tc", "tc in", "in point", "start time", "start tc", "begin", "from",
           "position", "smpte", "record in", "time in"),
    "out": ("out", "end", "tc out", "out point", "end time", "end tc", "to", "stop", "record out", "time out"),
    "length": ("duration", "length", "dur"),
    "colour": ("color", "colour", "marker color"),
    "comment": ("comment", "comments", "description", "note", "notes", "remarks"),
    "kind": ("marker type", "type", "kind"),
    "emotional": ("emotional", "emotion", "mood", "feeling"),
    "palette": ("palette", "instrumentation", "ensemble", "sound"),
    "frame": ("frame", "frame in", "start frame"),
}  # fmt: skip
_BY_HEADING: Final = {heading: column for column, headings in COLUMNS.items() for heading in headings}
_PREMIERE: Final = ("name", "comment", "in", "out", "length", "kind")
_FRAMES: Final = re.compile(r"(\d{1,2})[:;.](\d{2})[:;.](\d{2})([:;])(\d{2,3})")
_CLOCK: Final = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):(\d{1,2})(?:[.,](\d{1,6}))?")
_UNCLEAR: Final = re.compile(r"\d{1,2}[:.]\d{2}[:.]\d{2}[.,]\d{1,2}")


def read_table(text: str, name: str) -> MarkerFile:
    """The rows of a table.  Raises MarkerError and names each row that cannot be read."""
    rows = list(_rows(text, name))
    if not rows:
        raise MarkerError(f"{shown(name)} is empty.")
    avid = _avid(rows)
    if avid is not None:
        return MarkerFile(name, tuple(avid))
    heading = _heading(rows)
    if heading is None:
        raise MarkerError(
            f"{shown(name)}: its first line names no column with times; call one In, and the others Name, Out, "
            "Duration, Color, Comment."
        )
    first, columns, frames_only = heading
    refused = Refusals(name)
    markers: list[RawMarker] = []
    for line, row in rows[first:]:
        cells = {column: row[place].strip() for place, column in columns.items() if place < len(row)}
        if not any(cells.values()):
            continue
        try:
            markers.append(_marker(line, cells, frames_only=frames_only))
        except ValueError as error:
            refused.add(line, str(error))
    refused.check()
    if not markers:
        raise MarkerError(f"{shown(name)} holds no markers.")
    return MarkerFile(name, tuple(markers))


def _rows(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each row that is not empty."""
    reader = csv.reader(io.StringIO(text), delimiter=_delimiter(text), skipinitialspace=True)
    begun, count = 1, 0
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise MarkerError(
                f"{shown(name)} is refused and nothing was taken from it: line {reader.line_num}: {error}.",
                [reader.line_num],
            ) from None
        if any(cell.strip() for cell in row):
            count += 1
            check_count(count, name)
            yield begun, row
        begun = reader.line_num + 1


def _delimiter(text: str) -> str:
    head = next((line for line in text.split("\n") if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", head)
    bare = re.sub(r"\d\d;\d\d;\d\d;\d\d", "", bare)  # a drop-frame label is not four cells
    return max("\t;,", key=bare.count) if any(mark in bare for mark in "\t;,") else ","


def _heading(rows: Sequence[tuple[int, list[str]]]) -> tuple[int, dict[int, str], bool] | None:
    """How many rows come before the first marker, what each column is, and whether bare numbers are frames."""
    for index, (_, row) in enumerate(rows[:30]):  # spotting sheets begin with the film's name and a date
        words = [" ".join(re.sub(r"[^\w\s]|_", " ", cell.lower()).split()) for cell in row]
        known: dict[int, str] = {}
        for place, word in enumerate(words):
            column = _BY_HEADING.get(word)
            if column is not None and column not in known.values():
                known[place] = column
        if not {"name", "comment", "number"} & set(known.values()) and _stands_as_premiere(rows):
            break
        if "in" in known.values() or "frame" in known.values():
            premiere = words[:2] == ["marker name", "description"]
            if "name" not in known.values() and "comment" in known.values():
                known = {place: "name" if column == "comment" else column for place, column in known.items()}
            return index + 1, known, premiere
    return (1, dict(enumerate(_PREMIERE)), True) if _stands_as_premiere(rows) else None


def _stands_as_premiere(rows: Sequence[tuple[int, list[str]]]) -> bool:
    """Premiere translates its headings; its six columns stand where they stand."""
    if len(rows) < 2 or len(rows[0][1]) not in (6, 7):
        return False
    return all(_FRAMES.fullmatch(cell.strip()) for cell in rows[1][1][2:5])


def _marker(line: int, cells: Mapping[str, str], *, frames_only: bool) -> RawMarker:
    """Raises ValueError, in words."""
    frame = cells.get("frame")
    start: Place = _whole(frame) if frame else _place(cells.get("in", ""), "In", frames_only=frames_only)
    end = _place(cells["out"], "Out", frames_only=frames_only) if cells.get("out") else None
    length: int | Fraction | None = None
    if end is None and cells.get("length"):
        length = _length(cells["length"], frames_only=frames_only)
    number, title = clean(cells.get("number", "")), clean(cells.get("name", ""))
    name = " ".join(word for word in (number, title) if word)
    words = [cells.get("comment", "")]
    words += [f"{column}: {cells[column]}" for column in ("emotional", "palette") if cells.get(column)]
    comment = clean("; ".join(each for each in words if each))
    colour, kind = clean(cells.get("colour", "")).lower(), clean(cells.get("kind", "")).lower()
    return RawMarker(line, name, start, end, colour, comment, kind, length)


def _place(text: str, what: str, *, frames_only: bool) -> Place:
    text = text.strip()
    if not text:
        raise ValueError(f"there is no {what}")
    label = _FRAMES.fullmatch(text)
    if label is not None:
        drop = ";" in text
        return f"{label[1]}:{label[2]}:{label[3]}{';' if drop else ':'}{label[5]}"
    if _UNCLEAR.fullmatch(text):
        raise ValueError(f"'{text[:40]}' may be frames or parts of a second; write 00:00:04:12 or 00:00:04.500")
    clock = _CLOCK.fullmatch(text)
    if clock is not None:
        hours, minutes, seconds = int(clock[1] or 0), int(clock[2]), int(clock[3])
        if seconds > 59 or (clock[1] is not None and minutes > 59):
            raise ValueError(f"'{text[:40]}' is no time")
        return Fraction(hours * 3600 + minutes * 60 + seconds) + Fraction(f"0.{clock[4] or 0}")
    if frames_only and text.isdigit():
        return _whole(text)
    try:
        return finite_fraction(text.replace(",", ".", 1))
    except ValueError:
        raise ValueError(f"{what} '{text[:40]}' is no time; write hh:mm:ss:ff or seconds") from None


def _whole(text: str) -> int:
    if not text.isdigit() or not text.isascii() or len(text) > 9:
        raise ValueError(f"'{text[:40]}' is no number of frames")
    return int(text)


def _length(text: str, *, frames_only: bool) -> int | Fraction | None:
    """A length written as a label is counted in frames from 00:00:00:00 by whoever knows the rate: here it is left to
    the Out column, so a label without an Out is refused."""
    label = _FRAMES.fullmatch(text.strip())
    if label is not None:
        if not any(int(label[each]) for each in (1, 2, 3, 5)):
            return None
        raise ValueError("a duration in timecode needs an Out beside it, or write it in seconds")
    found = _place(text, "Duration", frames_only=frames_only)
    assert not isinstance(found, str)
    return found


def _avid(rows: Sequence[tuple[int, list[str]]]) -> list[RawMarker] | None:
    """Avid's list has no headings: user, timecode, track, colour, comment (and a length).  None: it is none."""

    def fits(row: list[str]) -> bool:
        return len(row) >= 5 and _FRAMES.fullmatch(row[1].strip()) is not None and row[3].strip().isalpha()

    if not all(fits(row) for _, row in rows):
        return None
    made = []
    for line, row in rows:
        length = int(row[5]) if len(row) > 5 and row[5].strip().isdigit() and len(row[5]) < 9 else None
        place = _place(row[1], "timecode", frames_only=False)
        made.append(RawMarker(line, clean(row[4]), place, None, row[3].strip().lower(), "", "", length))
    return made
