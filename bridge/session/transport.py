"""Play, stop, locate and loop, and where the playhead is.

Positions are picture seconds unless they say timeline; `starts_s` is the timeline second of the film's first frame.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from bridge.player.link import PlayerLink
from bridge.player.messages import PlayerStatus
from bridge.session.now import EVER, Clock
from engine.music import Slot
from engine.music.arguments import ControlError

AHEAD_S: Final = 2.0  # of arranged music, and two slots, before play begins
START_PATIENCE_S: Final = 4.0  # play waits this long for a complete composition once enough is there to begin
END_MARGIN_S: Final = 0.1
HEARD_S: Final = 0.1  # within this a locate has reached the player
NEAR_S: Final = 0.1  # a playhead this near to where it was located is there
PASS_S: Final = 1.0  # before the end of a pass the take of the next one is asked for


@dataclass(frozen=True, slots=True)
class Ready:
    """How far the music is there.  enough: to begin at the playhead.  complete: arranged and with the player to the end
    of the film.  end_s: where it has rung out.  first_slots_host_s: when the first chords came, None: not yet."""

    enough: bool
    complete: bool
    busy: bool
    end_s: float
    first_slots_host_s: float | None = None


class Transport:
    """The player's transport: its own, or that of a DAW that it follows.

    follows: the position comes from a DAW.  from_s: where play begins.  once: the program ends with the film.
    """

    def __init__(
        self,
        player: PlayerLink,
        clock: Clock,
        *,
        follows: bool = False,
        from_s: float = 0.0,
        play: bool = False,
        once: bool = False,
    ) -> None:
        self._player = player
        self._clock = clock
        self.follows = follows
        self.from_s = from_s
        self.once = once
        self.play_wanted = play
        self.status = PlayerStatus.NONE
        self.looped: tuple[float, float] | None = None
        self.finished = False
        self._last_loop: tuple[float, float] | None = None
        self._played = False
        self._last_position_s = 0.0
        self._pass_asked = False
        self._located: tuple[float, float] | None = None  # host time and timeline second of a locate just asked for
        self._starts_s = 0.0  # as the player's position counts it

    @property
    def rolling(self) -> bool:
        return self.status.rolling

    @property
    def shared(self) -> bool:
        """In an Ableton Link session everybody starts and stops, and each is at a place of its own."""
        return self._player.sync.position == "link"

    def position_s(self, starts_s: float) -> float:
        """The playhead now."""
        if self.status is PlayerStatus.NONE:
            return self.from_s
        return self.status.position_at(self._clock.now()) - starts_s

    @staticmethod
    def enough_s(slots: Sequence[Slot], position_s: float) -> float:
        """How far notes have to be arranged before play begins at a position."""
        index = bisect_right(slots, position_s, key=lambda slot: slot.start_s)
        two_slots_s = slots[index + 1].end_s if index + 1 < len(slots) else EVER
        return max(two_slots_s, position_s + AHEAD_S)

    def poll(self) -> tuple[str, ...]:
        """Takes the player's latest status; returns its sentences for the person, each once."""
        status = self._player.poll()
        if status is None:
            return ()
        located = self._located_status(status)
        self.status = replace(located, notes=()) if located.notes else located
        return status.notes

    def _located_status(self, status: PlayerStatus) -> PlayerStatus:
        """A status from before the player knew of the last locate is put where the playhead will be."""
        if self._located is None:
            return status
        host_s, position_s = self._located
        stepped_back = abs(status.position_at(host_s) - position_s) > NEAR_S
        if status.host_s < host_s or (stepped_back and status.host_s < host_s + HEARD_S):
            return replace(status, position_s=position_s, host_s=host_s)
        self._located = None
        return status

    # commands -------------------------------------------------------------------------------------------------------
    def play(self, starts_s: float, ready: Ready) -> float:
        """Starts the internal transport as soon as enough is arranged.  Raises ControlError under a DAW."""
        self._check_internal()
        if self.position_s(starts_s) >= ready.end_s > 0 and ready.complete:
            self._go(0.0, starts_s)
            self._player.play()
        elif ready.enough:
            self._player.play()
        else:
            self.play_wanted = True
        return self.position_s(starts_s)

    def stop(self, starts_s: float) -> float:
        self._check_internal()
        self.play_wanted = False
        self._player.stop()
        return self.position_s(starts_s)

    def locate(self, picture_s: float, starts_s: float) -> float:
        self._check_internal()
        self._go(picture_s, starts_s)
        return picture_s

    def _go(self, picture_s: float, starts_s: float) -> None:
        """Moves the playhead; what is asked before the player's next status already counts from there."""
        position_s = picture_s + starts_s
        self._player.locate(position_s)
        if self.status is not PlayerStatus.NONE:
            self._located = (self._clock.now(), position_s)
            self.status = replace(self.status, position_s=position_s, host_s=self._located[0])

    def _check_internal(self) -> None:
        if self.follows and not self.shared:
            raise ControlError("not_ready", "the transport follows the DAW: play, stop and locate there.")

    def loop(
        self,
        on: bool,
        starts_s: float,
        duration_s: float | None,
        from_s: float | None = None,
        to_s: float | None = None,
    ) -> str:
        """Loops a range; without one, the last range or the whole film.  duration_s: of the film, None: not known yet.

        Returns a sentence where the playhead had to move.  Raises ControlError.
        """
        if not on:
            self.looped = None
            self._player.loop(False)
            return ""
        last = self.looped or self._last_loop or (0.0, duration_s or 0.0)
        start_s, end_s = (from_s if from_s is not None else last[0]), (to_s if to_s is not None else last[1])
        if end_s - start_s < 0.1:
            raise ControlError("bad_value", f"a loop from {start_s:g} s to {end_s:g} s is too short.")
        if duration_s is not None and start_s >= duration_s:
            raise ControlError("bad_value", f"a loop from {start_s:g} s begins after the film's end.")
        self.looped = self._last_loop = (start_s, end_s)
        self._player.loop(True, start_s + starts_s, end_s + starts_s)
        if self.position_s(starts_s) >= end_s and not self.follows:
            self._go(start_s, starts_s)  # behind its end the playhead would never come into it
            return f"the playhead was past the loop and moved to its beginning, {start_s:g} s."
        return ""

    def place(self, starts_s: float) -> None:
        """The film lies here on the timeline, when it is first known."""
        self._starts_s = starts_s
        start_s = self.from_s + starts_s
        if (self.shared or not self.follows) and start_s > 0:
            self._player.locate(start_s)

    def keep_place(self, starts_s: float, duration_s: float | None) -> None:
        """The film has moved on the timeline: the internal playhead goes with it."""
        moved_s, self._starts_s = starts_s - self._starts_s, starts_s
        if not moved_s or self.follows or self.status is PlayerStatus.NONE:
            return
        self._player.locate(self.status.position_at(self._clock.now()) + moved_s)
        if self.looped is not None:
            self.loop(True, starts_s, duration_s, *self.looped)
        self.status = replace(self.status, position_s=self.status.position_s + moved_s)

    def leave_film(self) -> None:
        """Another film stands at its beginning, without a loop."""
        self.looped, self.play_wanted, self.from_s = None, False, 0.0
        self._player.loop(False)

    # every tick -----------------------------------------------------------------------------------------------------
    def tick(self, starts_s: float, ready: Ready) -> None:
        """Begins to play where that was asked and enough is there; stops at the film's end."""
        host_s, status = self._clock.now(), self.status
        if self.play_wanted and (self.shared or not self.follows) and status is not PlayerStatus.NONE:
            first_s = ready.first_slots_host_s
            waited = first_s is not None and host_s - first_s > START_PATIENCE_S
            if (ready.complete and not ready.busy) or (waited and ready.enough):
                self.play_wanted = False
                self._player.play()
        if self.rolling:
            self._played = True
        if self._played and not self.follows and ready.complete and self.looped is None:
            at_end = self.position_s(starts_s) >= ready.end_s + END_MARGIN_S
            if at_end and self.rolling:
                self._player.stop()
            if self.once and at_end and not self.rolling:
                self.finished = True

    def pass_ends(self, starts_s: float, lead_s: float) -> bool:
        """Whether a pass of the loop is about to end; true once in each pass.  lead_s: what a new take needs."""
        if not self.rolling:
            return False
        position_s = self.position_s(starts_s)
        if position_s < self._last_position_s:
            self._pass_asked = False
        self._last_position_s = position_s
        if self.looped is None or self._pass_asked:
            return False
        self._pass_asked = 0 < self.looped[1] - position_s < max(PASS_S, 2 * lead_s)
        return self._pass_asked
