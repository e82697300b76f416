"""What is asked of the engine and when, and what becomes of its answers; no input or output of its own.

A change waits a moment, so that two hundred moves of a fader cost one composition; it is asked early enough for the
chord boundary at which it is to be heard.  One request is queued and one in flight at a time; a newer one replaces the
older, whose answers are dropped.  An answer belongs to the step of the history that it was asked for.

Positions are picture seconds; host times are seconds of the session's clock.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Final

from bridge.session.history import History
from bridge.session.now import Now, boundary_s
from engine.arrange import film_levels
from engine.document import Document, parse_key
from engine.music import FilmLevels, Key, Slot, controls
from engine.music.cueplan import CuePlan
from engine.process.messages import Composed, ComposeRequest, EngineFailure, SlotsComposed
from engine.process.requests import compose_request, keys_of, numbered, recipe

QUIET_S: Final = 0.015  # after the last move of a fader
PATIENCE_S: Final = 1.05  # faders that never rest are answered after this
FIRST_GUESS_S: Final = 0.08  # until an answer is measured: request to first chord
MEASURED: Final = 16  # the latest answers by which it is judged how soon a change can be heard
TO_PLAYER_S: Final = 0.015  # from the first chord's arrival to the player: arranging, packing
MAX_DELAYS: Final = 3
MAX_DEATHS: Final = 3  # of the engine, over one composition
GROWTH_S: Final = 0.2  # of a long composition that arrives in pieces, not each piece is arranged on its own


@dataclass(frozen=True, slots=True)
class Queued:
    """A composition to be asked for.

    from_s: where the new music begins, None: at the film's beginning (nothing plays).  until_s: where the old music
    goes on (a range that is composed again).  take: number of the draws where it is not the document's.
    delays: how often the answer came too late.  deaths: of the engine while it composed this.  chords_stay: only plans
    are made anew.
    """

    from_s: float | None
    label: str
    first_host_s: float
    last_host_s: float
    until_s: float | None = None
    take: int | None = None
    delays: int = 0
    deaths: int = 0
    chords_stay: bool = False


@dataclass(slots=True)
class InFlight:
    """A request that was sent for a step of the history, with the slots received so far."""

    revision: int
    step_id: int
    asked: Queued
    kept: tuple[Slot, ...]
    rest: tuple[Slot, ...]
    recipe: tuple[object, ...]
    sent_host_s: float
    slots: list[Slot] = field(default_factory=list)
    plans: tuple[CuePlan, ...] = ()
    arranged_host_s: float = float("-inf")
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer of the engine means: the step's document with its slots, and where they are taken over.

    arrange: false where a further piece comes soon.  complete: the whole composition.  sentences: for the person.
    """

    step_id: int
    document: Document
    from_s: float | None
    complete: bool
    arrange: bool = True
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Late:
    """The first slots came too late for their boundary: they are asked for again, for a later one."""

    step_id: int
    document: Document
    from_s: float
    sentence: str


class Composing:
    """One queued request, one in flight.  auto_keys: by number of the cue, a key that the mood has chosen."""

    def __init__(self) -> None:
        self.revision = 0
        self.queued: Queued | None = None
        self.in_flight: InFlight | None = None
        self.auto_keys: dict[int, tuple[Key, str]] = {}
        self.levels: FilmLevels | None = None  # of the whole film, once it is composed
        self.weights: tuple[str, ...] = ()
        self._took_s: deque[float] = deque(maxlen=MEASURED)  # request to first chord

    @property
    def idle(self) -> bool:
        return self.queued is None and self.in_flight is None

    @property
    def change(self) -> Queued | None:
        """The change that is being composed."""
        return self.queued or (self.in_flight.asked if self.in_flight is not None else None)

    # asking ---------------------------------------------------------------------------------------------------------
    # size: keywords of one request; most callers give three.
    def ask(
        self,
        host_s: float,
        from_s: float | None,
        label: str,
        until_s: float | None = None,
        take: int | None = None,
        *,
        chords_stay: bool = False,
        trying: bool = False,
    ) -> Queued:
        """Queues a request in place of the one that waits; the earlier boundary and the first moment are kept.

        trying: nothing is queued, and only what would be is returned.
        """
        older, change = self.queued, self.change
        # Chords that a change under way has asked for are still to come.
        stay = chords_stay and (change is None or change.chords_stay)
        asked = Queued(from_s, label, host_s, host_s, until_s, take, chords_stay=stay)
        if older is not None:
            both_from = from_s is not None and older.from_s is not None
            both_until = until_s is not None and older.until_s is not None
            asked = replace(
                asked,
                from_s=min(from_s, older.from_s) if both_from else from_s,  # type: ignore[type-var]
                until_s=max(until_s, older.until_s) if both_until else None,  # type: ignore[type-var]
                first_host_s=older.first_host_s,
            )
        if not trying:
            self.queued = asked
        return asked

    def ask_again(self) -> None:
        """What is in flight lies on an old grid: it is queued once more."""
        if self.in_flight is not None:
            asked = self.in_flight.asked
            self.cancel()
            self.queued = asked

    def cancel(self) -> bool:
        """Whether anything was queued or in flight; what still comes of it is dropped."""
        busy = not self.idle
        self.queued = self.in_flight = None
        self.revision += busy
        return busy

    def leave_film(self) -> None:
        """Nothing of one film's keys and levels is another's."""
        self.auto_keys, self.levels = {}, None

    def due(self, now: Now, commit_s: float) -> bool:
        """Whether the queued request has to be sent now.  commit_s: the player replaces nothing nearer than this."""
        asked = self.queued
        if asked is None:
            return False
        if now.host_s - asked.last_host_s >= QUIET_S or now.host_s - asked.first_host_s >= PATIENCE_S:
            return True
        if asked.from_s is None or not now.rolling:
            return False
        return asked.from_s - now.position_s <= commit_s + self.lead_s + 0.01

    def request(self, history: History, host_s: float) -> ComposeRequest:
        """The queued request as a message, for the step in force.  Raises MusicError for a progression or key that
        cannot be read."""
        asked, document = self.queued, history.document
        assert asked is not None
        kept: tuple[Slot, ...] = ()
        pinned: tuple[Slot, ...] = ()
        rest: tuple[Slot, ...] = ()
        slots = document.result.slots
        if asked.chords_stay and document.result.complete:
            kept, pinned = slots, document.grid_slots
        elif asked.from_s is not None:
            count = bisect_left(slots, asked.from_s - 1e-6, key=lambda slot: slot.start_s)
            kept, pinned = slots[:count], document.grid_slots[:count]
        if asked.until_s is not None and len(kept) < len(slots):
            rest = tuple(slot for slot in slots if slot.start_s >= asked.until_s - 1e-6)
        self.revision += 1
        self.queued = None
        self.in_flight = InFlight(self.revision, history.id, asked, kept, rest, recipe(document), host_s)
        return compose_request(document, self.revision, pinned, self.auto_keys, asked.take)

    def request_aside(self, document: Document) -> ComposeRequest:
        """A document that is no step of the history, for the idle engine; its answer is `aside`'s."""
        self.revision += 1
        return compose_request(document, self.revision, (), self.auto_keys)

    # answers --------------------------------------------------------------------------------------------------------
    def aside(self, document: Document, message: Composed) -> Document:
        """That document with its answer in it."""
        made, keys = message.composition, message.cue_keys
        states = document.cue_states
        several = document.other_cues and len(keys) == len(states)
        result = replace(
            document.result,
            slots=numbered(made.slots),
            key=made.key,
            key_reason=made.key_reason,
            complete=True,
            levels=self.levels,
            weights=self.weights,
            recipe=recipe(document),
            cue_keys=tuple((state.number, *key) for state, key in zip(states, keys, strict=True)) if several else (),
            plans=made.plans,
        )
        return replace(document, result=result)

    def slots_composed(
        self, message: SlotsComposed, history: History, now: Now, commit_s: float
    ) -> Answer | Late | None:
        """A piece of the answer; None where nobody waits for it any more."""
        flying = self.in_flight
        if flying is None or message.revision != flying.revision or not message.slots:
            return None
        document = history.document_of(flying.step_id)
        if document is None:
            return None
        first = not flying.answered
        self._measure(flying, now.host_s)
        place = message.slots[0].index - len(flying.kept)
        del flying.slots[max(place, 0) :]
        flying.slots.extend(message.slots)
        if first and self._is_too_late(flying, now, commit_s):
            return self._delayed(flying, document, now)
        flying.plans = message.plans
        sentences = self._keep_keys(document, message, message.key, message.key_reason)
        return self._answer(flying, document, now, message.key, message.key_reason, sentences, complete=False)

    def composed(self, message: Composed, history: History, now: Now) -> Answer | None:
        """The end of the answer; None where nobody waits for it any more."""
        flying = self.in_flight
        if flying is None or message.revision != flying.revision:
            return None
        self.in_flight = None
        document = history.document_of(flying.step_id)
        if document is None:
            return None
        composition = message.composition
        flying.slots, flying.plans = list(composition.slots[len(flying.kept) :]), composition.plans
        sentences = self._keep_keys(document, message, composition.key, composition.key_reason)
        if self.levels is None:
            self.levels = film_levels((*flying.kept, *flying.slots))
        return self._answer(flying, document, now, composition.key, composition.key_reason, sentences, complete=True)

    def failed(self, message: EngineFailure) -> None:
        if self.in_flight is not None and message.revision == self.in_flight.revision:
            self.in_flight = None

    def engine_gone(self) -> str:
        """What is in flight is queued again; a sentence where it is given up."""
        flying, self.in_flight = self.in_flight, None
        if flying is None or self.queued is not None:
            return ""
        deaths = flying.asked.deaths + 1
        if deaths < MAX_DEATHS:
            self.queued = replace(flying.asked, deaths=deaths)
            return ""
        return f"{flying.asked.label} is given up: the engine died {deaths} times while it composed it."

    def _measure(self, flying: InFlight, host_s: float) -> None:
        """A composition from the beginning, when the engine has only just started, tells nothing of how long a change
        takes."""
        if not flying.answered and flying.kept:
            self._took_s.append(min(max(host_s - flying.sent_host_s, 0.0), 3.0))
        flying.answered = True

    @staticmethod
    def _is_too_late(flying: InFlight, now: Now, commit_s: float) -> bool:
        asked = flying.asked
        if not now.rolling or asked.from_s is None or asked.delays >= MAX_DELAYS or now.loop is not None:
            return False
        return -30.0 < asked.from_s - now.position_s < commit_s

    def _delayed(self, flying: InFlight, document: Document, now: Now) -> Late:
        """The old music goes on until a later chord or bar: one that begins in its middle would be heard as a fault."""
        self.in_flight = None
        asked = flying.asked
        asked_s, result = asked.from_s or 0.0, document.result
        bars = result.tempo_map.bar_position(result.tempo_map.beats_at(asked_s + result.starts_s))
        when = "bar" if abs(bars - round(bars)) < 1e-3 else "chord"
        from_s = boundary_s(document, now, when) or 0.0
        if document.progression_from_s == asked.from_s:  # the progression waits with it
            document = replace(document, progression_from_s=from_s)
        self.queued = replace(asked, from_s=from_s, delays=asked.delays + 1, last_host_s=0.0)
        sentence = ""
        if not asked.delays:
            sentence = f"composing took longer than the {when}: {asked.label} is heard later, from {from_s:.2f} s."
        return Late(flying.step_id, document, from_s, sentence)

    # size: two callers have an answer's facts in different messages.
    def _answer(
        self,
        flying: InFlight,
        document: Document,
        now: Now,
        key: Key,
        key_reason: str,
        sentences: tuple[str, ...],
        *,
        complete: bool,
    ) -> Answer:
        new = tuple(flying.slots)
        if flying.rest:
            rest_s = flying.rest[0].start_s
            new = tuple(slot for slot in new if slot.end_s <= rest_s + 1e-6)
            reached = bool(new) and new[-1].end_s >= rest_s - 1e-6
            new = (*new, *flying.rest) if reached or complete else new
        result = replace(
            document.result,
            slots=numbered((*flying.kept, *new)),
            key=key,
            key_reason=key_reason,
            complete=complete,
            levels=self.levels,
            weights=self.weights,
            recipe=flying.recipe,
            cue_keys=self._cue_keys(document),
            plans=flying.plans,
        )
        arrange = complete or now.host_s - flying.arranged_host_s > GROWTH_S
        if arrange:
            flying.arranged_host_s = now.host_s
        from_s = flying.asked.from_s if now.rolling else None
        return Answer(flying.step_id, replace(document, result=result), from_s, complete, arrange, sentences)

    # keys -----------------------------------------------------------------------------------------------------------
    def _keep_keys(
        self, document: Document, message: SlotsComposed | Composed, key: Key, reason: str
    ) -> tuple[str, ...]:
        """A key that the mood has chosen stays, so that a later change of mood does not turn the music around."""
        states, decided = document.cue_states, message.cue_keys
        if len(decided) != len(states):
            states, decided = (document.selected,), ((key, reason),)
        sentences = []
        for state, (found, why) in zip(states, decided, strict=True):
            if parse_key(state.text(controls.KEY)) is not None or state.number in self.auto_keys:
                continue
            self.auto_keys[state.number] = (found, why)
            why = why.removeprefix(f"{found.name}: ").rstrip(".")
            of = f" of {state.name}" if document.other_cues else ""
            sentences.append(f"key{of} {found.name}: {why}." if why else f"key{of} {found.name}.")
        return tuple(sentences)

    def restore(self, document: Document) -> None:
        """The levels of a composition that was kept, and the keys that its moods had chosen."""
        self.levels = document.result.levels
        self.auto_keys |= keys_of(document)

    def _cue_keys(self, document: Document) -> tuple[tuple[int, Key, str], ...]:
        """Of several cues, the key of each."""
        if not document.other_cues:
            return ()
        found = []
        for state in document.cue_states:
            key = parse_key(state.text(controls.KEY))
            if key is not None:
                found.append((state.number, key, f"{key.name}: as asked"))
            elif state.number in self.auto_keys:
                found.append((state.number, *self.auto_keys[state.number]))
        return tuple(found)

    # how soon -------------------------------------------------------------------------------------------------------
    @property
    def first_chord_s(self) -> float:
        """Request to first chord, as it has to be expected: nine in ten of the latest were not slower."""
        if not self._took_s:
            return FIRST_GUESS_S
        return sorted(self._took_s)[int(0.9 * (len(self._took_s) - 1))]

    @property
    def lead_s(self) -> float:
        """How far ahead a boundary has to be, beyond what is committed, for a change to reach it.  Near a boundary a
        change is asked for at once, whatever comes after it."""
        return self.first_chord_s + TO_PLAYER_S
