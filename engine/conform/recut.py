"""One recut: the document on the old cut, what changed, the new film, and what is to become of each cue's music."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from engine.conform.changes import ChangeList
from engine.document import CueState, Document
from engine.music import Film, Section, TempoMap, marked

SAME_S: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Recut:
    """old: the document on the old cut.  policies: by the names of its cues."""

    old: Document
    changes: ChangeList
    film: Film
    policies: Mapping[str, str]

    def _base(self) -> TempoMap:
        """The old map without what cues and sections put into it."""
        old = self.old.result.tempo_map
        return TempoMap(old.tempos[:1], old.meters[:1], old.origin_s)

    @property
    def is_ours(self) -> bool:
        """Whether the old map is what the old cues and sections make of its first tempo."""
        old = self.old.result
        marks = self.old.tempo_marks(float(old.tempo_map.tempos[0].bpm))
        return old.grid == "beats" and marked(self._base(), marks, old.starts_s) == old.tempo_map

    def tempo_map(self, document: Document) -> TempoMap:
        """Of a document on the new cut; another program's stays as it is."""
        old = self.old.result
        if not self.is_ours:
            return old.tempo_map
        return marked(self._base(), document.tempo_marks(float(old.tempo_map.tempos[0].bpm)), old.starts_s)

    def policy_of(self, state: CueState) -> str:
        """The policy for a cue: as asked where its grid and tempo map allow that, else a simpler one."""
        policy = self.policies.get(state.name, "shift")
        if policy in ("bars", "beats") and self.old.result.grid != "beats":
            return "shift"
        return "bars" if policy == "beats" and not self.is_ours else policy

    def beats_of(self, number: int) -> tuple[float, float]:
        """The old beats of a cue."""
        old = self.old.result
        low_s, high_s = self.old.span_of(number)
        low = old.tempo_map.beats_at(max(low_s, 0.0) + old.starts_s)
        return low, old.tempo_map.beats_at(min(high_s, old.slots[-1].end_s) + old.starts_s)


def with_tempo(document: Document, at_s: float, bpm: float, name: str) -> Document:
    """The document with a tempo change at a picture second: a new section, or a change in the one that is there."""
    sections = {round(each.start_s, 6): each for each in document.sections}
    there = sections.get(round(at_s, 6))
    tempo = ("bpm", f"{bpm:.4f}")
    kept = () if there is None else tuple(each for each in there.changes if each[0] not in ("tempo", "bpm"))
    sections[round(at_s, 6)] = (
        Section(at_s, (tempo,), name) if there is None else replace(there, changes=(*kept, tempo))
    )
    return replace(document, sections=tuple(sections[key] for key in sorted(sections)))
