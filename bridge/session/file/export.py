"""Files of what is composed and of what was played."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from bridge.player.messages import SentEvent
from bridge.session.arranging import Music
from bridge.session.file.recording import Journal, cut_off, holds_nothing, read_journal
from bridge.session.options import channels
from bridge.session.state import SessionState
from engine.arrange import Arrangement
from engine.music import Composition, UserError, shown
from engine.music.arguments import ControlError
from engine.music.files import check_writes_a_file, file_mark, make_way

_Job = Callable[[Path, tuple[SentEvent, ...]], int]
_Wanted = tuple[int, Path]  # how many films were left before, and what its file is to be called


def export_midi(session: SessionState, path: Path) -> int:
    """The composition in force with its pins, as `compose` would write it; returns the number of notes.

    Raises UserError while there is none.
    """
    made = session.whole()
    return _write(path, *(session.whole_later().result() if made is None else made))


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
    fault: UserError | None = None


class Exporter:
    """Writes what is in force beside the session: a file of two hours takes some seconds, and a disk may hang.

    Files are written in the order in which they were asked for, so that of two with one name the later stays.
    """

    def __init__(self, session: SessionState) -> None:
        self._session = session
        self._done: queue.SimpleQueue[Exported] = queue.SimpleQueue()
        self._last: threading.Thread | None = None
        self._ours: dict[Path, tuple[int, ...] | None] = {}  # as written in this run: may be written again

    def export(self, who: tuple[str, int], path: Path, *, replace: bool = False) -> None:
        """Begins to write; `finished` says what was written, since no disk is waited for here.

        A file that is there already is only overwritten with `replace`, and is kept beside it.  Raises UserError as
        `export_midi`.
        """
        before = self._last if self._last is not None and self._last.is_alive() else None
        later = self._session.whole_later()
        self._last = threading.Thread(
            target=self._run, args=(before, who, path, replace, later), name="export", daemon=True
        )
        self._last.start()

    def _run(
        self,
        before: threading.Thread | None,
        who: tuple[str, int],
        path: Path,
        replace: bool,
        later: Future[Music],
    ) -> None:
        if before is not None:
            before.join()
        try:
            self._make_way(path, replace)
            done = Exported(who, path, _write(path, *later.result()))
            self._ours[path] = file_mark(path)
            self._done.put(done)
        except UserError as error:
            self._done.put(Exported(who, path, fault=error))
        except Exception as error:  # whoever asked waits for an answer
            fault = UserError(f"{path.name} was not written: {type(error).__name__}: {error}.")
            self._done.put(Exported(who, path, fault=fault))

    def _make_way(self, path: Path, replace: bool) -> None:
        """Raises ControlError where a file is there that is not to be replaced."""
        if os.path.lexists(path) and (file_mark(path) is None or file_mark(path) != self._ours.get(path)):
            try:
                check_writes_a_file(path)
                make_way(path, replace=replace, how="replace")
            except UserError as error:
                raise ControlError("bad_value", str(error)) from None

    def finished(self, *, wait: bool = False) -> list[Exported]:
        """What was written beside the session since the last call; wait: and what is still being written."""
        if wait and self._last is not None:
            self._last.join()
        return [self._done.get() for _ in range(self._done.qsize())]


class RecordingFile:
    """Keeps a file of what the player really sent, laid out on the timeline.

    It is written beside the session, which waits for no disk; `write(wait=True)` at the end.
    """

    def __init__(self, session: SessionState, *, replace: bool = False) -> None:
        self._session = session
        self._replace = replace  # what an earlier run left under the same name, which is kept beside then
        self._film = 0  # how many were left
        self._targets: dict[_Wanted, Path] = {}  # where what is wanted there is really written
        self._heard = 0  # events that the file holds
        self._thread: threading.Thread | None = None
        self._done: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._announced: set[_Wanted] = set()
        self._late: Path | None = None  # asked for while an earlier file was being written
        self._owed: dict[_Wanted, Callable[[], bool]] = {}  # could not be written
        self._journal: Journal | None = None
        self._journals: dict[int, Journal] = {}  # of films that were left, until what is owed of them is written

    def write(self, path: Path, *, wait: bool = False) -> bool:
        """Whether there is a file of what was played, or one on its way; `news` tells, and tells of faults.

        While an earlier file is still being written nothing new is begun, unless wait: `catch_up` or the next call
        makes up for it.  With wait, what could not be written of films that were left is tried once more.
        """
        recorder, wanted = self._session.recorder, (self._film, path)
        if wait:
            self._join()
            for again in [each for other, each in self._owed.items() if other != wanted]:
                again()
        self._late = path if self._busy else None
        if recorder.empty or recorder.heard == self._heard or self._busy:
            return not recorder.empty and wanted in self._announced
        job = self._job(path)
        if wait:
            return job()
        self._begin(job)
        return True

    def begin(self, path: Path) -> None:
        """From now on what is played is kept on the disk while it is played, beside the file that it will become.

        What an earlier run played there that was cut off is written first; `news` tells where.
        """
        if self._journal is None:
            recorder = self._session.recorder
            self._journal = recorder.journal = Journal(
                path, self._session.tempo_map, first=lambda: self._recover_all(path), before=recorder.events_later()
            )

    def leave(self, path: Path | None) -> None:
        """What was played so far belongs to a film that is left now: it is written beside the session, and stays in its
        journal until then.  Where it cannot be written it is kept for later.  None: it is not wanted."""
        recorder, journal, film = self._session.recorder, self._journal, self._film
        unwritten = path is not None and not recorder.empty and recorder.heard != self._heard
        job = self._job(path) if path is not None and unwritten else None
        self._late, self._journal, recorder.journal = None, None, None
        self._heard = recorder.heard

        def put_away() -> None:
            if job is not None:
                job()
            if journal is not None:
                if self._owes(film):
                    self._journals[film] = journal
                journal.close(keep=film in self._journals)

        if job is not None or journal is not None:
            self._begin(put_away)
        self._film += 1

    def end(self) -> None:
        """Nothing more is played; the journal is deleted where the file holds everything."""
        self._join()
        if self._journal is not None:
            self._session.recorder.journal = None
            recorder = self._session.recorder
            unwritten = not recorder.empty and self._heard != recorder.heard
            self._journal.close(keep=unwritten or self._owes(self._film))
            self._journal = None

    def _owes(self, film: int) -> bool:
        """Whether something of a film, by its number, could not be written yet."""
        return any(other == film for other, _ in self._owed)

    def _recover_all(self, path: Path) -> None:
        ours = [each.path for each in tuple(self._journals.values())]
        for each in cut_off(path):
            if each not in ours:
                self._recover(each, path)

    def _recover(self, journal: Path, path: Path) -> None:
        from engine.midifile import write_events

        try:
            found = read_journal(journal)
            if found is None and not holds_nothing(journal):
                self._done.put(f"{journal} is not the journal of a recording; it stays as it is.")
                return
            if found is not None and found[0]:
                target = free_path(path.with_name(f"{path.stem}-recovered{path.suffix}"))
                notes = write_events(target, found[0], found[1])
                self._done.put(f"an earlier run was cut off: the {notes} notes that it played are in {target}.")
            journal.unlink()
        except (OSError, UserError) as error:
            self._done.put(f"what an earlier run played stays in {journal}: {error}")

    def catch_up(self) -> None:
        """Writes what was asked for meanwhile, once the earlier file is there; to be called while nothing plays."""
        if self._late is not None and not self._busy:
            self.write(self._late)

    def news(self) -> list[str]:
        """Sentences about files that were written beside the session."""
        return [self._done.get() for _ in range(self._done.qsize())]

    @property
    def _busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _join(self) -> None:
        if self._thread is not None:
            self._thread.join()

    def _begin(self, job: Callable[[], object]) -> None:
        """One after the other: a file of the film before may still be on its way."""
        before = self._thread

        def run() -> None:
            if before is not None:
                before.join()
            job()

        self._thread = threading.Thread(target=run, name="recording", daemon=True)
        self._thread.start()

    def _job(self, path: Path) -> Callable[[], bool]:
        """Writes what was played until now."""
        recorder = self._session.recorder
        self._heard = recorder.heard
        events, write, wanted = recorder.events_later(), _recording(self._session), (self._film, path)
        return lambda: self._run(wanted, write, events)

    def _run(self, wanted: _Wanted, write: _Job, events: Future[tuple[SentEvent, ...]]) -> bool:
        path = wanted[1]
        try:
            target = self._target(wanted)
            notes = write(target, events.result())
        except Exception as error:  # play goes on, and the next stop tries again
            self._heard = 0
            self._owed[wanted] = lambda: self._run(wanted, write, events)
            self._done.put(str(error) if isinstance(error, UserError) else f"{path.name} was not written: {error}.")
            return False
        self._owed.pop(wanted, None)
        if not self._owes(wanted[0]) and wanted[0] in self._journals:
            self._journals.pop(wanted[0]).delete()
        if wanted not in self._announced:
            self._announced.add(wanted)
            stays = "" if target == path else f"{shown(path.name)} was there before and stays; "
            self._done.put(f"{stays}{notes} notes written to {target}.")
        return True

    def _target(self, wanted: _Wanted) -> Path:
        """Where to write: nothing that was there before this run, or is another film's, is written over unasked."""
        film, path = wanted
        if wanted not in self._targets:
            target = path
            if os.path.lexists(path):
                if self._replace and not film:  # the name of another film's file is not one that was given
                    make_way(path, replace=True)
                else:
                    target = free_path(path)
            self._targets[wanted] = target
        return self._targets[wanted]


def _recording(session: SessionState) -> _Job:
    """Writes events as the session stands now; returns the number of notes."""
    score_of, tempo_map, names = session.score_later(), session.tempo_map, channels(session.document)

    def write(path: Path, events: tuple[SentEvent, ...]) -> int:
        from engine.midifile import composition_markers, write_events

        score = score_of()
        composition = score.pinned if score is not None else None
        markers = composition_markers(composition) if composition is not None else ()
        key = composition.key if composition is not None else None
        return write_events(path, events, tempo_map, key=key, markers=markers, channels=names)

    return write


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
