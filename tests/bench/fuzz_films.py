"""Damages real containers and looks at them, each in a process of its own; reports crashes, time and memory.

    python tests/bench/fuzz_films.py [--runs 200] [--seed 0]

Bits are flipped, pieces cut out, repeated or overwritten in MP4, MOV, Matroska, WebM, AVI, MPEG-TS and MPEG-PS files.
A run is good when it gives features or one sentence within its time and memory; a decoder's crash (a signal) is counted
apart, as that may end the analysis child and nothing else.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 60
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
CHILD = """
import resource, sys
sys.path.insert(0, {root!r})
resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
from engine.video import AnalysisOptions, VideoError, analyze
try:
    features = analyze(sys.argv[1], AnalysisOptions(reading="quick"))
    import numpy
    assert features.seconds <= 24 * 3600 and numpy.isfinite(features.emotion).all()
    said = "features"
except VideoError as error:
    assert str(error).endswith(".") and chr(10) not in str(error), str(error)
    said = "sentence"
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) // 1024
print(said, peak)
"""


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
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests/engine/video"))
    import films

    results: Counter[str] = Counter()
    longest_s, largest_mb, bad = 0.0, 0, []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        originals = [
            films.make_film(folder / kind, 72, codec=codec, pixels=pixels, rate=24) for kind, codec, pixels in KINDS
        ]
        for run in range(arguments.runs):
            dice = random.Random(arguments.seed * 1_000_003 + run)
            original = originals[run % len(originals)]
            film = folder / f"broken-{run}{original.suffix}"
            film.write_bytes(damage(original.read_bytes(), dice))
            started_s = time.perf_counter()
            try:
                code = CHILD.format(root=str(ROOT))
                done = subprocess.run(
                    [sys.executable, "-c", code, str(film)], capture_output=True, text=True, timeout=LIMIT_S
                )
            except subprocess.TimeoutExpired:
                results["too long"] += 1
                bad.append(f"run {run}: more than {LIMIT_S} s")
                continue
            longest_s = max(longest_s, time.perf_counter() - started_s)
            if done.returncode < 0:
                results[f"decoder crash (signal {-done.returncode})"] += 1
                continue
            if done.returncode:
                results["traceback"] += 1
                bad.append(f"run {run} ({original.name}): {done.stderr.strip().splitlines()[-1]}")
                continue
            said, peak = done.stdout.split()
            results[said] += 1
            largest_mb = max(largest_mb, int(peak))
            if int(peak) > LIMIT_MB:
                bad.append(f"run {run}: {peak} MB")
            film.unlink()
    print(dict(results), f"longest {longest_s:.1f} s, largest {largest_mb} MB")
    for line in bad:
        print(line)
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
