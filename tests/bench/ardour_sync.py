"""Onsets in a real Ardour's own take, or (JACK transport) in an independent capture, against what was planned.

    python tests/bench/ardour_sync.py [mtc clock jack] [--bpm 120] [--seconds 10] [--period 1024] [--api jack-client]

mtc and clock: Ardour records the player into an armed track while the player follows Ardour; its .mid is read back.
jack: both follow the JACK transport; a capture is compared with the transport's own frames.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerOptions, PortOptions, SyncOptions
from engine.music.meter import TempoMap
from engine.music.note import Note
from tests.ardourlab import Ardour, why_not
from tests.jacklab import Capture, JackServer, open_client, still_sounding


def notes(seconds: float, bpm: float) -> list[Note]:
    count = int(seconds * bpm / 60 * 4)
    return [Note(36 + k % 60, 1 + k % 127, k * 0.25, 0.2, 1, "arp") for k in range(count)]


def summary(errors_s: list[float]) -> str:
    values = sorted(error * 1000 for error in errors_s)
    middle = values[len(values) // 2]
    away = sorted(abs(value - middle) for value in values)
    pick = lambda part: away[min(len(away) - 1, int(part * len(away)))]  # noqa: E731
    return (
        f"median {middle:+.3f} ms; from it p50 {pick(0.5):.3f} p99 {pick(0.99):.3f} max {away[-1]:.3f} ms; "
        f"absolute max {max(abs(values[0]), abs(values[-1])):.3f} ms"
    )


def run(source: str, given: argparse.Namespace, folder: Path) -> str:
    music = notes(given.seconds + 4, given.bpm)
    planned = {(n.pitch, n.velocity): n.start_beats * 60 / given.bpm for n in music}
    sync = SyncOptions(position=source, tempo="auto")
    options = PlayerOptions(ports=PortOptions(api=given.api), sync=sync)
    with (
        JackServer(period=given.period) as server,
        Ardour(folder, given.bpm, external_sync=source == "jack") as daw,
        PlayerLink(options) as link,
        Capture() as capture,
    ):
        link.set_tempo_map(TempoMap.constant(given.bpm), 1)
        link.load_plan(1, "beats", music, [], 0.0)
        status = link.poll()
        assert status is not None
        wires = open_client("wires")
        try:
            into = next(port.name for port in wires.get_ports("CueBridge.*Sync") if port.is_input)
            for name in ("MTC out", "MIDI Clock out", "MMC out"):
                wires.connect(f"ardour:{name}", into)
            wires.connect("CueBridge:CueBridge", "ardour:gen/midi_in 1")
            capture.connect("CueBridge:CueBridge")
            lost = capture.lost_cycles
            if source == "jack":
                wires.transport_stop()
                time.sleep(1.0)
                wires.transport_frame = 0
                time.sleep(1.0)
                wires.transport_start()
            else:
                daw.locate(0.0)
                daw.record()
                daw.play()
            link.wait_for(lambda now: now.position_s > given.seconds, given.seconds + 20)
            _, place = wires.transport_query()
            if source == "jack":
                wires.transport_stop()
            else:
                daw.stop()
            link.wait_for(lambda now: not now.rolling, 5.0)
            time.sleep(0.3)
            left = still_sounding([event.data for event in capture.events])
            if source == "jack":
                zero = place["usecs"] / 1e6 - place["frame"] / server.rate
                found = {
                    (event.data[1], event.data[2]): event.host_s - zero
                    for event in capture.events
                    if event.data[0] & 0xF0 == 0x90
                }
            else:
                found = {(note.pitch, note.velocity): note.start_s for note in daw.recorded()}
            errors = [at - planned[key] for key, at in found.items()]
            missing = [key for key, at in planned.items() if at < given.seconds - 0.2 and key not in found]
            return (
                f"{source} at {given.bpm:g} bpm, {given.api}, {server.about}, {status.priority}: {len(errors)} notes, "
                f"missing {len(missing)}, left sounding {len(left)}, lost periods {capture.lost_cycles - lost}; "
                + summary(errors)
            )
        finally:
            wires.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="*", default=["mtc", "clock", "jack"])
    parser.add_argument("--bpm", type=float, default=120)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--period", type=int, default=1024)
    parser.add_argument("--api", default="jack-client", choices=["jack-client", "jack"])
    given = parser.parse_args()
    if (reason := why_not()) is not None:
        sys.stderr.write(f"cannot measure: {reason}\n")
        return 2
    for source in given.sources:
        with tempfile.TemporaryDirectory() as folder:
            try:
                sys.stdout.write(run(source, given, Path(folder)) + "\n")
            except Exception as error:  # jackd and Ardour sometimes do not come up together: say so, go on
                sys.stdout.write(f"{source}: not measured, {type(error).__name__}: {error}\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
