"""A bridge without its rest: the real DawLink behind a real UDP socket, and what it was told."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from bridge.daw.link import DawEvents, DawLink
from bridge.osc import codec


class Heard(DawEvents):
    """Every event as (name, script, arguments), in order; `last` and `all` look things up."""

    def __init__(self):
        self.calls = []

    def _keep(self, name, *args):
        self.calls.append((name, args))

    def all(self, name):
        return [args for called, args in list(self.calls) if called == name]

    def last(self, name):
        found = self.all(name)
        return found[-1] if found else None


def _recorder(name):
    return lambda self, *args: self._keep(name, *args)


EVENTS = (
    *("hello", "bye", "transport", "loop", "tempo_map", "timecode", "markers", "regions", "names", "film"),
    *("capabilities", "session_path", "names_gone", "print_request", "thaw_request", "acknowledged", "note"),
)
for _name in EVENTS:
    setattr(Heard, _name, _recorder(_name))


class Desk:
    """UDP socket + DawLink + a thread that pumps, as the bridge's server does."""

    def __init__(self, tmp_path, port=0):
        self.events = Heard()
        self.link = DawLink(self.events, version="0.1.0", print_dir=tmp_path / "print")
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", port))
        self.socket.settimeout(0.02)
        self.port = self.socket.getsockname()[1]
        self.raw = []  # (arrived, address, arguments, types)
        self.drop = lambda message: False  # lose a datagram on its way in
        self.lock = threading.Lock()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._pump, daemon=True)
        self._thread.start()

    def _pump(self):
        while not self._end.is_set():
            try:
                data, sender = self.socket.recvfrom(65536)
            except (TimeoutError, ConnectionResetError):
                data = None
            now = time.perf_counter()
            out = []
            with self.lock:
                for message in codec.decode(data) if data else ():
                    self.raw.append((now, message.address, message.arguments, message.types))
                    if not self.drop(message):
                        out += self.link.handle_osc(message.address, message.arguments, sender, now)
                out += self.link.tick(now)
            self.send(out)

    def send(self, out):
        for one in out:
            self.socket.sendto(one.datagram, (one.host, one.port))

    def ask(self, method, *args):
        """Calls a method of the link and sends what it answers; the request's number if it has one."""
        with self.lock:
            answer = getattr(self.link, method)(*args)
        request, out = answer if isinstance(answer, tuple) else (None, answer)
        self.send(out)
        return request

    def wait(self, condition, timeout_s=30.0):
        end = time.perf_counter() + timeout_s
        while time.perf_counter() < end:
            found = condition()
            if found:
                return found
            time.sleep(0.01)
        raise AssertionError(
            f"nothing of the kind within {timeout_s} s; heard {[c[0] for c in self.events.calls][-20:]}, "
            f"{self.events.all('acknowledged')}"
        )

    def wait_event(self, name, check=lambda *args: True, timeout_s=30.0):
        return self.wait(lambda: next((a for a in reversed(self.events.all(name)) if check(*a)), None), timeout_s)

    def close(self):
        self._end.set()
        self._thread.join(2)
        self.socket.close()


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    yield made
    made.close()


@pytest.fixture
def make_desk(tmp_path):
    made = []

    def make(port=0):
        made.append(Desk(tmp_path, port))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="session")
def jack_server():
    """A JACK server of our own (dummy driver), so that nobody else's is touched; its name."""
    if shutil.which("jackd") is None:
        pytest.skip("jackd is not installed")
    name = f"cbdaw{os.getpid()}"
    environment = dict(os.environ, JACK_NO_AUDIO_RESERVATION="1", JACK_NO_START_SERVER="1", JACK_DEFAULT_SERVER=name)
    command = [
        "jackd",
        "-n",
        name,
        "-R",
        "-P70",
        "-d",
        "dummy",
        "-r",
        "48000",
        "-p",
        os.environ.get("CUEBRIDGE_TEST_PERIOD", "256"),
    ]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    time.sleep(1.5)
    if server.poll() is not None:
        command.remove("-R"), command.remove("-P70")  # no real-time priority allowed here
        command.insert(3, "-r")
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        time.sleep(1.5)
    if server.poll() is not None:
        pytest.skip("jackd does not start here")
    yield environment
    server.send_signal(signal.SIGTERM)
    try:
        server.wait(5)
    except subprocess.TimeoutExpired:
        server.kill()


@pytest.fixture(scope="session")
def repository():
    return Path(__file__).resolve().parents[2]
