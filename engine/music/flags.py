"""Command-line flags made from the table of controls: one name, one range and one refusal in every command."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from engine.music import controls
from engine.music.arguments import Arg, ControlError, Value
from engine.music.controls import BY_ADDRESS, FLAGS, LONGEST_S, Control, Flag
from engine.music.errors import UserError
from engine.music.note import PARTS

_RENAMED: Final = "renamed flags"  # destination: old flag -> flag in use, of those that were given

Row = Control | Flag


class _Group(Protocol):
    def add_argument(self, *names: str, **options: Any) -> argparse.Action: ...


def add_flags(group: _Group, rows: Iterable[Row]) -> None:
    """Adds the flag of each row, and its old names, which help does not show.

    Everything is kept as it was typed, and checked by `flag_value` and `settings_from`: argparse has other sentences.
    """
    for row in rows:
        assert row.flag is not None
        argument = row.arguments[0] if isinstance(row, Control) else row.argument
        options: dict[str, Any] = {"dest": destination(row.flag)}
        if isinstance(row, Flag) and argument.kind == "switch":
            options |= {"action": "store_true"}
        elif isinstance(row, Flag) and row.repeated:
            options |= {"action": "append", "default": [], "metavar": row.metavar}
        else:
            options["metavar"] = _metavar(row, argument)
        group.add_argument(row.flag, help=_help(row), **options)
        for old in row.old_flags:
            hidden = {**options, "action": _renaming(options.get("action", "store"), row.flag)}
            group.add_argument(old, help=argparse.SUPPRESS, **{**hidden, "default": argparse.SUPPRESS})


def _metavar(row: Row, argument: Arg) -> str:
    if isinstance(row, Flag) and row.metavar:
        return row.metavar
    if argument.kind == "choice":
        return "{" + ",".join(argument.words) + "}"
    if argument.kind == "switch":
        return "{on,off}"
    if argument.low is not None and argument.high is not None and argument.high < LONGEST_S:
        return f"{argument.low:g}..{argument.high:g}"
    return argument.name.upper().replace(" ", "-")


def _help(row: Row) -> str:
    text = row.doc.replace("%", "%%").replace("`", "'")
    if isinstance(row, Control):
        return text
    return text if row.default in (None, False, 1) else f"{text} ({row.default})"


def _renaming(action: str, flag: str) -> type[argparse.Action]:
    """An action that does what the flag in use does, and remembers that an old name was typed."""

    class Renamed(argparse.Action):
        def __init__(self, option_strings: Sequence[str], dest: str, **options: Any) -> None:
            nargs = 0 if action == "store_true" else None
            super().__init__(option_strings, dest, nargs=nargs, **options)

        def __call__(
            self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
        ) -> None:
            value = True if action == "store_true" else values
            if action == "append":
                value = [*(getattr(namespace, self.dest, None) or []), values]
            setattr(namespace, self.dest, value)
            renamed = {**getattr(namespace, _RENAMED, {}), str(option): flag}
            setattr(namespace, _RENAMED, renamed)

    return Renamed


def renamed(given: argparse.Namespace) -> tuple[str, ...]:
    """A sentence for each old flag that was used."""
    return tuple(f"{old} is now {new}; the old name still works." for old, new in getattr(given, _RENAMED, {}).items())


def flag_value(given: argparse.Namespace, flag: str) -> Value:
    """The checked value of a flag, its default where it was not given.  Raises UserError."""
    row = BY_FLAG[flag]
    text = getattr(given, destination(flag), None)
    if text is None:
        return row.default
    if isinstance(text, bool):
        return text
    argument = row.arguments[0] if isinstance(row, Control) else row.argument
    return _parsed(flag, argument, text)


def settings_from(given: argparse.Namespace, rows: Iterable[Control]) -> dict[str, Value]:
    """The settings that were given as flags, by address.  Raises UserError."""
    found: dict[str, Value] = {}
    for row in rows:
        text = getattr(given, destination(str(row.flag)), None)
        if text is not None:
            value = _parsed(str(row.flag), row.arguments[0], text)
            if value != row.default:
                found[row.address] = value
    return found


def check_cue_flags(settings: Mapping[str, Value], cues: Sequence[str]) -> None:
    """Raises UserError where a flag says of the one cue what each `--cue` says of its own."""
    for address in _OF_ONE_CUE if cues else ():
        if address in settings:
            raise UserError(f"{BY_ADDRESS[address].flag} and --cue were both given; write it into each --cue.")


def destination(flag: str) -> str:
    """The name under which argparse keeps what was typed."""
    return flag.removeprefix("--").replace("-", "_")


def _parsed(flag: str, argument: Arg, text: str) -> Value:
    try:
        return argument.parse(text)
    except ControlError as error:
        raise UserError(f"{flag}: {error}") from None


def parts_from(text: str) -> frozenset[str]:
    """The parts of a list such as `pad,bass`.  Raises UserError."""
    wanted = text.replace(",", " ").split()
    for word in wanted:
        if word not in PARTS:
            raise UserError(f"--parts: '{word}' is not a part; parts are {', '.join(PARTS)}.")
    if not wanted:
        raise UserError(f"--parts: name some of {', '.join(PARTS)}.")
    return frozenset(wanted)


_OF_ONE_CUE: Final = (controls.NAME, controls.IN, controls.OUT, controls.BAR_1, controls.ENDING, controls.TAIL)
BY_FLAG: Final[dict[str, Row]] = {
    **{row.flag: row for row in BY_ADDRESS.values() if row.flag is not None},
    **{row.flag: row for row in FLAGS},
}


def flags_of(command: str) -> tuple[Flag, ...]:
    """The flags without an address that a command has."""
    return tuple(row for row in FLAGS if command in row.commands)
