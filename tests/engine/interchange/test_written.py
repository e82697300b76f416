"""What is written for DAWs and picture editors, read again: by the schema, by other readers, by our own."""

import csv
import io
import re
import tempfile
import zipfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import xmlschema
from hypothesis import assume, given
from hypothesis import strategies as st
from pieces import compose, compositions
from profiles import examples

from engine.arrange import arrange
from engine.interchange.click import SAMPLE_RATE, click_notes, click_sound, click_start_s, guide_notes
from engine.interchange.dawproject import FilmSound, dawproject
from engine.interchange.markers import clean, resolve
from engine.interchange.markers_out import edl, otio, table, write_midi_markers
from engine.interchange.piece import MARK_KINDS, Piece, check_pattern, stem
from engine.interchange.reading import read_markers
from engine.interchange.rules import map_markers
from engine.interchange.sheets_out import Rights, cue_sheet, spotting_sheet
from engine.midifile import read_midi, read_tempo_map, write_midi
from engine.music import Cue, Cut, Film, Hit, Section, TempoMap, TimeSignature, UserError
from engine.music.timecode import FRAME_RATES, TimecodeClock

SCHEMA = Path(__file__).parent / "schema"
METERS = [TimeSignature.parse(text) for text in ("4/4", "7/8")]


@pytest.fixture(scope="module")
def project_schema():
    return xmlschema.XMLSchema(SCHEMA / "Project.xsd")


def piece_of(composition=None, **more):
    composition = composition or compose(
        tempo_map=TempoMap.of([(0, 97), (16, 120.5)], [(0, METERS[0]), (8, METERS[1])]), seconds=24.0,
        cues=(Cue("1m1 Opening", 0.0, 9.0, sections=(Section(4.0, (), "Chase"),)), Cue("1m2", 12.0, 22.0, 12.0)),
        hits=(Hit(5.458333, "must", "door"), Hit(13.0, "nice", "glance")), cuts=(Cut(3.0), Cut(7.5)), **more,
    )  # fmt: skip
    return Piece(composition, arrange(composition))


def project_of(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["project.xml", "metadata.xml"]
        return archive.read("project.xml"), archive.read("metadata.xml")


def notes_in(xml):
    """(part, beat of the project, length, key, velocity, channel) of every note."""
    root = ElementTree.fromstring(xml)
    names = {track.get("id"): track.get("name").lower() for track in root.iter("Track")}
    found = []
    for lanes in root.find("Arrangement/Lanes"):
        for clip in lanes.iter("Clip"):
            for note in clip.iter("Note"):
                at = float(clip.get("time")) + float(note.get("time"))
                length, channel = round(float(note.get("duration")), 6), int(note.get("channel")) + 1
                velocity = round(float(note.get("vel")) * 127)
                part = names[lanes.get("track")]
                found.append((part, round(at, 6), length, int(note.get("key")), velocity, channel))
    return sorted(found)


@examples(8)
@given(compositions())
def test_any_dawproject_is_valid_and_holds_every_note(composition):
    schema = xmlschema.XMLSchema(SCHEMA / "Project.xsd")
    piece = Piece(composition, arrange(composition))
    xml, metadata = project_of(dawproject(piece))
    assert not list(schema.iter_errors(io.BytesIO(xml)))
    assert not list(xmlschema.XMLSchema(SCHEMA / "MetaData.xsd").iter_errors(io.BytesIO(metadata)))
    written, wanted = notes_in(xml), sorted(piece.notes, key=lambda n: (n.part, n.start_beats, n.length_beats, n.pitch))
    shifts = {round(a[1] - b.start_beats, 4) for a, b in zip(written, wanted, strict=True) if a[0] == b.part}
    assert len(shifts) <= 1  # bar 1 of the project, or the bar of the earliest note
    by_key = sorted((part, length, key, velocity, channel) for part, _, length, key, velocity, channel in written)
    assert by_key == sorted((n.part, round(n.length_beats, 6), n.pitch, n.velocity, n.channel) for n in piece.notes)


def test_a_dawproject_holds_controllers_tempo_meters_markers_and_the_film(project_schema, tmp_path):
    piece = piece_of()
    film = replace(piece.composition.film, path=str(tmp_path / "cut" / "film.mp4"))
    piece = replace(piece, composition=replace(piece.composition, film=film))
    data = dawproject(piece, folder=tmp_path, sound=FilmSound(2, 44_100))
    xml, _ = project_of(data)
    assert project_schema.is_valid(io.BytesIO(xml))
    root = ElementTree.fromstring(xml)
    points = {(p.find("Target").get("channel"), p.find("Target").get("controller")): p.findall("RealPoint")
              for p in root.iter("Points")}  # fmt: skip
    changes = piece.controllers
    assert sum(map(len, points.values())) == len(changes) and changes
    assert {(str(c.channel - 1), str(c.number)) for c in changes} == set(points)
    tempo = root.find("Arrangement/TempoAutomation")
    assert tempo.get("unit") == "bpm" and root.find("Transport/Tempo").get("unit") == "bpm"
    assert [(p.get("time"), p.get("value")) for p in tempo.findall("RealPoint")] == [("0", "97"), ("16", "120.5")]
    meters = root.findall("Arrangement/TimeSignatureAutomation/TimeSignaturePoint")
    assert [(p.get("time"), p.get("numerator"), p.get("denominator")) for p in meters] == [
        ("0", "4", "4"),
        ("8", "7", "8"),
    ]
    markers = [(m.get("name"), float(m.get("time"))) for m in root.iter("Marker")]
    at = piece.composition.beats_at_picture
    assert ("door!", pytest.approx(at(5.458333))) in markers and ("1m2", pytest.approx(at(12.0))) in markers
    video = root.find(".//Video")
    assert video.find("File").get("path") == "cut/film.mp4" and video.get("sampleRate") == "44100"
    clips = [clip for clip in root.iter("Clip") if clip.find("Clips") is not None]
    assert not clips, "a clip is wrapped once"
    assert dawproject(piece, folder=tmp_path, sound=FilmSound(2, 44_100)) == data


def test_a_film_that_starts_before_bar_1_keeps_its_picture(project_schema):
    composition = compose(seconds=10.0, picture_starts_at_s=-3.0)
    xml, _ = project_of(dawproject(Piece(composition, arrange(composition))))
    assert project_schema.is_valid(io.BytesIO(xml))
    clip = next(c for c in ElementTree.fromstring(xml).iter("Clip") if c.find("Video") is not None)
    start, skipped = float(clip.get("time")), float(clip.get("playStart"))
    # At 120 bpm the picture begins at beat -6; the project begins with that bar, at beat -8.
    assert (start, skipped) == (2.0, 0.0)


# markers ------------------------------------------------------------------------------------------------------------
RATES = ("23.976", "25", "29.97 DF")


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("name", ["a.edl", "a.csv", "a.otio", "a.mid"])
def test_markers_out_and_in_again(name, rate, tmp_path):
    known = FRAME_RATES[rate]
    clock = TimecodeClock(known)
    start = clock.parse("01:00:00;00" if known.drop else "01:00:00:00")
    film = Film("reel.mp4", 120.0, FRAME_RATES[rate.removesuffix(" DF")], start_timecode=start)
    frames = {"door": 131, "glass": 1797, "bell": 1800, "1m1": 24, "1m2": 2000}
    hits = tuple(
        Hit(float(frames[n] / known.fps), w, n) for n, w in (("door", "must"), ("glass", "nice"), ("bell", "should"))
    )
    cues = tuple(Cue(n, float(frames[n] / known.fps), bar_1_s=float(frames[n] / known.fps)) for n in ("1m1", "1m2"))
    composition = replace(compose(seconds=16.0), film=film, hits=hits, cues=cues)
    piece = Piece(composition, arrange(composition))
    kinds = ("cues", "hits")
    if name == "a.mid":
        write_midi_markers(tmp_path / name, piece, kinds)
        data = (tmp_path / name).read_bytes()
        assert read_midi(tmp_path / name).tracks[1:] == ("Cues", "Hits")
    else:
        data = {"a.edl": edl, "a.csv": table, "a.otio": otio}[name](piece, kinds)
    mapping = map_markers(resolve(read_markers(data, name), film), film)
    found = {row.name: (row.kind, row.weight, Fraction(row.marker.start_s) * known.fps) for row in mapping.rows}
    assert found == {
        "1m1": ("cue", "", 24), "1m2": ("cue", "", 2000), "door": ("hit", "must", 131), "glass": ("hit", "nice", 1797),
        "bell": ("hit", "should", 1800),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["a.edl", "a.csv", "a.otio", "a.mid"])
@given(
    names=st.lists(
        st.text("ab1m=:;!?,|'\"-+@ \U0001f3ac", min_size=1, max_size=12)
        | st.sampled_from(
            ["1m1 stinger", "1m1 Out", "VFX 3", "SC 4", "hit: x", "section: pattern=up", "why?", "o!", "'-", "''=x"]
        ),
        min_size=3, max_size=3,
    )
)  # fmt: skip
@examples(30)
def test_whatever_a_mark_is_called_it_comes_back_as_what_it_was(names, name):
    named = [clean(each).replace("|", "-").strip() or "x" for each in names]
    assume(not re.fullmatch(r"[a-z_/0-9]+\s*=.+", named[1]))  # a section of that name reads as a change, as documented
    rate = FRAME_RATES["25"]
    film = Film("reel.mp4", 120.0, rate)
    cues = (Cue(named[0], 1.0), Cue(named[0] + " b", 60.0, sections=(Section(70.0, (), named[1]),)))
    hits = tuple(Hit(5.0 + n, weight, named[2]) for n, weight in enumerate(("must", "should", "nice")))
    composition = replace(compose(seconds=8.0), film=film, hits=hits, cues=cues)
    piece = Piece(composition, piece_of().arrangement)
    kinds = ("cues", "sections", "hits")
    if name == "a.mid":
        with tempfile.TemporaryDirectory() as folder:
            write_midi_markers(Path(folder, name), piece, kinds)
            data = Path(folder, name).read_bytes()
    else:
        data = {"a.edl": edl, "a.csv": table, "a.otio": otio}[name](piece, kinds)
    found = map_markers(resolve(read_markers(data, name), film), film)
    assert [(row.kind, row.name, row.weight) for row in found.rows] == [
        ("cue", named[0], ""), *(("hit", named[2], hit.weight) for hit in hits), ("cue", clean(named[0] + " b"), ""),
        ("section", named[1], ""),
    ]  # fmt: skip


def test_chords_and_cuts_in_a_table_are_not_taken_for_hits():
    piece = piece_of()
    film = piece.composition.film
    for name, data in (("a.csv", table(piece, MARK_KINDS)), ("a.otio", otio(piece, MARK_KINDS))):
        rows = map_markers(resolve(read_markers(data, name), film), film).rows
        assert {row.name for row in rows if row.kind == "hit"} == {"door", "glance"}
        assert {row.why for row in rows if row.kind == "ignore"} == {"not the music's, by the rules"}


def test_marks_on_one_frame_are_one_event_of_an_edl():
    composition = replace(compose(), hits=(Hit(2.0, name="a"), Hit(2.01, name="b|c")))
    text = edl(Piece(composition, arrange(composition)), ("hits",)).decode()
    assert text.count("|M:") == 1 and "b-c |C:ResolveColorBlue |M:a |D:1" in text


def test_a_whole_piece_comes_back_from_an_edl(film_at):
    composition = piece_of().composition
    composition = replace(composition, hits=(*composition.hits, Hit(12.0, "should", "on the cue's own frame")))
    data = edl(Piece(composition, arrange(composition)), ("cues", "sections", "hits"))
    film = film_at("24", seconds=24.0)
    found = map_markers(resolve(read_markers(data, "a.edl"), film), film)
    assert [(row.kind, row.name, row.weight) for row in found.rows] == [
        ("cue", "1m1 Opening", ""), ("section", "Chase", ""), ("hit", "door", "must"), ("cue", "1m2", ""),
        ("hit", "glance", "nice"),
    ]  # fmt: skip
    assert [row.out_s for row in found.of("cue")] == [9.0, 22.0]
    assert found.rows[3].marker.comment == "on the cue's own frame"


def test_chords_and_cuts_are_tracks_of_their_own(tmp_path):
    piece = piece_of()
    write_midi_markers(tmp_path / "all.mid", piece, MARK_KINDS)
    score = read_midi(tmp_path / "all.mid")
    assert score.tracks[1:] == ("Cues", "Sections", "Hits", "Cuts", "Chords")
    write_midi_markers(tmp_path / "chords.mid", piece, ("chords",))
    texts = {marker.text for marker in read_midi(tmp_path / "chords.mid").markers}
    assert texts == {"C", "Am", "F", "G7"}
    assert read_midi(tmp_path / "chords.mid").tempo_map.tempos == piece.tempo_map.tempos


# click and guide ----------------------------------------------------------------------------------------------------
def test_the_click_counts_in_and_follows_meters():
    piece = piece_of()
    notes = click_notes(piece, 2)
    starts = [note.start_beats for note in notes]
    assert starts[:10] == [-8, -7, -6, -5, -4, -3, -2, -1, 0, 1]
    assert [n.start_beats for n in notes if n.pitch == 76][:6] == [-8, -4, 0, 4, 8, 11.5]
    assert starts[starts.index(8) : starts.index(8) + 4] == [8, 9, 10, 11.5]  # 7/8: 2 + 2 + 3
    assert click_notes(piece, 0)[0].start_beats == 0


def test_the_click_sounds_where_it_is_written():
    import wave

    piece = piece_of()
    data, begin_s = click_sound(piece, 1), click_start_s(piece, 1)
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, SAMPLE_RATE)
        samples = np.abs(np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int32))
    assert begin_s == pytest.approx(-4 * 60 / 97)
    quiet = np.convolve(samples > 200, np.ones(480), "full")[: len(samples)] == 0
    onsets = [i for i in np.flatnonzero(samples > 200) if i == 0 or quiet[i - 1]]
    wanted = [
        (piece.composition.picture_at_beats(n.start_beats) - begin_s) * SAMPLE_RATE for n in click_notes(piece, 1)
    ]
    assert len(onsets) == len(wanted)
    assert max(abs(a - b) for a, b in zip(onsets, wanted, strict=True)) < 48  # a millisecond


def test_the_guide_has_root_position_chords_on_changes():
    composition = compose("C C Am/E Am/E N N G7 G7", seconds=8.0)
    notes = guide_notes(Piece(composition, arrange(composition)))
    chords = {}
    for note in notes:
        chords.setdefault((note.start_beats, note.end_beats), []).append(note.pitch)
    first = [sorted(pitches) for _, pitches in sorted(chords.items())][:3]
    assert first == [[48, 52, 55], [40, 57, 60, 64], [55, 59, 62, 65]]


# sheets and names ---------------------------------------------------------------------------------------------------
def test_the_cue_sheet_has_the_columns_of_rapidcue():
    rows = list(
        csv.reader(io.StringIO(cue_sheet(piece_of(), Rights("Film", "A. B.", "C", "GEMA")).decode("utf-8-sig")))
    )
    assert rows[0][:4] == ["Production", "Cue Number", "Cue Title", "Usage"]
    assert rows[1] == ["Film", "1m1", "Opening", "BI", "00:00:00:00", "00:00:09:00", "00:00:09", "A. B.", "C", "GEMA"]
    assert rows[2][1:3] == ["1m2", "1m2"] and rows[2][6] == "00:00:10"


def test_the_spotting_sheet_can_be_read_as_markers(film_at):
    data = spotting_sheet(piece_of())
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    assert rows[0]["Cue"] == "1m1 Opening" and rows[0]["Tempo"] == "97" and rows[0]["Emotional"] and rows[0]["Palette"]
    found = map_markers(resolve(read_markers(data, "spotting.csv"), film_at("24")), film_at("24"))
    assert [row.name for row in found.rows if row.kind == "cue"] == ["1m1 Opening", "1m2"]


def test_no_cell_is_a_formula():
    composition = replace(compose(), hits=(Hit(2.0, name="=1+1"), Hit(3.0, name="@x")))
    piece = Piece(composition, arrange(composition))
    for data in (table(piece, ("hits",)), spotting_sheet(piece), cue_sheet(piece, Rights(writers="=cmd()"))):
        for row in csv.reader(io.StringIO(data.decode("utf-8-sig"))):
            assert not any(cell.startswith(("=", "+", "@")) for cell in row)


def test_names_of_files():
    piece = replace(piece_of(), version=3).of_cue("1m2")
    assert stem(piece) == "1m2_v03 film 00-00-12-00"
    assert stem(piece, "{name}-{take}-{key}-{bpm}") == "film-A-C-120.5"
    assert stem(piece, start_s=-2.0) == "1m2_v03 film 23-59-58-00"  # a click that counts in before zero
    odd = replace(piece, composition=replace(piece.composition, film=Film("a/b:c?.mp4", 24.0, FRAME_RATES["24"])))
    assert "/" not in stem(odd) and ":" not in stem(odd) and len(stem(odd, "{name}" * 200).encode()) <= 200
    for wrong in ("{song}", "{", "", "a/{cue}"):
        with pytest.raises(UserError):
            check_pattern(wrong)


@pytest.mark.parametrize("name", ["con", "NUL", "com1", "aux.v2"])
def test_no_file_has_the_name_of_a_device(name):
    assert stem(piece_of(), name) == f"_{name}"
    assert stem(piece_of(), f"{name}x") == f"{name}x" or "." in name


def test_a_pattern_of_two_lines_is_refused_in_one():
    with pytest.raises(UserError) as error:
        check_pattern("{cue}\n{name}")
    assert "\n" not in str(error.value)


def test_one_cue_is_its_own_notes_and_marks():
    whole = piece_of()
    one, two = whole.of_cue("1m1 Opening"), whole.of_cue("1m2")
    assert {*one.notes} | {*two.notes} == {*whole.notes} and not {*one.notes} & {*two.notes}
    assert [hit.name for hit in two.hits] == ["glance"] and (two.start_s, two.end_s) == (12.0, 22.0)
    with pytest.raises(UserError, match="there are 1m1 Opening, 1m2"):
        whole.of_cue("2m1")


def test_a_meter_of_three_groups():
    composition = compose(tempo_map=TempoMap.constant(90, TimeSignature.parse("6/8")), seconds=8.0)
    notes = click_notes(Piece(composition, arrange(composition)), 1)
    assert [n.start_beats for n in notes[:4]] == [-3, -1.5, 0, 1.5]


def test_the_bar_that_a_cue_cuts_short_has_a_signature_in_every_file(tmp_path):
    tempo_map = TempoMap.of([(0, 120)], [(0, TimeSignature()), (18, TimeSignature())])
    composition = compose(tempo_map=tempo_map, seconds=20.0)
    piece = Piece(composition, arrange(composition))
    meters = [(0, "4/4"), (16, "2/4"), (18, "4/4")]
    write_midi(tmp_path / "out.mid", composition, piece.arrangement)
    assert [(change.beat, str(change.meter)) for change in read_tempo_map(tmp_path / "out.mid").meters] == meters
    with zipfile.ZipFile(io.BytesIO(dawproject(piece))) as archive:
        points = list(ElementTree.fromstring(archive.read("project.xml")).iter("TimeSignaturePoint"))
    assert [(float(p.get("time")), f"{p.get('numerator')}/{p.get('denominator')}") for p in points] == meters
    accents = [note.start_beats for note in click_notes(piece, 0) if note.velocity == 120]
    assert accents[:6] == [0, 4, 8, 12, 16, 18]
