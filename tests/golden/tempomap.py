"""A .mid with changes of tempo and meter, for command lines that take one."""

from __future__ import annotations

from pathlib import Path

import mido


def tempo_map_file(folder: Path) -> Path:
    midi = mido.MidiFile(ticks_per_beat=480)
    track = mido.MidiTrack()
    for message in (
        mido.MetaMessage("time_signature", numerator=4, denominator=4, time=0),
        mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(96), time=0),
        mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(120), time=4 * 4 * 480),
        mido.MetaMessage("time_signature", numerator=3, denominator=4, time=0),
        mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(132.5), time=6 * 3 * 480),
        mido.MetaMessage("time_signature", numerator=6, denominator=8, time=0),
    ):
        track.append(message)
    midi.tracks.append(track)
    midi.save(folder / "map.mid")
    return folder / "map.mid"
