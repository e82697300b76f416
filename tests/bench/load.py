"""Onset accuracy under load, one run and one schedule for all: 120 bpm sixteenths, captured frame-accurately on JACK.

    python tests/bench/load.py [--seconds 60] [--period 256] [--only idle,burners,composing,flood] [--no-naive]

Each measurement is a process of its own that holds the capture and nothing else (a thread of a load that shared its
interpreter lock would hold up the JACK graph); the player hangs on a bridge process of its own (`--hold`).  Conditions:
idle; the real engine composing take after take; two burning processes; hostile OSC at 20,000 datagrams a second into
the bridge that holds the player (OSC server, controls and a session run in that process).  Ways out: JACK process
callback and python-rtmidi; beside them a naive sleep loop in a process that imports torch, idle and with the engine
composing.  Printed: distance of each onset from the median (the constant part is a latency), p50/p99/max.

Two yardsticks run beside each of our ways and say what part of the tail is the machine's.  **bare loop**: a process
that does nothing but wait for a deadline every 5 ms, with the player's priority, its memory locked; how late it wakes.
**no thread**: what python-rtmidi would do with a thread that is never late: each message goes out in the first JACK
period that begins after its time, written by that period's own callback.

Aims: JACK callback p99 <= 0.1 ms in all; python-rtmidi p99 <= half a period + 1 ms with the engine composing.
Takes about ten times --seconds and a minute; `--only` splits it.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
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

from bridge.controls.dispatch import Controls
from bridge.engine_link import EngineLink
from bridge.osc.server import Datagram, OscServer
from bridge.player.jack_output import JackTime
from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerOptions, PortOptions
from bridge.player.priority import FIFO_PRIORITY, ask_for_realtime
from bridge.session.session import SessionOptions
from engine.brief import Brief
from engine.music import Take, TempoMap
from engine.process.messages import AnalyseRequest, Composed, ComposeRequest, EngineReady, FilmAnalysed
from tests.bench.player_jitter import naive, onset_errors, row, schedule, spread
from tests.jacklab import Capture, Captured, JackServer, open_client, still_sounding, why_not
from tests.livelab import CLIP
from tests.sessionlab import Stage

FLOOD = """
import sys
sys.path[:0] = [sys.argv[1] + "/tests/bench", sys.argv[1] + "/tests", sys.argv[1]]
from osc_flood import flood
flood(int(sys.argv[2]), 10**9, int(sys.argv[3]), 1, [0, 0])
"""


BARE = """
import ctypes, gc, json, os, sys, time
gc.disable()
lib = ctypes.CDLL(None)
try:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(int(sys.argv[2])))
except OSError:
    pass
lib.mlockall(7)
class Spec(ctypes.Structure):
    _fields_ = [("s", ctypes.c_long), ("ns", ctypes.c_long)]
wait, late, due = lib.clock_nanosleep, [], time.monotonic_ns() + 10**8
for _ in range(int(float(sys.argv[1]) * 200)):
    due += 5_000_000
    wait(1, 1, ctypes.byref(Spec(due // 10**9, due % 10**9)), None)
    late.append((time.monotonic_ns() - due) / 1e6)
late.sort()
pick = lambda part: late[min(len(late) - 1, int(part * len(late)))]
said = {"p99_ms": pick(0.99), "p999_ms": pick(0.999), "max_ms": late[-1], "over_1_ms": sum(x > 1 for x in late)}
print(json.dumps(said))
"""


class NoThread:
    """Messages every 23.7 ms, each in the first period that begins after its time: no thread can be late."""

    STEP_S = 0.0237

    def __init__(self) -> None:
        self.client = open_client("yardstick")
        self._out = self.client.midi_outports.register("out")
        time_of = JackTime(self.client)
        self.begun_us = 0.0
        self.sent = 0

        def process(frames: int) -> None:
            self._out.clear_buffer()
            _, now_us, _ = time_of.cycle()
            self.begun_us = self.begun_us or float(now_us)
            while self.begun_us + self.sent * self.STEP_S * 1e6 <= now_us:
                k = self.sent % (128 * 127)
                self._out.write_midi_event(0, (0x90, k % 128, 1 + k // 128))
                self.sent += 1

        self.client.set_process_callback(process)
        self.client.activate()

    def errors_ms(self, heard: list[Captured]) -> list[float]:
        """heard: as captured, in order, on JACK's clock."""
        keys = {(event.data[1], event.data[2]): event.host_s for event in heard}
        return [
            (keys[k % 128, 1 + k // 128] - self.begun_us / 1e6 - k * self.STEP_S) * 1000
            for k in range(min(self.sent, 128 * 127))
            if (k % 128, 1 + k // 128) in keys
        ]

    def close(self) -> None:
        self.client.deactivate()
        self.client.close()


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
        stage = Stage(player, SessionOptions("film.mp4", tempo=Brief(bpm=120)), 30.0)
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
    """In a process of its own: one way out, captured, with the two yardsticks beside it."""
    command = [sys.executable, __file__, "--hold", api, "--seconds", str(seconds), *(["--flood"] if flood else [])]
    notes = schedule(seconds)
    ask_for_realtime()  # this thread shares the capture's interpreter lock: it may not lose its core while it has it
    gc.disable()
    yardstick = NoThread()
    with Capture(ports=2) as capture:
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=as_usual)
        assert child.stdin is not None and child.stdout is not None
        child.stdout.readline()
        capture.connect("CueBridge:CueBridge")
        capture.connect("yardstick:out", 1)
        bare = [sys.executable, "-S", "-c", BARE, str(seconds), str(FIFO_PRIORITY)]
        alone = subprocess.Popen(bare, stdout=subprocess.PIPE, text=True)
        lost = capture.lost_cycles
        child.stdin.write("go\n")
        child.stdin.flush()
        said = json.loads(child.stdout.readline())
        lost = capture.lost_cycles - lost
        child.wait(20)
        heard = capture.heard()
        ideal = spread(yardstick.errors_ms([event for event in list(capture.events) if event.port == 1]))
        yardstick.close()
    errors = onset_errors(said.pop("zero_s"), notes, heard)
    left = still_sounding([event.data for event in heard], doubled_too=False)
    facts = {"way": api, "notes": len(notes), "arrived": len(errors), **spread(errors)}
    return {
        **facts,
        "left_sounding": len(left),
        "lost_cycles": lost,
        **said,
        "no_thread": {name: round(value, 3) for name, value in ideal.items()},
        "bare_loop": {name: round(value, 3) for name, value in json.loads(alone.communicate(timeout=20)[0]).items()},
    }


def as_usual() -> None:
    """In a child, before its program: no priority but what it asks for itself."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def in_a_process(way: str, seconds: float, flood: bool) -> dict[str, object]:
    command = [sys.executable, __file__, "--measure", way, "--seconds", str(seconds), *(["--flood"] if flood else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=seconds + 120)
    return json.loads(done.stdout)


CONDITIONS: dict[str, tuple[str, Callable[[], contextlib.AbstractContextManager[Callable[[], str]]]]] = {
    "idle": ("idle", idle),
    "composing": ("engine composing", composing),
    "burners": ("two burning processes", burning),
    "flood": ("OSC flood", idle),  # the flood goes into the process that holds the player
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--period", type=int, default=256)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", default=",".join(CONDITIONS), help=f"conditions, of {', '.join(CONDITIONS)}")
    parser.add_argument("--no-naive", action="store_true", help="without the sleep loop")
    parser.add_argument("--measure", choices=("jack-client", "jack", "naive"), help=argparse.SUPPRESS)
    parser.add_argument("--hold", choices=("jack-client", "jack"), help=argparse.SUPPRESS)
    parser.add_argument("--flood", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.hold is not None:
        hold(given.hold, given.seconds, given.flood)
        return 0
    if given.measure is not None:
        way, seconds = given.measure, given.seconds
        found = naive(seconds, torch=True) if way == "naive" else measure(way, seconds, given.flood)
        sys.stdout.write(json.dumps(found))
        return 0
    chosen = given.only.split(",")
    if unknown := [name for name in chosen if name not in CONDITIONS]:
        parser.error(f"no condition {unknown[0]!r}; there are {', '.join(CONDITIONS)}")
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
        for condition, loaded in (CONDITIONS[name] for name in chosen):
            with loaded() as facts:
                for api in ("jack-client", "jack"):
                    tell(condition, in_a_process(api, given.seconds, condition == "OSC flood"), facts())
                if condition in ("idle", "engine composing") and not given.no_naive:
                    tell(condition, in_a_process("naive", given.seconds, False), facts())
    jack = [float(r["p99_ms"]) for r in results if r["way"] == "jack-client"]  # type: ignore[arg-type]
    sys.stdout.write(f"JACK callback, worst p99 of these conditions: {max(jack):.3f} ms (aim 0.1)\n")
    for result in results:
        if result["condition"] == "engine composing" and result["way"] == "jack":
            sys.stdout.write(
                f"python-rtmidi with the engine composing: p99 {result['p99_ms']:.3f} ms (aim {half_ms + 1:.3f})\n"
            )
    if given.json is not None:
        given.json.write_text(json.dumps({"server": server.about, "results": results}, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
