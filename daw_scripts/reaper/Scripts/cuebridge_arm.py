# ruff: noqa: F403, F405
"""CueBridge: arms the tracks pad, arp, bass, melody and drums for recording from the CueBridge port.

Each gets its own channel; tracks that are missing are made.  With one port per part ("CueBridge Pad" …) each track
takes its own port, all channels.  Ports count by their exact name: "CueBridge Clock" and "CueBridge Sync" are others.
"""

import re

from reaper_python import *

CHANNELS = {"pad": 1, "arp": 2, "bass": 3, "melody": 4, "drums": 10}
HERE = 0
ALL_DEVICES = 63  # of I_RECINPUT


def plain(name):
    """A port's own name: systems put the client before it ("CueBridge - CueBridge Pad", "CueBridge:CueBridge Pad")
    or numbers behind it ("CueBridge Pad 128:0", "2- CueBridge Pad")."""
    name = re.sub(r"\s+\d+:\d+$", "", name.strip().lower())
    return re.sub(r"^\d+- ", "", re.split(r" - |:", name)[-1].strip())


def inputs():
    """{name: REAPER's number} of the MIDI inputs that are there."""
    found = {}
    for device in range(RPR_GetNumMIDIInputs()):
        answer = RPR_GetMIDIInputName(device, "", 512)
        if answer[0]:
            found.setdefault(plain(answer[2]), device)
    return found


def enabled(device):
    """Whether an input is enabled in the preferences; True where that cannot be read."""
    try:
        with open(RPR_get_ini_file(), encoding="utf-8", errors="replace") as file:
            found = re.search(r"^midiins=(\d+)\s*$", file.read(), re.MULTILINE)
    except Exception:  # no such call, no such file
        return True
    return found is None or device > 30 or bool(int(found.group(1)) >> device & 1)


def track_of(part):
    for index in range(RPR_CountTracks(HERE)):
        track = RPR_GetTrack(HERE, index)
        name = RPR_GetSetMediaTrackInfo_String(track, "P_NAME", "", False)[3].strip().lower()
        if name in (part, "cuebridge " + part):
            return track
    last = RPR_CountTracks(HERE)
    RPR_InsertTrackAtIndex(last, True)
    track = RPR_GetTrack(HERE, last)
    RPR_GetSetMediaTrackInfo_String(track, "P_NAME", part, True)
    return track


def arm():
    there = inputs()
    missing, disabled = [], set()
    RPR_Undo_BeginBlock2(HERE)
    try:
        for part, channel in CHANNELS.items():
            own, shared = there.get("cuebridge " + part), there.get("cuebridge")
            device = shared if own is None else own
            track = track_of(part)
            if device is None:
                source = 4096 | ALL_DEVICES << 5 | channel
                missing.append(part)
            else:
                source = 4096 | device << 5 | (channel if own is None else 0)
                if not enabled(device):
                    disabled.add("CueBridge" if own is None else "CueBridge " + part.capitalize())
            RPR_SetMediaTrackInfo_Value(track, "I_RECINPUT", source)
            RPR_SetMediaTrackInfo_Value(track, "I_RECMODE", 0)
            RPR_SetMediaTrackInfo_Value(track, "I_RECMON", 1)
            RPR_SetMediaTrackInfo_Value(track, "I_RECARM", 1)
    finally:
        RPR_Undo_EndBlock2(HERE, "CueBridge: arm tracks", -1)
    if missing:
        RPR_ShowMessageBox(
            "There is no MIDI input CueBridge for " + ", ".join(missing) + ": start cuebridge live, then enable the "
            "input in Preferences > MIDI Devices (on Windows add the port in loopMIDI first) and run this action "
            "again. Until then these tracks listen to all inputs.",
            "CueBridge",
            0,
        )
    if disabled:
        RPR_ShowMessageBox(
            "Not enabled, so nothing arrives: " + ", ".join(sorted(disabled)) + ". Preferences > MIDI Devices, "
            "right-click the input > Enable input.",
            "CueBridge",
            0,
        )


arm()
