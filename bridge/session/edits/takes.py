"""Another take, or one that was heard before.  `takes`: by number of the cue and of the take."""

from __future__ import annotations

from dataclasses import replace

from bridge.session.edits import Edit
from bridge.session.edits.spans import cue_span
from bridge.session.now import Now, When, boundary_s
from bridge.session.steering import steered, unlike
from engine.document import Document, TakeRating
from engine.document.compare import plan_of
from engine.document.takes import TakeTable, chosen
from engine.music import Take, controls
from engine.music.arguments import ControlError
from engine.music.plan_edit import OF_FORM
from engine.process.requests import is_planned, like_of, recipe

MAX_TAKE = 999_999


def new(
    document: Document, now: Now, takes: TakeTable, when: When = "bar", like: int = 0, draws: str | None = None
) -> Edit:
    """Composes a take with a number that the cue has not had; the take before plays on up to the boundary.

    like: number of the take whose plan it has, with what was changed in it; 0: its own.  draws: of which takes its
    layers are, None: as ratings steer it.
    """
    number = max([document.take, *(number for cue, number in takes if cue == document.cue)]) + 1
    seeds = document.draws
    if not seeds.film_seed and now.film is not None and now.film.film.content_key:
        # The film decides from here on: a number that no cue has used, so that every earlier take stays.
        used = [state.take for state in document.cue_states] + [number for _, number in takes]
        number = max(number, *(each + 1 for each in used))
        seeds = seeds.begun(now.film.film.content_key, number)
    if number > MAX_TAKE:
        raise ControlError("bad_value", "there are no more take numbers.")
    numbered = replace(document, take=number, draws=seeds)
    if draws is None:
        draws = "" if like else steered(numbered, takes, number)
    return _composed(document, _fresh(numbered, like, draws), now, when)


def select(document: Document, now: Now, takes: TakeTable, number: int, when: When = "bar") -> Edit:
    """Plays a take that was heard again, note for note; composes one with another number."""
    known = takes.get((document.cue, number))
    if known is None:
        return _composed(document, _fresh(replace(document, take=number)), now, when)
    from_s = boundary_s(document, now, when)
    changed = replace(chosen(document, known), printed=document.printed, ratings=document.ratings)
    if changed.other_cues:
        changed = replace(changed, result=replace(changed.result, recipe=recipe(changed)))
    return Edit(changed, f"take {Take(number).name}", from_s, at_once=False)


def alike(document: Document, now: Now, takes: TakeTable, when: When = "bar") -> Edit:
    """Composes a take with the form, keys, players and theme of the one that plays, and other chords."""
    if not is_planned(document):
        raise ControlError("not_ready", f"this cue has no form to keep; set {controls.FORM} first.")
    return new(document, now, takes, when, like_of(document) or document.take)


def less(document: Document, now: Now, takes: TakeTable, when: When = "bar") -> Edit:
    """Composes a take whose form, players, palettes and key are not those of the one that plays."""
    if plan_of(document, document.cue) is None or not is_planned(document):
        raise ControlError("not_ready", f"this cue has no form; set {controls.FORM} first.")
    return new(document, now, takes, when, draws=unlike(document))


def rate(
    document: Document, now: Now, takes: TakeTable, number: int, *, rating: int | None = None, note: str | None = None
) -> Edit:
    """What the composer says of a take; what is None stays."""
    if (document.cue, number) not in takes and number != document.take:
        raise ControlError("bad_value", f"there is no take {number}.")
    known = document.rating_of(document.cue, number)
    said = TakeRating(
        document.cue, number, known.rating if rating is None else rating, known.note if note is None else note
    )
    label = f"rate take {Take(number).name}" if note is None else f"note on take {Take(number).name}"
    return Edit(document if said == known else document.with_rating(said), label, unheard=True)


def _fresh(document: Document, like: int = 0, draws: str = "") -> Document:
    """A take of its own has of what was changed in the plan of another only what was decided of the form."""
    changed = document.with_value(controls.LIKE, like)
    if like:  # it has the layers of that take
        return changed
    changed = changed.with_value(controls.DRAWS, draws)
    kept = (edit for edit in changed.plan_edits if edit.cue != changed.cue or edit.kind in OF_FORM)
    return replace(changed, plan_edits=tuple(kept))


def _composed(document: Document, changed: Document, now: Now, when: When) -> Edit:
    span = cue_span(changed, boundary_s(document, now, when))
    return Edit(changed, f"take {Take(changed.take).name}", *span, at_once=False)


def checked_name(name: str) -> str:
    """1 to 64 printable characters."""
    name = name.strip()
    if not 1 <= len(name) <= 64 or not name.isprintable():
        raise ControlError("bad_value", "a name is 1 to 64 printable characters.")
    return name
