"""`--temp FILE`: what a temp track asks for takes the place of flags that were not given."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.interchange.temp_track import MIDI_ENDINGS, TempTrack, from_facts
from engine.music import Section, UserError
from engine.music.command import check_film_exists
from engine.music.errors import shown
from engine.music.extras import need_extra

Listen = Callable[[Path], TempTrack]


def take_temp(given: argparse.Namespace, listen: Listen, say: Callable[[str], Any]) -> tuple[Section, ...]:
    """Puts what a temp track asks for into the flags that were not given, says what was taken, and returns its energy
    course as sections.  listen: to a file with sound.  Raises UserError."""
    path, without = getattr(given, "temp", None), getattr(given, "temp_without", None)
    if path is None:
        if without is not None:
            raise UserError("--temp-without goes with a temp track: give one with --temp FILE.")
        return ()
    check_film_exists(path)
    refused = tuple((without or "").replace(",", " ").split())
    TempTrack("").without(refused)  # a word that is none is said before the file is listened to
    file = Path(path)
    if file.suffix.lower() in MIDI_ENDINGS:
        from engine.interchange.temp_analysis import temp_of_midi

        track = temp_of_midi(file)
    else:
        need_extra("temp", "Listening to a temp track")
        track = listen(file)
    track = track.without(refused)
    say(f"Of {shown(file.name)} are taken (--temp-without tempo,key,rhythm,energy leaves any out; a flag wins):")
    for line in (*track.lines, *track.notes):
        if not set(line.removeprefix("its ").split()[:1]) & set(refused):
            say(f"  {line}")
    if given.bpm is None and given.tempo_map is None:
        if track.has_map:
            given.tempo_map = path
        elif track.bpm is not None:
            given.bpm = f"{track.bpm:g}"
    if given.key is None and track.key is not None:
        given.key = track.key.name
    if given.harmonic_rhythm is None and track.bars_per_chord != "auto":
        given.harmonic_rhythm = track.bars_per_chord
    return track.sections()


def listen_beside(path: Path) -> TempTrack:
    """What `cuebridge temp` says of a file, in a process of its own.  Raises UserError."""
    command = [sys.executable, "-m", "engine", "temp", str(path.absolute()), "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        env={**os.environ, "CUEBRIDGE_COMMAND": "cuebridge"},
    )  # fmt: skip
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["the temp track could not be listened to."]
        raise UserError(lines[-1].removeprefix("cuebridge: "))
    return from_facts(json.loads(done.stdout))
