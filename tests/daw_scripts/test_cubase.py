"""The MIDI Remote script in Node against a stand-in for Steinberg's API; its SysEx read by the bridge's decoder."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.player.messages import SyncOptions
from bridge.player.sync import SyncDesk
from bridge.transport.cubase_sysex import HEADER, SysexState, decode


class Cubase:
    def __init__(self, repository, minor):
        host = repository / "tests/daw_scripts/hosts/cubase_host.js"
        script = repository / "daw_scripts/cubase/CueBridge/Transport/CueBridge_Transport.js"
        self.process = subprocess.Popen(
            ["node", str(host), str(script), str(minor)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert json.loads(self.process.stdout.readline()) == {"ready": True}

    def do(self, **command):
        """What the script sent during it, decoded, and the host's last word."""
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        said = []
        while True:
            line = json.loads(self.process.stdout.readline())
            if "midi" not in line:
                assert "error" not in line, line
                return [decode(bytes(one)) for one in said], line
            said.append(line["midi"])


@pytest.fixture(params=[0, 1], ids=["api 1.0", "api 1.1"])
def cubase(request, repository):
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    made = Cubase(repository, request.param)
    yield made
    made.process.kill()
    made.process.wait()


def test_tempo_state_and_goodbye(cubase, request):
    assert cubase.do(value=["cycle", 1])[0] == []  # the first callbacks come before the page is active
    assert cubase.do(tempo=97.3)[0] == []
    said, last = cubase.do(activate=True)
    assert said == [SysexState(protocol=1), SysexState(None, False, False, True), SysexState(bpm=97.3)]
    assert last["unit"] == {
        "names": ["CueBridge", "Transport", "CueBridge"], "input": "CueBridge", "output": "CueBridge Sync"
    }  # fmt: skip
    assert cubase.do(tempo=120.5)[0] == [SysexState(bpm=120.5)]
    assert cubase.do(tempo=120.5)[0] == []
    assert cubase.do(value=["start", 1])[0] == [SysexState(None, True, False, True)]
    assert cubase.do(value=["record", 1])[0] == [SysexState(None, True, True, True)]
    assert cubase.do(value=["record", 0])[0] == [SysexState(None, True, False, True)]
    assert cubase.do(value=["start", 0])[0] == [SysexState(None, False, False, True)]
    repeated = [cubase.do(idle=True)[0] for _ in range(60)]
    assert sum(bool(said) for said in repeated) == (2 if "1.1" in request.node.name else 0)
    assert cubase.do(deactivate=True)[0] == [SysexState(leaving=True)]


def test_every_value_of_the_tempo_range_survives():
    for number in (50_000, 199_999, 973_000, 1_200_001, 9_990_000):
        body = bytes((number >> shift) & 127 for shift in (21, 14, 7, 0))
        assert decode(HEADER + b"\x03" + body + b"\xf7") == SysexState(bpm=number / 10_000)


def test_the_sync_port_takes_tempo_and_record_state_beside_timecode():
    desk = SyncDesk(SyncOptions("mtc", "script"), lambda: None)
    tempo = HEADER + b"\x03" + bytes((973_000 >> shift) & 127 for shift in (21, 14, 7, 0)) + b"\xf7"
    assert desk.hear(1.0, tempo, 1.0) == []  # no position: the playhead stays where timecode has it
    assert desk.bpm == {"script": 97.3} and desk.tempo_source() == "script"
    desk.hear(1.1, HEADER + b"\x02\x03\xf7", 1.1)
    assert desk.recording is True
    desk.hear(1.2, HEADER + b"\x02\x01\xf7" + b"\xf0\x7d\x01\xf7", 1.2)
    assert desk.recording is False


@given(st.binary(max_size=16))
def test_other_sysex_is_not_ours(data):
    assert decode(data) is None
    found = decode(HEADER + data)
    assert found is None or isinstance(found, SysexState)
