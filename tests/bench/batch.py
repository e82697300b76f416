"""Batches by several workers: throughput as ratios, and what killing does to results.

    python tests/bench/batch.py WORK [--films 8] [--seconds 6] [--workers 1 2 4] [--no-kills]

Composes short films cut from the bundled clip (`compose --batch`).  Ratios are films a second between the first and the
last outcome, against one worker in the same run.  Kills: a worker, the client, and every process at once, in the middle
of a run by two workers; the command is begun again and its files are compared with those of an undisturbed run.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from engine.music.bundled import bundled_clip


def films(folder: Path, count: int, seconds: float) -> None:
    """Films that differ in content, each a piece of the clip."""
    folder.mkdir(parents=True)
    for number in range(count):
        start = (number * 1.7) % (29 - seconds)
        subprocess.run(
            ["ffmpeg", "-v", "error", "-ss", f"{start:.2f}", "-t", str(seconds), "-i", str(bundled_clip()), "-an",
             "-vf", "scale=320:180", "-preset", "ultrafast", str(folder / f"film-{number:03d}.mp4")],
            check=True,
        )  # fmt: skip


class Run:
    """`cuebridge compose --batch` in a process of its own; lines of its progress with their times."""

    def __init__(self, work: Path, name: str, workers: int) -> None:
        self.out = work / name
        words = ["compose", "--batch", str(work / "films"), "--out", str(self.out), "--workers", str(workers)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "engine", *words, "--reading", "quick", "--no-cache"],
            cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True,
        )  # fmt: skip
        self.at_s: list[float] = []

    def until(self, outcomes: int | None = None) -> None:
        """Reads progress until so many units are done, or to the end."""
        for line in self.process.stderr:
            if "/" in line.split(" ")[0]:
                self.at_s.append(time.monotonic())
            if outcomes is not None and len(self.at_s) >= outcomes:
                return
        assert self.process.wait() == 0

    def workers(self) -> list[psutil.Process]:
        """The processes of Dask's workers: those whose children are units, or that could have some."""
        found = []
        for child in psutil.Process(self.process.pid).children(recursive=True):
            words = " ".join(child.cmdline())
            if "spawn_main" in words:
                found.append(child)
        return found

    def digest(self) -> str:
        """Of every file that was written."""
        files = sorted(self.out.glob("*.mid"))
        return hashlib.sha256(b"".join(path.name.encode() + path.read_bytes() for path in files)).hexdigest()[:16]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("--films", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--no-kills", action="store_true")
    arguments = parser.parse_args()
    films(arguments.work / "films", arguments.films, arguments.seconds)
    plain, digest = None, ""
    for workers in arguments.workers:
        began = time.monotonic()
        run = Run(arguments.work, f"workers-{workers}", workers)
        run.until()
        rate = (len(run.at_s) - 1) / (run.at_s[-1] - run.at_s[0])
        plain = plain or rate
        digest = digest or run.digest()
        print(
            f"{workers} workers: {rate:.3f} films/s, {rate / plain:.2f} times one; whole command "
            f"{time.monotonic() - began:.1f} s; result {'equal' if run.digest() == digest else 'DIFFERENT'}",
            flush=True,
        )
    if arguments.no_kills:
        return
    for name in ("worker", "client", "everything"):
        run = Run(arguments.work, f"kill-{name}", 2)
        run.until(max(1, arguments.films // 4))
        done = len(run.at_s)
        if name == "worker":
            run.workers()[-1].kill()
            run.until()
        else:
            family = [psutil.Process(run.process.pid).children(recursive=True), []][name == "client"]
            os.kill(run.process.pid, signal.SIGKILL)
            for process in family:
                with_suppress(process.kill)
            run.process.wait()
            run.process.stderr.close()
            time.sleep(3)  # orphans see that their parent is gone
            again = Run(arguments.work, f"kill-{name}", 2)
            again.until()
        print(
            f"killed {name} after {done} of {arguments.films}, then to the end: "
            f"result {'equal' if run.digest() == digest else 'DIFFERENT'}",
            flush=True,
        )


def with_suppress(call) -> None:
    try:
        call()
    except psutil.NoSuchProcess:
        pass


if __name__ == "__main__":
    main()
