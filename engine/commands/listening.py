"""Command `listening`: a listening test with the paper's five questions.

cuebridge listening make FOLDER|LIST --out STUDY [--condition NAME=OPTIONS …]
cuebridge listening serve STUDY
cuebridge listening analyse STUDY [--out FOLDER]
cuebridge listening export STUDY -o RATINGS.csv
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.batch.pool import LOOPBACK
from engine.batch.units import Outcome, Unit, result_path
from engine.listening.study import STUDY, ListeningError, Study, check_draws
from engine.music.command import SentenceParser, port_or_any
from engine.music.errors import UserError, shown
from engine.music.extras import has_extra, need_extra
from engine.music.files import check_output, made_folder, make_way, write_whole, written_aside

if TYPE_CHECKING:
    from engine.listening.making import Condition


def _parser() -> argparse.ArgumentParser:
    from engine.batch.options import add_batch_arguments
    from engine.listening.making import CONDITIONS

    parser = SentenceParser(prog="cuebridge listening", description="Runs a listening test of films with music.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="make|serve|analyse|export")
    make = commands.add_parser("make", help="render films in several conditions, under blind names")
    make.add_argument("films", metavar="FOLDER|LIST")
    make.add_argument("--out", type=Path, required=True, metavar="STUDY", help="folder of the study")
    make.add_argument(
        "--condition", action="append", metavar="NAME=OPTIONS",
        help=f"options of `cuebridge render`, or paper, other-film, own-sound; default: {' '.join(CONDITIONS)}",
    )  # fmt: skip
    make.add_argument("--title", default="Films and their music", help="title that listeners see")
    make.add_argument("--seed", type=int, default=0, help="seed of names and orders (0)")
    make.add_argument("--checks", type=int, default=1, metavar="N", help="attention checks for each listener (1)")
    add_batch_arguments(make)
    serve = commands.add_parser("serve", help="serve the page that asks listeners")
    serve.add_argument("study", type=Path)
    serve.add_argument(
        "--host", default=LOOPBACK, help="address to listen on (%(default)s); another one opens it to other machines"
    )
    serve.add_argument("--port", type=port_or_any, default=8790, help="TCP port (%(default)s); 0: any")
    analyse = commands.add_parser("analyse", help="means, paired tests, intervals, effect sizes")
    analyse.add_argument("study", type=Path)
    analyse.add_argument("--out", type=Path, metavar="FOLDER", help="write analysis.json, .md, .png and ratings.csv")
    analyse.add_argument("--all", action="store_true", help="include listeners who failed the checks")
    analyse.add_argument("--json", action="store_true")
    export = commands.add_parser("export", help="write every rating, one per line")
    export.add_argument("study", type=Path)
    export.add_argument("-o", "--output", type=Path, required=True)
    export.add_argument("--replace", action="store_true", help="replace an existing file, keeping it as FILE.bak")
    mux = commands.add_parser("mux")  # no help: for `make` alone
    for name in ("film", "sound", "result"):
        mux.add_argument(name)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; raises UserError for what the person can act on."""
    arguments = _parser().parse_args(argv)
    commands = {"make": _make, "serve": _serve, "analyse": _analyse, "export": _export, "mux": _mux}
    return commands[arguments.command](arguments)


def _mux(arguments: argparse.Namespace) -> int:
    from engine.listening.making import mux

    mux(arguments.film, arguments.sound, Path(arguments.result))
    return 0


def _make(arguments: argparse.Namespace) -> int:
    from engine.batch.lists import sources
    from engine.batch.options import pool_options
    from engine.batch.pool import run_units
    from engine.batch.report import follow
    from engine.listening.making import (
        CONDITIONS,
        OTHER_FILM,
        WORK,
        control_units,
        first_units,
        gather,
        read_condition,
    )

    conditions = [read_condition(text) for text in arguments.condition or CONDITIONS]
    names = [condition.name for condition in conditions]
    if len(set(names)) != len(names) or len(names) < 2:
        raise ListeningError("A study needs two conditions at least, each with its own name.")
    check_draws(arguments.seed, arguments.checks)
    pool = pool_options(arguments)
    films = sources(arguments.films)
    _check_conditions(conditions, films[0])
    if any(condition.kind == OTHER_FILM for condition in conditions) and len(films) < 2:
        raise ListeningError(f"{OTHER_FILM} needs two films at least.")
    folder: Path = arguments.out
    if (folder / STUDY).exists():
        raise ListeningError(f"There is a study in {shown(folder)} already; name another folder.")

    def made(units: dict[tuple[str, str], Unit]) -> dict[tuple[str, str], str]:
        """Runs units; their keys.  A study without one of its clips is no study."""
        from engine.batch.units import unit_key

        report = follow(run_units(units.values(), folder / WORK, pool), len(units), sys.stderr)
        failed: list[Outcome] = report.of("aside")
        if failed:
            raise ListeningError(f"{shown(Path(failed[0].source).name)} cannot be a clip: {failed[0].reason}")
        return {place: unit_key(unit) for place, unit in units.items()}

    with made_folder(folder / WORK):
        keys = made(first_units(films, conditions))
        keys |= made(control_units(films, conditions, keys, folder / WORK))
    files = {place: result_path(folder / WORK, key, ".mp4") for place, key in keys.items()}
    study = gather(folder, files, names, arguments.title, arguments.seed, arguments.checks)
    sys.stdout.write(
        f"{len(study.films)} films in {len(names)} conditions: {len(study.clips)} clips; "
        f"cuebridge listening serve {folder}\n"
    )
    return 0


def _check_conditions(conditions: Sequence[Condition], film: str) -> None:
    """Raises ListeningError where the options of one are wrong, before any film is looked at."""
    from engine.commands.render import check

    for condition in conditions:
        if condition.kind == "render":
            try:
                check([film, *condition.words])
            except UserError as error:
                raise ListeningError(f"Condition {condition.name}: {error}") from error


def _serve(arguments: argparse.Namespace) -> int:
    from engine.listening.server import OWN_NAMES, application, bind, serve

    study = Study.load(arguments.study)
    if not 0 <= arguments.port <= 65535:
        raise ListeningError(f"--port is 0 to 65535, not {arguments.port}.")
    bound = bind(arguments.host, arguments.port)
    # Asked to listen elsewhere, it answers to whatever name others reach it by.
    hosts = OWN_NAMES if arguments.host in OWN_NAMES else ("*",)
    app = application(study, arguments.study, hosts)
    sys.stdout.write(f"The listening test is at http://{arguments.host}:{bound.getsockname()[1]}/ (Ctrl-C ends it)\n")
    sys.stdout.flush()
    serve(app, bound)
    return 0


def _analyse(arguments: argparse.Namespace) -> int:
    need_extra("listening", "The analysis")
    from engine.listening.analysis import analyse, draw, to_csv, to_markdown
    from engine.listening.answers import read_answers

    study = Study.load(arguments.study)
    listeners = read_answers(arguments.study)
    found = analyse(study, listeners, keep_all=arguments.all)
    text = to_markdown(found, study)
    if arguments.out is not None:
        arguments.out.mkdir(parents=True, exist_ok=True)
        write_whole(arguments.out / "analysis.json", (json.dumps(found.to_json(), indent=1) + "\n").encode())
        write_whole(arguments.out / "analysis.md", text.encode())
        write_whole(arguments.out / "ratings.csv", to_csv(study, listeners).encode())
        if has_extra("plot"):
            with written_aside(arguments.out / "analysis.png") as aside:
                draw(found, study, aside)
        sys.stderr.write(f"written: {arguments.out}\n")
    sys.stdout.write(json.dumps(found.to_json(), indent=1) + "\n" if arguments.json else text)
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from engine.listening.analysis import to_csv
    from engine.listening.answers import read_answers

    check_output(arguments.output, replace=arguments.replace)
    study = Study.load(arguments.study)
    text = to_csv(study, read_answers(arguments.study))
    make_way(arguments.output, replace=arguments.replace)
    write_whole(arguments.output, text.encode())
    sys.stdout.write(f"written: {arguments.output}\n")
    return 0
