"""Saves the session by itself, within a second of a change, in a thread, so that no slow disk holds anything up."""

from __future__ import annotations

import itertools
import os
import queue
import threading
from collections.abc import Callable
from dataclasses import replace as replaced
from pathlib import Path
from time import monotonic
from typing import Final, NamedTuple

from bridge.session.file.find import session_file_of, session_path
from bridge.session.file.later import Later
from bridge.session.session import Session
from bridge.session.state import SessionState
from engine.arrange.score import check_playable
from engine.document import SavedSession, SavedTake
from engine.document.file import SessionError, SessionWriter, read_session, write_session
from engine.document.file.film_file import same_content
from engine.music import UserError, shown
from engine.music.files import check_writes_a_file, file_mark, make_way

EVERY_S: Final = 0.5
RETRY_S: Final = 5.0  # after a fault: the disk was full, a share was away


_Done = Callable[[Path | UserError], None]
_Told = Callable[[Path | UserError], object]
FILM_S: Final = 0.3  # at the end nobody waits longer than this for the film's disk
LOOK_S: Final = 5.0  # that another film waits for its session to be read
MOST_UNNAMED: Final = 8  # saves that wait for the disk to say where
CLOSE_S: Final = 1.5  # at the end nobody waits longer than this for a disk
_NOWHERE: Final = "the disk does not say where the session can be kept."


class _Job(NamedTuple):
    """named: by a person, who is told what is in the way there.  replace: it may be replaced.  own: the session's file
    until now, which is in nobody's way."""

    number: int
    path: Path
    saved: SavedSession
    tell: _Done | None = None
    named: bool = False
    replace: bool = False
    own: Path | None = None


def saved_state(session: SessionState, film_fingerprint: str) -> SavedSession | None:
    """What is worth keeping now; None before the film is known."""
    analysed = session.analysed
    if analysed is None or session.choice is None:
        return None
    reading = replaced(session.film.reading(), fingerprint=film_fingerprint)
    takes = tuple(SavedTake(cue, number, take) for cue, number, take in session.takes)
    history = session.history
    cuts = {step.film.fingerprint for step in history.steps if step.film is not None} - {film_fingerprint}
    aside = tuple(SavedTake(cue, number, take, cut) for cut, cue, number, take in session.takes.aside if cut in cuts)
    return SavedSession(
        reading, session.choice, history.steps, history.undo_count, takes, session.names_done, takes_aside=aside
    )  # fmt: skip


class Autosave:
    """tick() from the session's thread; close() at the end writes what is left."""

    def __init__(self, session: Session, path: Path | None, say: Callable[[str], None]) -> None:
        self._session = session
        self.path = path
        self._say = say
        self._writer = SessionWriter()
        self._last: SavedSession | None = None  # as last handed over to be written
        self._next_s = 0.0
        self._failed = self._closed = False
        self._chosen = path is not None  # by a person; a file of our own choice may be kept elsewhere
        self._jobs: queue.Queue[_Job | None] = queue.Queue()
        self._asked: queue.SimpleQueue[tuple[_Done, Path | UserError]] = queue.SimpleQueue()
        self._numbers = itertools.count()
        self._films_left = 0
        self._looked: _Looked | None = None  # for the session of a film that is to come
        self._left: dict[Path, Path] = {}  # of each film that was left the file that its session was saved in
        self._written: dict[Path, int] = {}  # the newest of each file
        self._newest: dict[Path, tuple[int, Path, SavedSession]] = {}  # of each file: its film and what it will hold
        self._lock = threading.Lock()  # around the writer: the thread's and the one of `save`
        self._faults: queue.SimpleQueue[tuple[str, Path, bool]] = queue.SimpleQueue()
        self._moved: queue.SimpleQueue[tuple[Path, Path]] = queue.SimpleQueue()
        self._sentences: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._choosing: tuple[Path, Later[Path]] | None = None  # a name for the session of a film
        self._unnamed: list[tuple[_Told, bool, float]] = []  # saves that were asked for and wait for it
        self._instead: dict[Path, Path] = {}  # of files that another program has written since
        self._seen: dict[Path, tuple[int, ...] | None] = {}  # each file as it was when last read or written here
        if path is not None:
            self._seen[path] = file_mark(path)
        self._thread = threading.Thread(target=self._write_all, name="autosave", daemon=True)
        self._thread.start()

    def tick(self, host_s: float) -> None:
        self._report(host_s)
        self._save_unnamed()
        if host_s >= self._next_s:
            self._next_s = host_s + EVERY_S
            if self.idle:
                try:
                    self.save_if_changed()
                except SessionError as error:
                    self._fault(str(error), host_s)

    def _answer(self) -> None:
        """Tells whoever asked for a file what has become of it."""
        while not self._sentences.empty():
            self._say(self._sentences.get())
        while not self._asked.empty():
            finish, made = self._asked.get()
            finish(made)

    def _report(self, host_s: float) -> None:
        """Says what has happened in the thread."""
        self._answer()
        while not self._moved.empty():
            theirs, mine = self._moved.get()
            self._say(f"{shown(theirs.name)} was changed by another program; this session continues in {shown(mine)}.")
            if self.path == theirs:
                self.path = mine
        while not self._faults.empty():
            sentence, path, never = self._faults.get()
            self._fault(sentence, host_s)
            if never and path == self.path and not self._chosen and path not in self._written:
                self._keep_elsewhere(path)

    def _keep_elsewhere(self, path: Path) -> None:
        """A file of our own choice cannot be written beside the film: the user's folder is tried."""
        film = self._session.film.path
        chosen = Later(lambda: session_path(film, beside=False), "chooses a name")
        if not chosen.wait():
            return  # the next fault tries again
        try:
            other = chosen.result()
        except SessionError:
            return
        if other.parent != path.parent:
            self.path, self._next_s = other, 0.0
            self._say(f"the session is kept in {shown(other)}.")

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

    def save_if_changed(self, patience_s: float | None = None) -> None:
        """Nothing is written before the composer has decided something."""
        session = self._session
        decided = session.history.undo_count or session.history.redo_count or session.takes.any_kept
        if self.path is None and not decided:
            return
        saved = self._state()
        if saved is None or saved == self._last:
            return
        known, path = self.path, self._choose_path(patience_s)
        if path is None:  # asked again at the next tick
            return
        if path != known:
            self._say(f"the session is kept in {shown(path)}.")
        self._last = saved
        self._put(path, saved)

    def _choose_path(self, patience_s: float | None) -> Path | None:
        """Where the session is kept, by a new name where that is nowhere yet; None as long as the disk has not
        answered.  Raises SessionError."""
        if self.path is not None:
            return self.path
        film = self._session.film.path
        if self._choosing is None or self._choosing[0] != film:
            self._choosing = film, Later(lambda: session_path(film), "chooses a name")
        if not self._choosing[1].wait(patience_s):
            return None
        chosen, self._choosing = self._choosing[1], None
        self.path, self._chosen = chosen.result(), False
        return self.path

    def _save_or_say(self, patience_s: float | None = None) -> None:
        """For the last time: what cannot be written is said and not tried again."""
        try:
            self.save_if_changed(patience_s)
        except SessionError as error:
            self._say(str(error))

    def save(self, path: Path | None, *, replace: bool = False) -> Path:
        """Saves now, and from now on under this name; returns where.

        A file that is there already and not this session's own is overwritten only with `replace`, and is kept beside
        it.  Raises SessionError; then everything goes on under the name from before.
        """
        answers: list[Path | UserError] = []
        if not self._session.film.fingerprint:
            self._session.film.read_fingerprint(LOOK_S)
        if path is None and self._choose_path(LOOK_S) is None:
            raise SessionError(_NOWHERE)
        self.save_later(path, answers.append, replace=replace)
        self._jobs.join()
        self._answer()
        if isinstance(answers[0], UserError):
            raise answers[0]
        return answers[0]

    def save_later(
        self, path: Path | None, done: _Told, *, replace: bool = False, until_s: float | None = None
    ) -> None:
        """As `save`, without waiting for the disk.  done: gets where it was saved, or why not, at a later tick."""
        saved = self._state()
        if saved is None:
            raise SessionError("nothing is known of the film yet.")
        target = path or self._choose_path(None if until_s is None and not self._unnamed else 0.0)
        if target is None:  # asked again at the next tick, until_s at the latest
            until_s = monotonic() + LOOK_S if until_s is None else until_s
            if len(self._unnamed) >= MOST_UNNAMED or monotonic() > until_s:
                raise SessionError(_NOWHERE)
            self._unnamed.append((done, replace, until_s))
            return
        films_left = self._films_left

        def finish(written: Path | UserError) -> None:
            if isinstance(written, Path) and films_left == self._films_left:  # or another film would be saved there
                if path is not None:
                    self._chosen = True
                self.path, self._last, self._failed = written, saved, False
            done(written)

        named = target != self.path
        self._put(target, saved, lambda made: self._asked.put((finish, made)), named=named, replace=replace)

    def _save_unnamed(self, fault: SessionError | None = None) -> None:
        """What waits for a name is saved once there is one; fault: or is answered by it."""
        waiting, self._unnamed = self._unnamed, []
        for done, replace, until_s in waiting:
            try:
                if fault is not None:
                    raise fault
                self.save_later(None, done, replace=replace, until_s=until_s)
            except SessionError as error:
                done(error)

    def _put(
        self,
        path: Path,
        saved: SavedSession,
        tell: _Done | None = None,
        *,
        named: bool = False,
        replace: bool = False,
    ) -> None:
        number = next(self._numbers)
        self._newest[path] = number, self._session.film.path, saved
        self._jobs.put(_Job(number, path, saved, tell, named, replace, self.path))

    def _on_its_way(self, looked: _Looked) -> tuple[Path, SavedSession] | None:
        """A film's session that is still to be written, or was written since it was looked for, and where."""
        names = looked.found.result().names if looked.found.wait(0) and not looked.found.failed else ()
        for path, (number, of, saved) in self._newest.items():
            done = self._written.get(path, -1)
            if of in {looked.film, *names} and (done < number or done != looked.written.get(path, -1)):
                return path, saved
        return None

    def look(self, film: Path) -> bool:
        """Begins to read the session of a film that is to come, beside the session; whether that is done."""
        if self._looked is None or self._looked.film != film:
            before, known = list(self._left.items()), {each[1] for each in self._newest.values()}
            found = Later(lambda: _session_of(film, before, known), "session of a film")
            self._looked = _Looked(film, found, monotonic(), dict(self._written))
        return self._looked.found.wait() or monotonic() - self._looked.since_s > LOOK_S

    def leave(self, film: Path) -> tuple[Path | None, SavedSession | None]:
        """Puts this session away because another film comes.

        Returns where it is kept, and the other film's session where that has one.
        """
        self._save_or_say()
        if self._choosing is not None:
            self._say(f"the disk does not say where the session of {shown(self._session.film.name)} can be kept.")
            self._choosing = None
        self._save_unnamed(SessionError(_NOWHERE))
        self._films_left += 1
        left, self.path, self._last, self._chosen = self.path, None, None, False
        if left is not None:
            self._left[self._session.film.path] = left
        self.look(film)
        looked, self._looked = self._looked, None
        assert looked is not None
        answered = looked.found.wait(max(LOOK_S - (monotonic() - looked.since_s), 0.0))
        waiting = self._on_its_way(looked)
        if waiting is not None:  # its file is older than what is known here
            self.path, self._chosen = waiting[0], True
            return left, waiting[1]
        try:
            if not answered:
                raise SessionError(f"the disk does not say whether {shown(film.name)} has a session.")
            found = looked.found.result()
        except SessionError as error:
            self._say(f"{error} A new session is begun; that file stays as it is.")
            return left, None
        if found.path is None or found.saved is None:
            return left, None
        self._seen[found.path] = found.mark
        self.path, self._chosen = found.path, True
        return left, found.saved

    def leave_cut(self) -> None:
        """This session stays in its file as it is; it goes on with another cut of the film, in a file beside that."""
        self._save_or_say()
        self._films_left += 1
        self.path, self._last, self._chosen = None, None, False

    def _state(self) -> SavedSession | None:
        session = self._session
        if not session.film.fingerprint and not session.film.read_fingerprint():
            return None  # a restored session whose film is not there
        return saved_state(session, session.film.fingerprint)

    def close(self) -> None:
        """Writes what is left and says where that did not work; further calls do nothing."""
        if self._closed:
            return
        self._closed = True
        self._save_unnamed()
        if self._session.analysed is not None and not self._session.film.fingerprint:
            self._session.film.read_fingerprint(FILM_S)
        self._save_or_say(FILM_S)
        self._save_unnamed(SessionError(_NOWHERE) if self.path is None else None)
        self._jobs.put(None)
        self._thread.join(CLOSE_S)
        if self._thread.is_alive():
            self._say("the session could not be written in time: the disk does not answer.")
            return
        self._answer()
        # What was said once while playing is said again now that nothing more is tried.
        self._failed = False
        while not self._faults.empty():
            sentence, *_ = self._faults.get()
            self._fault(f"{sentence.rstrip('.')}; the latest changes are not saved.", 0.0)
        self._report(0.0)

    def _write_all(self) -> None:
        while (job := self._jobs.get()) is not None:
            path, tell = job.path, job.tell
            try:
                if job.named:
                    self._make_way(job)
                written = self._write(job.number, path, job.saved)
                if tell is not None:
                    tell(written)
            except SessionError as error:
                if tell is not None:
                    tell(error)
                else:
                    self._faults.put((str(error), path, error.never))
            except Exception as error:  # a thread that ended would save nothing more, and say nothing
                sentence = f"the session cannot be written: {type(error).__name__}: {error}."
                if tell is not None:
                    tell(SessionError(sentence))
                else:
                    self._faults.put((sentence, path, False))
            else:
                self._failed = False
            finally:
                self._jobs.task_done()

    def _make_way(self, job: _Job) -> None:
        """Raises SessionError where something is in the way that is not to be replaced."""
        path = job.path
        try:
            check_writes_a_file(path)
            if os.path.lexists(path) and not _is_same(path, job.own):
                copy = make_way(path, replace=job.replace, how="replace")
                if copy is not None:
                    self._sentences.put(f"the {shown(path.name)} from before is kept as {shown(copy.name)}.")
        except UserError as error:
            self._newest.pop(path, None)
            raise SessionError(str(error)) from None
        self._seen[path] = file_mark(path)

    def _write(self, number: int, path: Path, saved: SavedSession) -> Path:
        """Writes a session unless something newer was written there; returns where.

        Nothing in `saved` changes any more, so any thread may do it.  Raises SessionError.
        """
        with self._lock:
            path = self._instead.get(path, path)
            now = file_mark(path)
            if now is not None and now != self._seen.get(path):  # two programs at one session: both are kept
                mine = session_path(Path(saved.reading.film.path))
                self._instead[path] = mine
                self._moved.put((path, mine))
                path = mine
            if self._written.get(path, -1) < number:
                write_session(path, self._writer.encode(saved, path))
                self._written[path] = number
                self._seen[path] = file_mark(path)
            return path


class _Found(NamedTuple):
    """The file of a film's session, as it was when it was read; none where there is none of this very film.

    names: by which this run has known the film.
    """

    path: Path | None = None
    mark: tuple[int, ...] | None = None
    saved: SavedSession | None = None
    names: frozenset[Path] = frozenset()


class _Looked(NamedTuple):
    """written: the newest of each file when it was begun to look."""

    film: Path
    found: Later[_Found]
    since_s: float
    written: dict[Path, int]


def _session_of(film: Path, left: list[tuple[Path, Path]], known: set[Path]) -> _Found:
    """left: films that were left and the files that their sessions were saved in; known: films of this run.  Raises
    SessionError."""
    names = frozenset(each for each in known if _is_same(film, each))
    before = [path for of, path in left if of in names or _is_same(film, of)]
    beside = next((path for path in before if path.is_file()), None) or session_file_of(film)
    if beside is None:
        return _Found(names=names)
    mark = file_mark(beside)
    saved = check_playable(read_session(beside))
    return _Found(beside, mark, saved, names) if same_content(film, saved.fingerprint) else _Found(names=names)


def _is_same(first: Path, second: Path | None) -> bool:
    try:
        return second is not None and os.path.samefile(first, second)
    except OSError:
        return False
