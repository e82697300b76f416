"""What Live does that its script must bear: nameless locators, a snapping grid, raising listeners, old versions."""

from __future__ import annotations

import pytest
from dawhosts import Stage
from hosts.live_host import Track

from bridge.daw.link import MarkerWish, PrintJob, PrintPart
from bridge.daw.protocol import NOT_TRIED, REFUSED, WORKS
from engine.music.note import Note


@pytest.fixture
def start(desk, repository, monkeypatch):
    return lambda **how: Stage("live", desk, repository, monkeypatch, **how)


def works(desk, call):
    return next(row.works for row in desk.events.last("capabilities")[0].capabilities if row.call == call)


def test_locators_that_cannot_be_named_are_kept_by_their_time(start, desk):
    stage = start(version=(11, 3, 43), missing={"CuePoint.name="})
    daw = stage.daw
    stage.heard("tempo_map")
    daw.markers([(1.0, "verse")])
    stage.heard("markers", lambda who, found: len(found) == 1)
    stage.heard("capabilities", lambda info: works(desk, "CuePoint.name") == REFUSED)
    notes = [note for (note,) in desk.events.all("note") if "markers cannot be named" in note]
    assert len(notes) == 1 and notes[0].startswith("In this Live 11.3.43, ")
    desk.ask("push_markers", [MarkerWish(1, 3.0, "cut 1"), MarkerWish(2, 5.0, "cut 2")])
    stage.answered(2)
    answers = desk.events.all("acknowledged")
    assert [(ok, "cannot be named" in text) for _, _, ok, text in answers] == [(True, True)] * 2
    assert [second for second, _ in daw.shown()] == [1.0, 3.0, 5.0]
    stage.run(0.5)
    assert [mark.name for mark in desk.events.last("markers")[1]] == ["verse"]  # ours are not told back
    desk.ask("push_markers", [MarkerWish(2, 6.0, "cut 2")])  # moved
    stage.answered(3)
    assert [second for second, _ in daw.shown()] == [1.0, 3.0, 6.0]
    desk.ask("clear_markers")
    stage.answered(4)
    assert daw.shown() == [(1.0, "verse")]


def test_a_name_that_is_in_force_a_moment_later_is_read_back(start, desk):
    stage = start()
    stage.daw.host.late_names = True
    stage.heard("tempo_map")
    desk.ask("push_markers", [MarkerWish(1, 3.0, "cut 1")])
    assert stage.answered(1)[2:] == (True, "")
    assert stage.daw.shown() == [(3.0, "cut 1")] and works(desk, "CuePoint.name") == WORKS
    stage.run(0.5)
    assert desk.events.last("markers")[1] == ()


def test_a_grid_that_locators_snap_to_is_named_as_the_reason(start, desk):
    stage = start()
    host = stage.daw.host
    stage.heard("tempo_map")
    stage.daw.markers([(4.0, "verse")])
    host.snap_beats = 4.0
    for request, second in enumerate((3.3, 4.2), 1):  # beside nothing, and where the grid has the composer's locator
        desk.ask("push_markers", [MarkerWish(request, second, "cut")])
        answer = stage.answered(request)
        assert not answer[2] and "Snap to Grid" in answer[3]
        assert stage.daw.shown() == [(4.0, "verse")]
    host.snap_beats = None
    host.insert_marker = 33.7
    desk.ask("push_markers", [MarkerWish(3, 3.3, "cut")])
    assert "insert marker" in stage.answered(3)[3]


def test_a_locator_of_the_composers_at_a_cut_keeps_its_name(start, desk):
    stage = start()
    stage.heard("tempo_map")
    stage.daw.markers([(3.0, "verse")])
    desk.ask("push_markers", [MarkerWish(1, 3.0, "cut 1")])
    answer = stage.answered(1)
    assert answer[2] and "of yours" in answer[3]
    desk.ask("clear_markers")
    stage.answered(2)
    assert stage.daw.shown() == [(3.0, "verse")]


def test_a_script_that_is_loaded_again_still_knows_its_locators(start, desk, repository, monkeypatch):
    stage = start()
    stage.heard("tempo_map")
    desk.ask("push_markers", [MarkerWish(1, 3.0, "cut 1")])
    assert stage.answered(1)[2]
    stage.daw.quit()
    stage.daw.script = type(stage.daw.script)(stage.daw.host.c_instance())
    stage.until(lambda: len(desk.events.all("hello")) == 2)
    desk.ask("push_markers", [MarkerWish(1, 4.0, "cut 1")])
    stage.until(lambda: stage.daw.shown() == [(4.0, "cut 1")])
    assert desk.events.last("markers")[1] == ()


def test_a_song_time_that_moves_between_two_reads_sends_no_list_again(start, desk):
    stage = start()
    host = stage.daw.host
    stage.daw.markers([(second / 10, f"m{second}") for second in range(50)])
    stage.heard("markers", lambda who, found: len(found) == 50)
    stage.run(0.3)
    host.beats_a_read = 0.02
    stage.daw.play(4.0)
    stage.seen(lambda one: one.rolling)
    before = len([one for one in desk.raw if one[1] in ("/daw/markers", "/daw/tempomap")])
    stage.run(1.5)
    assert len([one for one in desk.raw if one[1] in ("/daw/markers", "/daw/tempomap")]) == before


def test_thousands_of_clips_are_not_read_at_every_tick(start, desk):
    stage = start()
    song, host = stage.daw.song, stage.daw.host
    track = Track(host, "Pad")
    for number in range(2000):
        clip = track.create_midi_clip(float(number * 4), 4.0)
        clip.name = "take"
    song.tracks = [track]
    clip.name = "chords: C Am"  # the last of all
    stage.heard("regions", lambda who, found: [one.name for one in found] == ["chords: C Am"])
    host.spent = 0
    stage.run(3.0)
    assert host.spent < 2 * 2 * 2000  # two rounds at most in three seconds; each tick read all of them before
    most = 0
    for _ in range(12):
        before = host.spent
        stage.daw.tick()
        most = max(most, host.spent - before)
        stage.run(0.05)
    assert most <= 250
    clip = track.create_midi_clip(9000.0, 8.0)  # the listener: noticed without waiting for the next round
    clip.name = "pin: Am"
    stage.heard("regions", lambda who, found: len(found) == 2)


def test_listeners_that_raise_do_not_leak_the_socket(start, desk):
    stage = start()
    stage.daw.song.tracks = [Track(stage.daw.host, "Pad")]
    stage.heard("regions")
    stage.daw.host.listeners_raise = True
    stage.daw.quit()
    assert stage.daw.script._socket.fileno() == -1
    desk.wait_event("bye", lambda daw, reason: reason == "bye")


@pytest.mark.parametrize("direct", [True, False], ids=["create_midi_clip", "clip slot"])
def test_printing_needs_a_clip_slot_only_where_live_cannot_do_without(start, desk, direct):
    stage = start(version=(12, 1, 10) if direct else (11, 3, 43), missing=() if direct else {"Track.create_midi_clip"})
    track = Track(stage.daw.host, "Pad", slots=0)
    stage.daw.song.tracks = [track]
    stage.heard("tempo_map")
    notes = tuple(Note(60 + step, 64, 8 + step / 2, 0.5, 1, "pad") for step in range(16))
    job = PrintJob("Take A", 4.0, 8.0, 8.0, 16.0, (PrintPart("pad", "CueBridge Pad", 1, notes),))
    desk.ask("print_job", job)
    answer = stage.answered(1)
    assert answer[2] == direct, answer
    if direct:
        desk.ask("print_job", job)  # replaced, not doubled
        stage.answered(2)
        assert len(track.arrangement_clips) == 1 and stage.daw.song._undo == 2
        assert stage.daw.printed()["Pad"] == [
            (pytest.approx(note.start_beats), note.pitch, note.velocity, None, note.length_beats) for note in notes
        ]
    else:
        assert "clip slot" in answer[3] and works(desk, "Track.create_midi_clip") in (REFUSED, NOT_TRIED)


def test_a_create_midi_clip_that_raises_is_done_through_a_slot(start, desk, monkeypatch):
    stage = start()
    stage.daw.degraded = True
    monkeypatch.setattr(Track, "create_midi_clip", lambda self, start, length: 1 / 0)
    track = Track(stage.daw.host, "Pad")
    stage.daw.song.tracks = [track]
    stage.heard("tempo_map")
    note = Note(60, 64, 8, 1, 1, "pad")
    desk.ask("print_job", PrintJob("A", 4.0, 8.0, 8.0, 16.0, (PrintPart("pad", "Pad", 1, (note,)),)))
    assert stage.answered(1)[2]
    assert len(track.arrangement_clips) == 1 and not track.clip_slots[0].has_clip
    assert len([line for line in stage.daw.host.logged if "ZeroDivisionError" in line]) == 1


def test_the_self_test_leaves_no_trace(start, desk):
    stage = start()
    song = stage.daw.song
    stage.heard("capabilities")
    assert song._undo == 0 and song._data == {} and song.tracks == [] and song.cue_points == ()
    info = desk.events.last("capabilities")[0]
    assert info.interpreter.startswith("CPython 3.") and info.host_version == "12.1.5"
    assert {row.works for row in info.capabilities} == {WORKS, NOT_TRIED}
    song.tracks = [Track(stage.daw.host, "Pad")]  # what could not be tried is tried when it can be
    stage.heard("capabilities", lambda info: {row.works for row in info.capabilities} == {WORKS})
