"""The composer's hands: everything that makes a new draft, each a step of the undo history.

Every edit returns the picture second from which it is heard, and raises ControlError where it cannot be.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.edits import Pin
from bridge.osc.controls import BY_ADDRESS, ControlError, Value
from bridge.session_compose import parse_chords, parse_key
from bridge.session_options import arrange_options
from bridge.session_plan import arrange_whole
from bridge.session_score import KeptTake, label_of
from engine.music import Chord, MusicError, Take, parse_progression

if TYPE_CHECKING:
    from bridge.session import Session


class Edits:
    """Of one session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._rewrites = 0

    def set_value(self, address: str, value: Value, when: str = "bar") -> float:
        """Sets one of the table's values; returns the picture second from which it is heard.  Raises ControlError."""
        session = self._session
        control = BY_ADDRESS[address]
        if control.effect == "tempo":
            return session.tempo.set_tempo(float(value or 0.0))
        draft = session.draft.with_value(address, value)
        try:
            if address.startswith("/cue/progression"):
                parse_chords(draft)
            elif address == "/cue/key":
                parse_key(str(value))
            arrange_options(draft, None)
        except MusicError as error:
            raise ControlError("bad_value", str(error)) from None
        boundary_s = session.transport.boundary_s(when) if control.effect == "compose" else None
        if address.startswith("/cue/progression"):
            draft = replace(draft, progression_from_s=boundary_s or 0.0)
        if draft == session.draft:
            return session.transport.soon_s()
        if address == "/cue/key":
            session.auto_key = None if parse_key(str(value)) is None else session.auto_key
        session.history.edit(draft, label_of(address), time.perf_counter(), merge=True)
        return session.follow_draft(boundary_s)

    def set_progression(self, chords: str, mode: str, from_s: float) -> float:
        """A progression that begins at a picture second, as a region of the DAW says it."""
        session = self._session
        parse_progression(chords, mode)
        draft = session.draft.with_value("/cue/progression", chords).with_value("/cue/progression/mode", mode)
        draft = replace(draft, progression_from_s=from_s)
        if draft == session.draft:
            return from_s
        session.history.edit(draft, "progression", time.perf_counter())
        if not draft.result.slots:
            return session.follow_draft(None)
        earliest_s = session.transport.boundary_s("bar") if session.rolling else None
        return session.follow_draft(max(session.transport.next_mark(from_s, "slot"), earliest_s or 0.0))

    def pin(self, chord: Chord, at_s: float | None = None, label: str = "pin") -> float:
        """This chord instead of the one that sounds at a picture second (default: the playhead)."""
        session = self._session
        runs = session.runs()
        index = session.run_index_at(session.position_s() if at_s is None else at_s)
        if not runs or index < 0:
            raise ControlError("not_ready", "there is no chord there yet.")
        run = runs[index]
        draft = session.draft.with_pin(Pin(run.start_s, run.end_s, chord))
        session.history.edit(draft, f"{label} {chord}", time.perf_counter())
        session.follow_draft(None)
        return max(run.start_s, session.transport.soon_s())

    def pin_next(self, chord: Chord) -> float:
        """The chord after the one sounding becomes this one."""
        session = self._session
        index = session.run_index_at(session.position_s() + (session.options.commit_s if session.rolling else 0.0)) + 1
        runs = session.runs()
        if index >= len(runs):
            raise ControlError("not_ready", "no chord follows.")
        return self.pin(chord, runs[index].start_s, label="next chord")

    def unpin(self, at_s: float | None = None) -> float:
        session = self._session
        position_s = session.position_s() if at_s is None else at_s
        draft = session.draft.without_pin(position_s)
        if draft.pins == session.draft.pins:
            raise ControlError("bad_value", f"no chord is pinned at {position_s:.2f} s.")
        session.history.edit(draft, "unpin", time.perf_counter())
        session.follow_draft(None)
        return session.transport.soon_s()

    def rewrite(self, from_s: float, to_s: float | None = None) -> float:
        """Composes a range anew with other draws; what lies outside it stays."""
        session = self._session
        slots = session.draft.result.slots
        if not slots or not session.draft.result.complete:
            raise ControlError("not_ready", "nothing is composed yet.")
        earliest_s = session.position_s() + session.options.commit_s + session.desk.lead_s if session.rolling else 0.0
        start_s = session.transport.next_mark(max(from_s, earliest_s if from_s <= earliest_s else 0.0), "slot")
        if to_s is not None and to_s <= start_s + 0.05:
            raise ControlError("bad_value", f"the range ends at {to_s:g} s, before it can be heard ({start_s:.2f} s).")
        self._rewrites += 1
        session.history.edit(session.draft, "rewrite", time.perf_counter())
        take = (session.draft.take * 1009 + self._rewrites * 7919) % 999_983 + 1
        return session.wish_composition(start_s, "the rewritten range", until_s=to_s, take=take)

    def new_take(self, when: str = "bar") -> tuple[int, float]:
        """Composes another take; returns its number and from when it is heard."""
        session = self._session
        number = max([session.draft.take, *session.takes]) + 1
        if number > 999_999:
            raise ControlError("bad_value", "there are no more take numbers.")
        boundary_s = session.transport.boundary_s(when)
        session.history.edit(replace(session.draft, take=number), f"take {Take(number).name}", time.perf_counter())
        return number, session.follow_draft(boundary_s)

    def select_take(self, number: int, when: str = "bar") -> float:
        """A take heard before plays again note for note; another number is composed."""
        session = self._session
        boundary_s = session.transport.boundary_s(when)
        known = session.takes.get(number)
        draft = known.draft if known is not None else replace(session.draft, take=number)
        session.history.edit(draft, f"take {Take(number).name}", time.perf_counter())
        return session.follow_draft(boundary_s, whole=True)

    def keep_take(self, name: str | None = None) -> KeptTake:
        """Marks the take in force as kept.  Raises ControlError while it is still being composed."""
        session = self._session
        draft = session.draft
        if not draft.result.complete:
            raise ControlError("not_ready", "this take is still being composed.")
        old = session.takes.get(draft.take)
        score = session.score()
        made = arrange_whole(score) if score is not None else None
        kept = KeptTake(
            draft,
            name or (old.name if old is not None else Take(draft.take).name),
            True,
            made.notes if made is not None else None,
            made.controllers if made is not None else None,
        )
        session.takes[draft.take] = kept
        return kept

    def name_take(self, number: int, name: str) -> None:
        session = self._session
        if number not in session.takes:
            raise ControlError("bad_value", f"there is no take {number}.")
        session.takes[number] = replace(session.takes[number], name=name)

    def undo(self) -> float:
        session = self._session
        boundary_s = session.transport.boundary_s("bar")
        if session.history.undo() is None:
            raise ControlError("not_ready", "there is nothing to undo.")
        return session.follow_draft(boundary_s, whole=True)

    def redo(self) -> float:
        session = self._session
        boundary_s = session.transport.boundary_s("bar")
        if session.history.redo() is None:
            raise ControlError("not_ready", "there is nothing to redo.")
        return session.follow_draft(boundary_s, whole=True)
