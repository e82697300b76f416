"""Command lines whose errors are one sentence, the same in every command of the program."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from engine.music.errors import UserError

MOST_PORT: Final = 65_535


def check_film_exists(film: str | os.PathLike[str]) -> None:
    """Raises UserError where there is nothing at that path, or it cannot be asked."""
    try:
        os.stat(film)
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"There is no file {os.fspath(film)}.") from None
    except OSError as error:
        raise UserError(f"{os.path.basename(film)} cannot be read: {error.strerror or error}.") from None


def check_spares_input(source: str | os.PathLike[str], *outputs: str | os.PathLike[str] | None) -> None:
    """Raises UserError where one of the files to write is the one that is read: it would be lost."""
    for output in outputs:
        try:
            same = output is not None and os.path.samefile(source, output)
        except OSError:  # one of them is not there
            same = False
        if same:
            raise UserError(f"{os.fspath(source)} would be overwritten; name another file to write.")


def is_given(flag: str, argv: Sequence[str] | None) -> bool:
    """Whether a flag stands among the words of a command; argv: None for this program's own."""
    return any(word.partition("=")[0] == flag for word in (sys.argv[1:] if argv is None else argv))


def port_number(text: str, lowest: int = 1) -> int:
    """A UDP or TCP port, as the type of a flag.  Raises ArgumentTypeError."""
    text = text.strip()
    if not (text.isascii() and text.isdigit() and lowest <= int(text) <= MOST_PORT):
        raise argparse.ArgumentTypeError(f"{text} is not a port; ports are {lowest} to {MOST_PORT}.")
    return int(text)


def port_or_any(text: str) -> int:
    """As `port_number`; 0 leaves the choice to the system."""
    return port_number(text, 0)


class SentenceParser(argparse.ArgumentParser):
    """An ArgumentParser that raises UserError instead of printing its usage and exiting."""

    def _print_message(self, message: str, file: Any = None) -> None:
        """Raises OSError where the help cannot be written: argparse passes over that and calls it done."""
        if message:
            (sys.stderr if file is None else file).write(message)

    def error(self, message: str) -> NoReturn:
        choice = re.fullmatch(r"argument (.+?): invalid choice: (.+?) \(choose from (.+)\)", message, re.DOTALL)
        if choice is not None:
            name, given, choices = choice.groups()
            message = f"{name}: {given} is none of {choices.replace(chr(39), '')}"
        raise UserError(f"{message.rstrip('.')}; {self.prog} --help says more.")
