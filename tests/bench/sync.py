"""Figures of the sync side, without hardware: accuracy, lock time, drift over an hour, loss, rubbish, chaos.

python tests/bench/sync.py accuracy [--period 1024]
python tests/bench/sync.py hour [--rates 23.976,24,…]      one simulated hour of timecode at each rate
python tests/bench/sync.py bytes [--count 10000000]        random bytes into every parser
python tests/bench/sync.py chaos [--events 100000]         random events over all sources, and over the
internal transport python tests/bench/sync.py packets                         microseconds to unpack what
crosses the pipe
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from bridge.player import messages as m
from bridge.player.performer import Performer
from bridge.player.tempo import TempoLine
from bridge.transport.midi_clock import ClockReader
from bridge.transport.midi_stream import MidiSplitter
from bridge.transport.mmc import read_mmc
from bridge.transport.mtc import MtcReader
from engine.music.timecode import FRAME_RATES, Timecode
from tests.bridge.player.stage import Port, Stage
from tests.bridge.transport.chaos import Chaos
from tests.bridge.transport.streams import Desk, bunched, clocks, quarter_frames

RATES = ("23.976", "24", "25", "29.97", "29.97 DF", "30")


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def summary(errors_s: list[float]) -> str:
    errors = sorted(abs(error) * 1000 for error in errors_s)
    pick = lambda part: errors[min(len(errors) - 1, int(part * len(errors)))]  # noqa: E731
    return f"p50 {pick(0.5):.3f} p99 {pick(0.99):.3f} max {errors[-1]:.3f} ms (n {len(errors)})"


def accuracy(period_s: float) -> None:
    say(
        "position error while locked, 60 s each; bunched = arrivals at the ends of JACK periods of "
        f"{period_s * 1e3:.1f} ms"
    )
    say("(half a period of delay is in the bunched figures; 'MIDI earlier-later' takes a constant away)")
    for name in RATES:
        rate = FRAME_RATES[name]
        first = Timecode.from_fields(1, 0, 0, 0, rate).frames
        zero = float(first / rate.fps)
        for kind in ("exact", "bunched"):
            stream = quarter_frames(rate, name, first, 60.0)
            heard = Desk("mtc", name).feed(bunched(stream, period_s) if kind == "bunched" else stream)
            lock = next(host for host, _, state in heard if state == "locked")
            errors = [position - zero - host for host, position, state in heard if state == "locked" and host > 2]
            say(f"  mtc {name:9s} {kind:8s} lock after {lock * 1e3:5.1f} ms  {summary(errors)}")
    for bpm in (60, 97, 120, 180):
        line = TempoLine.constant(bpm)
        for kind in ("exact", "bunched"):
            stream = clocks(line, 0.0, 60.0)
            desk = Desk("clock", tempo=line)
            heard = desk.feed([(0.0, b"\xfa"), *(bunched(stream, period_s) if kind == "bunched" else stream)])
            errors = [position - host for host, position, state in heard if state == "locked" and host > 2]
            say(f"  clock {bpm:4d} bpm {kind:8s} tempo {desk.synchronizer.measured_bpm():.3f}  {summary(errors)}")


def hour(rates: list[str]) -> None:
    say("one simulated hour of timecode, quarter frame by quarter frame, rate stated")
    for name in rates:
        rate = FRAME_RATES[name]
        first = Timecode.from_fields(0, 59, 30, 0, rate).frames
        begun = time.perf_counter()
        desk = Desk("mtc", name)
        zero, worst, last, jumps = float(first / rate.fps), 0.0, 0.0, 0
        for host_s, data in quarter_frames(rate, name, first, 3600.0):
            for change in desk.synchronizer.hear(host_s, data, host_s):
                jumps += change.jump
            if desk.follower.state == "locked":
                last = desk.follower.motion.position_at(host_s) - zero - host_s
                worst = max(worst, abs(last))
        frame = float(rate.frame_s)
        say(
            f"  {name:9s} drift {last / frame:+.4f} frames, worst {worst / frame:.4f} frames, jumps after the first "
            f"{jumps - 1}; {time.perf_counter() - begun:.0f} s of computing"
        )


def rubbish(count: int) -> None:
    pick = random.Random(1)
    splitter, mtc, clock = MidiSplitter(), MtcReader(), ClockReader()
    player = Performer(m.PlayerOptions(sync=m.SyncOptions("auto", "auto")), lambda: Port(), 0.0)  # type: ignore[arg-type,return-value]
    begun, done, messages, host_s = time.perf_counter(), 0, 0, 0.0
    while done < count:
        chunk = pick.randbytes(4096)
        done += len(chunk)
        host_s += 0.01
        for message in splitter.feed(chunk):
            messages += 1
            mtc.feed(message, host_s)
            clock.feed(message, host_s)
            read_mmc(message, host_s, mtc)
        if done % 40960 == 0:
            player.hear(host_s, chunk, host_s)
            player.step(host_s)
    say(f"{done} random bytes, {messages} messages, no exception; {time.perf_counter() - begun:.0f} s")


def chaos(events: int) -> int:
    failed = played = done = 0
    begun = time.perf_counter()
    for kind, make in (("sources", Chaos), ("internal", Stage)):
        done = played = 0
        seed = 0
        while done < events:
            run = make(10_000 + seed)
            seed += 1
            try:
                run.run(100)
            except AssertionError as error:
                failed += 1
                say(f"  {kind} seed {10_000 + seed - 1}: {error}")
            done, played = done + run.events, played + run.played
        say(f"  {kind}: {done} events, {played} notes, {failed} faults so far; {time.perf_counter() - begun:.0f} s")
    return 1 if failed else 0


def packets() -> None:
    plan = [m.PlanEvent(m.NOTE, 1, 1, 60, 90, i / 4, 0.2) for i in range(64 * 100)]
    packets_100 = list(m.pack_events(plan))
    player = Performer(m.PlayerOptions(), lambda: Port(), 0.0)  # type: ignore[arg-type,return-value]
    times = []
    for revision in range(2000):
        if revision % 100 == 0:
            player.begin_plan(revision, "beats", 0.0)
        before = time.thread_time()
        for event in m.unpack_events(packets_100[revision % 100][1:]):
            player.plan_event(*event)
        times.append(time.thread_time() - before)
    times.sort()
    before = time.thread_time()
    player.commit_plan(1900, 0.0)
    say(f"a plan of 6,400 notes taken over: {(time.thread_time() - before) * 1e6:.0f} us")
    say(
        "a packet of 64 notes, unpacked and put in: CPU time "
        f"p50 {times[1000] * 1e6:.0f} us, p99 {times[1980] * 1e6:.0f} us"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["accuracy", "hour", "bytes", "chaos", "packets"])
    parser.add_argument("--period", type=int, default=1024)
    parser.add_argument("--rates", default=",".join(RATES))
    parser.add_argument("--count", type=int, default=10_000_000)
    parser.add_argument("--events", type=int, default=100_000)
    given = parser.parse_args()
    if given.what == "accuracy":
        accuracy(given.period / 48000)
    elif given.what == "hour":
        hour(given.rates.split(","))
    elif given.what == "bytes":
        rubbish(given.count)
    elif given.what == "chaos":
        return chaos(given.events)
    else:
        packets()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
