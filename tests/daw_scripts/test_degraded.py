"""Every host in three poorer forms: an old version, one that lacks calls, one that is slow; and with each call missing.

What must hold in all of them: the transport is followed, what is missing is said with what it costs, the rest works,
every datagram is one that the bridge understands, and `cuebridge doctor` lists it.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from importlib import util

import pytest
from dawhosts import Stage
from hosts.live_host import OLD as OLD_LIVE
from hosts.live_host import LiveHost, Track
from hosts.reaper_host import OLD as OLD_REAPER
from hosts.reaper_host import SIGNATURES, Reaper

from bridge.daw import doctor as daw_doctor
from bridge.daw.capabilities import COSTS
from bridge.daw.events import DawEvents
from bridge.daw.link import DawLink, MarkerWish, PrintJob, PrintPart
from bridge.daw.protocol import REFUSED, DawError
from bridge.daw.protocol import decode as decode_daw
from bridge.osc import codec
from engine.music.note import Note

# (host, form) -> (how the stand-in is made, features that have to be named as missing)
FORMS = {
    ("reaper", "old"): ({"version": "5.99/x64", "missing": sorted(OLD_REAPER)}, {"loop", "timecode"}),
    ("reaper", "missing"): (
        {"missing": ["EnumProjectMarkers3", "MIDI_InsertCC", "GetMediaSourceType", "Undo_BeginBlock2"]},
        {"markers", "regions", "film", "print_controllers", "undo"},
    ),
    ("reaper", "slow"): ({"slow_s": 0.003}, set()),
    ("live", "old"): ({"version": (11, 3, 43), "missing": OLD_LIVE}, {"marker_names", "print_direct"}),
    ("live", "missing"): (
        {
            "missing": [
                "Song.is_counting_in", "Song.get_current_smpte_song_time", "Song.begin_undo_step",
                "Song.session_record", "Song.get_data", "Track.add_arrangement_clips_listener",
                "Song.add_record_mode_listener",
                "Live.Application",
            ]
        },
        {"count_in", "milliseconds", "undo", "recording", "session", "clip_listener", "listeners"},
    ),
    ("live", "slow"): ({"slow_s": 0.001}, set()),
    ("bitwig", "old"): (
        {"version": "4.1", "missing": ["ControllerHost.createMainTrackBank", "Transport.playPositionInSeconds"]},
        {"do_clips", "milliseconds"},
    ),
    ("bitwig", "missing"): (
        {"missing": ["Transport.arrangerLoopStart", "Transport.timeSignature", "ControllerHost.getDocumentState",
                     "CueMarker.deleteObject", "Transport.isArrangerRecordEnabled"]},
        {"loop", "meter", "panel", "do_marker", "recording"},
    ),
    ("bitwig", "slow"): ({"slowMs": 0.3, "lateMs": 250}, set()),
}  # fmt: skip


@pytest.fixture(params=sorted(FORMS), ids=" ".join)
def poor(request, desk, repository, monkeypatch):
    """(the running stage, features missing, datagrams that the script sent, refusals by the bridge)."""
    kind, (how, missing) = request.param[0], FORMS[request.param]
    refused, sent = [], [0]
    handle = desk.link.handle_osc

    def watched(address, args, sender, now):
        out = handle(address, args, sender, now)
        refused.extend(one for one in map(decode_daw, (each.datagram for each in out)) if isinstance(one, DawError))
        return out

    desk.link.handle_osc = watched
    real = socket.socket.sendto

    def counted(self, data, *where):
        sent[0] += where[-1][1] == desk.port and not data.startswith(b"/daw/scripts")  # that is the doctor's
        return real(self, data, *where)

    if kind != "bitwig":
        monkeypatch.setattr(socket.socket, "sendto", counted)
    stage = Stage(kind, desk, repository, monkeypatch, **how)
    if kind == "live":
        stage.daw.song.tracks = [Track(stage.daw.host, "Pad")]
    yield stage, missing, lambda: stage.daw.do()["sent"] if kind == "bitwig" else sent[0], refused
    if kind == "bitwig":
        stage.daw.process.kill()
        stage.daw.process.wait()


def errors_of(stage):
    daw = stage.daw
    if daw.name == "bitwig":
        return daw.do()["errors"]
    return daw.host.console if daw.name == "reaper" else [one for one in daw.host.logged if "CueBridge:" in one]


def test_a_poorer_host_is_followed_says_what_it_lacks_and_does_the_rest(poor):
    stage, missing, sent, refused = poor
    daw, desk = stage.daw, stage.desk
    info = stage.heard("capabilities")[0]
    found = {row.feature for row in info.capabilities if row.works == REFUSED}
    assert missing <= found and (missing or not found), found
    assert not missing & info.abilities
    # One sentence for the composer, with the host and what each lack costs.
    said = " ".join(note for (note,) in desk.events.all("note") if note.startswith("In this "))
    assert all(COSTS[feature] in said for feature in missing), said
    assert not missing or info.host_version in said
    # The host's own console: each kind once, and nothing where nothing is missing.
    errors = errors_of(stage)
    assert len(errors) == len(set(errors)) and (missing or not errors), errors

    # the transport
    daw.tempo(97.3, (4, 4))
    stage.heard("tempo_map", lambda who, one: float(one.tempos[0].bpm) == 97.3)
    daw.play(4.0)
    one = stage.seen(lambda one: one.rolling)
    assert one.position_s == pytest.approx(4.0, abs=1e-6)
    assert one.position_beats == pytest.approx(4 * 97.3 / 60, abs=1e-6)
    daw.move(60.25)
    stage.seen(lambda one: one.position_s == pytest.approx(60.25, abs=1e-6))
    daw.stop()
    stage.seen(lambda one: not one.rolling)

    # what is left of the rest
    request = 0
    if "markers" not in missing:
        daw.markers([(7.25, "chords: C Am F G")])
        stage.heard("names", lambda who, names: [name.value for name in names] == ["C Am F G"])
        daw.markers([])
    if "do_marker" in info.abilities:
        desk.ask("push_markers", [MarkerWish(1, 3.2, "cut 1")])
        request += 1
        answer = stage.answered(request)
        assert answer[2], answer
        assert [second for second, _ in daw.shown()] == [pytest.approx(3.2, abs=1e-5)]
        assert "marker_names" in missing or daw.shown()[0][1] == "cut 1"
    else:
        assert desk.ask("push_markers", [MarkerWish(1, 3.2, "cut 1")]) is None and daw.shown() == []
    note = Note(60, 64, 8, 1, 1, "pad")
    job = PrintJob("A", 4.0, 8.0, 8.0, 16.0, (PrintPart("pad", "Pad", 1, (note,)),))
    if info.abilities & {"do_print", "do_clips"}:
        assert desk.ask("print_job", job)
        answer = stage.answered(request + 1)
        assert answer[2], answer
    else:
        assert desk.ask("print_job", job) == 0

    # the doctor, while all that runs
    findings = []
    doctor = threading.Thread(target=lambda: findings.extend(daw_doctor.check_scripts(desk.port)))
    doctor.start()
    while doctor.is_alive():
        stage.run(0.05)
    told = {one.name: one for one in findings}
    assert any(name.endswith("what works") for name in told)
    for row in info.capabilities:
        if row.works == REFUSED:
            name = next(name for name in told if name.endswith(": " + row.call))
            assert told[name].found.startswith("refused") and told[name].advice

    # goodbye; and nothing that was sent is lost or was not understood
    daw.quit() if daw.name != "bitwig" else None
    count, end = sent(), time.perf_counter() + 5
    while sum(address != "/daw/scripts" for _, address, _, _ in desk.raw) < count and time.perf_counter() < end:
        time.sleep(0.05)  # what was on its way when it was counted
    assert refused == []
    assert sum(address != "/daw/scripts" for _, address, _, _ in desk.raw) >= count
    assert all(address.startswith("/daw/") for _, address, _, _ in desk.raw)


class Seen(DawEvents):
    def __init__(self):
        self.info, self.positions, self.notes, self.lists = None, [], [], {}

    def markers(self, daw, markers):
        self.lists["markers"] = markers

    def regions(self, daw, regions):
        self.lists["regions"] = regions

    def capabilities(self, daw):
        self.info = daw

    def transport(self, daw, observation):
        self.positions.append(observation)

    def note(self, sentence):
        self.notes.append(sentence)


class Quick:
    """A script in this process with a bridge, ticked without waiting; over UDP as always."""

    def __init__(self, load):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.002)
        self.seen, self.refused = Seen(), []
        self.lists = self.seen.lists
        self.link = DawLink(self.seen, version="test")
        self.tick = load(self.socket.getsockname()[1])

    def run(self, turns=8):
        for _ in range(turns):
            self.tick()
            while True:
                try:
                    data, sender = self.socket.recvfrom(65536)
                except (TimeoutError, OSError):
                    break
                for message in codec.decode(data):
                    for one in self.link.handle_osc(message.address, message.arguments, sender, time.perf_counter()):
                        if isinstance(decode_daw(one.datagram), DawError):
                            self.refused.append((message, decode_daw(one.datagram)))
                        self.socket.sendto(one.datagram, (one.host, one.port))

    def close(self):
        self.socket.close()


# Without these there is no script in REAPER, or no transport that could be told.
REAPER_CORE = {"GetPlayStateEx", "GetPlayPositionEx", "TimeMap2_timeToQN", "TimeMap_GetTimeSigAtTime"}
REAPER_UNUSED = {"GetUserInputs", "SetMediaTrackInfo_Value", "GetNumMIDIInputs", "GetMIDIInputName", "ShowMessageBox",
                 "get_ini_file", "PreventUIRefresh", "UpdateArrange", "UpdateTimeline", "ShowConsoleMsg",
                 "GetAppVersion"}  # fmt: skip


def load_reaper(repository, host, monkeypatch):
    def load(port):
        monkeypatch.setitem(sys.modules, "reaper_python", host.module())
        names = host.main()
        source = (repository / "daw_scripts/reaper/Scripts/cuebridge.py").read_text().replace("9317", str(port))
        exec(compile(source, "cuebridge.py", "exec"), names)
        return lambda: host.run_deferred(names)

    return load


@pytest.mark.parametrize("call", sorted(set(SIGNATURES) - {"defer", "atexit"}))
def test_reaper_without_any_one_call(call, repository, monkeypatch):
    host = Reaper(missing={call})
    host.add_item(host.add_track("video"), 10.5, 80.0, "VIDEO", "/films/reel.mov")
    host.markers = [[False, 1.5, 0.0, "hit: door", 1, 0], [True, 2.0, 4.0, "chords: C", 1, 0]]
    host.playing, host.position = True, 4.0
    made = Quick(load_reaper(repository, host, monkeypatch))
    try:
        made.run()
        assert made.refused == []
        assert bool(made.seen.positions) == (call not in REAPER_CORE)
        rows = {row.call: row for row in made.seen.info.capabilities}
        if call not in REAPER_UNUSED:
            assert rows[call].works == REFUSED and rows[call].feature in COSTS, rows.get(call)
            assert [note for note in made.seen.notes if call in note]
        assert len(host.console) == len(set(host.console))
        host.missing = frozenset()  # it comes back, as after an update: what can be read is read again
        host.position = 9.0
        made.run()
        assert made.seen.positions[-1].position_s == 9.0
    finally:
        made.close()


LIVE_CALLS = [
    *(f"Song.{name}" for name in (
        "is_playing", "current_song_time", "tempo", "signature_numerator", "signature_denominator", "record_mode",
        "session_record", "is_counting_in", "loop", "loop_start", "loop_length", "cue_points", "tracks",
        "get_current_smpte_song_time", "set_or_delete_cue", "create_midi_track", "begin_undo_step", "end_undo_step",
        "get_data", "set_data", "add_tempo_listener", "add_tracks_listener",
    )),
    "Track.create_midi_clip", "Track.arrangement_clips", "Track.clip_slots", "Track.has_midi_input",
    "Track.add_arrangement_clips_listener", "Live.Clip.MidiNoteSpecification", "Live.Application", "CuePoint.name=",
]  # fmt: skip
LIVE_CORE = {f"Song.{name}" for name in (
    "is_playing", "current_song_time", "tempo", "signature_numerator", "signature_denominator",
)}  # fmt: skip


def load_live(repository, host, monkeypatch):
    def load(port):
        monkeypatch.setitem(sys.modules, "Live", host.module())
        path = repository / "daw_scripts/ableton/CueBridge/cuebridge.py"
        module = util.module_from_spec(util.spec_from_loader("cuebridge_live", loader=None))
        exec(compile(path.read_text().replace("9317", str(port)), str(path), "exec"), module.__dict__)
        script = module.CueBridge(host.c_instance())

        def tick():
            host.settle()
            script.update_display()

        tick.script = script
        return tick

    return load


@pytest.mark.parametrize("call", LIVE_CALLS)
def test_live_without_any_one_call(call, repository, monkeypatch):
    host = LiveHost(missing={call})
    object.__setattr__(host.song, "tracks", [Track(host, "Pad")])
    object.__setattr__(host.song, "cue_points", (host.cue_point("hit: door", 4.0),))
    object.__setattr__(host.song, "current_song_time", 8.0)

    made = Quick(load_live(repository, host, monkeypatch))
    try:
        made.run()
        assert made.refused == []
        assert bool(made.seen.positions) == (call not in LIVE_CORE)
        refused = {row.call for row in made.seen.info.capabilities if row.works == REFUSED}
        name = {"Live.Application": "Application.get_major_version"}.get(call, call.rstrip("="))
        assert name in refused, refused
        assert [note for note in made.seen.notes if name in note]
        errors = [line for line in host.logged if line.startswith("CueBridge:")]
        assert len(errors) == len(set(errors))
        made.tick.script.disconnect()
        assert made.tick.script._socket.fileno() == -1
    finally:
        made.close()


ODD_NAMES = ["x" * 5000, "a\0b", "ä" * 2000, "\ud800 half a character", "", "hit: " + "😀" * 600, "tab\tand\nline"]


def test_odd_and_endless_names_are_cut_not_lost(repository, monkeypatch):
    """What the bridge refuses would be sent again every second, and never be heard."""
    host = Reaper()
    host.markers = [[False, float(number), 0.0, name, number, 0] for number, name in enumerate(ODD_NAMES)]
    host.markers += [[True, 90.0, 99.0, "chords: " + "C " * 3000, 99, 0]]
    monkeypatch.setattr(Reaper, "_name_bytes", staticmethod(lambda name: name.encode("utf-8", "surrogatepass")))
    made = Quick(load_reaper(repository, host, monkeypatch))
    try:
        made.run()
        assert made.refused == [] and made.seen.info is not None
        assert [len(made.lists[what]) for what in ("markers", "regions")] == [len(ODD_NAMES), 1]
    finally:
        made.close()


def test_live_of_too_many_locators_tells_as_many_as_it_can(repository, monkeypatch):
    host = LiveHost()
    names = (ODD_NAMES * 700)[:4500]  # with the long ones more than the socket of any bridge holds at once
    cues = tuple(host.cue_point(name, float(number)) for number, name in enumerate(names))
    object.__setattr__(host.song, "cue_points", cues)
    made = Quick(load_live(repository, host, monkeypatch))
    try:
        made.run(60)  # some at each tick, so that none overflows the bridge's socket
        assert made.refused == [] and len(made.lists["markers"]) == 4096
    finally:
        made.close()


def test_what_the_bridge_cannot_use_is_said_once(repository, monkeypatch):
    """A time signature of 200/4 makes every transport message one that is refused."""
    host = Reaper()
    host.tempo = [(0.0, 120.0, 200, 4, False)]
    host.playing = True
    made = Quick(load_reaper(repository, host, monkeypatch))
    try:
        made.run()
        assert {refusal.address for _, refusal in made.refused} == {"/daw/transport", "/daw/tempomap"}
        said = [note for note in made.seen.notes if "200/4" in note]
        assert len(said) == 2 and all(note.startswith("REAPER sent what CueBridge cannot use") for note in said)
    finally:
        made.close()
