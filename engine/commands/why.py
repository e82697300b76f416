"""`why BAR|BEAT FILM|SESSION`: why the chord at a place stands there, in the words that `live` and the page have."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from engine.arrange.score import check_playable
from engine.brief import request_for
from engine.commands import compose as compose_cli
from engine.commands.compose_report import progress_bar
from engine.commands.render import film_of
from engine.composer import Composer, drawn_request
from engine.document import ChordBlock, Document, Result
from engine.document.file import SUFFIX, read_session
from engine.music import UserError, shown
from engine.music.command import check_film_exists
from engine.process.messages import WhyRequest
from engine.process.requests import keys_of
from engine.process.why import Why, answer_lines, explained, is_composed, request_up_to, second_of, slots_before

if TYPE_CHECKING:
    from engine.video import VideoFeatures

# What says where a session's film was looked at, and how the answer is written; the rest is in the session already.
_OF_SESSIONS: Final = frozenset({"--json", "--cache-dir", "--no-cache"})
_WRITES: Final = ("output", "replace")


def parser() -> argparse.ArgumentParser:
    """The command's arguments: a place, then those of `compose` that decide what is composed."""
    main = compose_cli.parser(
        "cuebridge why", "Says why the chord at a place stands there: who set it, the network's part, the mood."
    )
    main.usage = "cuebridge why BAR|BEAT [VIDEO] [what compose takes]"
    main.epilog = "Without a film the running `live` is asked: cuebridge why 12|1 [--host HOST] [--port PORT]."
    return main


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; raises UserError for what the person can act on.  argv: the place, then the film."""
    words = list(sys.argv[1:] if argv is None else argv)
    place, rest = words[0], words[1:]
    second_of(Document(), place)  # before minutes of looking
    known = parser()
    arguments = known.parse_args(rest)
    for name in _WRITES:
        if getattr(arguments, name) != known.get_default(name):
            raise UserError(f"--{name} goes with `compose`: `why` writes nothing.")
    compose_cli.refuse_its_own(arguments, "`why` explains one take, --take says which")
    if arguments.video.endswith(SUFFIX):
        wrong = [flag for flag in compose_cli.given_flags(known, rest) if flag not in _OF_SESSIONS]
        if wrong:
            raise UserError(f"{wrong[0]} is in the session already; leave it out, or change it in `cuebridge live`.")
        name, why, bar = _of_session(arguments, place)
    else:
        name, why, bar = _of_film(arguments, place)
    if arguments.json:
        sys.stdout.write(json.dumps({"film": name, "bar_beat": bar, **asdict(why)}, indent=1) + "\n")
    else:
        sys.stdout.write(f"Film     {shown(name)}\n")
        sys.stdout.write(answer_lines(why, bar))
    return 0


def _of_film(arguments: argparse.Namespace, place: str) -> tuple[str, Why, str]:
    """Composes as `compose` does, then asks for the one chord."""
    brief = compose_cli.plan_from(arguments)
    settings = compose_cli.settings_of(arguments)
    check_film_exists(arguments.video)
    brief = compose_cli.marked_brief(arguments, brief)
    features = _look(arguments, arguments.video, brief.reading, brief.clip_weights)
    composer = Composer(brief.weights)
    request, _ = request_for(features.film, features.cuts, brief)
    request, _ = drawn_request(features, request, brief)
    composition = composer.compose(features, request).composition
    result = Result(
        slots=composition.slots,
        tempo_map=composition.tempo_map,
        grid=composition.grid,
        starts_s=composition.picture_starts_at_s,
        key=composition.key,
        complete=True,
    )
    document = Document(settings=MappingProxyType(settings), result=result)
    block, bar = _block_at(document, place)
    answer = None
    if is_composed(block):
        kept = document.grid_slots[: slots_before(document, block)]
        answer = composer.explain(features, WhyRequest(0, replace(request, keep=kept)))
    return Path(arguments.video).name, explained(document, block, features.reading, answer), bar


def _of_session(arguments: argparse.Namespace, place: str) -> tuple[str, Why, str]:
    """The document as it was saved; the networks are only asked what they thought."""
    session = Path(arguments.video)
    saved = check_playable(read_session(session))
    film, document = film_of(saved, session), saved.steps[saved.index].document
    block, bar = _block_at(document, place)
    answer, others = None, False
    if is_composed(block):
        features = _look(arguments, str(film), saved.reading.reading, None)
        composer, asked = Composer(), WhyRequest(0, request_up_to(document, block, keys_of(document)))
        answer = composer.explain(features, asked)
        others = document.result.weights != composer.weights
    why = explained(document, block, saved.reading.reading, answer)
    if others:
        why = replace(
            why, lines=(*why.lines, "It was composed with other networks; what is said of chances is today's.")
        )
    return film.name, why, bar


def _look(arguments: argparse.Namespace, film: str, reading: str, clip_weights: str | None) -> VideoFeatures:
    from engine.process.analysis import AnalysisTask, analyse_in_child

    task = AnalysisTask(film, reading, clip_weights, arguments.cache_dir, not arguments.no_cache)
    with progress_bar(sys.stderr, quiet=arguments.json) as report:
        return analyse_in_child(task, report)


def _block_at(document: Document, place: str) -> tuple[ChordBlock, str]:
    """The chord at a place, and bar|beat of its beginning.  Raises UserError where there is none."""
    at_s = second_of(document, place)
    block = document.block_at(at_s)
    if block is None:
        raise UserError(f"there is no chord at {place}: the music goes from {_span(document)}.")
    return block, _bar_beat(document, block.start_s)


def _bar_beat(document: Document, at_s: float) -> str:
    tempo_map = document.result.tempo_map
    at = tempo_map.bar_beat_at(tempo_map.beats_at(at_s + document.result.starts_s))
    return f"{at.bar}|{at.beat + at.fraction:.2f}".removesuffix(".00")


def _span(document: Document) -> str:
    slots = document.slots
    if not slots:
        return "nowhere to nowhere, since nothing is composed yet"
    ends = f"{slots[0].start_s:.2f} to {slots[-1].end_s:.2f} s"
    return f"{_bar_beat(document, slots[0].start_s)} to {_bar_beat(document, slots[-1].end_s)}, {ends}"
