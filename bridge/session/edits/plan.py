"""What a composer changes in the plan of the selected cue.  Positions are picture seconds."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from bridge.session.edits import Edit
from bridge.session.edits.chords import rewrite
from bridge.session.edits.spans import within
from bridge.session.edits.values import set_value
from bridge.session.now import Now, boundary_s
from engine.document import Document
from engine.document.compare import plan_of
from engine.music import PARTS, MusicError, controls
from engine.music.arguments import ControlError
from engine.music.cueplan import CuePlan
from engine.music.plan_edit import KEEPS_CHORDS, MOST, PlanEdit
from engine.music.theme_operations import operated
from engine.music.theme_text import theme_text
from engine.process.requests import is_planned

_LABELS: Final = {
    "busier": "busier", "simpler": "simpler", "only": "only", "melody": "another melody", "state": "theme",
    "silent": "no theme",
}  # fmt: skip


def change(
    document: Document, now: Now, kind: str, from_s: float | None = None, to_s: float | None = None, value: str = ""
) -> Edit:
    """Changes the sections that a range touches (default: the whole cue); what lies outside them stays.

    kind: one of PLAN_EDITS.  value: of `only` the parts, of `state` the kind of statement.
    """
    plan = _plan(document)
    if kind in ("state", "silent"):
        low_s = high_s = now.position_s if from_s is None else from_s
        if kind == "state" and plan.theme is None:
            raise ControlError("not_ready", f"this cue has no theme; set one with {controls.THEME}.")
    else:
        low_s, high_s = _sections(plan, from_s, to_s)
    number = 1 + max((edit.number for edit in document.plan_edits), default=0)
    edit = PlanEdit(kind, document.cue, low_s, high_s, _checked(kind, value), number)
    if len(document.plan_edits) >= MOST:
        raise ControlError("bad_value", f"there are {MOST} changes of plans already; undo some or begin a new take.")
    changed = replace(document, plan_edits=(*document.plan_edits, edit))
    label = f"{_LABELS[kind]} {value}".strip()
    if kind in ("melody", "state", "silent"):
        low_s, high_s = document.span_of(document.cue)
    return Edit(
        changed, label, *within(changed, low_s, high_s, boundary_s(document, now, "bar")), at_once=False,
        chords_stay=kind in KEEPS_CHORDS,
    )  # fmt: skip


def _plan(document: Document) -> CuePlan:
    plan = plan_of(document, document.cue)
    if plan is None or not is_planned(document):
        raise ControlError("not_ready", f"this cue has no form; set {controls.FORM} first.")
    return plan


def _sections(plan: CuePlan, from_s: float | None, to_s: float | None) -> tuple[float, float]:
    """From the beginning of the first section that a range touches to the end of the last."""
    low = float("-inf") if from_s is None else from_s
    high = float("inf") if to_s is None else to_s
    if from_s is not None and to_s is None:
        high = low + 1e-3  # the section that plays there
    touched = [each for each in plan.sections if each.start_s < high - 1e-6 and each.end_s > low + 1e-6]
    if high <= low or not touched:
        raise ControlError("bad_value", "no section of this cue lies in that range.")
    return touched[0].start_s, touched[-1].end_s


def _checked(kind: str, value: str) -> str:
    if kind != "only":
        return value
    parts = [part for part in value.replace(",", " ").split() if part]
    unknown = next((part for part in parts if part not in PARTS), None)
    if unknown is not None or not parts:
        raise ControlError("bad_value", f"'{unknown or ''}' is not a part; parts are {', '.join(PARTS)}.")
    return ",".join(part for part in PARTS if part in parts)


# the theme ------------------------------------------------------------------------------------------------------------
def keep_theme(document: Document, now: Now) -> Edit:
    """The theme of the take that plays is the cue's from now on, whatever takes come."""
    plan = _plan(document)
    if plan.theme is None:
        raise ControlError("not_ready", "this cue has no theme.")
    return replace(set_value(document, now, controls.THEME, theme_text(plan.theme)), label="keep theme")


def operate_theme(document: Document, now: Now, name: str) -> Edit:
    """The cue's theme upside down, backwards, slower …; see engine.music.theme_operations."""
    plan = _plan(document)
    if plan.theme is None:
        raise ControlError("not_ready", "this cue has no theme.")
    try:
        text = theme_text(operated(plan.theme, name))
    except MusicError as error:
        raise ControlError("bad_value", str(error)) from None
    return replace(set_value(document, now, controls.THEME, text), label=f"theme {name}", merge=False)


def set_theme(document: Document, now: Now, text: str, cue: int) -> Edit:
    """Sets a cue's theme, whichever is selected.  Raises ControlError where the cue is gone."""
    try:
        chosen = document.select(cue)
    except KeyError:
        raise ControlError("not_ready", "the cue that the theme was for is gone.") from None
    edit = set_value(chosen, now, controls.THEME, text)
    changed = document if edit.document == chosen else edit.document.select(document.cue)
    return replace(edit, document=changed)


def reharmonise(document: Document, now: Now, number: int, at_s: float) -> Edit:
    """Composes the chords of the bar that a picture second lies in again; melody, players and all other bars stay.

    number: how many ranges of this session were composed again, this one among them.
    """
    tempo_map, starts_s = document.result.tempo_map, document.result.starts_s
    bar = tempo_map.bar_at(tempo_map.beats_at(at_s + starts_s) + 1e-6)
    return replace(rewrite(document, now, number, "bars", bar, bar), label=f"reharmonise bar {bar}")
