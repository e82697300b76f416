"""The real engine process behind its link: it starts, dies, is started again, and ends."""

from __future__ import annotations

import errno
import os
import queue
import signal
import time

import pytest

from bridge.engine_link import EngineGone, EngineLink, _death_sentence
from engine.music.processes import NO_MEMORY, memory_ran_out
from engine.process.messages import EngineReady


def wait_for(messages: queue.SimpleQueue, kind: type, timeout_s: float = 120.0):
    end = time.perf_counter() + timeout_s
    while time.perf_counter() < end:
        message = messages.get(timeout=end - time.perf_counter())
        if isinstance(message, kind):
            return message
    raise AssertionError(f"no {kind.__name__}")


@pytest.mark.slow
def test_a_killed_engine_is_reported_and_comes_back() -> None:
    messages: queue.SimpleQueue = queue.SimpleQueue()
    with EngineLink(messages.put) as link:
        ready = wait_for(messages, EngineReady)
        assert ready.weights
        pid = link.pid
        os.kill(pid, signal.SIGKILL)
        gone = wait_for(messages, EngineGone, 20)
        assert gone.exit_code == -9 and "killed" in gone.sentence and gone.restarts == 1
        wait_for(messages, EngineReady)
        assert link.alive and link.pid != pid
        last = link.pid
    assert not link.alive
    with pytest.raises(ProcessLookupError):
        os.kill(last, 0)


def test_a_link_that_is_closed_at_once_leaves_nothing_behind() -> None:
    link = EngineLink(lambda message: None)
    link.start()
    pid = link.pid
    link.close()
    link.close()
    assert not link.alive
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(
    ("error", "is_memory"),
    [
        (MemoryError(), True),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:130] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("shapes do not fit"), False),
        (OSError(errno.ENOENT, "No such file"), False),
    ],
)
def test_what_ran_out_of_memory_is_told_from_other_faults(error, is_memory) -> None:
    assert memory_ran_out(error) == is_memory
    assert "ran out of memory" in _death_sentence(NO_MEMORY)
