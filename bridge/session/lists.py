"""Long lists that are asked for a piece at a time: chords and the undo history."""

from __future__ import annotations

from typing import Final

from bridge.osc.codec import Argument, Double
from bridge.session.state import SessionState
from engine.document import ChordBlock

MAX_ROWS: Final = 60  # of one answer


def kind_of(block: ChordBlock) -> str:
    """Who set a chord, in a word: typed, pinned, given (by the progression), generated, provisional or silence."""
    if block.pin is not None:
        return "typed" if block.pin.typed else "pinned"
    if block.chord.is_silence:
        return "silence"
    if block.given:
        return "given"
    return "provisional" if block.provisional else "generated"


def listed_chords(session: SessionState, from_s: float, to_s: float) -> tuple[Argument, ...]:
    """From, to, name and kind of each chord in a range of picture seconds."""
    found: list[Argument] = []
    for block in session.document.blocks(from_s, to_s)[:MAX_ROWS]:
        found += [
            Double(block.start_s),
            Double(block.end_s),
            session.document.chord_name(block.chord) or "N",
            kind_of(block),
        ]
    return tuple(found)


def listed_edits(session: SessionState, first: int | None = None) -> tuple[Argument, ...]:
    """Number of the step in force, then number, label and maker of each step; step 0 is the beginning."""
    steps, current = session.history.steps, session.history.undo_count
    begin = max(len(steps) - MAX_ROWS, 0) if first is None else min(first, len(steps))
    found: list[Argument] = [current]
    for number, step in enumerate(steps[begin : begin + MAX_ROWS], start=begin):
        found += [number, step.label, step.who]
    return tuple(found)
