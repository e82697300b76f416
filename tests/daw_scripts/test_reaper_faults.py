"""What REAPER does that its script must bear: names in other codes, disabled ports, tempo and film, undo, projects."""

from __future__ import annotations

import json

import pytest
from dawhosts import Stage

from bridge.daw.protocol import WORKS
from engine.music.meter import TempoMap, TimeSignature


@pytest.fixture
def stage(desk, repository, monkeypatch):
    return Stage("reaper", desk, repository, monkeypatch)


def refused(desk):
    """{call: why} of the newest capability list."""
    rows = desk.events.last("capabilities")[0].capabilities
    return {row.call: row.why for row in rows if not row.works}


def test_a_film_whose_name_is_not_utf8_silences_nothing(stage):
    host, desk = stage.daw.host, stage.desk
    host.add_item(host.add_track("video"), 10.5, 80.0, "VIDEO", b"/films/caf\xe9.mov")
    stage.heard("tempo_map")
    stage.daw.play(4.0)
    stage.seen(lambda one: one.rolling)
    stage.heard("capabilities", lambda info: "GetMediaSourceFileName" in refused(desk))
    assert "UnicodeDecodeError" in refused(desk)["GetMediaSourceFileName"]
    assert len([line for line in host.console if "GetMediaSourceFileName" in line]) == 1  # once, not thirty a second
    stage.run(0.5)
    assert len(host.console) == 1
    assert any("--picture-starts-at" in note for (note,) in desk.events.all("note"))
    # renamed: the film is told, and the list is whole again
    host.tracks[0]["items"][0]["file"] = "/films/café.mov"
    host.changes += 1
    assert stage.heard("film")[1].path == "/films/café.mov"
    stage.until(lambda: not refused(desk))


@pytest.mark.parametrize("call", ["GetPlayStateEx", "EnumProjects", "GetProjectStateChangeCount"])
def test_an_error_in_the_middle_of_a_tick_ends_nothing(stage, call):
    host = stage.daw.host
    stage.heard("tempo_map")
    host.missing = frozenset({call})
    stage.run(0.3)
    host.missing = frozenset()
    stage.daw.play(7.0)
    assert stage.seen(lambda one: one.rolling).position_s == pytest.approx(7.0)


def test_an_error_that_escapes_everything_is_deferred_again(stage, monkeypatch):
    stage.heard("tempo_map")
    script = stage.daw.names["cuebridge_script"]
    whole = script.tick
    monkeypatch.setattr(script, "tick", lambda: 1 / 0)
    stage.run(0.2)
    monkeypatch.setattr(script, "tick", whole)
    stage.daw.play(7.0)
    stage.seen(lambda one: one.rolling)
    assert len([line for line in stage.daw.host.console if "ZeroDivisionError" in line]) == 1


def inputs_of(host):
    return {track["name"]: track["info"]["I_RECINPUT"] for track in host.tracks}


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["Keystation", "CueBridge Clock", "CueBridge"], {"pad": (2, 1), "drums": (2, 10)}),
        (["CueBridge Sync", "CueBridge Clock"], {"pad": (63, 1), "drums": (63, 10)}),
        (["CueBridge Pad 2", "CueBridge Pad", "CueBridge"], {"pad": (1, 0), "arp": (2, 2)}),
        (
            ["CueBridge - CueBridge Pad", "CueBridge:CueBridge Arp 128:1", "2- CueBridge"],
            {"pad": (0, 0), "arp": (1, 0)},
        ),
    ],
)
def test_tracks_listen_to_the_port_of_exactly_that_name(stage, names, wanted):
    host = stage.daw.host
    host.midi_inputs = names
    host.run_action((stage.daw.folder / "cuebridge_arm.py").read_text(), "cuebridge_arm.py")
    found = inputs_of(host)
    for part, (device, channel) in wanted.items():
        assert found[part] == 4096 | device << 5 | channel, part
    assert bool(host.boxes) == any(device == 63 for device, _ in wanted.values())


def test_a_disabled_port_is_named(stage, tmp_path):
    host = stage.daw.host
    host.ini_file = str(tmp_path / "reaper.ini")
    (tmp_path / "reaper.ini").write_text("[REAPER]\nmidiins=1\nmidiouts=0\n")
    source = (stage.daw.folder / "cuebridge_arm.py").read_text()
    host.run_action(source, "cuebridge_arm.py")  # the second input is CueBridge, only the first is enabled
    assert len(host.boxes) == 1 and "Not enabled" in host.boxes[0] and "CueBridge" in host.boxes[0]
    (tmp_path / "reaper.ini").write_text("[REAPER]\nmidiins=3\n")
    host.run_action(source, "cuebridge_arm.py")
    assert len(host.boxes) == 1


def test_a_new_tempo_leaves_the_film_where_it_is_and_keeps_the_bars(stage):
    host, desk = stage.daw.host, stage.desk
    track = host.add_track("video")
    film = host.add_item(track, 10.0, 80.0, "VIDEO", "/films/reel.mov")
    sound = host.add_item(host.add_track("audio"), 0.0, 8.0, "WAV", "/films/a.wav")
    stage.heard("tempo_map")
    steps = [(0, 90), (6, 100), (9.5, 80)]
    meters = [(0, TimeSignature(4, 4)), (12, TimeSignature(3, 4))]
    desk.ask("set_tempo", TempoMap.of(steps, meters))
    assert stage.answered(1)[2], desk.events.all("acknowledged")
    assert (film["position"], film["length"]) == (10.0, 80.0)
    assert sound["length"] != pytest.approx(8.0)  # the composer's own items follow the beat, as they are set to
    # A step in the middle of a bar says nothing about the signature: it would begin a new bar there.
    assert [(marker[2], marker[3]) for marker in host.tempo] == [(0, 0), (0, 0), (0, 0), (3, 4)]
    assert host.undo[-1] == "CueBridge: tempo map" and host.open_undo == 0


def test_a_project_of_a_thousand_items_without_a_film_costs_little_at_each_tick(stage):
    host = stage.daw.host
    track = host.add_track("audio")
    for second in range(1000):
        host.add_item(track, second, 1, "WAV", "/films/a.wav")
    stage.heard("tempo_map")
    most = 0
    for turn in range(60):
        host.changes += turn % 2  # an item is dragged
        before = host.spent
        stage.daw.tick()
        most = max(most, host.spent - before)
        stage.run(0.02)
    assert most < 400  # of 4,000 for all items at once
    host.add_item(track, 2000, 80, "VIDEO", "/films/reel.mov")  # the last of all: still found
    host.changes += 1
    assert stage.heard("film")[1].path == "/films/reel.mov"


def test_two_projects_that_were_never_saved_are_two(stage):
    host, desk = stage.daw.host, stage.desk
    host.project = ("(ReaProject*)0x0000000000000001", "")
    stage.heard("hello")
    stage.daw.markers([(1.5, "pin: Am")])
    stage.heard("names", lambda who, found: len(found) == 1)
    host.project, host.markers = ("(ReaProject*)0x0000000000000002", ""), []
    stage.heard("markers", lambda who, found: found == ())
    stage.run(0.5)
    assert desk.events.all("names_gone") == []


def test_the_small_scripts_leave_no_undo_point(stage):
    host = stage.daw.host
    host.user_input = "Cm"
    for path in sorted(stage.daw.folder.glob("cuebridge_*.py")):
        host.run_action(path.read_text(), path.name)
    assert host.undo == ["CueBridge: arm tracks"]


def test_without_the_projects_store_markers_are_still_set_and_moved(desk, repository, monkeypatch):
    from bridge.daw.link import MarkerWish

    stage = Stage("reaper", desk, repository, monkeypatch, missing={"GetProjExtState", "SetProjExtState"})
    stage.heard("tempo_map")
    desk.ask("push_markers", [MarkerWish(1, 3.0, "cut 1")])
    assert stage.answered(1)[2]
    desk.ask("push_markers", [MarkerWish(1, 4.0, "cut 1")])
    assert stage.answered(2)[2]
    assert stage.daw.shown() == [(4.0, "cut 1")]


def test_the_self_test_leaves_no_trace(stage):
    host = stage.daw.host
    stage.heard("capabilities")
    assert host.ext == {} and host.project_ext == {} and host.undo == [] and host.changes == 0 and host.tracks == []
    info = stage.desk.events.last("capabilities")[0]
    assert info.interpreter.startswith("CPython 3.") and info.host_version == host.version
    assert {row.works for row in info.capabilities} == {WORKS} and len(info.capabilities) > 50
    assert json.dumps([row.why for row in info.capabilities]).strip('[], "') == ""
