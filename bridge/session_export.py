"""Files of what is composed and of what was played."""

from __future__ import annotations

import os
from pathlib import Path

from bridge.session import Session
from bridge.session_options import channels


def export_midi(session: Session, path: Path) -> int:
    """The composition in force with its pins, as `compose` would write it; returns the number of notes.

    Raises UserError while there is none, or while a long film is still being arranged.
    """
    from engine.midifile import write_midi

    composition, arrangement = session.playing.whole()
    write_midi(path, composition, arrangement)
    return len(arrangement.notes)


def write_recording(session: Session, path: Path) -> int:
    """What the player really sent, laid out on the timeline; returns the number of notes."""
    from engine.midifile import composition_markers

    composition = session.composition()
    markers = composition_markers(composition) if composition is not None else ()
    key = composition.key if composition is not None else None
    return session.recorder.write(path, session.tempo_map, key=key, markers=markers, channels=channels(session.draft))


def free_path(path: Path) -> Path:
    """The path itself or, where such a file is there already, the first `name-2`, `name-3` … that is free."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free


def default_recording(film: str) -> Path:
    """`<film>-live.mid` in the working folder."""
    return free_path(Path(os.getcwd()) / f"{Path(film).stem}-live.mid")
