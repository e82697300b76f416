"""What a person asks for before the film is known, and how it is settled once it is: tempo, grid, picture start.

Times ending in `_s` are picture seconds unless they say timeline; beats are quarter notes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Final

from engine.document import CueState, parse_key
from engine.music import (
    EMOTIONS,
    BarBeat,
    Cue,
    Cut,
    Film,
    Hit,
    Key,
    MusicError,
    Progression,
    Take,
    TempoMap,
    Timecode,
    TimeSignature,
    controls,
    marked,
    parse_progression,
)
from engine.music.arguments import Value
from engine.music.controls import GRID_CHOICES, SETTINGS, options_from
from engine.music.cue_text import WrittenCue
from engine.process.messages import ComposeOptions, ComposeRequest

_PLACES: Final = {1.0: "beat", 0.5: "eighth", 0.25: "sixteenth"}


@dataclass(frozen=True, slots=True)
class FilmPlan:
    """What a person asks for before the film is known.

    bpm and tempo_map: None where nothing was said.  picture_starts_at: seconds after bar 1, `bar|beat`, or the
    timecode that the DAW shows at the first frame (bar 1 is then there too).
    """

    progression: Progression | None = None
    key: Key | None = None
    bpm: float | None = None
    meter: TimeSignature | None = None
    tempo_map: TempoMap | None = None
    grid: str = "auto"
    picture_starts_at: str = "0"
    take: Take = field(default_factory=Take)
    hits: tuple[Hit, ...] = ()
    options: ComposeOptions = field(default_factory=ComposeOptions)
    reading: str = "auto"
    clip_weights: str | None = None
    cues: tuple[WrittenCue, ...] = ()
    weights: str | None = None  # folder of the networks' weights, None: the shipped ones

    def __post_init__(self) -> None:
        if self.grid not in GRID_CHOICES:
            raise MusicError(f"'{self.grid}' is not a grid; grids are {', '.join(GRID_CHOICES)}.")
        if self.bpm is not None and self.tempo_map is not None:
            raise MusicError("a tempo and a tempo map were both given; give one of them.")
        if self.grid == "seconds" and (self.bpm not in (None, 120.0) or self.tempo_map is not None):
            raise MusicError("the seconds grid is 120 bpm by definition; leave the tempo out or use the beats grid.")
        if "|" in self.picture_starts_at:
            _bar_beat(self.picture_starts_at)
        elif ":" not in self.picture_starts_at:  # a timecode is read when the film's rate is known
            parse_seconds(self.picture_starts_at)


def compose_options(settings: Mapping[str, Value], **more: Any) -> ComposeOptions:
    """How the networks are asked, by settings of the controls table; more: fields that have no control."""
    values: dict[str, Any] = options_from(settings, "compose")
    bias = tuple(float(values.pop(f"affect_bias.{name}")) for name in EMOTIONS)
    return ComposeOptions(affect_bias=bias, **{**values, **more})


def from_settings(settings: Mapping[str, Value], **more: Any) -> FilmPlan:
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
    return FilmPlan(**{**plan, **more})


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


def request_for(film: Film, cuts: Sequence[Cut], wish: FilmPlan, revision: int = 0) -> tuple[ComposeRequest, str]:
    """Settles tempo, grid and picture start for a film.  Returns the request and why this tempo.  Raises UserError."""
    from engine.arrange.rhythm import best_tempo

    meter = wish.meter or TimeSignature()
    starts_s, bar_1_s = 0.0, 0.0
    text = wish.picture_starts_at.strip()
    timecoded = ":" in text
    if timecoded:
        starts_s = float(Timecode.parse(text, film.rate).seconds)
    origin = Fraction(starts_s) if timecoded else Fraction(0)
    grid = "beats" if wish.grid == "auto" else wish.grid
    if wish.tempo_map is not None:
        tempo_map, reason = wish.tempo_map, "tempo map as given"
        if timecoded:
            tempo_map = replace(tempo_map, origin_s=origin)
    elif grid == "seconds":
        tempo_map, reason = TempoMap.constant(120, meter, origin), "120 bpm: the seconds grid"
    elif wish.bpm is not None:
        tempo_map, reason = TempoMap.constant(wish.bpm, meter, origin), f"{wish.bpm:g} bpm: as asked"
    else:
        if not timecoded and "|" not in text:
            bar_1_s = -parse_seconds(text)
        if any(hit.time_s > bar_1_s for hit in wish.hits):
            bpm, reason = tempo_for_hits(wish.hits, film, meter, bar_1_s)
        else:
            fit = best_tempo(cuts, meter=meter, bar_1_s=bar_1_s, rate=film.rate)
            bpm, reason = fit.bpm, fit.reason
        tempo_map = TempoMap.constant(bpm, meter, origin)
    if "|" in text:
        starts_s = tempo_map.seconds_at(float(tempo_map.beats_of(_bar_beat(text))))
    elif not timecoded:
        starts_s = parse_seconds(text)
    for cue in wish.cues:
        if cue.in_s >= film.duration_s:
            raise MusicError(f"cue {cue.name} begins after the film's end ({film.duration_s:.2f} s).")
    if wish.cues and grid == "beats" and wish.tempo_map is None:
        film_bpm = tempo_map.bpm_at(0.0)
        marks = [replace(cue.mark, bpm=cue.bpm or film_bpm) for cue in wish.cues if cue.mark is not None]
        tempo_map = marked(tempo_map, marks, starts_s)
    request = ComposeRequest(
        revision=revision,
        tempo_map=tempo_map,
        grid=grid,
        picture_starts_at_s=starts_s,
        key=wish.key,
        progression=wish.progression,
        take=wish.take,
        hits=wish.hits,
        cues=_cues(wish.cues),
        options=wish.options,
    )
    return request, reason


def _cues(written: Sequence[WrittenCue]) -> tuple[Cue, ...]:
    """As they are composed: one without an Out goes on to the next."""
    if not written:
        return ()
    nexts: list[float | None] = [*(cue.in_s for cue in written[1:]), None]
    return tuple(
        replace(cue.cue(number), out_s=after if cue.out_s is None else cue.out_s)
        for number, (cue, after) in enumerate(zip(written, nexts, strict=True))
    )


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
    try:
        seconds = float(text)
    except ValueError:
        seconds = float("nan")
    if not 0.0 <= seconds <= 360_000.0:
        raise MusicError(
            f"'{text}' is not where a picture starts; write seconds, bar|beat or hours:minutes:seconds:frames."
        )
    return seconds


def _bar_beat(text: str) -> BarBeat:
    match = re.fullmatch(r"\s*(\d{1,5})\s*\|\s*(\d{1,2})(\.\d+)?\s*", text)
    if match is None or int(match[1]) < 1 or int(match[2]) < 1:
        raise MusicError(f"'{text}' is not a bar and beat; write for example 5|1.")
    return BarBeat(int(match[1]), int(match[2]), float(match[3] or 0))
