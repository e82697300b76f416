"""Events in, events out, to the frame: files as the editors' programs write them, and by other people's writers."""

import io
from fractions import Fraction
from pathlib import Path

import markerlab as writers
import mido
import pytest

from engine.interchange.markers import MAX_MARKERS, MarkerError, resolve
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
        (b"{", "a.otio", "not an OTIO file"),
        (b'{"OTIO_SCHEMA": "Timeline.1",\n "name": }', "a.otio", "line 2: it is broken JSON"),
        (b"[" * 100_000, "a.otio", "not an OTIO file"),
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


# where a list begins ------------------------------------------------------------------------------------------------
def test_a_slate_before_the_film_does_not_move_the_list(film_at, frames_of):
    events = [("slate", 50, 1, "Red"), ("door", 250 + 131, 1, "Red")]
    edl, film = writers.resolve_edl("25", "00:59:50:00", events), film_at("25", "01:00:00:00")
    found = resolve(read_markers(edl, "a.edl"), film)
    assert frames_of(found, "25") == {"slate": (-200, None), "door": (131, None)}
    assert [each.inside for each in found.markers] == [False, True]
    # A list with a beginning of its own, under which all of it lies in the film, may mean either: one question.
    with pytest.raises(
        MarkerError, match=r"begins at 01:00:00:00 and the list begins at 00:59:50:00: say .*--markers-"
    ):
        resolve(read_markers(writers.fcp7_xml("25", "00:59:50:00", events), "a.xml"), film)


@pytest.mark.parametrize("code", ["", "FCM: NON-DROP FRAME"])
def test_labels_without_semicolons_begin_where_a_drop_frame_film_does(code, film_at, frames_of):
    """Four seconds into a film from 01:00:00;00, written with colons: as non-drop labels it would lie 3.6 s later."""
    text = f"TITLE: x\n{code}\n001 001 V C " + " ".join(["01:00:04:12"] * 4) + "\n |C:ResolveColorBlue |M:door |D:1\n"
    film = film_at("29.97 DF", "01:00:00;00")
    assert frames_of(resolve(read_markers(text.encode(), "a.edl"), film), "29.97") == {"door": (132, None)}
    sheet = b"In,Name\n01:00:04:12,door\n"
    assert frames_of(resolve(read_markers(sheet, "a.csv"), film), "29.97") == {"door": (132, None)}
    with pytest.raises(MarkerError, match=r"line 2: .* does not exist in drop frame \(--markers-rate 29\.97, if"):
        resolve(read_markers(b"In,Name\n01:01:00:00,door\n", "a.csv"), film)


# cells, clips and storylines ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ('00:00:01:00,a,"hello\n00:00:02:00,b,x\n00:00:03:00,c,x\n', 2),  # nothing closes it
        ('00:00:01:00,a,x\n00:00:02:00,"b,x\n00:00:03:00,c",y\n', 3),  # what closes it opens another
    ],
)
def test_a_quotation_mark_takes_no_rows_in(rows, line):
    with pytest.raises(MarkerError, match="a quotation mark opens a cell") as error:
        read_markers(b"In,Name,Comment\n" + rows.encode(), "a.csv")
    assert error.value.lines == (line,)
    # The same where the names stand before the times, so that the cell takes in the time of its own row.
    turned = [",".join((name, at, comment)) for at, name, comment in (row.split(",") for row in rows.splitlines())]
    with pytest.raises(MarkerError, match="a quotation mark opens a cell"):
        read_markers(("Name,In,Comment\n" + "\n".join(turned)).encode(), "a.csv")


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize("places", [(0, 1, 2), (1, 0, 2), (1, 2, 0)])
def test_a_name_that_begins_with_a_quotation_keeps_its_marks(delimiter, places):
    """As programs write it that quote no cells, and quoted as a spreadsheet does."""
    names = ['"Stop!" he says', '"A" or "B"', '7" knife', 'he says "stop"', '"Stop!"?']
    for quoted in (False, True):
        lines = [delimiter.join(("In", "Name", "Comment")[place] for place in places)]
        for second, name in enumerate(names):
            doubled = name.replace('"', '""')
            cells = (f"00:00:0{second}:12", f'"{doubled}"' if quoted else name, "x")
            lines.append(delimiter.join(cells[place] for place in places))
        found = read_markers("\n".join(lines).encode(), "a.csv").markers
        assert [each.name for each in found] == names
        assert [each.start for each in found] == [f"00:00:0{second}:12" for second in range(len(names))]


@pytest.mark.parametrize("rate", ["23.976", "25", "29.97", "29.97 DF", "50"])
def test_a_duration_in_timecode_is_as_good_as_an_out(film_at, frames_of, rate):
    rows = b"In,Duration,Name\n00:00:04:12,00:00:02:05,a\n00:00:10:00,00:00:00:00,b\n00:00:20:00,3.5,c\n"
    fps = float(FRAME_RATES[rate].fps)
    whole = round(fps)
    found = frames_of(resolve(read_markers(rows, "a.csv"), film_at(rate)), rate.removesuffix(" DF"))
    assert found["a"] == (4 * whole + 12, 6 * whole + 17) and found["b"] == (10 * whole, None)
    assert found["c"][1] == int(20 * whole + 3.5 * fps)
    with pytest.raises(MarkerError, match=r"line 2: timecode .* out of range"):
        resolve(read_markers(b"In,Duration,Name\n00:00:04:12,00:00:02:55,a\n", "a.csv"), film_at(rate))


@pytest.mark.parametrize(
    ("heading", "cell", "start"),
    [
        ("In (TC)", "00:00:04:12", "00:00:04:12"),
        ("Timecode In", "00:00:04:12", "00:00:04:12"),
        ("IN [hh:mm:ss:ff]", "00:00:04:12", "00:00:04:12"),
        ("Location", "00:00:04:12", "00:00:04:12"),
        ("Time (s)", "4.5", Fraction(9, 2)),
        ("Start (seconds)", "4.5", Fraction(9, 2)),
    ],
)
def test_headings_that_say_their_unit(heading, cell, start):
    (marker,) = read_markers(f"{heading},Name\n{cell},a\n".encode(), "a.csv").markers
    assert marker.start == start
    with pytest.raises(MarkerError, match="no column with times"):  # nothing that counts otherwise is taken for seconds
        read_markers(b"Time (ms),Name\n4500,a\n", "a.csv")


EVENT = "001  001      V     C        " + "01:00:04:12 01:00:04:13 " * 2


@pytest.mark.parametrize(
    ("note", "comment"),
    [
        ("one line\n", "one line"),
        ("first\nsecond\n", "first second"),
        ("first\n\nthird\n  ", "first third"),
        ("2 or 3 people at 1:30 come in\n", "2 or 3 people at 1:30 come in"),
        ("M2 is here\nTITLE: of the song\n", "M2 is here TITLE: of the song"),
        ("first\nlast one", "first last one"),
    ],
)
def test_a_note_of_several_lines_is_kept_whole(note, comment):
    text = f"TITLE: T\nFCM: NON-DROP FRAME\n\n{EVENT}\n{note} |C:ResolveColorBlue |M:door |D:1\n"
    (marker,) = read_markers(text.encode(), "a.edl").markers
    assert (marker.name, marker.comment, marker.start) == ("door", comment, "01:00:04:12")


def test_an_event_whose_places_are_broken_is_no_note():
    text = f"TITLE: T\n{EVENT}\n002  001      V     C        01:00:04 01:00:04\n |C:ResolveColorBlue |M:door |D:1\n"
    with pytest.raises(MarkerError, match="line 3: an event has four timecodes"):
        read_markers(text.encode(), "a.edl")


def test_a_comment_of_several_lines_is_one_cell(film_at):
    rows = b'In,Name,Comment\n00:00:01:00,a,"first\nsecond, at 00:00:07:00"\n00:00:02:00,b,\n'
    found = resolve(read_markers(rows, "a.csv"), film_at("25"))
    assert [each.comment for each in found.markers] == ["first second, at 00:00:07:00", ""]


def _clips(video, audio=""):
    one = writers.fcp7_xml("25", "01:00:00:00", [("top", 7, 1, "Blue")]).decode()
    media = f"<media><video><track>{video}</track></video><audio><track>{audio}</track></audio></media>"
    return one.replace("</sequence>", media + "</sequence>").encode()


def _clip(start, end, begin, out, inside="", marker="<marker><name>on</name><in>50</in><out>-1</out></marker>"):
    places = f"<start>{start}</start><end>{end}</end><in>{begin}</in><out>{out}</out>"
    return f"<clipitem><name>c</name>{places}{inside}{marker}</clipitem>"


def test_linked_clips_that_repeat_a_marker_give_it_once(film_at, frames_of):
    found = resolve(read_markers(_clips(_clip(100, 300, 10, 210), _clip(100, 300, 10, 210)), "a.xml"), film_at("25"))
    assert len(found.markers) == 2 and frames_of(found, "25")["on"] == (140, None)
    assert found.notes == ("1 marker that linked clips repeat: taken once.",)


def test_a_clip_that_a_transition_leads_into(film_at, frames_of):
    transition = "<transitionitem><start>90</start><end>110</end><alignment>center</alignment></transitionitem>"
    video = _clip(0, -1, 0, 110, marker="") + transition + _clip(-1, 300, 10, 220)
    assert frames_of(resolve(read_markers(_clips(video), "a.xml"), film_at("25")), "25")["on"] == (130, None)


def test_clips_of_a_nested_sequence_are_not_on_the_timeline(film_at, frames_of):
    shape = "<rate><timebase>25</timebase><ntsc>FALSE</ntsc></rate>"
    nested = f"<sequence>{shape}<media><video><track>{_clip(0, 100, 0, 100)}</track></video></media></sequence>"
    data = _clips(_clip(500, 600, 0, 100, nested, marker=""))
    assert frames_of(resolve(read_markers(data, "a.xml"), film_at("25")), "25") == {"top": (7, None)}


def _storyline(body):
    return f"""<fcpxml version="1.10"><resources><format id="r1" frameDuration="1/25s"/>
<asset id="r2" start="0s" duration="40s"/></resources><project name="p"><sequence format="r1" tcStart="3600s"><spine>
{body}</spine></sequence></project></fcpxml>""".encode()


def test_clips_of_a_storyline_follow_each_other(film_at, frames_of):
    """FCPXML leaves an offset out where a clip follows the one before it."""
    clip = '<asset-clip ref="r2" duration="5s"><marker value="{}" start="1s"/></asset-clip>'
    found = resolve(read_markers(_storyline(clip.format("a") + clip.format("b")), "a.fcpxml"), film_at("25"))
    assert frames_of(found, "25") == {"a": (25, None), "b": (150, None)}


def test_only_the_clip_of_an_audition_that_is_played_counts(film_at, frames_of):
    clip = '<asset-clip ref="r2" offset="3600s" duration="5s"><marker value="{}" start="{}s"/></asset-clip>'
    body = f'<audition offset="3600s">{clip.format("played", 1)}{clip.format("other", 2)}</audition>'
    assert frames_of(resolve(read_markers(_storyline(body), "a.fcpxml"), film_at("25")), "25") == {"played": (25, None)}


# .mid ---------------------------------------------------------------------------------------------------------------
def _midi():
    file = mido.MidiFile(ticks_per_beat=480)
    file.tracks.append(mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=1_000_000, time=960)]))
    marks = mido.MetaMessage("marker", text="door", time=4 * 480), mido.MetaMessage("cue_marker", text="bell", time=480)
    file.tracks.append(mido.MidiTrack(marks))
    data = io.BytesIO()
    file.save(file=data)
    return data.getvalue()


def test_cue_points_of_midi_are_markers_as_well(film_at, frames_of):
    found = resolve(read_markers(_midi(), "a.mid"), film_at("25"))
    assert frames_of(found, "25") == {"door": (75, None), "bell": (100, None)}


@pytest.mark.parametrize("cut", [5, 12, 20])
def test_a_midi_file_that_is_cut_short_is_not_half_read(cut):
    with pytest.raises(MarkerError, match="cut short or damaged"):
        read_markers(_midi()[:-cut], "a.mid")


@pytest.mark.parametrize("name", ["sheet.tsv", "notes.txt", "resolve.edl", "daw.mid", "premiere.xml"])
def test_as_many_markers_as_are_said_are_read_and_one_more_is_refused(name):
    def read(count):
        return read_markers(_many(name, count), name)

    assert len(read(MAX_MARKERS).markers) == MAX_MARKERS
    with pytest.raises(MarkerError, match="has more than 10,000 markers"):
        read(MAX_MARKERS + 1)


def _many(name, count):
    rows = [(f"m{index}", index, 1, "Blue") for index in range(count)]
    if name == "sheet.tsv":
        lines = ["In (s)\tName", *(f"{index / 25:.2f}\t{label}" for label, index, *_ in rows)]
        return "\n".join(lines).encode()
    if name == "notes.txt":  # Avid's
        labels = ((writers.label(index, "25", "10:00:00:00"), label) for label, index, *_ in rows)
        return "".join(f"ed\t{at}\tV1\tred\t{label}\n" for at, label in labels).encode()
    if name == "daw.mid":
        file = mido.MidiFile(tracks=[mido.MidiTrack(mido.MetaMessage("marker", text=row[0], time=10) for row in rows)])
        out = io.BytesIO()
        file.save(file=out)
        return out.getvalue()
    return WRITERS[name]("25", "10:00:00:00", rows)
