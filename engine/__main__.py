"""`python -m engine COMMAND …`: the commands that need torch or the decoders, run as children of `cuebridge`.

Imports nothing heavy: each command loads what it needs.  Exit codes: 0, 2 for what the person can act on (one sentence
on stderr), 130 after Ctrl-C.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Final

# command -> module with main(argv) -> exit code, and whether the command's name stays in argv
COMMANDS: Final[dict[str, tuple[str, bool]]] = {
    "analyze": ("engine.commands.analyze", True),
    "cache": ("engine.commands.analyze", True),
    "compose": ("engine.commands.compose", False),
    "render": ("engine.commands.render", False),
    "plot": ("engine.commands.plot", False),
    "tempo": ("engine.commands.tempo", False),
    "score": ("engine.commands.score", False),
    "conform": ("engine.commands.conform", False),
    "export": ("engine.commands.export", False),
    "temp": ("engine.commands.temp", False),
    "speech": ("engine.commands.speech", False),
    "markers": ("engine.commands.markers", False),
    "why": ("engine.commands.why", False),
    "dataset": ("engine.commands.dataset", False),
    "listening": ("engine.commands.listening", False),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code."""
    try:
        from engine.batch.child import obey_unit_limits
        from engine.music.console import run_command
    except KeyboardInterrupt:  # so early that nobody is there yet to say it
        exec("")  # see ended_by_ctrl_c
        sys.stderr.write("\n")
        return 130
    obey_unit_limits()

    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] not in COMMANDS:
        sys.stderr.write(f"cuebridge: the engine's commands are {', '.join(COMMANDS)}.\n")
        return 2
    module, keeps_name = COMMANDS[words[0]]

    def command() -> int:
        entry: Callable[[list[str]], int] = importlib.import_module(module).main
        return entry(words if keeps_name else words[1:])

    return run_command(command)


if __name__ == "__main__":
    sys.exit(main())
