"""Milliseconds to arrange one bar of all parts, as the bridge does it: one Arranger, bar after bar, state carried.

    python tests/bench/arrange.py [--minutes 10] [--json]

Reports p50, p99 and the worst over all bars of a synthetic film (random chords of all types, every part at full
activity, both styles), in wall-clock and in CPU time (which a busy machine changes less), and the time to make the
Arranger.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from engine.arrange import ArrangeOptions, Arranger
from engine.arrange.rhythm import build_grid
from engine.music import QUALITIES, Chord, Composition, Film, FrameRate, Slot, TempoMap


def film(seconds: float) -> Composition:
    tempo_map = TempoMap.constant(97)
    random_ = random.Random(1)
    slots = tuple(
        Slot(
            slot.index, slot.start_s, slot.end_s, slot.start_beats, slot.end_beats,
            Chord(random_.randrange(12), random_.choice(QUALITIES)), random_.uniform(0, 30), random_.uniform(0, 0.4),
            motion=random_.uniform(0, 40),
        )
        for slot in build_grid("beats", tempo_map, seconds)
    )  # fmt: skip
    return Composition(1, Film("film.mp4", seconds, FrameRate(Fraction(24))), tempo_map, slots)


def measure(composition: Composition, options: ArrangeOptions) -> dict[str, float]:
    started = time.perf_counter()
    arranger = Arranger(composition, options)
    made_ms = (time.perf_counter() - started) * 1000
    times, cpu, state, notes = [], [], None, 0
    position = arranger.start_beats
    while position < arranger.end_beats:
        started, started_cpu = time.perf_counter(), time.thread_time()
        piece = arranger.arrange(position, position + 4, state)
        times.append((time.perf_counter() - started) * 1000)
        cpu.append((time.thread_time() - started_cpu) * 1000)
        state, position, notes = piece.state, position + 4, notes + len(piece.notes)
    times.sort(), cpu.sort()
    return {
        "arranger_ms": round(made_ms, 3),
        "bars": len(times),
        "notes": notes,
        "bar_p50_ms": round(times[len(times) // 2], 3),
        "bar_p99_ms": round(times[int(len(times) * 0.99)], 3),
        "bar_max_ms": round(times[-1], 3),
        "bar_cpu_p99_ms": round(cpu[int(len(cpu) * 0.99)], 3),
        "bar_cpu_max_ms": round(cpu[-1], 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    composition = film(arguments.minutes * 60)
    rows = {style: measure(composition, ArrangeOptions(voicing=style, activity=100)) for style in ("close", "open")}
    if arguments.json:
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
        return
    for style, row in rows.items():
        sys.stdout.write(f"{style}: " + ", ".join(f"{name} {value}" for name, value in row.items()) + "\n")


if __name__ == "__main__":
    main()
