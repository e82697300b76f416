"""Output through the JACK process callback: every message is written on its own frame.

The player's thread hands messages over ahead of their time (`lookahead_s`: a period and the thread's own
lateness); the callback only takes those of its period and writes them.  Frame times come from
jack_get_cycle_times with the period length it states: after an xrun the next cycle's start minus this one's
can be zero or negative.

JACK counts microseconds on its own clock (CLOCK_MONOTONIC_RAW on Linux), which drifts from
`time.perf_counter`: the offset is measured again every quarter of a second.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

os.environ.setdefault("JACK_NO_START_SERVER", "1")
try:
    import jack  # the variable has to be set before libjack is loaded
except OSError as error:
    raise ImportError(f"libjack, the library of JACK, cannot be loaded ({error})") from None

from bridge.player.errors import PortError
from bridge.player.port_types import ControlIn, PortLostError, SyncIn, no_source, one_line, quiet_stderr
from bridge.player.scheduler import Due

MARGIN_S: Final = 0.004  # how late the player's thread may be before a message misses its frame
OFFSET_AGE_S: Final = 0.25
CONNECT_S: Final = 1.0  # longest wait for a connection to be in force


def _silent(message: str) -> None:
    """libjack's own messages; what matters arrives as exceptions."""


def _common(names: tuple[str, ...]) -> str:
    """`CueBridge` for `CueBridge Pad`, `CueBridge Arp`."""
    words = [name.split() for name in names]
    shared = [column[0] for column in zip(*words, strict=False) if len(set(column)) == 1]
    return " ".join(shared) or names[0]


class JackTime:
    """libjack's clock and cycle times, which JACK-Client does not wrap."""

    def __init__(self, client: Any) -> None:
        # The library is loaded already; the symbols are found through the module's own handle's name.
        self._lib = ctypes.CDLL(jack._libname)
        self._lib.jack_get_time.restype = ctypes.c_uint64
        self._lib.jack_get_cycle_times.argtypes = [
            ctypes.c_void_p,
            ctypes.POINTER(ctypes.c_uint32),
            ctypes.POINTER(ctypes.c_uint64),
            ctypes.POINTER(ctypes.c_uint64),
            ctypes.POINTER(ctypes.c_float),
        ]
        self._client = ctypes.c_void_p(int(jack._ffi.cast("intptr_t", client._ptr)))
        self._frames, self._now = ctypes.c_uint32(), ctypes.c_uint64()
        self._next, self._period = ctypes.c_uint64(), ctypes.c_float()
        self.last_offset_us = 0.0
        self._measured_s = -1e9
        self.offset_us()

    def cycle(self) -> tuple[int, int, float]:
        """(first frame, its JACK microsecond, microseconds of the period); in the callback only."""
        self._lib.jack_get_cycle_times(self._client, self._frames, self._now, self._next, self._period)
        return self._frames.value, self._now.value, self._period.value

    def offset_us(self) -> float:
        """JACK microseconds minus perf_counter in microseconds; the tightest of three readings."""
        now = time.perf_counter()
        if now - self._measured_s > OFFSET_AGE_S:
            best = 1e9
            for _ in range(3):
                before = time.perf_counter()
                reading = self._lib.jack_get_time()
                after = time.perf_counter()
                if after - before < best:
                    best = after - before
                    self.last_offset_us = reading - (before + after) * 5e5
            self._measured_s = now
        return self.last_offset_us


def open_client(name: str) -> Any:
    """A client on the running server.  Raises PortError; never starts a server."""
    jack.set_error_function(_silent)
    jack.set_info_function(_silent)
    try:
        with quiet_stderr():
            return jack.Client(name, no_start_server=True)
    except jack.JackError as error:
        server = os.environ.get("JACK_DEFAULT_SERVER")
        where = f" '{server}'" if server else ""
        raise PortError(f"no JACK server{where} is running ({one_line(error)})") from None


def connect_all(client: Any, pairs: Sequence[tuple[str, str]]) -> None:
    """Connects (our port, their port) and waits until the running graph has the connections: what is written
    before that is heard by nobody."""
    wanted = []
    for ours, theirs in pairs:
        with contextlib.suppress(jack.JackError):
            client.connect(ours, theirs)
            wanted.append((ours, theirs))
    end = time.perf_counter() + CONNECT_S
    while wanted and time.perf_counter() < end:
        time.sleep(2 * client.blocksize / client.samplerate)
        with contextlib.suppress(jack.JackError):
            wanted = [(ours, theirs) for ours, theirs in wanted if theirs not in _peers(client, ours)]
    if pairs:
        time.sleep(2 * client.blocksize / client.samplerate)


def _peers(client: Any, port: str) -> list[str]:
    return [peer.name for peer in client.get_all_connections(client.get_port_by_name(port))]


class JackOutput:
    """One MIDI output port per name on one client."""

    api = "jack-client"

    def __init__(
        self,
        names: tuple[str, ...],
        reason: str = "",
        sync_in: SyncIn | None = None,
        clock_port: str = "",
        control: ControlIn | None = None,
    ) -> None:
        self.names = names
        self.xruns = 0
        self.alive = True
        self.sync_port = self.control_port = self.fault = ""
        self._client = open_client(names[0] if len(names) == 1 else _common(names))
        try:
            self._ports = [self._client.midi_outports.register(name) for name in names]
            self._clock_index = len(self._ports) if clock_port else -1
            self._written = [*self._ports]
            if clock_port:
                self._written.append(self._client.midi_outports.register(clock_port))
            self._sync_in, self._sync = sync_in, None
            if sync_in is not None:
                self._sync = self._client.midi_inports.register(sync_in.name)
                self.sync_port = self._sync.name
            self._control_in, self._control = control, None
            if control is not None:
                self._control = self._client.midi_inports.register(control.name)
                self.control_port = self._control.name
            self._time = JackTime(self._client)
            # Each in the order of its own time; notes do not wait behind a clock that is due later.
            self._queue: deque[tuple[float, int, bytes]] = deque()
            self._clock_queue: deque[tuple[float, int, bytes]] = deque()
            self._client.set_process_callback(self._callback())
            self._client.set_xrun_callback(self._xrun)
            self._client.set_shutdown_callback(self._shutdown)
            self._client.activate()
            if control is not None and control.source:
                self._connect_control(control)
        except jack.JackError as error:
            self._client.close()
            raise PortError(f"JACK gives no port: {one_line(error)}") from None
        period_s = self._client.blocksize / self._client.samplerate
        self.lookahead_s = period_s + MARGIN_S
        self.reason = reason or (
            f"JACK process callback, {self._client.samplerate} Hz, {self._client.blocksize} frames"
        )

    def _callback(self) -> Callable[[int], None]:
        ports, queues, cycle = self._written, (self._queue, self._clock_queue), self._time.cycle
        sync, sync_in, clock = self._sync, self._sync_in, self._time
        pedal, control = self._control, self._control_in

        def process(frames: int) -> None:
            for port in ports:
                port.clear_buffer()
            if sync is not None and sync_in is not None:
                heard = [(offset, bytes(data)) for offset, data in sync.incoming_midi_events()]
                if heard:
                    _, start_us, period_us = cycle()
                    zero_us = start_us - clock.last_offset_us
                    for offset, data in heard:
                        sync_in.hear((zero_us + offset * period_us / frames) / 1e6, data)
            if pedal is not None and control is not None:
                touched = [(offset, bytes(data)) for offset, data in pedal.incoming_midi_events()]
                if touched:
                    _, start_us, period_us = cycle()
                    zero_us = start_us - clock.last_offset_us
                    for offset, data in touched:
                        control.hear((zero_us + offset * period_us / frames) / 1e6, data)
            for queue in queues:
                if not queue:
                    continue
                _, start_us, period_us = cycle()
                scale = frames / period_us
                while queue:
                    due_us, index, message = queue[0]
                    offset = int((due_us - start_us) * scale)
                    if offset >= frames:
                        break
                    queue.popleft()
                    try:
                        ports[index].write_midi_event(max(offset, 0), message)
                    except jack.JackError:  # the buffer of this period is full: the next one takes it
                        queue.appendleft((due_us, index, message))
                        break

        return process

    def _connect_control(self, control: ControlIn) -> None:
        own = {port.name for port in self._written}
        names = [port.name for port in self._client.get_ports(is_midi=True, is_output=True) if port.name not in own]
        found = next((name for name in names if control.source.lower() in name.lower()), None)
        if found is None:
            self.fault = no_source(control.source, names)
            return
        with contextlib.suppress(jack.JackError):
            self._client.connect(found, self._control)

    def _xrun(self, delay_us: float) -> None:
        self.xruns += 1

    def _shutdown(self, status: object, reason: str) -> None:
        self.alive = False

    def send(self, batch: Sequence[Due]) -> None:
        if not self.alive:
            raise PortLostError("the JACK server went away")
        offset = self._time.offset_us()
        for due in batch:
            self._queue.append((due.host_s * 1e6 + offset, due.port, bytes(due[3:])))

    def send_sync(self, batch: Sequence[tuple[float, bytes]]) -> None:
        if self._clock_index < 0:
            return
        if not self.alive:
            raise PortLostError("the JACK server went away")
        offset = self._time.offset_us()
        for host_s, message in batch:
            self._clock_queue.append((host_s * 1e6 + offset, self._clock_index, message))

    def drain(self, timeout_s: float) -> None:
        end = time.perf_counter() + timeout_s
        while self._queue and self.alive and time.perf_counter() < end:
            time.sleep(0.001)
        if self.alive:
            time.sleep(2 * self.lookahead_s)  # the period written last has to be carried to its readers

    def peers(self) -> tuple[tuple[str, str], ...]:
        if not self.alive:
            return ()
        self._time.offset_us()  # asked once a second: keeps the stamps of what is heard true
        try:
            return tuple(
                (name, peer.name)
                for name, port in zip(self.names, self._ports, strict=True)
                for peer in port.connections
            )
        except jack.JackError:
            return ()

    def connect(self, peers: Sequence[tuple[str, str]]) -> None:
        ports = dict(zip(self.names, self._ports, strict=True))
        made = [(ports[name].name, peer) for name, peer in peers if name in ports]
        connect_all(self._client, made)

    def close(self) -> None:
        with contextlib.suppress(Exception), quiet_stderr():
            if self.alive:
                self._client.deactivate()
            self._client.close()


class JackWatch:
    """A client without ports, beside rtmidi's on JACK: connections, and whether the server is still there."""

    def __init__(self, name: str) -> None:
        self.alive = True
        self._client = open_client(name)
        self._client.set_shutdown_callback(self._shutdown)

    def _shutdown(self, status: object, reason: str) -> None:
        self.alive = False

    def connections(self, port: str) -> tuple[str, ...]:
        if not self.alive:
            return ()
        try:
            found = self._client.get_port_by_name(port)
            return tuple(peer.name for peer in self._client.get_all_connections(found))
        except jack.JackError:
            return ()

    def connect(self, pairs: Sequence[tuple[str, str]]) -> None:
        connect_all(self._client, pairs)

    def close(self) -> None:
        with contextlib.suppress(Exception), quiet_stderr():
            self._client.close()


def probe() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(ports that take MIDI, ports that give it).  Raises PortError."""
    client = open_client("CueBridge probe")
    try:
        takes = tuple(port.name for port in client.get_ports(is_midi=True, is_input=True))
        gives = tuple(port.name for port in client.get_ports(is_midi=True, is_output=True))
    finally:
        with contextlib.suppress(Exception), quiet_stderr():
            client.close()
    return takes, gives
