"""`compose --batch` and `score --batch`: the same command for every file of a folder or list, resumable.

    cuebridge compose --batch FOLDER|LIST --out FOLDER [--workers N] [what compose takes]
    cuebridge score --batch FOLDER|LIST --out FOLDER [--workers N] [what score takes]

What a file becomes is kept in FOLDER/work by its content and the options, so that begun again nothing is done twice.
"""

from __future__ import annotations

import argparse
import contextlib
import filecmp
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from engine.batch.lists import FILMS, sources
from engine.batch.options import add_batch_arguments, pool_options
from engine.batch.pool import PoolOptions, run_units
from engine.batch.report import BatchReport, follow
from engine.batch.units import RESULT, Unit, clear_parts, result_path
from engine.music.command import SentenceParser
from engine.music.errors import UserError, shown
from engine.music.files import check_unused, made_folder, make_way, written_aside

WORK: Final = "work"
SCORES: Final = "scores.jsonl"
REPORT: Final = "report.json"
_SCORED: Final = frozenset((".mid", ".json"))
_REFUSED: Final = ("-o", "--output", "--json", "--takes", "--vary", "--board")


def _arguments(command: str, argv: Sequence[str] | None) -> tuple[argparse.Namespace, list[str]]:
    parser = SentenceParser(prog=f"cuebridge {command} --batch", allow_abbrev=False)
    parser.add_argument("--batch", required=True, metavar="FOLDER|LIST")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--replace", action="store_true", help="replace existing files, keeping each as FILE.bak")
    add_batch_arguments(parser)
    found, rest = parser.parse_known_args(argv)
    for word in rest:
        if word.partition("=")[0] in _REFUSED or (word.startswith("-o") and command == "compose"):
            raise UserError(f"{word} does not go with --batch.")
    return found, rest


def compose_batch(argv: Sequence[str] | None, check: Callable[[list[str]], None]) -> int:
    """Writes FOLDER/FILM.mid for each film; two films of one name have their hash added.

    check: raises UserError where a command line of `compose` is wrong, before any work.
    """
    arguments, rest = _arguments("compose", argv)
    pool = pool_options(arguments)
    films = sources(arguments.batch, FILMS)
    check([films[0], *rest])
    settings = _settings("compose", rest)
    units = [Unit(film, ("compose", film, "-o", RESULT, "--replace", *rest), settings, ".mid") for film in films]
    report = _run(units, arguments, pool)
    stems = Counter(Path(each.source).stem for each in report.usable)
    for each in report.usable:
        stem = Path(each.source).stem
        target = arguments.out / f"{stem if stems[stem] == 1 else f'{stem}-{each.key[:8]}'}.mid"
        _put(result_path(arguments.out / WORK, each.key, ".mid"), target, replace=arguments.replace)
    sys.stdout.write(f"written: {len(report.usable)} files in {arguments.out}\n")
    return 0 if report.usable else 2


def score_batch(argv: Sequence[str] | None, check: Callable[[list[str]], None]) -> int:
    """Writes FOLDER/scores.jsonl: a line for each file, in order of their names.  check: as in compose_batch."""
    arguments, rest = _arguments("score", argv)
    pool = pool_options(arguments)
    files = sources(arguments.batch, _SCORED)
    check([files[0], *rest])
    target = arguments.out / SCORES
    settings = _settings("score", rest)
    units = [Unit(file, ("score", file, "--json", *rest), settings, ".json") for file in files]
    report = _run(units, arguments, pool)
    lines = []
    for each in report.usable:
        found = json.loads(result_path(arguments.out / WORK, each.key, ".json").read_bytes())
        lines.append(json.dumps({"file": os.path.basename(each.source), **found}) + "\n")
    fresh = "".join(lines).encode()
    if not target.exists() or target.read_bytes() != fresh:
        make_way(target, replace=True)
        with written_aside(target) as aside:
            aside.write_bytes(fresh)
    sys.stdout.write(f"written: {len(lines)} lines in {target}\n")
    return 0 if lines else 2


def _settings(command: str, words: Sequence[str]) -> str:
    """What changes a result beside the file: the words, and the content of the files that they name."""
    from engine.video.cache import content_key

    named = [file for word in words if os.path.isfile(file := word.partition("=")[2] or word)]
    return json.dumps([command, *words, *(content_key(file) for file in named)])


def _run(units: Sequence[Unit], arguments: argparse.Namespace, pool: PoolOptions) -> BatchReport:
    work = arguments.out / WORK
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(made_folder(work))
        except OSError as error:
            raise UserError(f"{shown(arguments.out)} cannot be written: {error.strerror or error}.") from error
        clear_parts(work)
        if arguments.retry:
            shutil.rmtree(work / "aside", ignore_errors=True)
        report = follow(run_units(units, work, pool), len(units), sys.stderr)
        report.write(arguments.out / REPORT)
    report.say(sys.stderr)
    return report


def _put(result: Path, target: Path, *, replace: bool) -> None:
    """Copies a result to where a person looks for it; what is there and the same stays."""
    if target.is_file() and filecmp.cmp(result, target, shallow=False):
        return
    check_unused(target, replace=replace)
    make_way(target, replace=replace)
    with written_aside(target) as aside:
        shutil.copyfile(result, aside)
