"""Text files as people's programs write them: UTF-8 with or without a mark, UTF-16, or an old Windows encoding; and XML
that may come from anywhere."""

from __future__ import annotations

import codecs
import os
import re
from typing import Any, Final
from xml.etree import ElementTree

from engine.interchange.markers import MarkerError
from engine.music.errors import shown
from engine.music.files import open_regular

MAX_BYTES: Final = 64 * 1024 * 1024
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ENTITY: Final = re.compile(rb"<!ENTITY", re.IGNORECASE)
MAX_DEPTH: Final = 200


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a file, at most MAX_BYTES and one.  Raises MarkerError."""
    try:
        with open_regular(path) as stream:
            return stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise MarkerError(f"There is no file {shown(path)}.") from None
    except (OSError, ValueError) as error:
        raise MarkerError(f"{shown(path)} cannot be read: {getattr(error, 'strerror', None) or error}.") from None


def check_size(data: bytes, name: str, what: str) -> None:
    """Raises MarkerError for more than MAX_BYTES."""
    if len(data) > MAX_BYTES:
        raise MarkerError(f"{shown(name)} is too large for {what}.")


def decode(data: bytes, name: str) -> str:
    """The text of a file, lines ended by \\n.  Raises MarkerError for what is no text."""
    text = None
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            text = _try(data[len(mark) :], encoding)
            break
    else:
        if b"\0" in data[:400] and len(data) % 2 == 0:  # UTF-16 without its mark
            text = _try(data, "utf-16-le" if data[1:2] == b"\0" else "utf-16-be")
        if text is None:
            text = _try(data, "utf-8")
        if text is None and b"\0" not in data:
            text = _try(data, "cp1252") or data.decode("latin-1")
    if text is None or "\0" in text:
        raise MarkerError(f"{shown(name)} is not a text file.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _try(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def parse_xml(data: bytes, name: str) -> ElementTree.Element:
    """The root of an XML file.  Raises MarkerError for broken XML, entities of its own, or nesting without end."""
    if _ENTITY.search(data) or _ENTITY.search(data.replace(b"\0", b"")):
        raise MarkerError(f"{shown(name)} declares XML entities, which no editor's export does.")
    parser: Any = ElementTree.XMLPullParser(("start", "end"))
    depth = 0
    root: ElementTree.Element | None = None
    try:
        for begin in range(0, len(data), 65_536):
            parser.feed(data[begin : begin + 65_536])
            for event, element in parser.read_events():
                if root is None:
                    root = element
                depth += 1 if event == "start" else -1
                if depth > MAX_DEPTH:
                    raise MarkerError(f"{shown(name)} is nested too deeply for an editor's export.")
        parser.close()
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        line = getattr(error, "position", (0, 0))[0]
        where = f"line {line}: " if line else ""
        raise MarkerError(f"{shown(name)} is refused and nothing was taken from it: {where}it is broken XML.") from None
    if root is None:
        raise MarkerError(f"{shown(name)} is empty.")
    return root


def text_of(element: ElementTree.Element, path: str) -> str:
    """The text of a child, stripped; "" where there is none."""
    found = element.find(path)
    return (found.text or "").strip() if found is not None else ""
