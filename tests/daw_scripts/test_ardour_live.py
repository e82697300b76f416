"""The whole way: a film, `cuebridge live` following Ardour by its script, notes recorded there and printed there.

Runs the real command, the real engine, a real Ardour (ardour7-lua) on a JACK server.  Prints its figures (pytest -s).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import mido
import pytest
from livelab import free_port
from pythonosc.udp_client import SimpleUDPClient

sys.path.insert(0, str(Path(__file__).parent))
from test_ardour import RATE, start_ardour

pytestmark = [
    pytest.mark.jack,
    pytest.mark.ardour,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("ardour7-lua") is None, reason="ardour7-lua is not installed"),
]


class Live:
    """`cuebridge live --json`: its lines as they come."""

    def __init__(self, film, port, environment, folder):
        command = [
            sys.executable,
            "-m",
            "bridge.cli",
            "live",
            str(film),
            "--sync",
            "script",
            "--midi-api",
            "jack-client",
        ]
        command += ["--osc-port", str(port), "--json", "--no-keys", "--no-session", "--progression", "C Am F G"]
        command += ["--form", "none", "--no-page"]  # many notes from the first bar to the last
        self.log = (folder / "live.log").open("w")
        self.process = subprocess.Popen(
            command, cwd=Path(__file__).parents[2], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=self.log, text=True,
        )  # fmt: skip
        self.lines = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            try:
                self.lines.append((time.perf_counter(), json.loads(line)))
            except ValueError:
                continue

    def wait(self, check, timeout_s):
        end = time.perf_counter() + timeout_s
        while time.perf_counter() < end:
            for at, line in reversed(self.lines):
                if check(line):
                    return at, line
            assert self.process.poll() is None, self.lines[-3:]
            time.sleep(0.02)
        raise AssertionError(f"not said within {timeout_s} s: {[line for _, line in self.lines[-4:]]}")

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.log.close()


class Capture:
    """Note-ons of the bridge's port: (perf_counter, channel, pitch, velocity)."""

    def __init__(self, jack, server):
        self.notes = []
        self.client = jack.Client("cbcapture", no_start_server=True, servername=server)
        port = self.client.midi_inports.register("in")

        def process(frames):
            now = time.perf_counter()
            for _, data in port.incoming_midi_events():
                data = bytes(data)
                if data[0] & 0xF0 == 0x90 and data[2]:
                    self.notes.append((now, data[0] & 15, data[1], data[2]))

        self.client.set_process_callback(process)
        self.client.activate()
        self.client.connect("CueBridge:CueBridge", "cbcapture:in")


@pytest.fixture
def studio(jack_server, tmp_path, repository):
    jack = pytest.importorskip("jack")
    port = free_port()
    environment = dict(jack_server, OMP_NUM_THREADS="1")
    live = Live(repository / "engine/media/big-buck-bunny-30s.mp4", port, environment, tmp_path)
    ardour = capture = None
    try:
        live.wait(lambda line: line.get("type") == "ready", 120)
        server = jack_server["JACK_DEFAULT_SERVER"]
        capture = Capture(jack, server)
        home = tmp_path / "home"
        (home / ".config" / "ardour7").mkdir(parents=True)
        command = [sys.executable, "-m", "bridge.cli", "install-script", "ardour", "--port", str(port)]
        command += ["--home", str(home), "--system", "linux"]
        subprocess.run(command, check=True, cwd=repository, stdout=subprocess.DEVNULL)
        installed = home / ".config/ardour7/scripts/cuebridge.lua"
        environment = dict(jack_server, HOME=str(home), XDG_CONFIG_HOME=str(home / ".config"))
        ardour = start_ardour(repository, tmp_path, port, environment, installed)
        yield live, ardour, capture, SimpleUDPClient("127.0.0.1", port)
    finally:
        if ardour is not None and ardour.process.poll() is None:
            ardour.process.kill()
        if capture is not None:
            capture.client.close()
        live.close()


def notes_of(path):
    """(beat, channel, pitch, velocity) of a MIDI file."""
    file, found = mido.MidiFile(path), []
    for track in file.tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.type == "note_on" and message.velocity:
                found.append((tick / file.ticks_per_beat, message.channel, message.note, message.velocity))
    return sorted(found)


def script(path):
    """Lua that runs one of our scripts as Ardour does, in a table of names of its own."""
    return f'local env = setmetatable ({{}}, {{ __index = _G }}); loadfile ("{path}", "t", env) (); env.factory () ()'


def test_follow_record_print_and_compare(studio):
    live, ardour, capture, osc = studio
    live.wait(lambda line: line.get("waits_for") == "the DAW to play", 120)
    live.wait(lambda line: line.get("tempo_bpm") == 120, 15)  # Ardour's, told by the script
    live.wait(lambda line: line.get("whole") is True and line.get("tempo_bpm") == 120, 60)
    ardour.do(script(ardour.script.with_name("cuebridge_tracks.lua")))
    time.sleep(1.5)

    # Record eight seconds from the beginning.
    ardour.do("Session:maybe_enable_record (false)")
    asked = time.perf_counter()
    ardour.play()
    time.sleep(8)
    ardour.stop()
    started_s = capture.notes[0][0] - asked
    time.sleep(2)

    # Print the film, without touching what was recorded.
    osc.send_message("/cue/print", ["film"])
    time.sleep(4)
    ardour.do('Session:save_state ("")')
    ardour.say("1")
    files = sorted(ardour.folder.glob("interchange/*/midifiles/*.mid"))
    printed = sorted(note for path in files if path.name.startswith("CueBridge") for note in notes_of(path))
    recorded = sorted(note for path in files if path.name.startswith("Take1") for note in notes_of(path))
    assert len(printed) > 200 and len(recorded) > 50

    # What was recorded is what was printed.  The first notes may be missing: the bridge hears of the start a tick late.
    beats = 8 * 120 / 60
    wanted = [note for note in printed if 1.0 <= note[0] < beats - 1]
    offsets, missing = [], []
    for beat, *what in wanted:
        near = [other[0] - beat for other in recorded if list(other[1:]) == what and abs(other[0] - beat) < 0.12]
        if near:
            offsets.append(min(near, key=abs) * 0.5)
        else:
            missing.append((beat, *what))
    extra = [
        note
        for note in recorded
        if 1.0 <= note[0] < beats - 1
        and not any(list(other[1:]) == list(note[1:]) and abs(other[0] - note[0]) < 0.12 for other in printed)
    ]
    assert missing == [] and extra == []
    offsets.sort()
    middle = offsets[len(offsets) // 2]
    spread = max(abs(one - middle) for one in offsets)

    # What was printed is frozen: Ardour plays it from its items now, and the stream is mute until thawed.
    frozen = live.wait(lambda line: line.get("frozen"), 10)[1]["frozen"]
    assert all(part in frozen for part in ("pad", "bass")), frozen
    count = len(capture.notes)
    ardour.locate(0)
    time.sleep(0.8)
    ardour.play()
    time.sleep(2.5)
    ardour.stop()
    time.sleep(0.8)
    assert capture.notes[count:] == []
    osc.send_message("/cue/thaw", [])
    live.wait(lambda line: line.get("frozen") == "" and line.get("undo") == "unmute all", 10)

    # Locate while rolling: the first note of the new place.
    locates = []
    for target_s in (12.0, 3.0, 20.0, 7.0, 15.0):
        ardour.play()
        time.sleep(1.5)
        count = len(capture.notes)
        asked = time.perf_counter()
        where = "ARDOUR.LocateTransportDisposition.MustRoll, ARDOUR.TransportRequestSource.TRS_UI"
        ardour.do(f"Session:request_locate ({int(target_s * RATE)}, false, {where})")
        time.sleep(2.5)
        there = {note[1:] for note in printed if target_s * 2 - 4.2 <= note[0] <= target_s * 2 + 5}
        after = [note for note in capture.notes[count:] if note[1:] in there]
        assert after, f"nothing of {target_s} s was heard"
        locates.append(after[0][0] - asked)
        ardour.stop()
        time.sleep(0.8)

    # Another progression while rolling.
    ardour.locate(0)
    time.sleep(0.8)
    ardour.play()
    time.sleep(1)
    before = len(live.lines)
    osc.send_message("/cue/progression", ["Dm Bb Gm A"])
    end = time.perf_counter() + 10
    while not any(line.get("chord") in ("Dm", "Bb", "Gm") for _, line in live.lines[before:]):
        assert time.perf_counter() < end, [line.get("chord") for _, line in live.lines[before:]][-5:]
        time.sleep(0.05)
    ardour.stop()

    sys.stdout.write(
        f"\nplay to first note {started_s * 1000:.0f} ms; {len(wanted)} notes recorded as printed, offset median "
        f"{middle * 1000:+.1f} ms, farthest from it {spread * 1000:.1f} ms; locate while rolling to first note of the "
        f"new place {', '.join(f'{one * 1000:.0f}' for one in locates)} ms\n"
    )
