"""What a document was composed under: a result that was composed under other values is not its own."""

from __future__ import annotations

from typing import Final

from engine.document.document import Document
from engine.music import EMOTIONS, controls

# What the networks are asked by, of the film and of each cue.
RECIPE: Final = (
    controls.HARMONIC_RHYTHM,
    controls.DARK_LIGHT,
    controls.CALM_TENSE,
    *(controls.of_mood(name) for name in EMOTIONS),
    controls.FOLLOW_PICTURE,
    controls.ADVENTUROUS,
)
CUE_RECIPE: Final = (
    controls.PROGRESSION,
    controls.PROGRESSION_MODE,
    controls.KEY,
    controls.IN,
    controls.OUT,
    controls.BAR_1,
)


def recipe(document: Document) -> tuple[object, ...]:
    """Everything that the networks are asked by, whichever cue is selected."""
    marks = [f"{hit.time_s:.6f} {hit.weight}" for hit in document.hits]
    marks += [f"{section.start_s:.6f} {section.changes}" for section in document.sections]
    cues = [(cue.number, cue.take, cue.progression_from_s, *map(cue.value, CUE_RECIPE)) for cue in document.cue_states]
    # Sessions from before there were plans say nothing of them, and are as they were.
    plan: tuple[object, ...] = ()
    if is_planned(document):
        plan = (document.text(controls.FORM), document.text(controls.ENSEMBLE))
        themes = [(cue.number, cue.text(controls.THEME), cue.value(controls.LIKE)) for cue in document.cue_states]
        if any(theme or like for _, theme, like in themes):
            plan = (*plan, *(value for cue in themes for value in cue))
        endings = [cue.text(controls.ENDING) for cue in document.cue_states]
        if any(ending != controls.SETTINGS[controls.ENDING] for ending in endings):
            plan = (*plan, *endings)
        plan = (*plan, *(edit.words for edit in document.plan_edits))
        draws = [cue.text(controls.DRAWS) for cue in document.cue_states]
        if any(draws):
            plan = (*plan, "draws", *draws)
    return (*map(document.value, RECIPE), "; ".join(marks), *(value for cue in cues for value in cue), *plan)


def is_planned(document: Document) -> bool:
    """Whether its cues have a form, or are one stretch that the network alone composes."""
    return document.text(controls.FORM) != "none"
