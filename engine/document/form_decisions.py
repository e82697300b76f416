"""What the composer has decided of the form of a cue: which sections are accepted, moved and named.

A section of which nothing was decided is a proposal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from engine.document.compare import plan_of
from engine.document.document import Document
from engine.music.bar_lines import bar_lines

LONGEST_NAME: Final = 64
UNNAMED: Final = "-"  # the name of a section whose name was taken away


@dataclass(frozen=True, slots=True)
class Decision:
    """bar: in which the section begins.  moved: it was proposed elsewhere.  name: the composer's, or ""."""

    bar: int
    moved: bool = False
    name: str = ""

    @property
    def word(self) -> str:
        return "moved" if self.moved else "accepted"


def decisions(document: Document) -> dict[int, Decision]:
    """The sections of the selected cue that were decided, by the bar in which they begin."""
    lines = bar_lines(document.result.tempo_map, document.result.starts_s)
    found: dict[int, Decision] = {}
    for edit in document.plan_edits:
        if edit.cue != document.cue or edit.kind not in ("border", "join"):
            continue
        known = found.pop(lines.bar_at(edit.from_s), None)
        if edit.kind == "join":
            continue
        bar = lines.bar_at(edit.to_s)
        known = known or Decision(bar)
        name = "" if edit.value == UNNAMED else edit.value or known.name
        found[bar] = replace(known, bar=bar, moved=known.moved or edit.from_s != edit.to_s, name=name)
    return found


def decision_of(document: Document, index: int) -> Decision | None:
    """What was decided of a section of the selected cue's plan; None: it is a proposal."""
    plan = plan_of(document, document.cue)
    if plan is None:
        return None
    lines = bar_lines(document.result.tempo_map, document.result.starts_s)
    return decisions(document).get(lines.bar_at(plan.sections[index].start_s))
