"""Why a chord stands where it does, in a few lines: what the document says of it, and what the networks thought."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from engine.document import ChordBlock, Document
from engine.document.printed import ranges_s
from engine.music import EMOTIONS, Chord, MusicError
from engine.music.picture_start import PictureStart
from engine.process.messages import ComposeRequest, WhyAnswer
from engine.process.requests import AutoKeys, compose_request

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


def is_composed(block: ChordBlock) -> bool:
    """Whether the engine can say more of a chord than the document does."""
    return block.set_by in ("generated", "provisional")


def request_up_to(document: Document, block: ChordBlock, auto_keys: AutoKeys) -> ComposeRequest:
    """The composition up to a chord, which comes next.  Raises MusicError as `compose_request` does."""
    return compose_request(document, 0, document.grid_slots[: slots_before(document, block)], auto_keys)


def slots_before(document: Document, block: ChordBlock) -> int:
    """How many slots of the network's grid come before a chord."""
    middle_s = (block.start_s + block.end_s) / 2
    row = document.grid_slots
    return next((index for index, slot in enumerate(row) if slot.end_s > min(block.start_s + 1e-3, middle_s)), 0)


def second_of(document: Document, place: str) -> float:
    """Picture second of `12|1` in the document's bars, or of a number of seconds.  Raises MusicError."""
    try:
        at = PictureStart.parse(place)
    except MusicError:
        at = PictureStart()
    if at.bar_beat is not None:
        tempo_map = document.result.tempo_map
        return tempo_map.seconds_at(float(tempo_map.beats_of(at.bar_beat))) - document.result.starts_s
    if at.seconds is None:
        raise MusicError(
            f"'{place[:40]}' is not a place in the music; write bar|beat as in 12|1, or seconds of the film."
        )
    return at.seconds


def explained(document: Document, block: ChordBlock, reading: str, answer: WhyAnswer | None = None) -> Why:
    """The answer in words.  reading: "quick" or "full", "" while the film is not seen."""
    kind = block.set_by
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
    lines.append(_mood(document, block, reading))
    lines.append(_reached(document, block))
    parts = [part for part, from_s, to_s in ranges_s(document) if from_s < block.end_s and to_s > block.start_s]
    if parts:
        lines.append(f"In the DAW: {', '.join(dict.fromkeys(parts))}.")
    return Why(
        block.start_s, block.end_s, name, who, tuple(filter(None, lines)),
        answer.weight if answer is not None else 0.0, others,
    )  # fmt: skip


def answer_lines(why: Why, bar: str = "") -> str:
    """As the commands print it.  bar: bar|beat of the chord's beginning, where it is known."""
    at = f"bar {bar}, " if bar else ""
    reasons = "\n         ".join(why.lines)
    return f"Chord    {why.name}: {at}{why.start_s:.2f} to {why.end_s:.2f} s\nWhy      {reasons}\n"


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
    if answer.by == "network":
        part = "The network decides alone"
    elif answer.weight >= 1:
        part = "Of the chords that the palette allows here, the network chose"
    elif _percent(answer.weight) == _percent(0.0):
        return "The palette alone decides here; the network was not asked."
    else:
        part = f"The network's part here is {_percent(answer.weight)}"
    return f"{part}; chances were {', '.join(chances)}." if chances else f"{part}."


def _mood(document: Document, block: ChordBlock, reading: str) -> str:
    slot = document.slot_at((block.start_s + block.end_s) / 2)
    if slot is None or not reading:
        return ""
    strongest = sorted(zip(slot.affect, EMOTIONS, strict=True), reverse=True)[:2]
    moods = ", ".join(f"{mood} {_percent(weight)}" for weight, mood in strongest if weight >= 0.05)
    return f"The picture there ({reading} reading, with your faders): {moods}."


def _reached(document: Document, block: ChordBlock) -> str:
    """How the chord is reached from the one before."""
    before = document.block_at(block.start_s - 1e-3) if block.start_s > 0 else None
    if before is None or before.chord.is_silence or block.chord.is_silence:
        return ""
    shared = set(before.chord.pitch_classes()) & set(block.chord.pitch_classes())
    moved = _motion(before.chord, block.chord)
    tones = "no common tone" if not shared else "1 common tone" if len(shared) == 1 else f"{len(shared)} common tones"
    way = "1 semitone" if moved == 1 else f"{moved} semitones"
    return f"From {document.chord_name(before.chord)}: {tones}, the voices move {way} in all."


def _motion(first: Chord, second: Chord) -> int:
    """Semitones that the tones of one chord move to the nearest of another, each once."""
    return sum(
        min(min((low - high) % 12, (high - low) % 12) for high in second.pitch_classes())
        for low in first.pitch_classes()
    )


def _percent(share: float) -> str:
    return f"{math.floor(100 * share + 0.5)} %"
