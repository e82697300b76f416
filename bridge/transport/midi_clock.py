"""MIDI clock with song position: 24 clocks a quarter note, F8; Start FA, Continue FB, Stop FC, position F2
(sixteenths).

Start means beat 0 on the next clock, Continue the stated position on the next clock.  Clocks may run while
stopped; they then tell the tempo only.  A clock knows beats, not seconds, and nothing of tempo changes before
the playhead: positions are beats here, and the tempo map turns them into seconds.  Song position ends at
16,383 sixteenths (4,095.75 beats).
"""

from __future__ import annotations

from collections import deque
from typing import Final

from bridge.transport.state import TransportObservation

CLOCKS: Final = 24
MAX_SPP: Final = 16383
_WINDOW: Final = (
    8 * CLOCKS
)  # a JACK period and a clock can be in step for a second: a shorter line would show the period
LOSS_S: Final = 0.25  # no clock for so long: the tempo has to be measured anew
NEWEST: Final = 6  # clocks whose mean distance from the line shows a change of tempo
BENT_S: Final = 0.03  # more than the longest usual period
BPM_RANGE: Final = (10.0, 500.0)


def song_position(beats: float) -> bytes:
    """F2 for a beat, rounded down to the sixteenth, clipped to what it can say."""
    sixteenths = max(0, min(MAX_SPP, int(beats * 4 + 1e-6)))
    return bytes((0xF2, sixteenths & 127, sixteenths >> 7))


class ClockReader:
    """`feed(message, host_s)` -> observations with beats; `bpm` as measured over the last two beats, or
    None."""

    def __init__(self) -> None:
        self.running = False
        self.bpm: float | None = None
        self.notes: list[str] = []
        self._clocks = 0  # since beat 0
        self._pending: int | None = None  # clock number that the next clock has, where it was said
        self._from = 0  # clock number at which it began to run
        self._times: deque[float] = deque(maxlen=_WINDOW)
        self._warned = False

    def feed(self, message: bytes, host_s: float) -> list[TransportObservation]:
        status = message[0] if message else 0
        if status == 0xF8:
            return self._clock(host_s)
        if status == 0xFA:
            return self._go(0, host_s)
        if status == 0xFB:
            if self.running and self._pending is None:
                return []  # it goes on already: taken as news, it would count the next clock twice
            return self._go(self._clocks if self._pending is None else self._pending, host_s)
        if status == 0xFC:
            return self._stop(host_s)
        if status == 0xF2 and len(message) == 3:
            return self._position(message[1] & 127 | (message[2] & 127) << 7, host_s)
        return []

    def phase_at(self, host_s: float) -> float | None:
        """Place within the beat, 0..1, by the line through the last clocks; None while it does not run steadily."""
        times = self._times
        if not self.running or self._pending is not None or len(times) < CLOCKS or host_s - times[-1] > LOSS_S:
            return None
        slope, off = _line(times)
        if slope <= 0 or abs(off) > BENT_S:
            return None
        middle = self._clocks - (len(times) - 1) / 2
        mean = times[0] + sum(time - times[0] for time in times) / len(times)
        return (middle + (host_s - mean) / slope) / CLOCKS % 1.0

    @property
    def beats(self) -> tuple[float, float] | None:
        """Quarter notes from beat 0 to where it was said to run from, and from there as counted; None standing."""
        if not self.running or self._pending is not None:
            return None
        return self._from / CLOCKS, (self._clocks - self._from) / CLOCKS

    def _clock(self, host_s: float) -> list[TransportObservation]:
        if self.running and self._pending is None and self._times and host_s - self._times[-1] > LOSS_S:
            self.notes.append(
                "MIDI clocks were missing while it ran: the position may be off until the DAW starts or locates again."
            )
        self._tempo(host_s)
        if not self.running:
            if self.bpm is None:
                return []
            return [TransportObservation("clock", host_s, bpm=self.bpm)]
        jumped = False
        if self._pending is not None:
            jumped = abs(self._pending - self._clocks - 1) > CLOCKS // 4
            self._clocks, self._pending = self._pending, None
            self._from = self._clocks
        else:
            self._clocks += 1
        return [
            TransportObservation(
                "clock", host_s, position_beats=self._clocks / CLOCKS, rolling=True, bpm=self.bpm, locate=jumped
            )
        ]

    def _go(self, clocks: int, host_s: float) -> list[TransportObservation]:
        self._pending = clocks
        started, self.running = not self.running, True
        if not started:
            return []
        # The beat begins with the next clock; until then it stands where it will begin.
        return [TransportObservation("clock", host_s, position_beats=clocks / CLOCKS, locate=True)]

    def _stop(self, host_s: float) -> list[TransportObservation]:
        self.running = False
        # Continue without a new position goes on from the sixteenth in which it stopped.
        at = self._clocks
        self._pending = self._clocks - self._clocks % 6
        return [TransportObservation("clock", host_s, position_beats=at / CLOCKS, rolling=False, bpm=self.bpm)]

    def _position(self, sixteenths: int, host_s: float) -> list[TransportObservation]:
        if sixteenths == MAX_SPP and not self._warned:
            self._warned = True
            self.notes.append(
                "MIDI clock's song position has reached its end (beat 4,095.75): jumps beyond it cannot be followed."
            )
        self._pending = sixteenths * 6
        if self.running:
            # Sent again while running it changes nothing; elsewhere it is a jump from the next clock on.
            if abs(self._pending - self._clocks - 1) <= CLOCKS // 4:
                self._pending = None
            return []
        self._clocks = self._pending
        return [
            TransportObservation("clock", host_s, position_beats=sixteenths / 4, rolling=False, rate=0.0, locate=True)
        ]

    def _tempo(self, host_s: float) -> None:
        """A straight line over the last two beats: bunched arrivals do not matter to it."""
        times = self._times
        if times and not -BENT_S <= host_s - times[-1] < LOSS_S:
            times.clear()
        times.append(host_s)
        count = len(times)
        if count < CLOCKS // 4 and (count < 2 or self.bpm is not None):
            return
        slope, off = _line(times)
        if abs(off) > BENT_S and count > 3 * NEWEST:
            # The tempo changed inside the window: what is older says nothing any more.
            for _ in range(count - 2 * NEWEST):
                times.popleft()
            slope, _ = _line(times)
        bpm = 60.0 / (slope * CLOCKS) if slope > 0 else 0.0
        if BPM_RANGE[0] <= bpm <= BPM_RANGE[1]:
            self.bpm = bpm


def _line(times: deque[float]) -> tuple[float, float]:
    """Least squares through equally spaced events: (seconds per step, how far the newest lie off the
    line)."""
    count = len(times)
    middle = (count - 1) / 2
    first = times[0]
    mean = sum(time - first for time in times) / count
    above = sum((index - middle) * (time - first) for index, time in enumerate(times))
    slope = above / (count * (count * count - 1) / 12)
    newest = range(max(count - NEWEST, 0), count)
    off = sum(times[index] - first - mean - slope * (index - middle) for index in newest) / len(newest)
    return slope, off
