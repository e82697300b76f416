"""From a document to what is to be arranged, and to its notes: the same for `live` and for `compose SESSION.json`.

Positions are beats (quarter notes) of the composition's tempo map unless they say seconds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from engine.arrange.arranger import Arranger
from engine.arrange.changes import ChangeOptions, place_changes
from engine.arrange.expression import film_levels
from engine.arrange.options import (
    Arrangement,
    ArrangeOptions,
    ArrangeState,
    FixedVoicing,
    PlayedVoicing,
    from_settings,
)
from engine.arrange.sections import check_change
from engine.document import Document, SavedSession, SessionError
from engine.document.printed import muted
from engine.document.takes import EVER, NO_TAKES, KeptRange, TakeTable, kept_ranges
from engine.music import PARTS, Composition, Controller, Cut, Film, FilmLevels, Note, Take, UserError, controls
from engine.music.controls import of_part
from engine.music.picture_start import PictureStart
from engine.music.timecode import FrameRate, TimecodeClock


@dataclass(frozen=True, slots=True)
class Score:
    """What is to be arranged.  composed: without pins; pinned: with them (the same object where there are none).

    shifts: semitones by part.  complete: no more slots will come.  kept: kept takes, played as they are.
    """

    composed: Composition
    pinned: Composition
    options: ArrangeOptions
    shifts: Mapping[str, int]
    complete: bool
    kept: tuple[KeptRange, ...] = ()

    @property
    def all_kept(self) -> bool:
        """One kept take is the whole film: nothing has to be arranged."""
        if len(self.kept) != 1 or self.kept[0].part:
            return False
        return self.kept[0].low_beats <= -EVER and self.kept[0].high_beats >= EVER


def build_score(
    document: Document,
    film: Film,
    cuts: Sequence[Cut],
    levels: FilmLevels,
    takes: TakeTable = NO_TAKES,
    *,
    is_stretch: bool = False,
) -> Score:
    """A document as the arranger takes it.

    takes: what may be kept of them.  is_stretch: its slots are a stretch of a complete film, so that chords are put on
    hits and cuts in it already.  Raises MusicError where settings do not go together.
    """
    result = document.result
    composed = Composition(
        revision=0,
        film=film,
        tempo_map=result.tempo_map,
        slots=result.slots,
        key=result.key,
        grid=result.grid,
        picture_starts_at_s=result.starts_s,
        cues=document.cues,
        cuts=tuple(cuts),
        hits=document.hits,
        take=Take(document.take),
        draws=document.draws,
        key_reason=result.key_reason,
        typed=document.typed,
        plans=result.plans,
    )
    where = document.text(controls.CHORDS_ON_CUTS)
    if (result.complete or is_stretch) and (where in ("strong", "all") or (where == "hits" and document.hits)):
        composed = _with_chords_on(composed, ChangeOptions(document.text(controls.HARMONIC_RHYTHM), where))
    pinned = composed
    if document.pins:
        pinned = replace(composed, slots=document.with_pins(document.cut(composed.slots)))
    options, shifts = from_settings(document.settings, levels), part_shifts(document)
    if any(pin.voicing for pin in document.pins):
        options = replace(options, played_voicings=_played(document))
    return Score(composed, pinned, options, shifts, result.complete, kept_ranges(takes, document))


@lru_cache(maxsize=4)
def _with_chords_on(composition: Composition, options: ChangeOptions) -> Composition:
    """The composition whose chords change on the sixteenths nearest to hits, or cuts too.

    Placed before pins are put in, so that a pin moves no other chord; remembered, since a long film takes a second and
    every move of a fader asks again.
    """
    return place_changes(composition, options)


def _played(document: Document) -> tuple[PlayedVoicing, ...]:
    """The voicings of pins that were played."""
    beats_at, starts_s = document.result.tempo_map.beats_at, document.result.starts_s
    return tuple(
        PlayedVoicing(beats_at(pin.start_s + starts_s), beats_at(pin.end_s + starts_s), pin.chord, pin.voicing)
        for pin in document.pins
        if pin.voicing
    )


def part_shifts(document: Document) -> dict[str, int]:
    """Semitones by part; drums stay."""
    return {part: int(document.number_of(of_part(part, "transpose"))) for part in PARTS if part != "drums"}


def session_score(saved: SavedSession) -> Score:
    """What a saved session plays: the document in force with its kept takes, pins and cues.

    Raises UserError where nothing is composed.
    """
    document = saved.steps[saved.index].document
    result = document.result
    if not result.slots:
        raise UserError("nothing is composed in this session yet.")
    levels = result.levels or film_levels(result.slots)
    takes: TakeTable = {(each.cue, each.number): each.take for each in saved.takes}
    return build_score(document, saved.reading.film, saved.reading.cuts, levels, takes)


def session_arrangement(saved: SavedSession, *, printed: bool = False) -> tuple[Composition, Arrangement]:
    """What a saved session plays, and its notes.

    printed: with the ranges that were printed into the DAW, which `live` leaves to it.  Raises UserError.
    """
    score = session_score(saved)
    made = arrange_whole(score)
    if not printed:
        document = saved.steps[saved.index].document
        notes, curves = muted(made.notes, made.controllers, document.printed)
        made = replace(made, notes=notes, controllers=curves)
    return score.pinned, made


def check_playable(saved: SavedSession) -> SavedSession:
    """The session, if the settings of each of its steps and takes go together.  Raises SessionError."""
    documents = [step.document for step in saved.steps] + [
        each.take.document for each in (*saved.takes, *saved.takes_aside)
    ]
    for document in documents:
        try:
            from_settings(document.settings)
            rate = document.text(controls.FRAME_RATE)
            start = PictureStart.parse(document.text(controls.PICTURE_STARTS_AT))
            if rate != "film":
                start.check(TimecodeClock(FrameRate.parse(rate), stated=True))
            for section in document.sections:
                for name, value in section.changes:
                    check_change(name, value)
        except UserError as error:
            raise SessionError(f"the session is damaged: {str(error)[:160].rstrip('.')}.") from None
    return saved


@dataclass(frozen=True, slots=True)
class KeptPiece:
    """Of a kept take: like an Arrangement, but nothing was arranged."""

    notes: tuple[Note, ...]
    controllers: tuple[Controller, ...]
    state: None = None
    voicings: tuple[FixedVoicing, ...] = ()


def kept_between(kept: KeptRange, start: float, end: float) -> KeptPiece:
    # Found by halving: a long film asks a thousand times of a hundred thousand notes.
    notes, changes = kept.notes, kept.controllers
    first, last = (bisect_left(notes, beats, key=lambda note: note.start_beats) for beats in (start, end))
    low, high = (bisect_left(changes, beats, key=lambda each: each.time_beats) for beats in (start, end))
    return KeptPiece(notes[first:last], changes[low:high])


def with_kept(made: Arrangement, ranges: tuple[KeptRange, ...], start: float, end: float) -> Arrangement:
    """What was arranged between two beats, with kept takes in their place, then locks."""
    for kept in ranges:
        low, high = max(kept.low_beats, start), min(kept.high_beats, end)
        if low >= high:
            continue
        theirs = kept_between(kept, low, high)
        part = kept.part
        notes = [n for n in made.notes if (part and n.part != part) or not low <= n.start_beats < high]
        curves = [c for c in made.controllers if (part and c.part != part) or not low <= c.time_beats < high]
        made = replace(
            made,
            notes=tuple(sorted((*notes, *theirs.notes), key=lambda note: note.start_beats)),
            controllers=tuple(sorted((*curves, *theirs.controllers), key=lambda each: each.time_beats)),
        )
    return _beside_locks(made, ranges)


def _beside_locks(made: Arrangement, ranges: tuple[KeptRange, ...]) -> Arrangement:
    """Notes around a lock give way where they would sound in one pitch with a note of it."""
    for lock in ranges:
        if not lock.part:
            continue
        notes = []
        for note in made.notes:
            near = note.part == lock.part and note.end_beats > lock.low_beats
            if not near or lock.low_beats <= note.start_beats < lock.high_beats:
                notes.append(note)
                continue
            same = [held for held in lock.notes if held.pitch == note.pitch]
            start = max(
                (held.end_beats for held in same if held.start_beats <= note.start_beats < held.end_beats),
                default=note.start_beats,
            )
            end = min(
                (held.start_beats for held in same if start <= held.start_beats < note.end_beats),
                default=note.end_beats,
            )
            if end - start > 1e-6:
                notes.append(replace(note, start_beats=start, length_beats=end - start))
        if notes != list(made.notes):
            made = replace(made, notes=tuple(sorted(notes, key=lambda note: note.start_beats)))
    return made


def arrange_whole(score: Score, state: ArrangeState | None = None) -> Arrangement:
    """The same music in one go; for files.  state: of what comes before its first slot, where it is a stretch."""
    options = score.options
    if score.pinned is not score.composed:
        options = replace(options, fixed_voicings=fixed_around_pins(score, state))
    begin = score.pinned.slots[0].start_beats if state is not None else None
    made = shifted(Arranger(score.pinned, options, complete=score.complete).arrange(begin, None, state), score.shifts)
    return with_kept(made, score.kept, -EVER, EVER)


def fixed_around_pins(score: Score, state: ArrangeState | None = None) -> tuple[FixedVoicing, ...]:
    """The unpinned music's voicings: they hold wherever the chord is still the same, so only a pinned one is voiced
    anew, between neighbours that stay."""
    begin = score.composed.slots[0].start_beats if state is not None else None
    arranger = Arranger(score.composed, score.options, complete=score.complete)
    return arranger.arrange(begin, None, state).voicings


def shifted(made: Arrangement, shifts: Mapping[str, int]) -> Arrangement:
    if not any(shifts.values()):
        return made
    return replace(made, notes=tuple(_shift(note, shifts.get(note.part, 0)) for note in made.notes))


def _shift(note: Note, semitones: int) -> Note:
    pitch = note.pitch + semitones
    while pitch > 127:
        pitch -= 12
    while pitch < 0:
        pitch += 12
    return replace(note, pitch=pitch) if semitones else note
