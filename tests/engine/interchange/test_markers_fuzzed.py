"""Whatever bytes arrive, a reader gives markers or one sentence; nothing else is raised."""

from itertools import pairwise

import markerlab as writers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from profiles import examples

from engine.conform.edl_changes import from_edls
from engine.interchange.edl import read_edl
from engine.interchange.markers import MarkerError, MarkerFile, resolve
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
@examples(60)
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
@examples(150)
def test_any_bytes(data, name):
    _read(data, name)


@given(st.text(max_size=400), st.sampled_from(["a.edl", "a.csv", "a.tsv", "a.txt"]))
@examples(150)
def test_any_text(text, name):
    _read(text.encode("utf-8", "surrogatepass"), name)
    _read(b"In;Out;Name\n" + text.encode("utf-8", "surrogatepass"), name)


CUT = (
    "TITLE: reel\nFCM: NON-DROP FRAME\n"
    "001  A001 V     C        01:00:00:00 01:00:04:00 01:00:00:00 01:00:04:00\n* FROM CLIP NAME: one\n"
    "002  A002 V     C        02:00:00:00 02:00:02:00 01:00:04:00 01:00:06:00\nM2   A002  048.0  02:00:00:00\n"
)


@given(st.data())
@examples(120)
def test_a_damaged_list_of_cuts_is_compared_or_refused_in_a_sentence(data):
    lines = CUT.split("\n")
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(lines) - 1))
        at = data.draw(st.integers(0, len(lines[place])))
        lines[place] = (
            lines[place][:at]
            + data.draw(st.sampled_from(("9", ":", " ", "", "99", "-", "é", "0" * 40)))
            + (lines[place][at + data.draw(st.integers(0, 3)) :])
        )
    try:
        damaged = read_edl("\n".join(lines), "new.edl")
        changes = from_edls(read_edl(CUT, "old.edl"), damaged, FRAME_RATES["24"])
    except UserError as error:
        assert "\n" not in str(error) and len(str(error)) < 3000
        return
    assert changes.spans[0].new_start == 0
    assert all(first.new_end == second.new_start for first, second in pairwise(changes.spans))


def test_a_list_of_cuts_whose_events_overlap_is_refused():
    damaged = read_edl(CUT.replace("01:00:04:00 01:00:06:00", "01:00:03:23 01:00:06:00"), "new.edl")
    with pytest.raises(MarkerError, match="line 3 holds ends"):
        from_edls(read_edl(CUT, "old.edl"), damaged, FRAME_RATES["24"])


def test_each_line_of_a_list_that_cannot_be_read_is_named_by_its_number():
    bad = CUT.replace("01:00:04:00\n*", "01:00:04\n*").replace("02:00:02:00 01", "02:00:02 01")
    with pytest.raises(MarkerError) as error:
        read_edl(bad, "new.edl")
    assert error.value.lines == (3, 5)
