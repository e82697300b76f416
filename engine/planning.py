"""The plans of a request's cues: from the film's rows and what was asked to what each cue is made of.

`plans_of` is what composing asks for; `settle_take` chooses tempo and meter of a take where nobody said them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Final

from engine.arrange.chance import noise
from engine.arrange.ensembles import ensembles
from engine.form.edits import edited
from engine.form.picture import PictureCurves, curves
from engine.form.planner import Drawn, PlanWish, choose_tempo, draw_cue, meter_of, settle_bars
from engine.form.spotting import LEAST_FILM_S, propose_cues
from engine.harmony.cells import CellChooser, UnitGrid
from engine.harmony.key_finding import key_of
from engine.harmony.mood import bias_affect
from engine.harmony.palettes import Cell, palettes
from engine.music import Cue, Draws, Key, Progression, TempoMap, TempoMark, TimeSignature, UserError, marked
from engine.music import film_seed as drawn_seed
from engine.music.bar_lines import bar_lines
from engine.music.cueplan import CUE_ENDINGS, ENSEMBLES, FORMS, CuePlan, Theme
from engine.music.marks import section_marks
from engine.music.take_draws import parse_draws
from engine.process.messages import ComposeOptions, ComposeRequest, Proposal
from engine.theme import build_theme
from engine.video import VideoFeatures

_UNITS: Final = {"half": 0.5, "1": 1.0, "2": 2.0, "4": 4.0}
_ENDINGS: Final = {"open": "unresolved", "cut": "bump", "tonic": ""}


@dataclass(frozen=True, slots=True)
class Planned:
    """The plans of a request, one a cue, with what chooses their chords."""

    plans: tuple[CuePlan, ...]
    choosers: dict[int, CellChooser]
    grids: dict[int, UnitGrid]

    def unit_of(self) -> dict[int, Callable[[float], int]]:
        """For each cue, the number of the unit that a beat lies in."""

        def numbered(grid: UnitGrid) -> Callable[[float], int]:
            def number(beats: float) -> int:
                section, unit = grid.place(beats)
                return section * 100_000 + unit

            return number

        return {cue: numbered(grid) for cue, grid in self.grids.items()}

    def of(self, cue: int) -> CuePlan | None:
        return next((plan for plan in self.plans if plan.cue == cue), None)


def check(options: ComposeOptions) -> None:
    """Raises UserError for a form, ensemble or ending that there is not."""
    for what, value, known in (
        ("form", options.form, ("auto", "none", *FORMS)),
        ("ensemble", options.ensemble, ("auto", *ENSEMBLES)),
        ("ending", options.ending, ("auto", *CUE_ENDINGS)),
    ):
        if value not in known:
            raise UserError(f"'{value}' is not a {what}; known are {', '.join(known)}.")


def film_seed(features: VideoFeatures, request: ComposeRequest) -> int:
    """What a film's draws hang on: what the session stored, else drawn from the film's content."""
    return draws_of(features, request).film_seed


def draws_of(features: VideoFeatures, request: ComposeRequest) -> Draws:
    """What chance hangs on in a request."""
    if request.film_seed is None:
        return Draws(drawn_seed(features.film.content_key), request.film_seed_since_take, request.rules)
    return Draws(request.film_seed, request.film_seed_since_take, request.rules)


def _spans(features: VideoFeatures, request: ComposeRequest, begins_s: float) -> list[tuple[int, Cue, float, float]]:
    duration_s = features.film.duration_s
    if not request.cues:
        return [(0, Cue(number=0), min(begins_s, duration_s - 0.05), duration_s)]
    found = []
    for index, cue in enumerate(request.cues):
        out_s = min(duration_s if cue.out_s is None else cue.out_s, duration_s)
        if out_s - cue.in_s > 0.05:
            found.append((index, cue, cue.in_s, out_s))
    return found


def _wish(request: ComposeRequest, cue: Cue, bpm: float | None) -> PlanWish:
    options = request.options
    progression = cue.progression or request.progression
    key = cue.key or request.key
    if key is None and progression is not None and any(not chord.is_silence for chord in progression.chords):
        key = key_of(progression).key
    ending = _ENDINGS.get(cue.ending, cue.ending)
    return PlanWish(
        key=key,
        form="" if options.form == "auto" else options.form,
        ensemble="" if options.ensemble == "auto" else options.ensemble,
        ending=ending or ("" if options.ending == "auto" else options.ending),
        theme=cue.theme or request.theme,
        harmonic_rhythm=_UNITS.get(options.harmonic_rhythm),
        bpm=bpm,
        draws=parse_draws(cue.draws or request.draws),
        rules=Draws(0, request.film_seed_since_take, request.rules).rules_for(cue.take or request.take.number),
    )


def _curves(features: VideoFeatures, options: ComposeOptions) -> PictureCurves:
    return _curves_of(features, options.dark_light, options.calm_tense, options.affect_bias)


@lru_cache(maxsize=2)
def _curves_of(
    features: VideoFeatures, dark_light: float, calm_tense: float, affect_bias: tuple[float, ...]
) -> PictureCurves:
    """Of a film two hours long they take a second, and every edit of a session asks for them."""
    faders = ComposeOptions(dark_light=dark_light, calm_tense=calm_tense, affect_bias=affect_bias)
    return curves(features, bias_affect(features.emotion, faders))


def plans_of(features: VideoFeatures, request: ComposeRequest, begins_s: float) -> Planned:
    """Draws and settles the plans of all cues on the request's tempo map.

    begins_s: where the music of a film without cues begins.  Raises UserError.
    """
    check(request.options)
    picture, number_of = _curves(features, request.options), film_seed(features, request)
    plans, choosers, grids = [], {}, {}
    before: Key | None = None
    for index, cue, in_s, out_s in _spans(features, request, begins_s):
        own = cue.take or request.take.number
        take = cue.like or request.like or own  # whose plan it is
        number = index if cue.number is None else cue.number
        bpm = request.tempo_map.bpm_at(request.tempo_map.beats_at(in_s + request.picture_starts_at_s) + 1e-6)
        wish = _wish(request, cue, bpm)
        drawn = draw_cue(picture, in_s, out_s, number_of, number, take, wish, index, before)
        plan = settle_bars(
            drawn, request.tempo_map, request.picture_starts_at_s,
            partial(_theme, number_of, wish.draws.take_for("theme", take), wish.rules),
        )  # fmt: skip
        plan = _edited(plan, request, cue, take, number_of)
        before = plan.sections[0].key
        draw = drawn.draw
        if own != take or request.rewrite or wish.draws:
            draw = partial(noise, number_of, number, own, "chords", request.rewrite)
        chooser = CellChooser.of(
            plan, request.tempo_map, request.picture_starts_at_s, draw, request.options.adventurous,
            ensembles()[plan.ensemble].bass, _typed_cell(cue.progression or request.progression, plan),
        )  # fmt: skip
        plans.append(plan)
        choosers[index], grids[index] = chooser, chooser.grid
    return Planned(tuple(plans), choosers, grids)


@lru_cache(maxsize=256)
def _theme(film_seed: int, take: int, rules: int, variant: str, bar_beats: float) -> Theme:
    """The theme of a take for a palette, which the cues of a film share."""
    main = palettes()[variant]
    draw = partial(noise, film_seed, take, "theme")
    return build_theme(main.mood, main.mode, main.shapes, main.rhythms, bar_beats, draw, rules)


def _edited(plan: CuePlan, request: ComposeRequest, cue: Cue, take: int, film_seed_: int) -> CuePlan:
    """The plan with what the composer has changed in it."""
    lines = bar_lines(request.tempo_map, request.picture_starts_at_s)
    for edit in request.plan_edits:
        if not request.cues or edit.cue == cue.number:
            plan = edited(plan, edit, partial(noise, film_seed_, take), lines)
    return plan


def with_proposed_cues(features: VideoFeatures, request: ComposeRequest) -> tuple[ComposeRequest, tuple[str, ...]]:
    """The request with cues where the film wants music, each with a bar line at its In; why there, a sentence a cue.

    A request that has cues, and a film up to two minutes long, stay as they are.
    """
    if request.cues or features.film.duration_s <= LEAST_FILM_S:
        return request, ()
    proposed = propose_cues(_curves(features, request.options), features.film.duration_s)
    cues = tuple(
        Cue(f"1m{number + 1}", each.in_s, each.out_s, bar_1_s=each.in_s, number=number)
        for number, each in enumerate(proposed)
    )
    marks = [TempoMark(cue.in_s, None, True) for cue in cues]
    tempo_map = marked(request.tempo_map, marks, request.picture_starts_at_s)
    return replace(request, cues=cues, tempo_map=tempo_map), tuple(each.reason for each in proposed)


def propose(
    features: VideoFeatures, request: ComposeRequest, begins_s: float, meter: str, cues: bool
) -> Proposal | None:
    """Tempo, meter and cues that `compose` would give a film; None where the network alone composes.

    Raises UserError.
    """
    if request.options.form == "none":
        return None
    why: tuple[str, ...] = ()
    if cues:
        request, why = with_proposed_cues(features, request)
    asked = TimeSignature.parse(meter) if meter else None
    settled, reason = settle_take(features, request, begins_s, asked)
    tempo_map, starts_s = settled.tempo_map, settled.picture_starts_at_s
    own = tuple(
        (cue.in_s, features.film.duration_s if cue.out_s is None else cue.out_s,
         tempo_map.bpm_at(tempo_map.beats_at(cue.in_s + starts_s) + 1e-6), reason_there)
        for cue, reason_there in zip(settled.cues if why else (), why, strict=True)
    )  # fmt: skip
    return Proposal(tempo_map.bpm_at(0.0), str(tempo_map.meter_at(0)), reason, own)


def _typed_cell(progression: Progression | None, plan: CuePlan) -> Cell:
    """A progression as a cell of the palettes, in C: what the composer typed is the cue's idiom.  One that is long, or
    that begins and ends alike in a single chord, is none."""
    if progression is None or not 2 <= len(progression.chords) <= 8 or any(c.is_silence for c in progression.chords):
        return ()
    tonic = plan.sections[0].key.tonic
    return tuple((chord.transpose(-tonic),) for chord in progression.chords)


def settle_take(
    features: VideoFeatures, request: ComposeRequest, begins_s: float, meter: TimeSignature | None
) -> tuple[ComposeRequest, str]:
    """The request on the tempo (and, where none was asked for, in the meter) that its take draws, and why."""
    check(request.options)
    spans = _spans(features, request, begins_s)
    if request.cues:
        return _settle_cues(features, request, spans, meter)
    index, cue, in_s, out_s = max(spans, key=lambda span: span[3] - span[2])
    number = index if cue.number is None else cue.number
    take, seed_ = cue.take or request.take.number, film_seed(features, request)
    wish = _wish(request, cue, None)
    drawn = draw_cue(_curves(features, request.options), in_s, out_s, seed_, number, take, wish, index)
    chosen = meter or TimeSignature.parse(meter_of(drawn))
    bar_1_s = -request.picture_starts_at_s
    bpm, reason = choose_tempo(
        drawn, request.hits, [cut.time_s for cut in features.cuts], float(chosen.bar_beats), bar_1_s
    )  # fmt: skip
    tempo_map = TempoMap.constant(bpm, chosen, request.tempo_map.origin_s)
    return replace(request, tempo_map=tempo_map), reason


def _settle_cues(
    features: VideoFeatures,
    request: ComposeRequest,
    spans: list[tuple[int, Cue, float, float]],
    meter: TimeSignature | None,
) -> tuple[ComposeRequest, str]:
    """Each cue draws its own tempo, from its In on."""
    seed_, picture = film_seed(features, request), _curves(features, request.options)
    bar_beats = float((meter or TimeSignature()).bar_beats)
    marks, said = [], []
    for index, cue, in_s, out_s in spans:
        number = index if cue.number is None else cue.number
        take = cue.take or request.take.number
        drawn = draw_cue(picture, in_s, out_s, seed_, number, take, _wish(request, cue, None), index)
        cuts = [cut.time_s for cut in features.cuts if in_s <= cut.time_s < out_s]
        hits = [hit for hit in (*request.hits, *cue.hits) if in_s <= hit.time_s < out_s]
        bpm, _ = choose_tempo(drawn, hits, cuts, bar_beats, in_s)
        marks.append(TempoMark(in_s, bpm, True))
        said.append(f"{cue.name} {bpm:g}")
    base = TempoMap.constant(marks[0].bpm or 96, meter or TimeSignature(), request.tempo_map.origin_s)
    marks += section_marks(section for each in request.cues for section in each.sections)
    tempo_map = marked(base, marks, request.picture_starts_at_s)
    return replace(request, tempo_map=tempo_map), f"{', '.join(said)} bpm: each cue in the range of its palette"


__all__ = [
    "Drawn", "Planned", "check", "draws_of", "film_seed", "plans_of", "propose", "settle_take", "with_proposed_cues",
]  # fmt: skip
