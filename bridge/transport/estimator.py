"""From observations of a transport to one playhead: the estimator that every outside source feeds.

Each source says now and then where it is; its words arrive late, early or in bunches.  The follower fits a
straight line through the last second and a half of them (regression: single intervals are off by a JACK
period, the line is right to 0.01 %), lets the playhead run along it, and decides what is a jump and what is
jitter.

States: stopped · locking (rolls, few observations yet) · locked · freewheel (the source is silent, the
playhead goes on) · lost (silent for longer than the freewheel: stopped, notes off).  Sans-I/O: all times are
given by the caller.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from bridge.transport.state import Change, Loop, Motion, TransportObservation

WINDOW_S: Final = 1.5
MAX_POINTS: Final = 192
DEBOUNCE_S: Final = 0.05  # a dragged playhead: only where it comes to rest counts
AUDIBLE_RATES: Final = (0.45, 2.2)  # varispeed; outside of it is shuttle, and silent
SNAP: Final = 0.0007  # a rate so near to 1 is 1: the rest is the noise of arrivals
SLOPE_SPAN_S: Final = 0.4  # a shorter stretch does not say how fast
CONTRADICTION_S: Final = 0.03  # unless it contradicts the supposed rate by so much
BENT_S: Final = 0.02  # the newest observations lie off the line by so much: the speed has changed
MOVE_S: Final = 0.0008  # the playhead is moved for more than this
EXACT_MOVE_S: Final = 0.0001  # of a source without noise
MOVE_RATE: Final = 0.0002
WRAP_GRACE_S: Final = 0.4  # after a wrap that was foreseen, words from before it are late ones
CATCH_UP_S: Final = 0.1  # what should have begun longer ago is not begun any more
GAP_S: Final = 0.1  # a source with a gap that has said nothing for so long after the loop's end did not wrap
HOLD_STOP_S: Final = 0.15  # a stop at the loop's end is a wrap if rolling goes on within this


@dataclass(frozen=True, slots=True)
class SourceTraits:
    """jump_s: farther off than this is no jitter.  agree: so many in a row make it a jump.  silence_s: no
    word for so long is a loss.  locked_after: observations until the line is trusted.  snap: the source
    counts seconds, so its speed is 1 unless it is not.  exact: place and speed are said without noise: each word is
    the line.  gap: it stands for a while, nobody knows how long, before it rolls again at the start of a loop."""

    jump_s: float
    agree: int
    silence_s: float
    locked_after: int
    snap: bool = True
    exact: bool = False
    gap: bool = False


TRAITS: Final = {
    "mtc": SourceTraits(0.08, 4, 0.15, 8),
    "clock": SourceTraits(0.08, 3, 0.25, 6, snap=False),
    "script": SourceTraits(0.12, 2, 0.35, 3),
    "plugin": SourceTraits(0.06, 2, 0.35, 4),  # exact places, read when the host happened to ask for its block
    "jack": SourceTraits(0.004, 1, 0.25, 1, gap=True),
    "link": SourceTraits(0.05, 1, 0.5, 2, snap=False, exact=True),
}


class _Line:
    """Least squares over (host, position) with a bounded window; times relative to the first point, for
    precision."""

    __slots__ = ("points",)

    def __init__(self) -> None:
        self.points: deque[tuple[float, float]] = deque(maxlen=MAX_POINTS)

    def add(self, host_s: float, position_s: float) -> None:
        points = self.points
        points.append((host_s, position_s))
        while points[-1][0] - points[0][0] > WINDOW_S and len(points) > 2:
            points.popleft()

    def fit(self, rate: float, snap: bool) -> tuple[float, float]:
        """(position at the newest host time, rate).  `rate`: what is supposed until the points say
        otherwise."""
        points = self.points
        count = len(points)
        zero_host, zero_position = points[0]
        mean_host = sum(host - zero_host for host, _ in points) / count
        mean_position = sum(position - zero_position for _, position in points) / count
        span = points[-1][0] - zero_host
        if count >= 4 and span > 0.05:
            below = sum((host - zero_host - mean_host) ** 2 for host, _ in points)
            above = sum(
                (host - zero_host - mean_host) * (position - zero_position - mean_position) for host, position in points
            )
            slope = above / below if below > 0 else rate
            if span >= SLOPE_SPAN_S or abs(slope - rate) * span > CONTRADICTION_S:
                rate = 1.0 if snap and abs(slope - 1.0) < SNAP else slope
        newest = points[-1][0] - zero_host
        return zero_position + mean_position + rate * (newest - mean_host), rate

    def bent(self, motion: Motion) -> float:
        """Mean distance of the newest six points from a line."""
        newest = list(self.points)[-6:]
        return sum(position - motion.position_at(host) for host, position in newest) / len(newest)

    def forget_older_half(self) -> None:
        for _ in range(len(self.points) // 2):
            self.points.popleft()


class Follower:
    """Feeds on observations that carry `position_s`; answers with `Change`s for the scheduler.

    `at` is the host time from which a change can hold (the player's horizon); it is never before what was
    said last.
    """

    def __init__(self, source: str, freewheel_s: float = 0.5) -> None:
        self.source = source
        self.traits = TRAITS[source]
        self.freewheel_s = freewheel_s
        self.state = "stopped"
        self.motion = Motion(0.0, 0.0, 0.0, False)
        self.loop: Loop | None = None
        self.jumps = 0
        self._line = _Line()
        self._strays: list[tuple[float, float]] = []
        self._last_heard = -1e9
        self._pending: tuple[float, float] | None = None  # (position, host time at which it is taken)
        self._wrap: tuple[float, Motion] | None = None  # (host of a foreseen wrap, the motion before it)
        self._held_stop: tuple[float, float] | None = None
        self._gap: Motion | None = None  # waiting at the loop's end: how it would go on if there was no wrap

    @property
    def rolling(self) -> bool:
        return self.state in ("locking", "locked", "freewheel")

    # what is heard ----------------------------------------------------------------------------------------------
    def observe(self, said: TransportObservation, at: float) -> Change | None:
        """One observation; position in seconds or none."""
        if said.rolling is False:
            return self._standing(said, at)
        if said.position_s is None:
            return None
        if said.rolling is None:
            if not self.rolling:
                self._pending = (said.position_s, said.host_s + DEBOUNCE_S)
            return None
        self._last_heard = said.host_s
        self._held_stop = None
        self._pending = None
        if self._gap is not None and abs(said.position_s - self._gap.position_at(said.host_s)) < self.traits.jump_s:
            return None  # on the way beyond the end, where it turns within a period or two
        self._gap = None
        if not self.rolling:
            return self._begin(said.position_s, said, at)
        return self._go_on(said.position_s, said, at)

    def _standing(self, said: TransportObservation, at: float) -> Change | None:
        position = said.position_s
        if not self.rolling:
            self.state = "stopped"
            if position is not None and abs(position - self.motion.position_s) > 1e-9:
                self._pending = (position, said.host_s + DEBOUNCE_S)
            return None
        if self._near_wrap(said):
            self._gap = None
            self._held_stop = (
                said.host_s + HOLD_STOP_S,
                position if position is not None else self.motion.position_at(at),
            )
            return None
        return self._stop(self.motion.position_at(at) if position is None else position, at)

    def _near_wrap(self, said: TransportObservation) -> bool:
        if self.loop is None:
            return False
        here = self.motion.position_at(said.host_s)
        just_wrapped = self._wrap is not None and said.host_s - self._wrap[0] < WRAP_GRACE_S
        return just_wrapped or self.loop.end_s - here < 0.1

    def _stop(self, position_s: float, at: float, state: str = "stopped") -> Change:
        self.state = state
        self._line.points.clear()
        self._strays.clear()
        self._held_stop = self._wrap = self._gap = None
        self.motion = Motion(at, position_s, 0.0, False)
        return Change(self.motion, jump=True)

    def _begin(self, position_s: float, said: TransportObservation, at: float) -> Change:
        """Rolling begins, or begins elsewhere: believed at once, so that the first note is not lost."""
        self.state = "locking"
        self._line.points.clear()
        self._strays.clear()
        self._line.add(said.host_s, position_s)
        rate = said.rate if said.rate else 1.0
        self._settle()
        # The playhead begins where and when it was heard to, not at the horizon: what has begun since then is late, but
        # not lost.
        begun = max(said.host_s, at - CATCH_UP_S)
        return self._set(Motion(begun, position_s + (begun - said.host_s) * rate, rate, True), jump=True)

    def _go_on(self, position_s: float, said: TransportObservation, at: float) -> Change | None:
        if self.state == "freewheel":
            self.state = "locked"
        off = position_s - self.motion.position_at(said.host_s)
        reversed_ = said.rate is not None and said.rate * self.motion.rate < 0
        if self._wrap is not None:
            wrapped_at, before = self._wrap
            if said.host_s - wrapped_at > WRAP_GRACE_S:
                self._wrap = None
            elif abs(position_s - before.position_at(said.host_s)) < self.traits.jump_s:
                return None  # from before the wrap
        if (said.locate and abs(off) > MOVE_S) or reversed_:
            if self._wrap is not None and abs(off) < self.traits.jump_s:
                pass  # the source's own word for a wrap that was foreseen
            else:
                self.jumps += 1
                return self._begin(position_s, said, at)
        if abs(off) > self.traits.jump_s:
            return self._stray(position_s, said, at)
        self._strays.clear()
        if self.traits.exact and said.rate is not None:
            return self._exactly(position_s, said, said.rate, at)
        self._line.add(said.host_s, position_s)
        self._settle()
        return self._refit(at)

    def _exactly(self, position_s: float, said: TransportObservation, rate: float, at: float) -> Change | None:
        self.state = "locked"
        reported = Motion(said.host_s, position_s, rate, True)
        moved = reported.position_at(at) - self.motion.position_at(at)
        if abs(moved) < EXACT_MOVE_S and rate == self.motion.rate:
            return None
        return self._set(Motion(at, reported.position_at(at), rate, True), jump=False)

    def _settle(self) -> None:
        if self.state == "locking" and len(self._line.points) >= self.traits.locked_after:
            self.state = "locked"

    def _stray(self, position_s: float, said: TransportObservation, at: float) -> Change | None:
        """Far off: a late word, or a jump when the next ones agree with it."""
        strays = self._strays
        if strays:
            host, position = strays[-1]
            rate = self.motion.rate
            if abs(position_s - position - (said.host_s - host) * rate) > self.traits.jump_s:
                strays.clear()
        strays.append((said.host_s, position_s))
        if len(strays) < self.traits.agree:
            return None
        self.jumps += 1
        agreed = list(strays)
        change = self._begin(position_s, said, at)
        self._line.points.clear()
        self._line.points.extend(agreed)
        return change

    def _refit(self, at: float) -> Change | None:
        motion = self.motion
        newest = self._line.points[-1][0]
        if len(self._line.points) >= 12 and abs(self._line.bent(motion)) > BENT_S:
            self._line.forget_older_half()
        position, rate = self._line.fit(motion.rate if motion.rate else 1.0, self.traits.snap)
        fitted = Motion(newest, position, rate, True)
        moved = fitted.position_at(at) - motion.position_at(at)
        if abs(moved) < self._threshold() and abs(rate - motion.rate) < MOVE_RATE:
            return None
        return self._set(Motion(at, fitted.position_at(at), rate, True), jump=False)

    def _threshold(self) -> float:
        return EXACT_MOVE_S if self.source == "jack" else MOVE_S

    def _set(self, motion: Motion, jump: bool) -> Change:
        audible = AUDIBLE_RATES[0] <= motion.rate <= AUDIBLE_RATES[1]
        was_audible = self.motion.audible
        self.motion = Motion(motion.host_s, motion.position_s, motion.rate, audible)
        return Change(self.motion, jump=jump or audible != was_audible)

    # what time brings -------------------------------------------------------------------------------------------
    def next_decision(self) -> float | None:
        """Host time at which `decide` has something to say: a locate has come to rest, or the source is
        silent."""
        times = []
        if self._pending is not None:
            times.append(self._pending[1])
        if self._held_stop is not None:
            times.append(self._held_stop[0])
        if self._gap is not None:
            times.append(self._gap.host_s + GAP_S)
        if self.rolling:
            silence = self._last_heard + self.traits.silence_s
            times.append(silence if self.state != "freewheel" else silence + self.freewheel_s)
        return min(times) if times else None

    def decide(self, now: float, at: float) -> Change | None:
        """One decision that is due; to be called again while `next_decision` lies in the past."""
        if self._pending is not None and now >= self._pending[1]:
            position, self._pending = self._pending[0], None
            if self.rolling:
                return None
            self.motion = Motion(at, position, 0.0, False)
            return Change(self.motion, jump=True)
        if self._held_stop is not None and now >= self._held_stop[0]:
            return self._stop(self._held_stop[1], at)
        if self._gap is not None and now >= self._gap.host_s + GAP_S:
            before, self._gap = self._gap, None
            begun = at - CATCH_UP_S
            return self._set(Motion(begun, before.position_at(begun), before.rate, True), jump=True)
        if self.rolling and now >= self._last_heard + self.traits.silence_s:
            self.state = "freewheel"
            if now >= self._last_heard + self.traits.silence_s + self.freewheel_s:
                return self._stop(self.motion.position_at(at), at, "lost")
        return None

    def next_wrap(self) -> float | None:
        """Host time at which the playhead reaches the end of the known loop."""
        motion, loop = self.motion, self.loop
        if loop is None or not motion.audible or motion.position_s >= loop.end_s:
            return None
        return motion.host_at(loop.end_s)

    def wrap(self, wrap_at: float) -> Change:
        """To be called at the time `next_wrap` says: the source's own word for it comes later, in its own
        time.  Of a source with a gap only the end is foreseen: the next pass begins when it says so."""
        assert self.loop is not None
        before = self.motion
        if self.traits.gap:
            self._gap = Motion(wrap_at, self.loop.end_s, before.rate, True)
            self._strays.clear()
            self.motion = Motion(wrap_at, self.loop.end_s, 0.0, False)
            return Change(self.motion, jump=True)
        self._wrap = (wrap_at, before)
        self._line.points.clear()
        self._strays.clear()
        self.motion = Motion(wrap_at, self.loop.start_s, before.rate, True)
        return Change(self.motion, jump=True)

    def set_loop(self, loop: Loop | None, at: float) -> None:
        self.loop = loop if loop is not None and loop.valid else None
        motion = self.motion
        self.motion = Motion(at, motion.position_at(at), motion.rate, motion.audible)

    def shift(self, position_s: float, rate: float, at: float) -> Change:
        """The same musical moment has another second now (the tempo map changed): the line begins anew
        there."""
        self._line.points.clear()
        self._strays.clear()
        self._line.add(at, position_s)
        self.motion = Motion(at, position_s, rate if self.rolling else 0.0, self.motion.audible)
        return Change(self.motion, jump=False)
