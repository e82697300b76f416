"""Adding, removing and choosing cues; each a step of the undo history.

Positions are picture seconds.  Every edit returns the picture second from which it is heard.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.document import MAX_CUES, CueState, Document, check_cues, free_name
from engine.music import MusicError, Slot, controls
from engine.music.arguments import ControlError, Value

if TYPE_CHECKING:
    from bridge.session.session import Session


class CueEdits:
    """Of one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, in_s: float, out_s: float | str = "end", name: str | None = None) -> tuple[int, str, float]:
        """A cue more, selected, with bar 1 at its In; the first one takes the place of the whole film.

        Returns its place in the row from 1, its name and from when it is heard.  Raises ControlError.
        """
        document = self._session.document
        states = document.cue_states
        fresh = not document.other_cues and document.selected.is_default
        if len(states) >= MAX_CUES:
            raise ControlError("bad_value", f"there are more than {MAX_CUES} cues.")
        name = (name or ("1m1" if fresh else free_name(states))).strip()
        if fresh:
            made = (
                document.with_value(controls.IN, in_s).with_value(controls.OUT, out_s).with_value(controls.NAME, name)
            )
            made = made.with_value(controls.BAR_1, "in")
        else:
            number = self._free_number()
            settings: dict[str, Value] = {controls.IN: in_s, controls.NAME: name, controls.BAR_1: "in"}
            if out_s != "end":
                settings[controls.OUT] = out_s
            made = document.with_cues((*states, CueState(number, settings)), number)
        heard_s = self._edit(made, f"cue {name}")
        row = [state.number for state in self._session.document.cue_states]
        return row.index(self._session.document.cue) + 1, name, heard_s

    def remove(self, which: str | None = None) -> tuple[str, float]:
        """Takes a cue away (default: the selected one); without the last one the whole film is a cue again."""
        document = self._session.document
        state = self.find(which)
        if not document.other_cues:
            # The whole film is another cue than the one that went, whose takes are not its own.
            film = CueState(self._free_number(), {}, state.take)
            return state.name, self._edit(document.with_cues((film,), film.number), f"no cue {state.name}")
        states = [each for each in document.cue_states if each.number != state.number]
        selected = document.cue if document.cue != state.number else states[0].number
        return state.name, self._edit(document.with_cues(states, selected), f"no cue {state.name}")

    def _free_number(self) -> int:
        """A number that no cue has or had: undo and takes still know those that were removed."""
        session = self._session
        documents = [session.document, *(step.document for step in session.history.steps)]
        used = {state.number for document in documents for state in (document.selected, *document.other_cues)}
        return max(used | {cue for cue, _, _ in session.takes} | set(session.auto_keys)) + 1

    def region(self, name: str, in_s: float, out_s: float | None) -> float:
        """A cue as a region of the DAW says it: of a known name it moves there, else it is added."""
        document = self._session.document
        known = next((state for state in document.cue_states if state.name == name), None)
        if known is None or (not document.other_cues and known.is_default):
            return self.add(in_s, "end" if out_s is None else out_s, name)[2]
        moved = document.select(known.number).with_value(controls.IN, in_s)
        return self._edit(moved.with_value(controls.OUT, "end" if out_s is None else out_s), f"cue {name}")

    def select(self, which: str) -> CueState:
        """The controls set this cue from now on; no step of the history, since nothing sounds otherwise."""
        session = self._session
        state = self.find(which)
        session.history.amend(session.document.select(state.number))
        return state

    def find(self, which: str | None) -> CueState:
        """A cue by its name or its place in the row from 1; None: the selected one.  Raises ControlError."""
        states = self._session.document.cue_states
        if which is None:
            return self._session.document.selected
        for state in states:
            if state.name == which:
                return state
        if which.isdigit() and 1 <= int(which) <= len(states):
            return states[int(which) - 1]
        names = ", ".join(state.name for state in states[:20])
        raise ControlError("bad_value", f"there is no cue '{which[:40]}'; there are {names}.")

    def _edit(self, document: Document, label: str) -> float:
        session = self._session
        try:
            check_cues(document)
        except MusicError as error:
            raise ControlError("bad_value", str(error)) from None
        before, after = session.document, session.tempo.settled(document)
        film = session.analysed.film if session.analysed is not None else None
        if film is not None and any(state.in_s >= film.duration_s for state in after.cue_states):
            raise ControlError("bad_value", f"a cue begins after the film's end ({film.duration_s:g} s).")
        if after == before:
            return session.transport.soon_s()
        boundary_s = session.transport.boundary_s("bar")
        session.history.edit(after, label, time.perf_counter())
        low_s, until_s = _changed_span(before, after)
        if boundary_s is None and not (before.other_cues or after.other_cues):
            return session.follow_document(None)
        slots = after.result.slots
        start_s = max(first_slot_s(slots, low_s), boundary_s or 0.0)
        until = next_slot_s(slots, until_s)
        if until is not None and start_s >= until:
            start_s = first_slot_s(slots, low_s)
        return session.follow_document(start_s, until_s=until)


def _changed_span(before: Document, after: Document) -> tuple[float, float]:
    """The stretch of the film in which the cues are not the same."""
    spans = []
    for first, second in ((before, after), (after, before)):
        others = {state.number: (state, second.span_of(state.number)) for state in second.cue_states}
        for state in first.cue_states:
            span = first.span_of(state.number)
            if others.get(state.number) != (state, span):
                spans.append(span)
    return min((low for low, _ in spans), default=0.0), max((high for _, high in spans), default=float("inf"))


def first_slot_s(slots: Sequence[Slot], at_s: float) -> float:
    """Where the slot begins that a position lies in; 0 before the first."""
    return next((slot.start_s for slot in slots if slot.end_s > at_s + 1e-6), 0.0)


def next_slot_s(slots: Sequence[Slot], at_s: float) -> float | None:
    """Where the first slot begins that lies wholly after a position; None after the last."""
    return next((slot.start_s for slot in slots if slot.start_s >= at_s - 1e-6), None)
