"""Measures composing: seconds of the whole command, peak memory, and what the decoder's cache saves.

    python tests/bench/compose.py [VIDEO] [--repeat 3] [--slots 300] [--json OUT.json]

The command is run as a person runs it (`python -m engine compose VIDEO --reading quick --no-cache`), in fresh
processes; the median counts and all runs are shown.  Memory is the peak resident size of the composing process and of
the analysis child, and the former also above a process that only imports torch, started in the same run.  Cached
decoding is compared with one ordinary full forward (film and all chords so far) per token of the same module, in the
same process, one thread; both must give the same chords.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CLIP = ROOT / "tests" / "media" / "big-buck-bunny-30s.mp4"

TORCH = """
import resource, sys
import torch
torch.set_num_threads(1)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024))
"""


def run_command(video: Path) -> dict[str, Any]:
    """One whole command in a fresh process; its report, with the wall time seen from outside."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "engine", "compose", str(video), "-o", str(Path(folder) / "out.mid")]
        begun = time.perf_counter()
        done = subprocess.run(
            [*words, "--reading", "quick", "--no-cache", "--json"], capture_output=True, text=True, check=True, cwd=ROOT
        )
        outside_s = time.perf_counter() - begun
    facts = json.loads(done.stdout)
    return {
        "analysis_s": facts["seconds"]["analysis"],
        "composition_s": facts["seconds"]["composition"],
        "command_s": outside_s,
        "composing_mib": facts["peak_memory_mib"]["composing"],
        "analysis_mib": facts["peak_memory_mib"]["analysis"],
        "slots": facts["slots"],
        "film_s": facts["film"]["seconds"],
    }


def torch_alone_mib() -> float:
    done = subprocess.run([sys.executable, "-c", TORCH], capture_output=True, text=True, check=True)
    return float(done.stdout)


def decoding(slots: int) -> dict[str, float]:
    """Cached decoding against one full forward per token: same module, same film, same thread, same chords."""
    sys.path.insert(0, str(ROOT))
    import numpy as np
    import torch

    from models.checkpoint import load_default
    from models.decoding import ChordStream, DecodingOptions, affect_pull, choose
    from models.film import FilmInputs

    torch.set_num_threads(1)
    model = load_default("amt")
    random = np.random.default_rng(0)
    film = FilmInputs.from_arrays(
        scene_offset=np.arange(slots) % 6,
        motion=random.uniform(0, 40, slots).astype(np.float32),
        emotion=random.dirichlet(np.ones(6), slots).astype(np.float32),
    )
    options = DecodingOptions(seed=1)
    ChordStream(model, film, options, length=8).advance()  # warm
    begun = time.perf_counter()
    cached = ChordStream(model, film, options)
    cached.advance()
    cached_s = time.perf_counter() - begun
    pull = affect_pull(film.emotion())
    chords = [cached.chords[0]]
    begun = time.perf_counter()
    with torch.no_grad():
        for slot in range(1, slots):
            logits = model(
                film.features,
                torch.tensor([chords]),
                film.minor,
                valid=film.valid,
                semantic_present=film.semantic_present,
                emotion_present=film.emotion_present,
            )
            chords.append(choose(logits[0, -1].numpy(), options, chords, slot, pull[slot]))
    full_s = time.perf_counter() - begun
    agree = float(np.mean(np.array(chords) == np.array(cached.chords)))
    return {
        "slots": slots,
        "cached_s": cached_s,
        "cached_ms_per_slot": 1000 * cached_s / slots,
        "full_forward_s": full_s,
        "full_forward_ms_per_slot": 1000 * full_s / slots,
        "ratio": full_s / cached_s,
        "equal_chords": agree,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", nargs="?", type=Path, default=CLIP)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--slots", type=int, default=300)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    alone = torch_alone_mib()
    runs = [run_command(arguments.video.resolve()) for _ in range(arguments.repeat)]
    middle = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    decode = decoding(arguments.slots)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    result = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, load {load:.1f} at the end",
        "film": arguments.video.name,
        "median": middle,
        "import_torch_mib": alone,
        "composing_above_torch_mib": middle["composing_mib"] - alone,
        "runs": runs,
        "decoding": decode,
    }
    out = sys.stdout.write
    out(f"{arguments.video.name}: {middle['film_s']:g} s of film, {middle['slots']:g} slots; {result['machine']}\n")
    for name, words in (("analysis_s", "analysis"), ("composition_s", "composition"), ("command_s", "whole command")):
        every = ", ".join(f"{run[name]:.2f}" for run in runs)
        out(f"  {words:14s} {middle[name]:6.2f} s   ({every})\n")
    out(f"  peak memory    composing {middle['composing_mib']:.0f} MiB, ")
    out(f"{result['composing_above_torch_mib']:.0f} above `import torch` ({alone:.0f}); ")
    out(f"analysis child {middle['analysis_mib']:.0f} MiB\n")
    out(f"  decoding {decode['slots']} slots, 1 thread: cached {decode['cached_s']:.2f} s ")
    out(f"({decode['cached_ms_per_slot']:.2f} ms a slot), one full forward per slot {decode['full_forward_s']:.2f} s ")
    out(f"({decode['full_forward_ms_per_slot']:.1f} ms): {decode['ratio']:.1f} times; ")
    out(f"{100 * decode['equal_chords']:.1f} % equal chords\n")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
