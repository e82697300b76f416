"""The user's own folders, where each system has them.

An account may have none: in a container that runs under a bare number, or as a service.  Then whoever needs one is told
to set HOME; nothing is put into a folder called `~`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Literal

from engine.music.errors import UserError, shown

_NO_HOME: Final = "your home folder is not known: set HOME."


def home(flag: str = "") -> Path:
    """The user's folder.  flag: one of the command's that can name it too.  Raises UserError where it is not known."""
    try:
        return Path.home()
    except RuntimeError:
        if flag:
            raise UserError(f"your home folder is not known: set HOME, or name it with {flag}.") from None
        raise UserError(_NO_HOME) from None


def home_or_none() -> Path | None:
    """The user's folder, for what only looks there too."""
    try:
        return home()
    except UserError:
        return None


def expanded(text: str | os.PathLike[str]) -> Path:
    """A path that a person gave, with `~` and `~name` as the user's folder.  Raises UserError where there is none."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise UserError(f"{shown(text)}: the home folder that '~' stands for is not known.") from None


def config_folder() -> Path:
    """Where settings are kept.  Raises UserError where that is not known."""
    return own_folder("config")


def data_folder() -> Path:
    """Where films, sessions and weights are kept.  Raises UserError where that is not known."""
    return own_folder("data")


def cache_folder() -> Path:
    """Where is kept what can be made again.  Raises UserError where that is not known."""
    return own_folder("cache")


def own_folder(kind: str, author: str | Literal[False] | None = False) -> Path:
    """kind: config, data or cache; author: a folder around ours on Windows.  Raises UserError."""
    import platformdirs

    try:
        found = Path(getattr(platformdirs, f"user_{kind}_dir")("cuebridge", author))
    except RuntimeError:
        raise UserError(_NO_HOME) from None
    if not found.is_absolute():  # older platformdirs let `~` stand in it
        raise UserError(_NO_HOME)
    return found
