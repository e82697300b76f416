"""A million hostile datagrams into a running `live`, and what becomes of the notes meanwhile.

    python tests/bench/osc_flood.py [--count 1000000] [--rate 20000] [--senders 16] [--faders 1000]

Malformed, truncated, huge, nested and out-of-range OSC at `--rate` datagrams a second (0: as fast as they go), from so
many senders that most of it passes what one sender may send and has to be read, decoded and refused, while
the internal transport plays the film on a private JACK server.  Printed: datagrams sent, memory of the bridge before
and after, how often an order of another client had to be repeated, answers to `/cue/ping` afterwards, and
|captured onset - composed onset| with and without the flood.
With `--faders N` there is a third pass, during which N control changes a second come in on the control port.
Changes of the music are left out of the flood, so that the composition stays what the notes are compared with.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import random
import select
import socket
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

from expensive import LISTED
from jacklab import Capture, Controller, JackServer, still_sounding, why_not
from livelab import CLIP, Live, compose, composed_notes, match, port_name, struck
from timed_live import slowest, turns_between

from bridge.osc.codec import OscError, decode, encode, encode_bundle
from engine.music.controls import CONTROLS

STATES = [control.address for control in CONTROLS if control.access == "state"]
SETS = [control.address for control in CONTROLS if control.access == "value" and control.address != "/cue/loop"]


def hostile(rng: random.Random) -> bytes:
    kind = rng.randrange(8)
    if kind == 0:
        return rng.randbytes(rng.choice([0, 3, 40, 300, 1400]))
    if kind == 1:
        data = encode("/cue/status")
        for _ in range(rng.randrange(1, 40)):
            data = encode_bundle([data])
        return data
    if kind == 2:
        return b"#bundle\x00" + rng.randbytes(8) + struct.pack(">i", rng.choice([-4, 0, 2**31 - 1])) + rng.randbytes(8)
    if kind == 3:
        return encode(rng.choice(SETS), [b"blob" * rng.randrange(60), "x" * 300])
    if kind == 4:
        return encode("/" + "".join(rng.choice("cue/*?[]{}!-,") for _ in range(60)), [1])
    if kind == 5:
        return encode("/cue/*", [])[: rng.randrange(4, 12)]
    if kind == 6:
        return encode(rng.choice(SETS), [1e30 if rng.random() < 0.5 else -1e30, 5, 5])
    return encode(rng.choice(STATES))


def through_the_codec(count: int) -> str:
    """As many datagrams again, no two alike, through the decoder alone: anything but an OscError ends the bench."""
    rng, refused, began = random.Random(2), 0, time.perf_counter()
    before = memory_mb(os.getpid())
    for _ in range(count):
        data = bytearray(hostile(rng))
        for _ in range(rng.randrange(3)):
            if data:
                data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            decode(bytes(data))
        except OscError:
            refused += 1
    took_s = time.perf_counter() - began
    return f"{count} in {took_s:.0f} s, {refused} refused, {memory_mb(os.getpid()) - before:+.1f} MB"


def memory_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def count_answers(clients: list[socket.socket], answers: Any, stop: threading.Event) -> None:
    """answers: how many came, and in how many of them an error was said."""
    while not stop.is_set():
        for client in select.select(clients, (), (), 0.2)[0]:
            with contextlib.suppress(OSError):
                data = client.recv(65_507)
                answers[0] += 1
                answers[1] += b"/cue/error" in data


def flood(port: int, count: int, rate: int, senders: int, answers: Any) -> None:
    """In a process of its own, so that the capture's thread does not wait for it."""
    stop = threading.Event()
    rng = random.Random(1)
    prepared = [hostile(rng) for _ in range(20_000 - 5 * len(LISTED))] + [each.data for each in LISTED] * 5
    rng.shuffle(prepared)
    began = time.perf_counter()
    with contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(max(senders, 1))
        ]
        for client in clients:
            client.bind(("127.0.0.1", 0))
        threading.Thread(target=count_answers, args=(clients, answers, stop), daemon=True).start()
        for number in range(count):
            clients[number % len(clients)].sendto(prepared[number % len(prepared)], ("127.0.0.1", port))
            if rate and number % 50 == 0:
                time.sleep(max(began + number / rate - time.perf_counter(), 0))
        time.sleep(0.5)
        stop.set()
        time.sleep(0.3)


@contextlib.contextmanager
def faders(target: str, per_s: int) -> Iterator[None]:
    """Somebody moves all faders at once: so many control changes a second on the control port."""
    done = threading.Event()

    def move(hand: Controller) -> None:
        number = 0
        while not done.wait(0.01):
            hand.play(*((0xB5, 1 + (number + i) % 60, (number + i) % 128) for i in range(per_s // 100)))
            number += per_s // 100

    with Controller("faders") as hand:
        hand.connect(target)
        thread = threading.Thread(target=move, args=(hand,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def insist(live: Live, address: str, *arguments: object) -> int:
    """Sends until it is answered, as a person presses again; returns how often it had to be repeated."""
    for repeated in range(100):
        answer = live.send(address, *arguments)
        if answer is not None and answer.address == address:
            return repeated
    raise RuntimeError(f"{address} was never answered")


def passes(live: Live, capture: Capture, composed: list, seconds: float) -> str:
    """Plays once from the beginning for some seconds and compares."""
    capture.events.clear()
    lost = capture.lost_cycles
    repeated = insist(live, "/cue/locate", 0.0) + insist(live, "/cue/play")
    time.sleep(seconds)
    repeated += insist(live, "/cue/stop")
    time.sleep(0.4)
    heard = capture.heard()
    found = match(struck(heard), [note for note in composed if note[0] < seconds - 0.5])
    figures = found.summary_ms()
    late = f"p50 {figures['p50_ms']:.2f} p99 {figures['p99_ms']:.2f} max {figures['max_ms']:.2f} ms"
    hanging = len(still_sounding([event.data for event in heard]))
    words = f"missing {len(found.missing)}, left sounding {hanging}, orders repeated {repeated}"
    return f"{figures['notes']} notes, {late}; {words}; JACK cycles lost {capture.lost_cycles - lost}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--rate", type=int, default=20_000)
    parser.add_argument("--faders", type=int, default=0, metavar="PER_S")
    parser.add_argument("--senders", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=28.0, help="of one pass of the film")
    options = parser.parse_args()
    if why_not() is not None:
        print(why_not())
        return 0
    print(f"decoder: {through_the_codec(options.count)}", flush=True)
    with tempfile.TemporaryDirectory() as folder, JackServer(period=256) as server:
        home = Path(folder)
        compose(CLIP, home / "c.mid", home)
        composed = composed_notes(home / "c.mid")
        program = Live(CLIP, home, "--midi-api", "jack-client", "--no-session", "--osc-folder", str(home))
        turns = home / "turns.jsonl"
        timed = [sys.executable, str(Path(__file__).with_name("timed_live.py")), str(turns)]
        program.command[: program.command.index("live") + 1] = timed
        with program as live, Capture() as capture:
            ready = live.ready()
            capture.connect(port_name(ready))
            print(f"{server.about}; player priority {ready.get('priority')}")
            idle_s = time.perf_counter()
            print(f"idle:    {passes(live, capture, composed, options.seconds)}")
            pid = live.process.pid
            before = memory_mb(pid)
            context = multiprocessing.get_context("spawn")
            answers = context.Array("q", 2)
            flooder = context.Process(
                target=flood,
                args=(live.osc_port, options.count, options.rate, options.senders, answers),
                daemon=True,
            )
            began = time.perf_counter()
            flooder.start()
            time.sleep(1.0)
            print(f"flooded: {passes(live, capture, composed, options.seconds)}")
            middle = memory_mb(pid)
            flooder.join()
            took_s = time.perf_counter() - began
            time.sleep(1.0)
            pings = sum(live.send("/cue/ping") is not None for _ in range(10))
            print(f"{options.count} datagrams in {took_s:.1f} s; {pings} of 10 pings answered afterwards")
            for name, from_s, to_s in (("idle", idle_s, began), ("flooded", began, began + took_s)):
                count, most_ms, above = turns_between(turns, from_s, to_s)
                print(f"turns {name}: {count}, at most {most_ms:.1f} ms of processor time, {above} above 20 ms")
                for words in slowest(turns, from_s, to_s):
                    print(f"    {words}")
            print(f"answered: {answers[0]}, of these errors {answers[1]}, {answers[1] / took_s:.0f} a second")
            print(f"bridge memory: {before:.1f} MB before, {middle:.1f} MB during, {memory_mb(pid):.1f} MB after")
            if options.faders:
                with faders(f"{port_name(ready).split(':')[0]}:CueBridge Control", options.faders):
                    print(f"faders:  {passes(live, capture, composed, options.seconds)}")
            print(f"exit code {live.quit()}; tracebacks {sum('Traceback' in line for line in live.errors)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
