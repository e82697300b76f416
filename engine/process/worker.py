"""The engine process: answers the bridge's requests (engine.process.messages) over a multiprocessing pipe.

The newest request wins.  Between two chunks of slots the pipe is emptied, so a change of mind costs at most one chunk;
requests that come in bursts (a fader being moved) are waited out for a few milliseconds.  While a film is still being
looked at, requests are answered from what was seen so far, marked provisional, and answered again when all was seen.
A film that is looked at beside takes the place of the one that is composed for only when all of it was seen.
A fault while composing costs that answer, not the process.  While there is nothing to do, a child that will look at the
next film is started ahead.

What a change of mind waits for, the first slots of its answer, is composed at ordinary priority while the analysis
stands still (`engine.process.priorities`); loading, the rest of the answer and what an analysis brings are
low-priority work.
Importing this module is light: the networks are loaded inside `run_engine`, which is a spawn target.
"""

from __future__ import annotations

import gc
import os
import signal
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Final

from engine.music import UserError
from engine.music.processes import NO_MEMORY, memory_ran_out
from engine.process.analysis import AnalysisChild, AnalysisError, AnalysisProcess, AnalysisTask
from engine.process.messages import (
    PROTOCOL,
    AnalyseRequest,
    AnalysisProgress,
    Cancel,
    Composed,
    ComposeRequest,
    EngineFailure,
    EngineReady,
    FilmAnalysed,
    FilmHeard,
    FromEngine,
    Proposal,
    Quit,
    SlotsComposed,
    ToEngine,
    WhyAnswer,
    WhyRequest,
)
from engine.process.priorities import LowThread

if TYPE_CHECKING:
    from engine.composer import Composer
    from engine.video import VideoFeatures

_BURST_S: Final = 0.05  # requests closer than this are a burst
_QUIET_S: Final = 0.012  # a burst has ended when nothing came for so long …
_LONGEST_BURST_S: Final = 0.25  # … or when it has lasted so long: music follows a moving fader
_IDLE_S: Final = 1.0  # after so long without work a child is started for the next film
_RELOAD_S: Final = 3.0  # weights that could not be loaded are tried again after this
_QUIET_AFTER_S: Final = 0.5  # after a request nobody listens to the film
_MAX_QUESTIONS: Final = 8
_PROVISIONAL_S: Final = 60.0  # at least so much is planned ahead of what has been seen


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """nice: added to the niceness of all but the first slots of an answer.

    first_chunk, chunk: slots in the first answer; each further one has twice as many, up to chunk.  step: slots that
    are composed before the pipe is looked at again.

    cache_dir: where features are kept, None = the user's cache.  weights: folder of other weights than the shipped
    ones.  provisional: answer from what was seen while a film is still being looked at.  start_ahead: keep a child
    ready for the next film, so that its first chords need not wait for a process to start.  listen: to the film's own
    sound, after all was seen.
    """

    nice: int = 5
    cache_dir: str | None = None
    weights: str | None = None
    first_chunk: int = 4
    chunk: int = 256
    step: int = 8
    provisional: bool = True
    start_ahead: bool = True
    listen: bool = True


def run_engine(connection: Connection, options: EngineOptions | None = None) -> None:
    """Serves one bridge until its pipe closes or it says Quit.  Start it as a non-daemonic process: it has a child."""
    options = options or EngineOptions()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    engine = _Engine(connection, options)
    try:
        engine.serve()
    except (BrokenPipeError, EOFError, ConnectionResetError):
        pass  # the bridge is gone
    except Exception as error:
        if not memory_ran_out(error):
            raise
        # What is left of this process cannot be relied on: a new one begins, and is asked the same again.
        os._exit(NO_MEMORY)
    finally:
        engine.close()


class _Engine:
    def __init__(self, connection: Connection, options: EngineOptions) -> None:
        self._connection = connection
        self._options = options
        self._low = LowThread(options.nice)
        self._composer: Composer | None = None
        self._load_fault, self._reload_s = "", 0.0
        self._analysis: AnalysisProcess | None = None
        self._ahead: AnalysisChild | None = None  # waits for the next film
        self._analyse_revision = 0
        self._looking: AnalyseRequest | None = None  # what the analysis under way was asked for
        self._beside = False  # the analysis is of another film than the one that is composed for
        self._features: VideoFeatures | None = None
        self._whole = False  # the whole film was seen
        self._seen_s = 0.0
        self._request: ComposeRequest | None = None
        self._newest = -1  # revision
        self._urgent = False  # nothing of the request's answer has gone out yet
        self._job: Iterator[SlotsComposed | Composed] | None = None
        self._questions: deque[WhyRequest] = deque(maxlen=_MAX_QUESTIONS)
        self._unsent: list[SlotsComposed] = []  # steps that wait to go out together
        self._wanted = 0  # slots in the next answer
        self._due_s = 0.0
        self._last_request_s = self._burst_s = float("-inf")

    def close(self) -> None:
        if self._analysis is not None:
            self._analysis.close()
        if self._ahead is not None:
            self._ahead.discard()
        self._low.close()
        self._connection.close()

    def serve(self) -> None:
        # A film that is already asked for is looked at while the networks load.
        if not self._drain():
            return
        self._low.run(self._load)
        while True:
            sources = [self._connection]
            if self._analysis is not None:
                sources.append(self._analysis.connection)
            ready = wait(sources, self._patience_s())
            if not ready and self._may_start_ahead():
                self._low.run(self._start_ahead)
            if self._connection in ready and not self._drain():
                return
            # What the analysis says waits until the first slots of an answer are out.
            if self._analysis is not None and self._analysis.connection in ready and not self._first_slots_due():
                self._low.run(self._hear_analysis)
            if self._composer is None and time.perf_counter() >= self._reload_s:
                self._low.run(self._load)
            self._work()
            # A request that still waits for the end of a burst comes first, too.
            if self._questions and self._job is None and not (self._urgent and self._ready_to_work()):
                self._low.run(self._explain)

    def _explain(self) -> None:
        """Answers the oldest question."""
        asked = self._questions.popleft()
        answer = WhyAnswer(asked.number)
        if self._composer is not None and self._features is not None:
            with suppress(UserError):
                answer = self._composer.explain(self._features, asked)
        self._send(answer)

    def _send(self, message: FromEngine) -> None:
        self._connection.send(message)

    def _load(self) -> bool:
        """Loads the networks; says so, or why not (once).  Tried again every few seconds while it fails."""
        if self._composer is not None:
            return True
        try:
            from engine.composer import Composer

            composer = Composer(self._options.weights)
            composer.warm_up()
            gc.collect()
            gc.freeze()  # the libraries' objects stay: no collection has to go through them in the middle of an answer
        except Exception as error:
            if memory_ran_out(error):
                raise
            known = isinstance(error, UserError)
            fault = str(error) if known else f"The networks cannot be loaded: {type(error).__name__}: {error}."
            if fault != self._load_fault:
                self._send(EngineFailure(self._newest, fault))
            self._load_fault, self._reload_s = fault, time.perf_counter() + _RELOAD_S
            return False
        self._composer = composer
        self._send(EngineReady(PROTOCOL, _version(), composer.weights))
        return True

    # what comes in ------------------------------------------------------------------------------------------------
    def _drain(self) -> bool:
        """Takes all waiting requests; False at Quit."""
        while self._connection.poll():
            message: ToEngine = self._connection.recv()
            if isinstance(message, Quit):
                return False
            if isinstance(message, AnalyseRequest):
                self._low.run(self._start_analysis, message)
            elif isinstance(message, ComposeRequest) and message.revision >= self._newest:
                self._take_request(message)
            elif isinstance(message, WhyRequest):
                self._questions.append(message)
            elif isinstance(message, Cancel):
                self._newest = max(self._newest, message.revision)
                if self._request is not None and self._request.revision < message.revision:
                    self._request = self._job = None
        return True

    def _take_request(self, request: ComposeRequest) -> None:
        now = time.perf_counter()
        if now - self._last_request_s > _BURST_S:
            self._burst_s = self._due_s = now
        else:
            self._due_s = min(now + _QUIET_S, self._burst_s + _LONGEST_BURST_S)
            if self._due_s <= now:
                self._burst_s = now
        self._last_request_s = now
        self._newest, self._request, self._job = request.revision, request, None
        self._urgent = True
        if self._analysis is not None and self._analysis.done:  # it only listens, which can wait for all of a burst
            self._analysis.way.ask(_QUIET_AFTER_S)

    def _start_analysis(self, request: AnalyseRequest) -> None:
        if self._analysis is not None:
            self._analysis.close()
        self._beside = request.beside and self._whole
        if not self._beside:
            self._features, self._whole = None, False
            self._request = self._job = None
        self._analyse_revision, self._looking = request.revision, request
        self._analysis = AnalysisProcess(
            AnalysisTask(
                request.path,
                request.reading,
                request.clip_weights,
                self._options.cache_dir,
                request.use_cache,
                snapshots=self._options.provisional and not self._beside,
                listen=self._options.listen,
            ),
            self._ahead,
        )
        self._ahead = None

    def _hear_analysis(self) -> None:
        analysis = self._analysis
        assert analysis is not None
        try:
            for news in analysis.news():
                if news.kind in ("progress", "restarted"):
                    again = news.kind == "restarted"
                    self._send(AnalysisProgress(self._analyse_revision, news.fraction, news.phase, again))
                elif news.kind == "unheard":
                    self._send(FilmHeard(self._analyse_revision, None, (), (), news.phase))
                elif news.heard is not None:
                    heard = news.heard
                    self._send(FilmHeard(self._analyse_revision, heard.speech, heard.music, heard.loudness))
                elif news.features is not None:
                    if self._beside:  # what was asked for the film before is not meant for this one
                        self._beside, self._request = False, None
                    self._see(news.features, news.kind == "done")
                    if news.kind == "done":
                        seen = _film_analysed(self._analyse_revision, news.features, news.cached, analysis)
                        self._send(replace(seen, proposal=_proposal(self._looking, news.features)))
        except AnalysisError as error:
            self._send(EngineFailure(self._analyse_revision, str(error), film=True))
        except UserError as error:
            self._send(EngineFailure(self._analyse_revision, str(error)))
        if analysis.over:
            analysis.close()
            self._analysis = None

    def _see(self, features: VideoFeatures, whole: bool) -> None:
        from engine.process.provisional import extend

        self._whole, self._seen_s = whole, float(features.seconds)
        self._features = features if whole else extend(features)
        self._job = None  # begun on less than is known now
        self._due_s = time.perf_counter()
        if whole and self._composer is not None:
            self._composer.see(self._features)

    # what goes out ------------------------------------------------------------------------------------------------
    def _ready_to_work(self) -> bool:
        return self._request is not None and self._features is not None

    def _first_slots_due(self) -> bool:
        return self._urgent and self._ready_to_work() and time.perf_counter() >= self._due_s

    def _may_start_ahead(self) -> bool:
        """Nothing is looked at or composed that a starting process could delay."""
        idle = self._analysis is None and not self._ready_to_work()
        return idle and self._ahead is None and self._options.start_ahead

    def _start_ahead(self) -> None:
        try:
            self._ahead = AnalysisChild()
        except OSError:  # no room for another process: the next film's starts when it is asked for, or says so
            self._options = replace(self._options, start_ahead=False)

    def _patience_s(self) -> float | None:
        if self._composer is None:
            return max(self._reload_s - time.perf_counter(), 0.0)
        if self._questions:
            return 0.0
        if not self._ready_to_work() or self._due_s == float("inf"):
            return _IDLE_S if self._may_start_ahead() else None
        return max(self._due_s - time.perf_counter(), 0.0)

    def _work(self) -> None:
        """One chunk of the newest request, when it is due."""
        if not self._ready_to_work() or time.perf_counter() < self._due_s:
            return
        request = self._request
        assert request is not None
        message: FromEngine | None
        try:
            with self._right_of_way() if self._urgent else nullcontext():
                step = self._next_step(request) if self._urgent else self._low.run(self._next_step, request)
                if isinstance(step, SlotsComposed):
                    self._collect(step)
                    return
                self._send_collected()
            message = step
        except UserError as error:
            message = EngineFailure(request.revision, str(error))
        except Exception as error:  # a bug: it costs this answer, the music goes on
            if memory_ran_out(error):
                raise
            message = EngineFailure(request.revision, f"Composing failed: {type(error).__name__}: {error}.")
        self._job, self._urgent = None, False
        if self._whole or isinstance(message, EngineFailure):
            self._request = None
        else:
            self._due_s = float("inf")  # answered as far as the film was seen; more comes with `_see`
        if message is not None:
            self._send(message)

    @contextmanager
    def _right_of_way(self) -> Iterator[None]:
        """The analysis stands still meanwhile."""
        way = None if self._analysis is None else self._analysis.way
        if way is None:
            yield
            return
        way.ask()
        try:
            yield
        finally:
            way.release()

    def _collect(self, step: SlotsComposed) -> None:
        self._unsent.append(step)
        if sum(len(part.slots) for part in self._unsent) >= self._wanted:
            self._send_collected()

    def _send_collected(self) -> None:
        """Sends the collected steps as one answer; the next one will be twice as long."""
        if self._unsent:
            slots = tuple(slot for part in self._unsent for slot in part.slots)
            self._send(replace(self._unsent[-1], slots=slots))
            self._unsent, self._wanted = [], min(2 * self._wanted, self._options.chunk)
            self._urgent = False

    def _next_step(self, request: ComposeRequest) -> SlotsComposed | Composed | None:
        if not self._load():
            raise UserError("The networks could not be loaded, so nothing can be composed.")
        assert self._composer is not None and self._features is not None
        if self._job is None:
            from engine.process.provisional import within

            self._unsent, self._wanted = [], self._options.first_chunk
            until_s, features = None, self._features
            if not self._whole:
                kept_s = request.keep[-1].end_s if request.keep else 0.0
                until_s = max(kept_s, 2.0 * self._seen_s) + _PROVISIONAL_S
                if not (request.pins or request.hits or request.cues or request.progression):
                    # Nothing is asked for further on, so the first chords need not wait for the plan of it.
                    features = within(features, until_s + _PROVISIONAL_S)
            self._job = self._composer.stream(
                features,
                request,
                first_chunk=min(self._options.first_chunk, self._options.step),
                chunk=self._options.step,
                until_s=until_s,
                provisional=not self._whole,
            )
        message = next(self._job, None)
        if isinstance(message, Composed) and not self._whole:
            return None  # a composition is whole or it is none
        return message


def _film_analysed(revision: int, features: VideoFeatures, cached: bool, analysis: AnalysisProcess) -> FilmAnalysed:
    return FilmAnalysed(
        revision=revision,
        film=features.film,
        cuts=features.cuts,
        reading=features.reading,
        reason=features.reason,
        affect_mean=features.mean_mood(),
        motion=tuple(float(value) for value in features.motion),
        affect=tuple(map(tuple, features.emotion.tolist())),
        notes=features.notes,
        cached=cached,
        took_s=time.perf_counter() - analysis.begun_s,
    )


def _proposal(asked: AnalyseRequest | None, features: VideoFeatures) -> Proposal | None:
    if asked is None or asked.first is None:
        return None
    from engine.composer import first_action_s
    from engine.planning import propose

    return propose(features, asked.first, first_action_s(features), asked.meter, asked.proposes_cues)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("cuebridge")
    except PackageNotFoundError:
        return "not installed"
