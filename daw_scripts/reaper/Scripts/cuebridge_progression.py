# ruff: noqa: F403, F405, F821
"""CueBridge: asks for a chord progression.  cuebridge.py has to be running; it hands it to the bridge."""

from reaper_python import *

answer = RPR_GetUserInputs("CueBridge progression", 1, "Chords (C Am F G),extrawidth=220", "C Am F G", 1024)
if answer[0]:
    RPR_SetExtState("CueBridge", "ask", "progression\t" + answer[4], False)
RPR_defer("pass")  # REAPER adds an undo point for a script that never defers; this one changes nothing
