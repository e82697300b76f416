"""Ableton Link as a source: tempo, beat phase and start/stop of everybody in the session.

Link knows no song position.  What a composer gets: the tempo and the bar of the session, play and stop with everybody
who has "start stop sync" on, and a position counted from the start of play: play begins on the next bar of the session,
at the bar in which the playhead was placed last (the film's first at the beginning).  `LinkReader` decides that and is
sans-I/O; `LinkTransport` reads the session through the extra `link` (LinkPython-extern; Link itself is GPL).

Link counts microseconds on its own clock (CLOCK_MONOTONIC_RAW on Linux), which drifts from `time.perf_counter`: both
are read together every time.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any, Final

from bridge.transport.state import TransportObservation

SPEAK_S: Final = 0.1
AHEAD_S: Final = 0.15  # play is told so long before it begins: more than any output wants its notes ahead
SAME_BEATS: Final = 0.02  # a start this little after a bar line is that bar's
JUMP_BEATS: Final = 0.05  # the session's beat moved: other peers came in


@dataclass(frozen=True, slots=True)
class LinkMoment:
    """The session at a host time.  since_s: host time from which `playing` holds, which may lie ahead."""

    host_s: float
    beats: float
    bpm: float
    playing: bool
    since_s: float


class LinkReader:
    """`feed(moment)`, a hundred times a second -> observations with beats of the timeline.  quantum: quarter notes of
    a bar."""

    def __init__(self, quantum: float = 4.0) -> None:
        self.quantum = quantum
        self.place_beats = 0.0
        self._last: LinkMoment | None = None
        self._zero: float | None = None  # the session's beat at which play begins or began
        self._begun = False
        self._spoken_s = -1e9

    def feed(self, moment: LinkMoment) -> list[TransportObservation]:
        last, self._last = self._last, moment
        news = last is None or last.bpm != moment.bpm or last.playing != moment.playing
        if not moment.playing:
            begun, self._begun, self._zero = self._begun, False, None
            return [self._standing(moment)] if news or begun else []
        if self._zero is None:
            start = moment.beats + (moment.since_s - moment.host_s) * moment.bpm / 60
            self._zero = math.ceil((start - SAME_BEATS) / self.quantum) * self.quantum
        begins_s = moment.host_s + (self._zero - moment.beats) * 60 / moment.bpm
        if not self._begun:
            if begins_s - moment.host_s > AHEAD_S:
                return [self._standing(moment)] if news else []
            self._begun = True
            self._spoken_s = moment.host_s
            # Play that has just begun is told as it began; one that was joined later, as it is now.
            began = LinkMoment(begins_s, self._zero, moment.bpm, True, moment.since_s)
            return [self._rolling(began if begins_s > moment.host_s - SPEAK_S else moment)]
        jumped = False
        if last is not None and last.playing:
            expected = last.beats + (moment.host_s - last.host_s) * last.bpm / 60
            if abs(moment.beats - expected) > JUMP_BEATS:
                # Another session's beat: the nearest place that is on its bar line is where play goes on.
                jumped = True
                self._zero += round((moment.beats - expected) / self.quantum) * self.quantum
        if not news and not jumped and moment.host_s - self._spoken_s < SPEAK_S:
            return []
        self._spoken_s = moment.host_s
        return [self._rolling(moment, jumped)]

    @property
    def playing(self) -> bool:
        """Whether play has begun or is counted in."""
        return self._zero is not None

    def locate(self, beats: float) -> list[TransportObservation]:
        """Where the next play begins; while it plays, the music goes on there, in the phase of the session."""
        self.place_beats = beats
        moment = self._last
        if moment is None:
            return []
        if not self._begun or self._zero is None:
            return [self._standing(moment)]
        self._zero = math.floor(moment.beats / self.quantum) * self.quantum
        return [self._rolling(moment, True)]

    @property
    def _place(self) -> float:
        """The bar line at or before the place: our bars are the session's bars."""
        return math.floor(self.place_beats / self.quantum + 1e-6) * self.quantum

    def _standing(self, moment: LinkMoment) -> TransportObservation:
        return TransportObservation(
            "link", moment.host_s, position_beats=self._place, rolling=False, bpm=moment.bpm, locate=True
        )

    def _rolling(self, moment: LinkMoment, locate: bool = False) -> TransportObservation:
        assert self._zero is not None
        beats = self._place + moment.beats - self._zero
        return TransportObservation(
            "link", moment.host_s, position_beats=beats, rolling=True, bpm=moment.bpm, locate=locate
        )


class LinkTransport:
    """A peer of the Link session on the local network.  Raises ImportError without the extra.

    bpm: the tempo this peer comes with; it takes over that of a session that is there already.  `notes` collects
    sentences for the person.
    """

    def __init__(self, bpm: float, quantum: float) -> None:
        import link

        self.notes: list[str] = []
        self.reader = LinkReader(quantum)
        self._link: Any = link.Link(bpm)
        self._link.startStopSyncEnabled = True
        self._link.enabled = True
        self._clock: Any = self._link.clock()
        self._peers = -1

    def poll(self) -> list[TransportObservation]:
        """To be called a hundred times a second; costs microseconds and waits for nobody."""
        peers = self._link.numPeers()
        if peers != self._peers:
            if self._peers >= 0 or peers:
                many = "1 peer" if peers == 1 else f"{peers} peers"
                self.notes.append(f"Ableton Link: {many}." if peers else "Ableton Link: alone in the session now.")
            self._peers = peers
        return self.reader.feed(self._moment())

    def _moment(self) -> LinkMoment:
        before = time.perf_counter()
        micros = self._clock.micros()
        after = time.perf_counter()
        state = self._link.captureAppSessionState()
        host_s = (before + after) / 2
        playing = state.isPlaying()
        since_s = host_s + (state.timeForIsPlaying() - micros) / 1e6
        if not playing and since_s > host_s and self.reader.playing:
            playing, since_s = True, host_s  # a stop that has not come yet
        quantum = self.reader.quantum
        return LinkMoment(host_s, state.beatAtTime(micros, quantum), state.tempo(), playing, since_s)

    def set_playing(self, playing: bool) -> None:
        """Play or stop, for everybody in the session who follows starts and stops."""
        state = self._link.captureAppSessionState()
        state.setIsPlaying(playing, self._clock.micros())
        self._link.commitAppSessionState(state)

    def locate(self, beats: float) -> list[TransportObservation]:
        return self.reader.locate(beats)

    def close(self) -> None:
        self._link.enabled = False
