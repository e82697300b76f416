"""Why a chord stands where it does, in four lines; what the networks thought is asked of the engine."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bridge.session.edits import printed
from bridge.session.lists import kind_of
from bridge.session.state import SessionState
from engine.document import ChordBlock, Document
from engine.music import EMOTIONS, Chord
from engine.music.arguments import ControlError
from engine.process.messages import ComposeRequest, ToEngine, WhyAnswer, WhyRequest
from engine.process.requests import AutoKeys, compose_request

PATIENCE_S: Final = 2.0  # an engine that is busy or away: what is known without it is answered
_ALTERNATIVES: Final = 3


@dataclass(frozen=True, slots=True)
class Other:
    """A chord that could have come: how likely it was to be drawn, and how likely the network alone finds it (0..1)."""

    name: str
    chance: float
    network: float


@dataclass(frozen=True, slots=True)
class Why:
    """start_s, end_s: of the chord, picture seconds.  who: typed, pinned, given, network, cell, cadence, provisional,
    generated (the engine did not say) or silence.  lines: who set it, the network's part, the mood, how it is reached;
    and the parts that are printed.  weight: 0..1, the network's part in the choice."""

    start_s: float
    end_s: float
    name: str
    who: str
    lines: tuple[str, ...]
    weight: float = 0.0
    others: tuple[Other, ...] = ()


@dataclass(frozen=True, slots=True)
class _Asked:
    block: ChordBlock
    document: Document
    reply: Callable[[Why], None]
    until_host_s: float


class Questions:
    """Questions that the engine was asked, by their number."""

    def __init__(self) -> None:
        self._number = 0
        self._open: dict[int, _Asked] = {}

    def ask(
        self, session: SessionState, at_s: float, send: Callable[[ToEngine], None], reply: Callable[[Why], None]
    ) -> None:
        """Asks why the chord at a picture second is there; `reply` gets the answer, now or later.

        Raises ControlError where there is no chord.
        """
        document = session.document
        block = document.block_at(at_s)
        if block is None:
            raise ControlError("not_ready", f"there is no chord at {at_s:.2f} s.")
        if kind_of(block) not in ("generated", "provisional") or session.engine_state != "ready":
            reply(explained(session, document, block))
            return
        self._number += 1
        self._open[self._number] = _Asked(block, document, reply, session.clock.now() + PATIENCE_S)
        send(WhyRequest(self._number, _request(document, block, session.composing.auto_keys)))

    def answered(self, session: SessionState, answer: WhyAnswer) -> None:
        asked = self._open.pop(answer.number, None)
        if asked is not None:
            asked.reply(explained(session, asked.document, asked.block, answer))

    def tick(self, session: SessionState) -> None:
        """Answers without the engine what it was asked too long ago."""
        now_s = session.clock.now()
        for number in [number for number, asked in self._open.items() if asked.until_host_s <= now_s]:
            asked = self._open.pop(number)
            asked.reply(explained(session, asked.document, asked.block))


def _request(document: Document, block: ChordBlock, auto_keys: AutoKeys) -> ComposeRequest:
    """The composition up to the chord, which comes next."""
    middle_s = (block.start_s + block.end_s) / 2
    row = document.grid_slots
    first = next((index for index, slot in enumerate(row) if slot.end_s > min(block.start_s + 1e-3, middle_s)), 0)
    return compose_request(document, 0, row[:first], auto_keys)


def explained(session: SessionState, document: Document, block: ChordBlock, answer: WhyAnswer | None = None) -> Why:
    """The answer in words."""
    kind = kind_of(block)
    name = document.chord_name(block.chord) or "N"
    chosen = answer is not None and bool(answer.by)
    who = answer.by if answer is not None and answer.by else kind
    lines = [_who(who, name, answer.words if answer is not None else "")]
    others: tuple[Other, ...] = ()
    if answer is not None and chosen:
        others = tuple(
            Other(document.chord_name(each.chord), each.chance, each.network)
            for each in answer.options
            if each.chord != block.chord
        )[:_ALTERNATIVES]
        lines.append(_network(block.chord, name, answer, others))
    lines.append(_mood(session, document, block))
    lines.append(_reached(document, block))
    parts = [part for part, from_s, to_s in printed.ranges_s(document) if from_s < block.end_s and to_s > block.start_s]
    if parts:
        lines.append(f"In the DAW: {', '.join(dict.fromkeys(parts))}.")
    return Why(
        block.start_s, block.end_s, name, who, tuple(filter(None, lines)),
        answer.weight if answer is not None else 0.0, others,
    )  # fmt: skip


def _who(who: str, name: str, words: str) -> str:
    return {
        "typed": f"You wrote {name} here.",
        "pinned": f"You pinned {name} here.",
        "given": f"Your progression has {name} here.",
        "network": f"The network chose {name}.",
        "cell": f"From the {words}." if words else "",
        "cadence": f"From the {words}." if words else "",
        "provisional": f"{name} was planned before the whole film was seen.",
        "silence": "No music here: it lies outside every cue.",
    }.get(who, f"{name} was composed.")


def _network(chord: Chord, name: str, answer: WhyAnswer, others: tuple[Other, ...]) -> str:
    own = next((each for each in answer.options if each.chord == chord), None)
    chances = [f"{name} {_percent(own.chance)}"] if own is not None else []
    chances += [f"{other.name} {_percent(other.chance)}" for other in others]
    part = f"The network's part here is {_percent(answer.weight)}" if answer.weight < 1 else "The network decides alone"
    return f"{part}; chances were {', '.join(chances)}." if chances else f"{part}."


def _mood(session: SessionState, document: Document, block: ChordBlock) -> str:
    slot = document.slot_at((block.start_s + block.end_s) / 2)
    if slot is None or session.analysed is None:
        return ""
    strongest = sorted(zip(slot.affect, EMOTIONS, strict=True), reverse=True)[:2]
    moods = ", ".join(f"{mood} {_percent(weight)}" for weight, mood in strongest if weight >= 0.05)
    return f"The picture there ({session.analysed.reading} reading, with your faders): {moods}."


def _reached(document: Document, block: ChordBlock) -> str:
    """How the chord is reached from the one before."""
    before = document.block_at(block.start_s - 1e-3) if block.start_s > 0 else None
    if before is None or before.chord.is_silence or block.chord.is_silence:
        return ""
    shared = set(before.chord.pitch_classes()) & set(block.chord.pitch_classes())
    moved = _motion(before.chord, block.chord)
    tones = "no common tone" if not shared else "1 common tone" if len(shared) == 1 else f"{len(shared)} common tones"
    return f"From {document.chord_name(before.chord)}: {tones}, the voices move {moved} semitones in all."


def _motion(first: Chord, second: Chord) -> int:
    """Semitones that the tones of one chord move to the nearest of another, each once."""
    return sum(
        min(min((low - high) % 12, (high - low) % 12) for high in second.pitch_classes())
        for low in first.pitch_classes()
    )


def _percent(share: float) -> str:
    return f"{math.floor(100 * share + 0.5)} %"
