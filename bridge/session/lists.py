"""Long lists that are asked for a piece at a time: chords, notes and the undo history; and the plan of a cue."""

from __future__ import annotations

from itertools import islice
from typing import Final

from bridge.osc.codec import Argument, Double
from bridge.session.state import SessionState
from bridge.session.steering import rules
from engine.document import Document
from engine.document.compare import compare, plan_of
from engine.document.form_decisions import decisions
from engine.music import controls
from engine.music.arguments import ControlError
from engine.music.bar_lines import bar_lines

MAX_ROWS: Final = 60  # of one answer
MAX_NOTES: Final = 120
MAX_SECTIONS: Final = 24


def listed_chords(session: SessionState, from_s: float, to_s: float) -> tuple[Argument, ...]:
    """From, to, name and kind of each chord in a range of picture seconds."""
    found: list[Argument] = []
    for block in islice(session.document.each_block(from_s, to_s), MAX_ROWS):
        found += [
            Double(block.start_s),
            Double(block.end_s),
            session.document.chord_name(block.chord) or "N",
            block.set_by,
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


def listed_notes(session: SessionState, from_s: float, to_s: float, part: str = "all") -> tuple[Argument, ...]:
    """How many notes begin in a range of picture seconds, then part, pitch, velocity, start and length of each."""
    low, high = session.beats_at(from_s), session.beats_at(to_s)
    found: list[Argument] = [session.plan.count_notes(low, high, part)]
    for note in session.plan.first_notes(low, high, MAX_NOTES, part):
        start_s, end_s = session.picture_at(note.start_beats), session.picture_at(note.end_beats)
        found += [note.part, note.pitch, note.velocity, Double(start_s), Double(end_s - start_s)]
    return tuple(found)


def plan_rows(document: Document, cue: int | None = None) -> tuple[Argument, ...]:
    """Form, players and ending of a cue's plan (default: the selected one), then its sections; nothing where it has
    none."""
    plan = plan_of(document, document.cue if cue is None else cue)
    if plan is None:
        return ()
    found: list[Argument] = [plan.form, plan.ensemble, plan.ending]
    for each in plan.sections[:MAX_SECTIONS]:
        found += [
            Double(each.start_s), each.letter, each.role, each.mood, each.intensity, each.variant, each.key.name,
            ",".join(each.layers),
        ]  # fmt: skip
    return tuple(found)


def statement_rows(document: Document) -> tuple[Argument, ...]:
    """First and last picture second, kind and bar of each statement of the selected cue's theme."""
    plan = plan_of(document, document.cue)
    if plan is None:
        return ()
    tempo_map, starts_s = document.result.tempo_map, document.result.starts_s
    found: list[Argument] = []
    for each in plan.statements[:MAX_SECTIONS]:
        first, last = (
            tempo_map.seconds_at(float(tempo_map.bar_start(bar))) - starts_s
            for bar in (each.bar, each.bar + each.length_bars)
        )
        found += [Double(first), Double(last), each.kind, each.bar]
    return tuple(found)


def form_rows(document: Document) -> tuple[Argument, ...]:
    """First and last second, letter, role, name and what was decided, of each section of the selected cue's form."""
    plan = plan_of(document, document.cue)
    if plan is None:
        return ()
    lines, decided = bar_lines(document.result.tempo_map, document.result.starts_s), decisions(document)
    found: list[Argument] = []
    for each in plan.sections[:MAX_SECTIONS]:
        known = decided.get(lines.bar_at(each.start_s))
        name, word = ("", "proposed") if known is None else (known.name, known.word)
        found += [Double(each.start_s), Double(each.end_s), each.letter, each.role, name, word]
    return tuple(found)


def proposed_cues(document: Document) -> tuple[Argument, ...]:
    """Number in the list of cues, name and why there, of each cue that is proposed and not yet accepted."""
    found: list[Argument] = []
    for number, state in enumerate(document.cue_states, start=1):
        if (why := state.text(controls.PROPOSED)) and len(found) < 3 * MAX_SECTIONS:
            found += [number, state.name, why]
    return tuple(found)


def rated_takes(session: SessionState) -> tuple[Argument, ...]:
    """Number, rating and note of each take of the selected cue that has one of them."""
    cue = session.document.cue
    rated = [(each.take, each.rating, each.note) for each in session.document.ratings if each.cue == cue]
    return tuple(value for row in rated[:MAX_ROWS] for value in row)


def steering_rows(session: SessionState) -> tuple[Argument, ...]:
    """What ratings make of the next take: layer, takes, how likely in per cent, what is avoided."""
    return tuple(
        value
        for rule in rules(session.document, session.takes.table)
        for value in (
            rule.layer, " ".join(map(str, rule.takes)), float(round(100 * rule.kept_share)), ", ".join(rule.avoided),
        )
    )  # fmt: skip


def take_plan(session: SessionState, number: int) -> tuple[Argument, ...]:
    """The plan of a take of the selected cue.  Raises ControlError."""
    cue = session.document.cue
    return plan_rows(_document_of(session, number), cue)


def compared_takes(session: SessionState, first: int, second: int) -> tuple[Argument, ...]:
    """What, the first's and the second's, of each property in which two takes of the selected cue differ.

    Raises ControlError.
    """
    cue = session.document.cue
    both = _document_of(session, first), _document_of(session, second)
    return tuple(value for row in compare(*both, cue) for value in row)


def _document_of(session: SessionState, number: int) -> Document:
    """A take of the selected cue.  Raises ControlError."""
    known = session.takes.get(session.document.cue, number)
    if known is None and number != session.document.take:
        raise ControlError("bad_value", f"there is no take {number}.")
    return session.document if known is None else known.document
