"""Adding, removing and moving cues.

Positions are picture seconds.  `number` is one that no cue of the film has or had (`SessionState.free_cue_number`).
"""

from __future__ import annotations

from dataclasses import replace

from bridge.session.edits import Edit
from bridge.session.edits.spans import changed_span, within
from bridge.session.edits.tempo import on_its_tempo
from bridge.session.now import Now, boundary_s
from engine.document import MAX_CUES, CueState, Document, check_cues, free_name
from engine.music import MusicError, controls
from engine.music.arguments import ControlError, Value


def add(
    document: Document, now: Now, number: int, in_s: float, out_s: float | str = "end", name: str | None = None
) -> Edit:
    """Adds a cue with bar 1 at its In and selects it; the first one replaces the whole film."""
    states = document.cue_states
    fresh = not document.other_cues and document.selected.is_default
    if len(states) >= MAX_CUES:
        raise ControlError("bad_value", f"there are more than {MAX_CUES} cues.")
    name = (name or ("1m1" if fresh else free_name(states))).strip()
    if fresh:
        made = document.with_value(controls.IN, in_s).with_value(controls.OUT, out_s).with_value(controls.NAME, name)
        return _edit(document, now, made.with_value(controls.BAR_1, "in"), f"cue {name}")
    settings: dict[str, Value] = {controls.IN: in_s, controls.NAME: name, controls.BAR_1: "in"}
    if out_s != "end":
        settings[controls.OUT] = out_s
    return _edit(document, now, document.with_cues((*states, CueState(number, settings)), number), f"cue {name}")


def remove(document: Document, now: Now, number: int, which: str | None = None) -> Edit:
    """Deletes a cue (default: the selected one); after the last one the whole film is a cue again."""
    state = find(document, which)
    label = f"no cue {state.name}"
    if not document.other_cues:
        # The whole film is another cue than the deleted one, whose takes are not its own.
        film = CueState(number, {}, state.take)
        return _edit(document, now, document.with_cues((film,), number), label)
    states = [each for each in document.cue_states if each.number != state.number]
    selected = document.cue if document.cue != state.number else states[0].number
    return _edit(document, now, document.with_cues(states, selected), label)


def accept(document: Document, now: Now, which: str | None = None) -> Edit:
    """A cue that is proposed (default: the selected one) is the composer's; nothing sounds different."""
    state = _proposed(document, which)
    chosen = document.select(state.number).with_value(controls.PROPOSED, "")
    return Edit(chosen.select(document.cue), f"accept cue {state.name}", unheard=True)


def refuse(document: Document, now: Now, number: int, which: str | None = None) -> Edit:
    """Deletes a cue that is proposed (default: the selected one)."""
    state = _proposed(document, which)
    return replace(remove(document, now, number, state.name), label=f"refuse cue {state.name}")


def _proposed(document: Document, which: str | None) -> CueState:
    state = find(document, which)
    if not state.text(controls.PROPOSED):
        raise ControlError("not_ready", f"cue {state.name} is accepted already; {controls.CUES_REMOVE} deletes it.")
    return state


def region(document: Document, now: Now, number: int, name: str, in_s: float, out_s: float | None) -> Edit:
    """A cue as a region of the DAW gives it: a cue of that name moves there, else one is added."""
    known = next((state for state in document.cue_states if state.name == name), None)
    end: float | str = "end" if out_s is None else out_s
    if known is None or (not document.other_cues and known.is_default):
        return add(document, now, number, in_s, end, name)
    moved = document.select(known.number).with_value(controls.IN, in_s).with_value(controls.OUT, end)
    return _edit(document, now, moved, f"cue {name}")


def find(document: Document, which: str | None) -> CueState:
    """A cue by its name or its place from 1; None: the selected one."""
    states = document.cue_states
    if which is None:
        return document.selected
    for state in states:
        if state.name == which:
            return state
    if which.isdigit() and 1 <= int(which) <= len(states):
        return states[int(which) - 1]
    names = ", ".join(state.name for state in states[:20])
    raise ControlError("bad_value", f"there is no cue '{which[:40]}'; there are {names}.")


def _edit(before: Document, now: Now, changed: Document, label: str) -> Edit:
    try:
        check_cues(changed)
    except MusicError as error:
        raise ControlError("bad_value", str(error)) from None
    after = on_its_tempo(before, changed, now)
    film = now.film.film if now.film is not None else None
    if film is not None and any(state.in_s >= film.duration_s for state in after.cue_states):
        raise ControlError("bad_value", f"a cue begins after the film's end ({film.duration_s:g} s).")
    if after == before:
        return Edit(before, label)
    from_s = boundary_s(before, now, "bar")
    if from_s is None and not (before.other_cues or after.other_cues):
        return Edit(after, label)
    low_s, high_s = changed_span(before, after)
    return Edit(after, label, *within(after, low_s, high_s, from_s))
