"""The plans of cues in a session file."""

from __future__ import annotations

from typing import Any

from engine.document.file import schema
from engine.music import Key, MusicError
from engine.music.cueplan import STATEMENT_KINDS, TURNS, CuePlan, SectionPlan, Statement, Theme, ThemeNote


def written(plan: CuePlan) -> dict[str, Any]:
    """As plain JSON values."""
    theme = plan.theme
    return {
        "cue": plan.cue,
        "form": plan.form,
        "ensemble": plan.ensemble,
        "sections": [_section(section) for section in plan.sections],
        "theme": None
        if theme is None
        else {
            "notes": [[note.start_beats, note.length_beats, note.step, note.alter] for note in theme.notes],
            "bars": theme.bars,
            "bar_beats": theme.bar_beats,
            "shape": theme.shape,
            "rhythm": theme.rhythm,
            "form": theme.form,
        },
        "statements": [
            [each.bar, each.kind, each.bars, each.stretch, each.octave, each.turn] for each in plan.statements
        ],
        "ending": plan.ending,
        "reason": plan.reason,
        "seed": plan.seed,
        "melody_range": list(plan.melody_range),
        "rules": plan.rules,
        **({"fades": [list(fade) for fade in plan.fades]} if plan.fades else {}),
    }


def _section(section: SectionPlan) -> dict[str, Any]:
    return {
        "start_s": section.start_s,
        "end_s": section.end_s,
        "letter": section.letter,
        "role": section.role,
        "mood": section.mood,
        "intensity": section.intensity,
        "variant": section.variant,
        "key": section.key.name,
        "unit_bars": section.unit_bars,
        "layers": list(section.layers),
        "pedal": section.pedal,
        "note_length": section.note_length,
        "velocity": list(section.velocity),
        "centre": section.centre,
        "transition": section.transition,
        "ostinato": section.ostinato,
        "asked": section.asked,
    }


def read(data: schema.PlanObject) -> CuePlan:
    """Raises MusicError for a plan that cannot be."""
    for row in data.statements:
        if row.kind not in STATEMENT_KINDS:
            raise MusicError(f"'{row.kind}' is not a kind of statement of the theme.")
        if row.turn not in TURNS:
            raise MusicError(f"'{row.turn}' is not a way to vary a theme that returns.")
    theme = data.theme
    return CuePlan(
        cue=data.cue,
        form=data.form,
        ensemble=data.ensemble,
        sections=tuple(
            SectionPlan(
                row.start_s, row.end_s, row.letter, row.role, row.mood, row.intensity, row.variant, Key.parse(row.key),
                row.unit_bars, tuple(row.layers), row.pedal, row.note_length, row.velocity, row.centre, row.transition,
                row.ostinato, row.asked,
            )
            for row in data.sections
        ),
        theme=None
        if theme is None
        else Theme(
            tuple(ThemeNote(row.start_beats, row.length_beats, row.step, row.alter) for row in theme.notes),
            theme.bars, theme.bar_beats, theme.shape, theme.rhythm, theme.form,
        ),
        statements=tuple(
            Statement(row.bar, row.kind, row.bars, row.stretch, row.octave, row.turn) for row in data.statements
        ),
        ending=data.ending,
        reason=data.reason,
        seed=data.seed,
        melody_range=data.melody_range,
        rules=data.rules,
        fades=tuple(data.fades),
    )  # fmt: skip
