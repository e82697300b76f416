"""Onset accuracy under load, one run and one schedule for all: 120 bpm sixteenths, captured frame-accurately on JACK.

    python tests/bench/load.py [--seconds 30] [--period 256] [--json FILE]

The player hangs on a bridge process of its own (`--hold`), the capture sits in another.  Conditions: idle; the real
engine composing take after take; two burning processes; hostile OSC at 20,000 datagrams a second into the bridge that
holds the player (OSC server, controls and a session run in that process).  Ways out: JACK
process callback and python-rtmidi; beside them a naive sleep loop in a process that imports torch, idle and with the
engine composing.  Printed: distance of each onset from the median (the constant part is a latency), p50/p99/max.
Aims: JACK callback p99 <= 0.1 ms in all; python-rtmidi p99 <= half a period + 1 ms with the engine composing.
Takes about ten times --seconds and a minute.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from bridge.engine_link import EngineLink
from bridge.osc.server import Datagram, OscServer
from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerOptions, PortOptions
from bridge.session import SessionOptions
from bridge.session_controls import Controls
from bridge.session_tempo import TempoWish
from engine.messages import AnalyseRequest, Composed, ComposeRequest, EngineReady, FilmAnalysed
from engine.music import Take, TempoMap
from tests.bench.player_jitter import naive, onset_errors, row, schedule, spread
from tests.jacklab import Capture, JackServer, still_sounding, why_not
from tests.livelab import CLIP
from tests.sessionlab import Stage

FLOOD = """
import sys
sys.path[:0] = [sys.argv[1] + "/tests/bench", sys.argv[1] + "/tests", sys.argv[1]]
from osc_flood import flood
flood(int(sys.argv[2]), 10**9, int(sys.argv[3]), 1, [0, 0])
"""


@contextlib.contextmanager
def idle() -> Iterator[Callable[[], str]]:
    yield lambda: ""


@contextlib.contextmanager
def composing() -> Iterator[Callable[[], str]]:
    """The real engine process composes the bundled film again and again."""
    inbox: queue.SimpleQueue = queue.SimpleQueue()
    stop = threading.Event()
    done = [0]
    with EngineLink(inbox.put) as engine:
        _await(inbox, EngineReady)
        engine.send(AnalyseRequest(1, str(CLIP), "quick"))
        _await(inbox, FilmAnalysed)

        def again() -> None:
            while not stop.is_set():
                done[0] += 1
                engine.send(ComposeRequest(1 + done[0], TempoMap.constant(120), take=Take(1 + done[0] % 999)))
                while not stop.is_set():
                    with contextlib.suppress(queue.Empty):
                        if isinstance(inbox.get(timeout=0.2), Composed):
                            break

        thread = threading.Thread(target=again, daemon=True)
        thread.start()
        try:
            yield lambda: f"{done[0]} compositions"
        finally:
            stop.set()
            thread.join(2)


def _await(inbox: queue.SimpleQueue, kind: type) -> None:
    end = time.monotonic() + 120
    while not isinstance(inbox.get(timeout=max(end - time.monotonic(), 0.1)), kind):
        pass


@contextlib.contextmanager
def burning(count: int = 2) -> Iterator[Callable[[], str]]:
    burners = [subprocess.Popen([sys.executable, "-c", "while 1: pass"]) for _ in range(count)]
    try:
        yield lambda: f"{count} processes"
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


@contextlib.contextmanager
def flooded(rate: int = 20_000) -> Iterator[Callable[[], str]]:
    """In the process that holds the measured player: OSC server, controls and a session, and a flood into them."""
    with PlayerLink(PlayerOptions(ports=PortOptions("none"))) as player:
        stage = Stage(player, SessionOptions("film.mp4", tempo=TempoWish(bpm=120)), 30.0)
        stage.ready()
        inbox: queue.Queue[Datagram] = queue.Queue(4096)

        def take(datagram: Datagram) -> bool:
            with contextlib.suppress(queue.Full):
                inbox.put_nowait(datagram)
                return True
            return False

        server = OscServer("127.0.0.1", 0, take)
        controls = Controls(stage.session, server.send, server.send_error)
        server.start()
        stop = threading.Event()

        def run() -> None:
            while not stop.is_set():
                with contextlib.suppress(queue.Empty):
                    for _ in range(64):
                        controls.datagram(inbox.get(timeout=0.01))
                stage.step()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        sender = subprocess.Popen([sys.executable, "-c", FLOOD, str(ROOT), str(server.port), str(rate)])
        began = time.monotonic()
        try:
            yield lambda: f"{server.received / max(time.monotonic() - began, 0.1):.0f} datagrams a second arrived"
        finally:
            sender.kill()
            sender.wait()
            stop.set()
            thread.join(2)
            server.close()


def hold(api: str, seconds: float, flood: bool) -> None:
    """The bridge process: holds the player that is measured; prints what the player says of itself."""
    with flooded() if flood else idle() as facts, PlayerLink(PlayerOptions(ports=PortOptions(api=api))) as link:
        link.set_tempo_map(TempoMap.constant(120), 1)
        link.load_plan(1, "beats", schedule(seconds), [], 0.0)
        link.wait_for(lambda status: status.revision == 1, 10.0)
        print("READY", flush=True)
        sys.stdin.readline()
        link.play()
        worst, end = 0.0, time.monotonic() + seconds + 20
        status = link.poll()
        while time.monotonic() < end:
            status = link.poll()
            assert status is not None
            worst = max(worst, status.worst_late_ms)
            if status.position_s > seconds + 0.3:
                break
            time.sleep(0.02)
        link.stop()
        time.sleep(0.3)
        first = next(event for event in link.drain_events() if event.status & 0xF0 == 0x90)
        assert status is not None
        said = {
            "zero_s": first.host_s - first.position_s, "player_worst_late_ms": worst, "xruns": status.xruns,
            "priority": status.priority, "late": status.late, "dropped": status.dropped, "load": facts(),
        }  # fmt: skip
        print(json.dumps(said), flush=True)


def measure(api: str, seconds: float, flood: bool) -> dict[str, object]:
    command = [sys.executable, __file__, "--hold", api, "--seconds", str(seconds), *(["--flood"] if flood else [])]
    notes = schedule(seconds)
    with Capture() as capture:
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert child.stdin is not None and child.stdout is not None
        child.stdout.readline()
        capture.connect("CueBridge:CueBridge")
        lost = capture.lost_cycles
        child.stdin.write("go\n")
        child.stdin.flush()
        said = json.loads(child.stdout.readline())
        lost = capture.lost_cycles - lost
        child.wait(20)
        heard = capture.heard()
    errors = onset_errors(said.pop("zero_s"), notes, heard)
    left = still_sounding([event.data for event in heard], doubled_too=False)
    facts = {"way": api, "notes": len(notes), "arrived": len(errors), **spread(errors)}
    return {**facts, "left_sounding": len(left), "lost_cycles": lost, **said}


CONDITIONS: dict[str, Callable[[], contextlib.AbstractContextManager[Callable[[], str]]]] = {
    "idle": idle,
    "engine composing": composing,
    "two burning processes": burning,
    "OSC flood": idle,  # the flood goes into the process that holds the player
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--period", type=int, default=256)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--hold", choices=("jack-client", "jack"), help=argparse.SUPPRESS)
    parser.add_argument("--flood", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.hold is not None:
        hold(given.hold, given.seconds, given.flood)
        return 0
    if (reason := why_not()) is not None:
        sys.stderr.write(f"cannot measure: {reason}\n")
        return 2
    results: list[dict[str, object]] = []
    half_ms = given.period / 48000 * 500

    def tell(condition: str, result: dict[str, object], said: str) -> None:
        results.append({"condition": condition, **result})
        sys.stdout.write(f"{condition} ({said or os.getloadavg()[0]}): {row(result)}\n")
        sys.stdout.flush()

    with JackServer(period=given.period) as server:
        sys.stdout.write(f"{server.about}; half a period {half_ms:.2f} ms; {os.cpu_count()} cores\n")
        for condition, loaded in CONDITIONS.items():
            with loaded() as facts:
                for api in ("jack-client", "jack"):
                    tell(condition, measure(api, given.seconds, condition == "OSC flood"), facts())
                if condition in ("idle", "engine composing"):
                    tell(condition, naive(given.seconds, torch=True), facts())
    jack = [r for r in results if r["way"] == "jack-client"]
    engine = next(r for r in results if r["condition"] == "engine composing" and r["way"] == "jack")
    worst = max(float(r["p99_ms"]) for r in jack)  # type: ignore[arg-type]
    sys.stdout.write(
        f"JACK callback, worst p99 of all conditions: {worst:.3f} ms (aim 0.1); python-rtmidi with the engine "
        f"composing: p99 {engine['p99_ms']:.3f} ms (aim {half_ms + 1:.3f})\n"
    )
    if given.json is not None:
        given.json.write_text(json.dumps({"server": server.about, "results": results}, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
