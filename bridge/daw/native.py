"""REAPER without a script: its built-in OSC with our pattern file (CueBridge.ReaperOSC) as /daw/reaper/* messages.

REAPER sends one value a message, floats of 32 bits, only what changed; here they are put together into the messages
of the protocol.  What this way cannot tell: the time signature, the tempo map ahead, the frame rate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from bridge.daw.protocol import LOOPING, PAUSED, PLAYING, RECORDING, DawMessage, Hello, Loop, Transport

PREFIX = "/daw/reaper/"
NATIVE_DAW = "reaper-osc"
_FLAGS = {"play": PLAYING, "record": RECORDING, "pause": PAUSED, "repeat": LOOPING}


class ReaperNative:
    """Collects; `take` answers with the messages that one REAPER message amounts to."""

    def __init__(self) -> None:
        self._seq = 0
        self._bpm = 0.0
        self._position_s = 0.0
        self._beats = 0.0
        self._flags = 0
        self._loop = [0.0, 0.0]
        self._greeted = False

    def take(self, address: str, args: Sequence[object]) -> list[DawMessage]:
        """Messages for DawLink.handle; [] for what is not understood (REAPER sends much that nobody asked for)."""
        value = args[0] if args else None
        word = address.removeprefix(PREFIX)
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
        if not self._bpm:
            return out  # without a tempo a position is of little use; REAPER sends it at once on connecting
        self._seq += 1
        beats = self._position_s * self._bpm / 60  # true for a constant tempo only, which is all this way knows
        out.append(Transport(self._seq, 0.0, self._position_s, beats, self._bpm, 4, 4, self._flags))
        return out
