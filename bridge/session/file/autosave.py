"""Saving by itself: a second after a change at the latest, in a thread, so that no slow disk holds anything up."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bridge.session.file.film_file import fingerprint, same_content
from bridge.session.file.find import (
    Saved,
    SavedTake,
    SessionError,
    Writer,
    read,
    session_file_of,
    session_path,
    write_text,
)
from bridge.session.session import Session

EVERY_S: Final = 0.5
RETRY_S: Final = 5.0  # after a fault: the disk was full, a share was away


def saved_state(session: Session, film_fingerprint: str) -> Saved | None:
    """What is worth keeping now; None before the film is known."""
    if session.analysed is None or session.choice is None:
        return None
    takes = tuple(
        SavedTake(number, take.name, take.kept, take.document, take.notes, take.controllers, cue)
        for cue, number, take in session.takes
    )
    history = session.history
    steps, index = history.steps, history.undo_count
    names = session.names_done
    return Saved(session.analysed, film_fingerprint, session.choice, steps, index, takes, names=names)


class Autosave:
    """tick() from the session's thread; close() at the end writes what is left."""

    def __init__(self, session: Session, path: Path | None, say: Callable[[str], None]) -> None:
        self._session = session
        self.path = path
        self._say = say
        self._writer = Writer()
        self._last: Saved | None = None
        self._next_s = 0.0
        self._failed = False
        self._jobs: queue.Queue[tuple[int, Path, Saved] | None] = queue.Queue()
        self._numbers = itertools.count()
        self._written: dict[Path, int] = {}  # the newest of each file
        self._lock = threading.Lock()  # around the writer: the thread's and the one of `save`
        self._faults: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._moved: queue.SimpleQueue[tuple[Path, Path]] = queue.SimpleQueue()
        self._instead: dict[Path, Path] = {}  # of files that another program has written since
        self._seen: dict[Path, tuple[int, ...] | None] = {}  # each file as it was when last read or written here
        if path is not None:
            self._seen[path] = _mark(path)
        self._thread = threading.Thread(target=self._write_all, name="autosave", daemon=True)
        self._thread.start()

    def tick(self, host_s: float) -> None:
        while not self._moved.empty():
            theirs, mine = self._moved.get()
            self._say(f"{theirs.name} was changed by another program; this session goes on in {mine}.")
            if self.path == theirs:
                self.path = mine
        while not self._faults.empty():
            self._fault(self._faults.get(), host_s)
        if host_s >= self._next_s:
            self._next_s = host_s + EVERY_S
            if self.idle:
                try:
                    self.save_if_changed()
                except SessionError as error:
                    self._fault(str(error), host_s)

    def _fault(self, sentence: str, host_s: float) -> None:
        """Said once; what could not be written is tried again until it is."""
        if not self._failed:
            self._say(sentence)
        self._failed, self._last = True, None
        self._next_s = host_s + RETRY_S

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be written or is being written."""
        return not self._jobs.unfinished_tasks

    def save_if_changed(self) -> None:
        """Nothing is written before the composer has decided something."""
        session = self._session
        decided = session.history.undo_count or session.history.redo_count or session.takes.any_kept
        if self.path is None and not decided:
            return
        saved = self._state()
        if saved is None or saved == self._last:
            return
        self._last = saved
        if self.path is None:
            self.path = session_path(Path(session.options.film))
            self._say(f"the session is kept in {self.path}.")
        self._jobs.put((next(self._numbers), self.path, saved))

    def save(self, path: Path | None) -> Path:
        """Now, and from now on under this name.  Raises SessionError."""
        saved = self._state()
        if saved is None:
            raise SessionError("nothing is known of the film yet.")
        if path is not None and path != self.path and path.exists() and not _is_session_of(path, saved.fingerprint):
            raise SessionError(f"{path.name} is there already and no session of this film: give another name.")
        if path is not None:
            self._seen[path] = _mark(path)
        self.path = path or self.path or session_path(Path(self._session.options.film))
        self._last = saved
        self._write(next(self._numbers), self.path, saved)
        return self.path

    def leave(self, film: Path) -> tuple[Path | None, Saved | None]:
        """Another film comes: saves this session and lets it be.  Returns where, and the other film's session where
        it has one."""
        try:
            self.save_if_changed()
        except SessionError as error:
            self._say(str(error))
        left, self.path, self._last = self.path, None, None
        beside = session_file_of(film)
        if beside is None:
            return left, None
        try:
            self._seen[beside] = _mark(beside)
            saved = read(beside)
            if not same_content(film, saved.fingerprint):
                return left, None
        except SessionError as error:
            self._say(f"{error} A new session is begun.")
            return left, None
        self.path, self._last = beside, None
        return left, saved

    def _state(self) -> Saved | None:
        session = self._session
        if not self._session.film.fingerprint:  # a restored session whose film was not looked at yet
            try:
                session.film.fingerprint = fingerprint(Path(session.options.film))
            except OSError:
                return None
        return saved_state(session, session.film.fingerprint)

    def close(self) -> None:
        try:
            self.save_if_changed()
        except SessionError as error:
            self._say(str(error))
        self._jobs.put(None)
        self._thread.join(10.0)

    def _write_all(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                self._write(*job)
            except SessionError as error:
                self._faults.put(str(error))
            except Exception as error:  # a thread that ended would save nothing more, and say nothing
                self._faults.put(f"the session cannot be written: {type(error).__name__}: {error}.")
            else:
                self._failed = False
            finally:
                self._jobs.task_done()

    def _write(self, number: int, path: Path, saved: Saved) -> None:
        """Unless something newer was written there.  Nothing in `saved` changes any more: any thread may do it."""
        with self._lock:
            path = self._instead.get(path, path)
            now = _mark(path)
            if now is not None and now != self._seen.get(path):  # two programs at one session: both are kept
                mine = session_path(Path(saved.analysed.film.path))
                self._instead[path] = mine
                self._moved.put((path, mine))
                path = mine
            if self._written.get(path, -1) < number:
                write_text(path, self._writer.text(saved, path))
                self._written[path] = number
                self._seen[path] = _mark(path)


def _is_session_of(path: Path, film_fingerprint: str) -> bool:
    try:
        return read(path).fingerprint == film_fingerprint
    except SessionError:
        return False


def _mark(path: Path) -> tuple[int, ...] | None:
    """By which a file is known again as it was; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
