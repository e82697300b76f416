"""`compose VIDEO`: a film in, a .mid out, and a plain table of what was composed.

Arguments are read before anything heavy is loaded, so that a wrong one is answered at once.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.brief import FilmPlan
from engine.commands.compose_report import facts_of, progress_bar, tell
from engine.composer import compose_takes
from engine.music import PARTS, Hit, Key, Take, TimeSignature, UserError, parse_progression
from engine.music.command import SentenceParser, check_film_exists, check_spares_input
from engine.music.controls import CHORDS_ON, GRID_CHOICES, HARMONIC_RHYTHMS, READINGS
from engine.music.cue_text import parse_cues
from engine.music.cueplan import CUE_ENDINGS, ENSEMBLES, FORMS
from engine.music.progression import MODES
from engine.process.messages import ComposeOptions

if TYPE_CHECKING:
    from engine.arrange import Arrangement, ArrangeOptions
    from engine.music import Composition


def parser(
    prog: str = "cuebridge compose", description: str = "Composes music for a film and writes it as MIDI."
) -> argparse.ArgumentParser:
    """The command's arguments."""
    main = SentenceParser(prog=prog, description=description, allow_abbrev=False)
    main.add_argument("video", metavar="VIDEO", help="the film, any file that holds pictures")
    main.add_argument("-o", "--output", metavar="FILE", help="file to write (default: named after the film)")
    harmony = main.add_argument_group("harmony")
    harmony.add_argument(
        "--progression", metavar="CHORDS", help="'C Am F G', 'Cm:2 Ab:1' or '| Cm | Ab | Eb Bb | G7 |'"
    )
    harmony.add_argument("--mode", choices=MODES, default="start", help="start with it, loop it, or exactly this")
    harmony.add_argument("--key", metavar="KEY", help="C, Am, 'F# minor', …; default: C major or A minor by the mood")
    harmony.add_argument("--harmonic-rhythm", choices=HARMONIC_RHYTHMS, default="auto", help="bars per chord")
    harmony.add_argument(
        "--form", choices=("none", "auto", *FORMS), default="none",
        help="form of each cue; auto: the take draws one for the picture, none: one stretch of equal music",
    )  # fmt: skip
    harmony.add_argument(
        "--ensemble", choices=("auto", *ENSEMBLES), default="auto", help="with --form: who plays; auto: by the moods"
    )
    harmony.add_argument(
        "--ending", choices=("auto", *CUE_ENDINGS), default="auto", help="with --form: how cues end; auto: by the mood"
    )
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
        "--cue", action="append", default=[], metavar="CUE",
        help="a cue with its own bar 1: '1m1 10 42.5 key=Am bpm=96 progression=Am F'; several are told one by one",
    )  # fmt: skip
    timing.add_argument(
        "--hits", metavar="LIST", help="moments to meet: '4.71! door=9.62 01:00:16:08?'; ! = must, ? = nice"
    )
    timing.add_argument(
        "--chords-on", choices=CHORDS_ON, default="hits", help="change chords on hits, strong cuts or all cuts too"
    )
    timing.add_argument(
        "--grid", choices=GRID_CHOICES, default="auto", help="chords on beats, or on seconds as in the paper"
    )
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
    mood.add_argument("--density-map", choices=("stretched", "rolling", "paper"), default="stretched")
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
    check_film_exists(arguments.video)
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
        results.append(facts_of(score, arrangement, output))
    total_s = time.perf_counter() - begun
    for facts in results:
        facts["seconds"]["whole"] = round(total_s, 3)
    if arguments.json:
        sys.stdout.write(json.dumps(results[0] if len(results) == 1 else results, indent=1) + "\n")
    else:
        tell(results, scores)
    return 0


def _vary(arguments: argparse.Namespace, wish: FilmPlan, options: ArrangeOptions) -> int:
    """Writes versions of a cue into a folder, one file per part."""
    from engine.commands.variations import parse_dimensions, vary, write_variation
    from engine.composer import Composer
    from engine.process.analysis import AnalysisTask, analyse_in_child

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
        key = None if arguments.key is None else Key.parse(arguments.key)
        progression = parse_progression(arguments.progression, arguments.mode, key)
        for reading in progression.readings:
            sys.stderr.write(reading + "\n")
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
            form=arguments.form,
            ensemble=arguments.ensemble,
            ending=arguments.ending,
        ),
        reading=arguments.reading,
        clip_weights=arguments.clip_weights,
        cues=parse_cues(arguments.cue),
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
    from engine.commands.tempo import parse_hits
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
    if first.is_dir():
        raise UserError(f"{first} is a folder; name a .mid file to write.")
    if not os.access(first.parent, os.W_OK):
        raise UserError(f"Nothing can be written into the folder {first.parent}.")
    check_spares_input(arguments.video, first)
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
