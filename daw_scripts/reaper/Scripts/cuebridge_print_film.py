# ruff: noqa: F403, F405, F821
"""CueBridge: prints the present take of the whole film into tracks.  cuebridge.py has to be running."""

from reaper_python import *

RPR_SetExtState("CueBridge", "ask", "print\tfilm", False)
RPR_defer("pass")  # REAPER adds an undo point for a script that never defers; this one changes nothing
