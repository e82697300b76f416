"""What holds for all tests."""

import contextlib
import gc
import os
import signal

import profiles  # registers them
import pytest
from hypothesis import settings

settings.load_profile(profiles.DEFAULT)  # --hypothesis-profile comes after this

if "PYTEST_XDIST_WORKER" in os.environ:  # as many tests run beside each other as there are cores: one thread each
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def pytest_configure() -> None:
    """Signals as a person's terminal has them.

    A runner started in the background or by nohup has SIGINT or SIGHUP ignored, and all that it starts inherits
    that: a test that presses Ctrl-C would wait for ever.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_finish() -> None:
    """Half a million objects that stay for the whole run: no later collection has to go through them."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """-n auto: half as many processes again as cores, since tests of what plays wait while it plays."""
    return max(2, len(_cores()) * 3 // 2)


def _cores() -> set[int]:
    """Of the machine, those that this process may use."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Of the tests in order each process gets one stretch, and at the end what is left of another's.

    By xdist's own way the tests of a file are spread over all processes, each of which makes that file's fixtures.
    """
    if config.getvalue("dist") != "load":  # which -n alone means
        return None
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)


@pytest.fixture(autouse=True)
def _same_niceness():
    """Commands called in this process lower its priority; the next test starts at the old one where root may."""
    if not hasattr(os, "getpriority"):
        yield
        return
    before = os.getpriority(os.PRIO_PROCESS, 0)
    yield
    if os.getpriority(os.PRIO_PROCESS, 0) != before:
        with contextlib.suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, before)
