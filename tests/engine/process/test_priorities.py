"""Who comes first: the low thread, and giving way between real processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from multiprocessing.connection import Connection
from types import SimpleNamespace

import pytest

from bridge.session.now import OfflineClock
from engine.process.priorities import LONGEST_HOLD_S, THREADS_HAVE_NICENESS, GiveWay, LowThread, Yielding


@pytest.mark.skipif(not THREADS_HAVE_NICENESS, reason="niceness belongs to whole processes here")
def test_low_work_is_done_below_its_caller_who_stays_where_he_is():
    before = os.getpriority(os.PRIO_PROCESS, 0)
    low = LowThread(4)
    try:
        assert low.run(os.getpriority, os.PRIO_PROCESS, 0) == min(before + 4, 19)
        assert os.getpriority(os.PRIO_PROCESS, 0) == before
        assert low.run(threading.get_ident) == low.run(threading.get_ident) != threading.get_ident()
    finally:
        low.close()


@pytest.mark.skipif(not THREADS_HAVE_NICENESS, reason="would lower the process of all tests")
def test_low_work_returns_and_raises_as_if_it_were_called():
    low = LowThread(0)
    try:
        assert low.run(int, "20", base=16) == 32
        with pytest.raises(ValueError, match="invalid literal"):
            low.run(int, "no number")
    finally:
        low.close()


def test_without_being_asked_nobody_stands_still():
    yielding = Yielding(GiveWay())
    for _ in range(1000):
        yielding()
    assert yielding.held_s == 0.0


def test_one_who_stands_still_goes_on_when_released_and_at_the_latest_when_the_time_is_over():
    way = GiveWay()
    yielding = Yielding(way, longest_s=30.0)
    way.ask(20.0)
    timer = threading.Timer(0.05, way.release)
    begun_s = time.monotonic()  # first: it may take its time to the next line
    timer.start()
    yielding()
    assert 0.04 < time.monotonic() - begun_s < 15.0
    way = GiveWay()
    yielding = Yielding(way, longest_s=30.0)
    begun_s = time.monotonic()
    way.ask(0.05)
    yielding()
    assert 0.04 < time.monotonic() - begun_s < 15.0


def test_however_often_it_is_asked_it_works_at_least_as_long_as_it_stands(monkeypatch):
    clock = OfflineClock(1000.0)
    monkeypatch.setattr("engine.process.priorities.time", SimpleNamespace(monotonic=clock.now, sleep=clock.advance))
    way = GiveWay()
    yielding = Yielding(way, longest_s=0.02)
    for _ in range(500):
        way.ask(1e9)
        yielding()
        clock.advance(0.001)  # the work
    # The last stand is not paid back yet.
    assert 0.45 < yielding.held_s < 0.5 + 0.03


def _ask_and_die(way: GiveWay, pipe: Connection) -> None:
    way.ask(1e9)
    pipe.send("asked")
    os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)


def test_a_dead_asker_holds_nobody():
    context = multiprocessing.get_context("spawn")
    way = GiveWay()
    ours, theirs = context.Pipe()
    asker = context.Process(target=_ask_and_die, args=(way, theirs))
    asker.start()
    assert ours.recv() == "asked"
    asker.join()
    assert way.until_s > time.monotonic()  # nobody has taken it back …
    yielding = Yielding(way)
    begun_s = time.monotonic()
    yielding()
    yielding()
    assert yielding.held_s >= LONGEST_HOLD_S  # … and it was obeyed across processes, once …
    assert time.monotonic() - begun_s < LONGEST_HOLD_S + 15.0  # … for its bound
