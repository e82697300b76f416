"""Asking the engine: which request goes out when, and what becomes of the answer.

A change waits a moment, so that two hundred moves of a fader cost one composition; it asks early enough for the chord
boundary at which it is to be heard.  Answers to older requests are dropped.  Host times are `time.perf_counter`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from engine.document import CueState, Document, parse_chords, parse_key
from engine.music import EMOTIONS, Chord, Key, MusicError, Slot, Take, controls
from engine.process.messages import ComposeOptions, ComposeRequest

QUIET_S: Final = 0.015  # after the last move of a fader
PATIENCE_S: Final = 1.05  # faders that never rest are answered after this
FIRST_GUESS_S: Final = 0.08  # until an answer is measured: request to first chord
MEASURED: Final = 16  # the latest answers by which it is judged how soon a change can be heard
ON_THE_WAY_S: Final = 0.015  # from the first chord's arrival to the player: arranging, handing over
MAX_DELAYS: Final = 3

# What the networks are asked by; a result composed under other values is not this document's.
RECIPE: Final = (
    controls.HARMONIC_RHYTHM,
    controls.DARK_LIGHT,
    controls.CALM_TENSE,
    *(controls.of_mood(name) for name in EMOTIONS),
    controls.FOLLOW_PICTURE,
    controls.ADVENTUROUS,
)
CUE_RECIPE: Final = (
    controls.PROGRESSION,
    controls.PROGRESSION_MODE,
    controls.KEY,
    controls.IN,
    controls.OUT,
    controls.BAR_1,
)


@dataclass(frozen=True, slots=True)
class Wish:
    """A composition that is to be asked for.

    boundary_s: picture second from which the new music is heard, None: from the film's beginning (nothing plays).
    until_s: the old music goes on there (a rewritten range).  take: other than the document's, for a rewrite.
    deaths: of the engine while it composed this.
    """

    boundary_s: float | None
    label: str
    first_host_s: float
    last_host_s: float
    until_s: float | None = None
    take: int | None = None
    delays: int = 0
    deaths: int = 0


@dataclass(slots=True)
class Pending:
    """A request on its way and what of its answer is here."""

    revision: int
    wish: Wish
    kept: tuple[Slot, ...]
    rest: tuple[Slot, ...]
    recipe: tuple[object, ...]
    sent_host_s: float
    slots: list[Slot] = field(default_factory=list)
    arranged_host_s: float = float("-inf")
    answered: bool = False


def recipe(document: Document) -> tuple[object, ...]:
    """Everything that the networks are asked by, whichever cue is selected."""
    marks = [f"{hit.time_s:.6f} {hit.weight}" for hit in document.hits]
    marks += [f"{section.start_s:.6f} {section.changes}" for section in document.sections]
    cues = [
        (cue.number, cue.take, cue.progression_from_s, *(cue.value(address) for address in CUE_RECIPE))
        for cue in document.cue_states
    ]
    return (
        *(document.value(address) for address in RECIPE),
        "; ".join(marks),
        *(value for cue in cues for value in cue),
    )


def compose_options(document: Document) -> ComposeOptions:
    """Activity and dynamics stay the arranger's: they act within a beat there and need no network."""
    return ComposeOptions(
        adventurous=document.number(controls.ADVENTUROUS),
        follow_picture=document.number(controls.FOLLOW_PICTURE),
        dark_light=document.number(controls.DARK_LIGHT),
        calm_tense=document.number(controls.CALM_TENSE),
        affect_bias=tuple(document.number(controls.of_mood(name)) for name in EMOTIONS),
        harmonic_rhythm=document.text(controls.HARMONIC_RHYTHM),
    )


def _pins(document: Document) -> tuple[tuple[float, Chord], ...]:
    """One for each slot that a pin covers: the engine pins a chord of its own length, which may be shorter."""
    slots = [slot for slot in document.slots if slot.pinned]
    if not slots:
        return tuple(((pin.start_s + pin.end_s) / 2, pin.chord) for pin in document.pins)
    return tuple(((slot.start_s + slot.end_s) / 2, slot.chord) for slot in slots)


class ComposeDesk:
    """Wishes, requests and answers, one of each at a time; the newest wins."""

    def __init__(self) -> None:
        self.revision = 0
        self.wish: Wish | None = None
        self.pending: Pending | None = None
        self._took_s: deque[float] = deque(maxlen=MEASURED)  # request to first chord

    def ask(self, wish: Wish) -> Wish:
        """A newer wish takes the place of the older; it keeps its boundary and when it was first uttered."""
        older = self.wish
        if older is not None:
            boundary_s, until_s = wish.boundary_s, None
            if boundary_s is not None and older.boundary_s is not None:
                boundary_s = min(boundary_s, older.boundary_s)
            if wish.until_s is not None and older.until_s is not None:
                until_s = max(wish.until_s, older.until_s)
            wish = replace(wish, boundary_s=boundary_s, until_s=until_s, first_host_s=older.first_host_s)
        self.wish = wish
        return wish

    def cancel(self) -> None:
        self.wish = None
        self.pending = None
        self.revision += 1  # an answer still on its way is nobody's now

    def due(self, host_s: float, boundary_host_s: float | None, commit_s: float) -> bool:
        """Whether the wish has to go out now.  boundary_host_s: when its boundary will be reached, if ever."""
        wish = self.wish
        if wish is None:
            return False
        if host_s - wish.last_host_s >= QUIET_S or host_s - wish.first_host_s >= PATIENCE_S:
            return True
        return boundary_host_s is not None and host_s >= boundary_host_s - commit_s - self.lead_s - 0.01

    def request(
        self, document: Document, *, grid: str, starts_s: float, auto_keys: Mapping[int, tuple[Key, str]], host_s: float
    ) -> ComposeRequest:
        """The wish as a message.  Raises MusicError for a progression or key that cannot be read."""
        wish = self.wish
        if wish is None:
            raise MusicError("there is nothing to compose.")
        heard = document.slots
        kept: tuple[Slot, ...] = ()
        rest: tuple[Slot, ...] = ()
        if wish.boundary_s is not None:
            count = sum(slot.start_s < wish.boundary_s - 1e-6 for slot in heard)
            kept = document.result.slots[:count]
            heard = heard[:count]
        else:
            heard = ()
        if wish.until_s is not None:
            rest = tuple(slot for slot in document.result.slots if slot.start_s >= wish.until_s - 1e-6)
        self.revision += 1
        self.wish = None
        self.pending = Pending(self.revision, wish, kept, rest, recipe(document), host_s)
        several = bool(document.other_cues)

        def key_of(cue: Document | CueState, number: int) -> Key | None:
            auto = auto_keys.get(number)
            return parse_key(cue.text(controls.KEY)) or (None if auto is None else auto[0])

        cues = document.cues
        if several:
            cues = tuple(
                replace(cue, key=key_of(state, state.number), take=wish.take or cue.take)
                for cue, state in zip(cues, document.cue_states, strict=True)
            )
        return ComposeRequest(
            revision=self.revision,
            tempo_map=document.result.tempo_map,
            grid=grid,
            picture_starts_at_s=starts_s,
            key=None if several else key_of(document, document.cue),
            progression=None if several else parse_chords(document),
            progression_from_s=0.0 if several else document.progression_from_s,
            take=Take(wish.take or document.take),
            pins=_pins(document),
            hits=document.hits,
            cues=cues,
            keep=tuple(slot if slot.index == index else replace(slot, index=index) for index, slot in enumerate(heard)),
            options=compose_options(document),
            film_seed=document.draws.film_seed,
            film_seed_since_take=document.draws.since_take,
        )

    def answered(self, host_s: float) -> None:
        """The first slots of the pending request are here.  A composition from the beginning, when the engine has only
        just started, tells nothing of how long a change takes."""
        pending = self.pending
        if pending is not None and not pending.answered:
            pending.answered = True
            if pending.kept:
                self._took_s.append(min(max(host_s - pending.sent_host_s, 0.0), 3.0))

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
        return self.first_chord_s + ON_THE_WAY_S
