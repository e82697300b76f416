"""Files of what is composed and of what was played."""

from __future__ import annotations

import os
import queue
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bridge.session import Session
from bridge.session_options import channels
from engine.arrange import Arrangement
from engine.music import Composition, UserError

LONG_NOTES: Final = 4000  # as many are written in a tenth of a second or two; more would hold the session up


def export_midi(session: Session, path: Path) -> int:
    """The composition in force with its pins, as `compose` would write it; returns the number of notes.

    Raises UserError while there is none, or while a long film is still being arranged.
    """
    return _write(path, *session.playing.whole())


def _write(path: Path, composition: Composition, arrangement: Arrangement) -> int:
    from engine.midifile import write_midi

    write_midi(path, composition, arrangement)
    return len(arrangement.notes)


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that was asked for by `who`.  notes: how many are in it; fault: why it could not be written."""

    who: tuple[str, int]
    path: Path
    notes: int = 0
    fault: str = ""


class Exporter:
    """Writes what is in force: a short film's music at once, a long film's beside the session.

    A file of two hours takes some seconds.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._done: queue.SimpleQueue[Exported] = queue.SimpleQueue()

    def export(self, who: tuple[str, int], path: Path) -> Exported | None:
        """What was written; None where that comes later, from `finished`.  Raises UserError as `export_midi`."""
        made = self._session.playing.whole()
        if len(made[1].notes) <= LONG_NOTES:
            return Exported(who, path, _write(path, *made))
        threading.Thread(target=self._run, args=(who, path, *made), name="export").start()  # ends before the program
        return None

    def _run(self, who: tuple[str, int], path: Path, composition: Composition, arrangement: Arrangement) -> None:
        try:
            self._done.put(Exported(who, path, _write(path, composition, arrangement)))
        except UserError as error:
            self._done.put(Exported(who, path, fault=str(error)))
        except Exception as error:  # whoever asked waits for an answer
            self._done.put(Exported(who, path, fault=f"{path.name} was not written: {type(error).__name__}: {error}."))

    def finished(self) -> list[Exported]:
        """What was written beside the session since the last call."""
        return [self._done.get() for _ in range(self._done.qsize())]


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
