"""Whatever bytes arrive, a reader gives markers or one sentence; nothing else is raised."""

import markerlab as writers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.interchange.markers import MarkerFile, resolve
from engine.interchange.reading import read_markers
from engine.interchange.rules import map_markers, table
from engine.music import Film, UserError
from engine.music.timecode import FRAME_RATES

FILM = Film("reel.mov", 180.0, FRAME_RATES["29.97"])
WHOLE = {
    "a.edl": writers.resolve_edl("29.97 DF", "01:00:00;00"),
    "a.csv": writers.sheet("25", "01:00:00:00"),
    "p.csv": writers.premiere_csv("29.97 DF", "01:00:00;00"),
    "a.xml": writers.fcp7_xml("25", "01:00:00:00"),
    "a.fcpxml": writers.fcpxml("25", "01:00:00:00"),
    "a.mid": writers.midi("25"),
}


def _read(data, name):
    try:
        found = read_markers(data, name)
    except UserError as error:
        assert "\n" not in str(error) and len(str(error)) < 3000
        return
    assert isinstance(found, MarkerFile) and found.markers
    for start in (None, "01:00:00:00"):
        try:
            mapping = map_markers(resolve(found, FILM, start=start), FILM)
        except UserError:
            continue
        assert len(mapping.rows) <= len(found.markers)
        assert all(line.isprintable() for line in table(mapping, FILM))


@pytest.mark.parametrize("name", WHOLE)
@given(st.data())
@settings(max_examples=60, deadline=None)
def test_damaged_files(name, data):
    whole = bytearray(WHOLE[name])
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(whole) - 1))
        kind = data.draw(st.sampled_from(("byte", "cut", "twice", "digits")))
        if kind == "byte":
            whole[place] = data.draw(st.integers(0, 255))
        elif kind == "cut":
            del whole[place : place + data.draw(st.integers(1, 40))]
            whole = whole or bytearray(b" ")
        elif kind == "twice":
            whole[place:place] = whole[place : place + 30]
        else:
            whole[place:place] = data.draw(
                st.sampled_from((b"99999999999", b"-1", b"\xff\xfe", b"\0", b"1e999", b"/0s"))
            )
    _read(bytes(whole), name)


@given(st.binary(max_size=300), st.sampled_from([*WHOLE, "a.otio", "a.txt", "a"]))
@settings(max_examples=150, deadline=None)
def test_any_bytes(data, name):
    _read(data, name)


@given(st.text(max_size=400), st.sampled_from(["a.edl", "a.csv", "a.tsv", "a.txt"]))
@settings(max_examples=150, deadline=None)
def test_any_text(text, name):
    _read(text.encode("utf-8", "surrogatepass"), name)
    _read(b"In;Out;Name\n" + text.encode("utf-8", "surrogatepass"), name)
