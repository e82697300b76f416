"""What the commands `tempo` and `tempo export` share: the film, its hits, and the plan that was chosen."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from engine.arrange.tempofit import TempoFitOptions, TempoPlan, TempoReport
from engine.music import Cut, Film, Hit, TimeSignature, UserError, controls
from engine.music.controls import BY_ADDRESS, TEMPO_KINDS
from engine.music.flags import add_flags, flag_value, flags_of
from engine.music.hit_text import parse_hits


def strongest(cuts: Sequence[Cut], count: int) -> tuple[Hit, ...]:
    """The strongest cuts as hits, in order of time, named by their number in the film."""
    numbered = sorted(enumerate(cuts, start=1), key=lambda item: (-item[1].strength, item[1].time_s))[:count]
    return tuple(Hit(cut.time_s, "should", f"cut {number}") for number, cut in sorted(numbered))


def look(arguments: argparse.Namespace) -> tuple[Film, tuple[Hit, ...], str]:
    """The film, the hits that are wanted, and where they come from in words.  Raises UserError."""
    from engine.video import AnalysisOptions, FeatureCache, analyze

    cache = None if arguments.no_cache else FeatureCache(Path(arguments.cache_dir) if arguments.cache_dir else None)
    features = analyze(
        Path(arguments.film), AnalysisOptions(reading=str(flag_value(arguments, "--reading"))), None, cache
    )
    film = features.film
    if arguments.hits:
        hits, said = parse_hits(arguments.hits, film), "as given"
    else:
        hits = strongest(features.cuts, arguments.strongest)
        said = f"the {len(hits)} strongest of {len(features.cuts)} cuts"
        if arguments.must:
            hits = tuple(Hit(hit.time_s, "must", hit.name) for hit in hits)
    outside = [hit for hit in hits if not 0 <= hit.time_s <= film.duration_s]
    if outside:
        raise UserError(
            f"the hit at {outside[0].time_s:g} s lies outside the film, which lasts {film.duration_s:.2f} s."
        )
    return film, hits, said


def add_arguments(parser: argparse.ArgumentParser, film_optional: bool = False) -> None:
    """What finding a tempo and exporting it share."""
    parser.add_argument("film", metavar="VIDEO", nargs="?" if film_optional else None)
    parser.add_argument(
        "--strongest",
        type=int,
        default=8,
        metavar="N",
        help="without --hits: how many cuts to meet, strongest first (8)",
    )
    parser.add_argument("--must", action="store_true", help="without --hits: every such cut must be met")
    parser.add_argument("--bpm", default="70-140", metavar="LOW-HIGH", help="range of tempi to search (%(default)s)")
    parser.add_argument(
        "--on", choices=("beat", "eighth", "sixteenth"), default="beat", help="what hits may fall on (beat)"
    )
    parser.add_argument(
        "--curve", type=float, default=4.0, metavar="PERCENT", help="how far a ramp may bend the tempo (4)"
    )
    parser.add_argument("--count", type=int, default=5, metavar="N", help="how many plans of each kind to list (5)")
    parser.add_argument(
        "--plan",
        default="fixed:1",
        metavar="KIND:N",
        help="the plan to write: fixed:1, ramp:2, steps:1, odd:1, bars:1 … (fixed:1)",
    )
    rows = (replace(row, default="quick") if row.flag == "--reading" else row for row in flags_of("tempo"))
    add_flags(parser, (*rows, replace(BY_ADDRESS[controls.BAR_1], doc="picture second of bar 1 (0)")))
    parser.set_defaults(reading="quick")


def bar_1_of(arguments: argparse.Namespace) -> float:
    """Picture second of bar 1; its words mean 0 here, where there is one cue and no timeline."""
    bar_1 = flag_value(arguments, "--bar-1")
    return float(bar_1) if isinstance(bar_1, float) else 0.0


def fit_options(arguments: argparse.Namespace) -> TempoFitOptions:
    match = re.fullmatch(r"\s*([0-9.]+)(?:\s*-\s*([0-9.]+))?\s*", arguments.bpm)
    if match is None:
        raise UserError(f"'{arguments.bpm}' is not a range of tempi; write for example 70-140.")
    low = float(match[1])
    return TempoFitOptions(
        low_bpm=low,
        high_bpm=float(match[2]) if match[2] else low,
        meter=TimeSignature.parse(arguments.meter or "4/4"),
        bar_1_s=bar_1_of(arguments),
        unit_beats={"beat": 1.0, "eighth": 0.5, "sixteenth": 0.25}[arguments.on],
        curve_percent=arguments.curve,
        count=max(1, arguments.count),
    )


def chosen_plan(report: TempoReport, name: str) -> TempoPlan:
    kind, _, number = name.partition(":")
    kind = "ramp" if kind == "curve" else kind
    if kind not in TEMPO_KINDS or not (number or "1").isdigit():
        raise UserError(f"'{name}' is not a plan; write fixed:1, ramp:1, steps:1, odd:1 or bars:1.")
    plans = report.of(kind)
    index = int(number or 1) - 1
    if not 0 <= index < len(plans):
        raise UserError(f"there is no plan {name}: {len(plans)} of that kind were found.")
    return plans[index]
