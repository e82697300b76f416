# ruff: noqa: F403, F405
"""CueBridge: prints the present take of the whole film into tracks.  cuebridge.py has to be running."""

from reaper_python import *

RPR_SetExtState("CueBridge", "ask", "print\tfilm", False)
