"""`cuebridge compose FILM --takes 12 --board`: many takes in one session, and the page that shows them side by side.

The takes are composed by the running session, beside the first, so that what one chooses there can be played, changed
and kept at once; the session's file holds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bridge.commands import page

TAKES: Final = 12


def main(arguments: Sequence[str]) -> int:
    words = list(arguments)
    if not any(word == "--takes" or word.startswith("--takes=") for word in words):
        words += ["--takes", str(TAKES)]
    return page.main([*words, "--open"])
