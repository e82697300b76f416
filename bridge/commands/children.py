"""Commands that need torch or OpenCV: run in a child that has our terminal, its exit code becomes ours.

A signal that ends us ends the child too: it would go on unseen and write its file after we are gone.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from bridge.commands.signals import handled
from engine.music.ctrl_c import ctrl_c_later


def run_child(module: str, arguments: Sequence[str]) -> int:
    """Runs `python -m module arguments…` to its end.  Ctrl-C reaches the child too; we only wait for it."""
    environment = os.environ | {"CUEBRIDGE_COMMAND": "cuebridge"}
    interrupted = False
    try:
        with ctrl_c_later():
            child = subprocess.Popen([sys.executable, "-m", module, *arguments], env=environment)
    except KeyboardInterrupt:  # the child has it too
        interrupted = True

    def pass_on(number: int, frame: Any) -> None:
        with contextlib.suppress(OSError):
            child.send_signal(number)

    with handled(pass_on, "SIGTERM", "SIGHUP"):
        while True:
            try:
                code = child.wait()
                break
            except KeyboardInterrupt:
                if interrupted:  # the second time it has to go
                    child.terminate()
                interrupted = True
    if interrupted or code in (-2, 130):
        return 130
    return code if code >= 0 else 128 - code
