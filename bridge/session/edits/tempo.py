"""Tempo, bar 1 and the picture's start.  Chords keep their picture time when the tempo changes.

Positions are picture seconds unless they say timeline.
"""

from __future__ import annotations

from dataclasses import replace

from bridge.session.edits import Edit
from bridge.session.edits.spans import cue_span
from bridge.session.now import Now, boundary_s
from bridge.session.tempo import brief_of, choose_tempo, refit
from engine.arrange.tempofit import Search, TempoFitOptions
from engine.brief import Brief
from engine.document import Document, TempoChoice
from engine.music import Hit, MusicError, TempoMap, controls, marked
from engine.music.arguments import ControlError
from engine.music.controls import BY_ADDRESS
from engine.music.picture_start import PictureStart


def set_tempo(document: Document, now: Now, bpm: float) -> Edit:
    """Quarter notes a minute; 0: the tempo that suits the cuts."""
    _check_settable(document, now)
    changed = on_its_tempo(document, document.with_value(controls.TEMPO, bpm), now, always=True)
    return _bar_edit(document, now, changed, controls.TEMPO)


def set_bar_1(document: Document, now: Now, where: float | str) -> Edit:
    """Bar 1 of the selected cue: a picture second, `in`, or `timeline` (the bars of the timeline)."""
    if document.value(controls.BAR_1) == where:
        return Edit(document, BY_ADDRESS[controls.BAR_1].label)
    if where != "timeline":
        _check_settable(document, now)
    return _bar_edit(
        document, now, on_its_tempo(document, document.with_value(controls.BAR_1, where), now), controls.BAR_1
    )


def set_picture_start(document: Document, now: Now, text: str) -> Edit:
    """Where the film's first frame lies on the timeline: seconds, timecode or bar|beat."""
    changed = document.with_value(controls.PICTURE_STARTS_AT, text)
    label = BY_ADDRESS[controls.PICTURE_STARTS_AT].label
    if changed == document:
        return Edit(document, label)
    return Edit(on_its_tempo(document, changed, now, always=True), label)


def _bar_edit(document: Document, now: Now, changed: Document, address: str) -> Edit:
    from_s = boundary_s(document, now, "bar") if now.film is not None else None
    if address == controls.BAR_1:
        return Edit(changed, BY_ADDRESS[address].label, *cue_span(changed, from_s), merge=True)
    return Edit(changed, BY_ADDRESS[address].label, from_s, merge=True)


def _check_settable(document: Document, now: Now) -> None:
    if document.result.grid == "seconds":
        raise ControlError("not_ready", "the seconds grid has no tempo.")
    if now.timing.source not in ("map", ""):
        raise ControlError("not_ready", f"the tempo comes from the DAW ({now.timing.source}).")


# which map ------------------------------------------------------------------------------------------------------------
def on_its_tempo(before: Document, changed: Document, now: Now, *, always: bool = False) -> Document:
    """A changed document on the tempo map that its cues and sections ask for; itself where none of that has changed.

    always: also where they ask for the same as before.  Raises ControlError.
    """
    if now.film is None:
        return changed
    if not always:
        same = changed.tempo_marks() == before.tempo_marks() and _first_tempo(changed) == _first_tempo(before)
        if same or not _is_ours(changed, now):
            return changed
    try:
        return on_map(changed, choice_of(changed, now), now)
    except MusicError as error:
        raise ControlError("bad_value", str(error)) from None


def on_its_clock(document: Document, now: Now) -> Document:
    """The document where the label at which its picture starts lies on the project's clock.

    Raises ControlError for a label that this clock has not.
    """
    if now.film is None or PictureStart.parse(document.text(controls.PICTURE_STARTS_AT)).label is None:
        return document
    try:
        return on_map(document, choice_of(document, now), now)
    except MusicError as error:
        raise ControlError("bad_value", str(error)) from None


def on_map(document: Document, choice: TempoChoice, now: Now) -> Document:
    """The document on another tempo map: chords keep their picture time, beats and bars are the map's."""
    assert now.film is not None
    starts_s, grid = choice.picture_starts_at_s, choice.grid
    fit = refit if now.refits is None else now.refits.refit
    slots = fit(document.result.slots, grid, choice.tempo_map, now.film.film.duration_s, starts_s)
    result = replace(document.result, slots=slots, tempo_map=choice.tempo_map, grid=grid, starts_s=starts_s)
    return replace(document, result=result)


def choice_of(document: Document, now: Now) -> TempoChoice:
    """The tempo map and grid of a document: the DAW's, the one asked for, or the best for the cuts; with the bars and
    tempi of its cues and sections where the map is our own.  Raises MusicError."""
    assert now.film is not None
    film, cuts = now.film.film, now.film.cuts
    asked = asked_of(document, now)
    daw_map = now.timing.daw_map
    if daw_map is not None and asked.grid != "seconds":
        choice = choose_tempo(replace(asked, tempo_map=daw_map, bpm=None), film, cuts)
        return replace(choice, reason="tempo of the DAW.")
    choice = choose_tempo(asked, film, cuts)
    if not _is_ours(document, now) or choice.grid == "seconds":
        return choice
    film_bpm = 0.0
    if document.other_cues:
        film_bpm = choose_tempo(_asked(document, now, 0.0), film, cuts).tempo_map.bpm_at(0.0)
    marks = document.tempo_marks(film_bpm)
    return replace(choice, tempo_map=marked(choice.tempo_map, marks, choice.picture_starts_at_s))


def choice_as_asked(document: Document, now: Now) -> TempoChoice:
    """The choice before a DAW's map and without what cues and sections ask for.  Raises MusicError."""
    assert now.film is not None
    return choose_tempo(asked_of(document, now), now.film.film, now.film.cuts)


def choice_of_daw(document: Document, now: Now, tempo_map: TempoMap) -> TempoChoice:
    """The choice where a DAW's script or clock gives the map.  Raises MusicError."""
    assert now.film is not None
    asked = replace(asked_of(document, now), tempo_map=tempo_map, bpm=None, grid="beats")
    return choose_tempo(asked, now.film.film, now.film.cuts)


def asked_of(document: Document, now: Now) -> Brief:
    """What was asked of time: by the document, else by the command line."""
    return _asked(document, now, _first_tempo(document))


def _asked(document: Document, now: Now, bpm: float) -> Brief:
    asked = brief_of(document, now.timing.asked)
    return replace(asked, bpm=bpm, tempo_map=None) if bpm else asked


def _is_ours(document: Document, now: Now) -> bool:
    """Whether the tempo map is our own, so that cues and sections may put their tempo and bars into it."""
    given = now.timing.asked.tempo_map is not None and not _first_tempo(document)
    return now.timing.daw_map is None and not given


def _first_tempo(document: Document) -> float:
    return document.cue_states[0].number_of(controls.TEMPO)


# finding one ----------------------------------------------------------------------------------------------------------
def search(
    document: Document,
    now: Now,
    low_bpm: float = 70.0,
    high_bpm: float = 140.0,
    kind: str = "fixed",
    percent: float = 4.0,
) -> Search:
    """To look for tempi, ramps or odd bars that meet the hits best, or the cuts where no hit is set.

    Raises ControlError.
    """
    if now.film is None:
        raise ControlError("not_ready", "the film is not known yet.")
    hits = document.hits or tuple(Hit(cut.time_s) for cut in now.film.cuts)
    result = document.result
    try:
        options = TempoFitOptions(
            low_bpm,
            high_bpm,
            step_bpm=0.1 if kind == "fixed" else 0.5,
            meter=result.tempo_map.meter_at(0),
            bar_1_s=result.tempo_map.seconds_at(0.0) - result.starts_s,
            curve_percent=percent,
            count=8,
        )
    except MusicError as error:
        raise ControlError("bad_value", str(error)) from None
    return Search(hits, now.film.film.rate, options, kind)
