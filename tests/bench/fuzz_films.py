"""Damages real containers and looks at them, each in a process of its own; reports crashes, time and memory.

    python tests/bench/fuzz_films.py [--runs 2000] [--seed 0] [--first 0] [--jobs 1]

Bits are flipped, pieces cut out, repeated or overwritten in MP4, MOV, Matroska, WebM, AVI, MPEG-TS and MPEG-PS files.
A run is good when it gives features or one sentence within HANG_S of processor time and LIMIT_MB of memory; a decoder's
crash (a signal) is counted apart, as that may end the analysis child and nothing else.  --first goes on with a bench
that was cut off; --jobs looks at so many films at a time.
"""

from __future__ import annotations

import argparse
import functools
import os
import random
import select
import signal
import sys
import tempfile
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]
LIMIT_S = 60  # of the clock, whatever else the machine does
HANG_S = 2.0  # of the processor
EVERY = 200  # runs after which it says how far it is
LIMIT_MB = 1500
KINDS = (
    ("a.mp4", "libx264", "yuv420p"),
    ("a.mov", "prores_ks", "yuv422p10le"),
    ("a.mkv", "libx264", "yuv420p"),
    ("a.webm", "libvpx", "yuv420p"),
    ("a.avi", "mpeg4", "yuv420p"),
    ("a.ts", "libx264", "yuv420p"),
    ("a.mpg", "mpeg2video", "yuv420p"),
)
MEMORY_BYTES = 6 << 30


def look(film: Path, pipe: int) -> None:
    """In a fork, which has everything imported already: looks at a film and says what came of it, and its memory."""
    import resource

    import numpy as np

    from engine.video import AnalysisOptions, VideoError, analyze

    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what the decoders have to say
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        features = analyze(film, AnalysisOptions(reading="quick"))
        assert features.seconds <= 24 * 3600 and np.isfinite(features.emotion).all()
        said = "features"
    except VideoError as error:
        whole = str(error).endswith(".") and "\n" not in str(error)
        said = "sentence" if whole else f"traceback no sentence: {error}"
    except BaseException:
        said = f"traceback {traceback.format_exc().splitlines()[-1]}"
    used = resource.getrusage(resource.RUSAGE_SELF)
    os.write(pipe, f"{used.ru_maxrss // 1024} {used.ru_utime + used.ru_stime:.2f} {said[:900]}".encode())
    os._exit(0)


def in_a_fork(film: Path) -> tuple[int, str]:
    """The wait status, None for too long as -1, and what was said."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        look(film, theirs)
    os.close(theirs)
    with os.fdopen(ours, "rb") as answer:
        ready = select.select([answer], [], [], LIMIT_S)[0]
        if not ready:
            os.kill(pid, signal.SIGKILL)
        said = answer.read().decode()
    status = os.waitpid(pid, 0)[1]
    return (-1, "") if not ready else (os.waitstatus_to_exitcode(status), said)


def damage(data: bytes, dice: random.Random) -> bytes:
    """One of five kinds of damage."""
    broken = bytearray(data)
    kind = dice.randrange(5)
    if kind == 0:
        for _ in range(2 ** dice.randrange(12)):
            broken[dice.randrange(len(broken))] ^= 1 << dice.randrange(8)
    elif kind == 1:  # near the head, where the structure is
        for _ in range(dice.randrange(1, 40)):
            broken[dice.randrange(min(4096, len(broken)))] = dice.randrange(256)
    elif kind == 2:
        start = dice.randrange(len(broken))
        del broken[start : start + dice.randrange(1, len(broken) // 2)]
    elif kind == 3:
        start = dice.randrange(len(broken))
        piece = broken[start : start + dice.randrange(1, 20_000)]
        at = dice.randrange(len(broken))
        broken[at:at] = piece
    else:
        start = dice.randrange(len(broken))
        length = dice.randrange(1, 2000)
        broken[start : start + length] = bytes([dice.choice((0, 255, 127))]) * length
    return bytes(broken)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, metavar="RUN")
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests/engine/video"))
    sys.path.insert(0, str(ROOT))
    import films

    import engine.video
    import engine.video.stream  # noqa: F401

    results: Counter[str] = Counter()
    longest, largest_mb, bad = (0.0, ""), 0, []
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(arguments.jobs) as pool:
        folder = Path(name)
        originals = [
            films.make_film(folder / kind, 72, codec=codec, pixels=pixels, rate=24) for kind, codec, pixels in KINDS
        ]
        one = functools.partial(look_at, originals, arguments.seed)
        for run, original, code, text in pool.map(one, range(arguments.first, arguments.runs)):
            where = f"run {run} ({original})"
            if run % EVERY == EVERY - 1:
                print(f"{run + 1} films: {dict(results)}, longest {longest[0]:.1f} s", flush=True)
            if code == -1:
                results["too long"] += 1
                bad.append(f"{where}: more than {LIMIT_S} s")
                continue
            if code < -1:
                results[f"decoder crash (signal {-code})"] += 1
                continue
            peak, used, said = text.split(" ", 2)
            results[said.split()[0]] += 1
            largest_mb, longest = max(largest_mb, int(peak)), max(longest, (float(used), where))
            if said.startswith("traceback") or int(peak) > LIMIT_MB or float(used) > HANG_S:
                bad.append(f"{where}: {said}, {peak} MB, {used} s")
    print(dict(results), f"longest {longest[0]:.1f} s of the processor ({longest[1]}), largest {largest_mb} MB")
    for line in bad:
        print(line)
    return 1 if bad else 0


def look_at(originals: list[Path], seed: int, run: int) -> tuple[int, str, int, str]:
    """Run, name of the film, and what `in_a_fork` gives."""
    dice = random.Random(seed * 1_000_003 + run)
    original = originals[run % len(originals)]
    film = original.with_name(f"broken-{run}{original.suffix}")
    film.write_bytes(damage(original.read_bytes(), dice))
    try:
        return run, original.name, *in_a_fork(film)
    finally:
        film.unlink()


if __name__ == "__main__":
    raise SystemExit(main())
