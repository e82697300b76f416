"""The thread that speaks with instances of the plugin, and what of it the player and the session need.

The socket is the bridge's and not the player's: positions carry the clock of the audio thread in which they were
read, so that a busy bridge moves none of them, and the player's loop stays as small as it is.
"""

from __future__ import annotations

import contextlib
import os
import random
import secrets
import select
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerStatus
from bridge.plugin import wire
from bridge.plugin.instances import Instance, Instances
from bridge.plugin.plan import PluginPlan
from bridge.transport.state import TransportObservation
from engine.music import UserError
from engine.user_folders import home

LINK_VARIABLE: Final = "CUEBRIDGE_PLUGIN_LINK"
BUNDLE_S: Final = 0.1  # plans that follow each other sooner are sent as one
IDLE_S: Final = 0.05
BUSY_S: Final = 0.005
SETTLE_S: Final = 0.5  # the port is silent by then even if no status says so
ANNOUNCE_S: Final = 1.0
MOST_AT_ONCE: Final = 512  # datagrams between two turns: whoever floods the port does not hold up what is to be sent


@dataclass(frozen=True, slots=True)
class InstanceSummary:
    """An instance, for a person.  parts: names of those that it plays."""

    face: str
    host: str
    version: str
    parts: tuple[str, ...]
    rolling: bool
    state: str
    round_trip_ms: float | None

    def in_words(self) -> str:
        parts = ", ".join(self.parts) or "no part"
        trip = "" if self.round_trip_ms is None else f", {self.round_trip_ms:.1f} ms away"
        return f"{self.face} {self.version}{f' in {self.host}' if self.host else ''}: {parts}; {self.state}{trip}"


def link_path() -> Path:
    """The file in which instances look for CueBridge; plugin/src/platform.c names the same.

    Raises OSError where this user's home folder is not known.
    """
    if said := os.environ.get(LINK_VARIABLE):
        return Path(said)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or _home() / "AppData" / "Local") / "cuebridge" / "plugin-link"
    below = "Library/Application Support" if sys.platform == "darwin" else ".local/share"
    return _home() / below / "cuebridge" / "plugin-link"


def _home() -> Path:
    try:
        return home()
    except UserError as error:
        raise OSError(str(error).rstrip(".")) from None


class PluginLink:
    """Begins with `begin`, ends with `close`.  `take_player_message` and `follow` may be called from any thread;
    neither waits for the network."""

    def __init__(self, player: PlayerLink, say: Callable[[str], None], path: Path | None = None) -> None:
        self._player, self._say = player, say
        self._path, self._is_path_known = path or Path("plugin-link"), path is not None
        self._messages: deque[bytes] = deque()  # for the player, that the plan has not followed
        self._lock = threading.Lock()  # what `follow` says
        self._film, self._complete, self._person = "", False, False
        self._status = PlayerStatus.NONE
        self._plan = PluginPlan()  # the thread's alone, as all that follows from it
        self._known = (self._film, self._complete, self._person)  # as the thread read it last
        self._changed_s: float | None = None  # since when there is a plan that was not packed
        self._announced_s = 0.0  # when the file was last looked for
        self._ending = False
        self._thread: threading.Thread | None = None
        self._socket: socket.socket | None = None
        self._summaries: tuple[InstanceSummary, ...] = ()
        self._followed: int | None = None  # the instance whose transport is passed on
        self._held: tuple[int, float] = (0, 0.0)  # bits that the port was asked to leave, and when
        self._token = secrets.token_bytes(wire.TOKEN_BYTES)
        self.instances = Instances(self._token, random.getrandbits(63) | 1, say)

    # life -------------------------------------------------------------------------------------------------------------
    def begin(self) -> None:
        """Instances turn to the run that began last.  Never raises: without the plugin everything else works."""
        try:
            if not self._is_path_known:
                self._path, self._is_path_known = link_path(), True
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._socket.bind(("127.0.0.1", 0))
            self._socket.setblocking(False)
            self._write_file(self._socket.getsockname()[1])
        except OSError as error:
            self._ending = True
            self._say(f"plugins cannot find this run: {self._path} ({error.strerror or error}).")
            if self._socket is not None:
                self._socket.close()
                self._socket = None
            return
        self._thread = threading.Thread(target=self._run, name="plugin link", daemon=True)
        self._thread.start()

    def _write_file(self, port: int) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        aside = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        with contextlib.suppress(FileNotFoundError):
            aside.unlink()
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(f"CueBridge plugin 1\n{port}\n{self._token.hex()}\n")
        try:
            os.replace(aside, self._path)
        except OSError:
            aside.unlink()
            raise

    def _announce_again(self, port: int) -> None:
        """A run that began later has taken the file with it when it ended."""
        now_s = time.perf_counter()
        if now_s - self._announced_s < ANNOUNCE_S:
            return
        self._announced_s = now_s
        with contextlib.suppress(OSError):
            if not self._path.exists():
                self._write_file(port)

    def _remove_file(self) -> None:
        if not self._is_path_known:
            return
        with contextlib.suppress(OSError, ValueError):  # ValueError: no text, so not ours
            if self._token.hex() in self._path.read_text(encoding="ascii"):
                self._path.unlink()

    def close(self) -> None:
        self._ending = True
        if self._thread is not None:
            self._thread.join(1.0)
        self._remove_file()

    # from the bridge --------------------------------------------------------------------------------------------------
    def take_player_message(self, message: bytes) -> None:
        if not self._ending:
            self._messages.append(message)

    def follow(self, film: str, complete: bool, person: bool, status: PlayerStatus) -> None:
        """What the session knows.  person: somebody has composed or edited in this run."""
        with self._lock:
            self._film, self._complete, self._status = film, complete, status
            self._person |= person

    def take_over(self) -> int:
        """The session's music replaces that of projects, from now on.  Returns how many instances are there."""
        with self._lock:
            self._person = True
        return len(self._summaries)

    def in_words(self) -> tuple[str, ...]:
        """A line for each instance, for the view."""
        return tuple(each.in_words() for each in self._summaries)

    @property
    def summaries(self) -> tuple[InstanceSummary, ...]:
        return self._summaries

    # the thread -------------------------------------------------------------------------------------------------------
    def _run(self) -> None:
        assert self._socket is not None
        with self._socket:
            while not self._ending:
                self._turn(self._socket)
            for address, data in self.instances.farewell():
                with contextlib.suppress(OSError):
                    self._socket.sendto(data, address)
        self._hold(0)

    def _turn(self, link: socket.socket) -> None:
        self._announce_again(link.getsockname()[1])
        self._follow_plan()
        wait_s = BUSY_S if self.instances.busy else IDLE_S
        ready, _, _ = select.select([link], [], [], wait_s)
        for _ in range(MOST_AT_ONCE if ready else 0):
            try:
                data, address = link.recvfrom(wire.MAX_BYTES + 1)
            except BlockingIOError:
                break
            except OSError:  # somebody we wrote to is gone: its own silence says so
                continue
            self.instances.hear(data, address, time.perf_counter(), time.perf_counter_ns())
        self._pass_on()
        self._pack()
        self._share()
        for address, data in self.instances.outgoing(time.perf_counter(), time.perf_counter_ns()):
            with contextlib.suppress(OSError):
                link.sendto(data, address)
        self._summarize()

    def _pass_on(self) -> None:
        """The transport of one instance: of the one that rolls first, as long as it does."""
        observed, self.instances.observed = self.instances.observed, []
        for instance, said in observed:
            if said.offline or said.seconds is None:
                continue
            if self._followed not in self.instances.known:
                self._followed = None
            if self._followed is None and said.rolling:
                self._followed = instance.name
            if self._followed == instance.name:
                self._player.observe(observation(said))
                if not said.rolling:
                    self._followed = None

    def _follow_plan(self) -> None:
        with self._lock:
            wanted = (self._film, self._complete, self._person)
        changed = wanted != self._known
        self._known = wanted
        while self._messages:
            changed |= self._plan.take(self._messages.popleft())
        if changed and self._changed_s is None:
            self._changed_s = time.perf_counter()

    def _pack(self) -> None:
        now_s = time.perf_counter()
        if not self.instances.known or self._changed_s is None or now_s - self._changed_s < BUNDLE_S:
            return
        self._changed_s = None
        film, complete, self.instances.may_replace = self._known
        body = self._plan.body(film, complete)
        if body.revision >= 0 and (body.complete or self.instances.may_replace or not self._foreign()):
            self.instances.take(body)

    def _foreign(self) -> bool:
        """Whether a project holds what did not come from here: half of a film is not laid beside it."""
        return any(each.hello.plan_id and not each.sent_ids for each in self.instances.known.values())

    def _share(self) -> None:
        with self._lock:
            status, self.instances.may_replace = self._status, self._person
        parts = self._plan.parts
        wanted = self.instances.port_mutes() & ((1 << len(parts)) - 1)
        self._hold(wanted)
        bits, since_s = self._held
        confirmed = sum(1 << index for index, part in enumerate(parts) if part in status.held)
        if time.perf_counter() - since_s > SETTLE_S:
            confirmed |= bits
        self.instances.port_silent = confirmed & bits
        loop = status.loop
        self.instances.loop_s = loop if loop is not None and loop[1] > loop[0] else None

    def _hold(self, bits: int) -> None:
        if bits == self._held[0]:
            return
        self._held = (bits, time.perf_counter())
        self._player.hold([part for index, part in enumerate(self._plan.parts) if bits >> index & 1])

    def _summarize(self) -> None:
        parts = self._plan.parts
        self._summaries = tuple(self._summary_of(each, parts) for each in self.instances.known.values())

    def _summary_of(self, instance: Instance, parts: tuple[str, ...]) -> InstanceSummary:
        hello, body = instance.hello, self.instances.body
        if body is not None and instance.conflicts(body) and not self.instances.may_replace:
            state = f"the project's own music: {hello.film or 'no film'}, revision {hello.revision}"
        elif instance.transfer is not None or body is None or hello.plan_id != body.id:
            state = "being sent the music" if body is not None else "waiting for music"
        else:
            state = f"revision {body.revision}" + ("" if body.complete else ", not complete")
        version = f"{hello.version >> 16}.{hello.version >> 8 & 255}.{hello.version & 255}"
        played = tuple(part for index, part in enumerate(parts) if max(instance.granted, 0) >> index & 1)
        trip = None if instance.round_trip_s is None else instance.round_trip_s * 1000
        return InstanceSummary(hello.face, hello.host, version, played, hello.rolling, state, trip)


def observation(said: wire.Said) -> TransportObservation:
    """Its rate is left to the estimator: hosts run at their own speed."""
    return TransportObservation(
        "plugin",
        said.host_s,
        said.seconds,
        said.beats,
        said.rolling,
        bpm=said.bpm,
        recording=said.recording,
        loop=said.loop_s,
        meter=said.meter,
    )
