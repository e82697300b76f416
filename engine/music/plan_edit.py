"""What a composer changes in the plan of a cue: plain data, kept, and done again when the plan is drawn anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.music.errors import MusicError

# busier, simpler: more or less of everything.  only: these parts and no others.  melody: another theme, same chords.
# state, silent: a statement of the theme begins here, or none does.  move: the one that sounds here begins there.
# border, join: of the form: a section that begins here begins there, or goes up in the one before it.
PLAN_EDITS: Final = ("busier", "simpler", "only", "melody", "state", "silent", "move", "border", "join")
KEEPS_CHORDS: Final = frozenset({"busier", "only", "melody", "state", "silent", "move"})
OF_FORM: Final = frozenset({"border", "join"})  # what the composer decided of the form, which new takes keep
MOST: Final = 200  # of one session


@dataclass(frozen=True, slots=True)
class PlanEdit:
    """One change.  cue: number of the cue.  from_s, to_s: picture seconds; it concerns the sections that begin there.

    Of `move` and `border` from_s is the old place and to_s the new one.
    value: of `only` the parts ("bass,pad"), of `state` the kind of statement, of `border` the section's name.  number:
    which draws, where it draws.
    """

    kind: str
    cue: int
    from_s: float
    to_s: float
    value: str = ""
    number: int = 0

    def __post_init__(self) -> None:
        if self.kind not in PLAN_EDITS:
            raise MusicError(f"'{self.kind}' is not a change to a plan; there are {', '.join(PLAN_EDITS)}.")

    @property
    def words(self) -> str:
        """All of it in one word, to tell whether a composition was made with it."""
        return f"{self.kind} {self.cue} {self.from_s:.4f} {self.to_s:.4f} {self.value} {self.number}"
