"""What a person asks for before the film is known, and what is decided once it is: tempo, grid, picture start, key.

Times ending in `_s` are picture seconds unless they say timeline; beats are quarter notes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Final

from engine.document import CueState, TempoChoice, parse_key
from engine.music import (
    EMOTIONS,
    Cue,
    Cut,
    Film,
    FrameRate,
    Hit,
    Key,
    MusicError,
    Progression,
    Section,
    Take,
    TempoMap,
    TimecodeClock,
    TimeSignature,
    controls,
    marked,
    parse_progression,
)
from engine.music.arguments import Value
from engine.music.controls import GRID_CHOICES, SETTINGS, options_from
from engine.music.cue_text import WrittenCue
from engine.music.cueplan import Theme
from engine.music.marks import section_marks
from engine.music.picture_start import PictureStart
from engine.music.timecode import timecode_rate
from engine.process.messages import ComposeOptions, ComposeRequest

SECONDS_GRID_BPM: Final = 120  # the paper's: a slot of two beats lasts one second
AS_ASKED: Final = "as asked"  # in a reason: a person has said it
_PLACES: Final = {1.0: "beat", 0.5: "eighth", 0.25: "sixteenth"}


@dataclass(frozen=True, slots=True)
class Brief:
    """All that a person asks for before the film is known, read and checked when it is made.  Raises MusicError.

    bpm and tempo_map: None where nothing was said.  picture_starts_at: seconds after bar 1, `bar|beat`, or the
    timecode that the DAW shows at the first frame (bar 1 is then there too).  frame_rate: of the DAW project's
    timecode, None: the film's.  weights: folder of the networks' weights, None: the shipped ones.
    wall_to_wall: one cue over a long film too; else cues are proposed where it wants music.  theme: instead of one
    that each take builds.  sections: of all cues.
    """

    progression: Progression | None = None
    key: Key | None = None
    bpm: float | None = None
    meter: TimeSignature | None = None
    tempo_map: TempoMap | None = None
    grid: str = "auto"
    picture_starts_at: str = "0"
    frame_rate: FrameRate | None = None
    take: Take = field(default_factory=Take)
    hits: tuple[Hit, ...] = ()
    options: ComposeOptions = field(default_factory=ComposeOptions)
    reading: str = "auto"
    clip_weights: str | None = None
    cues: tuple[WrittenCue, ...] = ()
    weights: str | None = None
    wall_to_wall: bool = True
    theme: Theme | None = None
    sections: tuple[Section, ...] = ()

    def __post_init__(self) -> None:
        if self.grid not in GRID_CHOICES:
            raise MusicError(f"'{self.grid}' is not a grid; grids are {', '.join(GRID_CHOICES)}.")
        if self.bpm is not None and self.tempo_map is not None:
            raise MusicError("a tempo and a tempo map were both given; give one of them.")
        if self.grid == "seconds" and (self.bpm not in (None, float(SECONDS_GRID_BPM)) or self.tempo_map is not None):
            raise MusicError("the seconds grid is 120 bpm by definition; leave the tempo out or use the beats grid.")
        if self.bpm is not None:
            TempoMap.constant(self.bpm)
        start = PictureStart.parse(self.picture_starts_at)
        if self.frame_rate is not None:
            start.check(TimecodeClock(self.frame_rate, stated=True))

    def clock(self, film: Film) -> TimecodeClock:
        """The clock of the DAW project: as stated, else at the film's rate."""
        if self.frame_rate is not None:
            return TimecodeClock(self.frame_rate, stated=True)
        return TimecodeClock(project_rate(film, self.picture_starts_at))


def project_rate(film: Film, picture_starts_at: str) -> FrameRate:
    """The timecode rate of a DAW project whose rate nobody stated: the film's, drop frame where the label says so."""
    rate = film.clock.rate
    return timecode_rate(rate.fps, drop=rate.drop or ";" in picture_starts_at)


def compose_options(settings: Mapping[str, Value], **more: Any) -> ComposeOptions:
    """How the networks are asked, by settings of the controls table; more: fields that have no control."""
    values: dict[str, Any] = options_from(settings, "compose")
    bias = tuple(float(values.pop(f"affect_bias.{name}")) for name in EMOTIONS)
    return ComposeOptions(affect_bias=bias, **{**values, **more})


def from_settings(settings: Mapping[str, Value], **more: Any) -> Brief:
    """What settings of the controls table ask for; more: what has no control.  Raises UserError."""
    selected = CueState(0, settings)
    key = parse_key(selected.text(controls.KEY))
    text = selected.text(controls.PROGRESSION).strip()
    progression = parse_progression(text, selected.text(controls.PROGRESSION_MODE), key) if text else None
    if not text and selected.text(controls.PROGRESSION_MODE) != "start":
        raise MusicError(f"--mode {selected.text(controls.PROGRESSION_MODE)} needs a --progression.")
    plan: dict[str, Any] = {
        "key": key,
        "progression": progression,
        "options": compose_options(settings),
        "cues": _only_cue(selected),
        **options_from(settings, "brief"),
    }
    return Brief(**{**plan, **more})


def _only_cue(selected: CueState) -> tuple[WrittenCue, ...]:
    """The cue over the whole film where it has a name, a range, a bar 1 or an ending of its own."""
    plain = (controls.ENDING, controls.TAIL)
    if selected.is_default and all(selected.value(address) == SETTINGS[address] for address in plain):
        return ()
    out = selected.value(controls.OUT)
    cue = WrittenCue(
        selected.name,
        selected.in_s,
        None if isinstance(out, str) else selected.number_of(controls.OUT),
        bar_1_s=selected.bar_1_s,
        ending=selected.text(controls.ENDING),
        tail_s=selected.number_of(controls.TAIL),
    )
    cue.cue(0)  # refuses an Out before In now
    return (cue,)


@dataclass(frozen=True, slots=True)
class Settled:
    """What was decided for a film, with the reasons as parts of a sentence (no full stop).

    picture_starts_at_s: timeline second of the first frame.  key: None where the mood decides it when the film is
    composed.
    """

    tempo_map: TempoMap
    grid: str
    picture_starts_at_s: float
    meter: TimeSignature
    tempo_reason: str
    key: Key | None
    key_reason: str

    @property
    def choice(self) -> TempoChoice:
        """The same as a session keeps it."""
        return TempoChoice(self.tempo_map, self.grid, self.picture_starts_at_s, f"tempo {self.tempo_reason}.")


def settle(brief: Brief, film: Film, cuts: Sequence[Cut]) -> Settled:
    """Decides tempo, grid, meter, picture start and key of a film: the one place, for `compose` and `live` alike.

    The order: a given map, the seconds grid, a given tempo, the tempo that meets the hits best, the one that suits the
    cuts.  Bar 1 of the timeline is at second 0; with a timecode as the picture's start it is at the first frame.
    Raises MusicError.

    A key that nobody typed stays open: each cue's mood decides it, from curves of the picture that only the engine has
    (`engine.composer`, for both commands).
    """
    from engine.arrange.rhythm import best_tempo

    hits = brief.hits
    start = PictureStart.parse(brief.picture_starts_at)
    meter = brief.meter or TimeSignature()
    origin_s = Fraction(0) if start.label is None else brief.clock(film).seconds_at(start.label)
    grid = "beats" if brief.grid == "auto" else brief.grid
    if brief.tempo_map is not None:
        tempo_map, reason = brief.tempo_map, "as the tempo map says"
        if start.label is not None:
            tempo_map = replace(tempo_map, origin_s=origin_s)
    elif grid == "seconds":
        tempo_map = TempoMap.constant(SECONDS_GRID_BPM, meter, origin_s)
        reason = f"{SECONDS_GRID_BPM} bpm: the seconds grid, one chord step a second"
    elif brief.bpm is not None:
        tempo_map, reason = TempoMap.constant(brief.bpm, meter, origin_s), f"{brief.bpm:g} bpm: {AS_ASKED}"
    else:
        bar_1_s = 0.0 if start.seconds is None else -start.seconds
        if any(hit.time_s > bar_1_s for hit in hits):
            bpm, reason = tempo_for_hits(hits, film, meter, bar_1_s)
        else:
            fit = best_tempo(cuts, meter=meter, bar_1_s=bar_1_s, rate=film.rate)
            bpm, reason = fit.bpm, fit.reason.rstrip(".")
        tempo_map = TempoMap.constant(bpm, meter, origin_s)
    if start.bar_beat is not None:
        starts_s = float(tempo_map.seconds_at_exact(tempo_map.beats_of(start.bar_beat)))
    else:
        starts_s = float(origin_s) if start.seconds is None else start.seconds
    for cue in brief.cues:
        if cue.in_s >= film.duration_s:
            raise MusicError(f"cue {cue.name} begins after the film's end ({film.duration_s:.2f} s).")
    if grid == "beats" and brief.tempo_map is None:
        film_bpm = tempo_map.bpm_at(0.0)
        marks = [replace(cue.mark, bpm=cue.bpm or film_bpm) for cue in brief.cues if cue.mark is not None]
        tempo_map = marked(tempo_map, [*marks, *section_marks(brief.sections)], starts_s)
    why = "by the mood of the picture" if brief.key is None else AS_ASKED
    return Settled(tempo_map, grid, starts_s, tempo_map.meter_at(0), reason, brief.key, why)


def request_for(film: Film, cuts: Sequence[Cut], brief: Brief) -> tuple[ComposeRequest, str]:
    """The brief as a request to the engine, and why this tempo.  Raises UserError."""
    settled = settle(brief, film, cuts)
    request = ComposeRequest(
        revision=0,
        tempo_map=settled.tempo_map,
        grid=settled.grid,
        picture_starts_at_s=settled.picture_starts_at_s,
        key=settled.key,
        progression=brief.progression,
        take=brief.take,
        hits=brief.hits,
        cues=_cues(brief),
        theme=brief.theme,
        options=brief.options,
    )
    return request, settled.tempo_reason


def _cues(brief: Brief) -> tuple[Cue, ...]:
    """As they are composed: one without an Out goes on to the next.

    Sections belong to the last cue that begins before them, those before the first cue to it, as in a document.
    """
    written, sections = brief.cues, brief.sections
    if not written:
        return (Cue(sections=tuple(sections)),) if sections else ()
    nexts: list[float | None] = [*(cue.in_s for cue in written[1:]), None]
    made = []
    for number, (cue, after) in enumerate(zip(written, nexts, strict=True)):
        low, high = cue.in_s if number else float("-inf"), float("inf") if after is None else after
        inside = tuple(section for section in sections if low <= section.start_s < high)
        made.append(
            replace(cue.cue(number, brief.key), out_s=after if cue.out_s is None else cue.out_s, sections=inside)
        )
    return tuple(made)


def tempo_for_hits(hits: Sequence[Hit], film: Film, meter: TimeSignature, bar_1_s: float) -> tuple[float, str]:
    """The tempo from 70 to 110 bpm that meets the hits best: on beats, on eighths or sixteenths where that meets more.

    Returns bpm and why.  Raises MusicError where no hit lies after bar 1.
    """
    from engine.arrange.tempofit import TempoFitOptions, fit_tempos

    best = None
    for unit, place in _PLACES.items():
        options = TempoFitOptions(70, 110, meter=meter, bar_1_s=bar_1_s, unit_beats=unit, curve_percent=0, count=1)
        plan = fit_tempos(hits, film.rate, options).fixed[0]
        worth = (-len(plan.refused), plan.met)
        if best is None or worth > best[0]:
            best = (worth, plan, place)
    assert best is not None
    _, plan, place = best
    count = len(plan.misses)
    what = "the one hit then falls" if count == 1 == plan.met else f"{plan.met} of the {count} hits then fall"
    return plan.bpm, f"{plan.bpm:g} bpm, because {what} within half a frame of a {place}".replace(
        "a eighth", "an eighth"
    )


def parse_seconds(text: str) -> float:
    """Where a picture starts, in seconds.  Raises MusicError."""
    seconds = PictureStart.parse(text).seconds
    if seconds is None:
        raise MusicError(f"'{text[:40]}' is not a number of seconds.")
    return seconds
