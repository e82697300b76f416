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
from engine.document.form_decisions import LONGEST_NAME, UNNAMED, decision_of, decisions
from engine.music import PARTS, MusicError, controls
from engine.music.arguments import ControlError
from engine.music.bar_lines import BarLines, bar_lines, end_bar, first_whole_bar
from engine.music.cueplan import CuePlan, SectionPlan
from engine.music.form_borders import bounds
from engine.music.plan_edit import KEEPS_CHORDS, MOST, PlanEdit
from engine.music.statements import moved_statement
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
    plan = plan_in_force(document)
    if kind in ("state", "silent"):
        low_s = high_s = now.position_s if from_s is None else from_s
        if kind == "state" and plan.theme is None:
            raise ControlError("not_ready", f"this cue has no theme; set one with {controls.THEME}.")
    else:
        low_s, high_s = _sections(plan, from_s, to_s)
    changed = with_change(document, kind, low_s, high_s, _checked(kind, value))
    label = f"{_LABELS[kind]} {value}".strip()
    if kind in ("melody", "state", "silent"):
        low_s, high_s = document.span_of(document.cue)
    return _edit(document, now, changed, label, (low_s, high_s), chords_stay=kind in KEEPS_CHORDS)


def with_change(document: Document, kind: str, from_s: float, to_s: float, value: str = "") -> Document:
    """A document whose selected cue has one more change of its plan.  Raises ControlError where there are too many."""
    number = 1 + max((edit.number for edit in document.plan_edits), default=0)
    if len(document.plan_edits) >= MOST:
        raise ControlError("bad_value", f"there are {MOST} changes of plans already; undo some or begin a new take.")
    edit = PlanEdit(kind, document.cue, from_s, to_s, value, number)
    return replace(document, plan_edits=(*document.plan_edits, edit))


def _edit(
    before: Document, now: Now, changed: Document, label: str, span: tuple[float, float], *, chords_stay: bool
) -> Edit:
    place = within(changed, *span, boundary_s(before, now, "bar"))
    return Edit(changed, label, *place, at_once=False, chords_stay=chords_stay)


def plan_in_force(document: Document) -> CuePlan:
    """The plan of the selected cue.  Raises ControlError where it has none."""
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


def lines_of(document: Document) -> BarLines:
    """Where the bar lines of what was composed are in the picture."""
    return bar_lines(document.result.tempo_map, document.result.starts_s)


# the form -------------------------------------------------------------------------------------------------------------
def accept_section(document: Document, now: Now, at_s: float) -> Edit:
    """The section that plays at a position begins there in every take that follows."""
    index, section = _section_at(document, at_s)
    if decision_of(document, index) is not None:
        return Edit(document, "accept section")
    return _decided(document, now, "border", (section.start_s, section.start_s), f"accept section {section.letter}")


def name_section(document: Document, now: Now, at_s: float, name: str) -> Edit:
    """Accepts the section that plays at a position under a name of its own, empty: under none."""
    index, section = _section_at(document, at_s)
    name = name.strip()
    if len(name) > LONGEST_NAME or not (name.isprintable() or not name):
        raise ControlError("bad_value", f"a name is up to {LONGEST_NAME} printable characters.")
    known = decision_of(document, index)
    if (known.name if known is not None else "") == name:
        return Edit(document, "section name")
    # A name that is taken away leaves the section accepted.
    label = f"section {name}" if name else "no section name"
    return _decided(document, now, "border", (section.start_s, section.start_s), label, name or UNNAMED)


def move_border(document: Document, now: Now, from_s: float, to_s: float) -> Edit:
    """Lets the section that plays at a position begin at the bar line nearest to another one."""
    plan, lines = plan_in_force(document), lines_of(document)
    index, section = _section_at(document, from_s)
    if not index:
        raise ControlError("bad_value", f"the first section begins with the cue; move that with {controls.IN}.")
    bar = lines.bar_at(to_s)
    low, high = bounds(plan, index, lines)
    if not low <= bar <= high:
        if low > high:
            raise ControlError("bad_value", "neither section has a bar to give.")
        raise ControlError("bad_value", f"this section begins in bars {low} to {high}: each keeps a bar at least.")
    if bar == lines.bar_at(section.start_s):
        return Edit(document, "move section")
    span = (plan.sections[index - 1].start_s, section.end_s)
    place = (section.start_s, lines.second_of(bar))
    return _decided(document, now, "border", place, f"section {section.letter} to bar {bar}", span=span)


def refuse_section(document: Document, now: Now, at_s: float) -> Edit:
    """The section that plays at a position goes up in the one before it, in this take and those that follow."""
    plan = plan_in_force(document)
    index, section = _section_at(document, at_s)
    if not index:
        raise ControlError("bad_value", "the first section has none before it that could take its place.")
    span = (plan.sections[index - 1].start_s, section.end_s)
    label = f"refuse section {section.letter}"
    return _decided(document, now, "join", (section.start_s, section.start_s), label, span=span)


def merge_planned(document: Document, now: Now, at_s: float) -> Edit:
    """The section that plays at a position goes on over the next one."""
    plan = plan_in_force(document)
    index, section = _section_at(document, at_s)
    if index + 1 >= len(plan.sections):
        raise ControlError("bad_value", "no section follows to be merged with.")
    following = plan.sections[index + 1]
    place, span = (following.start_s, following.start_s), (section.start_s, following.end_s)
    return _decided(document, now, "join", place, f"merge sections {section.letter} and {following.letter}", span=span)


def _section_at(document: Document, at_s: float) -> tuple[int, SectionPlan]:
    plan = plan_in_force(document)
    if not plan.sections[0].start_s - 1e-3 <= at_s < plan.sections[-1].end_s:
        raise ControlError("bad_value", f"no section of this cue plays at {at_s:.2f} s.")
    # A boundary that came back as it was sent is not a little before itself.
    index = plan.index_at(at_s + 1e-3)
    return index, plan.sections[index]


# size: what an edit of a plan is, two of them with defaults; its callers give four or five.
def _decided(
    document: Document,
    now: Now,
    kind: str,
    place: tuple[float, float],
    label: str,
    name: str = "",
    span: tuple[float, float] | None = None,
) -> Edit:
    """span: the stretch whose chords are composed anew, None: none are."""
    changed = with_change(document, kind, *place, name)
    return _edit(document, now, changed, label, span or document.span_of(document.cue), chords_stay=span is None)


# the theme ------------------------------------------------------------------------------------------------------------
def keep_theme(document: Document, now: Now) -> Edit:
    """The theme of the take that plays is the cue's from now on, whatever takes come."""
    plan = plan_in_force(document)
    if plan.theme is None:
        raise ControlError("not_ready", "this cue has no theme.")
    return replace(set_value(document, now, controls.THEME, theme_text(plan.theme)), label="keep theme")


def move_statement(document: Document, now: Now, from_s: float, to_s: float) -> Edit:
    """The statement of the theme that sounds at a position begins at the bar line nearest to another one.

    Chords stay, and every bar that it neither leaves nor takes.
    """
    plan, lines = plan_in_force(document), lines_of(document)
    moved = next(
        (
            each
            for each in plan.statements
            if lines.second_of(each.bar) - 1e-3 <= from_s < lines.second_of(each.bar + each.length_bars) - 1e-3
        ),
        None,
    )
    if moved is None:
        raise ControlError("bad_value", f"no statement of the theme sounds at {from_s:.2f} s.")
    bar = lines.bar_at(to_s)
    if bar == moved.bar:
        return Edit(document, "move theme")
    low, end = first_whole_bar(plan.sections[0].start_s, lines), end_bar(plan.sections[-1].end_s, lines)
    last = max(end - moved.length_bars, moved.bar)  # one that the end cuts off already may go back
    if not low <= bar <= last:
        length = f"{moved.length_bars} bar{'s' if moved.length_bars > 1 else ''}"
        raise ControlError("bad_value", f"this {moved.kind} of {length} may begin in bars {low} to {last}.")
    try:
        moved_statement(plan, moved.bar, bar)
    except MusicError as error:
        raise ControlError("bad_value", str(error)) from None
    bars = [(each, each + moved.length_bars) for each in (moved.bar, bar)]
    _check_free(document, [(lines.second_of(first), lines.second_of(last)) for first, last in bars])
    changed = with_change(document, "move", lines.second_of(moved.bar), lines.second_of(bar))
    label, span = f"theme to bar {bar}", document.span_of(document.cue)
    return _edit(document, now, changed, label, span, chords_stay=True)


def _check_free(document: Document, spans_s: list[tuple[float, float]]) -> None:
    """Raises ControlError where the melody of one of these stretches is in the DAW or locked."""
    tempo_map, starts_s = document.result.tempo_map, document.result.starts_s
    for low_s, high_s in spans_s:
        low, high = (tempo_map.beats_at(each + starts_s) for each in (low_s, high_s))
        bar = tempo_map.bar_at(low + 1e-6)
        for held, kind in ((document.printed, "in the DAW; unmute"), (document.locks, "locked; unlock")):
            if any(
                each.part == "melody" and each.start_beats < high - 1e-6 and each.end_beats > low + 1e-6
                for each in held
            ):
                raise ControlError("bad_value", f"the melody from bar {bar} on is {kind} it first.")


def assigned_places(document: Document, name: str) -> list[float]:
    """Where hits, sections and sections of the form of the selected cue begin that are called so.

    Raises ControlError where there are none.
    """
    plan, lines = plan_in_force(document), lines_of(document)
    wanted = name.strip().casefold()
    named = [(each.name, each.time_s) for each in document.hits]
    named += [(each.name, each.start_s) for each in document.sections]
    named += [(each.name, lines.second_of(each.bar)) for each in decisions(document).values()]
    low_s, high_s = plan.sections[0].start_s, plan.sections[-1].end_s
    found = {at_s for own, at_s in named if own.casefold() == wanted and low_s - 1e-3 <= at_s < high_s}
    if not wanted or not found:
        raise ControlError("bad_value", f"no hit or section of this cue is called '{name.strip()[:40]}'.")
    return sorted(found)


def assign_theme(document: Document, now: Now, name: str, kind: str) -> Edit:
    """States the theme wherever a hit or section has a name, a character's for instance, as one edit."""
    if plan_in_force(document).theme is None:
        raise ControlError("not_ready", f"this cue has no theme; set one with {controls.THEME}.")
    changed = document
    for at_s in assigned_places(document, name):
        changed = with_change(changed, "state", at_s, at_s, kind)
    label, span = f"theme for {name.strip()[:40]}", document.span_of(document.cue)
    return _edit(document, now, changed, label, span, chords_stay=True)


def operate_theme(document: Document, now: Now, name: str) -> Edit:
    """The cue's theme upside down, backwards, slower …; see engine.music.theme_operations."""
    plan = plan_in_force(document)
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
