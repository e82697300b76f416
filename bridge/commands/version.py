"""The version of the program."""

from __future__ import annotations

from importlib import metadata


def version() -> str:
    """The version that is installed; `0` where the code runs from a folder without installation."""
    try:
        return metadata.version("cuebridge")
    except metadata.PackageNotFoundError:
        return "0 (not installed)"
