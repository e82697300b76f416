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
ALIKE: Final = 0.3  # of a beat's length: periods are long against short beats
SILENT_BEATS: Final = 3.0  # a count of beats that stands for so long has nothing to do with the frames


class BeatCount:
    """Quarter notes by a timebase master's bars and beats, and what its tempo and ticks count: JACK means the beats of
    the meter, eighths in 7/8, and klick does; Ardour counts quarter notes in every meter.  Only how long a beat lasts
    tells.  Call `look` with every period while JACK rolls."""

    def __init__(self) -> None:
        self._quarters: bool | None = None  # what tempo and ticks count
        self._last: tuple[float, int, float] | None = None  # of the period before: second, beat, beats in a bar
        self._edge: tuple[float, int] | None = None  # where a beat began: second, beat
        self.runs = False  # beats go by with the frames
        self.bpm: float | None = None  # quarter notes a minute; None while it cannot be told
        self.beats: float | None = None  # quarter notes since bar 1, None while they do not run

    def look(self, position_s: float, beat: int, ticks: float, bpm: float, meter: tuple[float, float]) -> None:
        """beat: of the meter, since bar 1.  ticks: into it, as a part of what the master calls a beat.  bpm: as it was
        said.  meter: beats in a bar; 4 for quarters, 8 for eighths."""
        per_bar, unit = meter
        last, self._last = self._last, (position_s, beat, per_bar)
        if last is None or not 0 < position_s - last[0] < 0.5 or per_bar != last[2] or not 0 <= beat - last[1] <= 1:
            self._edge = None  # a start, a locate or another meter
        elif beat != last[1]:
            if self._edge is not None:
                self._judge(60 / (position_s - self._edge[0]) / bpm, unit)
            self._edge = (position_s, beat)
        elif self._edge is not None and position_s - self._edge[0] > SILENT_BEATS * 60 / bpm * max(1.0, 4 / unit):
            self.runs = False
        in_quarters = 4 / unit
        self.bpm = bpm if unit == 4 or self._quarters else None if self._quarters is None else bpm * in_quarters
        part = min(ticks if self._quarters or unit == 4 else ticks * in_quarters, in_quarters)
        self.beats = beat * in_quarters + part if self.runs and self.bpm is not None else None

    def _judge(self, told: float, unit: float) -> None:
        """told: beats of the meter a minute as they go by, against the tempo that is said."""
        of_quarters, of_beats = abs(math.log(told * 4 / unit)), abs(math.log(told))
        self.runs = min(of_quarters, of_beats) < ALIKE
        if self.runs and unit != 4:
            self._quarters = of_quarters < of_beats


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
        self._count = BeatCount()
        self._rate = float(self._client.samplerate)
        self._client.set_process_callback(self._process)
        self._client.set_shutdown_callback(self._shutdown)
        self._client.activate()

    def _process(self, frames: int) -> None:
        state, place = self._client.transport_query_struct()
        frame = place.frame
        _, start_us, _ = self._time.cycle()
        expected = self._next
        rolling = state == ROLLING
        self._next = (state, frame + (frames if rolling else 0))
        said = rolling and place.valid & BBT and place.beats_per_minute > 0
        whole = said and place.beats_per_bar >= 1 and place.beat_type >= 1
        if whole:
            beat = round((place.bar - 1) * place.beats_per_bar) + place.beat - 1
            ticks = place.tick / place.ticks_per_beat if place.ticks_per_beat > 0 else 0.0
            meter = (place.beats_per_bar, place.beat_type)
            self._count.look(frame / self._rate, beat, ticks, place.beats_per_minute, meter)
        news = expected is None or expected[0] != state or expected[1] != frame
        if not news and start_us - self._spoken_us < SPEAK_S * 1e6:
            return
        self._spoken_us = start_us
        tempo = self._count.bpm if whole else place.beats_per_minute if said else None
        self._hear(
            TransportObservation(
                "jack",
                start_us / 1e6 - self._time.last_offset_us / 1e6,
                position_s=frame / self._rate,
                position_beats=self._count.beats if whole else None,
                rolling=rolling,
                rate=1.0 if rolling else 0.0,
                bpm=tempo,
                meter=(round(place.beats_per_bar), round(place.beat_type)) if whole and tempo is not None else None,
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
