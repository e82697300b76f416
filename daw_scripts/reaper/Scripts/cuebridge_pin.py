# ruff: noqa: F403, F405, F821
"""CueBridge: asks for a chord and pins it where the playhead is.  cuebridge.py has to be running."""

from reaper_python import *

answer = RPR_GetUserInputs("CueBridge pin", 1, "Chord here (F#m7),extrawidth=80", "", 64)
if answer[0] and answer[4].strip():
    RPR_SetExtState("CueBridge", "ask", "pin\t" + answer[4].strip(), False)
RPR_defer("pass")  # REAPER adds an undo point for a script that never defers; this one changes nothing
