"""Events in, events out, to the frame: files as the editors' programs write them, and by other people's writers."""

from pathlib import Path

import markerlab as writers
import pytest

from engine.interchange.markers import MarkerError, resolve
from engine.interchange.reading import load_markers, read_markers
from engine.music.timecode import FRAME_RATES

FIXTURES = Path(__file__).parent / "fixtures"
RATES = ("23.976", "25", "29.97 DF")
START = {"23.976": "01:00:00:00", "25": "10:00:00:00", "29.97 DF": "01:00:00;00"}
WANTED = {name: (frame, frame + length if length > 1 else None) for name, frame, length, _ in writers.EVENTS}
WRITERS = {
    "resolve.edl": writers.resolve_edl,
    "premiere.csv": writers.premiere_csv,
    "premiere.xml": writers.fcp7_xml,
    "final-cut.fcpxml": writers.fcpxml,
    "sheet.csv": writers.sheet,
}


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("name", WRITERS)
def test_every_event_lies_on_its_frame(name, rate, film_at, frames_of):
    data = WRITERS[name](rate, START[rate])
    found = resolve(read_markers(data, name), film_at(rate), start=START[rate])
    assert frames_of(found, rate) == WANTED
    assert all(marker.inside for marker in found.markers)


@pytest.mark.parametrize("rate", RATES)
def test_a_film_with_timecode_needs_no_words(rate, film_at, frames_of):
    found = resolve(read_markers(writers.resolve_edl(rate, START[rate]), "a.edl"), film_at(rate, START[rate]))
    assert frames_of(found, rate) == WANTED
    assert "as the film says" in found.reading


@pytest.mark.parametrize("rate", RATES)
def test_markers_of_midi_lie_on_the_frames_that_were_meant(rate, film_at, frames_of):
    found = resolve(read_markers(writers.midi(rate), "daw.mid"), film_at(rate))
    assert frames_of(found, rate) == {name: (frame, None) for name, (frame, _) in WANTED.items()}


@pytest.mark.parametrize("rate", ("23.976", "25", "29.97"))
@pytest.mark.parametrize("name", ("timeline-{}.otio", "fcp7-{}.xml", "fcpx-{}.fcpxml"))
def test_files_of_other_writers(name, rate, film_at, frames_of):
    """Written by OpenTimelineIO and its adapters: markers of a clip, of its trimmed-off start, and of the timeline."""
    path = FIXTURES / name.format(rate)
    if not path.exists():
        pytest.skip("its adapter does not write this rate")
    data = path.read_bytes()
    if path.suffix == ".fcpxml":  # the adapter leaves the frame duration out, as no editor does
        with pytest.raises(MarkerError, match="frame duration"):
            load_markers(path)
        data = data.replace(b'frameDuration=""', b'frameDuration="1001/24000s"')
    found = resolve(read_markers(data, path.name), film_at(rate))
    frames = frames_of(found, rate)
    assert frames.pop("glass breaks") == (530, None)
    if path.suffix != ".fcpxml":  # which has no place for markers of the timeline
        assert frames == {"1m1 Opening": (0, None), "door slams!": (131, None), "Chase": (200, 320)}


def test_locators_of_an_avid_list(film_at, frames_of):
    data = (
        b"TITLE: MARKERS\nFCM: NON-DROP FRAME\n* LOC: 01:00:08:12 RED     DOOR SLAMS\n"
        b"001  BARS V C 00:58:00:00 00:58:30:00 00:58:00:00 00:58:30:00\n"
    )
    found = resolve(read_markers(data, "avid.edl"), film_at("24"), start="01:00:00:00")
    assert frames_of(found, "24") == {"DOOR SLAMS": (204, None)} and found.markers[0].colour == "red"
    table = b"Anna\t01:00:08:12\tV1\tred\tdoor slams\t1\nAnna\t01:00:10:00\tV1\tgreen\tchase\t48\n"
    found = resolve(read_markers(table, "list.txt"), film_at("24"), start="01:00:00:00")
    assert frames_of(found, "24") == {"door slams": (204, None), "chase": (240, 288)}


def test_a_locator_in_its_clips_own_time_is_refused():
    data = b"TITLE: x\n001  A V C 00:00:25:00 00:01:15:00 00:00:20:00 00:00:24:00\n* LOC: 00:00:27:02 BLUE GLASS\n"
    with pytest.raises(MarkerError, match=r"line 3: .*clip's own timecode"):
        read_markers(data, "otio.edl")


def test_headings_in_another_language(film_at, frames_of):
    text = "Markenname\tBeschreibung\tIn\tOut\tDauer\tMarkentyp\t\n"
    text += "Tür\t\t00:00:04:12\t00:00:04:12\t00:00:00:00\tKommentar\t\n"
    found = resolve(read_markers(text.encode("utf-16"), "Sequenz 01.csv"), film_at("25"))
    assert frames_of(found, "25") == {"Tür": (112, None)}
    text = text.replace("\tIn\tOut\t", "\t入点\t出点\t")
    found = resolve(read_markers(text.encode("utf-8-sig"), "a.csv"), film_at("25"))
    assert frames_of(found, "25") == {"Tür": (112, None)}


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [("4.5", 4.5), ("4,5", 4.5), ("1:02", 62.0), ("0:01:02.250", 62.25), ("00:00:10:12", 10.5), ("75", 75.0)],
)
def test_times_as_people_write_them(cell, seconds, film_at):
    found = resolve(read_markers(f"Time;Name\n{cell};door\n".encode(), "a.csv"), film_at("24"))
    assert float(found.markers[0].start_s) == seconds


def test_each_refused_line_is_named_and_nothing_is_half_read():
    data = b"In,Name\n00:00:01:00,good\nsoon,bad\n00:00:02:00,good\n00:00:03.12,unclear\n"
    with pytest.raises(MarkerError) as error:
        read_markers(data, "a.csv")
    assert error.value.lines == (3, 5)
    assert "line 3: In 'soon' is no time" in str(error.value) and "line 5" in str(error.value)
    edl = writers.resolve_edl("25", "01:00:00:00").replace(b"|D:120", b"|D:many")
    with pytest.raises(MarkerError) as error:
        read_markers(edl, "a.edl")
    assert error.value.lines == (11,)


def test_a_label_that_the_rate_has_not_is_refused_with_its_line(film_at):
    data = b"In,Name\n00:00:01:00,good\n00:00:02:24,bad\n"
    with pytest.raises(MarkerError) as error:
        resolve(read_markers(data, "a.csv"), film_at("24"))
    assert error.value.lines == (3,)
    dropped = b"In,Name\n00:01:00;00,this label is dropped\n"
    with pytest.raises(MarkerError, match="does not exist in drop frame"):
        resolve(read_markers(dropped, "a.csv"), film_at("29.97"))


def test_what_the_file_does_not_say_is_asked_in_one_sentence(film_at):
    data = writers.resolve_edl("25", "10:00:00:00")
    with pytest.raises(MarkerError) as error:
        resolve(read_markers(data, "a.edl"), film_at("25"))
    assert str(error.value).count(". ") == 0 and "--markers-start 10:00:00:00" in str(error.value)
    drop = writers.resolve_edl("29.97 DF", "01:00:00;00")
    with pytest.raises(MarkerError, match=r"--markers-rate 29\.97"):
        resolve(read_markers(drop, "a.edl"), film_at("25"))
    found = resolve(read_markers(drop, "a.edl"), film_at("25"), rate=FRAME_RATES["29.97"], start="01:00:00;00")
    assert str(found.rate) == "29.97 DF" and "the film runs at 25" in found.reading
    with pytest.raises(MarkerError, match="--picture-starts-at"):
        resolve(read_markers(writers.midi("25"), "a.mid"), film_at("25"), timeline_starts_s=None)


def test_a_sequence_that_begins_before_the_film(film_at, frames_of):
    """Eight seconds of leader: the film's own timecode says where it begins, not the sequence's."""
    data = writers.fcp7_xml("25", "09:59:52:00", [("door", 200 + 131, 1, "Red")])
    found = resolve(read_markers(data, "a.xml"), film_at("25", "10:00:00:00"))
    assert frames_of(found, "25") == {"door": (131, None)}


def test_markers_outside_the_film_are_kept_and_say_so(film_at):
    data = b"In,Name\n01:00:01:00,in\n01:09:00:00,after\n00:59:00:00,before\n"
    found = resolve(read_markers(data, "a.csv"), film_at("24"), start="01:00:00:00")
    assert [(each.name, each.inside) for each in found.markers] == [("before", False), ("in", True), ("after", False)]


def test_nested_sequences_and_several(film_at):
    one = writers.fcp7_xml("25", "01:00:00:00").decode()
    body = one[one.index("<sequence") : one.index("</xmeml>")]
    two = one.replace("</xmeml>", body.replace("reel", "second") + "</xmeml>")
    with pytest.raises(MarkerError, match="2 sequences with markers"):
        read_markers(two.encode(), "a.xml")


@pytest.mark.parametrize(
    ("data", "name", "why"),
    [
        (b"", "a.edl", "empty"),
        (b"\0\0\0\0", "a.csv", "empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "a.csv", "not a text file"),
        (b"TITLE: cut\n001  A V C 00:00:01:00 00:00:02:00 00:00:01:00 00:00:02:00\n", "a.edl", "without markers"),
        (b"hello\n", "a.edl", "not a list of edits"),
        (b"one,two\n1,2\n", "a.csv", "names no column with times"),
        (b"In,Name\n", "a.csv", "holds no markers"),
        (b"<xmeml><sequence>", "a.xml", "line 1: it is broken XML"),
        (b"<a/>", "a.xml", "neither FCP7 XML nor FCPXML"),
        (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><xmeml>&a;</xmeml>', "a.xml", "entities"),
        (b"<xmeml>" + b"<a>" * 5000, "a.xml", "nested too deeply"),
        (b'{"OTIO_SCHEMA": "Clip.1"}', "a.otio", "no timeline"),
        (b"{", "a.otio", "no OTIO file"),
        (b'{"OTIO_SCHEMA": "Timeline.1",\n "name": }', "a.otio", "line 2: it is broken JSON"),
        (b"[" * 100_000, "a.otio", "no OTIO file"),
        (b"MThd", "a.mid", "not a MIDI file"),
        (b"anything", "a.aaf", "is a project"),
    ],
)
def test_what_is_no_marker_file_is_refused_in_a_sentence(data, name, why):
    with pytest.raises(MarkerError, match=why):
        read_markers(data, name)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(MarkerError, match="There is no file"):
        load_markers(tmp_path / "no.edl")
    with pytest.raises(Exception, match="not a regular file"):
        load_markers(tmp_path)
