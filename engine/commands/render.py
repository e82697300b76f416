"""`render FILM|SESSION.json -o OUT.mp4|.wav|.flac`: the music as sound, or the film with it.

A film is composed for as `compose` does, whose parser reads the options; a session sounds as `live` left it.
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
    from engine.document import SavedSession
    from engine.sound.render import Rendered, RenderOptions

# What can be said of a session; all else would compose it anew.
_ONE_TAKE = "`render` writes one take, --take says which"
_OF_SESSIONS = (
    "video", "output", "json", "loudness", "film_sound", "stems", "soundfont", "reencode", "replace", "board",
)  # fmt: skip


def parser() -> argparse.ArgumentParser:
    """The arguments of `compose`, and those of sound."""
    main = compose.parser(
        "cuebridge render", "Composes music for a film and writes the film with it, or the music as sound."
    )
    sound = main.add_argument_group("sound")
    sound.add_argument(
        "--loudness",
        default="-18",
        metavar="LUFS",
        help="integrated loudness of the result (-18); off: leave the mix as it is",
    )
    sound.add_argument(
        "--film-sound",
        choices=("keep", "duck", "drop"),
        default="keep",
        help="the film's own sound (keep); duck: lower it under the music",
    )
    sound.add_argument("--stems", metavar="DIR", help="also write each part, and the film's sound, as .wav files")
    sound.add_argument(
        "--soundfont", metavar="FILE.sf2", help="SoundFont; default: the system's FluidR3, else a small one"
    )
    sound.add_argument("--reencode", action="store_true", help="encode the picture as H.264 instead of copying it")
    sound.add_argument(
        "--board",
        metavar="DIR",
        help="of a session: write each take there as an .mp4, with its letter and timecode in the picture",
    )
    sound.add_argument("--overwrite", dest="replace", action="store_true", help=argparse.SUPPRESS)  # as it once was
    return main


def check(argv: list[str]) -> None:
    """Raises UserError where a command line for a film is wrong, as far as can be said without the film."""
    arguments = parser().parse_args(argv)
    compose.refuse_its_own(arguments, _ONE_TAKE)
    compose.plan_from(arguments)
    compose.arrange_options(arguments)
    _options(arguments)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; raises UserError for what the person can act on."""
    arguments = parser().parse_args(argv)
    check_film_exists(arguments.video)
    return _render_session(arguments) if arguments.video.endswith(".json") else _render_film(arguments)


def _render_film(arguments: argparse.Namespace) -> int:
    """Composes, then renders."""
    compose.refuse_its_own(arguments, _ONE_TAKE)
    if arguments.board is not None:
        raise UserError("--board takes a session: keep one with `cuebridge compose FILM --takes 12 --board`.")
    plan = compose.plan_from(arguments)
    arrangement_options = compose.arrange_options(arguments)
    options = _options(arguments)
    from engine.arrange import arrange
    from engine.sound.events import composition_events
    from engine.sound.render import check_output, render

    check_output(arguments.video, options)
    plan = compose.marked_brief(arguments, plan)
    begun = time.perf_counter()
    with progress_bar(sys.stderr, quiet=arguments.json) as report:
        (score,) = compose.compose_takes(
            arguments.video,
            plan,
            1,
            progress=lambda fraction, phase: report(0.5 * fraction, phase),
            cache_dir=arguments.cache_dir,
            use_cache=not arguments.no_cache,
        )
        score = replace(score, composition=compose.placed(score.composition, arguments))
        arrangement = arrange(score.composition, arrangement_options)
        events = composition_events(score.composition, arrangement)
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


def _render_session(arguments: argparse.Namespace) -> int:
    """Renders what a session of `live` holds, parts that were printed into the DAW with the others."""
    from engine.arrange.score import check_playable, session_arrangement
    from engine.document.file import read_session
    from engine.sound.events import composition_events
    from engine.sound.render import check_output, render

    names = [name for name in vars(arguments) if name not in _OF_SESSIONS]
    _refuse(arguments, names, "composes, and a session is composed already; change it in `live`")
    session = Path(arguments.video)
    saved = check_playable(read_session(session))
    film = film_of(saved, session)
    if arguments.board is not None:
        return _render_takes(arguments, saved, film)
    options = _options(arguments)
    check_output(film, options)
    begun = time.perf_counter()
    with progress_bar(sys.stderr, quiet=arguments.json) as report:
        composition, arrangement = session_arrangement(saved, printed=True)
        rendered = render(film, composition_events(composition, arrangement), options, report)
    facts = {"session": str(session), "film": str(film), "notes": len(arrangement.notes)}
    took_s = round(time.perf_counter() - begun, 3)
    if arguments.json:
        sys.stdout.write(json.dumps({**facts, "sound": sound_facts(rendered, options)}, indent=1) + "\n")
        return 0
    sys.stdout.write(f"Session  {session.name}: {film.name}, {len(arrangement.notes)} notes\n")
    write_sound_lines(sound_facts(rendered, options), took_s)
    sys.stdout.write(f"Written  {options.output}\n")
    return 0


def _render_takes(arguments: argparse.Namespace, saved: SavedSession, film: Path) -> int:
    """Each take of the selected cue as a film, for somebody who has no CueBridge.  They are equally loud."""
    from engine.arrange.score import session_arrangement
    from engine.document import Step
    from engine.document.takes import chosen
    from engine.music import Take
    from engine.sound.events import composition_events
    from engine.sound.render import check_output, render

    if arguments.output is not None or arguments.stems is not None:
        raise UserError("--board names the folder; --output and --stems do not go with it.")
    folder, document = Path(arguments.board), saved.steps[saved.index].document
    takes = {each.number: each.take for each in saved.takes if each.cue == document.cue}
    if not takes:
        raise UserError(f"{Path(arguments.video).name} has no takes.")
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; --board names a folder.")
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {
        number: replace(
            _options(arguments, str(folder / f"{film.stem}-take-{Take(number).name}.mp4")), burnt_in=Take(number).name
        )
        for number in takes
    }
    for options in wanted.values():  # before the first is made
        check_output(film, options)
    rows = []
    with progress_bar(sys.stderr, quiet=arguments.json) as report:
        for place, (number, options) in enumerate(wanted.items()):
            played = replace(saved, steps=(Step(chosen(document, takes[number])),), index=0)
            composition, arrangement = session_arrangement(played, printed=True)

            def told(fraction: float, phase: str, place: int = place, name: str = options.burnt_in) -> None:
                report((place + fraction) / len(wanted), f"take {name}: {phase}")

            rendered = render(film, composition_events(composition, arrangement), options, told)
            rows.append({"take": options.burnt_in, "notes": len(arrangement.notes), **sound_facts(rendered, options)})
    if arguments.json:
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
        return 0
    for row in rows:
        sys.stdout.write(f"Take {row['take']:<3} {row['notes']:>5} notes, {row['lufs'] or 0:.1f} LUFS  {row['file']}\n")
    return 0


def film_of(saved: SavedSession, session: Path) -> Path:
    """The film of a session: where it was, or where it lies as seen from the session.  Raises UserError."""
    from engine.video import probe

    known = saved.reading.film
    places = [Path(known.path), session.parent / Path(known.path).name]
    if saved.film_beside:
        places.insert(1, session.parent / saved.film_beside)
    for place in places:
        if place.is_file():
            length_s = probe(place).duration_s
            if abs(length_s - known.duration_s) > 0.5:
                raise UserError(
                    f"{place} lasts {length_s:.2f} s, the film of {session.name} {known.duration_s:.2f} s; "
                    "it is another film."
                )
            return place.resolve()
    raise UserError(f"{Path(known.path).name}, the film of {session.name}, is neither at its place nor beside it.")


def _refuse(arguments: argparse.Namespace, names: Sequence[str], why: str) -> None:
    """Raises UserError where one of these options was given."""
    defaults = parser().parse_args([arguments.video])
    for name in names:
        if getattr(arguments, name) != getattr(defaults, name):
            raise UserError(f"--{name.replace('_', '-')} {why}.")


def _options(arguments: argparse.Namespace, output: str | None = None) -> RenderOptions:
    from engine.sound.fonts import find_soundfont
    from engine.sound.render import RenderOptions

    loudness: float | None = None
    if arguments.loudness.lower() != "off":
        try:
            loudness = float(arguments.loudness)
        except ValueError:
            loudness = math.nan
        if not math.isfinite(loudness):
            raise UserError(f"'{arguments.loudness}' is not a loudness; give LUFS such as -16, or off.")
    output = output or arguments.output or f"{Path(arguments.video).stem}-with-music.mp4"
    return RenderOptions(
        output=Path(output),
        soundfont=find_soundfont(arguments.soundfont),
        loudness_lufs=loudness,
        film_sound=arguments.film_sound,
        stems=None if arguments.stems is None else Path(arguments.stems),
        reencode=arguments.reencode,
        replace=arguments.replace,
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
    own = {"keep": "kept", "duck": "lowered under the music", "drop": "left out"}[facts["film_sound"]]
    out.write(f"Sound    {loudness}, {Path(facts['soundfont']).name}, film's own sound {own}; ")
    out.write(f"{took_s:.1f} s\n")
    for note in facts["notes_to_you"]:
        out.write(f"Note     {note}\n")
    for path in facts["stems"]:
        out.write(f"Stem     {path}\n")
