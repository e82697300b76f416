"""A second Ableton Link peer and a player that follows the session, alone in a network; see test_ableton_link.

    unshare -n … python tests/linkpeer.py     prints one JSON object

The peer is the binding used by itself, without any code of ours.  Both live on the loopback interface of a private
network namespace, so nothing of the session gets out.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

BPM, QUANTUM = 97.0, 4.0


def peer() -> None:
    """Obeys lines on stdin: `play`, `stop`, `tempo X`, `beat` (prints host seconds and beat)."""
    import link

    session = link.Link(BPM)
    session.startStopSyncEnabled = True
    session.enabled = True
    print("ready", flush=True)
    for line in sys.stdin:
        word, *values = line.split()
        state = session.captureAppSessionState()
        before = time.perf_counter()
        micros = session.clock().micros()
        host_s = (before + time.perf_counter()) / 2
        if word == "play":
            state.setIsPlaying(True, micros)
        elif word == "stop":
            state.setIsPlaying(False, micros)
        elif word == "tempo":
            state.setTempo(float(values[0]), micros)
        session.commitAppSessionState(state)
        facts = [host_s, state.beatAtTime(micros, QUANTUM), state.tempo(), state.isPlaying(), session.numPeers()]
        print(json.dumps(facts), flush=True)


class Peer:
    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, "peer"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.process.stdout.readline()

    def say(self, line: str) -> tuple[float, float, float, bool, int]:
        """(host_s, beat, bpm, playing, peers) as the peer has them."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return tuple(json.loads(self.process.stdout.readline()))


def main() -> None:
    from bridge.player.link import PlayerLink
    from bridge.player.messages import PlayerOptions, PortOptions, SyncOptions
    from engine.music.meter import TempoMap
    from engine.music.note import Note

    notes = [Note(36 + k % 60, 1 + k % 127, k * 0.25, 0.2, 1, "arp") for k in range(400)]
    found: dict[str, object] = {}
    options = PlayerOptions(ports=PortOptions("none"), sync=SyncOptions("link", "link"))
    with PlayerLink(options) as player:
        other = Peer()
        player.set_tempo_map(TempoMap.constant(120), 1)
        player.load_plan(1, "beats", notes, [], 0.0)
        end = time.perf_counter() + 10
        while other.say("beat")[4] == 0 and time.perf_counter() < end:
            time.sleep(0.1)
        time.sleep(1.0)
        found["peers"] = other.say("beat")[4]
        passes = []
        for tempo, place_s in ((None, 0.0), (133.0, 8.1)):  # the second from bar 5, at another tempo from the middle on
            player.locate(place_s)
            player.drain_events()
            host_s, beat, bpm, _, _ = other.say("play")
            grid = [(host_s, beat, bpm)]
            time.sleep(4.0)
            if tempo is not None:
                host_s, beat, bpm, _, _ = other.say(f"tempo {tempo}")
                grid.append((host_s, beat, bpm))
                time.sleep(2.0)
            rolling = player.poll()
            other.say("stop")
            player.wait_for(lambda status: not status.rolling, 3.0)
            time.sleep(0.2)
            events = [list(event) for event in player.drain_events()]
            stopped = player.poll()
            assert rolling is not None and stopped is not None
            passes.append({"grid": grid, "events": events, "place_s": place_s, "bpm": rolling.tempo_bpm,
                           "state": rolling.state, "source": rolling.position_source,
                           "tempo_source": rolling.tempo_source, "sounding": list(stopped.sounding),
                           "stands_s": stopped.position_s})  # fmt: skip
        player.play()  # we start, the others follow
        time.sleep(0.3)
        found["peer_plays"] = other.say("beat")[3]
        player.stop()
        time.sleep(0.3)
        found["peer_stopped"] = not other.say("beat")[3]
        found["passes"], found["notes"] = passes, [list(player.poll().notes)]  # type: ignore[union-attr]
        other.process.kill()
        other.process.wait()
    print(json.dumps(found))


if __name__ == "__main__":
    peer() if sys.argv[1:] == ["peer"] else main()
