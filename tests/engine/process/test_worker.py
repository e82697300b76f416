"""The engine process over its real pipe, with the bundled clip and the shipped networks."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
import pytest
from bench.analysis import repeat

from engine.music import Chord, Key, TempoMap, parse_progression
from engine.process.messages import (
    AnalyseRequest,
    AnalysisProgress,
    Cancel,
    Composed,
    ComposeOptions,
    ComposeRequest,
    EngineFailure,
    EngineReady,
    FilmAnalysed,
    FilmHeard,
    FromEngine,
    Quit,
    SlotsComposed,
    WhyAnswer,
    WhyRequest,
)
from engine.process.priorities import THREADS_HAVE_NICENESS
from engine.process.worker import EngineOptions, run_engine
from engine.sound.listening import heard_before

MAP = TempoMap.constant(120)
C_MAJOR = Key(0)


class Engine:
    """A running engine process and the talk with it."""

    def __init__(self, options: EngineOptions) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe: Connection
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=run_engine, args=(theirs, options))
        self.process.start()
        theirs.close()

    def until(self, wanted: Callable[[FromEngine], bool], timeout_s: float = 90.0) -> list[FromEngine]:
        """All messages up to the first wanted one."""
        heard: list[FromEngine] = []
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if self.pipe.poll(0.5):
                heard.append(self.pipe.recv())
                if wanted(heard[-1]):
                    return heard
        raise AssertionError(f"nothing of the kind in {timeout_s} s: {[type(message).__name__ for message in heard]}")

    def composed(self, revision: int) -> tuple[Composed, list[FromEngine]]:
        heard = self.until(
            lambda message: isinstance(message, Composed | EngineFailure) and message.revision == revision
        )
        assert isinstance(heard[-1], Composed), heard[-1]
        return heard[-1], heard

    def close(self) -> None:
        self.pipe.close()
        self.process.join(10)
        if self.process.is_alive():
            self.process.kill()
        self.process.join(5)


@pytest.fixture(scope="module")
def seen(clip, tmp_path_factory) -> Iterator[Engine]:
    """An engine that has looked at the clip and listened to it."""
    engine = Engine(EngineOptions(cache_dir=str(tmp_path_factory.mktemp("cache"))))
    engine.pipe.send(AnalyseRequest(1, str(clip), "quick"))
    engine.until(lambda message: isinstance(message, FilmHeard))
    yield engine
    engine.close()


revisions = iter(range(10, 100_000))


def test_it_says_ready_looks_and_composes_in_order(clip, tmp_path):
    engine = Engine(EngineOptions(cache_dir=str(tmp_path), first_chunk=4))
    try:
        engine.pipe.send(AnalyseRequest(1, str(clip), "quick"))
        engine.pipe.send(ComposeRequest(2, MAP))
        last, heard = engine.composed(2)
        assert any(isinstance(message, EngineReady) and message.weights for message in heard)
        assert any(isinstance(message, AnalysisProgress) for message in heard)
        (film,) = [message for message in heard if isinstance(message, FilmAnalysed)]
        assert len(film.cuts) == 11 and len(film.motion) == 30 and not film.cached
        analysed = heard.index(film)
        chunks = [message for message in heard[analysed:] if isinstance(message, SlotsComposed)]
        assert [len(chunk.slots) for chunk in chunks] == [4, 8, 16, 2]
        slots = [slot for chunk in chunks for slot in chunk.slots]
        assert tuple(slots) == last.composition.slots and not any(slot.provisional for slot in slots)
        # What came before the whole film was seen is marked, so that nobody takes it for the result.
        early = [message for message in heard[:analysed] if isinstance(message, SlotsComposed)]
        assert all(slot.provisional for chunk in early for slot in chunk.slots)
    finally:
        engine.close()
    assert engine.process.exitcode == 0


def test_then_it_listens_once_and_what_it_heard_is_kept(clip, tmp_path):
    found = []
    for _ in range(2):
        engine = Engine(EngineOptions(cache_dir=str(tmp_path), start_ahead=False))
        try:
            engine.pipe.send(AnalyseRequest(7, str(clip), "quick"))
            messages = engine.until(lambda message: isinstance(message, FilmHeard))
        finally:
            engine.close()
        found.append(messages[-1])
        kinds = [type(message) for message in messages]
        assert kinds.index(FilmAnalysed) < kinds.index(FilmHeard), "nobody waits for the sound"
    kept = list(tmp_path.glob("*-sound-*.json"))
    assert found[0] == found[1] and found[0].revision == 7 and len(kept) == 1
    assert found[0].music and len(found[0].loudness) in (29, 30, 31)
    facts = json.loads(kept[0].read_bytes())
    facts["music"] = [[1.0, 5.0]]
    kept[0].write_text(json.dumps(facts))
    assert heard_before(str(clip), kept[0]).music == ((1.0, 5.0),), "the second time nobody listened"
    kept[0].write_text("{")
    assert heard_before(str(clip), kept[0]).music == found[0].music


def test_two_hundred_requests_in_a_second_cost_one_recomposition(seen):
    numbers = [next(revisions) for _ in range(200)]
    for number in numbers:
        asked = ComposeRequest(number, MAP, key=C_MAJOR, options=ComposeOptions(dark_light=number % 90))
        seen.pipe.send(asked)
        time.sleep(0.005)
    _last, heard = seen.composed(numbers[-1])
    assert sum(isinstance(message, Composed) for message in heard) == 1
    slots = sum(len(message.slots) for message in heard if isinstance(message, SlotsComposed))
    assert slots <= 4 * 30  # one whole answer, and the beginnings of a few that were overtaken


def test_answers_to_an_overtaken_request_stop(seen):
    first, second = next(revisions), next(revisions)
    seen.pipe.send(ComposeRequest(first, MAP, key=C_MAJOR))
    seen.pipe.send(ComposeRequest(second, MAP, key=Key(2)))
    _last, heard = seen.composed(second)
    assert not any(isinstance(message, Composed) and message.revision == first for message in heard)


def test_a_late_request_of_an_older_revision_and_a_cancelled_one_are_not_answered(seen):
    old, cancelled, new = next(revisions), next(revisions), next(revisions)
    seen.pipe.send(ComposeRequest(cancelled, MAP, key=C_MAJOR))
    seen.pipe.send(Cancel(cancelled + 1))
    seen.pipe.send(ComposeRequest(old, MAP, key=C_MAJOR))
    seen.pipe.send(ComposeRequest(new, MAP, key=C_MAJOR))
    _last, heard = seen.composed(new)
    assert not any(isinstance(message, Composed) and message.revision in (old, cancelled) for message in heard)


def test_a_change_while_rolling_keeps_the_past_and_follows_from_there(seen):
    number = next(revisions)
    seen.pipe.send(ComposeRequest(number, MAP, key=C_MAJOR))
    before, _heard = seen.composed(number)
    number = next(revisions)
    seen.pipe.send(
        ComposeRequest(
            number,
            MAP,
            key=C_MAJOR,
            keep=before.composition.slots[:12],
            progression=parse_progression("Fm Db"),
            progression_from_s=12.0,
        )
    )
    after, heard = seen.composed(number)
    first = next(message for message in heard if isinstance(message, SlotsComposed) and message.revision == number)
    assert first.slots[0].index == 12 and first.slots[0].chord == Chord.parse("Fm")
    assert after.composition.slots[:12] == before.composition.slots[:12]


def test_a_question_is_answered_after_the_composition_that_it_would_disturb(seen):
    number = next(revisions)
    request = ComposeRequest(number, MAP, key=C_MAJOR)
    seen.pipe.send(request)
    seen.pipe.send(WhyRequest(5, request))
    heard = seen.until(lambda message: isinstance(message, WhyAnswer))
    composed = next(message for message in heard if isinstance(message, Composed))
    assert composed.revision == number
    assert (heard[-1].number, heard[-1].by, len(heard[-1].affect)) == (5, "", 6)  # the first chord is the tonic
    keep = composed.composition.slots[:4]
    seen.pipe.send(WhyRequest(6, ComposeRequest(0, MAP, key=C_MAJOR, keep=keep)))
    answer = seen.until(lambda message: isinstance(message, WhyAnswer))[-1]
    assert (answer.number, answer.by, len(answer.options)) == (6, "network", 4)
    assert sum(each.chance for each in answer.options) <= 1.0 + 1e-6


def test_a_request_that_makes_no_sense_costs_one_sentence_and_nothing_else(seen):
    number = next(revisions)
    seen.pipe.send(ComposeRequest(number, TempoMap.constant(97), grid="seconds"))
    failure = seen.until(lambda message: isinstance(message, EngineFailure))[-1]
    assert failure.revision == number and "120" in failure.sentence and not failure.film
    number = next(revisions)
    seen.pipe.send(ComposeRequest(number, MAP))
    seen.composed(number)


def test_a_bad_film_is_said_and_the_next_one_is_looked_at(seen, tmp_path, clip):
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"\0" * 4000)
    number = next(revisions)
    seen.pipe.send(AnalyseRequest(number, str(bad), "quick"))
    failure = seen.until(lambda message: isinstance(message, EngineFailure))[-1]
    assert failure.film and "bad.mp4" in failure.sentence
    number = next(revisions)
    seen.pipe.send(AnalyseRequest(number, str(clip), "quick"))
    film = seen.until(lambda message: isinstance(message, FilmAnalysed))[-1]
    assert film.cached and film.revision == number


def test_while_another_film_is_looked_at_the_one_that_plays_is_composed_for(clip, tmp_path):
    other = tmp_path / "other.mp4"
    repeat(clip, other, 60.0)
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"\0" * 4000)
    engine = Engine(EngineOptions(cache_dir=str(tmp_path / "cache")))
    try:
        engine.pipe.send(AnalyseRequest(1, str(clip), "quick"))
        engine.pipe.send(ComposeRequest(2, MAP))
        first, _heard = engine.composed(2)
        # One that cannot be read: nothing is lost.
        engine.pipe.send(AnalyseRequest(3, str(bad), "quick", beside=True))
        assert engine.until(lambda message: isinstance(message, EngineFailure))[-1].film
        engine.pipe.send(ComposeRequest(4, MAP))
        assert engine.composed(4)[0].composition.slots == first.composition.slots
        # While it lasts, and a change in the middle.
        engine.pipe.send(AnalyseRequest(5, str(other), "quick", beside=True))
        engine.pipe.send(ComposeRequest(6, MAP))
        beside, heard = engine.composed(6)
        assert beside.composition.slots == first.composition.slots
        assert not any(isinstance(message, FilmAnalysed) for message in heard)
        assert not any(slot.provisional for slot in beside.composition.slots)
        engine.until(lambda message: isinstance(message, FilmAnalysed) and message.revision == 5)
        engine.pipe.send(ComposeRequest(7, MAP))
        last, _heard = engine.composed(7)
        assert last.composition.film.path == str(other) and last.composition.film.duration_s > 50
    finally:
        engine.close()


@pytest.mark.skipif(not THREADS_HAVE_NICENESS, reason="niceness belongs to whole processes here")
def test_answers_come_at_ordinary_priority_and_all_else_below_it(clip, tmp_path):
    engine = Engine(EngineOptions(cache_dir=str(tmp_path), nice=3))
    try:
        engine.until(lambda message: isinstance(message, EngineReady))
        ours = os.getpriority(os.PRIO_PROCESS, 0)
        process = psutil.Process(engine.process.pid)
        nice = {thread.id: os.getpriority(os.PRIO_PROCESS, thread.id) for thread in process.threads()}
        assert nice[process.pid] == ours and ours + 3 in nice.values()
        child = waiting_child(engine)
        end = time.monotonic() + 20
        lowest = min(ours + 3 + 10, 19)
        while psutil.Process(child).nice() != lowest and time.monotonic() < end:
            time.sleep(0.02)
        assert psutil.Process(child).nice() == lowest
    finally:
        engine.close()


def test_a_killed_analysis_is_started_again_and_composing_goes_on(clip, tmp_path):
    engine = Engine(EngineOptions(cache_dir=str(tmp_path)))
    try:
        engine.until(lambda message: isinstance(message, EngineReady))
        engine.pipe.send(AnalyseRequest(1, str(clip), "quick"))
        engine.pipe.send(ComposeRequest(2, MAP))
        end = time.monotonic() + 20
        child = None
        while child is None and time.monotonic() < end:
            # multiprocessing may also start a resource tracker; the analysis is the one that has loaded a decoder.
            for found in psutil.Process(engine.process.pid).children():
                if "spawn_main" in " ".join(found.cmdline()):
                    child = found
        assert child is not None
        os.kill(child.pid, signal.SIGKILL)
        _last, heard = engine.composed(2)
        (said,) = [message for message in heard if isinstance(message, AnalysisProgress) and message.restarted]
        assert "SIGKILL" in said.phase and "again" in said.phase
    finally:
        engine.close()


def waiting_child(engine: Engine, other_than: int = 0, timeout_s: float = 20.0) -> int:
    """Process number of the child that was started ahead."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        for found in psutil.Process(engine.process.pid).children():
            if found.pid != other_than and "spawn_main" in " ".join(found.cmdline()):
                return found.pid
        time.sleep(0.05)
    raise AssertionError("no child was started ahead")


def test_an_idle_engine_keeps_a_child_ready_for_the_next_film_and_replaces_it(clip, tmp_path):
    engine = Engine(EngineOptions(cache_dir=str(tmp_path)))
    try:
        engine.until(lambda message: isinstance(message, EngineReady))
        ahead = waiting_child(engine)
        engine.pipe.send(AnalyseRequest(1, str(clip), "quick"))
        engine.until(lambda message: isinstance(message, AnalysisProgress))
        children = psutil.Process(engine.process.pid).children()
        assert [child.pid for child in children if "spawn_main" in " ".join(child.cmdline())] == [ahead]
        engine.until(lambda message: isinstance(message, FilmAnalysed))
        second = waiting_child(engine, other_than=ahead)
        engine.process.kill()  # even so it leaves nothing behind
        _gone, alive = psutil.wait_procs([psutil.Process(second)], timeout=10)
        assert not [child for child in alive if child.status() != psutil.STATUS_ZOMBIE]
    finally:
        engine.close()


def test_broken_weights_are_one_sentence_and_the_engine_stays(tmp_path, clip):
    (tmp_path / "amt.safetensors").write_bytes(b"broken")
    (tmp_path / "regressor.safetensors").write_bytes(b"broken")
    engine = Engine(EngineOptions(weights=str(tmp_path), cache_dir=str(tmp_path / "cache")))
    try:
        failure = engine.until(lambda message: isinstance(message, EngineFailure))[-1]
        assert "amt.safetensors" in failure.sentence
        engine.pipe.send(AnalyseRequest(1, str(clip), "quick"))
        engine.until(lambda message: isinstance(message, FilmAnalysed))
        assert engine.process.is_alive()
    finally:
        engine.close()


@pytest.mark.parametrize("farewell", ["quit", "closed pipe"])
def test_it_ends_when_told_and_when_its_pipe_closes_and_takes_its_child_along(clip, tmp_path, farewell):
    engine = Engine(EngineOptions(cache_dir=str(tmp_path)))
    engine.until(lambda message: isinstance(message, EngineReady))
    os.kill(engine.process.pid, signal.SIGINT)  # Ctrl-C goes to the whole group; the bridge decides
    engine.pipe.send(AnalyseRequest(1, str(clip), "quick"))
    engine.until(lambda message: isinstance(message, AnalysisProgress))
    children = psutil.Process(engine.process.pid).children()
    if farewell == "quit":
        engine.pipe.send(Quit())
    else:
        engine.pipe.close()
    engine.process.join(10)
    assert engine.process.exitcode == 0
    _gone, alive = psutil.wait_procs(children, timeout=10)
    assert not [child for child in alive if child.status() != psutil.STATUS_ZOMBIE]
    if farewell == "quit":
        engine.pipe.close()


def test_importing_the_worker_loads_neither_torch_nor_numpy():
    heavy = {"torch", "numpy", "cv2", "av"}
    code = f"import sys, engine.process.worker, engine.commands.compose; print(sorted({heavy!r} & set(sys.modules)))"
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "[]"
