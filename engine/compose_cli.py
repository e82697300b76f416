"""`compose VIDEO`: a film in, a .mid out, and a plain table of what was composed.

Arguments are read before anything heavy is loaded, so that a wrong one is answered at once.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.arrange.changes import CHORDS_ON
from engine.film_plan import GRIDS, FilmPlan
from engine.messages import HARMONIC_RHYTHMS, READINGS, ComposeOptions
from engine.music import A_MINOR, C_MAJOR, PARTS, Hit, Key, Take, TimeSignature, UserError, parse_progression
from engine.music.progression import MODES
from engine.pipeline import FilmScore, compose_takes

if TYPE_CHECKING:
    from engine.arrange import Arrangement, ArrangeOptions
    from engine.music import Composition

_BAR_WORDS = 8  # bars on one line of the table


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence."""

    def error(self, message: str) -> Any:
        raise UserError(f"{message}.")


def parser(
    prog: str = "cuebridge compose", description: str = "Composes music for a film and writes it as MIDI."
) -> argparse.ArgumentParser:
    """The command's arguments."""
    main = _Parser(prog=prog, description=description, allow_abbrev=False)
    main.add_argument("video", metavar="VIDEO", help="the film, any file that holds pictures")
    main.add_argument("-o", "--output", metavar="FILE", help="file to write (default: named after the film)")
    harmony = main.add_argument_group("harmony")
    harmony.add_argument(
        "--progression", metavar="CHORDS", help="'C Am F G', 'Cm:2 Ab:1' or '| Cm | Ab | Eb Bb | G7 |'"
    )
    harmony.add_argument("--mode", choices=MODES, default="start", help="start with it, loop it, or exactly this")
    harmony.add_argument("--key", metavar="KEY", help="C, Am, 'F# minor', …; default: C major or A minor by the mood")
    harmony.add_argument("--harmonic-rhythm", choices=HARMONIC_RHYTHMS, default="auto", help="bars per chord")
    harmony.add_argument("--take", type=int, default=1, metavar="N", help="the same number gives the same music")
    harmony.add_argument(
        "--takes", type=int, default=1, metavar="N", help="write this many takes, numbered from --take"
    )
    harmony.add_argument(
        "--vary", metavar="LIST", help="with --takes: versions that differ, by key,tempo,pattern,mode; a file per part"
    )
    harmony.add_argument("--length", metavar="S,S", help="with --vary: seconds of the versions, for example 15,30,60")
    harmony.add_argument("--loopable", action="store_true", help="with --vary: whole bars, no note across the seam")
    harmony.add_argument("--candidates", type=int, default=1, metavar="N", help="decode N results and keep the best")
    timing = main.add_argument_group("time")
    timing.add_argument("--bpm", type=float, metavar="BPM", help="quarter notes a minute; default: what suits the cuts")
    timing.add_argument("--meter", metavar="N/D", help="time signature (default 4/4)")
    timing.add_argument(
        "--hits", metavar="LIST", help="moments to meet: '4.71! door=9.62 01:00:16:08?'; ! = must, ? = nice"
    )
    timing.add_argument(
        "--chords-on", choices=CHORDS_ON, default="hits", help="change chords on hits, strong cuts or all cuts too"
    )
    timing.add_argument("--grid", choices=GRIDS, default="auto", help="chords on beats, or on seconds as in the paper")
    timing.add_argument("--tempo-map", metavar="FILE.mid", help="tempo and meter changes from a MIDI file")
    timing.add_argument(
        "--picture-starts-at",
        default="0",
        metavar="WHERE",
        help="where the first frame lies in the DAW: seconds, bar|beat or hh:mm:ss:ff",
    )
    mood = main.add_argument_group("mood and playing")
    mood.add_argument("--dark-light", type=float, default=0.0, metavar="-100..100", help="0 = as the picture")
    mood.add_argument("--calm-tense", type=float, default=0.0, metavar="-100..100", help="0 = as the picture")
    mood.add_argument("--follow-picture", type=float, default=50.0, metavar="0..100", help="per cent")
    mood.add_argument("--adventurous", type=float, default=4.0, metavar="0..10", help="how far harmony strays")
    mood.add_argument("--activity", type=float, metavar="0..100", help="default: as the picture")
    mood.add_argument("--dynamics", type=float, metavar="0..100", help="default: as the picture")
    mood.add_argument("--pattern", default="auto", help="arpeggio: auto, 1..5, up, down, alberti, octaves or '1 * 2 *'")
    mood.add_argument("--parts", metavar="LIST", help=f"of {','.join(PARTS)} (default: all that are on)")
    mood.add_argument("--velocity-map", choices=("stretched", "paper"), default="stretched")
    mood.add_argument("--density-map", choices=("stretched", "paper"), default="stretched")
    looking = main.add_argument_group("looking at the film")
    looking.add_argument("--reading", choices=READINGS, default="auto", help="full needs CLIP weights, quick nothing")
    looking.add_argument("--clip-weights", metavar="FILE", help="CLIP weights for the full reading")
    looking.add_argument("--no-cache", action="store_true", help="look anew and keep nothing")
    looking.add_argument("--cache-dir", metavar="DIR", help="where features are kept")
    main.add_argument("--json", action="store_true", help="report as JSON on standard output")
    return main


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; raises UserError for what the person can act on."""
    arguments = parser().parse_args(argv)
    wish = plan_from(arguments)
    options = arrange_options(arguments)
    if not 1 <= arguments.takes <= 100:
        raise UserError(f"--takes is 1 to 100, not {arguments.takes}.")
    if not Path(arguments.video).exists():
        raise UserError(f"There is no file {arguments.video}.")
    if arguments.hits is not None:
        wish = replace(wish, hits=hits_of(arguments))
    if arguments.vary is not None:
        return _vary(arguments, wish, options)
    if arguments.length is not None or arguments.loopable:
        raise UserError("--length and --loopable go with --vary.")
    outputs = _outputs(arguments)
    begun = time.perf_counter()
    with progress_bar(sys.stderr, quiet=arguments.json) as report:
        scores = compose_takes(
            arguments.video,
            wish,
            arguments.takes,
            progress=report,
            cache_dir=arguments.cache_dir,
            use_cache=not arguments.no_cache,
        )
    scores = tuple(replace(score, composition=placed(score.composition, arguments)) for score in scores)
    results = []
    for score, output in zip(scores, outputs, strict=True):
        arrangement = _write(score.composition, options, output)
        results.append(_facts(score, arrangement, output))
    total_s = time.perf_counter() - begun
    for facts in results:
        facts["seconds"]["whole"] = round(total_s, 3)
    if arguments.json:
        sys.stdout.write(json.dumps(results[0] if len(results) == 1 else results, indent=1) + "\n")
    else:
        _tell(results, scores)
    return 0


def _vary(arguments: argparse.Namespace, wish: FilmPlan, options: ArrangeOptions) -> int:
    """Writes versions of a cue into a folder, one file per part."""
    from engine.analysis_child import AnalysisTask, analyse_in_child
    from engine.pipeline import Composer, use_threads
    from engine.variations import parse_dimensions, vary, write_variation

    dimensions = parse_dimensions(arguments.vary)
    lengths: list[float | None] = [None]
    if arguments.length is not None:
        try:
            lengths = [float(word) for word in arguments.length.replace(",", " ").split()]
        except ValueError:
            raise UserError(f"'{arguments.length}' is not a list of seconds.") from None
    folder = Path(arguments.output or Path(arguments.video).stem + "_versions")
    task = AnalysisTask(arguments.video, wish.reading, wish.clip_weights, arguments.cache_dir, not arguments.no_cache)
    rows: list[dict[str, Any]] = []
    with progress_bar(sys.stderr, quiet=arguments.json) as report:
        features = analyse_in_child(task, lambda fraction, phase: report(0.5 * fraction, phase))
        use_threads()
        composer = Composer(wish.weights)
        for number, length_s in enumerate(lengths):
            report(0.5 + 0.5 * number / len(lengths), "composing versions")
            versions = vary(
                composer,
                features,
                wish,
                options,
                arguments.takes,
                dimensions,
                lambda composition: placed(composition, arguments),
                length_s,
                arguments.loopable,
            )
            suffix = "" if length_s is None else f"_{length_s:g}s"
            for version in versions:
                paths = write_variation(version, folder, "1m1", suffix)
                cue = version.composition.cues[0]
                rows.append(
                    {
                        "name": version.name("1m1") + suffix,
                        "key": version.composition.key.name,
                        "bpm": float(version.composition.tempo_map.tempos[0].bpm),
                        "pattern": version.options.pattern,
                        "take": version.composition.take.number,
                        "seconds": round(cue.out_s or features.film.duration_s, 3),
                        "files": [str(path) for path in paths],
                    }
                )
    if arguments.json:
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
        return 0
    for row in rows:
        sys.stdout.write(f"{row['name']:28} {row['key']:10} {row['bpm']:6.1f} bpm  {row['seconds']:6.2f} s  ")
        sys.stdout.write(f"pattern {row['pattern']}\n")
    sys.stdout.write(f"Written  {sum(len(row['files']) for row in rows)} files in {folder}\n")
    return 0


def plan_from(arguments: argparse.Namespace) -> FilmPlan:
    """What was asked for, checked.  Raises UserError."""
    progression = None
    if arguments.progression is not None:
        progression = parse_progression(arguments.progression, arguments.mode)
    elif arguments.mode != "start":
        raise UserError(f"--mode {arguments.mode} needs a --progression.")
    tempo_map = None
    if arguments.tempo_map is not None:
        from engine.midifile import read_tempo_map

        tempo_map = read_tempo_map(arguments.tempo_map)
    if arguments.bpm is not None and not 20 <= arguments.bpm <= 400:
        raise UserError(f"--bpm is 20 to 400, not {arguments.bpm:g}.")
    for name, low, high in (
        ("dark_light", -100, 100),
        ("calm_tense", -100, 100),
        ("follow_picture", 0, 100),
        ("adventurous", 0, 10),
        ("activity", 0, 100),
        ("dynamics", 0, 100),
        ("candidates", 1, 64),
    ):
        value = getattr(arguments, name)
        if value is not None and not (math.isfinite(value) and low <= value <= high):
            raise UserError(f"--{name.replace('_', '-')} is {low} to {high}, not {value:g}.")
    return FilmPlan(
        progression=progression,
        key=None if arguments.key is None else Key.parse(arguments.key),
        bpm=arguments.bpm,
        meter=None if arguments.meter is None else TimeSignature.parse(arguments.meter),
        tempo_map=tempo_map,
        grid=arguments.grid,
        picture_starts_at=arguments.picture_starts_at,
        take=Take(arguments.take),
        options=ComposeOptions(
            adventurous=arguments.adventurous,
            follow_picture=arguments.follow_picture,
            dark_light=arguments.dark_light,
            calm_tense=arguments.calm_tense,
            harmonic_rhythm=arguments.harmonic_rhythm,
            activity=arguments.activity,
            dynamics=arguments.dynamics,
            candidates=arguments.candidates,
        ),
        reading=arguments.reading,
        clip_weights=arguments.clip_weights,
    )


def arrange_options(arguments: argparse.Namespace) -> ArrangeOptions:
    """How the parts are to play.  Raises UserError."""
    from engine.arrange import ArrangeOptions

    options = ArrangeOptions(
        velocity_map=arguments.velocity_map,
        density_map=arguments.density_map,
        activity=arguments.activity,
        dynamics=arguments.dynamics,
        pattern=arguments.pattern,
    )
    if arguments.parts is not None:
        wanted = [word for word in arguments.parts.replace(",", " ").split() if word]
        unknown = [word for word in wanted if word not in PARTS]
        if unknown or not wanted:
            raise UserError(f"--parts takes some of {', '.join(PARTS)}, not '{arguments.parts}'.")
        for part in PARTS:
            options = options.with_part(part, enabled=part in wanted)
    return options


def hits_of(arguments: argparse.Namespace) -> tuple[Hit, ...]:
    """The hits that were asked for, at the film's own frame rate.  Raises UserError."""
    from engine.tempo_cli import parse_hits
    from engine.video import probe

    film = probe(arguments.video)
    hits = parse_hits(arguments.hits, film)
    for hit in hits:
        if hit.time_s > film.duration_s:
            raise UserError(f"the hit at {hit.time_s:g} s lies after the film, which lasts {film.duration_s:.2f} s.")
    return hits


def placed(composition: Composition, arguments: argparse.Namespace) -> Composition:
    """The composition with chords on the hits and cuts that they are wanted on."""
    from engine.arrange.changes import ChangeOptions, place_changes

    if arguments.chords_on == "off" or (arguments.chords_on == "hits" and not composition.hits):
        return composition
    return place_changes(composition, ChangeOptions(arguments.harmonic_rhythm, arguments.chords_on))


def _outputs(arguments: argparse.Namespace) -> list[Path]:
    first = Path(arguments.output) if arguments.output else Path(Path(arguments.video).stem + ".mid")
    if not first.parent.is_dir():
        raise UserError(f"There is no folder {first.parent} to write {first.name} into.")
    if arguments.takes == 1:
        return [first]
    numbers = range(arguments.take, arguments.take + arguments.takes)
    return [first.with_name(f"{first.stem}_{Take(number).name}{first.suffix or '.mid'}") for number in numbers]


def _write(composition: Composition, options: ArrangeOptions, output: Path) -> Arrangement:
    from engine.arrange import arrange
    from engine.midifile import write_midi

    arrangement = arrange(composition, options)
    write_midi(output, composition, arrangement)
    return arrangement


# reports -----------------------------------------------------------------------------------------------------------
def spelled_flat(key: Key) -> bool:
    """Whether black keys are written as flats: in flat keys, and in C major and A minor, which borrow Bb, Eb and Ab."""
    return key.uses_flats or key in (C_MAJOR, A_MINOR)


def chord_runs(composition: Composition) -> list[dict[str, Any]]:
    """Chords as a person counts them: equal neighbours merged, with bar, seconds and where they come from."""
    from engine.arrange.rhythm import merge_runs

    flats = spelled_flat(composition.key)
    rows = []
    for run in merge_runs(composition.slots):
        first = composition.slots[run.first]
        rows.append(
            {
                "chord": run.chord.lead_sheet(flats=flats),
                "bar": str(composition.tempo_map.bar_beat_at(round(run.start_beats, 6))),
                "start_s": round(run.start_s, 3),
                "end_s": round(run.end_s, 3),
                "from": "pin" if first.pinned else "progression" if first.given else "network",
            }
        )
    return rows


def _facts(score: FilmScore, arrangement: Arrangement, output: Path) -> dict[str, Any]:
    composition = score.composition
    film = composition.film
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
        "hits": _hit_rows(composition),
        "chords": chord_runs(composition),
        "notes_per_part": notes,
        "seconds": {"analysis": round(score.analysis_s, 3), "composition": round(score.compose_s, 3)},
        "peak_memory_mib": peak_memory_mib(),
        "weights": list(score.weights),
    }


def _hit_rows(composition: Composition) -> list[dict[str, Any]]:
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


def _tell(results: Sequence[dict[str, Any]], scores: Sequence[FilmScore]) -> None:
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
        out.write(f"Notes    {notes or 'none'}\n")
        out.write(f"Time     looking {seconds['analysis']:.1f} s, composing {seconds['composition']:.1f} s, ")
        out.write(f"whole command {seconds['whole']:.1f} s\n")
        if memory is not None:
            out.write(
                f"Memory   composing {memory['composing']:.0f} MiB, looking {memory['analysis']:.0f} MiB at most\n"
            )
        out.write(f"Written  {facts['file']}\n")


def bar_lines(composition: Composition) -> list[str]:
    """The chords as bars, eight to a line, with the time at which each line begins."""
    flats = spelled_flat(composition.key)
    tempo_map = composition.tempo_map
    bars: dict[int, list[str]] = {}
    start_s: dict[int, float] = {}
    previous = None
    for slot in composition.slots:
        bar = tempo_map.bar_at(round(slot.start_beats, 6))
        words = bars.setdefault(bar, [])
        start_s.setdefault(bar, slot.start_s)
        if not words or slot.chord != previous:
            words.append(slot.chord.lead_sheet(flats=flats))
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
