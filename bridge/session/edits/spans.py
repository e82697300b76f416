"""Which stretch of the film an edit of cues concerns; positions are picture seconds."""

from __future__ import annotations

from bridge.session.now import first_slot_s, next_slot_s
from engine.document import Document


def cue_span(
    document: Document, from_s: float | None, before: Document | None = None
) -> tuple[float | None, float | None]:
    """Where a change of the selected cue begins and ends, so that other cues keep their chords.

    before: the document that was changed, where the cue may have lain elsewhere.
    """
    if not document.other_cues and (before is None or not before.other_cues):
        return from_s, None
    number = document.cue
    spans = [document.span_of(number)]
    if before is not None and any(state.number == number for state in before.cue_states):
        spans.append(before.span_of(number))
    return within(document, min(low for low, _ in spans), max(high for _, high in spans), from_s)


def within(document: Document, low_s: float, high_s: float, from_s: float | None) -> tuple[float, float | None]:
    """Where new chords begin and end that concern a stretch of the film and cannot begin before from_s."""
    slots = document.result.slots
    first_s, until_s = first_slot_s(slots, low_s), next_slot_s(slots, high_s)
    start_s = max(first_s, from_s or 0.0)
    if until_s is not None and start_s >= until_s:  # it is over already, or not heard in this pass
        start_s = first_s
    return start_s, until_s


def changed_span(before: Document, after: Document) -> tuple[float, float]:
    """The stretch of the film in which the cues differ."""
    spans = []
    for first, second in ((before, after), (after, before)):
        others = {state.number: (state, second.span_of(state.number)) for state in second.cue_states}
        for state in first.cue_states:
            span = first.span_of(state.number)
            if others.get(state.number) != (state, span):
                spans.append(span)
    return min((low for low, _ in spans), default=0.0), max((high for _, high in spans), default=float("inf"))
