"""Play, stop, locate and loop of the internal transport, and where on the timeline a change takes over.

Times in `_s` are picture seconds.
"""

from __future__ import annotations

import contextlib
import time
from bisect import bisect_right
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bridge.session.arranging import EVER
from engine.music import controls
from engine.music.arguments import ControlError

if TYPE_CHECKING:
    from bridge.player.messages import PlayerStatus
    from bridge.session.session import Session

When = str | float | int
AHEAD_S: Final = 2.0  # of arranged music, and two slots, before play begins
START_PATIENCE_S: Final = 4.0  # play waits this long for a complete composition once enough is there to begin
END_MARGIN_S: Final = 0.1
HEARD_S: Final = 0.1  # within this a locate has reached the player
NEAR_S: Final = 0.1  # a playhead this near to where it was placed is there
PASS_S: Final = 1.0  # before the end of a pass the take of the next one is asked for


class SessionTransport:
    """Of one session; the player does what is said here."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.play_wanted = session.options.play
        self._played = False
        self._looped: tuple[float, float] | None = None
        self._last_position_s = 0.0
        self._pass_asked = False
        self._last_loop: tuple[float, float] | None = None
        self._placed: tuple[float, float] | None = None  # host time and timeline second of a locate just asked for

    def enough_ahead(self, position_s: float) -> bool:
        session = self._session
        if session.plan.complete:
            return True
        slots = session.document.result.slots
        index = bisect_right(slots, position_s, key=lambda slot: slot.start_s)
        two_slots_s = slots[index + 1].end_s if index + 1 < len(slots) else EVER
        return session.planned_to_s >= max(two_slots_s, position_s + AHEAD_S)

    def start_or_end(self, now_s: float) -> None:
        session = self._session
        if self.play_wanted and (self.shared or not session.options.follows) and session.status is not None:
            waited = session.first_slots_host_s is not None and now_s - session.first_slots_host_s > START_PATIENCE_S
            ready = session.plan.complete and not session.plan.busy
            if ready or (waited and self.enough_ahead(session.position_s())):
                self.play_wanted = False
                session.player.play()
        if session.rolling:
            self._played = True
            self._watch_passes()
        if self._played and not session.options.follows and session.plan.complete and self._looped is None:
            at_end = session.position_s() >= session.end_s + END_MARGIN_S
            if at_end and session.rolling:
                session.player.stop()
            if session.options.once and at_end and not session.rolling:
                session.finished = True

    def _watch_passes(self) -> None:
        """With `/cue/take/repeat new` another take is composed towards the end of each pass of a loop."""
        session, position_s = self._session, self._session.position_s()
        if position_s < self._last_position_s:
            self._pass_asked = False
        self._last_position_s = position_s
        if self._looped is None or self._pass_asked or session.document.text(controls.TAKE_REPEAT) != "new":
            return
        left_s = self._looped[1] - position_s
        if 0 < left_s < max(PASS_S, 2 * session.desk.lead_s) and session.document.result.complete:
            self._pass_asked = True
            with contextlib.suppress(ControlError):  # there are no more numbers: the last take goes on
                session.edits.new_take("loop")

    def play(self) -> float:
        """Starts the internal transport as soon as enough is arranged.  Raises ControlError under a DAW."""
        session = self._session
        self._refuse_under_daw()
        if session.position_s() >= session.end_s > 0 and session.plan.complete:
            self._go(0.0)
        if self.enough_ahead(session.position_s()):
            session.player.play()
        else:
            self.play_wanted = True
        return session.position_s()

    def stop(self) -> float:
        session = self._session
        self._refuse_under_daw()
        self.play_wanted = False
        session.player.stop()
        return session.position_s()

    def toggle(self) -> None:
        if self._session.rolling or self.play_wanted:
            self.stop()
        else:
            self.play()

    def locate(self, picture_s: float) -> float:
        self._refuse_under_daw()
        self._go(picture_s)
        return picture_s

    def _go(self, picture_s: float) -> None:
        """Moves the playhead; what is asked before the player's next word already reckons from there."""
        session = self._session
        position_s = picture_s + session.starts_s
        session.player.locate(position_s)
        if session.status is not None:
            self._placed = (time.perf_counter(), position_s)
            session.status = replace(session.status, position_s=position_s, host_s=self._placed[0])

    def placed(self, status: PlayerStatus) -> PlayerStatus:
        """A word of the player that it said before it heard of the last locate is put where the playhead will be."""
        if self._placed is None:
            return status
        host_s, position_s = self._placed
        stepped_back = abs(status.position_at(host_s) - position_s) > NEAR_S
        if status.host_s < host_s or (stepped_back and status.host_s < host_s + HEARD_S):
            return replace(status, position_s=position_s, host_s=host_s)
        self._placed = None
        return status

    def _refuse_under_daw(self) -> None:
        if self._session.options.follows and not self.shared:
            raise ControlError("not_ready", "the transport follows the DAW: play, stop and locate there.")

    @property
    def shared(self) -> bool:
        """In an Ableton Link session everybody starts and stops, and each is at a place of its own."""
        return self._session.player.sync.position == "link"

    def loop(self, on: bool, from_s: float | None = None, to_s: float | None = None) -> float:
        """Loops a range; without one, the last range or the whole film.  Raises ControlError."""
        session = self._session
        if on:
            last = (
                self._looped or self._last_loop or (0.0, session.analysed.film.duration_s if session.analysed else 0.0)
            )
            start_s, end_s = (from_s if from_s is not None else last[0]), (to_s if to_s is not None else last[1])
            if end_s - start_s < 0.1:
                raise ControlError("bad_value", f"a loop from {start_s:g} s to {end_s:g} s is too short.")
            if session.analysed is not None and start_s >= session.analysed.film.duration_s:
                raise ControlError("bad_value", f"a loop from {start_s:g} s begins after the film's end.")
            self._looped = self._last_loop = (start_s, end_s)
            session.player.loop(True, start_s + session.starts_s, end_s + session.starts_s)
            if session.position_s() >= end_s and not session.options.follows:
                self.locate(start_s)  # behind its end the playhead would never come into it
                session.say(f"the playhead was behind the loop and went to its beginning, {start_s:g} s.")
        else:
            self._looped = None
            session.player.loop(False)
        return session.position_s()

    @property
    def looped(self) -> tuple[float, float] | None:
        return self._looped

    def panic(self) -> float:
        session = self._session
        session.player.panic()
        return session.position_s()

    def soon_s(self) -> float:
        """The picture second from which a change that needs no network is heard."""
        session = self._session
        return session.position_s() + (session.options.commit_s + 0.02 if session.rolling else 0.0)

    def boundary_s(self, when: When = "bar") -> float | None:
        """Where a change of the chords takes over; None: from the film's beginning, while nothing plays.

        when: one of the table's words, or a picture second.  Raises ControlError for one that has passed.
        """
        session = self._session
        if not isinstance(when, str):
            return self._boundary_at(float(when))
        if when == "start" or (not session.rolling and when in ("bar", "loop")):
            return None
        position_s = session.position_s()
        earliest_s = position_s + (session.options.commit_s + session.desk.lead_s if session.rolling else 0.0)
        if when == "loop" and self._looped is not None:
            return self._looped[0]
        found = self.next_mark(earliest_s, when)
        if session.rolling and self._looped is not None and position_s < self._looped[1] <= found:
            return self._looped[0]
        return found

    def _boundary_at(self, wanted_s: float) -> float:
        session = self._session
        earliest_s = session.position_s() + session.options.commit_s + session.desk.lead_s if session.rolling else 0.0
        if wanted_s < earliest_s and self._looped is None:
            raise ControlError(
                "bad_value",
                f"{wanted_s:.2f} s cannot be reached any more: changes are heard from {earliest_s:.2f} s on.",
            )
        return self.next_mark(wanted_s, "slot")

    def next_mark(self, earliest_s: float, when: str) -> float:
        session = self._session
        if when == "slot":
            starts = [earliest_s]
        elif when == "chord":
            starts = [run.start_s for run in session.runs()]
        elif when == "hit":
            marks = session.document.hits or (session.analysed.cuts if session.analysed is not None else ())
            starts = [mark.time_s for mark in marks]
        else:
            beats = session.tempo_map.next_bar(session.beats_at(earliest_s))
            starts = [session.picture_at(float(beats))]
        slots = session.document.result.slots
        wanted_s = next((start for start in starts if start >= earliest_s - 1e-6), EVER)
        # Music is taken over where a slot begins; on the seconds grid and in split bars that need not be the bar line.
        places = [slot.start_s for slot in slots] or [0.0]
        index = bisect_right(places, min(wanted_s, places[-1]) - 1e-6)
        return max(places[min(index, len(places) - 1)], 0.0) if wanted_s < EVER else places[-1]
