"""The three ways from CueBridge to an instrument, side by side on one JACK server in one run: rtmidi's port, the port
of the JACK callback, the plugin in jalv.  All three follow the JACK transport and play the same notes into one capture.

    python tests/bench/plugin_ports.py [--seconds 30] [--period 1024] [--tries 8]

Onset: the frame of the transport on which a note-on arrived, less the frame on which it was composed; its median (a
constant that "MIDI earlier–later" takes away), and p50, p99 and worst of the distance from it.  Start: from the first
frame that rolls to the first note that is within half a period and a millisecond of that median, and notes that came
at a wrong time or not at all until then; locate while it rolls: the same from the first frame at the new place.
ALSA's sequencer is measured only where there is one.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import pluginlab

from bridge.player import messages as m
from bridge.player.link import PlayerLink
from bridge.player.memory import PlayerMemory
from bridge.player.messages import PlayerOptions, PlayerStatus, PortOptions, SyncOptions
from bridge.plugin.link import PluginLink
from engine.music.meter import TempoMap
from engine.music.note import Note
from tests.jacklab import JackServer, open_client, why_not
from tests.pluginardour import PortlessPlayer

RATE = 48000
STEP_S = 0.0513  # on no grid of samples
WAYS = ("rtmidi's port (JACK)", "port of the JACK callback", "plugin in jalv")


class Arrival(NamedTuple):
    position: int  # of the transport, in frames
    cycle: int  # how many cycles were counted before
    pitch: int
    velocity: int


class Ear:
    """Note-ons by the transport's frame, an input a way; cycles in which it rolled."""

    def __init__(self) -> None:
        import jack

        self.client = client = open_client("ear")
        self.ports = [client.midi_inports.register(f"in{index}") for index in range(len(WAYS))]
        self.heard: list[list[Arrival]] = [[] for _ in WAYS]
        self.cycles: list[int] = []  # the transport's frame at each cycle that rolled

        @client.set_process_callback
        def process(frames: int) -> None:
            state, place = client.transport_query_struct()
            if state != jack.ROLLING:
                return
            self.cycles.append(place.frame)
            for heard, port in zip(self.heard, self.ports, strict=True):
                for offset, data in port.incoming_midi_events():
                    message = bytes(data)
                    if message[0] & 0xF0 == 0x90 and message[2]:
                        heard.append(Arrival(place.frame + offset, len(self.cycles) - 1, message[1], message[2]))

        client.activate()

    def connect(self, way: int, source: str, timeout_s: float = 10.0) -> None:
        end_s = time.monotonic() + timeout_s
        while True:
            try:
                self.client.connect(source, self.ports[way])
                return
            except Exception:
                if time.monotonic() > end_s:
                    raise
                time.sleep(0.05)

    def clear(self) -> None:
        for heard in self.heard:
            heard.clear()
        self.cycles.clear()

    def close(self) -> None:
        self.client.deactivate()
        self.client.close()


def schedule(seconds: float) -> list[Note]:
    """Off the grid of periods; a place in it is known by pitch and velocity."""
    return [Note(i % 120, 1 + i // 120, i * STEP_S, 0.03, 2, "arp") for i in range(int(seconds / STEP_S))]


@dataclass
class Rig:
    ear: Ear
    follow: Callable[[], None]
    wanted: dict[tuple[int, int], float]  # frames

    def roll(self, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            self.follow()
            time.sleep(0.02)

    def stop(self) -> None:
        self.ear.client.transport_stop()
        self.roll(0.5)

    def start(self, at_s: float) -> None:
        self.ear.client.transport_frame = round(at_s * RATE)
        self.roll(1.0)
        self.ear.clear()
        self.ear.client.transport_start()


def onsets(rig: Rig, way: int) -> list[float]:
    """Frames from the composed place, of those that arrived."""
    return [each.position - rig.wanted[each.pitch, each.velocity] for each in rig.ear.heard[way]]


def until_right(rig: Rig, way: int, cycle: int, latency: float) -> tuple[float, int]:
    """Milliseconds from the beginning of a cycle on to the first note at its time, and how many notes before it were
    wrong or missing."""
    begin, right = rig.ear.cycles[cycle], rig.ear.client.blocksize / 2 + RATE / 1000
    due = sorted(at for at in rig.wanted.values() if at >= begin - 0.5)
    wrong = 0
    for each in rig.ear.heard[way]:
        if each.cycle < cycle:
            continue
        at = rig.wanted[each.pitch, each.velocity]
        if abs(each.position - at - latency) <= right and at >= begin - 0.5:
            return (each.position - begin) / RATE * 1000, wrong + sum(1 for one in due if one < at)
        wrong += 1
    return float("inf"), wrong


def spread(errors: list[float]) -> tuple[float, float, float, float]:
    middle = statistics.median(errors)
    away = sorted(abs(error - middle) / RATE * 1000 for error in errors)
    return middle / RATE * 1000, away[len(away) // 2], away[min(len(away) - 1, len(away) * 99 // 100)], away[-1]


def measure(rig: Rig, seconds: float, tries: int) -> None:
    rig.start(0.0)
    rig.roll(seconds)
    rig.stop()
    lost = sum(1 for a, b in zip(rig.ear.cycles, rig.ear.cycles[1:], strict=False) if b != a + rig.ear.client.blocksize)
    say(f"{'onset':28}{'notes':>7}{'median ms':>11}{'p50':>9}{'p99':>9}{'worst':>9}   (periods lost: {lost})")
    latencies = []
    reached = rig.ear.cycles[-1]
    for way, name in enumerate(WAYS):
        errors = onsets(rig, way)
        due = sum(1 for at in rig.wanted.values() if at < reached - 0.1 * RATE)
        latencies.append(statistics.median(errors))
        middle, p50, p99, worst = spread(errors)
        say(f"{name:28}{len(errors):>7}{middle:11.3f}{p50:9.3f}{p99:9.3f}{worst:9.3f}   (of {due} at least)")
    starts: list[list[tuple[float, int]]] = [[] for _ in WAYS]
    locates: list[list[tuple[float, int]]] = [[] for _ in WAYS]
    for number in range(tries):
        rig.start(1.0 + 0.3 * number)
        rig.roll(1.5)
        for way in range(len(WAYS)):
            starts[way].append(until_right(rig, way, 0, latencies[way]))
        rig.ear.client.transport_frame = round((seconds / 2 + 0.41 * number) * RATE)
        rig.roll(1.5)
        rig.stop()
        cycles = rig.ear.cycles
        jump = next(i for i in range(1, len(cycles)) if abs(cycles[i] - cycles[i - 1]) > RATE)
        for way in range(len(WAYS)):
            locates[way].append(until_right(rig, way, jump, latencies[way]))
    for title, found in (("start after play", starts), ("locate while it rolls", locates)):
        say(f"{title:28}{'median ms':>18}{'worst':>9}{'wrong or missing: median':>28}{'worst':>7}")
        for name, values in zip(WAYS, found, strict=True):
            times, wrong = sorted(value for value, _ in values), sorted(count for _, count in values)
            middle = len(values) // 2
            say(f"{name:28}{times[middle]:18.1f}{times[-1]:9.1f}{wrong[middle]:28}{wrong[-1]:7}")


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def player(api: str, name: str, notes: list[Note]) -> PlayerLink:
    link = PlayerLink(PlayerOptions(ports=PortOptions(api=api, name=name), sync=SyncOptions(position="jack")))
    link.__enter__()
    link.set_tempo_map(TempoMap.constant(120), 1)
    link.load_plan(1, "beats", [note_in_beats(note) for note in notes], [], 0.0)
    link.wait_for(lambda status: status.revision == 1, 10.0)
    return link


def note_in_beats(note: Note) -> Note:
    return Note(note.pitch, note.velocity, 2 * note.start_beats, 2 * note.length_beats, note.channel, note.part)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--period", type=int, default=1024)
    parser.add_argument("--tries", type=int, default=8)
    given = parser.parse_args()
    if (reason := why_not() or (None if pluginlab.compiler() else pluginlab.NO_COMPILER)) is not None:
        sys.stderr.write(f"cannot measure: {reason}\n")
        return 2
    notes = schedule(given.seconds + 10)
    if not Path("/dev/snd/seq").exists():
        say("no ALSA sequencer here: rtmidi's port is that of its JACK interface")
    with tempfile.TemporaryDirectory() as place, JackServer(RATE, given.period) as server:
        say(f"{server.about}; load {os.getloadavg()[0]:.1f}; {os.cpu_count()} cores")
        folder = pluginlab.make(Path(place) / "bundle", "lv2")
        path = Path(place) / "plugin-link"
        os.environ["CUEBRIDGE_PLUGIN_LINK"] = str(path)
        plugin = PluginLink(PortlessPlayer(), lambda sentence: None, path)  # type: ignore[arg-type]
        for message in PlayerMemory(m.PlayerOptions()).plan(1, "seconds", notes, [], -1e9):
            plugin.take_player_message(message)
        plugin.begin()
        jalv = subprocess.Popen(
            ["jalv", "-n", "plugin", "urn:cuebridge:plugin"], env={**os.environ, "LV2_PATH": str(folder)},
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        links: list[Any] = [player("jack", "Rt", notes), player("jack-client", "Callback", notes)]
        ear = Ear()

        def follow() -> None:
            plugin.follow("A film", True, False, PlayerStatus.NONE)
            for link in links:
                link.poll()
                link.drain_events()

        rig = Rig(ear, follow, {(note.pitch, note.velocity): note.start_beats * RATE for note in notes})
        try:
            end_s = time.monotonic() + 30
            while not any(each.state.startswith("revision") for each in plugin.summaries):
                if time.monotonic() > end_s or jalv.poll() is not None:
                    raise RuntimeError("the plugin in jalv got no plan")
                follow()
                time.sleep(0.02)
            for way, source in enumerate(("Rt:Rt", "Callback:Callback")):
                ear.connect(way, source)
            ear.connect(2, ear.client.get_ports("plugin", is_output=True, is_midi=True)[0].name)
            measure(rig, given.seconds, given.tries)
        finally:
            ear.close()
            jalv.terminate()
            jalv.wait(10)
            for link in links:
                link.__exit__(None, None, None)
            plugin.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
