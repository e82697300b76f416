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
    unguarded,
)
from engine.music.errors import shown

# What a column may be called, in lower case without punctuation.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "name": ("name", "marker name", "marker", "title", "action", "event", "hit", "what", "label", "cue name",
             "cue title", "scene description"),
    "number": ("cue", "cue number", "cue no", "cue id", "m number", "number", "no", "slate"),
    "in": ("in", "start", "time", "timecode", "tc", "tc in", "in point", "start time", "start tc", "begin", "from",
           "position", "smpte", "record in", "time in", "timecode in", "in tc", "in time", "start timecode",
           "location"),
    "out": ("out", "end", "tc out", "out point", "end time", "end tc", "to", "stop", "record out", "time out",
            "timecode out", "out tc", "out time", "end timecode"),
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
_QUOTED: Final = re.compile(r'[^\S\n]*"(?:[^"]|"")*"')
_MOST_SCANNED: Final = 2_000_000  # characters: what is longer is no list that a person wrote
_MOST_ABOVE: Final = 100  # rows over the first marker: titles and the heading
_UNIT: Final = re.compile(r"\s*[(\[](?:tc|timecode|smpte|h+:m+:s+(?::f+)?|s|secs?|seconds)[)\]]\s*$", re.I)
_UNCLEAR: Final = re.compile(r"\d{1,2}[:.]\d{2}[:.]\d{2}[.,]\d{1,2}")


def read_table(text: str, name: str) -> MarkerFile:
    """The rows of a table.  Raises MarkerError and names each row that cannot be read."""
    text = _with_spoken_quotes(text, _delimiter(text))
    rows, lines = list(_rows(text, name)), text.split("\n")
    if not rows:
        raise MarkerError(f"{shown(name)} is empty.")
    avid = _avid(rows)
    if avid is not None:
        check_count(len(avid), name)
        return MarkerFile(name, tuple(avid))
    heading = _heading(rows)
    if heading is None:
        raise MarkerError(
            f"{shown(name)}: its first line names no column with times; call one In, and the others Name, Out, "
            "Duration, Color, Comment."
        )
    first, columns, frames_only = heading
    check_count(len(rows) - first, name)
    refused = Refusals(name)
    markers: list[RawMarker] = []
    time_column = next(place for place, column in columns.items() if column in ("in", "frame"))
    delimiter = _delimiter(text)
    for line, row in rows[first:]:
        written = lines[line - 1 : line + sum(cell.count("\n") for cell in row)]
        swallowed = _swallowed(row, written, delimiter, time_column)
        if swallowed:
            refused.add(line, f"a quotation mark opens a cell that takes in the row '{swallowed[:40]}'; close it")
            continue
        cells = {column: unguarded(row[place].strip()) for place, column in columns.items() if place < len(row)}
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
    delimiter = _delimiter(text)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True)
    begun, last, count = 1, 1, 0
    while True:
        try:
            row = next(reader)
        except StopIteration:
            _check_closed(text, last, delimiter, name)
            return
        except csv.Error as error:
            raise MarkerError(
                f"{shown(name)} is refused and nothing was taken from it: line {reader.line_num}: {error}.",
                [reader.line_num],
            ) from None
        if any(cell.strip() for cell in row):
            count += 1
            check_count(count - _MOST_ABOVE, name)
            yield begun, row
        begun, last = reader.line_num + 1, begun


def _check_closed(text: str, line: int, delimiter: str, name: str) -> None:
    """Raises MarkerError where the last row, which begins at a line, has a quotation mark that nothing closes."""
    rest = "\n".join(text.split("\n")[line - 1 :])
    try:
        list(csv.reader(io.StringIO(rest), delimiter=delimiter, skipinitialspace=True, strict=True))
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise MarkerError(
                f"{shown(name)} is refused and nothing was taken from it: line {line}: a quotation mark opens a cell "
                "and nothing closes it.",
                [line],
            ) from None


def _swallowed(row: Sequence[str], written: Sequence[str], delimiter: str, time_column: int) -> str:
    """The line within a cell that is a row of its own, since its time stands where a row's does; "" for none.

    written: the lines that the row was read from.  Where the cell stands before the time, it takes in the time of its
    own row too, and what is left for one is the time of the last line.
    """

    def is_row(line: str) -> bool:
        pieces = line.split(delimiter)
        return 1 < len(pieces) > time_column and _FRAMES.fullmatch(pieces[time_column].strip(' "')) is not None

    inside = [line for cell in row for line in cell.split("\n")[1:]]
    if len(written) > 1 and is_row(written[0]):
        inside += written[1:]
    return next((clean(line) for line in inside if is_row(line)), "")


def _with_spoken_quotes(text: str, delimiter: str) -> str:
    """The text with its marks doubled where a cell only begins with a quotation, as `"Stop!" he says` does: programs
    that quote no cells write it so, and what is closed before its cell ends encloses no cell."""
    if len(text) > _MOST_SCANNED or not re.search(rf'"[^\S\n]*[^"\s{delimiter}]', text):
        return text
    made: list[str] = []
    at = 0
    while at < len(text):
        cell = _QUOTED.match(text, at)
        after = cell.end() if cell is not None else at
        end = next((i for i in range(after, len(text)) if text[i] in (delimiter, "\n")), len(text))
        written = text[at:end]
        if cell is not None and text[after:end].strip() and "\n" not in cell[0]:
            written = '"' + written.strip().replace('"', '""') + '"'
        made.append(written + text[end : end + 1])
        at = end + 1
    return "".join(made)


def _delimiter(text: str) -> str:
    head = next((line for line in text.split("\n") if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", head)
    bare = re.sub(r"\d\d;\d\d;\d\d;\d\d", "", bare)  # a drop-frame label is not four cells
    return max("\t;,", key=bare.count) if any(mark in bare for mark in "\t;,") else ","


def _heading(rows: Sequence[tuple[int, list[str]]]) -> tuple[int, dict[int, str], bool] | None:
    """How many rows come before the first marker, what each column is, and whether bare numbers are frames."""
    for index, (_, row) in enumerate(rows[:30]):  # spotting sheets begin with the film's name and a date
        words = [" ".join(re.sub(r"[^\w\s]|_", " ", _UNIT.sub("", cell.lower())).split()) for cell in row]
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
    length: Place | None = None
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


def _length(text: str, *, frames_only: bool) -> Place | None:
    """A label of no length is none: its marker is a moment."""
    label = _FRAMES.fullmatch(text.strip())
    if label is not None and not any(int(label[each]) for each in (1, 2, 3, 5)):
        return None
    return _place(text, "Duration", frames_only=frames_only)


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
