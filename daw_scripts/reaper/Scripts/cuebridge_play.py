# ruff: noqa: F403, F405, F821
"""CueBridge: hands the present take of the whole film to the effect "CueBridge" (JSFX), which plays it at the sample
and keeps it in the project.

cuebridge.py has to be running, and the effect on a track.
"""

from reaper_python import *

RPR_SetExtState("CueBridge", "ask", "play\tfilm", False)
RPR_defer("pass")  # REAPER adds an undo point for a script that never defers; this one changes nothing
