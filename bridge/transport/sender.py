"""The bridge as the clock: MIDI timecode and MIDI clock with song position, for gear and DAWs that follow.

Sans-I/O like the scheduler: it is told how the playhead moves and answers with messages and their host times.
At standstill a full frame and a song position; a start at beat 0 is Start, anywhere else the position of the
next sixteenth and, on it, Continue; timecode begins with the next even frame, as the standard asks.  A wrap
or a locate while rolling is Stop, position, Continue, which is also what Ardour sends.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from bridge.player.tempo import TempoLine
from bridge.transport.midi_clock import CLOCKS, song_position
from bridge.transport.mtc import full_frame, quarter_frame
from bridge.transport.state import STANDING, Motion
from engine.music.timecode import FrameRate, Timecode, TimecodeClock

START, CONTINUE, STOP, CLOCK = b"\xfa", b"\xfb", b"\xfc", b"\xf8"
SAME_S: Final = 0.0005  # nearer than this to beat 0 is beat 0
DAY_S: Final = 86400


class SyncSender:
    """rate: of the timecode, or None for no timecode; clock: whether MIDI clock is sent; tempo: the line in
    force."""

    def __init__(self, rate: FrameRate | None, clock: bool, tempo: Callable[[], TempoLine]) -> None:
        self.rate, self.clock = rate, clock
        self.out: list[tuple[float, bytes]] = []
        self._tempo = tempo
        self._motion: Motion = STANDING
        self._running = False
        self._quarter = 0  # number of the next quarter frame, counted from timeline second 0
        self._label: Timecode | None = None
        self._tick = 0  # number of the next clock, counted from beat 0
        self._begin: bytes | None = None  # Start or Continue, due with the next clock

    def move(self, motion: Motion, jump: bool) -> None:
        """The playhead's new line, from its `host_s` on."""
        self._motion = motion
        if not jump:
            return
        at, position = motion.host_s, motion.position_s
        if self.clock and self._running:
            self.out.append((at, STOP))
        self._running = motion.audible
        if self.rate is not None:
            self._stand(at, position)
        if self.clock:
            self._place(at, position)

    def _stand(self, at: float, position: float) -> None:
        rate = self.rate
        assert rate is not None
        if 0 <= position < DAY_S:
            self.out.append((at, full_frame(TimecodeClock(rate).label_at(position))))
        # The next even frame, counted so that what lies exactly on one is that one.
        pair = math.ceil(position * float(rate.fps) / 2 - 1e-6)
        self._quarter = pair * 8
        self._label = None

    def _place(self, at: float, position: float) -> None:
        beats = self._tempo().beats_at(position)
        if abs(self._tempo().seconds_at(0.0) - position) < SAME_S:
            self._tick, self._begin = 0, START
            if not self._running:
                self.out.append((at, song_position(0.0)))
            return
        sixteenth = max(0, math.ceil(beats * 4 - 1e-6))
        self._tick, self._begin = sixteenth * CLOCKS // 4, CONTINUE
        self.out.append((at, song_position(sixteenth / 4)))

    # what is due ------------------------------------------------------------------------------------------------
    def _next_quarter(self) -> float | None:
        if self.rate is None or not self._running or self._quarter < 0:
            return None
        return self._motion.host_at(self._quarter / 4 / float(self.rate.fps))

    def _next_tick(self) -> float | None:
        if not self.clock or not self._running:
            return None
        return self._motion.host_at(self._tempo().seconds_at(self._tick / CLOCKS))

    def next_due(self) -> float | None:
        times = [time for time in (self._next_quarter(), self._next_tick()) if time is not None]
        return min(times) if times else None

    def advance(self, until_s: float) -> None:
        """Everything due by `until_s` goes to `out`.  What is long past (the process was held up) is left
        out, so that no burst follows: a follower freewheels better than it swallows that."""
        while (due := self._next_quarter()) is not None and due <= until_s:
            if self._quarter % 8 == 0 or self._label is None:
                assert self.rate is not None
                self._label = Timecode(self._quarter // 8 * 2, self.rate)
            if until_s - due < 0.1 and self._quarter / 4 / float(self._label.rate.fps) < DAY_S:
                self.out.append((due, quarter_frame(self._quarter % 8, self._label)))
            self._quarter += 1
        while (due := self._next_tick()) is not None and due <= until_s:
            if self._begin is not None:
                self.out.append((due, self._begin))
                self._begin = None
            self.out.append((due, CLOCK))
            self._tick += 1
        self.out.sort(key=lambda item: item[0])
