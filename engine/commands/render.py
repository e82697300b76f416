"""`render FILM -o OUT.mp4|.wav|.flac`: composes as `compose` does and writes the music as sound, with the film.

The options of `compose` are read by its own parser.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.commands import compose
from engine.commands.compose_report import facts_of, progress_bar, tell
from engine.music import UserError
from engine.music.command import check_film_exists

if TYPE_CHECKING:
    from engine.sound.render import Rendered, RenderOptions

_COMPOSE_ONLY = ("takes", "vary", "length", "loopable")


def parser() -> argparse.ArgumentParser:
    """The arguments of `compose`, and those of sound."""
    main = compose.parser("cuebridge render", "Composes music for a film and writes it as sound, or the film with it.")
    sound = main.add_argument_group("sound")
    sound.add_argument(
        "--loudness", default="-18", metavar="LUFS", help="of the whole (default -18); off: as it comes from the mixer"
    )
    sound.add_argument(
        "--film-sound", choices=("keep", "duck", "drop"), default="keep", help="duck: lower it under music"
    )
    sound.add_argument("--stems", metavar="DIR", help="write each part, and the film's sound, as a .wav too")
    sound.add_argument("--soundfont", metavar="FILE.sf2", help="default: FluidR3 of the system, else a small one")
    sound.add_argument("--reencode", action="store_true", help="make the picture H.264 instead of copying it")
    sound.add_argument("--overwrite", action="store_true", help="replace files that are there already")
    return main


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; raises UserError for what the person can act on."""
    arguments = parser().parse_args(argv)
    _refuse_compose_only(arguments)
    wish = compose.plan_from(arguments)
    arrangement_options = compose.arrange_options(arguments)
    check_film_exists(arguments.video)
    options = _options(arguments)
    from engine.sound.render import check_output, render

    check_output(arguments.video, options)
    if arguments.hits is not None:
        wish = replace(wish, hits=compose.hits_of(arguments))
    begun = time.perf_counter()
    with progress_bar(sys.stderr, quiet=arguments.json) as report:
        (score,) = compose.compose_takes(
            arguments.video,
            wish,
            1,
            progress=lambda fraction, phase: report(0.5 * fraction, phase),
            cache_dir=arguments.cache_dir,
            use_cache=not arguments.no_cache,
        )
        score = replace(score, composition=compose.placed(score.composition, arguments))
        from engine.arrange import arrange
        from engine.sound.events import composition_events

        composition = score.composition
        arrangement = arrange(composition, arrangement_options)
        events = composition_events(composition, arrangement)
        sounding = time.perf_counter()
        rendered = render(arguments.video, events, options, lambda fraction, phase: report(0.5 + 0.5 * fraction, phase))
    facts = facts_of(score, arrangement, options.output)
    facts["seconds"]["sound"] = round(time.perf_counter() - sounding, 3)
    facts["seconds"]["whole"] = round(time.perf_counter() - begun, 3)
    facts["sound"] = sound_facts(rendered, options)
    if arguments.json:
        sys.stdout.write(json.dumps(facts, indent=1) + "\n")
    else:
        tell([facts], [score])
        write_sound_lines(facts["sound"], facts["seconds"]["sound"])
    return 0


def _refuse_compose_only(arguments: argparse.Namespace) -> None:
    defaults = parser().parse_args([arguments.video])
    for name in _COMPOSE_ONLY:
        if getattr(arguments, name) != getattr(defaults, name):
            raise UserError(f"--{name} is for `cuebridge compose`; `render` writes one take, --take says which.")


def _options(arguments: argparse.Namespace) -> RenderOptions:
    from engine.sound.fonts import find_soundfont
    from engine.sound.render import RenderOptions

    loudness: float | None = None
    if arguments.loudness.lower() != "off":
        try:
            loudness = float(arguments.loudness)
        except ValueError:
            loudness = math.nan
        if not math.isfinite(loudness):
            raise UserError(f"'{arguments.loudness}' is no loudness; name LUFS such as -16, or off.")
    output = arguments.output or f"{Path(arguments.video).stem}-with-music.mp4"
    return RenderOptions(
        output=Path(output),
        soundfont=find_soundfont(arguments.soundfont),
        loudness_lufs=loudness,
        film_sound=arguments.film_sound,
        stems=None if arguments.stems is None else Path(arguments.stems),
        reencode=arguments.reencode,
        overwrite=arguments.overwrite,
    )


def sound_facts(rendered: Rendered, options: RenderOptions) -> dict[str, Any]:
    """The report of the sound, ready for JSON."""
    return {
        "file": str(rendered.output),
        "seconds": round(rendered.length_s, 6),
        "lufs": round(rendered.lufs, 2) if math.isfinite(rendered.lufs) else None,
        "gain_db": round(rendered.gain_db, 2),
        "limited_db": round(rendered.limited_db, 2),
        "soundfont": str(options.soundfont),
        "film_sound": options.film_sound,
        "stems": [str(path) for path in rendered.stems],
        "notes_to_you": list(rendered.notes),
    }


def write_sound_lines(facts: dict[str, Any], took_s: float) -> None:
    """The lines for people about the sound."""
    out = sys.stdout
    loudness = "silence" if facts["lufs"] is None else f"{facts['lufs']:.1f} LUFS"
    out.write(f"Sound    {loudness}, {Path(facts['soundfont']).name}, film's own sound: {facts['film_sound']}; ")
    out.write(f"{took_s:.1f} s\n")
    for note in facts["notes_to_you"]:
        out.write(f"Note     {note}\n")
    for path in facts["stems"]:
        out.write(f"Stem     {path}\n")


if __name__ == "__main__":
    sys.exit(main())
