"""A headless Ardour on the private JACK server, from nothing: its session, its config, its OSC; for
end-to-end tests.

    with running(tmp_path, Ardour, period=1024) as (ardour, server):
        ardour.locate(0.0); ardour.record(); ardour.play(); …; notes = ardour.recorded()

Everything lives under the folder given: XDG_CONFIG_HOME keeps Ardour out of the user's own settings.  What
had to be learnt: the first start on a fresh config may exit before its ports come up; it starts rolling at
load; a locate right after a stop is lost; the rec-enable button is a toggle and clears itself at stop.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import mido
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.osc_packet import OscPacket

from engine.music.meter import TempoMap
from tests import jacklab
from tests.jacklab import JackServer

LIBRARY = Path("/usr/lib/ardour7")
RATE = 48000

CONFIG = """<?xml version="1.0" encoding="UTF-8"?>
<Ardour>
  <Config>
    <Option name="send-mtc" value="1"/><Option name="send-midi-clock" value="1"/>
    <Option name="send-mmc" value="1"/><Option name="mmc-control" value="1"/>
    <Option name="use-osc" value="1"/><Option name="osc-port" value="{port}"/>
    <Option name="discover-plugins-on-start" value="0"/>
    <Option name="input-auto-connect" value=""/><Option name="output-auto-connect" value=""/>
    <Option name="seamless-loop" value="1"/>
  </Config>
  <Metadata/>
  <ControlProtocols>
    <Protocol name="Open Sound Control (OSC)" active="1" debugmode="0" address-only="0" remote-port="8000"
       banksize="0" striptypes="31" feedback="0" gainmode="0" send-page-size="0" plug-page-size="0"/>
  </ControlProtocols>
  <TransportMasters current="JACK Transport">
    <TransportMaster type="Engine" removeable="0" name="JACK Transport" collect="1" sclock-synced="1"/>
    <TransportMaster type="MTC" removeable="0" name="MTC" collect="1" sclock-synced="0"/>
    <TransportMaster type="LTC" removeable="0" name="LTC" collect="1" sclock-synced="0"/>
    <TransportMaster type="MIDIClock" removeable="0" name="MIDI Clock" collect="1" sclock-synced="0"/>
  </TransportMasters>
</Ardour>
"""

SESSION_HEAD = """
local s = create_session ("{folder}", "film", 48000)
assert (s, "no session")
local tm = Temporal.TempoMap.fetch_writable ()
{tempo}
Temporal.TempoMap.update (tm)
tm = nil
local midi = ARDOUR.ChanCount (ARDOUR.DataType ("midi"), 1)
"""
SESSION = (
    SESSION_HEAD
    + """\
local tracks = s:new_midi_track (midi, midi, true, ARDOUR.PluginInfo (), nil, nil, 1, "gen",
   ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, false, false)
for t in tracks:iter () do t:rec_enable_control ():set_value (1, PBD.GroupControlDisposition.NoGroup) end
sleep (1) -- carried out by the process thread: saved too early it is lost
s:save_state ("")
close_session ()
quit ()
"""
)


AnyArdour = TypeVar("AnyArdour", bound="Ardour")


class Recorded(NamedTuple):
    start_s: float  # from the beginning of the take
    length_s: float
    channel: int
    pitch: int
    velocity: int


def why_not() -> str | None:
    reason = jacklab.why_not()
    if reason is not None:
        return reason
    if not list(LIBRARY.glob("hardour-7*")) or shutil.which("ardour7-lua") is None:
        return "headless Ardour 7 is not installed"
    return None


def lua_of(tempo_map: TempoMap) -> str:
    """What sets a map of steps in a session's writable tempo map `tm`."""
    lines = []
    for beat in sorted({change.beat for change in (*tempo_map.tempos, *tempo_map.meters)}):
        at, meter, bpm = round(beat * 1920), tempo_map.meter_at(beat), tempo_map.bpm_at(float(beat))
        place = f"Temporal.timepos_t.from_ticks ({at})"
        lines.append(f"tm:set_meter (Temporal.Meter ({meter.numerator}, {meter.denominator}), {place})")
        lines.append(f"tm:set_tempo (Temporal.Tempo ({bpm}, {bpm}, 4), {place})")
    return "\n".join(lines)


STARTS = 5


class ArdourError(RuntimeError):
    """Ardour did not start, or does not do what it was asked for."""


class StartError(ArdourError):
    """Again and again; a test that needs it is skipped with this sentence."""


@contextlib.contextmanager
def running(folder: Path, make: Callable[[Path], AnyArdour], period: int) -> Iterator[tuple[AnyArdour, JackServer]]:
    """An Ardour on a JACK server of its own, both up and in step.  make: the Ardour of a folder.

    Two things go wrong at times on a crowded machine: jackd falls out of step with Ardour (`JackServer.confused`), and
    Ardour's first start on a fresh config fails.  Neither can be mended from outside: each is seen as soon as it
    happens, and both are started again from nothing, in another folder.  Raises StartError after the fifth time.
    """
    why: list[str] = []
    for attempt in range(STARTS):
        place = folder / f"start{attempt}"
        place.mkdir()
        with JackServer(period=period) as server:
            made = make(place)
            made.server = server
            try:
                made.__enter__()
                time.sleep(1.0)  # jackd says what is wrong a little later
                if server.confused or not made.has_ports():
                    raise ArdourError(f"jackd lost it: {server.log()[-100:]}")
            except ArdourError as error:
                why.append(str(error))
                sys.stderr.write(f"start {attempt + 1}: {error}\n")
                made.__exit__()
                continue
            try:
                yield made, server
            finally:
                made.__exit__()
            return
    raise StartError(f"Ardour did not start {STARTS} times: {'; '.join(why)}")


class Ardour:
    """external_sync: Ardour and the JACK transport move each other (else Ardour keeps its own).

    timecode: the project's rate as Ardour's session files call it (`timecode_25`), None: as it comes.
    tempo_map: of the session, None: 4/4 at `bpm`.  session: one that is there already, None: one is made by `SCRIPT`.
    """

    SCRIPT = SESSION

    def __init__(
        self,
        folder: Path,
        bpm: float = 120,
        external_sync: bool = False,
        timecode: str | None = None,
        tempo_map: TempoMap | None = None,
        session: Path | None = None,
    ) -> None:
        self.folder, self.bpm, self.external_sync, self.timecode = folder, bpm, external_sync, timecode
        self.tempo_map = tempo_map or TempoMap.constant(bpm)
        self.session = session or folder / "film"
        self._reopens = session is not None
        self.extra: dict[str, str] = {}  # of its environment
        self._process: subprocess.Popen[bytes] | None = None
        self._log: list[tuple[str, list[object]]] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.server: JackServer | None = None
        self._armed_at = 0.0
        self._look: Any = None

    def __enter__(self) -> Ardour:
        try:
            self._prepare()
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            **self.extra,
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "HOME": str(self.folder),
            "JACK_NO_START_SERVER": "1",
            "LD_LIBRARY_PATH": str(LIBRARY),
            "ARDOUR_DATA_PATH": "/usr/share/ardour7",
            "ARDOUR_CONFIG_PATH": "/etc/ardour7",
            "ARDOUR_DLL_PATH": str(LIBRARY),
        }

    def _prepare(self) -> None:
        config = self.folder / "config" / "ardour7"
        config.mkdir(parents=True, exist_ok=True)
        (config / ".a7").touch()
        (config / "config").write_text(CONFIG.format(port=self._port))
        if self._reopens:
            return
        script = self.folder / "make.lua"
        script.write_text(self.SCRIPT.format(folder=self.session, tempo=lua_of(self.tempo_map)))
        subprocess.run(
            ["ardour7-lua", str(script)],
            env={**os.environ, **self.extra, "XDG_CONFIG_HOME": str(self.folder / "config"), "HOME": str(self.folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
        state = self.session / "film.ardour"
        if not state.exists():
            raise ArdourError("ardour7-lua made no session")
        if self.external_sync:
            text = state.read_text()
            state.write_text(text.replace('name="external-sync" value="0"', 'name="external-sync" value="1"'))
        if self.timecode is not None:
            text, count = re.subn(
                r'name="timecode-format" value="\w+"', f'name="timecode-format" value="{self.timecode}"',
                state.read_text(),
            )  # fmt: skip
            if count != 1:
                raise ArdourError("the session has no timecode format")
            state.write_text(text)

    def _program(self) -> list[str]:
        return [str(next(LIBRARY.glob("hardour-7*")))]

    def _start(self) -> None:
        # One client for the whole wait: opening and closing one again and again brings jackd out of step.
        self._look = jacklab.open_client("look")
        for _ in range(3):
            with (self.folder / "hardour.log").open("ab") as log:
                self._process = subprocess.Popen(
                    [*self._program(), str(self.session), "film"],
                    env=self._environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            if self._until(self.has_ports, 30, also=self._starting):
                break
            self._kill()
            if self.server is not None and self.server.confused:
                raise ArdourError(f"jackd fell out of step with Ardour{self._jackd_says()}")
        else:
            raise ArdourError(
                f"{Path(self._program()[0]).name} did not come up{self._jackd_says()}: {self.log()[-200:]}"
            )
        threading.Thread(target=self._listen, daemon=True).start()
        time.sleep(0.5)
        if not self._until(self._speaks, 15, also=self._starting):
            raise ArdourError(f"Ardour does not answer over OSC{self._jackd_says()}: {self.log()[-200:]}")
        self.stop()

    def _starting(self) -> bool:
        return self.alive and not (self.server is not None and self.server.confused)

    def _jackd_says(self) -> str:
        return "" if self.server is None else f" (jackd: {self.server.log()[-100:].strip()})"

    def has_ports(self) -> bool:
        """The session is loaded: its track has its port.  Asked by OSC before, Ardour may never answer (its OSC thread
        goes on reading, and says nothing any more)."""
        return bool(self._look.get_ports("ardour:MTC out") and self._look.get_ports("ardour:gen/midi_in 1"))

    def _speaks(self) -> bool:
        # bank, strip types, feedback (16 transport, 1024 samples), fader mode, pages
        self.send("/set_surface", 0, 0, 16 + 1024, 0, 0, 0)
        return self._until(lambda: bool(self._log), 1.0)

    def __exit__(self, *_: object) -> None:
        if self._look is not None:
            self._look.close()
            self._look = None
        process = self._process
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(8)
        self._kill()
        self._socket.close()

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.kill()
            process.wait(5)

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def log(self) -> str:
        """The end of what Ardour printed."""
        return (self.folder / "hardour.log").read_text(errors="replace")[-1500:]

    # OSC --------------------------------------------------------------------------------------------------------
    def send(self, address: str, *values: float) -> None:
        builder = OscMessageBuilder(address)
        for value in values:
            builder.add_arg(value)
        self._socket.sendto(builder.build().dgram, ("127.0.0.1", self._port))

    def _listen(self) -> None:
        while True:
            try:
                data, _ = self._socket.recvfrom(65536)
            except OSError:
                return
            if data[:1] == b"#" and data[:7] != b"#bundle":
                data = b"/" + data[1:]  # Ardour's "#reply" is no OSC address
            with contextlib.suppress(Exception):
                for found in OscPacket(data).messages:
                    self._log.append((found.message.address, list(found.message.params)))

    def _last(self, address: str) -> object:
        return next((values[0] for found, values in reversed(self._log) if found == address and values), None)

    @staticmethod
    def _until(ready: Callable[[], bool], timeout_s: float, also: Callable[[], bool] | None = None) -> bool:
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if ready():
                return True
            if also is not None and not also():
                return False
            time.sleep(0.05)
        return False

    def position_s(self) -> float | None:
        """Where Ardour said last that it is (ten times a second while it moves)."""
        last = self._last("/position/samples")
        return None if last is None else float(str(last)) / RATE

    def loops(self) -> bool:
        """Whether it loops, by its own word."""
        return self._last("/loop_toggle") == 1.0

    # transport --------------------------------------------------------------------------------------------------
    def stop(self) -> None:
        """Waits until a locate will be heard."""
        self.send("/transport_stop")
        self._until(lambda: self._last("/transport_stop") == 1.0, 5)
        time.sleep(0.6)

    def locate(self, position_s: float, roll: bool = False) -> None:
        self.send("/locate", round(position_s * RATE), int(roll))
        time.sleep(0.1 if roll else 0.7)

    def play(self) -> None:
        self.send("/transport_play")

    def loop(self, start_s: float, end_s: float) -> None:
        """Sets the range and starts looping."""
        self.send("/loop_location", round(start_s * RATE), round(end_s * RATE))
        time.sleep(0.3)
        self.send("/loop_toggle")

    def record(self) -> None:
        """Arms; the next play records."""
        self._armed_at = time.time()
        for _ in range(3):
            if self._last("/rec_enable_toggle") == 1.0:
                return
            self.send("/rec_enable_toggle")
            if self._until(lambda: self._last("/rec_enable_toggle") == 1.0, 3):
                return
        raise ArdourError("Ardour did not arm")

    # what it recorded -------------------------------------------------------------------------------------------
    def recorded(self) -> list[Recorded]:
        """The notes of the last take, after a stop.  Raises ArdourError when no take was written."""
        self.send("/save_state")
        files: list[Path] = []

        def written() -> bool:
            files[:] = [
                path
                for path in self.session.glob("interchange/*/midifiles/*.mid")
                if path.stat().st_size > 26 and path.stat().st_mtime > self._armed_at
            ]
            return bool(files)

        if not self._until(written, 10):
            raise ArdourError("Ardour wrote no take")
        time.sleep(0.5)
        return read_take(max(files, key=lambda path: path.stat().st_mtime), self.bpm)


def read_take(path: Path, bpm: float) -> list[Recorded]:
    """Notes of a take; a note that never ends has length -1."""
    file = mido.MidiFile(path)
    found: list[Recorded] = []
    open_notes: dict[tuple[int, int], tuple[float, int]] = {}
    for track in file.tracks:
        beats = 0.0
        for message in track:
            beats += message.time / file.ticks_per_beat
            at = beats * 60 / bpm
            if message.type == "note_on" and message.velocity:
                open_notes[message.channel, message.note] = (at, message.velocity)
            elif message.type in ("note_on", "note_off"):
                begun = open_notes.pop((message.channel, message.note), None)
                if begun is not None:
                    found.append(Recorded(begun[0], at - begun[0], message.channel, message.note, begun[1]))
    found += [Recorded(at, -1.0, channel, pitch, v) for (channel, pitch), (at, v) in open_notes.items()]
    return sorted(found)
