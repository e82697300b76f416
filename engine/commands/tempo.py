"""Command `tempo`: tempi that meet the hits of a film, and the conductor track for the DAW.

    cuebridge tempo FILM [--hits "4.71! 9.62 01:00:16:08? fall=22.08"] [--bpm 70-140] [--meter 4/4] [--write PLAN.mid]
    cuebridge tempo export FILM [the same, or --tempo-map MAP.mid] [--plan curve:1] [--out CONDUCTOR.mid]

Without --hits the strongest cuts are taken as hits.  Misses are signed frames at film rate: + = after the picture.
Exit codes as for every command: 0, 2 (also where a must hit is refused and --strict is given), 130.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.arrange.tempofit import TempoFitOptions, TempoPlan, TempoReport, fit_tempos
from engine.music import Cut, Film, Hit, TimeSignature, UserError, controls
from engine.music.command import SentenceParser
from engine.music.controls import BY_ADDRESS, TEMPO_KINDS
from engine.music.flags import add_flags, flag_value, flags_of
from engine.music.hit_text import hits_reading, parse_hits


def strongest(cuts: Sequence[Cut], count: int) -> tuple[Hit, ...]:
    """The strongest cuts as hits, in order of time, named by their number in the film."""
    numbered = sorted(enumerate(cuts, start=1), key=lambda item: (-item[1].strength, item[1].time_s))[:count]
    return tuple(Hit(cut.time_s, "should", f"cut {number}") for number, cut in sorted(numbered))


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; raises UserError for what the person can act on."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["export"]:
        from engine.commands.tempo_export import main as export

        return export(words[1:])
    arguments = parser().parse_args(words)
    options = fit_options(arguments)
    film, hits, said = look(arguments)
    if arguments.hits and (reading := hits_reading(arguments.hits)):
        sys.stderr.write(reading + "\n")
    report = fit_tempos(hits, film.rate, options)
    if arguments.write:
        write_plan(arguments.write, chosen_plan(report, arguments.plan), film)
    if arguments.json:
        sys.stdout.write(json.dumps(_as_json(report, film, hits, said), indent=1) + "\n")
    else:
        _tell(report, film, hits, said)
        if arguments.write:
            sys.stdout.write(f"written: {arguments.write} ({arguments.plan})\n")
    return 2 if arguments.strict and report.refusals else 0


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


def parser() -> argparse.ArgumentParser:
    """Of `cuebridge tempo FILM`."""
    parser = SentenceParser(
        prog="cuebridge tempo",
        description="Lists tempi, tempo ramps and odd bars that meet the hits of a film.  "
        "`cuebridge tempo export FILM` writes the conductor track for the DAW.",
    )
    add_arguments(parser)
    parser.add_argument("--write", metavar="FILE.mid", help="write a plan as tempo map with markers at the hits")
    parser.add_argument("--strict", action="store_true", help="exit code 2 where a must hit is refused")
    parser.add_argument("--json", action="store_true")
    return parser


def add_arguments(parser: argparse.ArgumentParser, film_optional: bool = False) -> None:
    """What finding a tempo and exporting it share."""
    parser.add_argument("film", metavar="VIDEO", nargs="?" if film_optional else None)
    parser.add_argument("--strongest", type=int, default=8, metavar="N", help="without --hits: so many cuts (8)")
    parser.add_argument("--must", action="store_true", help="without --hits: take the cuts as must hits")
    parser.add_argument("--bpm", default="70-140", metavar="LOW-HIGH", help="tempi to look at (%(default)s)")
    parser.add_argument("--on", choices=("beat", "eighth", "sixteenth"), default="beat", help="what hits fall on")
    parser.add_argument("--curve", type=float, default=4.0, metavar="PERCENT", help="how far a tempo may bend (4)")
    parser.add_argument("--count", type=int, default=5, metavar="N", help="plans of each kind")
    parser.add_argument(
        "--plan", default="fixed:1", metavar="KIND:N", help="which: fixed:1, ramp:2, steps:1, odd:1, bars:1 …"
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


def write_plan(path: str | Path, plan: TempoPlan, film: Film) -> None:
    """A MIDI file with the plan's tempo and meter and a marker at each hit."""
    from engine.midifile import Marker, write_events

    markers = [
        Marker(plan.tempo_map.beats_at(miss.hit.time_s), f"hit {miss.hit.name or f'{miss.hit.time_s:.2f}'}")
        for miss in plan.misses
    ]
    write_events(path, (), plan.tempo_map, markers=markers, title=f"{Path(film.path).stem} {plan.bpm:g} bpm")


def _plan_json(plan: TempoPlan) -> dict[str, Any]:
    return {
        "kind": plan.kind,
        "bpm": round(plan.bpm, 3),
        "met": plan.met,
        "near": plan.near,
        "bend_percent": round(plan.bend_percent, 3),
        "odd_bars": [[beats, str(meter)] for beats, meter in plan.odd_bars],
        "refused": [miss.hit.name or miss.hit.time_s for miss in plan.refused],
        "tempos": [[float(change.beat), float(change.bpm)] for change in plan.tempo_map.tempos],
        "misses": [
            {"time_s": miss.hit.time_s, "name": miss.hit.name, "weight": miss.hit.weight, "beats": miss.beats,
             "bar_beat": str(plan.tempo_map.bar_beat_at(miss.beats)), "frames": round(miss.miss_frames, 3)}
            for miss in plan.misses
        ],
    }  # fmt: skip


def _as_json(report: TempoReport, film: Film, hits: Sequence[Hit], said: str) -> dict[str, Any]:
    return {
        "film": film.path,
        "rate": film.rate.name,
        "hits": len(hits),
        "hits_reason": said,
        "fixed": [_plan_json(plan) for plan in report.fixed],
        "ramps": [_plan_json(plan) for plan in report.ramps],
        "steps": [_plan_json(plan) for plan in report.steps],
        "bars": [_plan_json(plan) for plan in report.bars],
        "odd_bars": [_plan_json(plan) for plan in report.odd_bars],
        "refusals": list(report.refusals),
    }


def _tell(report: TempoReport, film: Film, hits: Sequence[Hit], said: str) -> None:
    out = sys.stdout.write
    out(f"{len(hits)} hits ({said}); frames at {film.rate}, + = after the picture\n")
    for title, plans in (
        ("fixed tempi (fixed:1 …)", report.fixed),
        ("tempo ramps, a little each beat (ramp:1 …)", report.ramps),
        ("one tempo from hit to hit (steps:1 …)", report.steps),
        ("odd bars, hits on bar lines (odd:1 …)", report.odd_bars),
        ("ramps with odd bars, every hit that is met opens a bar (bars:1 …)", report.bars),
    ):
        out(f"\n{title}\n" if plans else f"\n{title}: none found\n")
        for number, plan in enumerate(plans, start=1):
            extra = f"  bends {plan.bend_percent:.2f} %" if plan.bend_percent else ""
            if plan.odd_bars:
                named = [f"{meter} in bar {plan.tempo_map.bar_at(beats)}" for beats, meter in plan.odd_bars]
                extra += "  " + ", ".join(named)
            frames = " ".join(f"{miss.miss_frames:+.1f}" for miss in plan.misses)
            out(f"{number:3}  {plan.bpm:6.1f} bpm  {plan.met}/{len(plan.misses)} met  [{frames}]{extra}\n")
    for sentence in report.refusals:
        out(f"\n{sentence}\n")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UserError as error:
        sys.stderr.write(f"cuebridge: {error}\n")
        sys.exit(2)
