"""Ardour's script in Ardour's own Lua without an audio engine: thousands of markers, missing calls, a slow host.

In Ardour itself it runs in test_ardour.py.
"""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from bridge.daw import doctor as daw_doctor
from bridge.daw.capabilities import COSTS
from bridge.daw.protocol import REFUSED, DawError
from bridge.daw.protocol import decode as decode_daw

pytestmark = pytest.mark.skipif(shutil.which("ardour7-lua") is None, reason="ardour7-lua is not installed")


@pytest.fixture
def start(desk, tmp_path, repository):
    """start(missing, slow_us, markers): the script; its refusals by the bridge and what it logged."""
    made, refused = [], []
    handle = desk.link.handle_osc

    def watched(address, args, sender, now):
        out = handle(address, args, sender, now)
        refused.extend(one for one in map(decode_daw, (each.datagram for each in out)) if isinstance(one, DawError))
        return out

    desk.link.handle_osc = watched
    (tmp_path / ".config" / "ardour7").mkdir(parents=True)

    def go(missing=(), slow_us=0, markers=0):
        command = ["ardour7-lua", str(repository / "tests/daw_scripts/hosts/ardour_host.lua")]
        command += [
            str(repository / "daw_scripts/ardour/scripts/cuebridge.lua"),
            str(desk.port),
            str(tmp_path / "stop"),
        ]
        command += [",".join(missing), str(slow_us), str(markers)]
        environment = dict(os.environ, HOME=str(tmp_path), XDG_CONFIG_HOME=str(tmp_path / ".config"))
        with open(tmp_path / "log", "w") as log:
            made.append(subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        desk.wait_event("hello", timeout_s=20)

        def log():
            (tmp_path / "stop").touch()  # what it prints is buffered until it ends
            made[-1].wait(10)
            return [line for line in (tmp_path / "log").read_text().splitlines() if "CueBridge:" in line]

        return refused, log

    yield go
    (tmp_path / "stop").touch()
    for one in made:
        try:
            one.wait(10)
        except subprocess.TimeoutExpired:
            one.kill()
            one.wait()


def refused_features(desk):
    return {row.feature for row in desk.events.last("capabilities")[0].capabilities if row.works == REFUSED}


def test_thousands_of_markers_with_endless_names_come_through(start, desk):
    refused, log = start(markers=3000)
    marks = desk.wait_event("markers", lambda daw, found: len(found) == 3000, timeout_s=40)[1]
    assert marks[0].name == "mark 1" and marks[2].name == "ä" * 499  # cut between two letters
    desk.wait_event("transport", lambda daw, one: one.rolling)
    assert refused == [] and log() == []


@pytest.mark.parametrize(
    ("missing", "features"),
    [
        (("worst_output_latency",), {"latency"}),
        (("timecode_frames_per_second",), {"timecode"}),
        (("get_play_loop",), {"loop"}),
        (("actively_recording",), {"recording"}),
        (("new_midi_track",), {"do_print"}),
        (("begin_reversible_command",), {"undo"}),
        (("bbt_at",), {"tempomap"}),
        (("list",), {"markers", "regions"}),
        (("add_range", "path"), {"do_marker", "session"}),
    ],
    ids=lambda value: "-".join(sorted(value)),
)
def test_without_some_calls_it_is_followed_and_says_what_they_cost(missing, features, start, desk):
    refused, log = start(missing)
    info = desk.wait_event("capabilities")[0]
    assert refused_features(desk) == features and not features & info.abilities
    assert info.host_version == "7" and info.interpreter.startswith("Lua 5.")
    (note,) = [note for (note,) in desk.events.all("note") if note.startswith("In this Ardour 7, ")]
    assert all(COSTS[feature] in note for feature in features)
    one = desk.wait_event("transport", lambda daw, one: one.rolling and one.position_s > 0.5)[1]
    assert one.position_beats == pytest.approx(one.position_s * 2, abs=1e-3)
    found = {each.name: each for each in daw_doctor.check_scripts(desk.port)}
    for row in info.capabilities:
        if row.works == REFUSED:
            assert found["Ardour: " + row.call].advice == COSTS[row.feature]
    assert [one.lost for one in desk.link.status()] == [0]
    lines = log()
    assert lines and len(lines) == len(set(lines)) and refused == []


def test_a_slow_host_is_followed(start, desk):
    refused, log = start(slow_us=300)
    desk.wait_event("capabilities", timeout_s=20)
    desk.wait_event("tempo_map", timeout_s=20)
    first = desk.wait_event("transport", lambda daw, one: one.rolling, timeout_s=20)[1]
    desk.wait_event("transport", lambda daw, one: one.position_s > first.position_s + 1, timeout_s=20)
    assert [one.lost for one in desk.link.status()] == [0]
    assert refused == [] and log() == [] and refused_features(desk) == set()


def test_an_ardour_before_7_says_that_it_cannot_be_followed_and_how_it_can(start, desk):
    """Ardour 6 has no Temporal: neither positions in beats nor a tempo map."""
    refused, log = start(("Temporal",))
    info = desk.wait_event("capabilities", lambda daw: any(row.works == REFUSED for row in daw.capabilities))[0]
    assert {"transport", "tempomap", "do_tempo"} <= refused_features(desk)
    assert "transport" not in info.abilities
    (note,) = [note for (note,) in desk.events.all("note") if note.startswith("In this Ardour 7, ")]
    assert COSTS["transport"] in note and "--sync mtc" in note
    desk.wait_event("loop" if desk.events.all("loop") else "timecode")  # what can be told is told
    assert {each.name: each for each in daw_doctor.check_scripts(desk.port)}["DAW script ardour"].ok
    lines = log()
    assert lines and len(lines) == len(set(lines)) and refused == []
