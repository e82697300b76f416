"""Markers of the picture's editor, taken by a running session."""

import threading
import time

import markerlab
import pytest
from offlinelab import ASKER, OfflineStage, Patience, offline_time
from sessionlab import Engine

from bridge.osc.codec import decode, encode
from bridge.osc.server import Datagram
from bridge.session.session import SessionOptions
from engine.brief import Brief, settle
from engine.interchange.asked import AskedMarkers, with_markers
from engine.music import Hit

ROWS = [
    ("1m1 Opening", 0, 1, "Blue"),
    ("door!", 131, 1, "Blue"),
    ("Chase", 200, 120, "Blue"),
    ("1m2", 700, 200, "Blue"),
]


@pytest.fixture
def marker_file(tmp_path):
    path = tmp_path / "reel.edl"
    path.write_bytes(markerlab.resolve_edl("24", "01:00:00:00", ROWS))
    return path


@pytest.fixture
def stage(tmp_path):
    with offline_time() as clock:
        made = OfflineStage(clock, Engine(40.0), SessionOptions("film.mp4"), folders=[tmp_path])
        made.ready()
        yield made
        made.close()


def test_one_undo_named_by_the_file(stage, marker_file):
    before = stage.session.document
    stage.osc_file("/cue/markers/load", marker_file.name, "take", "", "01:00:00:00")
    assert not stage.refused
    document = stage.session.document
    assert [(c.name, c.in_s, c.out_s) for c in document.cue_states] == [
        ("1m1 Opening", 0.0, None), ("1m2", 700 / 24, 900 / 24)
    ]  # fmt: skip
    assert [(hit.time_s, hit.weight, hit.name) for hit in document.hits] == [(131 / 24, "must", "door")]
    assert [(each.start_s, each.name) for each in document.sections] == [(200 / 24, "Chase")]
    assert stage.session.history.undo_label == "markers reel.edl"
    stage.ready()
    stage.osc("/cue/undo")
    assert stage.session.document == before


def test_shown_before_it_is_taken_and_single_rows_changed(stage, marker_file):
    before = stage.session.document
    stage.osc_file("/cue/markers/load", marker_file.name, "show", "", "01:00:00:00")
    assert stage.session.document is before
    rows = [values for address, values in stage.answers if address == "/cue/markers/row"]
    assert [(values[0], values[2], values[3], values[4], values[5]) for values in rows] == [
        (1, "00:00:00:00", "cue", "", "1m1 Opening"), (2, "00:00:05:11", "hit", "must", "door"),
        (3, "00:00:08:08", "section", "", "Chase"), (4, "00:00:29:04", "cue", "", "1m2"),
    ]  # fmt: skip
    stage.osc_file("/cue/markers/load", marker_file.name, "take", "1=ignore 4=ignore 3=nice", "01:00:00:00")
    document = stage.session.document
    assert not document.other_cues and not document.sections
    assert [hit.weight for hit in document.hits] == ["must", "nice"]


@pytest.mark.parametrize(("count", "said"), [(500, ""), (501, "; listed are the first 500, the other 1 are taken too")])
def test_of_a_long_list_it_is_said_how_much_is_shown(stage, tmp_path, count, said):
    rows = "".join(f"{0.05 * index:.2f}\t🎬 {index}\n" for index in range(count))
    (tmp_path / "long.tsv").write_text(f"In (s)\tName\n{rows}", encoding="utf-8")
    stage.osc_file("/cue/markers/load", "long.tsv", "show")
    assert not stage.refused
    head = next(values for address, values in stage.answers if address == "/cue/markers/load")
    assert head[1].partition("; listed")[0].startswith(f"{count} hits")
    assert head[1].endswith(said) and (said != "" or "listed" not in head[1])
    assert sum(address == "/cue/markers/row" for address, _ in stage.answers) == 500


def test_a_newer_list_of_the_editor_moves_what_has_the_same_name(stage, marker_file):
    stage.osc_file("/cue/markers/load", marker_file.name, "take", "", "01:00:00:00")
    stage.osc("/cue/hits/add", 20.0, "nice", "my own")
    moved = [(name, frame + 24 if frame else 0, length, colour) for name, frame, length, colour in ROWS]
    marker_file.write_bytes(markerlab.resolve_edl("24", "01:00:00:00", moved))
    stage.osc_file("/cue/markers/load", marker_file.name, "take", "", "01:00:00:00")
    document = stage.session.document
    assert [(hit.time_s, hit.name) for hit in document.hits] == [(155 / 24, "door"), (20.0, "my own")]
    assert [each.start_s for each in document.sections] == [224 / 24]
    assert [(c.name, c.in_s) for c in document.cue_states] == [("1m1 Opening", 0.0), ("1m2", 724 / 24)]


def test_what_is_refused_changes_nothing(stage, marker_file, tmp_path):
    before = stage.session.document
    marker_file.write_bytes(marker_file.read_bytes().replace(b"|D:120", b"|D:x"))
    for name in (marker_file.name, "/etc/passwd", "nowhere.edl"):
        with pytest.raises(AssertionError):  # the stage fails on a refusal
            stage.osc_file("/cue/markers/load", name)
    assert [code for _, code, _ in stage.refused] == ["bad_value"] * 3 and "line 11" in stage.refused[0][2]
    assert stage.session.document is before


def test_of_the_command_line_they_are_taken_once_the_film_is_known(marker_file):
    asked = AskedMarkers.read(str(marker_file), start="01:00:00:00")
    with offline_time() as clock:
        stage = OfflineStage(clock, Engine(40.0), SessionOptions("film.mp4", markers=asked))
        stage.ready()
        assert len(stage.session.document.cue_states) == 2 and stage.session.history.undo_label == "markers reel.edl"
        assert any("1m1 Opening" in line for line in stage.said) and any("hit must" in line for line in stage.said)
        assert len(stage.engine.requests) == 1  # composed once, with them
        brief = with_markers(Brief(), asked.mapping(stage.engine.film))
        ours = settle(brief, stage.engine.film, stage.session.analysed.cuts)  # as `compose` decides
        assert stage.session.tempo_map == ours.tempo_map and "hit" in ours.tempo_reason
        assert stage.session.choice.reason == ours.choice.reason
        stage.close()


def test_what_the_file_does_not_say_ends_the_run_with_a_question(marker_file):
    with offline_time() as clock:
        stage = OfflineStage(
            clock, Engine(40.0), SessionOptions("film.mp4", markers=AskedMarkers.read(str(marker_file)))
        )
        stage.run(0.1)
        assert "--markers-start 01:00:00:00" in (stage.session.failure or "")
        stage.close()


def test_a_list_with_nothing_for_this_film_still_has_it_composed(tmp_path):
    path = tmp_path / "reel.edl"
    path.write_bytes(markerlab.resolve_edl("24", "01:00:00:00", [("door!", 24 * 500, 1, "Blue")]))  # film: 40 s
    asked = AskedMarkers.read(str(path), start="01:00:00:00")
    with offline_time() as clock:
        stage = OfflineStage(clock, Engine(40.0), SessionOptions("film.mp4", markers=asked))
        stage.ready()
        assert stage.session.document.slots and not stage.session.document.hits
        stage.close()


def test_the_hits_of_one_films_list_do_not_choose_the_next_films_tempo(stage):
    tempo = stage.session.tempo
    before = tempo.asked
    tempo.meet((Hit(5.46, "must", "door"),))
    tempo.leave_film()
    assert tempo.asked == before


class HungDisk:
    """Reading waits until `answers` is set; everything else goes on."""

    def __init__(self, monkeypatch) -> None:
        self.answers = threading.Event()
        for name in ("engine.interchange.reading.read_bytes", "engine.interchange.theme_file.read_bytes"):
            module, _, attribute = name.rpartition(".")
            real = getattr(__import__(module, fromlist=[attribute]), attribute)
            monkeypatch.setattr(name, lambda path, real=real: self.answers.wait(20) and real(path))


def until(stage, met) -> None:
    patience = Patience()
    while not met():
        patience.wait("no answer came")
        stage.step()


@pytest.mark.parametrize("control", ["/cue/markers/load", "/cue/theme/load"])
def test_a_disk_that_hangs_holds_up_nothing_but_the_one_who_asked(stage, marker_file, tmp_path, monkeypatch, control):
    theme = tmp_path / "tune.musicxml"
    theme.write_text(
        "<score-partwise><part><measure><attributes><divisions>1</divisions></attributes>"
        + "".join(
            f"<note><pitch><step>{step}</step><octave>4</octave></pitch><duration>1</duration></note>"
            for step in "CEGE"
        )
        + "</measure></part></score-partwise>"
    )
    file = marker_file.name if control == "/cue/markers/load" else theme.name
    wants = (file, "take", "", "01:00:00:00") if control == "/cue/markers/load" else (file,)
    disk = HungDisk(monkeypatch)
    began_s = time.monotonic()
    assert stage.osc(control, *wants) == ()
    stage.osc("/cue/gesture", "pull")  # another gesture of the same sender has nothing to do with it
    stage.osc("/cue/transpose", 3)
    for _ in range(40):  # what is asked for beyond the most is refused, and no thread is begun for it
        stage.controls.datagram(Datagram(decode(encode(control, wants)), ASKER, 0.0))
    assert [code for _, code, _ in stage.refused] == ["busy"] * 33
    stage.refused.clear()
    stage.run(1.0)
    assert time.monotonic() - began_s < 5.0 and stage.session.document.value("/cue/transpose") == 3
    assert not [address for address, _ in stage.answers if address == control]
    disk.answers.set()
    until(stage, lambda: [address for address, _ in stage.answers].count(control) + len(stage.refused) == 8)
    document = stage.session.document
    assert document.hits if control == "/cue/markers/load" else document.text("/cue/theme")
    assert stage.session.history.steps[-1].who == f"osc {ASKER[0]}:{ASKER[1]}"


def test_a_pipe_is_no_file_and_an_older_file_does_not_take_the_place_of_a_newer(stage, marker_file, tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe.edl")
    os.mkfifo(tmp_path / "pipe.mid")
    for control, name in (("/cue/markers/load", "pipe.edl"), ("/cue/theme/load", "pipe.mid")):
        with pytest.raises(AssertionError, match="not a regular file"):
            stage.osc_file(control, name)


def test_a_file_is_only_tried(stage, marker_file):
    before = stage.session.document
    answer = stage.osc_file("/cue/try", "/cue/markers/load", marker_file.name, "take", "", "01:00:00:00")
    assert answer[:2] == ("/cue/markers/load", str(marker_file)) and isinstance(answer[-1], float)
    assert stage.session.document is before
    with pytest.raises(AssertionError, match="nowhere"):
        stage.osc_file("/cue/try", "/cue/markers/load", "nowhere.edl")


def test_of_a_bundle_that_is_refused_no_file_is_taken(stage, marker_file, monkeypatch):
    disk = HungDisk(monkeypatch)
    load = decode(encode("/cue/markers/load", [marker_file.name, "take", "", "01:00:00:00"]))
    wrong = decode(encode("/cue/undo", []))
    before = stage.session.document
    stage.controls.datagram(Datagram((*load, *wrong), ASKER, 0.0))
    assert stage.refused and stage.session.document is before
    disk.answers.set()
    time.sleep(0.05)
    stage.run(0.1)
    assert stage.session.document is before and not stage.answers


def test_the_theme_of_a_file_is_that_of_the_cue_that_was_selected_when_it_was_asked_for(stage, tmp_path, monkeypatch):
    stage.osc("/cue/cues/add", 0.0, 20.0, "first")
    stage.osc("/cue/cues/add", 20.0, "end", "second")
    stage.osc("/cue/cues/select", "first")
    (tmp_path / "tune.musicxml").write_text(
        "<score-partwise><part><measure><attributes><divisions>1</divisions></attributes><note><pitch><step>C</step>"
        "<octave>4</octave></pitch><duration>1</duration></note><note><pitch><step>E</step><octave>4</octave></pitch>"
        "<duration>1</duration></note></measure></part></score-partwise>"
    )
    disk = HungDisk(monkeypatch)
    stage.osc("/cue/theme/load", "tune.musicxml")
    stage.osc("/cue/cues/select", "second")
    disk.answers.set()
    until(stage, lambda: any(address == "/cue/theme/load" for address, _ in stage.answers))
    themes = {state.name: state.text("/cue/theme") for state in stage.session.document.cue_states}
    assert themes["first"] and not themes["second"] and stage.session.document.selected.name == "second"
