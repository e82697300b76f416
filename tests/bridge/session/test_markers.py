"""Markers of the picture's editor, taken by a running session."""

import markerlab
import pytest
from offlinelab import OfflineStage, offline_time
from sessionlab import Engine

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
    stage.osc("/cue/markers/load", marker_file.name, "take", "", "01:00:00:00")
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
    stage.osc("/cue/markers/load", marker_file.name, "show", "", "01:00:00:00")
    assert stage.session.document is before
    rows = [values for address, values in stage.answers if address == "/cue/markers/row"]
    assert [(values[0], values[2], values[3], values[4], values[5]) for values in rows] == [
        (1, "00:00:00:00", "cue", "", "1m1 Opening"), (2, "00:00:05:11", "hit", "must", "door"),
        (3, "00:00:08:08", "section", "", "Chase"), (4, "00:00:29:04", "cue", "", "1m2"),
    ]  # fmt: skip
    stage.osc("/cue/markers/load", marker_file.name, "take", "1=ignore 4=ignore 3=nice", "01:00:00:00")
    document = stage.session.document
    assert not document.other_cues and not document.sections
    assert [hit.weight for hit in document.hits] == ["must", "nice"]


def test_a_newer_list_of_the_editor_moves_what_has_the_same_name(stage, marker_file):
    stage.osc("/cue/markers/load", marker_file.name, "take", "", "01:00:00:00")
    stage.osc("/cue/hits/add", 20.0, "nice", "my own")
    moved = [(name, frame + 24 if frame else 0, length, colour) for name, frame, length, colour in ROWS]
    marker_file.write_bytes(markerlab.resolve_edl("24", "01:00:00:00", moved))
    stage.osc("/cue/markers/load", marker_file.name, "take", "", "01:00:00:00")
    document = stage.session.document
    assert [(hit.time_s, hit.name) for hit in document.hits] == [(155 / 24, "door"), (20.0, "my own")]
    assert [each.start_s for each in document.sections] == [224 / 24]
    assert [(c.name, c.in_s) for c in document.cue_states] == [("1m1 Opening", 0.0), ("1m2", 724 / 24)]


def test_what_is_refused_changes_nothing(stage, marker_file, tmp_path):
    before = stage.session.document
    marker_file.write_bytes(marker_file.read_bytes().replace(b"|D:120", b"|D:x"))
    for name in (marker_file.name, "/etc/passwd", "nowhere.edl"):
        with pytest.raises(AssertionError):  # the stage fails on a refusal
            stage.osc("/cue/markers/load", name)
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
