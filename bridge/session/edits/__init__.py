"""Edits: pure functions (Document, Now, …) -> Edit.

They decide; `Session.apply` does.  Each raises ControlError for what cannot be done, and then nothing has changed.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.document import Document


@dataclass(frozen=True, slots=True)
class Edit:
    """A new document, and from where it is heard.  Positions are picture seconds.

    from_s: where new chords begin, None: at the film's beginning.  The document holds such places (a progression
    begins somewhere), so the edit resolves them and not whoever applies it.
    until_s: where the old chords go on, None: nowhere.
    at_once: what needs no new chords is heard before from_s; else what plays stays as it is up to there.
    merge: one more move of a fader, not a step of its own in the history.
    heard_s: where the change is heard, if later than from_s says: a pinned chord's beginning.
    take: number of the draws for a range that is composed again; the document stays as it is until then.
    chords_stay: the engine makes the plan anew, no chord.
    unheard: nothing sounds or is composed differently.
    """

    document: Document
    label: str
    from_s: float | None = None
    until_s: float | None = None
    at_once: bool = True
    merge: bool = False
    heard_s: float | None = None
    take: int | None = None
    chords_stay: bool = False
    unheard: bool = False
