# ruff: noqa: F403, F405
"""CueBridge: arms the tracks pad, arp, bass, melody and drums for recording from the CueBridge port.

Each gets its own channel; tracks that are missing are made.  With one port per part ("CueBridge Pad" …) each track
takes its own port, all channels.
"""

from reaper_python import *

CHANNELS = {"pad": 1, "arp": 2, "bass": 3, "melody": 4, "drums": 10}
HERE = 0


def inputs():
    """{name in small letters: REAPER's number} of the MIDI inputs that are there."""
    found = {}
    for device in range(RPR_GetNumMIDIInputs()):
        answer = RPR_GetMIDIInputName(device, "", 512)
        if answer[0]:
            found[answer[2].lower()] = device
    return found


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
    missing = []
    RPR_Undo_BeginBlock2(HERE)
    for part, channel in CHANNELS.items():
        own = [number for name, number in there.items() if "cuebridge " + part in name]
        shared = [number for name, number in there.items() if "cuebridge" in name]
        track = track_of(part)
        if own:
            source = 4096 | own[0] << 5  # all channels of its own port
        elif shared:
            source = 4096 | shared[0] << 5 | channel
        else:
            source = 4096 | 63 << 5 | channel  # any input
            missing.append(part)
        RPR_SetMediaTrackInfo_Value(track, "I_RECINPUT", source)
        RPR_SetMediaTrackInfo_Value(track, "I_RECMODE", 0)
        RPR_SetMediaTrackInfo_Value(track, "I_RECMON", 1)
        RPR_SetMediaTrackInfo_Value(track, "I_RECARM", 1)
    RPR_Undo_EndBlock2(HERE, "CueBridge: arm tracks", -1)
    if missing:
        RPR_ShowMessageBox(
            "The MIDI input CueBridge is not there or not enabled (Preferences > MIDI Devices): "
            "the tracks listen to all inputs.",
            "CueBridge",
            0,
        )


arm()
