"""Tempo that bends so that what comes after a change of the picture falls on the beats it fell on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from engine.conform.recut import SAME_S, Recut, with_tempo
from engine.document import CueState, Document
from engine.music.meter import MAX_BPM, MIN_BPM

MOST_BEND: Final = 0.06  # of the tempo, unless another is asked for
MOST_ASKED_BEND: Final = 0.5


@dataclass(frozen=True, slots=True)
class _Bend:
    """Between two old seconds the tempo is bent from bpm to wanted_bpm, from start_s to end_s of the new cut.
    is_last: up to the cue's end."""

    before_s: float
    after_s: float
    start_s: float
    end_s: float
    bpm: float
    wanted_bpm: float
    is_last: bool = False

    @property
    def share(self) -> float:
        return self.wanted_bpm / self.bpm - 1


def ramped(recut: Recut, document: Document, most: float, notes: list[str]) -> Document:
    """The document with sections that bend the tempo of the cues whose policy is to ramp: in each of them wherever its
    length has changed, or not at all.

    most: share of the tempo that it bends at most.  notes: gets a sentence for each cue.
    """
    if "ramp" not in recut.policies.values():
        return document
    if not recut.is_ours:
        notes.append("the tempo map is not CueBridge's own, so it is not bent.")
        return document
    for state in recut.old.cue_states:
        bends = _bends(recut, state) if recut.policies[state.name] == "ramp" else []
        # Behind the last mark nothing has a beat to keep: too much of a bend there spoils nothing before it.
        if len(bends) > 1 and bends[-1].is_last and abs(bends[-1].share) > most + 1e-9:
            bends.pop()
        steepest = max(bends, key=lambda each: abs(each.share), default=None)
        if steepest is None:
            continue
        if abs(steepest.share) > most + 1e-9:
            notes.append(f"cue {state.name}: {_too_steep(steepest, most)}")
            continue
        for each in bends:
            document = with_tempo(document, each.start_s, each.wanted_bpm, "ramp")
            document = with_tempo(document, each.end_s, each.bpm, "ramp ends")
            notes.append(
                f"cue {state.name}: the tempo is {each.wanted_bpm:.1f} instead of {each.bpm:.1f} from "
                f"{each.start_s:.2f} to {each.end_s:.2f} s ({100 * each.share:+.1f} %)."
            )
    return document


def _too_steep(bend: _Bend, most: float) -> str:
    """Why a cue is not ramped, as the rest of a sentence."""
    if not MIN_BPM <= bend.wanted_bpm <= MAX_BPM or abs(bend.share) > MOST_ASKED_BEND:
        return (
            f"no tempo holds the music of {bend.before_s:.2f} to {bend.after_s:.2f} s where its picture is now, so "
            "the cue is shifted."
        )
    least = math.ceil(1000 * abs(bend.share) - 1e-6) / 10
    return (
        f"{bend.before_s:.2f} to {bend.after_s:.2f} s would bend the tempo by {100 * bend.share:+.1f} %, more than "
        f"{100 * most:g} %, so the cue is shifted; with a bend of {least:g} % it is ramped."
    )


def _bends(recut: Recut, state: CueState) -> list[_Bend]:
    """One bend for each pair of neighbouring marks whose distance has changed.  Lifted marks have no beat to keep."""
    old, place = recut.old.result, recut.changes.place
    low, high = recut.old.span_of(state.number)
    low, high = max(low, state.in_s), min(high, recut.changes.old_frames / float(recut.changes.rate))
    fixed = [h.time_s for h in recut.old.hits] + [s.start_s for s in recut.old.sections if not s.is_time]
    marks = sorted({low, high - SAME_S, *(each for each in fixed if low < each < high)})
    found = []
    for before, after in pairwise(each for each in marks if place(each) is not None):
        start, end = place(before), place(after)
        assert start is not None and end is not None
        if abs((end - start) - (after - before)) <= 0.5 / float(recut.changes.rate):
            continue
        from_beats, to_beats = (old.tempo_map.beats_at(each + old.starts_s) for each in (before, after))
        bpm = float(old.tempo_map.bpm_at(from_beats))
        # Pictures that changed places leave no time, or less than none, for the music between them.
        wanted = 60.0 * (to_beats - from_beats) / (end - start) if end - start > SAME_S else math.inf
        found.append(_Bend(before, after, start, end, bpm, wanted, is_last=after > high - 2 * SAME_S))
    return found
