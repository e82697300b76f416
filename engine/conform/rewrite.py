"""What is seen for the first time is composed anew, at a tempo that brings what follows to its beats."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from engine.conform.music import placed
from engine.conform.ramp import MOST_BEND
from engine.conform.recut import SAME_S, Recut, with_tempo
from engine.document import CueState, Document, TempoOrigin
from engine.harmony.palettes import palettes
from engine.music import Slot

_OTHER_BEAT: Final = 0.05  # of a tempo: so much more bending a downbeat is worth


def rewrites(recut: Recut, document: Document, first_s: float) -> tuple[tuple[float, float], ...]:
    """Stretches to compose: from each place where new material or another picture begins to the next hit, section
    or cue, in cues whose policy is that."""
    rate = float(recut.changes.rate)
    found: list[tuple[float, float]] = []
    before = None
    for span in recut.changes.spans:
        start = span.new_start / rate
        broken = span.old_start is None or (before is not None and before.old_end != span.old_start)
        before = span
        if not broken or start < first_s - SAME_S:
            continue
        state = next((s for s in reversed(document.cue_states) if s.in_s <= start + SAME_S), None)
        if state is None or recut.policies.get(state.name) != "rewrite":
            continue
        stop = span.new_end / rate if span.old_start is None else start + SAME_S
        marks = [h.time_s for h in document.hits] + [s.start_s for s in document.sections if not s.is_time]
        marks += [s.in_s for s in document.cue_states] + [recut.film.duration_s]
        end = min(mark for mark in marks if mark >= stop) if any(m >= stop for m in marks) else recut.film.duration_s
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


def refitted(
    recut: Recut, document: Document, stretches: Sequence[tuple[float, float]], origin: TempoOrigin, notes: list[str]
) -> Document:
    """The document with a tempo for each stretch that is composed anew: within the range of the cue's palette, and such
    that the hit or section after the stretch falls on the beat it fell on before.  From there the old tempo returns.

    A tempo that a person has set (`origin`) stays.  notes: gets a sentence for each cue.
    """
    if not stretches:
        return document
    if not recut.is_ours:
        notes.append("the tempo map is not CueBridge's own, so no tempo is fitted to what is composed anew.")
        return document
    was = {recut.changes.place(hit.time_s): hit.time_s for hit in recut.old.hits}
    was |= {recut.changes.place_near(s.start_s): s.start_s for s in recut.old.sections if not s.is_time}
    kept: set[str] = set()
    for index, (start, end) in enumerate(stretches):
        state = next(each for each in reversed(document.cue_states) if each.in_s <= start + SAME_S)
        limit = min(
            [each.in_s for each in document.cue_states if each.in_s > start + SAME_S]
            + [low for low, _ in stretches[index + 1 :]]
            + [recut.film.duration_s]
        )
        # Where the next mark is too near for any tempo of the palette, the one after it is met.
        marks = sorted((new, old) for new, old in was.items() if new is not None and end - SAME_S <= new < limit)
        if not marks:
            continue
        if origin.is_by_hand(state):
            if state.name not in kept:
                notes.append(f"cue {state.name}: its tempo was set by hand and stays; only chords are composed anew.")
            kept.add(state.name)
            continue
        document = _fitted(recut, document, (state, start), marks, notes)
    return document


def _fitted(
    recut: Recut, document: Document, begins_at: tuple[CueState, float], marks: Sequence[tuple[float, float]],
    notes: list[str],
) -> Document:  # fmt: skip
    """As `refitted`, for the stretch of a cue from a picture second on.  marks: new and old picture second of each mark
    after it."""
    state, start = begins_at
    old, tempo_map = recut.old.result, recut.tempo_map(document)
    begins = tempo_map.beats_at(start + old.starts_s)
    bpm = tempo_map.bpm_at(begins + 1e-6)
    low, high = _tempo_range(recut, state, bpm)
    for end, old_s in marks:
        length_s = end - start
        runs_to = begins + length_s * bpm / 60
        old_beats = old.tempo_map.beats_at(old_s + old.starts_s)
        into = old_beats - float(old.tempo_map.bar_start(old.tempo_map.bar_at(old_beats + SAME_S)))
        line = float(tempo_map.bar_start(tempo_map.bar_at(runs_to)))
        bar = float(tempo_map.meter_at(runs_to).bar_beats)
        # The same beat of a bar is worth some bending more than another one.
        ways = [
            (abs(wanted / bpm - 1) + (0.0 if step == 0 else _OTHER_BEAT), wanted)
            for count in range(-2, 3)
            for step in range(math.ceil(bar))
            if low <= (wanted := 60 * (line + count * bar + into + step - begins) / max(length_s, 1e-3)) <= high
        ]
        if not ways:
            continue
        wanted = min(ways)[1]
        if abs(wanted / bpm - 1) * length_s < 0.5 / float(recut.changes.rate):
            return document
        notes.append(
            f"cue {state.name}: the tempo is {wanted:.1f} instead of {bpm:.1f} from {start:.2f} to {end:.2f} s, "
            "where it is composed anew, so that what follows falls on its beats."
        )
        return with_tempo(with_tempo(document, start, wanted, "new tempo"), end, bpm, "tempo as before")
    notes.append(
        f"cue {state.name}: no tempo from {low:.0f} to {high:.0f} brings what follows {start:.2f} s to its beats."
    )
    return document


def _tempo_range(recut: Recut, state: CueState, bpm: float) -> tuple[float, float]:
    """The lowest and highest tempo to try: the range of the cue's main palette, and always what is near its present
    tempo."""
    number = next((i for i, each in enumerate(recut.old.cue_states) if each.number == state.number), 0)
    sections = [each for plan in recut.old.result.plans if plan.cue == number for each in plan.sections]
    most = max(sections, key=lambda each: each.end_s - each.start_s, default=None)
    known = None if most is None else palettes().get(most.variant)
    low, high = (70.0, 110.0) if known is None else known.bpm
    return min(low, bpm * (1 - MOST_BEND)), max(high, bpm * (1 + MOST_BEND))


def composed_into(
    slots: Sequence[Slot], fresh: Sequence[Slot], ranges: Sequence[tuple[float, float]]
) -> tuple[Slot, ...]:
    """The slots with newly composed chords in the ranges: each takes the chord of the fresh slot at its middle."""
    made = []
    for slot in slots:
        middle = (slot.start_s + slot.end_s) / 2
        if any(low <= middle < high for low, high in ranges):
            index = max(bisect_right(fresh, middle, key=lambda each: each.start_s) - 1, 0)
            slot = placed(fresh[index], slot.index, slot)
        made.append(slot)
    return tuple(made)
