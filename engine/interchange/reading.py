"""Which reader a marker file needs: by what it holds, and by its name where that says nothing."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from engine.interchange.edl import read_marker_edl
from engine.interchange.fcp7 import read_fcp7
from engine.interchange.fcpxml import read_fcpxml
from engine.interchange.markers import MarkerError, MarkerFile
from engine.interchange.midi_markers import read_midi_markers
from engine.interchange.otio import read_otio
from engine.interchange.sheets import read_table
from engine.interchange.text import check_size, decode, read_bytes
from engine.music.errors import shown

FORMATS: Final = "Resolve marker EDL, Premiere or other CSV, Avid list, FCP7 XML, FCPXML, OTIO or MIDI"
_IS_EDL: Final = re.compile(r"^\s*(TITLE:|FCM:|\*\s*LOC:|\d{3,6}\s+\S+\s+\S+\s+C\s)", re.IGNORECASE | re.MULTILINE)


def load_markers(path: str | os.PathLike[str]) -> MarkerFile:
    """Reads a marker file.  Raises UserError: nothing is taken from a file that is refused."""
    place = Path(path)
    if place.suffix.lower() == ".fcpxmld":  # a bundle: a folder with the file in it
        place = place / "Info.fcpxml"
    data = read_bytes(place)
    return read_markers(data, Path(path).name)


def read_markers(data: bytes, name: str) -> MarkerFile:
    """The markers in a file's bytes; name: the file's, for sentences and its suffix.  Raises UserError."""
    check_size(data, name, "a marker file")
    if not data.strip(b"\0\r\n\t "):
        raise MarkerError(f"{shown(name)} is empty.")
    suffix = Path(name).suffix.lower()
    if data[:4] in (b"MThd", b"RIFF") or suffix in (".mid", ".midi"):
        return read_midi_markers(data, name)
    head = data[:2000].replace(b"\0", b"").lower()
    if b"<xmeml" in head:
        return read_fcp7(data, name)
    if b"<fcpxml" in head:
        return read_fcpxml(data, name)
    if b'"otio_schema"' in head or suffix == ".otio":
        return read_otio(data, name)
    if suffix in (".xml", ".fcpxml"):
        raise MarkerError(f"{shown(name)} is neither FCP7 XML nor FCPXML.")
    if suffix in (".aaf", ".prproj", ".drp", ".ptx"):
        raise MarkerError(f"{shown(name)} is a project: export its markers as {FORMATS}.")
    text = decode(data, name)
    if suffix == ".edl" or (suffix not in (".csv", ".tsv") and _IS_EDL.search(text[:20_000])):
        return read_marker_edl(text, name)
    return read_table(text, name)
