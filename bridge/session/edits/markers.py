"""Taking what the markers of a picture's editor become: cues, sections and hits in one step."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from bridge.session.edits import Edit
from bridge.session.edits.marks import MAX_MARKS, is_near
from bridge.session.edits.tempo import on_its_tempo
from bridge.session.now import Now, boundary_s
from engine.document import MAX_CUES, CueState, Document, Value, check_cues
from engine.interchange.rules import Mapped, Mapping
from engine.music import Hit, MusicError, Section, controls
from engine.music.arguments import ControlError


def load(document: Document, now: Now, number: int, mapping: Mapping) -> Edit:
    """Adds what the markers became.  number: the first of those that no cue has or had.

    A cue of the same name moves; the first one takes the place of a cue over the whole film.  A hit or section of the
    same name moves, where the name is the only one of its kind on both sides, so that a newer list of the same editor
    corrects the older; one at the same place is replaced.
    """
    changed = _with_cues(document, number, mapping.of("cue"))
    hits = _merged(changed.hits, mapping.hits)
    sections = _merged_sections(changed.sections, mapping.sections)
    if len(hits) > MAX_MARKS or len(sections) > MAX_MARKS:
        raise ControlError("bad_value", f"there would be more than {MAX_MARKS} hits or sections.")
    changed = replace(changed, hits=hits, sections=sections)
    label = f"markers {mapping.source}"
    if changed == document:
        return Edit(document, label)
    try:
        check_cues(changed)
    except MusicError as error:
        raise ControlError("bad_value", str(error)) from None
    return Edit(on_its_tempo(document, changed, now), label, boundary_s(document, now, "bar"))


def _with_cues(document: Document, number: int, rows: tuple[Mapped, ...]) -> Document:
    if not rows:
        return document
    states = {state.number: state for state in document.cue_states}
    by_name = {state.name: state for state in states.values()}
    if not document.other_cues and document.selected.is_default:
        by_name = {rows[0].name: document.selected}  # the whole film becomes the first of them
    for row in rows:
        known = by_name.get(row.name)
        if known is None:
            known = CueState(number, {})
            number += 1
        settings: dict[str, Value] = {**known.settings, controls.NAME: row.name, controls.IN: row.start_s}
        settings.setdefault(controls.BAR_1, "in")
        if row.out_s is None:
            settings.pop(controls.OUT, None)
        else:
            settings[controls.OUT] = row.out_s
        plain = {address: value for address, value in settings.items() if value != controls.SETTINGS[address]}
        states[known.number] = replace(known, settings=plain)
    if len(states) > MAX_CUES:
        raise ControlError("bad_value", f"there would be more than {MAX_CUES} cues.")
    return document.with_cues(tuple(states.values()), document.cue)


def _merged(old: tuple[Hit, ...], new: tuple[Hit, ...]) -> tuple[Hit, ...]:
    moved, taken = _moved([each.name for each in old], [each.name for each in new]), sorted(e.time_s for e in new)
    left = [each for each in old if each.name not in moved and not is_near(taken, each.time_s)]
    return tuple(sorted((*left, *new), key=lambda each: each.time_s))


def _merged_sections(old: tuple[Section, ...], new: tuple[Section, ...]) -> tuple[Section, ...]:
    names, taken = _moved([each.name for each in old], [each.name for each in new]), sorted(e.start_s for e in new)
    moved = {each.name: each for each in old if each.name in names}
    left = [each for each in old if each.name not in moved and not is_near(taken, each.start_s)]
    # A section that only moves keeps what the composer made it change.
    kept = [
        replace(moved[each.name], start_s=each.start_s) if each.name in moved and not each.changes else each
        for each in new
    ]
    return tuple(sorted((*left, *kept), key=lambda each: each.start_s))


def _moved(old: list[str], new: list[str]) -> set[str]:
    """Names that stand once on both sides."""
    there, coming = Counter(old), Counter(new)
    return {name for name in coming if name and there[name] == 1 == coming[name]}
