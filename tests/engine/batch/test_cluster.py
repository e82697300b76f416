"""A Dask cluster that somebody else started: its scheduler and workers are processes of their own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from livelab import short_film

from engine.batch import pool
from engine.batch.pool import PoolOptions, run_units
from engine.batch.units import RESULT, Unit
from engine.music.errors import UserError

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}

pytestmark = pytest.mark.slow
pytest.importorskip("distributed")


def told_address(file: Path) -> str:
    """ "" until the file is there and whole."""
    try:
        return json.loads(file.read_text())["address"]
    except (OSError, ValueError):
        return ""


@pytest.fixture
def cluster(tmp_path):
    """A scheduler's address and a function that starts a worker; all are killed at the end."""
    running = []

    def start(*words: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_" + words[0], *words[1:]],
            cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        running.append(process)
        return process

    file = tmp_path / "scheduler.json"
    where = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    scheduler = start("scheduler", *where, "--scheduler-file", str(file))
    until = time.monotonic() + 60
    while not (address := told_address(file)) and time.monotonic() < until:
        time.sleep(0.1)
    yield (
        address,
        scheduler,
        lambda: start("worker", address, "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1", "--no-dashboard"),
    )
    for process in reversed(running):
        process.send_signal(signal.SIGTERM)
    for process in running:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def test_a_scheduler_without_workers_and_one_that_goes_get_a_sentence(cluster, tmp_path, monkeypatch) -> None:
    address, scheduler, start_worker = cluster
    (tmp_path / "film").write_text("a film")
    units = [Unit(str(tmp_path / "film"), (str(n), RESULT), str(n), ".txt") for n in range(50)]
    monkeypatch.setattr(pool, "_CONNECT_S", 1.0)
    with pytest.raises(UserError, match="has no workers"):
        list(run_units(units, tmp_path / "results", PoolOptions(scheduler=address)))
    start_worker()
    monkeypatch.setattr(pool, "_CONNECT_S", 30.0)
    running = run_units(units, tmp_path / "results", PoolOptions(scheduler=address))
    assert next(running).state == "aside"  # the words are no command: what matters is that a worker tried
    scheduler.kill()
    with pytest.raises(UserError, match="The scheduler has gone"):
        list(running)


def test_films_composed_on_a_cluster_are_those_composed_here(cluster, tmp_path) -> None:
    address, _, start_worker = cluster
    for _ in range(2):
        start_worker()
    films = tmp_path / "films"
    films.mkdir()
    for name in ("a.mp4", "b.mp4"):
        short_film(films / name, 6.0)
        with open(films / name, "ab") as file:
            file.write(name.encode())  # what comes after the last box is no part of the film, but of its content
    for out, way in (("here", ()), ("there", ("--scheduler", address))):
        ran = subprocess.run(
            [sys.executable, "-m", "engine", "compose", "--batch", str(films), "--out", str(tmp_path / out), *way],
            env=ENVIRONMENT, capture_output=True, text=True, timeout=200,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        assert "2 done" in ran.stderr
    for name in ("a.mid", "b.mid"):
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()
