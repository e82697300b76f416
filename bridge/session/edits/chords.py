"""Progressions, pins and ranges that are composed again.  Positions are picture seconds."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Final

from bridge.session.edits import Edit
from bridge.session.now import Now, boundary_s, next_mark
from engine.document import ChordBlock, Document, Pin, ends
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
    block = _block_at(document, place_s)
    exact = block.pin is not None and block.pin.exact
    pinned = document.with_pin(Pin(block.start_s, block.end_s, chord, typed, exact))
    return Edit(pinned, f"{label} {typed or chord}", heard_s=block.start_s)


def pin_next(document: Document, now: Now, chord: Chord, typed: str = "") -> Edit:
    """Replaces the chord after the one that sounds."""
    following = document.chords_at(now.committed_s)[1]
    if following is None:
        raise ControlError("not_ready", "no chord follows.")
    return pin(document, now, chord, following.start_s, "next chord", typed)


def unpin(document: Document, now: Now, at_s: float | None = None, to_s: float | None = None) -> Edit:
    """Lets the composed chord come back at a picture second (default: the playhead), or in a range."""
    position_s = now.position_s if at_s is None else at_s
    if to_s is not None:
        if to_s <= position_s:
            raise ControlError("bad_value", f"a range from {position_s:g} s to {to_s:g} s has no length.")
        left = tuple(pin for pin in document.pins if pin.end_s <= position_s + 1e-6 or pin.start_s >= to_s - 1e-6)
        if left == document.pins:
            raise ControlError("bad_value", f"no chord is pinned between {position_s:.2f} s and {to_s:.2f} s.")
        return Edit(replace(document, pins=left), "unpin")
    changed = document.without_pin(position_s)
    if changed.pins == document.pins:
        raise ControlError("bad_value", f"no chord is pinned at {position_s:.2f} s.")
    return Edit(changed, "unpin")


# chords as blocks -----------------------------------------------------------------------------------------------------
NEAR_S: Final = 0.5  # a border is named by where it is, to within this
SHORTEST_BEATS: Final = 0.25


def move(document: Document, now: Now, from_s: float, to_s: float) -> Edit:
    """Moves the border between two chords to the sixteenth nearest to a picture second; both are pinned then."""
    left, right = _neighbours(document, from_s)
    at_s = _inside(document, left.start_s, right.end_s, to_s)
    if abs(at_s - right.start_s) < 1e-6:
        return Edit(document, "move chord", heard_s=at_s)
    first = _pin_of(document, left, left.start_s, at_s)
    moved = document.with_pin(first).with_pin(_pin_of(document, right, at_s, right.end_s))
    return Edit(moved, "move chord", heard_s=min(at_s, right.start_s))


def split(document: Document, now: Now, at_s: float | None = None) -> Edit:
    """Makes two chords of one at the sixteenth nearest to a picture second (default: the playhead)."""
    place_s = now.position_s if at_s is None else at_s
    block = _block_at(document, place_s)
    _check_printed(document, block.start_s, block.end_s)
    edge_s = _inside(document, block.start_s, block.end_s, place_s)
    made = document.with_pin(_pin_of(document, block, block.start_s, edge_s))
    return Edit(made.with_pin(_pin_of(document, block, edge_s, block.end_s)), "split chord", heard_s=edge_s)


def merge(document: Document, now: Now, at_s: float | None = None) -> Edit:
    """Lets a chord (default: the one at the playhead) go on over the next one."""
    block = _block_at(document, now.position_s if at_s is None else at_s)
    following = document.block_at(block.end_s)
    if following is None or following.chord.is_silence:
        raise ControlError("bad_value", "no chord follows to be merged with.")
    _check_printed(document, block.start_s, following.end_s)
    merged = document.with_pin(_pin_of(document, block, block.start_s, following.end_s))
    return Edit(merged, "merge chords", heard_s=following.start_s)


def copy(document: Document, now: Now, from_s: float, to_s: float) -> Edit:
    """Puts the chord that sounds at one picture second in the place of the one at another."""
    source, target = _block_at(document, from_s), _block_at(document, to_s)
    _check_printed(document, target.start_s, target.end_s)
    exact = target.pin is not None and target.pin.exact
    typed = "" if source.pin is None else source.pin.typed
    pinned = document.with_pin(Pin(target.start_s, target.end_s, source.chord, typed, exact))
    return Edit(pinned, f"copy {typed or source.chord}", heard_s=target.start_s)


def _block_at(document: Document, at_s: float) -> ChordBlock:
    block = document.block_at(at_s)
    if block is None or block.chord.is_silence:
        raise ControlError("not_ready", f"there is no chord at {at_s:.2f} s.")
    return block


def _neighbours(document: Document, border_s: float) -> tuple[ChordBlock, ChordBlock]:
    """The two chords that the border nearest to a picture second parts."""
    around = document.blocks(border_s - NEAR_S, border_s + NEAR_S)
    pairs = [(left, right) for left, right in pairwise(around) if abs(right.start_s - border_s) <= NEAR_S]
    if not pairs:
        raise ControlError("bad_value", f"no chord begins at {border_s:.2f} s.")
    left, right = min(pairs, key=lambda pair: abs(pair[1].start_s - border_s))
    if left.chord.is_silence or right.chord.is_silence:
        raise ControlError("bad_value", "silence is not moved like a chord: set In and Out of the cue.")
    _check_printed(document, left.start_s, right.end_s)
    return left, right


def _inside(document: Document, low_s: float, high_s: float, at_s: float) -> float:
    """The sixteenth nearest to a picture second; refused where it leaves no chord on either side."""
    edge_s, beats = document.sixteenth(at_s)
    beats_at, starts_s = document.result.tempo_map.beats_at, document.result.starts_s
    low, high = beats_at(low_s + starts_s), beats_at(high_s + starts_s)
    if not low + SHORTEST_BEATS - 1e-6 <= beats <= high - SHORTEST_BEATS + 1e-6:
        raise ControlError("bad_value", f"the border stays between {low_s:.2f} s and {high_s:.2f} s.")
    return edge_s


def _pin_of(document: Document, block: ChordBlock, start_s: float, end_s: float) -> Pin:
    """The block's chord pinned over a stretch, with the words that the composer had for it."""
    own = block.pin
    return Pin(start_s, end_s, block.chord, own.typed if own else "", True, own.voicing if own else ())


def _check_printed(document: Document, low_s: float, high_s: float) -> None:
    """Refuses what would change chords whose notes the DAW has."""
    beats_at, starts_s = document.result.tempo_map.beats_at, document.result.starts_s
    low, high = beats_at(low_s + starts_s), beats_at(high_s + starts_s)
    first = min(
        (max(each.start_beats, low) for each in document.printed if each.start_beats < high and each.end_beats > low),
        default=None,
    )
    if first is not None:
        bar = document.result.tempo_map.bar_at(first)
        raise ControlError("bad_value", f"bar {bar} is in the DAW; unmute it first ({controls.PRINTED_UNMUTE}).")


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
