"""Command `dataset`: training data from films.

    cuebridge dataset build FOLDER|LIST --out DATA
    cuebridge dataset check DATA
    cuebridge dataset show DATA -o PICTURE.png [--piece ID]

`dataset film` does one film; `build` starts it as a child for each.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

from engine.batch.units import RESULT, Unit
from engine.commands.analyze import add_analysis_arguments, options_from
from engine.dataset.errors import DatasetError
from engine.dataset.film import PIECE_S, VERSION, FilmRows, ListenOptions, check_listening
from engine.music.command import SentenceParser
from engine.music.errors import UserError, shown
from engine.music.extras import need_extra
from engine.music.files import check_output, made_folder, make_way, open_regular, write_whole, written_aside
from engine.video.options import AnalysisOptions

FILMS: Final = "films"  # folder of the rows of each film
SETTINGS: Final = "build.json"
REPORT: Final = "report.json"
_ID_DIGITS: Final = 12


def _parser() -> argparse.ArgumentParser:
    from engine.batch.options import add_batch_arguments

    parser = SentenceParser(prog="cuebridge dataset", description="Makes training data from films with music.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="build|check|show")
    build = commands.add_parser("build", help="analyse the picture and sound of films; resumes where it stopped")
    build.add_argument("films", metavar="FOLDER|LIST", help="a folder of films, or a text file with one path per line")
    build.add_argument("--out", type=Path, required=True, metavar="DATA", help="folder to write the set to")
    build.add_argument("--seed", type=int, default=0, help="seed of the splits (0)")
    heard = build.add_argument_group("listening")
    heard.add_argument("--density", choices=("auto", "notes", "onsets"), default="auto", help="notes need basic-pitch")
    heard.add_argument(
        "--chord-nets", type=int, default=5, metavar="N", help="networks in the chord ensemble, 1 to 5; 1 is quickest"
    )
    heard.add_argument(
        "--piece", type=int, default=PIECE_S, metavar="S", help="length of the longest piece, in seconds (%(default)s)"
    )
    build.add_argument("--no-layout", action="store_true", help="leave out MuVi-Sync's own files")
    add_analysis_arguments(build)
    add_batch_arguments(build)
    check = commands.add_parser("check", help="schema, ranges, duplicates and statistics of a set")
    check.add_argument("data", type=Path)
    check.add_argument("--json", action="store_true")
    show = commands.add_parser("show", help="draw a set, or one piece of it")
    show.add_argument("data", type=Path)
    show.add_argument("-o", "--output", type=Path, default=Path("dataset.png"))
    show.add_argument("--piece", metavar="ID", help="one piece, by its id or its film's name")
    show.add_argument("--replace", action="store_true", help="replace an existing file, keeping it as FILE.bak")
    film = commands.add_parser("film")  # no help: for `build` alone
    film.add_argument("film", type=Path)
    film.add_argument("result", type=Path)
    film.add_argument("settings")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; raises UserError for what the person can act on."""
    arguments = _parser().parse_args(argv)
    return {"build": _build, "check": _check, "show": _show, "film": _film}[arguments.command](arguments)


# one film -----------------------------------------------------------------------------------------------------------
def _film(arguments: argparse.Namespace) -> int:
    from engine.dataset.film import rows_of
    from engine.process.priorities import lower

    lower(10)
    settings = json.loads(arguments.settings)
    weights = settings["looking"]["clip_weights"]
    looking = AnalysisOptions(**{**settings["looking"], "clip_weights": None if weights is None else Path(weights)})
    rows = rows_of(arguments.film, looking, ListenOptions(**settings["listening"]))
    rows.save(arguments.result)
    return 0


# the set ------------------------------------------------------------------------------------------------------------
def _build(arguments: argparse.Namespace) -> int:
    from engine.batch.lists import sources
    from engine.batch.options import pool_options
    from engine.batch.pool import run_units
    from engine.batch.report import follow
    from engine.dataset.layout import write_layout
    from engine.dataset.statistics import in_words, statistics
    from engine.dataset.table import build_table

    pool = pool_options(arguments)
    looking, listening, reason = _options(arguments)
    films = sources(arguments.films)
    data: Path = arguments.out
    settings = _settings_text(looking, listening)
    words = json.dumps({"looking": _plain(looking), "listening": asdict(listening)})
    units = (Unit(film, ("dataset", "film", film, RESULT, words), settings, ".npz") for film in films)
    with _prepared(data, looking, listening, retry=arguments.retry):
        sys.stderr.write(reason)
        if listening.density == "onsets" and arguments.density == "auto":
            from engine.dataset.notes import INSTALL

            sys.stderr.write(f"Density counts onsets, since basic-pitch is not installed; for notes: {INSTALL}\n")
        report = follow(run_units(units, data / FILMS, pool), len(films), sys.stderr)
        report.write(data / REPORT)
    report.say(sys.stderr)
    keys = sorted({outcome.key for outcome in report.usable})
    named = {outcome.key: Path(outcome.source).name for outcome in reversed(report.usable)}
    rows = ((_id(key), _read(data, key, named[key])) for key in keys)
    table = build_table(rows, data, arguments.seed)
    if arguments.no_layout:
        shutil.rmtree(data / "muvi-sync", ignore_errors=True)
    else:
        write_layout(table, data)
    sys.stdout.write(in_words(statistics(table)) + f"\nwritten: {data}\n")
    return 0


def _options(arguments: argparse.Namespace) -> tuple[AnalysisOptions, ListenOptions, str]:
    """What every film is looked at and heard with; nothing is left to what a machine of a cluster happens to have.
    Last a line that says why it is looked at so, where nobody has chosen."""
    from dataclasses import replace

    from engine.video.semantics import planned_reading

    density = check_listening(arguments.density)
    looking = options_from(arguments)
    reading, reason = planned_reading(looking)
    said = f"{reading} reading: {reason}\n" if looking.reading == "auto" else ""
    listening = ListenOptions(density, arguments.chord_nets, arguments.piece)
    return replace(looking, reading=reading, threads=1), listening, said


def _plain(looking: AnalysisOptions) -> dict[str, Any]:
    out = {field.name: getattr(looking, field.name) for field in fields(looking)}
    return {name: str(value) if isinstance(value, Path) else value for name, value in out.items()}


def _settings_text(looking: AnalysisOptions, listening: ListenOptions) -> str:
    return json.dumps([VERSION, looking.cache_text(looking.reading), asdict(listening)], sort_keys=True)


@contextmanager
def _prepared(data: Path, looking: AnalysisOptions, listening: ListenOptions, *, retry: bool) -> Iterator[None]:
    """Makes the folder, or goes on in one of the same settings.  Where nothing comes of it, it goes again.

    Raises UserError.
    """
    from engine.batch.units import clear_parts

    settings = data / SETTINGS
    text = _settings_text(looking, listening)
    if data.exists() and not data.is_dir():
        raise UserError(f"{shown(data)} is a file; name a folder for the set.")
    if settings.exists():
        if _begun_with(settings) != text:
            raise UserError(f"The set in {shown(data)} was begun with other options; name another folder.")
    elif data.exists() and any(data.iterdir()):
        raise UserError(f"{shown(data)} holds something else; name an empty folder, or one that is not there yet.")
    begun = settings.exists()
    with ExitStack() as stack:
        try:
            stack.enter_context(made_folder(data / FILMS))
            write_whole(settings, (json.dumps({"settings": text}) + "\n").encode())
        except OSError as error:
            raise UserError(f"{shown(data)} cannot be written: {error.strerror or error}.") from error
        clear_parts(data / FILMS)
        if retry:
            shutil.rmtree(data / FILMS / "aside", ignore_errors=True)
        try:
            yield
        except UserError:
            if not begun and not any((data / FILMS).iterdir()):
                settings.unlink(missing_ok=True)
            raise


def _begun_with(settings: Path) -> str:
    """The settings that a set was begun with.  Raises DatasetError."""
    try:
        with open_regular(settings) as file:
            return str(json.loads(file.read())["settings"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DatasetError(
            f"{shown(settings)} does not say what the set was begun with; name another folder."
        ) from error


def _id(key: str) -> str:
    """The name of a film in a set: the beginning of its content's hash, so that more films rename none."""
    return key[:_ID_DIGITS]


def _read(data: Path, key: str, name: str) -> FilmRows:
    from dataclasses import replace

    from engine.batch.units import result_path

    return replace(FilmRows.load(result_path(data / FILMS, key, ".npz")), name=name)


def _check(arguments: argparse.Namespace) -> int:
    from engine.dataset.statistics import in_words, statistics
    from engine.dataset.table import faults, load_table

    table = load_table(arguments.data)
    wrong = faults(table)
    found = statistics(table)
    if arguments.json:
        sys.stdout.write(json.dumps({**found, "faults": wrong}, indent=1) + "\n")
    else:
        sys.stdout.write(in_words(found) + "\n")
    if wrong:
        raise DatasetError("; ".join(wrong) + ".")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    need_extra("plot", "A picture")
    from engine.dataset.drawing import draw_piece, draw_set
    from engine.dataset.table import load_table

    check_output(arguments.output, replace=arguments.replace)
    table = load_table(arguments.data)
    with written_aside(arguments.output) as aside:
        if arguments.piece is None:
            draw_set(table, aside)
        else:
            draw_piece(table, arguments.piece, aside)
        make_way(arguments.output, replace=arguments.replace)
    sys.stdout.write(f"written: {arguments.output}\n")
    return 0
