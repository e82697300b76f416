"""A document as the engine is asked to compose it, and its recipe: the values that a result was composed under.

A result whose recipe is not that of its document is composed again, so what a request newly reads of a document belongs
in `recipe`, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from engine.document import CueState, Document, parse_chords, parse_key
from engine.music import EMOTIONS, Chord, Key, Slot, Take, controls
from engine.music.cueplan import Theme
from engine.music.theme_text import parse_theme
from engine.process.messages import ComposeOptions, ComposeRequest

AutoKeys = Mapping[int, tuple[Key, str]]  # by number of the cue: the key that its mood has chosen, and why

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
# What only the networks read: no note differs by it until they have answered.
NETWORK_ONLY: Final = frozenset((*RECIPE[1:], controls.PROGRESSION, controls.PROGRESSION_MODE))


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


def compose_options(document: Document) -> ComposeOptions:
    """Activity and dynamics stay the arranger's: they act within a beat there and need no network."""
    return ComposeOptions(
        adventurous=document.number_of(controls.ADVENTUROUS),
        follow_picture=document.number_of(controls.FOLLOW_PICTURE),
        dark_light=document.number_of(controls.DARK_LIGHT),
        calm_tense=document.number_of(controls.CALM_TENSE),
        affect_bias=tuple(document.number_of(controls.of_mood(name)) for name in EMOTIONS),
        harmonic_rhythm=document.text(controls.HARMONIC_RHYTHM),
        form=document.text(controls.FORM),
        ensemble=document.text(controls.ENSEMBLE),
    )


def compose_request(
    document: Document, revision: int, keep: tuple[Slot, ...], auto_keys: AutoKeys, take: int | None = None
) -> ComposeRequest:
    """keep: slots that stay, pins in place.  take: number of the draws where it is not the document's.

    Raises MusicError for a progression or key that cannot be read.
    """
    result, several = document.result, bool(document.other_cues)

    def key_of(cue: Document | CueState, number: int) -> Key | None:
        # A plan draws its keys anew from the film's seed, and may leave the first for others.
        auto = None if is_planned(document) else auto_keys.get(number)
        return parse_key(cue.text(controls.KEY)) or (None if auto is None else auto[0])

    cues = document.cues
    planned = is_planned(document)
    bar_beats = float(result.tempo_map.meter_at(0).bar_beats)
    # What is composed again in a planned cue keeps its plan: only the draws of its chords are others.
    redrawn = None if planned else take
    if several:
        cues = tuple(
            replace(
                cue,
                key=key_of(state, state.number),
                take=redrawn or cue.take,
                theme=parse_own_theme(state, bar_beats) if planned else None,
                like=like_of(state) if planned else 0,
                draws=state.text(controls.DRAWS) if planned else "",
            )
            for cue, state in zip(cues, document.cue_states, strict=True)
        )
    return ComposeRequest(
        revision=revision,
        tempo_map=result.tempo_map,
        grid=result.grid,
        picture_starts_at_s=result.starts_s,
        key=None if several else key_of(document, document.cue),
        progression=None if several else parse_chords(document),
        progression_from_s=0.0 if several else document.progression_from_s,
        take=Take(redrawn or document.take),
        pins=_pins(document),
        hits=document.hits,
        cues=cues,
        keep=numbered(keep),
        options=compose_options(document),
        film_seed=document.draws.film_seed,
        film_seed_since_take=document.draws.since_take,
        rules=document.draws.rules,
        theme=parse_own_theme(document, bar_beats) if planned and not several else None,
        like=like_of(document) if planned and not several else 0,
        plan_edits=document.plan_edits if planned else (),
        rewrite=(take or 0) if planned else 0,
        draws=document.text(controls.DRAWS) if planned and not several else "",
    )


def keys_of(document: Document) -> dict[int, tuple[Key, str]]:
    """The keys that moods chose for what a document holds, which it is composed on with."""
    result, keys = document.result, {}
    if result.slots and parse_key(document.text(controls.KEY)) is None:
        keys[document.cue] = (result.key, result.key_reason)
    chosen = {state.number for state in document.cue_states if parse_key(state.text(controls.KEY)) is None}
    return keys | {number: (key, reason) for number, key, reason in result.cue_keys if number in chosen}


def parse_own_theme(cue: Document | CueState, bar_beats: float = 4.0) -> Theme | None:
    """The composer's theme, None where takes build one.  Raises MusicError."""
    text = cue.text(controls.THEME).strip()
    return parse_theme(text, bar_beats) if text else None


def like_of(cue: Document | CueState) -> int:
    """Number of the take whose plan a cue's take has, 0: its own."""
    return int(cue.value(controls.LIKE) or 0)


def numbered(slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
    """The slots with their place in the row as index."""
    return tuple(slot if slot.index == index else replace(slot, index=index) for index, slot in enumerate(slots))


def _pins(document: Document) -> tuple[tuple[float, Chord], ...]:
    """One for each slot that a pin covers: the engine pins a chord of its own length, which may be shorter."""
    slots = [slot for slot in document.grid_slots if slot.pinned]
    if not slots:
        return tuple(((pin.start_s + pin.end_s) / 2, pin.chord) for pin in document.pins)
    return tuple(((slot.start_s + slot.end_s) / 2, slot.chord) for slot in slots)
