"""A private JACK server (dummy driver, own name) and an independent, frame-accurate MIDI capture, for tests
and benches.

    with JackServer() as server:            # JACK_DEFAULT_SERVER is set while it runs
        with Capture("cap", 1) as capture:
            capture.connect("CueBridge:CueBridge", 0)

`why_not()` says why a JACK test cannot run here, or None.  Times are perf_counter seconds.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

# One name for the whole process: libjack keeps what it knows of a server's shared memory and hangs when a process turns
# to a server of another name.  One server at a time, then; it may be stopped and started again.
NAME = f"cuebridge-{os.getpid()}"


class Captured(NamedTuple):
    frame: int  # JACK frame on which it arrived
    host_s: float  # perf_counter of that frame
    port: int
    data: bytes


def why_not() -> str | None:
    if shutil.which("jackd") is None:
        return "jackd is not installed"
    if importlib.util.find_spec("jack") is None:
        return "JACK-Client is not installed"
    return None


NEEDS_JACK = [pytest.mark.jack, pytest.mark.slow, pytest.mark.skipif(why_not() is not None, reason=why_not() or "")]


class JackServer:
    """jackd -d dummy under a name nobody else uses.  realtime None: as the system allows."""

    def __init__(self, rate: int = 48000, period: int = 256, realtime: bool | None = None) -> None:
        self.name = NAME
        self.rate, self.period, self.realtime = rate, period, realtime
        self._process: subprocess.Popen[bytes] | None = None
        self._before: str | None = None

    def __enter__(self) -> JackServer:
        self._before = os.environ.get("JACK_DEFAULT_SERVER")
        os.environ["JACK_DEFAULT_SERVER"] = self.name
        os.environ["JACK_NO_START_SERVER"] = "1"
        os.environ["JACK_NO_AUDIO_RESERVATION"] = "1"
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self) -> None:
        """Also to start it again after `stop` (a server that restarts)."""
        ways = [True, False] if self.realtime is None else [self.realtime]
        for realtime in ways:
            if self._start(realtime):
                self.realtime = realtime
                return
        raise RuntimeError("jackd did not start")

    def _start(self, realtime: bool) -> bool:
        command = ["jackd", "-n", self.name, *(["-R", "-P70"] if realtime else ["-r"])]
        command += ["-t", "5000"]  # on a crowded machine a client may be long in answering without being dead
        command += ["-d", "dummy", "-r", str(self.rate), "-p", str(self.period)]
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the server)
        self._process = subprocess.Popen(
            command, stdout=self._log, stderr=self._log, stdin=subprocess.DEVNULL, start_new_session=True
        )
        end = time.monotonic() + 10
        while time.monotonic() < end and self._process.poll() is None:
            with contextlib.suppress(Exception):
                open_client("probe").close()
                return True
            time.sleep(0.05)
        self.stop()
        return False

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
        for stale in Path("/dev/shm").glob(f"jack_sem.{os.getuid()}_{self.name}_*"):
            with contextlib.suppress(OSError):
                stale.unlink()

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._before is None:
            os.environ.pop("JACK_DEFAULT_SERVER", None)
        else:
            os.environ["JACK_DEFAULT_SERVER"] = self._before

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def log(self) -> str:
        """The end of what jackd printed."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")[-1500:]

    @property
    def confused(self) -> bool:
        """jackd 1.9.21 reads one client's requests out of step for good when two of its threads make one at the same
        moment, as Ardour's do while it starts on a crowded machine; nothing helps but another server."""
        self._log.seek(0)
        log = self._log.read()
        return any(words in log for words in (b"Unknown request", b"Cannot read socket", b"CheckSize error"))

    @property
    def about(self) -> str:
        return f"jackd {'-R' if self.realtime else '-r'} dummy {self.rate} Hz, period {self.period}"


def open_client(name: str):
    """A JACK-Client client; libjack's chatter goes nowhere."""
    import jack

    jack.set_error_function(lambda message: None)
    jack.set_info_function(lambda message: None)
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        return jack.Client(name, no_start_server=True)
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


def _libjack(client: Any) -> tuple[ctypes.CDLL, ctypes.c_void_p]:
    """The library itself and a client's pointer, for what JACK-Client does not offer."""
    import jack

    library = ctypes.CDLL(jack._libname)
    library.jack_get_time.restype = ctypes.c_uint64
    library.jack_port_by_name.restype = ctypes.c_void_p
    return library, ctypes.c_void_p(int(jack._ffi.cast("intptr_t", client._ptr)))


def recompute_latencies(client: Any) -> None:
    """Has JACK ask all clients for their latencies anew."""
    library, pointer = _libjack(client)
    library.jack_recompute_total_latencies(pointer)


def latency(client: Any, port: str, playback: bool = False) -> int:
    """Frames of the longest way to (capture) or from (playback) a port, as JACK has it.

    Raises ValueError where there is no such port.
    """
    library, pointer = _libjack(client)
    found = library.jack_port_by_name(pointer, port.encode())
    if not found:
        raise ValueError(f"no port {port}")
    span = (ctypes.c_uint32 * 2)()  # jack_latency_range_t: min, max
    library.jack_port_get_latency_range(ctypes.c_void_p(found), int(playback), span)
    return span[1]


class Capture:
    """Every MIDI message that arrives, with its frame.  `autoconnect` names a port to be connected to input 0
    whenever it appears (a receiver that stays armed while the sender comes and goes)."""

    def __init__(self, name: str = "capture", ports: int = 1, autoconnect: str | None = None) -> None:
        self.client = open_client(name)
        self.ports = [self.client.midi_inports.register(f"in{index + 1}") for index in range(ports)]
        self.events: list[Captured] = []
        self.xruns = 0
        self.lost_cycles = 0
        self._library, pointer = _libjack(self.client)
        frame, now = ctypes.c_uint32(), ctypes.c_uint64()
        following, period = ctypes.c_uint64(), ctypes.c_float()
        last: list[int] = []

        def process(frames: int) -> None:
            self._library.jack_get_cycle_times(
                pointer,
                ctypes.byref(frame),
                ctypes.byref(now),
                ctypes.byref(following),
                ctypes.byref(period),
            )
            if last and frame.value - last[0] != frames:
                self.lost_cycles += 1
                if frame.value == last[0]:  # after a lost cycle JACK may run us twice on one: the same buffers again
                    return
            last[:] = [frame.value]
            for index, port in enumerate(self.ports):
                for offset, data in port.incoming_midi_events():
                    host_us = now.value + offset * period.value / frames
                    self.events.append(Captured(frame.value + offset, host_us / 1e6, index, bytes(data)))

        def xrun(_: float) -> None:
            self.xruns += 1

        self.client.set_process_callback(process)
        self.client.set_xrun_callback(xrun)
        self.client.activate()
        self._armed = threading.Event()
        self._auto = None
        if autoconnect is not None:
            self._auto = threading.Thread(target=self._keep_connected, args=(autoconnect,), daemon=True)
            self._auto.start()

    def _keep_connected(self, source: str) -> None:
        while not self._armed.wait(0.02):
            with contextlib.suppress(Exception):
                if not self.ports[0].is_connected_to(source):
                    self.client.connect(source, self.ports[0])

    def connect(self, source: str, port: int = 0, timeout_s: float = 5.0) -> None:
        """Waits for the source to appear."""
        end = time.monotonic() + timeout_s
        while True:
            try:
                self.client.connect(source, self.ports[port])
                return
            except Exception:
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)

    def offset_s(self) -> float:
        """JACK's clock minus perf_counter, now (they drift)."""
        best = (1e9, 0.0)
        for _ in range(5):
            before = time.perf_counter()
            reading = self._library.jack_get_time() / 1e6
            after = time.perf_counter()
            best = min(best, (after - before, reading - (before + after) / 2))
        return best[1]

    def heard(self, port: int = 0) -> list[Captured]:
        """Messages of one input with host times on perf_counter."""
        offset = self.offset_s()
        return [event._replace(host_s=event.host_s - offset) for event in list(self.events) if event.port == port]

    def close(self) -> None:
        self._armed.set()
        if self._auto is not None:
            self._auto.join(1)
        self.client.deactivate()
        self.client.close()

    def __enter__(self) -> Capture:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Rolled(NamedTuple):
    """One period in which the JACK transport rolled."""

    host_s: float  # JACK's clock at its beginning
    position_s: float


class Looper:
    """Moves the JACK transport and loops it as programs that loop by it do: in the period in which the end is reached
    the transport is located to the start.  Nobody can do it without a gap: JACK asks every client whether it is ready
    before it rolls again.  `rolled`: every period in which it rolled, as JACK itself said."""

    def __init__(self, name: str = "looper") -> None:
        self.client = open_client(name)
        self.rolled: list[Rolled] = []
        self.loop: tuple[float, float] | None = None
        self.rate = int(self.client.samplerate)

        def process(frames: int) -> None:
            state, place = self.client.transport_query_struct()
            if state != 1:
                return
            self.rolled.append(Rolled(place.usecs / 1e6, place.frame / self.rate))
            loop = self.loop
            if loop is not None and place.frame + frames >= round(loop[1] * self.rate):
                self.client.transport_frame = round(loop[0] * self.rate)

        self.client.set_process_callback(process)
        self.client.activate()

    def locate(self, position_s: float, roll: bool = False) -> None:
        self.client.transport_frame = round(position_s * self.rate)
        time.sleep(0.1 if roll else 0.8)

    def play(self) -> None:
        self.client.transport_start()

    def stop(self) -> None:
        self.client.transport_stop()
        time.sleep(0.3)

    def stretches(self, offset_s: float) -> list[list[Rolled]]:
        """What rolled without a jump, on perf_counter.  offset_s: JACK's clock minus perf_counter.  A start takes two
        periods at least; by less than one, JACK's word for a period's time is off on a crowded machine."""
        period_s = self.client.blocksize / self.rate
        found: list[list[Rolled]] = []
        for host, position in list(self.rolled):
            now = Rolled(host - offset_s, position)
            last = found[-1][-1] if found else None
            if last is None or abs(now.position_s - last.position_s - (now.host_s - last.host_s)) > period_s:
                found.append([])
            found[-1].append(now)
        return found

    def close(self) -> None:
        self.client.deactivate()
        self.client.close()

    def __enter__(self) -> Looper:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Controller:
    """A person's faders, pads and pedals: what is played goes out on one port, a message a cycle's frame."""

    def __init__(self, name: str = "controller") -> None:
        self.client = open_client(name)
        self._out = self.client.midi_outports.register("out")
        self._queue: deque[bytes] = deque()

        def process(frames: int) -> None:
            self._out.clear_buffer()
            for frame in range(min(len(self._queue), frames)):
                self._out.write_midi_event(frame, self._queue.popleft())

        self.client.set_process_callback(process)
        self.client.activate()

    @property
    def port(self) -> str:
        return str(self._out.name)

    def connect(self, target: str) -> None:
        self.client.connect(self._out, target)

    def play(self, *messages: Sequence[int]) -> None:
        self._queue.extend(bytes(message) for message in messages)

    def close(self) -> None:
        self.client.deactivate()
        self.client.close()

    def __enter__(self) -> Controller:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def still_sounding(messages: list[bytes], doubled_too: bool = True) -> list[tuple[int, int]]:
    """(channel 0..15, pitch) that were struck and not released.  A key struck while it sounds counts as an
    error too: it is returned even if one off follows."""
    count: dict[tuple[int, int], int] = {}
    doubled: list[tuple[int, int]] = []
    for data in messages:
        kind, key = data[0] & 0xF0, (data[0] & 0x0F, data[1] if len(data) > 1 else 0)
        if kind == 0x90 and data[2]:
            if count.get(key) and doubled_too:
                doubled.append(key)
            count[key] = 1
        elif kind == 0x80 or (kind == 0x90 and not data[2]):
            count[key] = max(count.get(key, 0) - 1, 0)
    return sorted({key for key, value in count.items() if value} | set(doubled))
