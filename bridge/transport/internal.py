"""The bridge's own transport: play, stop, locate, loop, for use without a DAW and for rehearsal.

Sans-I/O: each command carries the host time from which it holds and answers with the `Change` it causes.
"""

from __future__ import annotations

from bridge.transport.state import STANDING, Change, Loop, Motion


class InternalTransport:
    """Position in timeline seconds, rate 1."""

    __slots__ = ("loop", "motion")

    def __init__(self) -> None:
        self.motion = Motion(STANDING.host_s, 0.0, 0.0, False)
        self.loop: Loop | None = None

    def play(self, host_s: float) -> Change | None:
        if self.motion.audible:
            return None
        return self._go(Motion(host_s, self.motion.position_at(host_s), 1.0, True))

    def stop(self, host_s: float) -> Change | None:
        if not self.motion.audible:
            return None
        return self._go(Motion(host_s, self.motion.position_at(host_s), 0.0, False))

    def locate(self, position_s: float, host_s: float) -> Change:
        return self._go(Motion(host_s, position_s, self.motion.rate, self.motion.audible))

    def set_loop(self, loop: Loop | None, host_s: float) -> None:
        """A range too short to be one is no loop.  The line of the playhead is anchored anew, unchanged, so
        that `next_wrap` compares the loop's end with where the playhead is now."""
        self.loop = loop if loop is not None and loop.valid else None
        motion = self.motion
        self.motion = Motion(host_s, motion.position_at(host_s), motion.rate, motion.audible)

    def next_wrap(self) -> float | None:
        """Host time at which the playhead goes from loop end to loop start; a playhead beyond the end plays
        on."""
        loop = self.loop
        if loop is None or not self.motion.audible or self.motion.position_s >= loop.end_s:
            return None
        return self.motion.host_at(loop.end_s)

    def wrap(self, host_s: float) -> Change:
        """To be called at the time `next_wrap` says."""
        assert self.loop is not None
        return self._go(Motion(host_s, self.loop.start_s, 1.0, True))

    def _go(self, motion: Motion) -> Change:
        self.motion = motion
        return Change(motion, jump=True)
