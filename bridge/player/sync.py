"""The synchronizer: every source comes in here, and leaves as changes of one playhead.

Position and tempo are two roles.  The position source (`SyncOptions.position`) feeds the follower; the tempo
source only says a tempo, which the status reports and from which the bridge makes its next tempo map.  "auto"
takes for each role the first source that speaks, and says which.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from bridge.player.errors import SyncError
from bridge.player.messages import SyncOptions
from bridge.player.tempo import TempoLine
from bridge.transport.cubase_sysex import SyncScript, read_sysex
from bridge.transport.estimator import Follower
from bridge.transport.midi_clock import ClockReader
from bridge.transport.midi_stream import MidiSplitter
from bridge.transport.mmc import read_mmc
from bridge.transport.mtc import MtcReader
from bridge.transport.rate_watch import RateWatch
from bridge.transport.state import POSITION_SOURCES, TEMPO_SOURCES, Change, Loop, TransportObservation
from engine.music.errors import MusicError
from engine.music.timecode import FrameRate

_MEMBER: Final = {"mmc": "mtc"}  # machine control belongs to timecode
_BEATS: Final = frozenset({"clock", "link"})  # sources that count beats


class Synchronizer:
    """Feeds on messages and observations; sans-I/O.  tempo: the line in force, for sources that count
    beats."""

    def __init__(self, options: SyncOptions, tempo: Callable[[], TempoLine]) -> None:
        if options.position not in POSITION_SOURCES:
            raise SyncError(f"'{options.position}' is not a sync source; known are {', '.join(POSITION_SOURCES)}.")
        if options.tempo not in TEMPO_SOURCES:
            raise SyncError(f"'{options.tempo}' is not a tempo source; known are {', '.join(TEMPO_SOURCES)}.")
        if not 0 <= options.freewheel_s <= 5:
            raise SyncError("hold on sync loss lasts 0 to 5 seconds.")
        stated, film = _rates(options)
        self.options = options
        self.recording: bool | None = None
        self.notes: list[str] = []
        self.bpm: dict[str, float] = {}  # as each source says or plays it
        self._beats_said: dict[str, TransportObservation] = {}  # the last of each source that counts bars and beats
        self._tempo = tempo
        self._splitter = MidiSplitter()
        self._mtc = MtcReader(stated, film)
        self._clock = ClockReader()
        self.script = SyncScript()
        self._rate_watch = RateWatch()
        self._loop: Loop | None = None
        self._said_loops: dict[str, Loop | None] = {}
        self.follower: Follower | None = None
        if options.position not in ("internal", "auto"):
            self.follower = Follower(options.position, options.freewheel_s)

    def restate(self, options: SyncOptions) -> None:
        """Other rates or freewheel for the same sources: nothing that was heard is forgotten.  Raises SyncError."""
        self._mtc.stated, self._mtc.film = _rates(options)
        self.options = options
        if self.follower is not None:
            self.follower.freewheel_s = options.freewheel_s

    # in ---------------------------------------------------------------------------------------------------------
    def hear(self, host_s: float, data: bytes, at: float) -> list[Change]:
        """MIDI from the sync port.  host_s: when it came; at: from when a change can hold."""
        changes = []
        for message in self._splitter.feed(data):
            status = message[0]
            if status == 0xF1 or message[:2] == b"\xf0\x7f":
                found = self._mtc.feed(message, host_s) or read_mmc(message, host_s, self._mtc)
            elif message[:2] == b"\xf0\x7d":
                found = read_sysex(message, host_s)  # the scripts for Cubase and Nuendo: tempo and record state
                self.notes += self.script.feed(message)
            else:
                found = self._clock.feed(message, host_s)
            for observation in found:
                change = self.observe(observation, at)
                if change is not None:
                    changes.append(change)
        for notes in (self._mtc.notes, self._clock.notes):
            self.notes += notes
            notes.clear()
        return changes

    def observe(self, said: TransportObservation, at: float) -> Change | None:
        if said.recording is not None:
            self.recording = said.recording
        if said.bpm is not None:
            self.bpm[said.source] = said.bpm
        if said.source in ("jack", "plugin"):
            self._beats_said[said.source] = said
        if said.source == "mtc":
            self._watch_rate(said)
        source = _MEMBER.get(said.source, said.source)
        follower = self.follower
        if follower is None:
            if self.options.position != "auto" or not said.rolling or said.position_s is said.position_beats:
                return None
            follower = self.follower = Follower(source, self.options.freewheel_s)
            follower.set_loop(self._loop, at)
            self.notes.append(f"Following {_NAMES[source]}.")
        elif self.options.position == "auto" and source != follower.source:
            # A plugin sits in the DAW that plays the notes: where it rolls it is followed, whatever else rolls.
            waits = follower.rolling and source != "plugin"
            if not said.rolling or waits or said.position_s is said.position_beats:
                return None
            follower = self.follower = Follower(source, self.options.freewheel_s)
            follower.set_loop(self._loop, at)
            self.notes.append(f"Following {_NAMES[source]} now.")
        if said.source in ("script", "plugin"):
            self._take_loop(said, at)
        if source != follower.source:
            return None
        return follower.observe(self._in_seconds(said), at)

    def _watch_rate(self, said: TransportObservation) -> None:
        rate = self._mtc.rate
        if not said.rolling or said.locate or said.position_s is None or (said.rate or 0.0) <= 0 or rate is None:
            self._rate_watch.forget()
            return
        found = self._rate_watch.feed(said.host_s, said.position_s, rate)
        if found is not None:
            self.notes.append(
                f"MIDI timecode is counted at {rate} but runs at {found}: positions run off by 3.6 seconds an hour. "
                f"State --frame-rate {found}."
            )

    def _take_loop(self, said: TransportObservation, at: float) -> None:
        """The DAW's loop, also where its timecode or clock is what is followed: the wrap is foreseen then.  A script
        that is not followed only counts where its word changes: it does not undo a loop that was set here."""
        loop = None if said.loop is None else Loop(*said.loop)
        before, self._said_loops[said.source] = self._said_loops.get(said.source), loop
        followed = said.source == "script" and self.follower is not None and self.follower.source == "script"
        if loop != (self._loop if followed else before):
            self.set_loop(loop, at)

    def _in_seconds(self, said: TransportObservation) -> TransportObservation:
        """Beats become seconds through the tempo map in force; a clock's speed is its tempo against the
        map's."""
        if said.position_s is not None or said.position_beats is None:
            return said
        tempo = self._tempo()
        position = tempo.seconds_at(said.position_beats)
        rate = said.rate
        if rate is None and said.bpm is not None:
            rate = said.bpm / tempo.bpm_at(said.position_beats)
            if said.source == "clock" and abs(rate - 1.0) < 0.005:
                rate = 1.0  # two beats of clocks measure no better
        return replace(said, position_s=position, rate=rate)

    # the rest ---------------------------------------------------------------------------------------------------
    def set_loop(self, loop: Loop | None, at: float) -> None:
        self._loop = loop
        if self.follower is not None:
            self.follower.set_loop(loop, at)

    @property
    def counts_beats(self) -> bool:
        return self.follower is not None and self.follower.source in _BEATS

    @property
    def wants_jack(self) -> bool:
        return self.options.position == "jack" or self.options.tempo == "jack"

    @property
    def wants_link(self) -> bool:
        return self.options.position == "link" or self.options.tempo == "link"

    def tempo_source(self) -> str:
        """Who says the tempo: a name from TEMPO_SOURCES."""
        wanted = self.options.tempo
        if wanted == "auto":
            return next(
                (source for source in ("script", "plugin", "jack", "link", "clock") if source in self.bpm), "map"
            )
        return wanted

    def measured_bpm(self) -> float | None:
        return self.bpm.get(self.tempo_source())

    def beat_phase(self, host_s: float) -> float | None:
        """How far into its beat (0..1) the clock is, where the clock gives the tempo and runs."""
        return self._clock.phase_at(host_s) if self.tempo_source() == "clock" else None

    @property
    def clock_beats(self) -> tuple[float, float] | None:
        """Quarter notes from beat 0 to where a clock says that it ran from, and from there to here."""
        return self._clock.beats if self.tempo_source() == "clock" else None

    def stated_beats(self, host_s: float) -> float | None:
        """Quarter notes since bar 1 by the JACK transport or a plugin's host, where that gives the tempo and rolls."""
        said = self._beats_said.get(self.tempo_source())
        if said is None or said.position_beats is None or not said.rolling:
            return None
        return said.position_beats + (host_s - said.host_s) * (said.bpm or 0.0) / 60

    def source_rate(self) -> str:
        """The timecode rate as it arrives, and what it is counted in."""
        coded, rate = self._mtc.coded, self._mtc.rate
        if coded is None or rate is None:
            return ""
        return str(rate) if coded == rate else f"{rate} (sent as {coded})"


def _rates(options: SyncOptions) -> tuple[FrameRate | None, FrameRate | None]:
    """(stated, the film's).  Raises SyncError."""
    try:
        stated = None if options.frame_rate is None else FrameRate.parse(options.frame_rate)
        return stated, None if options.film_rate is None else FrameRate.parse(options.film_rate)
    except MusicError as error:
        raise SyncError(str(error)) from None


_NAMES: Final = {
    "mtc": "MIDI timecode",
    "clock": "MIDI clock",
    "plugin": "the plugin",
    "script": "the DAW script",
    "jack": "the JACK transport",
    "link": "Ableton Link",
}
