"""From what was seen and what was asked to a composition: the one flow that worker, commands and tests share.

`Composer` holds the networks; `compose_takes` does everything for a file.  Times ending in `_s` are picture seconds
unless they say timeline; beats are quarter notes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.brief import Brief, request_for
from engine.music import Chord, Composition, Draws, Film, FrameRate, Slot, Take, TempoMap, UserError
from engine.process.messages import Composed, ComposeRequest, SlotsComposed, WhyAnswer, WhyRequest

if TYPE_CHECKING:
    import numpy as np

    from engine.dynamics import Dynamics
    from engine.harmony.conditions import Events
    from engine.harmony.keys import Keys
    from engine.harmony.plan import PlannedSlot
    from engine.harmony.reasons import Reason, Trace
    from engine.harmony.slots import SlotFeatures
    from engine.music.cueplan import CuePlan
    from engine.planning import Planned
    from engine.video import VideoFeatures


CANDIDATE: Final = 10_000_000  # numbers from here on are of candidates: no take has them
SHORTEST_FILM_S: Final = 0.1  # a sixteenth note at any tempo; less gives no note at all


@dataclass(frozen=True, slots=True)
class FilmScore:
    """A composed film: the result, what was seen, and seconds spent looking and composing."""

    composition: Composition
    features: VideoFeatures
    analysis_s: float
    compose_s: float
    weights: tuple[str, ...]


class Composer:
    """The networks, loaded once, and what they remember between requests.  Not thread-safe.

    weights: folder with amt.safetensors and regressor.safetensors; None: the shipped ones.  Raises UserError where
    they cannot be loaded.
    """

    def __init__(self, weights: str | Path | None = None) -> None:
        import engine.planning  # noqa: F401  (its tables are read now, not when the first chords are waited for)
        from engine.harmony.plan import Planner
        from engine.harmony.stream import Harmony
        from models.files import WEIGHTS
        from models.runtime import load_pair, single_threaded

        single_threaded()  # for the life of this process: unpinned, decoding is more than twice as slow
        folder = WEIGHTS if weights is None else Path(weights)
        amt, regressor = load_pair(folder)
        self._harmony = Harmony(amt)
        self._regressor = regressor
        self._planner = Planner()
        self._seen: VideoFeatures | None = None
        self._dynamics: Dynamics | None = None
        self._rows: SlotFeatures | None = None
        self._seeds: dict[tuple[str, int, int], int] = {}
        self._rewrites: dict[tuple[str, int, int], int] = {}  # of planned takes, see `_best_of`
        self.weights = weight_names(folder)

    @property
    def decoded(self) -> int:
        """Slots that the chord network was asked for so far."""
        return self._harmony.decoded

    def warm_up(self) -> None:
        """Lets the libraries do what they do once, so that the first request of a session does not wait for it."""
        import numpy as np

        from engine.video import VideoFeatures
        from models.film import EMOTIONS as AFFECTS

        seconds = 12
        nothing = VideoFeatures(
            film=Film("", float(seconds), FrameRate(Fraction(25))),
            seconds=seconds,
            semantic=None,
            emotion_raw=np.full((seconds, len(AFFECTS)), 1 / len(AFFECTS), np.float32),
            emotion=np.full((seconds, len(AFFECTS)), 1 / len(AFFECTS), np.float32),
            motion=np.full(seconds, 10.0, np.float32),
            scene_offset=np.arange(seconds, dtype=np.int32),
            valid=np.ones(seconds, bool),
            cuts=(),
            reading="quick",
            reason="",
            notes=(),
        )
        for _ in self.stream(nothing, ComposeRequest(0, TempoMap.constant(120))):
            pass
        self._seen = self._dynamics = self._rows = None
        self._harmony.forget()

    def see(self, features: VideoFeatures) -> None:
        """Looks at a film ahead of the first request for it."""
        self._dynamics_of(features)

    def _dynamics_of(self, features: VideoFeatures) -> Dynamics:
        from engine import dynamics

        if self._seen is not features or self._dynamics is None:
            if self._seen is None or self._seen.film.content_key != features.film.content_key:
                self._harmony.forget()
            self._seen, self._dynamics = features, dynamics.predict(self._regressor, features)
            self._rows = None
        return self._dynamics

    def _rows_of(self, features: VideoFeatures, start_s: list[float], end_s: list[float]) -> SlotFeatures:
        """Features per slot; remembered, since most requests of a session share their slots."""
        from engine.harmony.slots import resample

        known = self._rows
        if known is None or known.start_s.tolist() != start_s or known.end_s.tolist() != end_s:
            known = self._rows = resample(features, start_s, end_s)
        return known

    def _seed_of(
        self,
        request: ComposeRequest,
        features: VideoFeatures,
        outline: _Outline,
        draws: Draws,
    ) -> int:
        """The random seed of a take: its draws', or that of its best candidate.

        A candidate is chosen when a take is composed from the beginning, and stays chosen while it is taken up again.
        """
        count = request.options.candidates
        own = draws.chord_seed(request.take.number, 1)
        if count <= 1:
            return own
        from engine.harmony.candidates import candidates

        name = (features.film.content_key, request.take.number, count)
        if not request.keep or name not in self._seeds:
            keys, events = outline.keys.of_slots, events_of(features, request)
            found = candidates(
                self._harmony.model, outline.planned, outline.rows, keys, request.options, own, count, events
            )
            self._seeds[name] = found[0].seed
        return self._seeds[name]

    def _best_of(self, features: VideoFeatures, request: ComposeRequest) -> ComposeRequest:
        """The request of a planned take with the draws of its chords that its score is best with: its own or one of
        those of the other candidates; a take that is taken up again keeps what was chosen for it."""
        from engine.commands.score_judge import judged

        count = request.options.candidates
        name = (features.film.content_key, request.take.number, request.rewrite)
        if not request.keep:
            motion = tuple(map(float, features.motion))
            asked = replace(request.options, candidates=1)
            found = [
                replace(request, rewrite=request.rewrite if index == 0 else CANDIDATE + index) for index in range(count)
            ]
            worth = [judged(self.compose(features, replace(each, options=asked)).composition, motion) for each in found]
            self._rewrites[name] = found[worth.index(min(worth))].rewrite
        return replace(request, rewrite=self._rewrites.get(name, request.rewrite))

    def compose(self, features: VideoFeatures, request: ComposeRequest) -> Composed:
        """The whole composition at once.  Raises UserError for a request that cannot be met."""
        *_, last = self.stream(features, request)
        assert isinstance(last, Composed)
        return last

    def explain(self, features: VideoFeatures, asked: WhyRequest) -> WhyAnswer:
        """Why the first chord after the kept slots is what it is.  Raises UserError as `stream` does."""
        found: list[Reason] = []
        for message in self.stream(
            features, asked.request, first_chunk=1, chunk=1, trace=lambda index, reason: found.append(reason)
        ):
            if not isinstance(message, SlotsComposed):
                break
            affect = message.slots[0].affect
            if not found:
                return WhyAnswer(asked.number, affect=affect)
            why = found[0]
            return WhyAnswer(asked.number, why.by, why.words, why.weight, why.options, affect)
        return WhyAnswer(asked.number)

    # size: keywords: the worker needs all, others one or none.
    def stream(
        self,
        features: VideoFeatures,
        request: ComposeRequest,
        *,
        first_chunk: int = 4,
        chunk: int = 48,
        until_s: float | None = None,
        provisional: bool = False,
        trace: Trace | None = None,
    ) -> Iterator[SlotsComposed | Composed]:
        """Yields the slots after the kept ones in chunks (the first of first_chunk slots, then twice as many each time,
        up to chunk), then the whole composition.

        A caller may stop at any time; the next call begins anew.  until_s: no slots that begin later, and no whole
        composition.  provisional: marks the new slots as planned before the whole film was seen.  trace: gets why each
        chord was chosen.  Raises UserError for a request that cannot be met.
        """
        from engine.harmony.plan import kept_slots
        from engine.planning import draws_of, plans_of

        begun = time.perf_counter()
        if request.options.candidates > 1 and request.options.form != "none" and not provisional:
            request = self._best_of(features, request)
        if features.film.duration_s < SHORTEST_FILM_S and not provisional:
            name, length_s = Path(features.film.path).name, features.film.duration_s
            raise UserError(f"{name} lasts {length_s:.3g} s, too short for music; it takes {SHORTEST_FILM_S:g} s.")
        begins_s = first_action_s(features)
        drawn = None if request.options.form == "none" else plans_of(features, request, begins_s)
        outline = self._outline(features, request, drawn, begins_s, provisional)
        planned, keys = outline.planned, outline.keys
        slots = list(kept_slots(request))
        pending: list[Chord] = []
        wanted = first_chunk
        plans = () if drawn is None else drawn.plans
        draws = draws_of(features, request)
        seed = draws.chord_seed(request.take.number, 1) if plans else self._seed_of(request, features, outline, draws)
        own = cue_seeds(request, draws, None if plans or request.options.candidates <= 1 else seed)
        choosers = None if drawn is None else drawn.choosers
        events = events_of(features, request)

        def chunk_of(chords: Sequence[Chord]) -> SlotsComposed:
            sent = outline.slots(len(slots), chords)
            slots.extend(sent)
            share = len(slots) / len(planned)
            return SlotsComposed(request.revision, sent, keys.first, keys.reason, share, keys.of_cues, plans)

        for chord in self._harmony.compose(
            planned, outline.rows, keys.of_slots, request.options, seed, len(slots), own, choosers, events, trace
        ):
            if until_s is not None and planned[len(slots) + len(pending)].start_s > until_s:
                break
            pending.append(chord)
            if len(pending) >= wanted:
                yield chunk_of(pending)
                pending, wanted = [], min(2 * wanted, chunk)
        if pending:
            yield chunk_of(pending)
        if len(slots) == len(planned):
            composition = _composition(features, request, slots, keys, draws, plans)
            yield Composed(request.revision, composition, time.perf_counter() - begun, keys.of_cues)

    def _outline(
        self,
        features: VideoFeatures,
        request: ComposeRequest,
        drawn: Planned | None,
        begins_s: float,
        provisional: bool,
    ) -> _Outline:
        from engine import dynamics
        from engine.harmony.keys import decide_keys
        from engine.harmony.mood import bias_affect, picture_tension

        unit_of = None if drawn is None else drawn.unit_of()
        planned = self._planner.plan(request, features.film.duration_s, begins_s, unit_of)
        starts, ends = [slot.start_s for slot in planned], [slot.end_s for slot in planned]
        seen = self._dynamics_of(features)
        rows = self._rows_of(features, starts, ends)
        affect = bias_affect(rows.emotion, request.options)
        strength = request.options.follow_picture / 100.0
        if drawn is not None:
            # Form and theme thin what the notes can follow, and the regressor does not know when: it yields sooner.
            strength = 1.0 - (1.0 - strength) ** 2
        density, loudness = dynamics.follow(seen, features, strength).over_slots(starts, ends)
        for index, slot in enumerate(planned):
            activity = request.options.activity if slot.activity is None else slot.activity
            level = request.options.dynamics if slot.dynamics is None else slot.dynamics
            if activity is not None:
                density[index] = dynamics.asked_density(activity)
            if level is not None:
                loudness[index] = dynamics.asked_loudness(level)
        keys = decide_keys(planned, affect, request, drawn)
        strain = picture_tension(affect, loudness)
        return _Outline(planned, rows, keys, affect, density, loudness, strain, provisional)


@dataclass(frozen=True, slots=True, eq=False)
class _Outline:
    """A composition before its chords: a row a slot.  affect (slots, 6), density, loudness, strain (slots,)."""

    planned: Sequence[PlannedSlot]
    rows: SlotFeatures
    keys: Keys
    affect: np.ndarray
    density: np.ndarray
    loudness: np.ndarray
    strain: np.ndarray  # the picture's tension
    provisional: bool

    def slots(self, first: int, chords: Sequence[Chord]) -> tuple[Slot, ...]:
        """The slots from `first` on with these chords."""
        from engine.harmony.mood import harmonic_tension

        return tuple(
            Slot(
                index=index,
                start_s=self.planned[index].start_s,
                end_s=self.planned[index].end_s,
                start_beats=self.planned[index].start_beats,
                end_beats=self.planned[index].end_beats,
                chord=chord,
                density=float(self.density[index]),
                loudness=float(self.loudness[index]),
                affect=tuple(float(weight) for weight in self.affect[index]),
                motion=float(self.rows.motion[index]),
                tension=float(self.strain[index]) + harmonic_tension(chord, self.keys.of_slots[index]),
                pinned=self.planned[index].pinned,
                given=self.planned[index].given,
                provisional=self.provisional,
            )
            for index, chord in enumerate(chords, start=first)
        )


def _composition(
    features: VideoFeatures,
    request: ComposeRequest,
    slots: Sequence[Slot],
    keys: Keys,
    draws: Draws,
    plans: tuple[CuePlan, ...],
) -> Composition:
    decided = zip(request.cues, keys.of_cues, strict=True)
    return Composition(
        revision=request.revision,
        film=features.film,
        tempo_map=request.tempo_map,
        slots=tuple(slots),
        key=keys.first,
        grid=request.grid,
        picture_starts_at_s=request.picture_starts_at_s,
        cues=tuple(replace(cue, key=key) for cue, (key, _) in decided),
        cuts=features.cuts,
        hits=request.hits,
        take=request.take,
        draws=draws,
        key_reason=keys.reason,
        plans=plans,
        typed=typed_chords(request),
    )


# a whole film ------------------------------------------------------------------------------------------------------
def compose_takes(
    path: str | Path,
    brief: Brief,
    count: int,
    *,
    progress: Callable[[float, str], None] | None = None,
    cache_dir: str | None = None,
    use_cache: bool = True,
) -> tuple[FilmScore, ...]:
    """Looks at a film once, in its own process, and composes `count` takes, from the wished one on.

    progress(fraction 0..1, phase).  Raises UserError.
    """
    from engine.process.analysis import AnalysisProcess, AnalysisTask

    report = progress or (lambda fraction, phase: None)
    task = AnalysisTask(str(path), brief.reading, brief.clip_weights, cache_dir, use_cache)
    begun = time.perf_counter()
    with AnalysisProcess(task) as analysis:
        # The networks load while the film is being looked at: two processes, two cores.
        composer = Composer(brief.weights)
        features = analysis.wait(lambda fraction, phase: report(0.9 * fraction, phase))
        features = replace(features, notes=(*analysis.notes, *features.notes))
    analysis_s = time.perf_counter() - begun
    first, tempo_reason = request_for(features.film, features.cuts, brief)
    scores = []
    for number in range(count):
        looked = time.perf_counter()
        request = replace(first, take=Take(brief.take.number + number))
        request, tempo_reason = drawn_request(features, request, brief, tempo_reason)
        for message in composer.stream(features, request):
            if isinstance(message, SlotsComposed):
                report(0.9 + 0.1 * (number + message.fraction) / count, "composing")
            else:
                composition = replace(message.composition, tempo_reason=tempo_reason)
                took_s = time.perf_counter() - looked
                scores.append(FilmScore(composition, features, analysis_s, took_s, composer.weights))
    return tuple(scores)


def drawn_request(
    features: VideoFeatures, request: ComposeRequest, brief: Brief, tempo_reason: str = ""
) -> tuple[ComposeRequest, str]:
    """A take's request with the cues and the tempo that it draws where nobody said them, and why this tempo."""
    from engine.planning import settle_take, with_proposed_cues

    if proposes_cues(brief):
        request, _ = with_proposed_cues(features, request)
    if draws_tempo(brief):
        request, tempo_reason = settle_take(features, request, first_action_s(features), brief.meter)
    return request, tempo_reason


def proposes_cues(brief: Brief) -> bool:
    """Whether a long film without cues gets some: where it is planned and nobody said where its music is."""
    decided = brief.cues or brief.wall_to_wall or brief.grid == "seconds" or brief.progression is not None
    return brief.options.form != "none" and not decided


def draws_tempo(brief: Brief) -> bool:
    """Whether each take chooses its own tempo: its cues are planned and nobody said one, nor hits that ask for one."""
    said = brief.bpm is not None or brief.tempo_map is not None or brief.cues or brief.hits or brief.grid == "seconds"
    return brief.options.form != "none" and not said


def typed_chords(request: ComposeRequest) -> tuple[tuple[Chord, str], ...]:
    """The chords of the request's progressions with the words that somebody wrote for them."""
    progressions = [request.progression, *(cue.progression for cue in request.cues)]
    return tuple(each for progression in progressions if progression is not None for each in progression.typed)


def cue_seeds(request: ComposeRequest, draws: Draws, chosen: int | None) -> dict[int, int]:
    """Seeds of the cues' chords by index.  chosen: of the best candidate, for cues without a take of their own."""
    seeds = {}
    for index, cue in enumerate(request.cues):
        number = index + 1 if cue.number is None else cue.number
        if cue.take is not None or chosen is None:
            seeds[index] = draws.chord_seed(cue.take or request.take.number, number)
    return seeds


def events_of(features: VideoFeatures, request: ComposeRequest) -> Events:
    """What the harmony may answer: the film's cuts, and the hits of the request and its cues."""
    from engine.harmony.conditions import Events

    hits = [*request.hits, *(hit for cue in request.cues for hit in cue.hits)]
    return Events(features.cuts, tuple(hit.time_s for hit in hits))


def first_action_s(features: VideoFeatures) -> float:
    """Where there is something to score: after bars, slate, leader and black at the head; 0 where all is black."""
    valid = features.valid
    return float(valid.argmax()) if valid.any() else 0.0


def weight_names(folder: Path) -> tuple[str, ...]:
    """The weight files of a folder with the first digits of their sha256."""
    import hashlib

    files = sorted(folder.glob("*.safetensors"))
    return tuple(f"{file.stem} {hashlib.sha256(file.read_bytes()).hexdigest()[:8]}" for file in files)
