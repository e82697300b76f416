"""What `compose` says about what it composed: facts as plain data, a table for people, a progress bar.

Importing this is light; what draws or counts is loaded when it is used.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.composer import FilmScore
from engine.music import PARTS

if TYPE_CHECKING:
    from engine.arrange import Arrangement
    from engine.music import Composition

_BAR_WORDS = 8  # bars on one line of the table

NO_NOTES: Final = "none: what is planned here has nothing for the parts that play; --parts or --ensemble say otherwise"


def chord_runs(composition: Composition) -> list[dict[str, Any]]:
    """Chords as a person counts them: equal neighbours merged, with bar, seconds and where they come from."""
    from engine.arrange.rhythm import merge_runs

    rows = []
    for run in merge_runs(composition.slots):
        first = composition.slots[run.first]
        rows.append(
            {
                "chord": composition.spell(run.chord),
                "bar": str(composition.tempo_map.bar_beat_at(round(run.start_beats, 6))),
                "start_s": round(run.start_s, 3),
                "end_s": round(run.end_s, 3),
                "from": "pin" if first.pinned else "progression" if first.given else "network",
            }
        )
    return rows


def facts_of(score: FilmScore, arrangement: Arrangement, output: Path) -> dict[str, Any]:
    """The report of one take, ready for JSON; `--json` prints it."""
    composition = score.composition
    film = composition.film
    planned = {} if not composition.plans else {"cues": _cue_rows(composition)}
    notes = {part: sum(1 for note in arrangement.notes if note.part == part) for part in PARTS}
    return {
        "file": str(output),
        "film": {
            "path": film.path,
            "seconds": round(film.duration_s, 3),
            "frame_rate": str(film.rate),
            "cuts": len(composition.cuts),
        },
        "reading": score.features.reading,
        "reading_reason": score.features.reason,
        "notes_to_you": list(score.features.notes),
        "take": composition.take.number,
        "take_name": composition.take.name,
        "key": composition.key.name,
        "key_reason": composition.key_reason,
        "grid": composition.grid,
        "bpm": float(composition.tempo_map.bpm_at(0.0)),
        "tempo_reason": composition.tempo_reason,
        "meter": str(composition.tempo_map.meter_at(0.0)),
        "picture_starts_at_s": composition.picture_starts_at_s,
        "slots": len(composition.slots),
        "hits": hit_rows(composition),
        "chords": chord_runs(composition),
        "notes_per_part": notes,
        "seconds": {"analysis": round(score.analysis_s, 3), "composition": round(score.compose_s, 3)},
        "peak_memory_mib": peak_memory_mib(),
        "weights": list(score.weights),
        **planned,
    }


def _cue_rows(composition: Composition) -> list[dict[str, Any]]:
    """What each planned cue is made of."""
    return [
        {
            "name": composition.cues[plan.cue].name if plan.cue < len(composition.cues) else "1m1",
            "in_s": round(plan.sections[0].start_s, 3),
            "out_s": round(plan.sections[-1].end_s, 3),
            "form": plan.form,
            "ensemble": plan.ensemble,
            "key": plan.sections[0].key.name,
            "ending": plan.ending,
            "plan": plan.reason,
        }
        for plan in composition.plans
    ]


def _plain_cue_rows(composition: Composition) -> list[dict[str, Any]]:
    """Each cue that was composed without a plan, with its own key and tempo."""
    return [
        {
            "name": cue.name,
            "in_s": round(cue.in_s, 3),
            "out_s": round(composition.film.duration_s if cue.out_s is None else cue.out_s, 3),
            "key": (cue.key or composition.key).name,
        }
        for cue in composition.cues
    ]


def _bpm_at(composition: Composition, picture_s: float) -> float:
    """Tempo just after a picture second."""
    return round(float(composition.tempo_map.bpm_at(composition.beats_at_picture(picture_s) + 1e-6)), 3)


def hit_rows(composition: Composition) -> list[dict[str, Any]]:
    """Where each hit is played and how far from the picture, in signed frames (+ = after it)."""
    from engine.arrange.tempofit import composition_misses

    return [
        {
            "name": miss.hit.name,
            "weight": miss.hit.weight,
            "timecode": str(composition.film.timecode_at(miss.hit.time_s)),
            "bar": str(composition.tempo_map.bar_beat_at(miss.beats)),
            "frames": round(miss.miss_frames, 2),
            "met": miss.met,
        }
        for miss in composition_misses(composition)
    ]


def peak_memory_mib() -> dict[str, float] | None:
    """Highest resident memory of this process and of its largest child so far; None where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return {
        "composing": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1),
        "analysis": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / unit, 1),
    }


def tell(results: Sequence[dict[str, Any]], scores: Sequence[FilmScore]) -> None:
    """Prints the table for people."""
    out = sys.stdout
    for facts, score in zip(results, scores, strict=True):
        film, seconds, memory = facts["film"], facts["seconds"], facts["peak_memory_mib"]
        out.write(f"Film     {Path(film['path']).name}: {film['seconds']:g} s, {film['frame_rate']} fps, ")
        out.write(f"{film['cuts']} cuts\n")
        out.write(f"Reading  {facts['reading']}: {facts['reading_reason']}\n")
        for note in facts["notes_to_you"]:
            out.write(f"Note     {note}\n")
        out.write(f"Tempo    {facts['tempo_reason']} ({facts['meter']})\n")
        out.write(f"Key      {facts['key_reason']}\n")
        for row in facts.get("cues") or _plain_cue_rows(score.composition):
            plan = f": {row['plan']}, ends {row['ending']}" if "plan" in row else ""
            out.write(f"Cue      {row['name']} {row['in_s']:.1f} to {row['out_s']:.1f} s, ")
            out.write(f"{_bpm_at(score.composition, row['in_s']):g} bpm, {row['key']}{plan}\n")
        out.write(f"Take     {facts['take_name']} ({facts['take']})\n")
        for hit in facts["hits"]:
            label = f"{hit['name']} " if hit["name"] else ""
            verdict = "met" if hit["met"] else "refused" if hit["weight"] == "must" else "missed"
            out.write(f"Hit      {label}{hit['timecode']}  bar {hit['bar']}  {hit['frames']:+.2f} frames  {verdict}\n")
        if any(hit["weight"] == "must" and not hit["met"] for hit in facts["hits"]):
            out.write("         A must hit is met within half a frame; `cuebridge tempo` lists the tempi that do.\n")
        out.write("Chords\n")
        for line in bar_lines(score.composition):
            out.write(f"  {line}\n")
        notes = ", ".join(f"{part} {count}" for part, count in facts["notes_per_part"].items() if count)
        out.write(f"Notes    {notes or NO_NOTES}\n")
        out.write(f"Time     looking {seconds['analysis']:.1f} s, composing {seconds['composition']:.1f} s, ")
        out.write(f"whole command {seconds['whole']:.1f} s\n")
        if memory is not None:
            out.write(
                f"Memory   composing {memory['composing']:.0f} MiB, looking {memory['analysis']:.0f} MiB at most\n"
            )
        out.write(f"Written  {facts['file']}\n")


def bar_lines(composition: Composition) -> list[str]:
    """The chords as bars, eight to a line, with the time at which each line begins."""
    tempo_map = composition.tempo_map
    bars: dict[int, list[str]] = {}
    start_s: dict[int, float] = {}
    previous = None
    for slot in composition.slots:
        bar = tempo_map.bar_at(round(slot.start_beats, 6))
        words = bars.setdefault(bar, [])
        start_s.setdefault(bar, slot.start_s)
        if not words or slot.chord != previous:
            words.append(composition.spell(slot.chord))
        previous = slot.chord
    numbers = sorted(bars)
    lines = []
    for first in range(0, len(numbers), _BAR_WORDS):
        row = numbers[first : first + _BAR_WORDS]
        minutes, seconds = divmod(start_s[row[0]], 60)
        cells = " | ".join(" ".join(bars[bar]) for bar in row)
        lines.append(f"{int(minutes):02d}:{seconds:04.1f}  bar {row[0]:<4d} | {cells} |")
    return lines


@contextmanager
def progress_bar(stream: Any, *, quiet: bool) -> Iterator[Callable[[float, str], None]]:
    """A bar on a terminal; elsewhere nothing."""
    if quiet or not stream.isatty():
        yield lambda fraction, phase: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(file=stream), transient=True) as bar:
        task = bar.add_task("opening", total=1.0)
        yield lambda fraction, phase: bar.update(task, completed=fraction, description=phase)
