"""Measures composing: wall and CPU seconds of the whole command, its peak memory, the time to the first chords.

    python tests/bench/compose.py [VIDEO] [--repeat 3] [--other TREE] [--json OUT.json]

The command is run as a person runs it (`python -m engine compose VIDEO --reading quick --no-cache`), in fresh
processes; the median counts and all runs are shown.  --other: another checkout of this repository, measured in turns
with this one, so that before and after come from one run.  Memory is the peak resident size of the composing process
and of the analysis child.  First chords: from loading the networks, with a film that has been seen, to the first slots.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CLIP = ROOT / "engine" / "media" / "big-buck-bunny-30s.mp4"
# The film is in the cache: what is measured is the engine's own start.
FIRST = """
import sys, time
from engine.composer import Composer
from engine.process.analysis import AnalysisTask, analyse_in_child
from engine.process.messages import ComposeRequest
from engine.music import TempoMap
if __name__ == "__main__":
    task = AnalysisTask(sys.argv[1], "quick", None, sys.argv[2], True)
    features = analyse_in_child(task, lambda fraction, phase: None)
    print(time.time(), end=" ", flush=True)
    composer = Composer()
    stream = getattr(composer, "stream", composer.compose)  # its name in older trees
    next(stream(features, ComposeRequest(1, TempoMap.constant(120))))
    print(time.time())
"""


def environment(tree: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    return {**kept, "PYTHONPATH": str(tree)}


def run_command(tree: Path, video: Path) -> dict[str, Any]:
    """One whole command in a fresh process: its own report, wall and CPU seconds seen from outside."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "engine", "compose", str(video), "-o", str(Path(folder) / "out.mid")]
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(
            [*words, "--reading", "quick", "--no-cache", "--json"],
            capture_output=True, text=True, check=True, cwd=tree, env=environment(tree),
        )  # fmt: skip
        outside_s, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    facts = json.loads(done.stdout)
    return {
        "wall_s": outside_s,
        "cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "looking_s": facts["seconds"]["analysis"],
        "composing_s": facts["seconds"]["composition"],
        "composing_mib": facts["peak_memory_mib"]["composing"],
        "looking_mib": facts["peak_memory_mib"]["analysis"],
    }


def first_chords(tree: Path, video: Path, cache: Path) -> float:
    """Seconds from importing the composer to its first slots."""
    script = cache / "first.py"
    script.write_text(FIRST)
    words = [sys.executable, str(script), str(video), str(cache)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=tree, env=environment(tree))
    begun, ended = (float(word) for word in done.stdout.split())
    return ended - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", nargs="?", type=Path, default=CLIP)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--other", type=Path, help="another checkout, measured in turns with this one")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    trees = {"this": ROOT} if arguments.other is None else {"other": arguments.other.resolve(), "this": ROOT}
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in trees}
    for _ in range(arguments.repeat):
        for name, tree in trees.items():
            runs[name].append(run_command(tree, arguments.video.resolve()))
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(arguments.repeat + 1):
            runs["this"].append({"first_chords_s": first_chords(ROOT, arguments.video.resolve(), Path(folder))})
    runs["this"].pop(arguments.repeat)  # the first of them had to look at the film
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    machine = f"{os.cpu_count()} cores, {platform.machine()}, load {load:.1f} at the end"
    sys.stdout.write(f"{arguments.video.name}; {machine}\n")
    for name, rows in runs.items():
        sys.stdout.write(f"{name}:\n")
        for key in dict.fromkeys(key for row in rows for key in row):
            values = [row[key] for row in rows if key in row]
            every = ", ".join(f"{value:.2f}" for value in values)
            sys.stdout.write(f"  {key:<16}{statistics.median(values):8.2f}   ({every})\n")
    if arguments.json is not None:
        arguments.json.write_text(
            json.dumps({"machine": machine, "film": arguments.video.name, "runs": runs}, indent=1)
        )


if __name__ == "__main__":
    main()
