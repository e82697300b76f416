"""`cuebridge why BAR|BEAT [FILM|SESSION]`: asks the running `live`, or has the engine compose and explain."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Final

from bridge.commands.children import run_child
from bridge.commands.osc import add_place, is_number, typed_arguments
from engine.music import UserError, controls
from engine.music.command import SentenceParser
from engine.process.why import Why, answer_lines

_HEAD: Final = 5  # values before the other chords: begin, end, name, who, the network's part
_HELP: Final = ("-h", "--help")


def main(arguments: Sequence[str]) -> int:
    """Raises UserError where the place is none, or nothing is there."""
    words = list(arguments)
    parser = SentenceParser(
        prog="cuebridge why",
        usage="cuebridge why BAR|BEAT [VIDEO]",
        description="Says why a chord stands where it does: who set it, what the network would have written, what the "
        "mood asked for.",
        epilog="With VIDEO, a film or a session of `live`, it composes as `compose` does with the same flags "
        "(cuebridge compose --help); without, the running `live` is asked.  Example: cuebridge why '12|1' film.mp4",
    )
    parser.add_argument(
        "place", metavar="BAR|BEAT", help="a bar and beat such as 12|1 (in quotes), or a picture second"
    )
    add_place(parser)
    if len(words) > 1 and words[0] not in _HELP and not words[1].startswith("-"):
        return run_child("engine", ["why", *words])
    given = parser.parse_args(words)
    values = typed_arguments(controls.WHY, [given.place.strip()])
    from bridge.osc.client import Client

    with Client(given.host, given.port) as client:
        client.send(controls.WHY, values)
        answers = client.next(5.0)
    if answers is None:
        raise UserError(
            f"nothing answers on {given.host} port {given.port}: name a film or session, or start `cuebridge live`."
        )
    answer = answers[0]
    if answer.address == controls.ERROR:
        raise UserError(str(answer.arguments[-1]))
    sys.stdout.write(answer_lines(_why(list(answer.arguments))))
    return 0


def _why(values: list[Any]) -> Why:
    """An answer of `live`.  The other chords stand before the lines, which say them in words."""
    start_s, end_s, name, who, weight = values[:_HEAD]
    lines = values[_HEAD:]
    while len(lines) >= 3 and is_number(str(lines[1])) and is_number(str(lines[2])):
        del lines[:3]
    return Why(start_s, end_s, name, who, tuple(lines), weight)
