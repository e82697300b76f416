"""The analysis child: one process per film that looks at it, so that a decoder that crashes takes nothing with it.

Started with multiprocessing `spawn`.  Over the pipe go JSON objects only (the child reads files from anywhere, so
nothing it says is unpickled); features go through .npz files in a folder that the parent owns.  The child ignores the
signals that end a whole group of processes, and ends as soon as its pipe closes, whatever it is doing: it then removes
the folder, since a parent that was killed cannot.  One that is started ahead (`AnalysisChild`) loads the decoders and
waits for its film, so that the start of a process is not waited for when a film is opened.

Parent -> child:  {"task": fields of AnalysisTask, "folder": path}     once
Child -> parent:  {"kind": "progress", "fraction": 0..1, "phase": text}
                  {"kind": "seen", "file": path, "seconds": rows}      the film so far, where snapshots are asked for
                  {"kind": "done", "file": path, "cached": bool}
                  {"kind": "error", "sentence": text}                  the film is at fault
                  {"kind": "heard", "speech": rows or null, "music": rows, "loudness_db": values}
                  {"kind": "unheard", "sentence": text}                the same, of a sound that cannot be listened to
                                                                       one of them after "done", where listening is
                                                                       asked for
Importing this module is light; numpy and the decoders are loaded in the child.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from engine.music import UserError
from engine.music.processes import memory_ran_out, start_on_pipe
from engine.music.temporary import TemporaryFolder
from engine.process.priorities import GiveWay, Yielding, lower

if TYPE_CHECKING:
    from engine.sound.listening import FilmListening
    from engine.video import VideoFeatures

MAX_CRASHES: Final = 2  # a film that kills its child this often is given up
_NICE: Final = 10
_LONGEST_PAUSE_S: Final = 10.0  # in which what is listened to stands still
_NICE_LISTENING: Final = 9  # more: nobody waits for it, and the first composition runs meanwhile
_SOUND: Final = "sound-2"  # another number where what is heard changes
_FIRST_SNAPSHOT_S: Final = 4  # picture seconds; then at every doubling, at least this much


class AnalysisError(UserError):
    """The film cannot be read, or its analysis crashed again and again."""


@dataclass(frozen=True, slots=True)
class AnalysisTask:
    """What to look at.  reading: "auto", "full" or "quick"; snapshots: also tell what was seen so far; listen: then
    listen to the film's own sound, once."""

    path: str
    reading: str = "auto"
    clip_weights: str | None = None
    cache_dir: str | None = None
    use_cache: bool = True
    snapshots: bool = False
    listen: bool = False


@dataclass(frozen=True, slots=True)
class AnalysisNews:
    """What the parent learns.  kind: "progress", "seen", "done", "heard", "unheard" or "restarted"."""

    kind: str
    fraction: float = 0.0
    phase: str = ""
    features: VideoFeatures | None = None
    cached: bool = False
    heard: FilmListening | None = None


class AnalysisChild:
    """A started child that loads the decoders and waits for the one film it will look at.

    connection: the parent's end of its pipe.  It ends when that is closed, so also with its parent.  way: asks it to
    stand still for a moment.
    """

    def __init__(self) -> None:
        self.way = GiveWay()
        self.connection, self.process = start_on_pipe(run_analysis, self.way, name="cuebridge-analysis")

    @property
    def waiting(self) -> bool:
        """Whether it still lives."""
        return self.process.is_alive()

    def give(self, task: AnalysisTask, folder: Path) -> None:
        """Names the film, once.  A child that has died is found out by its pipe."""
        with contextlib.suppress(OSError):
            self.connection.send_bytes(json.dumps({"task": asdict(task), "folder": str(folder)}).encode())

    def discard(self) -> None:
        """Ends a child that was not needed; it has nothing to lose."""
        self.connection.close()
        self.process.kill()
        self.process.join(5.0)


class AnalysisProcess:
    """A running analysis; a context manager that ends it.

    `connection` is for multiprocessing.connection.wait; `news()` then tells what has come.  `way` asks it to stand
    still for a moment.
    """

    def __init__(self, task: AnalysisTask, ahead: AnalysisChild | None = None) -> None:
        """ahead: a child that was started before and from now on belongs to this analysis; else one is started."""
        self.task = task
        self.crashes = 0
        self.notes: tuple[str, ...] = ()  # what the person should know, one sentence per crash
        self.begun_s = time.perf_counter()
        self._folder = TemporaryFolder()
        self._done = self._over = False
        if ahead is not None and not ahead.waiting:
            ahead.discard()
            ahead = None
        self._start(ahead)

    def _start(self, ahead: AnalysisChild | None = None) -> None:
        child = ahead or AnalysisChild()
        self.connection, self._process, self.way = child.connection, child.process, child.way
        child.give(self.task, self._folder.path)

    def __enter__(self) -> AnalysisProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        return self._process.pid

    @property
    def done(self) -> bool:
        """The whole film was seen, or the analysis was given up."""
        return self._done

    @property
    def over(self) -> bool:
        """Nothing more comes."""
        return self._over

    def news(self) -> Iterator[AnalysisNews]:
        """What has come since the last call, without waiting.

        Raises AnalysisError where the film cannot be read, or has crashed its child too often.
        """
        while not self._over:
            try:
                if not self.connection.poll():
                    return
                message = json.loads(self.connection.recv_bytes())
            except (EOFError, OSError, ValueError):
                if self._done:  # a sound that cannot be listened to costs nothing that was seen
                    self._over = True
                    yield AnalysisNews("unheard", phase="Listening to the film's own sound crashed.")
                    return
                yield self._crashed()
                continue
            yield from self._understand(message)

    def _understand(self, message: dict[str, Any]) -> Iterator[AnalysisNews]:
        from engine.video import VideoFeatures

        kind = message.get("kind")
        if kind == "progress":
            yield AnalysisNews("progress", float(message["fraction"]), str(message["phase"]))
        elif kind in ("seen", "done"):
            features = VideoFeatures.load(self._folder.path / str(message["file"]))
            self._done = kind == "done"
            self._over = self._done and not self.task.listen
            yield AnalysisNews(str(kind), features=features, cached=bool(message.get("cached")))
        elif kind == "heard":
            from engine.sound.listening import FilmListening

            self._over = True
            yield AnalysisNews("heard", heard=FilmListening.from_json(message))
        elif kind == "unheard":
            self._over = True
            yield AnalysisNews("unheard", phase=str(message["sentence"]))
        elif kind == "error":
            self._done = self._over = True
            raise AnalysisError(str(message["sentence"]))

    def _crashed(self) -> AnalysisNews:
        self._process.join(5.0)
        code = self._process.exitcode
        self.connection.close()
        self.crashes += 1
        name = Path(self.task.path).name
        how = _how_it_ended(code)
        if self.crashes >= MAX_CRASHES:
            self._done = self._over = True
            raise AnalysisError(f"Looking at {name} crashed {self.crashes} times ({how}); the file may be damaged.")
        self._start()
        self.notes = (*self.notes, f"The analysis of {name} crashed ({how}) and was started again.")
        return AnalysisNews("restarted", phase=f"the analysis of {name} crashed ({how}) and is started again")

    def wait(self, progress: Callable[[float, str], None] | None = None) -> VideoFeatures:
        """Blocks until the film was seen.  Raises AnalysisError."""
        while True:
            with contextlib.suppress(EOFError, OSError):
                self.connection.poll(None)
            for news in self.news():
                if news.kind == "done" and news.features is not None:
                    return news.features
                if progress is not None and news.kind in ("progress", "restarted"):
                    progress(news.fraction, news.phase)

    def close(self) -> None:
        """Ends the child and removes its folder."""
        self._done = self._over = True
        self.connection.close()  # the child ends on it; the rest is for one that does not
        self._process.join(0.3)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(5.0)
        self._folder.remove()


def analyse_in_child(task: AnalysisTask, progress: Callable[[float, str], None] | None = None) -> VideoFeatures:
    """Looks at a film in its own process and waits for it.  Raises AnalysisError."""
    with AnalysisProcess(task) as analysis:
        return analysis.wait(progress)


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-code).name
        return f"signal {-code}"
    return f"exit code {code}"


# in the child ------------------------------------------------------------------------------------------------------
def run_analysis(connection: Connection, way: GiveWay) -> None:
    """Entry point of the child."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    lower(_NICE)
    asked: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    over = threading.Event()
    threading.Thread(target=_hear, args=(connection, asked, over), daemon=True).start()
    _load_decoders()
    order = asked.get()
    task = AnalysisTask(**order["task"])
    try:
        _look(connection, task, Path(order["folder"]), Yielding(way))
        if task.listen:
            _listen(connection, task, Yielding(way, _LONGEST_PAUSE_S))
    except UserError as error:
        _say(connection, {"kind": "error", "sentence": str(error)})
    except Exception as error:
        if not memory_ran_out(error):
            raise
        _say(connection, {"kind": "error", "sentence": f"There is not enough memory to analyse {task.path}."})
    over.set()
    connection.close()


def _hear(connection: Connection, asked: queue.SimpleQueue[dict[str, Any]], over: threading.Event) -> None:
    """Passes the film on; ends the process when the parent is gone, even in the middle of a decoder's C code.

    over: the film was seen, and what was found is the parent's.
    """
    folder = None
    with contextlib.suppress(EOFError, OSError):
        order = json.loads(connection.recv_bytes())
        folder = order["folder"]
        asked.put(order)
        connection.recv_bytes()
    if folder is not None and not over.is_set():
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def _load_decoders() -> None:
    """Imports what every film needs.  What is missing is said by the analysis that misses it."""
    with contextlib.suppress(ImportError):
        import av  # noqa: F401
        import cv2  # noqa: F401

        import engine.video.stream  # noqa: F401


def _say(connection: Connection, message: dict[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError, OSError):
        connection.send_bytes(json.dumps(message).encode())


def _listen(connection: Connection, task: AnalysisTask, give_way: Yielding) -> None:
    """Once, after the picture; a sound that cannot be read stops nothing: the music does not need it."""
    from engine.sound.listening import heard_before, listen
    from engine.video import FeatureCache
    from engine.video.cache import content_key

    lower(_NICE_LISTENING)
    try:
        if task.use_cache:
            folder = FeatureCache(None if task.cache_dir is None else Path(task.cache_dir)).directory
            heard = heard_before(task.path, folder / f"{content_key(task.path)}-{_SOUND}.json", give_way)
        else:
            heard = listen(task.path, give_way)
    except UserError as error:
        _say(connection, {"kind": "unheard", "sentence": str(error)})
        return
    _say(connection, {"kind": "heard", **heard.as_json()})


def _look(connection: Connection, task: AnalysisTask, folder: Path, give_way: Yielding) -> None:
    from engine.video import AnalysisOptions, FeatureCache, open_stream
    from engine.video.cache import content_key, with_film
    from engine.video.identity import BackgroundHash

    options = AnalysisOptions(
        reading=task.reading,
        clip_weights=None if task.clip_weights is None else Path(task.clip_weights),
    )
    content = content_key(task.path)
    cache = FeatureCache(None if task.cache_dir is None else Path(task.cache_dir))
    key = cache.key(task.path, options)
    known, other = cache.get_checked(key, task.path) if task.use_cache else (None, "")
    if known is not None:
        with_film(known, task.path, content).save(folder / "film.npz")
        _say(connection, {"kind": "done", "file": "film.npz", "cached": True})
        return
    with open_stream(task.path, options, content, give_way) as stream:
        hashing = BackgroundHash(task.path) if task.use_cache else None
        total = max(stream.expected_seconds, 1)
        sent_s, wanted, count = 0.0, _FIRST_SNAPSHOT_S, 0
        for count, _row in enumerate(stream, start=1):
            now = time.perf_counter()
            if now - sent_s >= 0.1:
                sent_s = now
                fraction = min(max(stream.position_s, count) / total, 1.0)
                _say(connection, {"kind": "progress", "fraction": fraction, "phase": "looking at the film"})
            if task.snapshots and count >= wanted:
                wanted = 2 * count
                name = f"seen-{count}.npz"
                stream.features().save(folder / name)
                _say(connection, {"kind": "seen", "file": name, "seconds": count})
        features = stream.features()
    noted = features if not other else replace(features, notes=(*features.notes, other))
    if task.use_cache:
        try:
            cache.put(key, features, hashing)
        except UserError as error:
            _say(connection, {"kind": "progress", "fraction": 1.0, "phase": f"nothing kept for next time: {error}"})
    noted.save(folder / "film.npz")
    _say(connection, {"kind": "done", "file": "film.npz", "cached": False})
