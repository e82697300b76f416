"""Onset accuracy of the player on a JACK server: sixteenths at 120 bpm, captured frame-accurately by an
independent client.

    python tests/bench/player_jitter.py [--seconds 30] [--period 256] [--burners 2] [--json FILE]

For rtmidi on JACK and for the JACK process callback, and beside them a naive sleep loop in a process that has
imported torch (--naive): difference of onset and intended time, p50/p99/max of its distance from the median
(the constant part is a latency, which "MIDI earlier–later" takes away).  States priority, jackd -R, period,
lost cycles and load.  Where real-time priority is refused it says so; such a figure is none of the player's.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerOptions, PortOptions
from engine.music.meter import TempoMap
from engine.music.note import Note
from tests.jacklab import Capture, Captured, JackServer, still_sounding, why_not

STEP_S = 0.125
NAIVE = """
import sys, time, rtmidi
if "torch" in sys.argv: import torch
out = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name="naive"); out.open_virtual_port("out")
sys.stdout.write("READY\\n"); sys.stdout.flush(); sys.stdin.readline()
for k in range(int(sys.argv[1])):
    out.send_message((0x90, k % 128, 1 + k // 128 % 127)); time.sleep(0.100)
    out.send_message((0x80, k % 128, 64)); time.sleep(0.025)
time.sleep(0.3)
"""


def schedule(seconds: float) -> list[Note]:
    count = int(seconds / STEP_S)
    return [Note(k % 128, 1 + k // 128 % 127, 0.25 * k, 0.2, 1, "arp") for k in range(count)]


def spread(errors_ms: list[float]) -> dict[str, float]:
    middle = statistics.median(errors_ms)
    away = sorted(abs(error - middle) for error in errors_ms)
    pick = lambda part: away[min(len(away) - 1, int(part * len(away)))]  # noqa: E731
    return {"latency_ms": middle, "p50_ms": pick(0.5), "p99_ms": pick(0.99), "max_ms": away[-1]}


def measure(api: str, seconds: float) -> dict[str, object]:
    notes = schedule(seconds)
    with PlayerLink(PlayerOptions(ports=PortOptions(api=api))) as link, Capture() as capture:
        capture.connect("CueBridge:CueBridge")
        link.set_tempo_map(TempoMap.constant(120), 1)
        link.load_plan(1, "beats", notes, [], 0.0)
        link.wait_for(lambda status: status.revision == 1, 10.0)
        lost = capture.lost_cycles
        link.play()
        worst = 0.0
        end = time.monotonic() + seconds + 20
        while time.monotonic() < end:
            status = link.poll()
            assert status is not None
            worst = max(worst, status.worst_late_ms)
            if status.position_s > seconds + 0.3:
                break
            time.sleep(0.02)
        link.stop()
        time.sleep(0.3)
        events, heard = link.drain_events(), capture.heard()
        left = still_sounding([event.data for event in heard], doubled_too=False)
        struck = [event for event in events if event.status & 0xF0 == 0x90]
        errors = onset_errors(struck[0].host_s - struck[0].position_s, notes, heard)
        return {
            "way": api,
            "notes": len(notes),
            "arrived": len(errors),
            **spread(errors),
            "player_worst_late_ms": worst,
            "left_sounding": len(left),
            "lost_cycles": capture.lost_cycles - lost,
            "xruns": status.xruns,
            "priority": status.priority,
            "late": status.late,
            "dropped": status.dropped,
        }


def onset_errors(zero_s: float, notes: list[Note], heard: list[Captured]) -> list[float]:
    """Milliseconds between capture and intention, note by note.  zero_s: host time of beat 0, of the first
    message."""
    arrivals: dict[tuple[int, int], float] = {}
    for event in heard:
        if event.data[0] & 0xF0 == 0x90:
            arrivals.setdefault((event.data[1], event.data[2]), event.host_s)
    return [
        (arrivals[note.pitch, note.velocity] - zero_s - note.start_beats / 2) * 1000
        for note in notes
        if (note.pitch, note.velocity) in arrivals
    ]


def naive(seconds: float, torch: bool) -> dict[str, object]:
    """What a sleep loop does: every error adds up."""
    notes = schedule(seconds)
    with Capture() as capture:
        child = subprocess.Popen(
            [sys.executable, "-c", NAIVE, str(len(notes)), *(["torch"] if torch else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdin is not None and child.stdout is not None
        child.stdout.readline()
        capture.connect("naive:out")
        child.stdin.write("go\n")
        child.stdin.flush()
        child.wait()
        heard = capture.heard()
        first = next(event.host_s for event in heard if event.data[0] & 0xF0 == 0x90)
        errors = onset_errors(first, notes, heard)
        away = sorted(abs(error) for error in errors)
        return {
            "way": "sleep loop" + (", torch imported" if torch else ""),
            "notes": len(notes),
            "arrived": len(errors),
            "p50_ms": away[len(away) // 2],
            "p99_ms": away[int(len(away) * 0.99)],
            "max_ms": away[-1],
            "drift_ms": errors[-1],
        }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--period", type=int, default=256)
    parser.add_argument("--burners", type=int, default=0, help="processes that burn a core each")
    parser.add_argument("--naive", action="store_true")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    if (reason := why_not()) is not None:
        sys.stderr.write(f"cannot measure: {reason}\n")
        return 2
    results: list[dict[str, object]] = []
    with JackServer(period=given.period) as server:
        burners = [subprocess.Popen([sys.executable, "-c", "while 1: pass"]) for _ in range(given.burners)]
        try:
            sys.stdout.write(
                f"{server.about}; {given.burners} burners; load {os.getloadavg()[0]:.1f}; {os.cpu_count()} cores\n"
            )
            for api in ("jack-client", "jack"):
                results.append(measure(api, given.seconds))
                sys.stdout.write(row(results[-1]) + "\n")
            if given.naive:
                for torch in (False, True):
                    results.append(naive(given.seconds, torch))
                    sys.stdout.write(row(results[-1]) + "\n")
        finally:
            for burner in burners:
                burner.kill()
                burner.wait()
    if given.json is not None:
        given.json.write_text(json.dumps({"server": server.about, "results": results}, indent=1))
    return 0


def row(result: dict[str, object]) -> str:
    return "  ".join(
        f"{name} {value:.3f}" if isinstance(value, float) else f"{name} {value}" for name, value in result.items()
    )


if __name__ == "__main__":
    raise SystemExit(main())
