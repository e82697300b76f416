"""Malformed, huge, nested and out-of-range datagrams against a running session, through the real socket.

A tenth of the full run; tests/bench/osc_flood.py sends a million and measures notes meanwhile.
"""

from __future__ import annotations

import contextlib
import random
import resource
import socket
import struct
import threading
import time

import pytest

from bridge.controls.dispatch import Controls
from bridge.osc.codec import decode, encode, encode_bundle
from bridge.osc.fair_queue import FairQueue
from bridge.osc.server import OscServer
from engine.music.controls import CONTROLS

COUNT = 100_000
SENDERS = 6
# What ends the run or moves the transport is left out: the point is that nothing else does.
SAFE = [
    control for control in CONTROLS if control.address not in ("/cue/quit", "/cue/stop", "/cue/locate", "/cue/loop")
]


def hostile(rng: random.Random) -> bytes:
    kind = rng.randrange(10)
    if kind == 0:
        return rng.randbytes(rng.randrange(0, 300))
    if kind == 1:
        return rng.randbytes(rng.choice([1400, 9000, 60_000])) if rng.random() < 0.02 else rng.randbytes(64)
    if kind == 2:
        data = encode("/cue/key")
        for _ in range(rng.randrange(1, 30)):
            data = encode_bundle([data])
        return data
    if kind == 3:
        return (
            b"#bundle\x00" + rng.randbytes(8) + struct.pack(">i", rng.choice([-4, 0, 2**31 - 1, 5])) + rng.randbytes(12)
        )
    address = rng.choice(SAFE).address
    if kind == 4:
        address = "/" + "".join(rng.choice("abcue/*?[]{}!-,") for _ in range(rng.randrange(1, 60)))
    values = [
        rng.choice(
            [float("nan"), float("inf"), -1, 2**40, 1e300, "x" * rng.randrange(200), b"\x00", None, True,
             rng.random() * 200, rng.randrange(-200, 200), "C Am F G", "picture", "loop"]
        )
        for _ in range(rng.randrange(4))
    ]  # fmt: skip
    values = [0.0 if isinstance(value, float) and abs(value) > 1e38 else value for value in values]
    data = bytearray(encode(address, values))
    if kind == 5:
        del data[rng.randrange(len(data)) :]
    if kind == 6:
        data[rng.randrange(len(data))] = rng.randrange(256)
    if kind == 7:
        return encode_bundle([bytes(data), encode("/cue/swing", [rng.uniform(40, 80)]), encode("/cue/take")])
    return bytes(data)


@pytest.mark.slow
def test_a_hundred_thousand_hostile_datagrams(real_stage) -> None:
    made = real_stage(12.0)
    session = made.session
    datagrams = FairQueue()
    server = OscServer("127.0.0.1", 0, datagrams.put)
    controls = Controls(session, server.send, server.send_error)
    server.start()
    rng = random.Random(11)
    prepared = [hostile(rng) for _ in range(5000)]
    done = threading.Event()

    def flood() -> None:
        with contextlib.ExitStack() as stack:  # several senders: one alone is cut off before much of it is read
            clients = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(SENDERS)]
            for number in range(COUNT):
                clients[number % SENDERS].sendto(prepared[number % len(prepared)], ("127.0.0.1", server.port))
                if number % 200 == 0:
                    time.sleep(0.01)
        done.set()

    session.loop(True, 0.0, 8.0)
    session.play()
    made.until(lambda: session.rolling)
    threading.Thread(target=flood, daemon=True).start()
    handled, memory = 0, 0
    end = time.perf_counter() + 240
    try:
        while (not done.is_set() or len(datagrams)) and time.perf_counter() < end:
            for _ in range(64):
                if (datagram := datagrams.get()) is None:
                    break
                controls.datagram(datagram)
                handled += 1
            made.step()
            if handled > 1000 and not memory:
                memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert done.is_set() and handled > 2000
        # It still answers, plays, and has not grown.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.bind(("127.0.0.1", 0))
            client.settimeout(0.05)
            heard = None
            # What the system still held of the flood comes first.
            end = time.perf_counter() + 60
            while heard != "/cue/ping" and time.perf_counter() < end:
                client.sendto(encode("/cue/ping"), ("127.0.0.1", server.port))
                time.sleep(0.05)
                while (datagram := datagrams.get()) is not None:
                    controls.datagram(datagram)
                try:
                    heard = decode(client.recv(65536))[0].address
                except TimeoutError:
                    continue
            assert heard == "/cue/ping"
        assert session.rolling
        # Undo history and takes are bounded too; what they hold is all that may grow.
        grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024
        assert grown_mb < 150, grown_mb
    finally:
        server.close()
