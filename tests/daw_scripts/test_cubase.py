"""The MIDI Remote script in Node against a stand-in for Steinberg's API; its SysEx read by the bridge's decoder."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.player.messages import SyncOptions
from bridge.player.sync import Synchronizer
from bridge.transport.cubase_sysex import HEADER, SAY_AGAIN, Row, SysexState, decode


class Cubase:
    def __init__(self, repository, minor, **how):
        host = repository / "tests/daw_scripts/hosts/cubase_host.js"
        script = repository / "daw_scripts/cubase/CueBridge/Transport/CueBridge_Transport.js"
        self.process = subprocess.Popen(
            ["node", str(host), str(script), str(minor), json.dumps(how)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
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
                self.sent = [bytes(one) for one in said]
                return [decode(one) for one in self.sent], line
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
    newer = "1.1" in request.node.name
    rows = {one.row.call: one.row.works for one in said if one.row is not None}
    assert rows == {
        "mHostAccess.mTransport": 1, "mValue.mStart": 1, "mValue.mRecord": 1, "mValue.mCycleActive": 1,
        "mTimeDisplay.mOnChangeTempoBPM": 1, "mOnIdle": 2,
    }  # fmt: skip
    others = [one for one in said if one.row is None]
    assert others == [
        SysexState(protocol=1), SysexState(names=("Cubase 13.0.40" if newer else "Cubase 12.0.70", "2", "JavaScript")),
        SysexState(None, False, False, True), SysexState(bpm=97.3),
    ]  # fmt: skip
    assert last["unit"]["names"] == ["CueBridge", "Transport", "CueBridge"] and last["logged"] == []
    assert cubase.do(tempo=120.5)[0] == [SysexState(bpm=120.5)]
    assert cubase.do(tempo=120.5)[0] == []
    assert cubase.do(value=["start", 1])[0] == [SysexState(None, True, False, True)]
    assert cubase.do(value=["record", 1])[0] == [SysexState(None, True, True, True)]
    assert cubase.do(value=["record", 0])[0] == [SysexState(None, True, False, True)]
    assert cubase.do(value=["start", 0])[0] == [SysexState(None, False, False, True)]
    repeated = [cubase.do(idle=True)[0] for _ in range(60)]
    assert sum(SysexState(protocol=1) in said for said in repeated) == (2 if newer else 0)
    if newer:
        assert Row(1, "idle", "mOnIdle") in [one.row for one in repeated[0]]
    asked = cubase.do(sysex=list(SAY_AGAIN))[0]  # a bridge that starts later
    assert asked[0] == SysexState(protocol=1) and SysexState(bpm=120.5) in asked
    assert cubase.do(sysex=[0xF0, 0x7D, 0x43, 0x42, 8, 0xF7])[0] == []
    assert cubase.do(deactivate=True)[0] == [SysexState(leaving=True)]


def test_only_the_pair_named_sync_is_taken(cubase):
    """Five ports of parts have CueBridge in their names, and swapped ports must not fit either."""
    ours = ["CueBridge Pad", "CueBridge Arp", "CueBridge Clock", "CueBridge Sync"]
    last = cubase.do(ports=[["Keystation", *ours], ["Synth", "CueBridge Control", "CueBridge Sync"]])[1]
    assert last["unit"]["pairs"] == [["CueBridge Sync", "CueBridge Sync"]]


@pytest.mark.parametrize(
    ("call", "feature", "cost"),
    [
        ("HostTransport.mTimeDisplay", "tempo", "--tempo clock"),
        ("HostTransportValues.mCycleActive", "cycle", "cycle is not known"),
        ("HostTransportValues.mRecord", "record", "recording"),
        ("HostAccess.mTransport", "tempo", "--tempo clock"),
        ("MidiRemoteApi.mDefaults", "", ""),
    ],
)
def test_a_missing_call_ends_nothing_and_is_said_with_what_it_costs(repository, call, feature, cost):
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    made = Cubase(repository, 0, missing=[call])
    try:
        last = made.do(activate=True)[1]
        synchronizer = Synchronizer(SyncOptions("mtc", "script"), lambda: None)
        for message in made.sent:
            synchronizer.hear(1.0, message, 1.0)
        for message in made.sent:  # again: said once
            synchronizer.hear(2.0, message, 1.0)
        assert len(synchronizer.notes) == len(set(synchronizer.notes)) and any(
            "the script 2 tells" in note for note in synchronizer.notes
        )
        if feature:
            (note,) = [note for note in synchronizer.notes if cost in note]
            assert note.startswith("In this Cubase 12.0.70, ")
            assert len(last["logged"]) == len(set(last["logged"])) >= 1
        if "mTransport" not in call and "mTimeDisplay" not in call:
            made.do(tempo=120.5)
            assert decode(made.sent[0]) == SysexState(bpm=120.5)
    finally:
        made.process.kill()
        made.process.wait()


def test_a_slow_host_loses_no_message(repository):
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    made = Cubase(repository, 1, slowMs=20)
    try:
        made.do(tempo=97.3)
        said = made.do(activate=True)[0]
        assert None not in said and SysexState(bpm=97.3) in said and len([one for one in said if one.row]) == 6
        for bpm in (98.0, 99.0, 100.0):
            assert made.do(tempo=bpm)[0] == [SysexState(bpm=bpm)]
    finally:
        made.process.kill()
        made.process.wait()


def test_a_script_of_another_protocol_is_told_what_to_do():
    synchronizer = Synchronizer(SyncOptions("mtc", "script"), lambda: None)
    for _ in range(3):
        synchronizer.hear(1.0, HEADER + bytes((1, 9, 0xF7)), 1.0)
    (note,) = synchronizer.notes
    assert "install-script cubase" in note and "protocol 9" in note


def test_the_doctor_shows_what_the_script_on_the_sync_port_says():
    from bridge.player.checks import _note_row

    synchronizer = Synchronizer(SyncOptions("mtc", "script"), lambda: None)
    synchronizer.hear(1.0, HEADER + b"\x06Cubase 13.0.40\n2\nJavaScript\xf7", 1.0)
    synchronizer.hear(1.0, HEADER + b"\x05\x00cycle\nmCycleActive\nnot there\xf7", 1.0)
    rows = [_note_row(note) for note in synchronizer.notes]
    assert [(row.name, row.ok) for row in rows] == [("DAW script cubase", True), ("DAW script cubase", None)]
    assert "the cycle is not known" in rows[1].found


def test_on_a_mac_the_sync_port_is_a_pair(monkeypatch):
    """Cubase finds the script by an input and an output of one name; the source is a port that others need not have."""
    from bridge.player import ports

    opened, sent = [], []

    class Port:
        def __init__(self, api, name):
            self.name = name

        def open_virtual_port(self, name):
            opened.append((type(self).__name__, name))

        def send_message(self, message):
            sent.append((self.name, bytes(message)))

        def __getattr__(self, name):
            return lambda *args, **more: None

    class FakeRtMidi:
        MidiOut = type("MidiOut", (Port,), {})
        MidiIn = type("MidiIn", (Port,), {})

        @staticmethod
        def get_compiled_api():
            return list(ports._COMPILED.values())

    monkeypatch.setattr(ports, "load_rtmidi", lambda: FakeRtMidi)
    for api in ("coremidi", "alsa"):
        opened.clear()
        hear = ports.SyncIn("CueBridge Sync", lambda *event: None)
        ports.RtMidiOutput(api, ("CueBridge",), "", hear)
        pair = [("MidiIn", "CueBridge Sync"), ("MidiOut", "CueBridge Sync")]
        assert [one for one in opened if "Sync" in one[1]] == pair[: 2 if api == "coremidi" else 1]
    assert sent == [("CueBridge Sync", SAY_AGAIN)]


def test_every_value_of_the_tempo_range_survives():
    for number in (50_000, 199_999, 973_000, 1_200_001, 9_990_000):
        body = bytes((number >> shift) & 127 for shift in (21, 14, 7, 0))
        assert decode(HEADER + b"\x03" + body + b"\xf7") == SysexState(bpm=number / 10_000)


def test_the_sync_port_takes_tempo_and_record_state_beside_timecode():
    synchronizer = Synchronizer(SyncOptions("mtc", "script"), lambda: None)
    tempo = HEADER + b"\x03" + bytes((973_000 >> shift) & 127 for shift in (21, 14, 7, 0)) + b"\xf7"
    assert synchronizer.hear(1.0, tempo, 1.0) == []  # no position: the playhead stays where timecode has it
    assert synchronizer.bpm == {"script": 97.3} and synchronizer.tempo_source() == "script"
    synchronizer.hear(1.1, HEADER + b"\x02\x03\xf7", 1.1)
    assert synchronizer.recording is True
    synchronizer.hear(1.2, HEADER + b"\x02\x01\xf7" + b"\xf0\x7d\x01\xf7", 1.2)
    assert synchronizer.recording is False


@given(st.binary(max_size=16))
def test_other_sysex_is_not_ours(data):
    assert decode(data) is None
    found = decode(HEADER + data)
    assert found is None or isinstance(found, SysexState)
