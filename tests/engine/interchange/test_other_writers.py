"""Lists written by other people's writers, read to the frame: OpenTimelineIO and its adapters, srt, ttconv, timecode.

Nothing here is fixed text of ours: each file is written when the test runs, at 23.976, 25 and 29.97 drop.
"""

from fractions import Fraction

import pytest

from engine.conform.edl_changes import from_edls
from engine.interchange.edl import read_edl
from engine.interchange.markers import resolve
from engine.interchange.reading import read_markers
from engine.interchange.subtitles import read_subtitles
from engine.music.timecode import FRAME_RATES, TimecodeClock

RATES = {"23.976": 24000 / 1001, "25": 25.0, "29.97 DF": 30000 / 1001}
MARKS = {"1m1 Opening": (0, None), "door slams!": (131, None), "Chase": (1790, 1910), "minute": (1800, None)}
EXACT = {"23.976": Fraction(24000, 1001), "25": Fraction(25), "29.97 DF": Fraction(30000, 1001)}


@pytest.fixture
def otio():
    return pytest.importorskip("opentimelineio")


def timeline_of(otio, rate):
    """Two clips in a row, the second from its hundredth frame on; markers of the timeline and of the second clip."""

    def at(frame):
        return otio.opentime.RationalTime(frame, rate)

    def span(first, length):
        return otio.opentime.TimeRange(at(first), at(length))

    made = otio.schema.Timeline("reel 1")
    track = otio.schema.Track("V1", kind=otio.schema.TrackKind.Video)
    made.tracks.append(track)
    for name, first, length in (("shot1", 0, 480), ("shot2", 100, 1700)):
        media = otio.schema.ExternalReference(f"file:///{name}.mov", span(0, 4000))
        track.append(otio.schema.Clip(name, media, span(first, length)))
    for name, (first, end) in MARKS.items():
        length = 1 if end is None else end - first
        made.tracks.markers.append(otio.schema.Marker(name, span(first, length)))
    track[1].markers.append(otio.schema.Marker("glass", span(150, 1)))  # fifty frames into the clip: frame 530
    track[1].markers.append(otio.schema.Marker("unseen", span(10, 1)))
    return made


@pytest.mark.parametrize("rate", RATES)
def test_a_timeline_written_by_opentimelineio(rate, otio, film_at, frames_of):
    text = otio.adapters.write_to_string(timeline_of(otio, RATES[rate]), "otio_json")
    found = resolve(read_markers(text.encode(), "reel.otio"), film_at(rate))
    frames = frames_of(found, rate)
    assert frames.pop("glass")[0] == 530 and "unseen" not in frames
    assert {name: first for name, (first, _) in frames.items()} == {name: first for name, (first, _) in MARKS.items()}
    assert frames["Chase"] == MARKS["Chase"]


def test_what_a_nest_trims_off_is_not_seen(otio, film_at, frames_of):
    def at(frame):
        return otio.opentime.RationalTime(frame, 25)

    def marked(name, frame):
        return otio.schema.Marker(name, otio.opentime.TimeRange(at(frame), at(1)))

    clips = [otio.schema.Clip(name, None, otio.opentime.TimeRange(at(100), at(50))) for name in "ab"]
    clips[0].markers.append(marked("seen", 120))
    clips[1].markers.append(marked("trimmed off by the nest", 140))
    nest = otio.schema.Stack("nest", children=[otio.schema.Track("V", children=clips)])
    nest.source_range = otio.opentime.TimeRange(at(10), at(60))
    nest.markers.extend([marked("nest", 30), marked("not in the nest", 90)])
    gap = otio.schema.Gap(source_range=otio.opentime.TimeRange(at(0), at(50)))
    made = otio.schema.Timeline("reel", global_start_time=at(90000))
    made.tracks.append(otio.schema.Track("V1", children=[gap, nest]))
    for _ in range(2):  # the sound of a clip, linked to its picture
        sound = otio.schema.Clip("s", None, otio.opentime.TimeRange(at(0), at(100)))
        sound.markers.append(marked("linked", 7))
        made.tracks.append(otio.schema.Track("A", children=[sound], kind=otio.schema.TrackKind.Audio))
    found = resolve(read_markers(otio.adapters.write_to_string(made, "otio_json").encode(), "a.otio"), film_at("25"))
    assert frames_of(found, "25") == {"seen": (60, None), "nest": (70, None), "linked": (7, None)}
    assert len(found.markers) == 3 and found.notes[0].startswith("2 markers on trimmed-off ends")


@pytest.mark.parametrize("count", [1000, 48000])
def test_a_timeline_that_counts_milliseconds_or_samples(count, otio, film_at, frames_of):
    def span(seconds):
        return otio.opentime.TimeRange(*(otio.opentime.RationalTime(each * count, count) for each in (seconds, 0)))

    made = otio.schema.Timeline("reel", global_start_time=otio.opentime.RationalTime(3600 * count, count))
    made.tracks.append(otio.schema.Track("A1", children=[otio.schema.Gap(source_range=span(0))]))
    made.tracks.markers.append(otio.schema.Marker("door", span(2)))
    data = otio.adapters.write_to_string(made, "otio_json").encode()
    found = resolve(read_markers(data, "a.otio"), film_at("25"))
    assert frames_of(found, "25") == {"door": (50, None)} and "01:00:00:00 (as the list says)" in found.reading


@pytest.mark.parametrize("rate", RATES)
def test_a_sequence_written_by_the_fcp7_adapter(rate, otio, film_at, frames_of):
    pytest.importorskip("otio_fcp_adapter")
    text = otio.adapters.write_to_string(timeline_of(otio, RATES[rate]), "fcp_xml")
    found = resolve(read_markers(text.encode(), "reel.xml"), film_at(rate))
    frames = frames_of(found, rate)
    assert frames.pop("glass")[0] == 530 and "unseen" not in frames
    assert {name: first for name, (first, _) in frames.items()} == {name: first for name, (first, _) in MARKS.items()}


@pytest.mark.parametrize("rate", RATES)
def test_a_cut_written_by_the_cmx_adapter(rate, otio):
    """Its EDLs of two cuts give the change list that the cuts were made with."""
    pytest.importorskip("otio_cmx3600_adapter")
    fps = RATES[rate]

    def edl(pieces):
        made = otio.schema.Timeline("cut")
        track = otio.schema.Track("V", kind=otio.schema.TrackKind.Video)
        made.tracks.append(track)
        for first, length in pieces:
            time = otio.opentime.RationalTime
            span = otio.opentime.TimeRange(time(first, fps), time(length, fps))
            whole = otio.opentime.TimeRange(time(0, fps), time(9000, fps))
            media = otio.schema.ExternalReference("file:///A001.mov", whole)
            clip = otio.schema.Clip("A001", media, span)
            clip.metadata["cmx_3600"] = {"reel": "A001"}
            track.append(clip)
        return otio.adapters.write_to_string(made, "cmx_3600", rate=fps)

    old, new = edl([(0, 1900), (1900, 1100)]), edl([(0, 1803), (1817, 83), (1900, 1100)])
    lists = [read_edl(text, f"{name}.edl") for name, text in (("old", old), ("new", new))]
    changes = from_edls(*lists, FRAME_RATES[rate], ("old.edl", "new.edl"))
    found = [(change.kind, change.old_start, change.old_end) for change in changes.changes]
    assert found == [("trim", 1803, 1817)] and (changes.old_frames, changes.new_frames) == (3000, 2986)


@pytest.mark.parametrize("rate", RATES)
def test_labels_of_timecode_are_ours(rate):
    """Its labels in drop and non-drop are those by which every list above is read."""
    timecode = pytest.importorskip("timecode")
    frame_rate = FRAME_RATES[rate]
    theirs = {"23.976": "23.976", "25": "25", "29.97 DF": "29.97"}[rate]
    first = timecode.Timecode(theirs, "00:00:00;00" if frame_rate.drop else "00:00:00:00")
    clock = TimecodeClock(frame_rate)
    zero = clock.parse(str(first))
    for frame in (0, 1, 1799, 1800, 1801, 17981, 17982, 17984, 107_891, 107_892, 200_000):
        label = str(timecode.Timecode(theirs, frames=frame + 1, force_non_drop_frame=not frame_rate.drop))
        assert str(zero + frame).replace(";", ":") == label.replace(";", ":"), frame


def test_subtitles_written_by_srt():
    srt = pytest.importorskip("srt")
    from datetime import timedelta

    lines = [(1.001, 3.5, "Where were you?"), (4.0, 6.25, "[door slams]"), (3599.999, 3601.0, "Out.\nNow.")]
    made = [srt.Subtitle(None, timedelta(seconds=a), timedelta(seconds=b), text) for a, b, text in lines]
    found = read_subtitles(srt.compose(made).encode(), "a.srt")
    assert found == tuple((pytest.approx(a, abs=1e-9), pytest.approx(b, abs=1e-9)) for a, b, _ in (lines[0], lines[2]))


@pytest.mark.parametrize("kind", ["ttml", "vtt"])
def test_subtitles_written_by_ttconv(kind):
    pytest.importorskip("ttconv")
    import io
    from xml.etree import ElementTree

    import ttconv.imsc.writer
    import ttconv.srt.reader
    import ttconv.vtt.writer

    text = "1\n00:00:01,040 --> 00:00:03,500\nWhere were you?\n\n2\n00:00:04,000 --> 00:00:06,240\nOut.\n\n"
    model = ttconv.srt.reader.to_model(io.StringIO(text))
    if kind == "vtt":
        data = ttconv.vtt.writer.from_model(model).encode()
    else:
        data = ElementTree.tostring(ttconv.imsc.writer.from_model(model).getroot())
    found = read_subtitles(data, f"a.{kind}")
    assert [pytest.approx(value, abs=0.002) for line in found for value in line] == [1.04, 3.5, 4.0, 6.24]
