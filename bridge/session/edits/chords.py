"""Progressions, pins and ranges that are composed again.  Positions are picture seconds."""

from __future__ import annotations

from dataclasses import replace

from bridge.session.edits import Edit
from bridge.session.now import Now, boundary_s, next_mark
from engine.document import Document, Pin, ends
from engine.music import Chord, controls, parse_progression
from engine.music.arguments import ControlError


def set_progression(document: Document, now: Now, chords: str, mode: str, from_s: float) -> Edit:
    """A progression that begins at a picture second, as a region of the DAW gives it.  Raises MusicError."""
    parse_progression(chords, mode)
    changed = document.with_value(controls.PROGRESSION, chords).with_value(controls.PROGRESSION_MODE, mode)
    changed = replace(changed, progression_from_s=from_s)
    if changed == document:
        return Edit(document, "progression", heard_s=from_s)
    if not document.result.slots:
        return Edit(changed, "progression")
    earliest_s = boundary_s(document, now, "bar") if now.rolling else None
    begin_s = next_mark(document, now, from_s, "slot")
    return Edit(changed, "progression", max(begin_s, earliest_s or 0.0))


def pin(
    document: Document, now: Now, chord: Chord, at_s: float | None = None, label: str = "pin", typed: str = ""
) -> Edit:
    """Replaces the chord that sounds at a picture second (default: the playhead).  typed: as it was written."""
    place_s = now.position_s if at_s is None else at_s
    slots = document.result.slots
    if slots and place_s >= slots[-1].end_s:
        raise ControlError(
            "bad_value", f"there is no chord at {place_s:.2f} s: the music ends at {slots[-1].end_s:.2f} s."
        )
    span = document.chords_at(place_s)[0]
    if span is None:
        raise ControlError("not_ready", "there is no chord there yet.")
    pinned = document.with_pin(Pin(span.start_s, span.end_s, chord, typed))
    return Edit(pinned, f"{label} {typed or chord}", heard_s=span.start_s)


def pin_next(document: Document, now: Now, chord: Chord, typed: str = "") -> Edit:
    """Replaces the chord after the one that sounds."""
    following = document.chords_at(now.committed_s)[1]
    if following is None:
        raise ControlError("not_ready", "no chord follows.")
    return pin(document, now, chord, following.start_s, "next chord", typed)


def unpin(document: Document, now: Now, at_s: float | None = None) -> Edit:
    """Lets the composed chord come back at a picture second (default: the playhead)."""
    position_s = now.position_s if at_s is None else at_s
    changed = document.without_pin(position_s)
    if changed.pins == document.pins:
        raise ControlError("bad_value", f"no chord is pinned at {position_s:.2f} s.")
    return Edit(changed, "unpin")


def rewrite(
    document: Document,
    now: Now,
    number: int,
    what: float | str,
    until: float | None = None,
    last: float | None = None,
) -> Edit:
    """Composes a range again with other draws; what lies outside it stays.

    number: how many ranges of this session were composed again, this one among them.  what: a picture second (until:
    another, None: the end), or a word: `chord` (the one that sounds, or sounds next while the playhead moves), `hit`
    (to the next hit), `bars` (from bar `until` to bar `last`), `cue` (the rest of it).
    """
    from_s, to_s = _range(document, now, what, until, last) if isinstance(what, str) else (float(what), until)
    if not document.result.slots or not document.result.complete:
        raise ControlError("not_ready", "nothing is composed yet.")
    earliest_s = now.earliest_s if now.rolling else 0.0
    if to_s is not None and to_s <= from_s:
        raise ControlError("bad_value", f"a range from {from_s:g} s to {to_s:g} s has no length.")
    start_s = next_mark(document, now, max(from_s, earliest_s if from_s <= earliest_s else 0.0), "slot")
    if to_s is not None and to_s <= start_s + 0.05:
        raise ControlError("bad_value", f"the range ends at {to_s:g} s, before it can be heard ({start_s:.2f} s).")
    take = (document.take * 1009 + number * 7919) % 999_983 + 1
    return Edit(document, "rewrite", start_s, to_s, take=take)


def _range(
    document: Document, now: Now, what: str, first: float | None, last: float | None
) -> tuple[float, float | None]:
    result = document.result
    if what == "bars":
        bar, end = int(first or 0), int(last if last is not None else first or 0)
        if not 1 <= bar <= end:
            raise ControlError("bad_value", "say which bars: `bars 5 8` are bars 5 to 8.")
        low_s, high_s = (
            result.tempo_map.seconds_at(float(result.tempo_map.bar_start(each))) - result.starts_s
            for each in (bar, end + 1)
        )
        return max(low_s, 0.0), high_s
    if first is not None:
        raise ControlError("bad_type", f"`{what}` begins at the playhead and takes no numbers.")
    if what == "chord":
        sounding, following = document.chords_at(now.position_s)
        chord = following if now.rolling else sounding
        if chord is None:
            raise ControlError("not_ready", "there is no chord to compose again.")
        return chord.start_s, chord.end_s
    if what == "hit":
        marks = document.hits or (now.film.cuts if now.film is not None else ())
        upcoming = next((mark.time_s for mark in marks if mark.time_s > now.position_s + 0.5), None)
        if upcoming is None:
            raise ControlError("bad_value", "no hit follows.")
        return now.position_s, upcoming
    states = document.cue_states
    out_s = next((out for state, out in zip(states, ends(states), strict=True) if state.number == document.cue), None)
    return max(now.position_s, document.selected.in_s), out_s
