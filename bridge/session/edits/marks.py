"""Hits and sections.  Positions are picture seconds."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from bridge.session.edits import Edit
from bridge.session.edits.tempo import on_its_tempo
from bridge.session.now import Now, boundary_s
from engine.arrange import ArrangeOptions
from engine.document import Document
from engine.music import PARTS, Cut, Hit, Key, MusicError, Section, TimeSignature, controls
from engine.music.arguments import ControlError
from engine.music.controls import BY_ADDRESS, ROOT

SAME_S: Final = 0.02  # closer than this two marks are one
NEAR_S: Final = 0.5
MAX_MARKS: Final = 1000
SECTION_CONTROLS: Final = (*(BY_ADDRESS[each].name for each in controls.with_scope("section")), "bpm", "meter", "parts")


def add_hit(document: Document, now: Now, at_s: float, weight: str = "should", name: str = "") -> Edit:
    """Adds a hit; replaces one at the same place."""
    others = [hit for hit in document.hits if abs(hit.time_s - at_s) > SAME_S]
    return _with_hits(document, now, [*others, Hit(at_s, weight, name)], f"hit {name or format(at_s, '.2f')}")


def remove_hit(document: Document, now: Now, at_s: float) -> Edit:
    """Deletes the nearest hit within half a second."""
    nearest = _hit_at(document, at_s)
    return _with_hits(document, now, [hit for hit in document.hits if hit is not nearest], "no hit")


def change_hit(
    document: Document,
    now: Now,
    at_s: float,
    *,
    to_s: float | None = None,
    weight: str | None = None,
    name: str | None = None,
) -> Edit:
    """Moves the nearest hit within half a second, or changes its weight or name; what is None stays."""
    hit = _hit_at(document, at_s)
    changed = Hit(
        hit.time_s if to_s is None else to_s, hit.weight if weight is None else weight,
        hit.name if name is None else name,
    )  # fmt: skip
    if changed == hit:
        return Edit(document, "hit")
    others = [each for each in document.hits if each is not hit]
    if any(abs(each.time_s - changed.time_s) <= SAME_S for each in others):
        raise ControlError("bad_value", f"there is a hit at {changed.time_s:.2f} s already.")
    what = "move hit" if to_s is not None else "hit"
    label = f"{what} {changed.name or format(changed.time_s, '.2f')}"
    return _with_hits(document, now, [*others, changed], label)


def _hit_at(document: Document, at_s: float) -> Hit:
    """The nearest hit within half a second."""
    nearest = min(document.hits, key=lambda hit: abs(hit.time_s - at_s), default=None)
    if nearest is None or abs(nearest.time_s - at_s) > NEAR_S:
        raise ControlError("bad_value", f"there is no hit at {at_s:.2f} s.")
    return nearest


def change_hits(document: Document, now: Now, gone: Collection[tuple[float, str]], hits: Sequence[Hit]) -> Edit:
    """Deletes hits (second, name) and adds others, which replace those at the same places, in one step."""
    times = sorted([hit.time_s for hit in hits])

    def stays(hit: Hit) -> bool:
        near = times[bisect_left(times, hit.time_s - SAME_S) : bisect_right(times, hit.time_s + SAME_S)]
        return not near and not any(abs(hit.time_s - at_s) < SAME_S and hit.name == name for at_s, name in gone)

    left = [hit for hit in document.hits if stays(hit)]
    what = hits[0].name if len(hits) == 1 else f"{len(hits)} hits"
    label = f"hit {what}" if len(hits) == 1 else what if hits else "no hit"
    return _with_hits(document, now, [*left, *hits], label)


def cuts_without_hit(document: Document, now: Now, strength: float) -> list[Cut]:
    """The cuts of at least this strength at which there is no hit."""
    cuts = [cut for cut in (now.film.cuts if now.film is not None else ()) if cut.strength >= strength]
    taken = sorted(hit.time_s for hit in document.hits)
    return [cut for cut in cuts if not is_near(taken, cut.time_s)]


def is_near(ordered_s: Sequence[float], at_s: float) -> bool:
    """Whether one of these seconds is the same place.  A film may have a thousand of them."""
    index = bisect_left(ordered_s, at_s)
    return any(abs(at_s - each_s) <= SAME_S for each_s in ordered_s[max(index - 1, 0) : index + 1])


def accept_cuts(document: Document, now: Now, strength: float, weight: str = "should") -> Edit:
    """Makes hits of the cuts of at least this strength."""
    fresh = cuts_without_hit(document, now, strength)
    hits = [*document.hits, *(Hit(cut.time_s, weight, f"cut {cut.time_s:.2f}") for cut in fresh)]
    return _with_hits(document, now, hits, "cuts as hits")


def _with_hits(document: Document, now: Now, hits: Sequence[Hit], label: str) -> Edit:
    if len(hits) > MAX_MARKS:
        raise ControlError("bad_value", f"there are more than {MAX_MARKS} hits.")
    ordered = tuple(sorted(hits, key=lambda hit: hit.time_s))
    return _bar_edit(document, now, replace(document, hits=ordered), label)


def add_section(
    document: Document, now: Now, from_s: float, changes: str, name: str = "", breath: bool = False
) -> Edit:
    """From a position on, controls have other values; replaces a section at the same place."""
    section = Section(from_s, parse_changes(changes), name, breath)
    others = [each for each in document.sections if abs(each.start_s - from_s) > SAME_S]
    if len(others) >= MAX_MARKS:
        raise ControlError("bad_value", f"there are more than {MAX_MARKS} sections.")
    ordered = tuple(sorted((*others, section), key=lambda each: each.start_s))
    return _bar_edit(document, now, replace(document, sections=ordered), f"section {name}".strip())


def remove_section(document: Document, now: Now, at_s: float) -> Edit:
    """Deletes the section that plays at a position."""
    here = _section_at(document, at_s)
    left = tuple(each for each in document.sections if each is not here)
    return _bar_edit(document, now, replace(document, sections=left), "no section")


def move_section(document: Document, now: Now, from_s: float, to_s: float) -> Edit:
    """Lets a section (the one that plays at from_s) begin elsewhere; it may not pass another."""
    here, sections = _section_at(document, from_s), document.sections
    index = sections.index(here)
    low = sections[index - 1].start_s + SAME_S if index else 0.0
    high = sections[index + 1].start_s - SAME_S if index + 1 < len(sections) else float("inf")
    if not low <= to_s <= high:
        until = f" and {high:.2f} s" if high < float("inf") else ""
        raise ControlError("bad_value", f"the section stays between {low:.2f} s{until}, where another begins.")
    if to_s == here.start_s:
        return Edit(document, "move section")
    moved = tuple(replace(each, start_s=to_s) if each is here else each for each in sections)
    return _bar_edit(document, now, replace(document, sections=moved), f"move section {here.name}".strip())


def rename_section(document: Document, now: Now, at_s: float, name: str) -> Edit:
    """Gives the section that plays at a position another name; no note changes."""
    here = _section_at(document, at_s)
    if here.name == name:
        return Edit(document, "section name")
    named = tuple(replace(each, name=name) if each is here else each for each in document.sections)
    return Edit(replace(document, sections=named), f"section {name}".strip())


def merge_sections(document: Document, now: Now, at_s: float) -> Edit:
    """Lets the section that plays at a position go on over the next one."""
    here = _section_at(document, at_s)
    index = document.sections.index(here) + 1
    if index >= len(document.sections):
        raise ControlError("bad_value", "no section follows to be merged with.")
    left = (*document.sections[:index], *document.sections[index + 1 :])
    return _bar_edit(document, now, replace(document, sections=left), "merge sections")


def _section_at(document: Document, at_s: float) -> Section:
    here = [each for each in document.sections if each.start_s <= at_s + SAME_S]
    if not here:
        raise ControlError("bad_value", f"no section plays at {at_s:.2f} s.")
    return here[-1]


def _bar_edit(document: Document, now: Now, changed: Document, label: str) -> Edit:
    """An edit that concerns the chords, from the next bar on while the playhead moves."""
    from_s = boundary_s(document, now, "bar")
    return Edit(on_its_tempo(document, changed, now), label, from_s)


def parse_changes(text: str) -> tuple[tuple[str, str], ...]:
    """`activity=40; pattern=up` (or spaces between them).  Raises ControlError."""
    pieces = text.split(";") if ";" in text else re.findall(r"\S+", text)
    changes = []
    for piece in pieces:
        if not piece.strip():
            continue
        name, equals, value = (each.strip() for each in piece.partition("="))
        if not equals or name not in SECTION_CONTROLS:
            known = ", ".join(SECTION_CONTROLS)
            raise ControlError("bad_value", f"'{piece.strip()[:40]}' changes nothing; write name=value of {known}.")
        _check_change(name, value)
        changes.append((name, value))
    if not changes:
        raise ControlError("bad_value", "a section changes at least one control.")
    return tuple(changes)


def _check_change(name: str, value: str) -> None:
    try:
        if name == "key":
            Key.parse(value)
        elif name == "meter":
            TimeSignature.parse(value)
        elif name == "pattern":
            ArrangeOptions(pattern=value)
        elif name == "parts":
            for part in value.replace(",", " ").split():
                if part not in PARTS:
                    raise MusicError(f"'{part}' is not a part; parts are {', '.join(PARTS)}.")
        else:
            argument = BY_ADDRESS[controls.TEMPO if name == "bpm" else f"{ROOT}/{name}"].arguments[0]
            argument.check(value if value in argument.words else float(value))
    except MusicError as error:
        raise ControlError("bad_value", str(error)) from None
    except ValueError:
        raise ControlError("bad_value", f"'{value[:40]}' is not a value of {name}.") from None
