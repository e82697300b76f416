"""The analysis child: what it reports, how it dies, what it takes with it (nothing)."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from multiprocessing import Pipe
from multiprocessing.connection import wait

import numpy as np
import psutil
import pytest
from bench.analysis import repeat

from engine.process import analysis as analysis_child
from engine.process.analysis import AnalysisChild, AnalysisError, AnalysisProcess, AnalysisTask, analyse_in_child
from engine.process.priorities import GiveWay, Yielding


@pytest.fixture
def task(clip, tmp_path) -> AnalysisTask:
    return AnalysisTask(str(clip), "quick", cache_dir=str(tmp_path / "cache"), snapshots=True)


def gone(pid: int, within_s: float = 10.0) -> bool:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def test_it_tells_progress_what_was_seen_so_far_and_the_whole_film_and_then_knows_it(task):
    kinds, fractions, seen = [], [], []
    with AnalysisProcess(task) as analysis:
        while not analysis.done:
            wait([analysis.connection], 60)
            for news in analysis.news():
                kinds.append(news.kind)
                if news.kind == "progress":
                    fractions.append(news.fraction)
                if news.features is not None:
                    seen.append(news.features.seconds)
    assert kinds[-1] == "done" and "progress" in kinds and fractions == sorted(fractions)
    assert seen == sorted(seen) and seen[0] < 30 and seen[-1] == 30
    with AnalysisProcess(task) as again:
        wait([again.connection], 60)
        (news,) = again.news()
    assert news.kind == "done" and news.cached and news.features is not None
    assert len(news.features.cuts) == 11


def test_an_analysis_that_is_asked_all_the_time_to_stand_still_ends_and_has_seen_the_same(task):
    undisturbed = analyse_in_child(replace(task, use_cache=False))
    with AnalysisProcess(replace(task, use_cache=False)) as analysis:
        asking = threading.Event()

        def ask() -> None:
            while not asking.wait(0.001):
                analysis.way.ask(60.0)  # as by one who died and took nothing back

        asker = threading.Thread(target=ask)
        asker.start()
        try:
            seen = analysis.wait()
        finally:
            asking.set()
            asker.join()
    assert seen.cuts == undisturbed.cuts and seen.film == undisturbed.film
    for name in ("emotion_raw", "emotion", "motion", "scene_offset", "valid"):
        assert np.array_equal(getattr(seen, name), getattr(undisturbed, name)), name


@pytest.mark.alone  # at the lowest priority it gets next to nothing beside others, whether it stands still or not
def test_an_analysis_stands_still_while_it_is_asked_to(task, tmp_path, clip):
    film = tmp_path / "long.mp4"
    repeat(clip, film, 1800)
    with AnalysisProcess(replace(task, path=str(film), use_cache=False, snapshots=False)) as analysis:
        analysis.connection.poll(60)
        child = psutil.Process(analysis.pid)
        stood_s, worked_s = [], []
        for _ in range(5):
            analysis.way.ask(0.25)
            time.sleep(0.05)  # what the decoder's threads had begun
            before_s = cpu_s(child)
            time.sleep(0.15)
            stood_s.append(cpu_s(child) - before_s)
            analysis.way.release()
            time.sleep(0.05)
            before_s = cpu_s(child)
            time.sleep(0.3)
            worked_s.append(cpu_s(child) - before_s)
        assert not analysis.done
    assert sum(stood_s) / 0.15 < 0.2 * sum(worked_s) / 0.3


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def test_a_killed_child_is_replaced_and_said(task):
    phases = []
    with AnalysisProcess(task) as analysis:
        first = analysis.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        features = analysis.wait(lambda _fraction, phase: phases.append(phase))
        assert analysis.pid != first and analysis.crashes == 1
    assert features.seconds == 30
    assert any("SIGKILL" in phase and "again" in phase for phase in phases)


def test_a_child_that_was_started_ahead_looks_at_the_film_and_a_dead_one_is_replaced_without_a_word(task):
    ahead = AnalysisChild()
    with AnalysisProcess(task, ahead) as analysis:
        assert analysis.pid == ahead.process.pid
        assert analysis.wait().seconds == 30 and not analysis.notes
    dead = AnalysisChild()
    os.kill(dead.process.pid or 0, signal.SIGKILL)
    assert gone(dead.process.pid or 0)
    with AnalysisProcess(task, dead) as analysis:
        assert analysis.pid != dead.process.pid
        assert analysis.wait().seconds == 30 and not analysis.notes
    assert dead.connection.closed


def test_a_child_that_waits_ends_with_its_pipe_and_when_it_is_not_needed():
    waiting = AnalysisChild()
    waiting.connection.close()
    assert waiting.process.pid is not None and gone(waiting.process.pid)
    discarded = AnalysisChild()
    discarded.discard()
    assert not discarded.waiting


def test_a_film_that_kills_every_child_is_given_up_with_one_sentence(task):
    with AnalysisProcess(task) as analysis, pytest.raises(AnalysisError, match="crashed 2 times"):
        while True:
            assert analysis.pid is not None
            os.kill(analysis.pid, signal.SIGKILL)
            wait([analysis.connection], 60)
            list(analysis.news())


@pytest.mark.parametrize(("name", "content"), [("none.mp4", None), ("text.mp4", b"not a film"), ("empty.mp4", b"")])
def test_a_file_that_is_no_film_gets_one_sentence(tmp_path, name, content):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AnalysisError) as caught:
        analyse_in_child(AnalysisTask(str(path), "quick", use_cache=False))
    assert name in str(caught.value) and "\n" not in str(caught.value)


def test_the_child_ignores_ctrl_c_and_ends_with_its_pipe(task):
    analysis = AnalysisProcess(task)
    assert analysis.pid is not None
    time.sleep(0.3)
    os.kill(analysis.pid, signal.SIGINT)
    wait([analysis.connection], 60)
    assert not gone(analysis.pid, 0.1)
    analysis.connection.close()
    assert gone(analysis.pid)
    folder = analysis._folder.path
    analysis.close()
    assert not folder.exists()


def test_a_sound_that_kills_the_child_costs_nothing_that_was_seen(task):
    kinds = []
    with AnalysisProcess(replace(task, listen=True, snapshots=False)) as analysis:
        while not analysis.over:
            wait([analysis.connection], 60)
            for news in analysis.news():
                kinds.append(news.kind)
                if news.kind == "done":
                    assert analysis.done and not analysis.over and analysis.pid is not None
                    os.kill(analysis.pid, signal.SIGKILL)
        assert analysis.crashes == 0
    assert kinds[-2:] == ["done", "unheard"], "and is said, so that nobody waits for its lines of speech"


def test_a_sound_that_cannot_be_read_is_said_in_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(analysis_child, "lower", lambda niceness: None)
    (tmp_path / "film.mp4").write_text("no film")
    ours, childs = Pipe()
    task = AnalysisTask(str(tmp_path / "film.mp4"), use_cache=False, listen=True)
    analysis_child._listen(childs, task, Yielding(GiveWay(), 1.0))
    said = json.loads(ours.recv_bytes())
    assert said["kind"] == "unheard" and "film.mp4" in said["sentence"]


ANALYSES = """
import sys
from engine.process.analysis import AnalysisTask, analyse_in_child
if __name__ == "__main__":
    analyse_in_child(AnalysisTask(sys.argv[1], "quick", use_cache=False, snapshots=True))
"""


@pytest.fixture(scope="module")
def long_film(clip, tmp_path_factory):
    film = tmp_path_factory.mktemp("long") / "long.mp4"
    repeat(clip, film, 3600)
    return film


@pytest.mark.parametrize(
    ("ends", "whole_group"),
    [("SIGINT", True), ("SIGHUP", True), ("SIGTERM", True), ("SIGTERM", False), ("SIGKILL", True), ("SIGKILL", False)],
)
def test_however_its_parent_is_ended_nothing_is_left_in_the_temporary_folder(long_film, tmp_path, ends, whole_group):
    program, temporary = tmp_path / "program.py", tmp_path / "tmp"
    program.write_text(ANALYSES)
    temporary.mkdir()
    parent = subprocess.Popen(
        [sys.executable, str(program), str(long_film)], stderr=subprocess.DEVNULL, start_new_session=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    )  # fmt: skip
    try:
        wait_until(lambda: list(temporary.glob("cuebridge-*/seen-*.npz")))  # the child is at work
        (os.killpg if whole_group else os.kill)(parent.pid, getattr(signal, ends))
        parent.wait(10)
        if ends == "SIGKILL" and whole_group:  # nobody was left to do it: the next start does
            again = [sys.executable, "-c", "from engine.music.temporary import TemporaryFolder as T; T().remove()"]
            subprocess.run(again, env={**os.environ, "TMPDIR": str(temporary)}, check=True)
        wait_until(lambda: not list(temporary.iterdir()))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(parent.pid, signal.SIGKILL)
        parent.wait(10)


def wait_until(holds, within_s: float = 20.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)
