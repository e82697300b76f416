"""REAPER without a script: its built-in OSC with our pattern file (CueBridge.ReaperOSC) as /daw/reaper/* messages.

REAPER sends one value a message, floats of 32 bits, only what changed; here they are put together into the messages
of the protocol.  The tempo comes only when it changes or when all surfaces are refreshed (action 41743): until then it
is measured from the beats that go by.  What this way cannot tell: the time signature, the tempo map ahead, the frame
rate.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final

from bridge.daw.protocol import LOOPING, PAUSED, PLAYING, RECORDING, DawMessage, Hello, Loop, Transport

PREFIX = "/daw/reaper/"
NATIVE_DAW = "reaper-osc"
_FLAGS = {"play": PLAYING, "record": RECORDING, "pause": PAUSED, "repeat": LOOPING}
_BEAT: Final = re.compile(r"\s*(-?\d+)\.(\d+)\.(\d{2})\s*")  # measure, beat, hundredths
_STEP_BEATS: Final = 0.01  # what REAPER rounds a beat to
_LEAST_BEATS, _LEAST_S = 2.0, 1.5  # before a measured tempo is believed


class BeatTempo:
    """Tempo from pairs of (second, "measure.beat.hundredths") while REAPER plays.

    Only steps inside a measure count, since the number of its beats is not told; rounding errors of neighbouring steps
    cancel each other out.
    """

    def __init__(self) -> None:
        self.bpm = 0.0  # 0: not known yet
        self._last: tuple[float, int, float] | None = None
        self._beats = self._seconds = 0.0
        self._measures: set[int] = set()

    def feed(self, second: float, text: str) -> bool:
        """True where the tempo is known now, or another one."""
        found = _BEAT.fullmatch(text)
        if found is None:
            return False
        here = (second, int(found[1]), int(found[2]) + int(found[3]) / 100)
        before, self._last = self._last, here
        if before is None or here[1] not in (before[1], before[1] + 1) or not 0 < second - before[0] < 1:
            return self._forget()  # the first, a jump, or standing still
        if here[1] != before[1]:
            return False
        if here[2] < before[2]:
            return self._forget()
        self._beats += here[2] - before[2]
        self._seconds += second - before[0]
        self._measures.add(here[1])
        if self._beats < _LEAST_BEATS or self._seconds < _LEAST_S:
            return False
        measured = self._beats * 60 / self._seconds
        error = measured * _STEP_BEATS * len(self._measures) / self._beats
        if self.bpm and abs(measured - self.bpm) <= 2 * error:
            return False
        self.bpm = _typed(measured, error)
        self._forget()
        return True

    def _forget(self) -> bool:
        self._beats = self._seconds = 0.0
        self._measures = set()
        return False


def _typed(bpm: float, error: float) -> float:
    """The shortest number within the error: tempi are typed with no or few decimals."""
    return next((round(bpm, digits) for digits in range(3) if abs(round(bpm, digits) - bpm) <= error), bpm)


class ReaperNative:
    """Collects; `take` answers with the messages that one REAPER message amounts to.  notes: sentences for the user."""

    def __init__(self) -> None:
        self._seq = 0
        self._bpm = 0.0  # as REAPER said it; 0 before
        self._measured = BeatTempo()
        self._position_s = 0.0
        self._flags = 0
        self._loop = [0.0, 0.0]
        self._greeted = self._warned = False
        self.notes: list[str] = []

    def take(self, address: str, args: Sequence[object]) -> list[DawMessage]:
        """Messages for DawLink.handle; [] for what is not understood (REAPER sends much that nobody asked for).

        A transport before any tempo is known has bpm 0: its second counts, its beat does not.
        """
        value = args[0] if args else None
        word = address.removeprefix(PREFIX)
        if word == "beat" and isinstance(value, str):
            self._measure(value)
            return []
        if not isinstance(value, (int, float)) or not math.isfinite(value):
            return []
        out: list[DawMessage] = []
        if not self._greeted:
            self._greeted = True
            out.append(Hello(NATIVE_DAW, "1", 1, 0, "", "", "transport loop"))
        if word == "tempo" and 1 <= value <= 2000:
            self._bpm = float(value)
        elif word == "time" and abs(value) < 1e6:
            self._position_s = float(value)
        elif word in _FLAGS:
            self._flags = (self._flags | _FLAGS[word]) if value else (self._flags & ~_FLAGS[word])
        elif word in ("loop/start", "loop/end"):
            self._loop[word == "loop/end"] = float(value)
            if self._loop[1] >= self._loop[0]:
                out.append(Loop(int(bool(self._flags & LOOPING)), self._loop[0], self._loop[1]))
            return out
        else:
            return out
        bpm = self._bpm or self._measured.bpm
        if not bpm and self._flags & PLAYING and not self._warned:
            self._warned = True
            self.notes.append(
                "REAPER has not told its tempo: its position is followed, and the tempo is measured from its beats. In "
                "REAPER, Actions > 41743 Refresh all surfaces tells it at once."
            )
        self._seq += 1
        beats = self._position_s * bpm / 60  # true for a constant tempo only, which is all this way knows
        out.append(Transport(self._seq, 0.0, self._position_s, beats, bpm, 4, 4, self._flags))
        return out

    def _measure(self, text: str) -> None:
        if not self._bpm and self._flags & PLAYING and self._measured.feed(self._position_s, text):
            self.notes.append(
                f"REAPER plays at {self._measured.bpm:g} quarter notes a minute, measured from its beats."
            )
