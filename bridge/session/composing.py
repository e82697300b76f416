"""From a wish to the music that plays: what is asked of the engine, and what becomes of its answers.

Times in `_s` are picture seconds unless they say host (`time.perf_counter`).
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bridge.session.requests import MAX_DELAYS, Pending, Wish
from engine.arrange import film_levels
from engine.document import Document, Result, parse_key
from engine.music import Key, controls
from engine.process.messages import Composed, EngineFailure, SlotsComposed

if TYPE_CHECKING:
    from bridge.session.session import Session

GROWTH_S: Final = 0.2  # of a long composition that arrives in pieces, not each piece is arranged on its own


class SessionComposing:
    """Of one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def wish(self, boundary_s: float | None, label: str, **more: object) -> float:
        """Asks for a composition; returns the picture second from which it will be heard."""
        session = self._session
        now_s = time.perf_counter()
        wish = session.desk.ask(Wish(boundary_s, label, now_s, now_s, **more))  # type: ignore[arg-type]
        return session.position_s() if wish.boundary_s is None else wish.boundary_s

    def ask(self, now_s: float) -> None:
        session = self._session
        wish = session.desk.wish
        if wish is None or not session.film.known or session.choice is None or session.engine_state != "ready":
            return
        boundary_host_s = None
        if session.rolling and wish.boundary_s is not None:
            boundary_host_s = now_s + wish.boundary_s - session.position_s()
        if not session.desk.due(now_s, boundary_host_s, session.options.commit_s):
            return
        document = session.document
        request = session.desk.request(
            document, grid=document.result.grid, starts_s=session.starts_s, auto_keys=session.auto_keys, host_s=now_s
        )
        session.progress = ("compose", 0.0, "composing")
        session.send(request)

    def slots_composed(self, message: SlotsComposed) -> None:
        session = self._session
        pending = session.desk.pending
        if pending is None or message.revision != pending.revision or session.analysed is None or not message.slots:
            return
        now_s = time.perf_counter()
        first = not pending.answered
        session.desk.answered(now_s)
        if session.first_slots_host_s is None:
            session.first_slots_host_s = now_s
        place = message.slots[0].index - len(pending.kept)
        del pending.slots[max(place, 0) :]
        pending.slots.extend(message.slots)
        if first and self._too_late(pending):
            self._delay(pending)
            return
        self._remember_keys(message, message.key, message.key_reason)
        session.progress = ("compose", message.fraction, "composing")
        self._take_over(pending, complete=False, key=message.key, key_reason=message.key_reason)

    def composed(self, message: Composed) -> None:
        session = self._session
        pending = session.desk.pending
        if pending is None or message.revision != pending.revision:
            return
        session.desk.pending = None
        composition = message.composition
        pending.slots = list(composition.slots[len(pending.kept) :])
        self._remember_keys(message, composition.key, composition.key_reason)
        if session.playing.film_levels is None:
            session.playing.film_levels = film_levels((*pending.kept, *pending.slots))
        self._take_over(pending, complete=True, key=composition.key, key_reason=composition.key_reason)
        session.progress = ("ready", 1.0, "composed")
        document = session.document
        session.takes.remember(document)

    def _remember_keys(self, message: SlotsComposed | Composed, key: Key, reason: str) -> None:
        """A key that the mood has chosen stays, so that a later change of mood does not turn the music around."""
        session = self._session
        states, decided = session.document.cue_states, message.cue_keys
        if len(decided) != len(states):
            states, decided = (session.document.selected,), ((key, reason),)
        for state, (found, why) in zip(states, decided, strict=True):
            if parse_key(state.text(controls.KEY)) is not None or state.number in session.auto_keys:
                continue
            session.auto_keys[state.number] = (found, why)
            why = why.removeprefix(f"{found.name}: ").rstrip(".")
            of = f" of {state.name}" if session.document.other_cues else ""
            session.say(f"key{of} {found.name}: {why}." if why else f"key{of} {found.name}.")

    def _too_late(self, pending: Pending) -> bool:
        session = self._session
        boundary_s = pending.wish.boundary_s
        if (
            not session.rolling
            or boundary_s is None
            or pending.wish.delays >= MAX_DELAYS
            or session.transport.looped is not None
        ):
            return False
        ahead_s = boundary_s - session.position_s()
        return -30.0 < ahead_s < session.options.commit_s

    def _delay(self, pending: Pending) -> None:
        """The old music goes on until a later chord or bar: one that begins in its middle would be heard as a fault."""
        session = self._session
        session.desk.pending = None
        asked_s = pending.wish.boundary_s or 0.0
        bars = session.tempo_map.bar_position(session.beats_at(asked_s))
        when = "bar" if abs(bars - round(bars)) < 1e-3 else "chord"
        boundary_s, document = session.transport.boundary_s(when) or 0.0, session.document
        wish = replace(pending.wish, boundary_s=boundary_s, delays=pending.wish.delays + 1)
        if document.progression_from_s == pending.wish.boundary_s:  # the progression waits with it
            session.history.amend(replace(document, progression_from_s=boundary_s))
        session.desk.wish = replace(wish, last_host_s=0.0)
        if not pending.wish.delays:
            session.say(f"composing took longer than the {when}: {wish.label} is heard later, from {boundary_s:.2f} s.")

    def _take_over(self, pending: Pending, *, complete: bool, key: Key, key_reason: str) -> None:
        session = self._session
        new = tuple(pending.slots)
        if pending.rest:
            new = tuple(slot for slot in new if slot.end_s <= pending.rest[0].start_s + 1e-6)
            reached = bool(new) and new[-1].end_s >= pending.rest[0].start_s - 1e-6
            new = (*new, *pending.rest) if reached or complete else new
        slots = tuple(
            slot if slot.index == index else replace(slot, index=index)
            for index, slot in enumerate((*pending.kept, *new))
        )
        document = session.document
        result = Result(
            slots=slots,
            tempo_map=document.result.tempo_map,
            grid=document.result.grid,
            starts_s=document.result.starts_s,
            key=key,
            key_reason=key_reason,
            complete=complete,
            levels=session.playing.film_levels,
            weights=session.weights,
            recipe=pending.recipe,
            cue_keys=self._cue_keys(document),
        )
        session.history.amend(replace(document, result=result))
        takeover_s = pending.wish.boundary_s if session.rolling else None
        now_s = time.perf_counter()
        if complete or now_s - pending.arranged_host_s > GROWTH_S:
            pending.arranged_host_s = now_s
            session.rearrange(takeover_s)

    def _cue_keys(self, document: Document) -> tuple[tuple[int, Key, str], ...]:
        """Of several cues, the key of each."""
        if not document.other_cues:
            return ()
        autos = self._session.auto_keys
        found = []
        for state in document.cue_states:
            key = parse_key(state.text(controls.KEY))
            if key is not None:
                found.append((state.number, key, f"{key.name}: as asked"))
            elif state.number in autos:
                found.append((state.number, *autos[state.number]))
        return tuple(found)

    def failed(self, message: EngineFailure) -> None:
        session = self._session
        if message.film and session.film.failed(message):
            return
        if message.film:
            session.failure = message.sentence
            return
        if session.desk.pending is not None and message.revision == session.desk.pending.revision:
            session.desk.pending = None
        session.progress = ("failed", 0.0, message.sentence)
        session.say(message.sentence)
        if not session.document.result.slots and not message.film:
            session.failure = message.sentence
