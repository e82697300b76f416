"""`cuebridge osc`: the table of OSC addresses; `osc send` and `osc watch` speak with a running `live`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

from engine.music import UserError, controls
from engine.music.arguments import ControlError
from engine.music.command import SentenceParser, port_number
from engine.music.controls import BY_ADDRESS, DEFAULT_PORT, current_address

QUIET_S: Final = 0.25  # after the first answer: one address may answer with several messages
RENEW_S: Final = 20.0  # a subscription ends after 60 s


def main(arguments: Sequence[str]) -> int:
    if arguments[:1] == ["send"]:
        return send(arguments[1:])
    if arguments[:1] == ["watch"]:
        return watch(arguments[1:])
    parser = SentenceParser(
        prog="cuebridge osc",
        description="Prints the table of OSC addresses. `cuebridge osc send ADDRESS ARGS…` sends one message to a "
        "running `live` and prints the answer; `cuebridge osc watch ADDRESS…` prints values as they change.",
    )
    parser.add_argument("--json", action="store_true", help="print it as OSCQuery gives it")
    parser.add_argument(
        "--open-stage-control", action="store_true", help="print it as a session for Open Stage Control"
    )
    options = parser.parse_args(arguments)
    if options.open_stage_control:
        from bridge.controls.open_stage_control import layout

        sys.stdout.write(json.dumps(layout(), indent=1) + "\n")
    elif options.json:
        from bridge.controls.namespace import namespace

        sys.stdout.write(json.dumps(namespace(), indent=2) + "\n")
    else:
        from bridge.controls.reference import reference

        sys.stdout.write(reference())
    return 0


def add_place(parser: argparse.ArgumentParser) -> None:
    """The arguments that say where `live` listens."""
    parser.add_argument("--host", default="127.0.0.1", metavar="HOST", help="where `live` runs (127.0.0.1)")
    parser.add_argument(
        "--port", type=port_number, default=DEFAULT_PORT, metavar="PORT", help=f"its OSC port ({DEFAULT_PORT})"
    )


def send(arguments: Sequence[str]) -> int:
    """`osc send ADDRESS ARGS…`.  Raises UserError where it is refused or nobody answers."""
    parser = SentenceParser(
        prog="cuebridge osc send",
        description="Sends one message to a running `live` and prints the answer.",
        epilog=f"example: cuebridge osc send {controls.CHORDS_PIN} E7 19.6",
    )
    parser.add_argument("address", metavar="ADDRESS", help=f"such as {controls.SWING}")
    parser.add_argument("arguments", nargs="*", metavar="ARG", help="its arguments; without any, its value is read")
    add_place(parser)
    parser.add_argument(
        "--wait", type=float, default=3.0, metavar="S", help="how long to wait for the answer, in seconds (3)"
    )
    # A negative number is an argument, not a flag.
    given = parser.parse_args([word if not is_number(word) else f" {word}" for word in arguments])
    address = given.address.strip()
    values = typed_arguments(address, [word.strip() for word in given.arguments])
    from bridge.osc.client import Client

    with Client(given.host, given.port) as client:
        client.send(address, values)
        answers = client.next(max(given.wait, 0.0))
        if answers is None:
            raise UserError(f"nothing answers on {given.host} port {given.port}; is `cuebridge live` running?")
        for answer in (*answers, *client.receive(QUIET_S)):
            if answer.address == controls.ERROR:
                raise UserError(f"{answer.arguments[0] or address}: {answer.arguments[-1]}")
            sys.stdout.write(answer.text + "\n")
    return 0


def is_number(word: str) -> bool:
    """Whether a word reads as a number."""
    try:
        float(word)
    except ValueError:
        return False
    return True


def typed_arguments(address: str, words: Sequence[str]) -> list[Any]:
    """What was typed, in the types of the table; of an address that is not in it, numbers as numbers.

    Raises UserError.
    """
    row = BY_ADDRESS.get(current_address(address))
    if row is None or len(words) > len(row.arguments):
        return [_guessed(word) for word in words]  # the program at the other end says what is wrong with it
    try:
        return [argument.parse(word) for argument, word in zip(row.arguments, words, strict=False)]
    except ControlError as error:
        raise UserError(f"{address}: {error}") from None


def _guessed(word: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word


def watch(arguments: Sequence[str]) -> int:
    """`osc watch ADDRESS…`: until Ctrl-C, or after `--count` messages."""
    parser = SentenceParser(
        prog="cuebridge osc watch",
        description="Prints values of a running `live` as they change, until Ctrl-C.",
        epilog=f"example: cuebridge osc watch {controls.STATUS} '{controls.CHORDS}/*'",
    )
    parser.add_argument("addresses", nargs="+", metavar="ADDRESS", help="an address or a pattern")
    add_place(parser)
    parser.add_argument("--count", type=int, metavar="N", help="stop after this many messages")
    given = parser.parse_args(arguments)
    from bridge.osc.client import Client

    with Client(given.host, given.port) as client:
        _subscribe(client, given)
        renewed_s, shown = time.monotonic(), 0
        while given.count is None or shown < given.count:
            for answer in client.next(1.0) or ():
                if answer.address == controls.ERROR:
                    raise UserError(f"{answer.arguments[0] or given.addresses[0]}: {answer.arguments[-1]}")
                if answer.address == controls.SUBSCRIBE or (given.count is not None and shown >= given.count):
                    continue
                shown += 1
                sys.stdout.write(answer.text + "\n")
                sys.stdout.flush()
            if time.monotonic() - renewed_s > RENEW_S:
                for pattern in given.addresses:  # `live` may have been started anew
                    client.send(controls.SUBSCRIBE, [pattern])
                renewed_s = time.monotonic()
    return 0


def _subscribe(client: Any, given: argparse.Namespace) -> None:
    client.send(controls.PING)
    if client.next(3.0) is None:
        raise UserError(f"nothing answers on {given.host} port {given.port}; is `cuebridge live` running?")
    for pattern in given.addresses:
        client.send(controls.SUBSCRIBE, [pattern])
