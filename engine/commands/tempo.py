"""Command `tempo`: tempi that meet the hits of a film, and the conductor track for the DAW.

    cuebridge tempo FILM [--hits "4.71! 9.62 01:00:16:08? fall=22.08"] [--bpm 70-140] [--meter 4/4] [--write PLAN.mid]
    cuebridge tempo export FILM [the same, or --tempo-map MAP.mid] [--plan curve:1] [--out CONDUCTOR.mid]

Without --hits the strongest cuts are taken as hits.  Misses are signed frames at film rate: + = after the picture.
Exit codes as for every command: 0, 2 (also where a must hit is refused and --strict is given), 130.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.arrange.tempofit import TempoPlan, TempoReport, fit_tempos
from engine.commands.tempo_plan import add_arguments, chosen_plan, fit_options, look
from engine.music import Film, Hit
from engine.music.command import SentenceParser, check_spares_input
from engine.music.files import check_output, make_way
from engine.music.hit_text import hits_reading


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; raises UserError for what the person can act on."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["export"]:
        from engine.commands.tempo_export import main as export

        return export(words[1:])
    arguments = parser().parse_args(words)
    options = fit_options(arguments)
    if arguments.write:
        check_spares_input(arguments.film, arguments.write)
        check_output(arguments.write, replace=arguments.replace)
    film, hits, said = look(arguments)
    if arguments.hits and (reading := hits_reading(arguments.hits)):
        sys.stderr.write(reading + "\n")
    report = fit_tempos(hits, film.rate, options)
    if arguments.write:
        make_way(arguments.write, replace=arguments.replace)
        write_plan(arguments.write, chosen_plan(report, arguments.plan), film)
    if arguments.json:
        sys.stdout.write(json.dumps(_as_json(report, film, hits, said), indent=1) + "\n")
    else:
        _tell(report, film, hits, said)
        if arguments.write:
            sys.stdout.write(f"written: {arguments.write} ({arguments.plan})\n")
    return 2 if arguments.strict and report.refusals else 0


def parser() -> argparse.ArgumentParser:
    """Of `cuebridge tempo FILM`."""
    parser = SentenceParser(
        prog="cuebridge tempo",
        description="Lists tempi, tempo ramps and odd bars that meet the hits of a film.  "
        "`cuebridge tempo export FILM` writes the conductor track for the DAW.",
    )
    add_arguments(parser)
    parser.add_argument("--write", metavar="FILE.mid", help="write a plan as a tempo map, with markers at the hits")
    parser.add_argument("--replace", action="store_true", help="replace an existing file, keeping it as FILE.mid.bak")
    parser.add_argument("--strict", action="store_true", help="exit with code 2 if a must hit is refused")
    parser.add_argument("--json", action="store_true")
    return parser


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
