"""What makes two takes of a cue different, as a composer would say it."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from engine.document.document import Document, Result
from engine.music.cueplan import CuePlan

STEP_S: Final = 0.25  # chords are compared this often


class Difference(NamedTuple):
    """One property in which two takes differ, and what each has."""

    what: str
    first: str
    second: str


def chords_alike(first: Document, second: Document, low_s: float, high_s: float) -> float:
    """The share of a stretch of picture in which both have the same chord; 1 where neither has any."""
    low_s = max(low_s, 0.0)
    mine, theirs = first.slots, second.slots
    if mine is theirs:
        return 1.0
    last_s = min(high_s, max((row[-1].end_s for row in (mine, theirs) if row), default=0.0))
    equal = count = left = right = 0
    at_s = low_s
    while at_s < last_s:
        while left < len(mine) and mine[left].end_s <= at_s:
            left += 1
        while right < len(theirs) and theirs[right].end_s <= at_s:
            right += 1
        # As far as both stay: so many of the places that are looked at lie in it.
        end_s = last_s
        for row, index in ((mine, left), (theirs, right)):
            if index < len(row):
                end_s = min(end_s, row[index].end_s)
        places = max(math.ceil((end_s - at_s) / STEP_S - 1e-9), 1)
        both = left < len(mine) and right < len(theirs)
        equal += places if both and mine[left].chord == theirs[right].chord else 0
        count += places
        at_s += places * STEP_S
    return equal / count if count else 1.0


def compare(first: Document, second: Document, cue: int) -> tuple[Difference, ...]:
    """In what two takes of a cue differ: key, tempo, form, players, palettes, chord lengths, theme, ending, chords."""
    rows = zip(_facts(first, cue), _facts(second, cue), strict=True)
    found = [Difference(what, mine, theirs) for (what, mine), (_, theirs) in rows if mine != theirs]
    low_s, high_s = first.span_of(cue)
    alike = chords_alike(first, second, low_s, high_s)
    if alike < 1.0:
        found.append(Difference("chords alike", f"{100 * alike:.0f} %", ""))
    return tuple(found)


def plan_of(document: Document, cue: int) -> CuePlan | None:
    """The plan of a cue by its number; None where it has none."""
    row = [state.number for state in document.cue_states]
    place = row.index(cue) if cue in row else -1
    return next((plan for plan in document.result.plans if plan.cue == place), None)


def _facts(document: Document, cue: int) -> tuple[tuple[str, str], ...]:
    result, plan = document.result, plan_of(document, cue)
    low_s = max(document.span_of(cue)[0], 0.0)
    bpm = result.tempo_map.bpm_at(result.tempo_map.beats_at(low_s + result.starts_s) + 1e-6)
    facts = [("key", _key(result, cue)), ("tempo", f"{bpm:g}")]
    sections = () if plan is None else plan.sections
    theme = None if plan is None else plan.theme
    facts += [
        ("form", "" if plan is None else plan.form),
        ("players", "" if plan is None else plan.ensemble),
        ("palettes", " ".join(section.variant for section in sections)),
        ("intensity", " ".join(str(section.intensity) for section in sections)),
        ("bars a chord", " ".join(f"{section.unit_bars:g}" for section in sections)),
        ("theme", "" if theme is None else f"{theme.form} {theme.shape} {theme.rhythm}".strip() or "yours"),
        ("ending", "" if plan is None else plan.ending),
    ]
    return tuple(facts)


def _key(result: Result, cue: int) -> str:
    return next((key.name for number, key, _ in result.cue_keys if number == cue), result.key.name)
