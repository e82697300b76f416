"""One table of what happens in a DAW, for every script that a stand-in can run; over UDP to the real bridge."""

from __future__ import annotations

import os
import time
from pathlib import Path
from statistics import median

import pytest
from dawhosts import KINDS, BitwigUnderTest, Stage
from hosts.live_host import Track

from bridge.daw.link import MarkerWish, PrintJob, PrintPart
from bridge.daw.print import render_print
from bridge.daw.protocol import DoPrint
from engine.music.meter import TempoMap, TimeSignature
from engine.music.note import Controller, Note


@pytest.fixture(params=sorted(KINDS))
def stage(request, desk, repository, monkeypatch):
    made = Stage(request.param, desk, repository, monkeypatch)
    yield made
    if isinstance(made.daw, BitwigUnderTest) and made.daw.process.poll() is None:
        made.daw.process.kill()


def test_the_whole_scenario(stage):
    daw, desk = stage.daw, stage.desk
    info = stage.heard("hello")[0]
    assert info.daw == daw.name and info.version_ok and info.host_version

    # stopped: a heartbeat at least once a second
    stage.seen(lambda one: not one.rolling)
    before = len(desk.events.all("transport"))
    stage.run(2.6)
    assert 2 <= len(desk.events.all("transport")) - before <= 6

    # tempo and meter
    daw.tempo(97.3, (7, 8))
    made = stage.heard("tempo_map", lambda who, one: float(one.tempos[0].bpm) == 97.3)[1]
    assert made.meter_at(0) == TimeSignature(7, 8)

    # play, locate while rolling, record, stop
    daw.play(4.0)
    one = stage.seen(lambda one: one.rolling)
    assert one.position_s == pytest.approx(4.0, abs=1e-6)
    assert one.position_beats == pytest.approx(4 * 97.3 / 60, abs=1e-6)
    assert (one.bpm, one.meter, one.recording) == (97.3, (7, 8), False)
    for step in range(1, 6):
        daw.move(4.0 + step / 10)
        stage.run(0.1)
    stage.seen(lambda one: one.position_s == pytest.approx(4.5, abs=1e-6))
    daw.move(60.25)
    stage.seen(lambda one: one.position_s == pytest.approx(60.25, abs=1e-6) and one.rolling)
    daw.play(61.0, recording=True)
    stage.seen(lambda one: one.recording and one.rolling)
    daw.stop()
    stage.seen(lambda one: not one.rolling and not one.recording)

    # loop
    daw.loop(2.0, 6.0)
    on, start, end = stage.heard("loop", lambda who, on, start, end: on and end > 5)[1:]
    assert on and (start, end) == (pytest.approx(2.0, abs=1e-5), pytest.approx(6.0, abs=1e-5))
    stage.seen(lambda one: one.loop is not None)

    # markers of the composer's: told, changed, gone
    daw.markers([(1.5, "hit: door"), (7.25, "chords: C Am F G")])
    marks = stage.heard("markers", lambda who, found: len(found) == 2)[1]
    assert [(round(mark.position_s, 5), mark.name) for mark in marks] == [
        (1.5, "hit: door"),
        (7.25, "chords: C Am F G"),
    ]
    names = stage.heard("names")[1]
    assert [(name.kind, name.value) for name in names] == [("hit", "door"), ("progression", "C Am F G")]
    # a name that appears asks to print, once; what is deleted is told as gone
    daw.markers([(1.5, "hit: door"), (9.0, "print: cue")])
    assert stage.heard("print_request")[1] == "cue"
    stage.heard("names_gone", lambda who, gone: [name.value for name in gone] == ["C Am F G"])
    daw.markers([])
    stage.heard("names_gone", lambda who, gone: [name.value for name in gone] == ["door"])
    assert desk.events.last("markers")[1] == ()
    assert len(desk.events.all("print_request")) == 1

    # markers of ours: set, moved, not told back, taken away
    desk.ask("push_markers", [MarkerWish(1, 3.2, "cut 1"), MarkerWish(2, 12.8, "cut 2")])
    assert stage.answered(2)[2], desk.events.all("acknowledged")
    assert daw.shown() == [(pytest.approx(3.2, abs=1e-5), "cut 1"), (pytest.approx(12.8, abs=1e-5), "cut 2")]
    desk.ask("push_markers", [MarkerWish(2, 13.8, "cut 2b")])
    assert stage.answered(3)[2]
    assert daw.shown()[1] == (pytest.approx(13.8, abs=1e-5), "cut 2b") and len(daw.shown()) == 2
    stage.run(0.8)
    assert desk.events.last("markers")[1] == ()
    desk.ask("clear_markers")
    assert stage.answered(4)[2]
    stage.until(lambda: daw.shown() == [])

    # tempo from the bridge
    desk.ask("set_tempo", TempoMap.constant(88, TimeSignature(3, 4)))
    assert stage.answered(5)[2]
    assert daw.tempo_now() == 88

    # goodbye
    daw.quit()
    stage.until(lambda: desk.events.last("bye")[1:] == ("bye",) if desk.events.last("bye") else False)


def test_lost_datagrams_are_sent_again_and_a_new_bridge_hears_everything(stage, make_desk):
    daw, desk = stage.daw, stage.desk
    lost = []

    def drop(message):
        if message.address in ("/daw/tempomap", "/daw/markers") and lost.count(message.address) < 2:
            lost.append(message.address)
            return True
        return False

    desk.drop = drop
    daw.markers([(second, f"marker {second}") for second in range(1, 31)])
    marks = stage.heard("markers", lambda who, found: len(found) == 30)[1]
    assert [mark.position_s for mark in marks] == [pytest.approx(second, abs=1e-5) for second in range(1, 31)]
    stage.heard("tempo_map")
    assert lost.count("/daw/tempomap") == 2 and lost.count("/daw/markers") == 2

    port = desk.port
    desk.close()
    stage.run(0.5)  # nobody there: no error may escape
    stage.desk = again = make_desk(port)
    stage.heard("hello")  # it asked who that is
    stage.heard("tempo_map")
    assert len(stage.heard("markers")[1]) == 30
    assert again.events.last("hello")[0].daw == daw.name


def test_without_a_bridge_a_script_only_greets(repository, make_desk, monkeypatch, stage):
    """The link is taken away, not the socket: what is still sent is seen."""
    desk = stage.desk
    stage.heard("tempo_map")
    desk.link.handle_osc = lambda *args: []
    desk.link.tick = lambda now: []
    stage.run(5.6)
    count = len(desk.raw)
    stage.run(2.6)
    later = [address for _, address, _, _ in desk.raw[count:]]
    assert set(later) == {"/daw/hello"} and 1 <= len(later) <= 3


@pytest.mark.parametrize("stage", ["reaper", "live"], indirect=True)
def test_a_take_is_printed_note_by_note_and_replaced_when_printed_again(stage, tmp_path):
    daw, desk = stage.daw, stage.desk
    stage.heard("hello")
    if daw.name == "live":
        daw.song.tracks = [Track(daw.host, "Pad"), Track(daw.host, "Drums", midi=False)]
    pad = tuple(Note(60 + step, 64 + step, 8 + step / 2, 0.5, 1, "pad") for step in range(16))
    arp = tuple(Note(72 - step, 50 + step, 8 + step / 4, 0.2, 2, "arp") for step in range(32))
    swell = tuple(Controller(1, 30 + step, 8 + step, 1, "pad") for step in range(8))
    parts = (PrintPart("pad", "CueBridge Pad", 1, pad, swell), PrintPart("arp", "CueBridge Arp", 2, arp))
    for turn in (1, 2):
        desk.ask("print_job", PrintJob("Take A", 4.0, 8.0, 8.0, 16.0, parts))
        answer = stage.answered(turn)
        assert answer[2] and "48 notes" in answer[3], answer
        found = {name.lower(): notes for name, notes in daw.printed().items() if notes}
        for part, notes in (("pad", pad), ("arp", arp)):
            wanted = sorted((n.start_beats, n.pitch, n.velocity) for n in notes)
            assert [(pytest.approx(n[0], abs=1e-6), n[1], n[2]) for n in found[part]] == wanted
            assert [n[4] for n in found[part]] == pytest.approx(
                [n.length_beats for n in sorted(notes, key=lambda n: n.start_beats)]
            )
    if daw.name == "reaper":
        assert daw.host.undo == ["CueBridge: print Take A"] * 2 and daw.host.open_undo == 0
        pad_item = daw.host.tracks[0]["items"]
        assert len(pad_item) == 1 and len(pad_item[0]["cc"]) == 8
    else:
        assert daw.song._undo == 2 and daw.song._open == 0
        assert "controller" in answer[3]
    # What is not there, or is no file, is refused with a sentence, and the host does not wait for it.
    os.mkfifo(tmp_path / "fifo")
    for request, name in ((3, "no"), (4, "fifo")):
        with desk.lock:
            _, out = desk.link._ask("do_print", lambda n, name=name: DoPrint(n, str(tmp_path / name)))
        desk.send(out)
        answer = stage.answered(request)
        assert not answer[2] and answer[3]


@pytest.mark.parametrize("stage", ["reaper", "live"], indirect=True)
def test_the_session_path_is_kept_with_the_project(stage):
    stage.heard("hello")
    stage.desk.ask("store_session_path", "/films/ä.cue")
    assert stage.answered(1)[2]
    assert stage.heard("session_path")[1] == "/films/ä.cue"


@pytest.mark.parametrize("stage", ["reaper"], indirect=True)
def test_reaper_tells_film_regions_frame_rate_and_tempo_ramps(stage):
    host = stage.daw.host
    host.add_item(host.add_track("audio"), 0, 3, "WAV", "/films/a.wav")
    host.add_item(host.add_track("video"), 10.5, 80.0, "VIDEO", "/films/reel 1.mov", 2.25, 1.0)
    host.markers = [[True, 1.0, 9.0, "chords: Cm Ab", 1, 0], [True, 9.0, 12.0, "Böse Szene", 2, 0]]
    host.frame_rate, host.offset = (29.97002997, True), 3600.0 - 3.6 * 0.001
    host.tempo = [(0.0, 60.0, 4, 4, True), (4.0, 120.0, 0, 0, False)]
    host.changes += 1
    film = stage.heard("film")[1]
    assert (film.path, film.position_s, film.trim_s, film.length_s) == ("/films/reel 1.mov", 10.5, 2.25, 80.0)
    regions = stage.heard("regions", lambda who, found: len(found) == 2)[1]
    assert [(r.start_s, r.end_s, r.name) for r in regions] == [(1.0, 9.0, "chords: Cm Ab"), (9.0, 12.0, "Böse Szene")]
    _, rate, start = stage.heard("timecode", lambda who, rate, start: rate.drop)
    assert str(rate) == "29.97 DF" and str(start) == "01:00:00;00"
    made = stage.heard("tempo_map", lambda who, one: len(one.tempos) > 2)[1]
    assert made.seconds_at(6) == pytest.approx(4.0, abs=1e-6) and made.bpm_at(8) == 120
    # the other project tab
    host.project, host.markers = ("(ReaProject*)0x0000000000000002", "/films/other.rpp"), []
    stage.heard("regions", lambda who, found: found == ())


@pytest.mark.parametrize("stage", ["reaper"], indirect=True)
def test_reapers_small_scripts(stage):
    host, desk = stage.daw.host, stage.desk
    stage.heard("hello")

    def act(name):
        host.run_action((stage.daw.folder / name).read_text(), name)

    host.user_input = "Cm Ab Eb Bb"
    act("cuebridge_progression.py")
    stage.until(lambda: [m for m in desk.raw if m[1] == "/cue/progression"])
    assert [m[2] for m in desk.raw if m[1] == "/cue/progression"] == [("Cm Ab Eb Bb",)]
    host.user_input = None  # Cancel: nothing is sent
    act("cuebridge_progression.py")
    host.loop = (2.0, 6.0)
    act("cuebridge_print.py")
    assert stage.heard("print_request")[1:] == ("selection", 2.0, 6.0)
    host.loop = (0.0, 0.0)
    act("cuebridge_print.py")
    stage.heard("print_request", lambda who, scope, start, end: scope == "cue")
    act("cuebridge_print_film.py")
    stage.heard("print_request", lambda who, scope, start, end: scope == "film")
    act("cuebridge_thaw.py")
    assert stage.heard("thaw_request")[1] == "cue"
    host.loop = (2.0, 6.0)
    act("cuebridge_thaw.py")
    stage.heard("thaw_request", lambda who, scope, start, end: (scope, start, end) == ("selection", 2.0, 6.0))
    host.user_input = "F#m7"
    act("cuebridge_pin.py")
    stage.until(lambda: [m for m in desk.raw if m[1] == "/cue/chords/pin"])
    host.user_input = " "
    act("cuebridge_pin.py")
    stage.run(0.3)
    assert [m[2] for m in desk.raw if m[1] == "/cue/chords/pin"] == [("F#m7",)]
    assert len([m for m in desk.raw if m[1] == "/cue/progression"]) == 1

    host.add_track("Pad")
    act("cuebridge_arm.py")
    assert [track["name"] for track in host.tracks] == ["Pad", "arp", "bass", "melody", "drums"]
    for track, channel in zip(host.tracks, (1, 2, 3, 4, 10), strict=True):
        assert track["info"]["I_RECARM"] == 1
        assert track["info"]["I_RECINPUT"] == 4096 + (1 << 5) + channel  # the second MIDI input is CueBridge
    assert host.boxes == []
    host.midi_inputs = ["Keystation"]
    act("cuebridge_arm.py")
    assert "CueBridge" in host.boxes[0]


@pytest.mark.parametrize("stage", ["live"], indirect=True)
def test_live_says_what_it_cannot(stage):
    daw, desk = stage.daw, stage.desk
    stage.heard("hello")
    daw.play(1.0)
    stage.seen(lambda one: one.rolling)
    desk.ask("push_markers", [MarkerWish(1, 3.0, "cut")])
    answer = stage.answered(1)
    assert not answer[2] and "stop Live" in answer[3]
    daw.stop()
    desk.ask("set_tempo", TempoMap.of([(0, 100), (8, 110)]))
    answer = stage.answered(2)
    assert not answer[2] and "one tempo" in answer[3] and daw.tempo_now() == 100
    # An automated tempo: the second comes from Live's milliseconds, and no map is made up.
    count = len(desk.events.all("tempo_map"))
    daw.host.tempo_changes = [(0.0, 60.0), (8.0, 120.0)]
    object.__setattr__(daw.song, "current_song_time", 16.0)
    daw.song.tempo = 120.0
    one = stage.seen(lambda one: one.position_beats == 16.0)
    assert one.position_s == pytest.approx(12.0, abs=0.0011)
    stage.run(0.5)
    assert len(desk.events.all("tempo_map")) == count


@pytest.mark.parametrize("stage", ["live"], indirect=True)
def test_a_live_that_sets_locators_elsewhere_is_left_as_it_was(stage):
    """At its insert marker a toggle would make a stray locator, or delete the composer's."""
    daw, desk = stage.daw, stage.desk
    stage.heard("hello")
    daw.markers([(2.0, "verse")])
    for request, marker in ((1, 3.0), (2, 2.0 * daw.song.tempo / 60)):  # where none is, and where the composer's is
        daw.host.insert_marker = marker
        desk.ask("push_markers", [MarkerWish(request, 6.0, "cut")])
        answer = stage.answered(request)
        assert not answer[2] and "insert marker" in answer[3]
        stage.run(0.5)
        assert daw.shown() == [(2.0, "verse")]
    daw.host.insert_marker = None
    daw.host.song_length = 8.0
    desk.ask("push_markers", [MarkerWish(3, 600.0, "far"), MarkerWish(4, 3.0, "near")])
    stage.until(lambda: len(desk.events.all("acknowledged")) == 4)
    assert [ok for _, _, ok, _ in desk.events.all("acknowledged")][2:] == [False, True]
    assert (3.0, "near") in daw.shown()
    stage.run(0.5)
    assert stage.seen(lambda one: True).position_s == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("stage", ["live"], indirect=True)
def test_a_track_without_an_arrangement_does_not_silence_the_script(stage):
    class Group(Track):
        @property
        def arrangement_clips(self):
            raise RuntimeError("not applicable to this track")

        @arrangement_clips.setter
        def arrangement_clips(self, value):
            pass

    stage.daw.degraded = True  # one call fails here, and the script says so
    stage.daw.song.tracks = [Group(stage.daw.host, "Group")]
    stage.heard("tempo_map")
    stage.heard("regions")
    said = [line for line in stage.daw.host.logged if line.startswith("CueBridge:")]
    assert said == ["CueBridge: Track.arrangement_clips: RuntimeError: not applicable to this track"]


@pytest.mark.parametrize("stage", ["live", "bitwig"], indirect=True)
def test_many_markers_at_once_are_all_set_where_each_takes_its_time(stage):
    stage.heard("hello")
    stage.seen(lambda one: not one.rolling)
    wishes = [MarkerWish(number, number * 1.5, f"cut {number}") for number in range(1, 13)]
    stage.desk.ask("push_markers", wishes)
    stage.until(lambda: len(stage.desk.events.all("acknowledged")) == 12, 25)
    assert all(ok for _, _, ok, _ in stage.desk.events.all("acknowledged"))
    assert stage.daw.shown() == [(pytest.approx(n * 1.5, abs=1e-5), f"cut {n}") for n in range(1, 13)]
    stage.run(0.5)
    assert stage.seen(lambda one: True).position_s == pytest.approx(0.0, abs=1e-9)  # the playhead is back


@pytest.mark.parametrize("stage", ["bitwig"], indirect=True)
def test_bitwigs_panel_sends_a_progression(stage):
    stage.heard("hello")
    stage.daw.do(setting=["Chords", "Dm G C"])
    stage.daw.do(press="Send")
    stage.until(lambda: [m for m in stage.desk.raw if m[1] == "/cue/progression"])
    assert stage.desk.raw[-1][1] != "/cue/nothing"
    assert [m[2] for m in stage.desk.raw if m[1] == "/cue/progression"] == [("Dm G C",)]
    stage.daw.do(press="Pin")  # nothing is typed: nothing is sent
    stage.daw.do(setting=["Chord", "F#m7"])
    stage.daw.do(press="Pin")
    stage.until(lambda: [m for m in stage.desk.raw if m[1] == "/cue/chords/pin"])
    assert [m[2] for m in stage.desk.raw if m[1] == "/cue/chords/pin"] == [("F#m7",)]
    defined = stage.daw.do()["defined"]
    assert defined["api"] <= 17 and defined["ports"] == [0, 0]


@pytest.mark.parametrize("stage", ["live"], indirect=True)
def test_live_prints_the_range_of_a_clip_that_says_so(stage):
    song, desk = stage.daw.song, stage.desk
    stage.heard("hello")
    track = Track(stage.daw.host, "Pad")
    song.tracks = [track]
    stage.heard("regions")
    slot = track.clip_slots[0]
    slot.create_clip(8.0)
    slot.clip.name = "print: selection"
    track.duplicate_clip_to_arrangement(slot.clip, 8.0)
    scope, start, end = stage.heard("print_request")[1:]
    assert (scope, start, end) == ("selection", pytest.approx(4.0, abs=1e-5), pytest.approx(8.0, abs=1e-5))
    stage.run(1.5)
    assert len(desk.events.all("print_request")) == 1


@pytest.mark.parametrize("stage", ["reaper"], indirect=True)
def test_another_project_tab_takes_nothing_back(stage):
    host, desk = stage.daw.host, stage.desk
    stage.heard("hello")
    stage.daw.markers([(1.5, "pin: Am")])
    stage.heard("names", lambda who, found: len(found) == 1)
    host.project, host.markers = ("(ReaProject*)0x0000000000000002", "/films/other.rpp"), []
    stage.heard("markers", lambda who, found: found == ())
    stage.run(0.5)
    assert desk.events.all("names_gone") == []


class WindowsSocket:
    """A UDP socket as Windows has it when nobody listens there: the next call fails with error 10054, either way."""

    def __init__(self, real):
        self._real, self.reset = real, False

    def sendto(self, data, to):
        if self.reset:
            raise ConnectionResetError(10054, "an existing connection was forcibly closed by the remote host")
        return self._real.sendto(data, to)

    def recvfrom(self, size):
        if self.reset:
            raise ConnectionResetError(10054, "an existing connection was forcibly closed by the remote host")
        return self._real.recvfrom(size)

    def __getattr__(self, name):
        return getattr(self._real, name)


@pytest.mark.parametrize("stage", ["reaper", "live"], indirect=True)
def test_error_10054_on_sending_and_receiving_stops_nothing(stage):
    daw, desk = stage.daw, stage.desk
    stage.heard("tempo_map")
    script = daw.names["cuebridge_script"] if daw.name == "reaper" else daw.script
    name = "socket" if daw.name == "reaper" else "_socket"
    wrapped = WindowsSocket(getattr(script, name))
    setattr(script, name, wrapped)
    wrapped.reset = True
    took_s = []
    for _ in range(20):
        began = time.perf_counter()
        daw.tick()  # no error may escape, and none may take long: the host stands still meanwhile
        took_s.append(time.perf_counter() - began)
    assert median(took_s) < 0.025  # what a busy machine holds up is not theirs
    wrapped.reset = False
    count = len(desk.events.all("transport"))
    stage.until(lambda: len(desk.events.all("transport")) > count)


def test_two_scripts_the_first_leads_until_it_leaves(desk, repository, monkeypatch):
    """REAPER and Live at once: one transport is in force, only its DAW is printed into, both get markers."""
    first = Stage("reaper", desk, repository, monkeypatch)
    first.heard("tempo_map")
    second = Stage("live", desk, repository, monkeypatch)
    second.heard("hello", lambda info: info.daw == "live")
    first.daw.play(4.0)
    second.daw.play(40.0)

    def both(seconds, met=lambda: True):
        """So long, and until it is met."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or not met():
            assert time.perf_counter() < end + 30
            first.daw.tick()
            second.daw.tick()
            time.sleep(0.03)

    count = len(desk.events.all("transport"))
    both(0.6, lambda: desk.events.all("transport")[count:] and desk.events.all("note"))
    assert {info.daw for info, _ in desk.events.all("transport")[count:]} == {"reaper"}
    assert any("stays in force" in sentence for (sentence,) in desk.events.all("note"))
    second.daw.stop()
    both(0.3)
    desk.ask("push_markers", [MarkerWish(1, 3.0, "cut 1")])
    note = Note(60, 64, 8, 1, 1, "pad")
    desk.ask("print_job", PrintJob("Take A", 4.0, 8.0, 8.0, 16.0, (PrintPart("pad", "Pad", 1, (note,)),)))
    both(1.5, lambda: first.daw.host.tracks and first.daw.shown() and second.daw.shown())
    assert [track["name"] for track in first.daw.host.tracks] == ["pad"] and second.daw.song.tracks == []
    assert (3.0, "cut 1") in first.daw.shown() and (3.0, "cut 1") in second.daw.shown()
    first.daw.quit()
    second.daw.play(41.0)
    second.heard("transport", lambda info, one: info.daw == "live" and one.rolling)


@pytest.mark.parametrize("stage", ["reaper"], indirect=True)
def test_a_film_goes_into_reapers_effect_and_what_hinders_it_is_told(stage):
    """The effect itself and the Lua that feeds it: test_jsfx.py."""
    host, desk = stage.daw.host, stage.desk
    stage.heard("hello")
    notes = (Note(60, 80, 0.5, 1.0, 1, "pad"), Note(64, 80, 1.5, 1.0, 1, "pad"))
    job = PrintJob("film", 0.0, 2.0, 0.0, 4.0, (PrintPart("pad", "pad 1", 1, notes),))
    read = []

    def lua(reaper):
        path = reaper.ext.pop(("CueBridge", "play"))
        read.append(Path(path).read_text())
        reaper.ext["CueBridge", "played"] = "1\t2" if len(read) == 1 else "0\tno effect CueBridge took the notes"

    def play():
        asked = len(desk.events.all("print_request"))
        host.run_action((stage.daw.folder / "cuebridge_play.py").read_text(), "cuebridge_play.py")
        stage.until(lambda: len(desk.events.all("print_request")) > asked)
        assert desk.events.last("print_request")[1] == "film"
        desk.ask("print_job", job)

    host.lua = lua
    play()
    assert stage.answered(1)[2:] == (True, "2 notes and controller values are in the effect")
    assert host.scripts == ["/reaper/Scripts/CueBridge/cuebridge_play.lua"] and host.tracks == []
    assert read == [render_print(job)]
    play()
    assert stage.answered(2)[2:] == (False, "no effect CueBridge took the notes")
    host.lua = None
    play()
    assert not stage.answered(3)[2] and host.tracks == []
    desk.ask("print_job", job)  # that nobody asked for: into tracks, as ever
    assert stage.answered(4)[2] and len(host.tracks[0]["items"]) == 1
    assert host.boxes == [] and host.console == []
