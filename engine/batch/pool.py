"""Runs units: one after another here, by workers of this machine, or on a Dask cluster that somebody else started.

At most a few units for each worker are on their way at a time, so a list of a million films needs no memory of a
million.  A worker that dies costs the unit it was doing, which another one does again; a unit whose workers died twice
is set aside.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engine.batch.units import DEFAULT_LIMITS, TRIES, Limits, Outcome, Unit, do_unit, set_aside, unit_key
from engine.music.errors import UserError

LOOPBACK: Final = "127.0.0.1"
_AHEAD: Final = 2  # units that wait for each worker
_CONNECT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """workers: processes of this machine, each does one unit at a time; 1 needs no Dask.  scheduler: `tcp://…` of a
    cluster, whose workers must see the same folders.  host: where the scheduler and the dashboard of ours listen.
    """

    workers: int = 1
    scheduler: str | None = None
    host: str = LOOPBACK
    limits: Limits = DEFAULT_LIMITS

    def __post_init__(self) -> None:
        if not 1 <= self.workers <= 1024:
            raise UserError(f"--workers is 1 to 1024, not {self.workers}.")
        if self.scheduler is not None and "://" not in self.scheduler:
            raise UserError(f"'{self.scheduler}' is not a scheduler's address, such as tcp://10.0.0.5:8786.")

    @property
    def needs_dask(self) -> bool:
        return self.workers > 1 or self.scheduler is not None


def run_units(units: Iterable[Unit], folder: Path, options: PoolOptions) -> Iterator[Outcome]:
    """Gives an outcome for every unit, in whatever order they end.  Raises UserError where there is no cluster."""
    folder.mkdir(parents=True, exist_ok=True)
    if not options.needs_dask:
        for unit in units:
            yield do_unit(unit, str(folder), options.limits)
        return
    with _client(options) as client:
        yield from _on_cluster(iter(units), folder, options, client)


def _on_cluster(units: Iterator[Unit], folder: Path, options: PoolOptions, client: Any) -> Iterator[Outcome]:
    from distributed import as_completed

    def send(unit: Unit) -> Any:
        # pure=False: each unit is a task of its own, whatever Dask remembers of an equal one
        future = client.submit(do_unit, unit, str(folder), options.limits, pure=False, retries=0)
        waiting[future.key] = unit
        return future

    waiting: dict[str, Unit] = {}
    threads = max(1, sum(client.nthreads().values()), options.workers if options.scheduler is None else 1)
    first = [send(unit) for unit in itertools.islice(units, threads * (1 + _AHEAD))]
    running = as_completed(first)
    for future in running:
        yield _outcome(future, waiting.pop(future.key), folder)
        future.release()
        for unit in itertools.islice(units, 1):
            running.add(send(unit))


def _outcome(future: Any, unit: Unit, folder: Path) -> Outcome:
    """Raises UserError where the cluster has gone or its workers cannot run this program."""
    from distributed import CancelledError, KilledWorker

    try:
        found: Outcome = future.result()
        return found
    except KilledWorker as error:
        # a cluster that somebody else started has a number of its own
        times = error.allowed_failures + 1
        key, reason = unit_key(unit), f"the worker that did it died, {times} times"
        set_aside(folder, key, unit.source, reason)
        return Outcome(unit.source, key, "aside", reason)
    except CancelledError as error:
        raise UserError(
            "The scheduler has gone. What was done is kept: give the command again when it is back."
        ) from error
    except (ImportError, AttributeError, TypeError) as error:
        raise UserError(f"The workers cannot run this version of CueBridge ({error}).") from error


@contextmanager
def _client(options: PoolOptions) -> Iterator[Any]:
    """A client of the cluster that was named, or of one of our own."""
    import dask
    from distributed import Client, LocalCluster

    if options.scheduler is not None:
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # it prints tracebacks when a scheduler goes
        try:
            client = Client(options.scheduler, timeout=_CONNECT_S)
        except (OSError, TimeoutError, ValueError) as error:
            raise UserError(f"No scheduler answers at {options.scheduler}.") from error
        with client:
            try:
                client.wait_for_workers(1, timeout=_CONNECT_S)
            except TimeoutError as error:
                raise UserError(f"The scheduler at {options.scheduler} has no workers.") from error
            yield client
        return
    settings = {
        "distributed.scheduler.allowed-failures": TRIES - 1,
        "distributed.scheduler.worker-saturation": 1.0,  # a dead worker is to blame for what it did, not for a queue
        "distributed.worker.memory.terminate": False,  # the worker only waits; its child has a limit of its own
        "distributed.comm.timeouts.connect": "30s",
    }
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=options.workers, threads_per_worker=1, processes=True, host=options.host,
            dashboard_address=f"{options.host}:0", silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):  # fmt: skip
        yield client
