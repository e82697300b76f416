"""For tests: each host stand-in with its script in it, and the bridge it talks to over real UDP.

REAPER's and Live's scripts run in this CPython, Bitwig's in Node.  The stand-ins (daw_scripts/hosts/) were written
from the hosts' documentation and raise for anything that is not in it.
"""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import sys
import threading
import time
from importlib import util
from pathlib import Path

import pytest
from livelab import free_port

sys.path.insert(0, str(Path(__file__).parent / "daw_scripts"))
from hosts.live_host import LiveHost
from hosts.reaper_host import Reaper


class ReaperUnderTest:
    """REAPER: 30 turns of its main loop a second."""

    name, tick_s, marker_names = "reaper", 1 / 30, True

    def __init__(self, repository, port, monkeypatch, **how):
        self.host = Reaper(**how)
        monkeypatch.setitem(sys.modules, "reaper_python", self.host.module())
        folder = repository / "daw_scripts/reaper/Scripts"
        self.folder = folder
        self.names = self.host.main()
        source = (folder / "cuebridge.py").read_text().replace("9317", str(port))
        exec(compile(source, "cuebridge.py", "exec"), self.names)

    def tick(self):
        self.host.run_deferred(self.names)

    def play(self, second, recording=False):
        self.host.playing, self.host.recording, self.host.position = True, recording, second

    def move(self, second):
        self.host.position = second

    def stop(self):
        self.host.playing = self.host.recording = False
        self.host.cursor = self.host.position

    def tempo(self, bpm, meter):
        self.host.tempo = [(0.0, bpm, *meter, False)]
        self.host.changes += 1

    def tempo_now(self):
        return self.host.tempo[0][1]

    def loop(self, start, end):
        self.host.loop, self.host.repeat = (start, end), 1

    def markers(self, items):
        self.host.markers = [[False, second, 0.0, name, number + 1, 0] for number, (second, name) in enumerate(items)]
        self.host.changes += 1

    def shown(self):
        return sorted((round(marker[1], 6), marker[3]) for marker in self.host.markers if not marker[0])

    def printed(self):
        found = {}
        for track in self.host.tracks:
            for item in track["items"]:
                if item["strings"].get("P_EXT:cuebridge") == "print":
                    start = self.host._TimeMap2_timeToQN(0, item["position"])
                    found[track["name"]] = sorted(
                        (start + n[0] / 960, n[3], n[4], n[2] + 1, (n[1] - n[0]) / 960) for n in item["notes"]
                    )
                    assert item["sorted"]
        return found

    def quit(self):
        for code in self.host.at_exit:
            exec(code, self.names)


class LiveUnderTest:
    """Live: update_display ten times a second."""

    name, tick_s, marker_names = "live", 0.1, True

    def __init__(self, repository, port, monkeypatch, **how):
        self.host, self.degraded = LiveHost(**how), bool(how)
        monkeypatch.setitem(sys.modules, "Live", self.host.module())
        path = repository / "daw_scripts/ableton/CueBridge/cuebridge.py"
        spec = util.spec_from_loader("cuebridge_live", loader=None)
        module = util.module_from_spec(spec)
        exec(compile(path.read_text().replace("9317", str(port)), str(path), "exec"), module.__dict__)
        self.script = module.CueBridge(self.host.c_instance())

    @property
    def song(self):
        return self.host.song

    def tick(self):
        self.host.settle()
        self.script.update_display()
        if not self.degraded:
            assert not [line for line in self.host.logged if line.startswith("CueBridge:")], self.host.logged

    def play(self, second, recording=False):
        self.move(second)
        self.host.settle()
        self.song.record_mode = recording
        self.song.is_playing = True

    def move(self, second):
        self.song.current_song_time = second * self.song.tempo / 60

    def stop(self):
        self.song.is_playing = False
        self.song.record_mode = False

    def tempo(self, bpm, meter):
        second = self.host._seconds(self.song.current_song_time)
        self.host.tempo_changes = [(0.0, bpm)]
        object.__setattr__(self.song, "current_song_time", second * bpm / 60)
        self.song.tempo = bpm
        self.song.signature_numerator, self.song.signature_denominator = meter

    def tempo_now(self):
        return self.song.tempo

    def loop(self, start, end):
        beat = self.song.tempo / 60
        self.song.loop_start, self.song.loop_length, self.song.loop = start * beat, (end - start) * beat, True

    def markers(self, items):
        self.song.cue_points = tuple(self.host.cue_point(name, second * self.song.tempo / 60) for second, name in items)

    def shown(self):
        return sorted((round(cue.time * 60 / self.song.tempo, 6), cue.name) for cue in self.song.cue_points)

    def printed(self):
        return {
            track.name: sorted(
                (clip.start_time + n.start_time, n.pitch, n.velocity, None, n.duration) for n in clip._notes
            )
            for track in self.song.tracks
            for clip in track.arrangement_clips
        }

    def quit(self):
        self.script.disconnect()


class BitwigUnderTest:
    """Bitwig: its script ticks by itself, in Node."""

    name, tick_s, marker_names = "bitwig", 0.03, True

    def __init__(self, repository, port, monkeypatch, **how):
        if shutil.which("node") is None:
            pytest.skip("node is not installed")
        answers = free_port()
        here = repository / "tests/daw_scripts/hosts/bitwig_host.js"
        script = repository / "daw_scripts/bitwig/CueBridge/CueBridge.control.js"
        self.process = subprocess.Popen(
            ["node", str(here), str(script), str(port), str(answers), json.dumps(how)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        try:
            assert self.lines.get(timeout=20) == {"ready": True}
        except BaseException:  # nobody else has it yet to end it
            self.process.kill()
            self.process.wait()
            raise
        self.bpm = 120.0

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))

    def do(self, **command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        answer = self.lines.get(timeout=30)
        assert "error" not in answer, answer
        return answer

    def tick(self):
        pass

    def _at(self, second):
        return {"seconds": second, "beats": second * self.bpm / 60}

    def play(self, second, recording=False):
        self.do(set={**self._at(second), "playing": True, "recording": recording})

    def move(self, second):
        self.do(set=self._at(second))

    def stop(self):
        self.do(set={"playing": False, "recording": False})

    def tempo(self, bpm, meter):
        second = self.do()["beats"] * 60 / self.bpm
        self.bpm = bpm
        self.do(set={"tempo": bpm, "numerator": meter[0], "denominator": meter[1], **self._at(second)})

    def tempo_now(self):
        return self.do()["tempo"]

    def loop(self, start, end):
        beat = self.bpm / 60
        self.do(set={"loopStart": start * beat, "loopLength": (end - start) * beat, "loop": True})

    def markers(self, items):
        self.do(markers=[[name, second * self.bpm / 60] for second, name in items])

    def shown(self):
        return sorted((round(beats * 60 / self.bpm, 6), name) for name, beats in self.do()["markers"])

    def quit(self):
        self.do(exit=True)
        self.process.wait(20)


KINDS = {"reaper": ReaperUnderTest, "live": LiveUnderTest, "bitwig": BitwigUnderTest}


class Stage:
    """A host with its script, and the bridge; `until` lets the host run until something is heard."""

    def __init__(self, kind, desk, repository, monkeypatch, **how):
        self.desk = desk
        self.daw = KINDS[kind](repository, desk.port, monkeypatch, **how)

    def run(self, seconds):
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            self.daw.tick()
            time.sleep(self.daw.tick_s)

    def until(self, condition, seconds=30.0):
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            found = condition()
            if found:
                return found
            self.daw.tick()
            time.sleep(self.daw.tick_s / 2)
        raise AssertionError(f"not heard; last events {[c[0] for c in self.desk.events.calls][-15:]} "
                             f"{self.desk.events.all('note')} {self.desk.events.all('acknowledged')}")  # fmt: skip

    def heard(self, name, check=lambda *args: True):
        """The newest event of that name that fits, waiting for one."""
        return self.until(lambda: next((a for a in reversed(self.desk.events.all(name)) if check(*a)), None))

    def seen(self, check):
        return self.heard("transport", lambda daw, one: check(one))[1]

    def answered(self, count):
        return self.until(lambda: self.desk.events.all("acknowledged")[count - 1 :])[0]
