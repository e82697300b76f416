"""The exception tree.

    Exception
    └── UserError           one clear sentence for a person; commands print it and exit with code 2
        ├── MusicError      a chord, key, progression, meter or timecode that cannot be read
        ├── VideoError      a film that cannot be read           (engine.video)
        ├── ModelError      weights or training data             (models)
        ├── PortError       MIDI ports                           (bridge.player)
        └── ControlError    a refused control                    (bridge.osc)

Anything else that reaches a user is a bug.
"""

from __future__ import annotations

import os
from typing import Final

ENDED_BY_CTRL_C: Final = 130  # 128 + SIGINT, as shells report it


class UserError(Exception):
    """A fault that the person can act on.  `str(error)` is one sentence without a traceback."""


class MusicError(UserError, ValueError):
    """A chord, key, progression, meter, tempo or timecode that cannot be read; names the offending token."""


def shown(name: str | os.PathLike[str], limit: int = 120) -> str:
    """A name as it can be printed: no control characters or broken encoding, at most `limit` characters."""
    text = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in os.fspath(name))
    return text if len(text) <= limit else f"{text[: limit // 2 - 1]}…{text[-(limit // 2) :]}"


def ended_by_ctrl_c() -> int:
    """The exit code after a caught KeyboardInterrupt; call it last.

    CPython remembers when Ctrl-C cut through source text being executed (`exec` of a string, as `dataclass` and
    `namedtuple` do while modules are imported), and then ends `python -m …` by SIGINT although the exception was caught
    and another code was returned.  The next text that it executes makes it forget.
    """
    exec("")
    return ENDED_BY_CTRL_C
