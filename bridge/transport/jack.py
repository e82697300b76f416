"""The JACK transport as a source: state and frame of every period with its exact time, bar|beat tempo where
it is alive.

A passive client without ports looks once a period in the process callback, and speaks when something changed,
and ten times a second while rolling.  A timebase master that does not drive the transport leaves a bar|beat
that has nothing to do with the frame (Ardour with its own clock does): tempo is only believed while frames
move.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from typing import Any, Final

from bridge.player.jack_output import JackTime, open_client
from bridge.transport.state import TransportObservation

ROLLING: Final = 1
BBT: Final = 0x10
SPEAK_S: Final = 0.1
TOLD_S: Final = 0.02  # of beats that go by tell what a tempo counts, also where ticks are coarse
APART_S: Final = 1.0  # beats farther apart say nothing: a change of tempo or meter may lie between


class TempoUnit:
    """What a timebase master counts with its tempo.  JACK means the beats of the meter, eighths in 7/8, and klick does;
    Ardour says quarter notes in every meter.  Only the speed at which beats go by tells."""

    def __init__(self) -> None:
        self._quarters: bool | None = None
        self._first: tuple[float, float, float] | None = None  # (seconds, beats of the meter, beats in a bar)

    def quarter_bpm(self, position_s: float, beats: float, bpm: float, meter: tuple[float, float]) -> float | None:
        """Quarter notes a minute; None while it cannot be told.

        beats: of the meter, since bar 1.  bpm: as it was said.  meter: beats in a bar; 4 for quarters, 8 for eighths.
        """
        per_bar, unit = meter
        if unit == 4:
            return bpm
        if self._first is None or not 0 < position_s - self._first[0] < APART_S or per_bar != self._first[2]:
            self._first = (position_s, beats, per_bar)
        passed_s, counted = position_s - self._first[0], beats - self._first[1]
        if passed_s >= TOLD_S and counted > 0:
            told = counted * 60 / passed_s / bpm  # 1 where the tempo counts beats of the meter, unit / 4 where quarters
            self._quarters = abs(math.log(told * 4 / unit)) < abs(math.log(told))
        if self._quarters is None:
            return None
        return bpm if self._quarters else bpm * 4 / unit


class JackTransport:
    """hear: told of each observation, from JACK's thread; it must only store it and wake the player.  Raises
    PortError."""

    def __init__(self, name: str, hear: Callable[[TransportObservation], None]) -> None:
        self.alive = True
        self._hear = hear
        self._client: Any = open_client(name)
        self._time = JackTime(self._client)
        self._next: tuple[int, int] | None = None  # (state, frame) expected of the next period
        self._spoken_us = 0
        self._unit = TempoUnit()
        self._rate = float(self._client.samplerate)
        self._client.set_process_callback(self._process)
        self._client.set_shutdown_callback(self._shutdown)
        self._client.activate()

    def _process(self, frames: int) -> None:
        state, place = self._client.transport_query_struct()
        frame = place.frame
        _, start_us, _ = self._time.cycle()
        expected = self._next
        moving = frames if state == ROLLING else 0
        self._next = (state, frame + moving)
        news = expected is None or expected[0] != state or expected[1] != frame
        if not news and start_us - self._spoken_us < SPEAK_S * 1e6:
            return
        self._spoken_us = start_us
        rolling = state == ROLLING
        tempo = place.beats_per_minute if rolling and place.valid & BBT and place.beats_per_minute > 0 else None
        meter = None
        if tempo is not None and place.beats_per_bar >= 1 and place.beat_type >= 1:
            tick = place.tick / place.ticks_per_beat if place.ticks_per_beat > 0 else 0.0
            beats = (place.bar - 1) * place.beats_per_bar + place.beat - 1 + tick
            tempo = self._unit.quarter_bpm(frame / self._rate, beats, tempo, (place.beats_per_bar, place.beat_type))
            meter = (round(place.beats_per_bar), round(place.beat_type)) if tempo is not None else None
        self._hear(
            TransportObservation(
                "jack",
                start_us / 1e6 - self._time.last_offset_us / 1e6,
                position_s=frame / self._rate,
                rolling=rolling,
                rate=1.0 if rolling else 0.0,
                bpm=tempo,
                meter=meter,
                locate=expected is not None and news and expected[1] != frame,
            )
        )

    def refresh(self) -> None:
        """Measures JACK's clock against the host's again; to be called a few times a second, outside the
        callback."""
        if self.alive:
            self._time.offset_us()

    def _shutdown(self, status: object, reason: str) -> None:
        self.alive = False

    def close(self) -> None:
        with contextlib.suppress(Exception):
            if self.alive:
                self._client.deactivate()
            self._client.close()
