"""Commands that need torch or OpenCV: run in a child that has our terminal, its exit code becomes ours."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence


def run_child(module: str, arguments: Sequence[str]) -> int:
    """Runs `python -m module arguments…` to its end.  Ctrl-C reaches the child too; we only wait for it."""
    environment = os.environ | {"CUEBRIDGE_COMMAND": "cuebridge"}
    child = subprocess.Popen([sys.executable, "-m", module, *arguments], env=environment)
    interrupted = False
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
