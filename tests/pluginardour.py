"""A headless Ardour with the plugin on a track, an instrument behind it that makes impulses, and a track that prints.

`measure` takes it through what a person does with it, once: play and record, loop, locate while it rolls, save; then
reopened and exported with no CueBridge there.  What came of it is for tests and benches to judge.

Ardour's own playing of the take that it recorded says where Ardour is: what the plugin plays is compared with it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import pluginlab

from bridge.player import messages as m
from bridge.player.memory import PlayerMemory
from bridge.player.messages import PlayerStatus
from bridge.plugin.link import PluginLink
from bridge.transport.state import TransportObservation
from engine.music.note import Note
from tests import ardourlab
from tests.ardourlab import LIBRARY, SESSION_HEAD, Ardour, ArdourError, Recorded, running
from tests.jacklab import Capture, latency, open_client, recompute_latencies

RATE, PERIOD, BPM = 48000, 1024, 120.0
LOOP_S = (4.0, 6.0)
LOCATE_S = 2.05
STEP_S = 0.1  # on Ardour's ticks of 1/1920 beat at 120 bpm, and on whole samples
ON_GRID, OFF_GRID, PAD = 1, 2, 3  # channels
TICKS_A_SECOND = 1920 * BPM / 60
RESAMPLER = 16  # samples by which Ardour's resampler delays

SCRIPT = (
    SESSION_HEAD
    + """\
local function track (name)
  return s:new_midi_track (midi, midi, true, ARDOUR.PluginInfo (), nil, nil, 1, name,
    ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, false, false)
end
for t in track ("cue"):iter () do
  for place, uri in ipairs {{ "urn:cuebridge:plugin", "urn:cuebridge:impulse" }} do
    local plugin = ARDOUR.LuaAPI.new_plugin (s, uri, ARDOUR.PluginType.LV2, "")
    assert (not plugin:isnil (), "no plugin " .. uri)
    assert (t:add_processor_by_index (plugin, place - 1, nil, true) == 0)
  end
  for channel = 0, 1 do
    t:output ():audio (channel):connect (s:master_out ():input ():audio (channel):name ())
  end
end
for t in track ("gen"):iter () do
  t:rec_enable_control ():set_value (1, PBD.GroupControlDisposition.NoGroup)
end
sleep (1)
s:save_state ("")
close_session ()
quit ()
"""
)


def score() -> list[Note]:
    """On Ardour's grid, off it, and a pad to be chased; a note begins where the loop does."""
    grid = [Note(20 + i, 80, 0.5 + i * STEP_S, 0.05, ON_GRID, "arp") for i in range(100)]
    off = [Note(30 + i, 90, 0.7301 + i * 0.20137, 0.03, OFF_GRID, "melody") for i in range(45)]
    return grid + off + [Note(40 + i, 70, 0.25 + 2.0 * i, 2.0, PAD, "pad") for i in range(5)]


END_S = 11.5


class PluginArdour(Ardour):
    SCRIPT = SCRIPT

    def __init__(self, folder: Path, bundles: Path, link: Path, session: Path | None = None) -> None:
        super().__init__(folder, BPM, session=session)
        self.extra = {"LV2_PATH": f"{bundles}:/usr/lib/lv2", "CUEBRIDGE_PLUGIN_LINK": str(link)}


VST3_CLASS = "2A29F2E143AC4E47911B95F3795B8B5E"


class Vst3Ardour(PluginArdour):
    """The same with the VST3 in the place of the LV2."""

    SCRIPT = SCRIPT.replace('"urn:cuebridge:plugin"', f'"{VST3_CLASS}"').replace(
        "ARDOUR.PluginType.LV2", "place == 1 and ARDOUR.PluginType.VST3 or ARDOUR.PluginType.LV2"
    )

    def _prepare(self) -> None:
        self.scan()
        super()._prepare()

    def scan(self) -> None:
        """Lays the plugin where Ardour looks, and lets Ardour's own scanner read it."""
        made = pluginlab.make(self.folder / "vst3", "vst3") / "cuebridge.vst3"
        shutil.copytree(made, self.folder / ".vst3" / "cuebridge.vst3")
        for path in (self.folder / ".vst3").rglob("*"):
            # Ardour counts whole seconds: what was made in that of its scan would be scanned again.
            os.utime(path, (1e9, 1e9))
        scan = [str(LIBRARY / "ardour-vst3-scanner"), "-f", str(self.folder / ".vst3" / "cuebridge.vst3")]
        subprocess.run(scan, env=self._environment(), check=True, capture_output=True, timeout=60)


class PortlessPlayer:
    """What the link needs of a player: its port is silent in all parts."""

    def __init__(self) -> None:
        self.observed: list[TransportObservation] = []

    def hold(self, parts: list[str]) -> None:
        pass

    def observe(self, said: TransportObservation) -> None:
        self.observed.append(said)


class Bridge:
    """CueBridge's end, with the score."""

    def __init__(self, path: Path) -> None:
        self.player, self.said = PortlessPlayer(), []
        self.link = PluginLink(self.player, self.said.append, path)  # type: ignore[arg-type]
        for message in PlayerMemory(m.PlayerOptions()).plan(1, "seconds", score(), [], -1e9):
            self.link.take_player_message(message)
        self.status = PlayerStatus.NONE

    def __enter__(self) -> Bridge:
        self.link.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.link.close()

    def until(self, met: Callable[[], bool], what: str, timeout_s: float = 20.0) -> None:
        end_s = time.monotonic() + timeout_s
        while not met():
            if time.monotonic() > end_s:
                raise ArdourError(f"{what}: never; {self.link.in_words()}")
            self.link.follow("A film", True, False, self.status)
            time.sleep(0.02)

    def plays(self) -> bool:
        return any(each.state.startswith("revision") and each.parts for each in self.link.summaries)


class Onset(NamedTuple):
    frame: int  # of JACK
    channel: int
    pitch: int


class Impulse(NamedTuple):
    frame: int
    level: float  # 256ths: the sum of pitch + 1 of all notes that began there


class Sound:
    """The samples of a port that are not silent, by JACK's frame."""

    def __init__(self, source: str) -> None:
        self.client = client = open_client("sound")
        self.heard: list[Impulse] = []
        port = client.inports.register("in")

        @client.set_process_callback
        def process(frames: int) -> None:
            begin, samples = client.last_frame_time, port.get_array()
            for at in np.flatnonzero(samples):
                self.heard.append(Impulse(begin + int(at), float(samples[at]) * 256))

        client.activate()
        client.connect(source, port)

    def close(self) -> None:
        self.client.deactivate()
        self.client.close()


@dataclass(frozen=True, slots=True)
class Stage:
    """What was heard in one stretch of play, in order: of the plugin's track as MIDI and as sound, and of the take that
    Ardour itself plays.  messages: all that the plugin's track sent.  lost: periods that JACK lost meanwhile."""

    plugin: list[Onset]
    ardour: list[Onset]
    sound: list[Impulse]
    messages: list[bytes]
    lost: int

    def on_grid(self) -> tuple[list[Onset], list[Onset]]:
        """The plugin's and Ardour's onsets of the notes that stand on Ardour's grid."""
        return tuple([each for each in heard if each.channel == ON_GRID] for heard in (self.plugin, self.ardour))


@dataclass(frozen=True, slots=True)
class Life:
    take: list[Recorded]
    followed: list[str]  # sources of the transport that CueBridge followed while it rolled
    loop: Stage
    locate: Stage
    reopened: Stage
    exported: np.ndarray  # shape (samples,): the left channel
    export_s: float  # how long that took


class NotHeldBackError(ArdourError):
    """Ardour has the plugin play early by its way out, and has not held back the track that prints by as much."""


class Rig:
    """Captures around an Ardour that runs."""

    def __init__(self, daw: Ardour) -> None:
        self.daw = daw
        self.midi = Capture("midi", 2)
        self.midi.connect("ardour:cue/midi_out 1", 0)
        self.midi.connect("ardour:gen/midi_out 1", 1)
        self.sound = Sound("ardour:cue/audio_out 1")
        self._wires = open_client("wires")

    def wire(self) -> None:
        """The plugin's MIDI to the track that prints it, until Ardour holds that track back by the way out."""
        self._wires.connect("ardour:cue/midi_out 1", "ardour:gen/midi_in 1")
        # What Ardour learns of the way out it says of the way in when it is asked the next time.
        asked_at = time.monotonic()
        while not self.delay() == self.way_out() > 0:
            if time.monotonic() > asked_at + 10.0:
                raise NotHeldBackError(f"Ardour holds the track back by {self.delay()} of {self.way_out()} samples")
            recompute_latencies(self._wires)
            time.sleep(0.3)

    def unwire(self) -> None:
        self._wires.disconnect("ardour:cue/midi_out 1", "ardour:gen/midi_in 1")

    def way_out(self) -> int:
        """Samples from the plugin's MIDI to the loudspeaker, by which Ardour has the plugin play early."""
        return latency(self._wires, "ardour:gen/midi_in 1", playback=True)

    def delay(self) -> int:
        """Samples by which Ardour holds back what comes into the track that prints."""
        return latency(self._wires, "ardour:gen/midi_out 1")

    @contextlib.contextmanager
    def stage(self, into: list[Stage]) -> Iterator[None]:
        self.midi.events.clear()
        self.sound.heard.clear()
        lost = self.midi.lost_cycles
        yield
        time.sleep(0.3)
        heard: tuple[list[Onset], list[Onset]] = ([], [])
        for event in list(self.midi.events):
            if event.data[0] & 0xF0 == 0x90 and event.data[2]:
                heard[event.port].append(Onset(event.frame, (event.data[0] & 15) + 1, event.data[1]))
        messages = [event.data for event in self.midi.events if event.port == 0]
        into.append(Stage(*heard, list(self.sound.heard), messages, self.midi.lost_cycles - lost))

    def until(self, position_s: float) -> None:
        if not self.daw._until(lambda: (self.daw.position_s() or 0.0) >= position_s, 30.0):
            raise ArdourError(f"Ardour never came to {position_s} s")

    def close(self) -> None:
        self.midi.close()
        self.sound.close()
        self._wires.close()

    def __enter__(self) -> Rig:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def why_not() -> str | None:
    if pluginlab.compiler() is None:
        return pluginlab.NO_COMPILER
    if shutil.which("ardour7-export") is None:
        return "ardour7-export is not installed"
    return ardourlab.why_not()


def measure(folder: Path, kind: type[PluginArdour] = PluginArdour) -> Life:
    """kind: with which face of the plugin.

    At times Ardour 7 says that it holds back the track that prints, and does not: all of the take is early by the way
    out, to the sample.  That cannot be mended from outside; it is begun again, at most twice.

    Raises StartError where Ardour does not start, ArdourError where it does not do as it is asked.
    """
    for attempt in range(2):
        try:
            return _measure(_made(folder / f"life{attempt}"), kind)
        except NotHeldBackError as error:
            sys.stderr.write(f"{error}\n")
    return _measure(_made(folder / "life"), kind)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _early(take: Sequence[Recorded]) -> set[int]:
    """By how many of Ardour's ticks the notes of a take come early; the notes on its grid."""
    planned = {note.pitch: note.start_beats for note in score() if note.channel == ON_GRID}
    return {
        round((planned[note.pitch] - note.start_s) * TICKS_A_SECOND)
        for note in take
        if note.channel + 1 == ON_GRID and note.pitch in planned
    }


def _measure(folder: Path, kind: type[PluginArdour]) -> Life:
    bundles = pluginlab.make(folder / "bundles", "lv2", "impulse")
    link, stages = folder / "plugin-link", []
    with (
        Bridge(link) as bridge,
        running(folder, lambda place: kind(place, bundles, link), PERIOD) as (daw, _),
        Rig(daw) as rig,
    ):
        bridge.until(bridge.plays, "the plan")
        rig.wire()
        held_back = rig.delay()
        daw.locate(0.0)
        daw.record()
        daw.play()
        rig.until(END_S)
        daw.stop()
        take = daw.recorded()
        followed = [each.source for each in bridge.player.observed if each.rolling]
        if _early(take) == {round(held_back / RATE * TICKS_A_SECOND)}:
            raise NotHeldBackError(f"Ardour printed everything {held_back} samples early, its own way out")
        rig.unwire()
        time.sleep(0.3)
        with rig.stage(stages):
            daw.loop(*LOOP_S)
            time.sleep(4 * (LOOP_S[1] - LOOP_S[0]))
            daw.send("/loop_toggle")
            daw.stop()
        daw.locate(7.0)
        with rig.stage(stages):
            daw.play()
            rig.until(8.5)
            daw.locate(LOCATE_S, roll=True)
            time.sleep(2.5)
            daw.stop()
        daw.locate(0.0)
        daw.send("/save_state")
        time.sleep(1.0)
    session = daw.session
    assert not link.exists()
    again = folder / "again"
    again.mkdir()
    with running(again, lambda place: kind(place, bundles, link, session), PERIOD) as (daw, _), Rig(daw) as rig:
        daw.locate(0.0)
        with rig.stage(stages):
            daw.play()
            rig.until(END_S)
            daw.stop()
        environment = daw._environment()
    began = time.perf_counter()
    exported = export(session, folder / "exported.wav", environment)
    return Life(take, followed, *stages, exported, time.perf_counter() - began)


def export(session: Path, path: Path, environment: dict[str, str]) -> np.ndarray:
    """Shape (samples,): the left channel of the session as Ardour's own command exports it.

    One export in some thirty has everything early by the delay of Ardour's resampler; the same session is right when it
    is exported again, at most twice.
    """
    for _ in range(2):
        samples = _exported(session, path, environment)
        first = next(iter(impulses(samples)), None)
        if first is None or round(first.frame - min(expected(score()))) != -RESAMPLER:
            return samples
        sys.stderr.write(f"Ardour exported everything {RESAMPLER} samples early\n")
        path.unlink()
    return _exported(session, path, environment)


def _exported(session: Path, path: Path, environment: dict[str, str]) -> np.ndarray:
    command = ["ardour7-export", "-b", "float", "-o", str(path), str(session), session.name]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    if not path.exists():
        raise ArdourError(f"Ardour exported nothing: {done.stdout[-300:]}{done.stderr[-300:]}")
    with av.open(str(path)) as sound:
        assert sound.streams.audio[0].rate == RATE
        return np.concatenate([frame.to_ndarray().reshape(-1, 2)[:, 0] for frame in sound.decode(audio=0)])


def impulses(samples: np.ndarray) -> list[Impulse]:
    return [Impulse(int(at), float(samples[at]) * 256) for at in np.flatnonzero(np.abs(samples) > 1e-4)]


def expected(notes: Sequence[Note]) -> dict[float, float]:
    """Exact frame -> level of the impulse, notes that begin together added up."""
    levels: dict[float, float] = defaultdict(float)
    for note in notes:
        levels[note.start_beats * RATE] += note.pitch + 1
    return dict(levels)
